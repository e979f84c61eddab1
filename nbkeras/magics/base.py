"""What every magic shares: its session, ``--help``, a trailing ``;`` and how errors look."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, magics_class

from nbkeras.magics import errors
from nbkeras.magics.arguments import CommandParser, Namespace
from nbkeras.magics.session import Session

__all__ = ["Command", "flag", "given", "guarded", "rate", "whole"]


@magics_class
class Command(Magics):
    """A family of magics on one session."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """Answer ``--help``, honour a trailing ``;``, and shorten what goes wrong."""
    parser: CommandParser = method.parser  # type: ignore[attr-defined]

    @functools.wraps(method)
    def magic(self: Command, line: str, *cell: str, local_ns: Any = None) -> Any:
        try:
            arguments = parser.parse_line(line)
            if arguments.help:
                print(parser.format_help())
                return None
            namespace = self.session.namespace(local_ns)
            result = method(self, arguments, *cell, namespace)
        except UsageError:
            raise
        except BaseException as error:
            errors.shorten(error, self.shell)
            raise
        text = cell[0] if cell else line
        quiet = text.rstrip().endswith(";") and _is_last(self.shell, parser.command.lstrip("%"))
        return None if quiet else result

    return magic


def _is_last(shell: Any, name: str) -> bool:
    """Whether a magic's value would be shown: the last statement of the cell is its call."""
    history = getattr(shell.history_manager, "input_hist_parsed", None) or [""]
    try:
        body = ast.parse(history[-1]).body
    except SyntaxError:
        return False
    last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    return (
        isinstance(last, ast.Call)
        and isinstance(last.func, ast.Attribute)
        and last.func.attr in ("run_line_magic", "run_cell_magic")
        and isinstance(last.args[0], ast.Constant)
        and last.args[0].value == name
    )


# ---------------------------------------------------------------- checked values


def whole(value: Any, option: str, least: int = 0) -> int:
    """A whole number.

    >>> whole(8, "--batch-size", 1)
    8

    Raises:
        UsageError: it is none, or too small.
    """
    try:
        number = None if isinstance(value, bool) else value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or number < least:
        raise UsageError(f"{option} takes a whole number from {least} on, not {value!r:.60}.")
    return number


def rate(value: Any, option: str) -> float:
    """A positive number.

    Raises:
        UsageError: it is none.
    """
    try:
        number = float("nan") if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 < number < float("inf"):
        raise UsageError(f"{option} takes a positive number, not {value!r:.60}.")
    return number


def flag(value: Any, option: str) -> bool:
    """True or False.

    Raises:
        UsageError: it is neither.
    """
    if not isinstance(value, bool | int) or value not in (0, 1):
        raise UsageError(f"{option} takes True or False, not {value!r:.60}.")
    return bool(value)


def given(
    arguments: Any,
    options: Mapping[str, Callable[[Any, str], Any]],
    namespace: Namespace,
    words: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The options of a call that were written, evaluated and checked.

    Args:
        arguments: the parsed line.
        options: by their names in Python, what checks them.
        namespace: where they are evaluated.
        words: bare words that stand for themselves.
    """
    found = {}
    for name, check in options.items():
        text = getattr(arguments, name)
        if text is not None:
            option = "--" + name.replace("_", "-")
            found[name] = check(namespace.evaluate(text, option, words.__contains__), option)
    return found
