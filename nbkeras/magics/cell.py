"""What a ``%%model`` cell says: a stack of layers, or code that makes a model.

The cell is run once, as Python. Every expression that stands as a statement is noted
with its value and its line, also inside ``if``, ``for`` and ``with``. What the values
are decides: layers, and nothing but layers, are a stack; else the cell is code.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError

from nbkeras.magics import errors, names
from nbkeras.magics.arguments import closest
from nbkeras.magics.session import is_model

__all__ = ["Cell", "Step"]

NOTE = "__nbkeras_note__"


@dataclass(frozen=True)
class Step:
    """An expression that stood as a statement: its line in the cell, its text, its value."""

    line: int
    text: str
    value: Any


class Cell:
    """A cell's code.

    Args:
        shell: where it runs; its variables stay there, as those of any cell do.
        source: the cell without its first line.
    """

    def __init__(self, shell: Any, source: str) -> None:
        self.shell = shell
        # Lines count as the user sees them: the first is the magic's, and IPython drops
        # empty ones at the top.
        lines = source.split("\n")
        empty = next((n for n, line in enumerate(lines) if line.strip()), 0)
        self.source = "\n" * (1 + empty) + shell.transform_cell(source)
        self.filename = shell.compile.cache(self.source, shell.execution_count, source)
        try:
            self.tree = ast.parse(self.source, self.filename)
        except SyntaxError as error:
            raise UsageError(_syntax(error)) from None
        self.steps: list[Step] = []

    def run(self) -> list[Step]:
        """Run it, with the offered names in reach, and note its expressions.

        Raises:
            UsageError: a name does not exist, or a layer was called wrongly.
            Exception: what the user's own code raised.
        """
        known = {*self.shell.user_ns, *_bound(_of_the_cell(self.tree))}
        tree = _Importing(known).visit(_Noting().visit(self.tree))
        ast.fix_missing_locations(tree)
        code = compile(tree, self.filename, "exec", flags=self.shell.compile.flags)
        with offered(self.shell.user_ns, {**names.for_cells(), NOTE: self._note}):
            try:
                exec(code, self.shell.user_ns)
            except NameError as error:
                raise self._unknown_name(error) from error
            except (TypeError, ValueError) as error:
                raise self._explained(error) from error
        return self.steps

    def _note(self, line: int, end: int, column: int, stop: int, value: Any) -> None:
        if value is None:
            return
        rows = self.source.split("\n")[line - 1 : end]
        # Columns count bytes.
        rows[-1] = rows[-1].encode()[:stop].decode()
        rows[0] = rows[0].encode()[column:].decode()
        text = " ".join(" ".join(row.split()) for row in rows)
        for item in value if isinstance(value, list | tuple) else [value]:
            self.steps.append(Step(line, text, item))

    def assigns(self, name: str) -> bool:
        """Whether the cell binds a name."""
        return any(
            isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
            for node in ast.walk(self.tree)
        )

    def mentions(self, name: str) -> bool:
        """Whether the cell names a variable at all."""
        return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(self.tree))

    # ---- errors

    def _unknown_name(self, error: NameError) -> BaseException:
        line = errors.line_in(self.filename, error.__traceback__)
        name = getattr(error, "name", None)
        if line is None or name is None or isinstance(error, UnboundLocalError):
            return error
        near = closest(name, {**names.for_cells(), **self.shell.user_ns, **vars(builtins)})
        hint = f" Did you mean {near!r}?" if near else ""
        return UsageError(f"line {line}: there is no layer or variable {name!r}.{hint}")

    def _explained(self, error: Exception) -> BaseException:
        """An error of the user's own code as it is, of ours with line and shapes."""
        line = errors.line_in(self.filename, error.__traceback__)
        if line is None or not (errors.came_from(error) or self._calls_layer(line, error)):
            return error
        text = self.source.split("\n")[line - 1].strip()
        reason = str(error).replace(".__init__()", "()")
        shapes = self._shapes(line)
        return UsageError(f"line {line}, {text}: {reason}{shapes}")

    def _calls_layer(self, line: int, error: Exception) -> bool:
        """Whether a line's constructor call of ours has the wrong arguments."""
        inner = error.__traceback__
        while inner and inner.tb_next:
            inner = inner.tb_next
        if inner is None or inner.tb_frame.f_code.co_filename != self.filename:
            return False
        called = {
            node.func.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.lineno <= line <= (node.end_lineno or line)
        }
        return isinstance(error, TypeError) and bool(called & names.for_cells().keys())

    def _shapes(self, line: int) -> str:
        """The shapes of the tensors and models that a line works with."""
        known = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.lineno == line and node.id not in known:
                known.append(node.id)
        shapes = []
        for name in known:
            value = self.shell.user_ns.get(name)
            if is_model(value):
                shapes.append(chain(value))
            elif hasattr(value, "node") and hasattr(value, "shape"):
                shapes.append(f"{name} {_plain(value.shape)}")
        return "".join(f"\n  {text}" for text in shapes)


def _syntax(error: SyntaxError) -> str:
    text = (error.text or "").rstrip("\n")
    place = " " * (max(error.offset or 1, 1) - 1) + "^"
    return f"line {error.lineno}: {error.msg}\n    {text}\n    {place}"


def chain(model: Any) -> str:
    """The shapes along a stack: ``(None, 64) → dense_1 (None, 32)``."""
    parts: list[str] = []
    for layer in model.layers:
        with contextlib.suppress(AttributeError, RuntimeError, ValueError):
            if not parts:
                parts.append(f"input {_plain(layer.input_shape)}")
            if type(layer).__name__ != "InputLayer":
                parts.append(f"{layer.name} {_plain(layer.output_shape)}")
    return " → ".join(parts)


def _plain(shape: Any) -> Any:
    return tuple(shape) if shape is not None and not isinstance(shape, tuple) else shape


class _Noting(ast.NodeTransformer):
    """Wraps each expression statement of the cell itself in a call that notes its value."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if isinstance(node.value, ast.Constant):  # a comment in quotes, an ellipsis
            return node
        place = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        call = ast.Call(
            ast.Name(NOTE, ast.Load()), [*map(ast.Constant, place), node.value], keywords=[]
        )
        return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)

    def _skip(self, node: Any) -> Any:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _skip


class _Importing(ast.NodeTransformer):
    """Has functions of the cell import what they use of the offered names.

    They may be called from other cells, which offer none. A function remembers where
    Python's built-in names were found when it was made, but one that is made inside it
    later, a comprehension before Python 3.12 too, looks in the notebook again.
    """

    def __init__(self, known: set[str]) -> None:
        self._known = known

    def _import(self, node: Any) -> Any:
        inside = list(ast.walk(node))
        used = {n.id for n in inside if isinstance(n, ast.Name)} & names.for_cells().keys()
        used -= self._known | _bound(inside)
        imports = [names.import_of(name) for name in sorted(used)]
        start = 1 if ast.get_docstring(node, clean=False) is not None else 0
        for statement in imports:
            ast.copy_location(statement, node.body[0])
        node.body[start:start] = imports
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _import


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that nodes bind or declare."""
    bound: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound.add(name)
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=asname):
                bound.add(asname or name.split(".")[0])
            case ast.Global(names=declared) | ast.Nonlocal(names=declared):
                bound.update(declared)
    return bound


def _of_the_cell(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a cell, but not those inside its functions and classes."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _of_the_cell(child)


@contextlib.contextmanager
def offered(namespace: dict[str, Any], more: dict[str, Any]) -> Iterator[None]:
    """Have code that runs in a namespace find more names, and leave none of them there.

    They stand behind the namespace, with Python's built-in names. A function takes those
    along when it is defined, so one from such a cell still finds them later.
    """
    missing = object()
    before = namespace.get("__builtins__", missing)
    namespace["__builtins__"] = {**vars(builtins), **more}
    try:
        yield
    finally:
        if before is missing:
            namespace.pop("__builtins__", None)
        else:
            namespace["__builtins__"] = before
