"""Programs that say ``import keras``, run against nbkeras.

The user's own source is rewritten before it is compiled: what it imports from
``keras`` comes from ``nbkeras.core``, and what they name ``tensorflow`` has TensorFlow 1's
names beside its own. ``sys.modules`` holds no other ``keras``
than before, so TensorFlow, which looks for the package of that name, finds what
it always found. Nothing heavy is imported here.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Imports", "ScriptFinder", "rewrite", "run_script"]

OURS = "nbkeras.core"
TENSORFLOW = "nbkeras.core.legacy.tensorflow"


class Imports(ast.NodeTransformer):
    """Rewrites imports of ``keras`` to imports of nbkeras.

    >>> print(ast.unparse(Imports().visit(ast.parse("import keras.backend as K"))))
    import nbkeras.core.backend as K
    >>> print(ast.unparse(Imports().visit(ast.parse("from keras.layers import Dense"))))
    from nbkeras.core.layers import Dense
    >>> print(ast.unparse(Imports().visit(ast.parse("import keras.layers, numpy"))))
    import nbkeras.core as keras
    import nbkeras.core.layers as _
    import numpy
    """

    def visit_Import(self, node: ast.Import) -> Any:
        """``import keras``, ``import keras.x`` (binds ``keras``), ``import keras.x as y``."""
        names = [alias.name for alias in node.names]
        if not any(_is_keras(name) or name == "tensorflow" for name in names):
            return node
        statements: list[ast.stmt] = []
        for alias in node.names:
            if alias.name == "tensorflow":
                statements.append(ast.Import([ast.alias(TENSORFLOW, alias.asname or alias.name)]))
                continue
            if not _is_keras(alias.name):
                statements.append(ast.Import([alias]))
                continue
            ours = OURS + alias.name[len("keras") :]
            if alias.asname or alias.name == "keras":
                statements.append(ast.Import([ast.alias(ours, alias.asname or "keras")]))
            else:
                statements.append(ast.Import([ast.alias(OURS, "keras")]))
                statements.append(ast.Import([ast.alias(ours, "_")]))
        return [ast.copy_location(statement, node) for statement in statements]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """``from keras import x``, ``from keras.x import y``."""
        if node.level == 0 and node.module and _is_keras(node.module):
            node.module = OURS + node.module[len("keras") :]
        return node


def _is_keras(module: str) -> bool:
    return module == "keras" or module.startswith("keras.")


def rewrite(source: str | bytes, filename: str = "<string>") -> types.CodeType:
    """Source text as code in which ``keras`` is nbkeras.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = Imports().visit(ast.parse(source, filename))
    return compile(ast.fix_missing_locations(tree), filename, "exec", dont_inherit=True)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the user's with its imports rewritten; no cached byte code is used."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        return rewrite(self.get_data(path), path)


class ScriptFinder:
    """Finds modules beside a script, and loads them with their imports rewritten.

    Args:
        folder: where the script lies.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.path.realpath(folder)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        """The module's spec if its file lies under the folder, and outside of any environment."""
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        origin = os.path.realpath(spec.origin or "")
        inside = origin.startswith(self.folder + os.sep)
        if not inside or "site-packages" in origin or origin.startswith(sys.prefix + os.sep):
            return None
        loader = _Loader(name, spec.origin or "")
        return importlib.util.spec_from_file_location(
            name,
            spec.origin,
            loader=loader,
            submodule_search_locations=spec.submodule_search_locations,
        )


def run_script(path: str | os.PathLike[str], arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Run a script as ``python path arguments...`` would, with nbkeras for ``keras``.

    Args:
        path: the script.
        arguments: what it finds in ``sys.argv[1:]``.

    Returns:
        The script's global names.

    Raises:
        FileNotFoundError: there is no such script.
    """
    script = Path(path)
    if not script.is_file():
        raise FileNotFoundError(f"There is no script {os.fspath(path)!r}.")
    code = rewrite(script.read_bytes(), str(script))
    main = types.ModuleType("__main__")
    main.__file__ = str(script)
    before = sys.argv, sys.path[:], sys.modules.get("__main__")
    finder = ScriptFinder(script.resolve().parent)
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    sys.meta_path.insert(0, finder)
    sys.modules["__main__"] = main
    try:
        exec(code, main.__dict__)
    finally:
        sys.meta_path.remove(finder)
        sys.argv, sys.path[:] = before[0], before[1]
        if before[2] is not None:
            sys.modules["__main__"] = before[2]
    return main.__dict__
