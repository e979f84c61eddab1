"""The command line of a magic: how it is split, parsed, documented and evaluated.

Values are Python expressions in the user's namespace, so a line is split at the blanks
outside brackets and quotes, and ``--validation-data (x_test, y_test)`` is one value.
A wrong call is a ``UsageError`` that shows a right one.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from IPython.core.error import UsageError

__all__ = ["CommandParser", "Namespace", "closest", "command", "split"]

Function = TypeVar("Function", bound=Callable[..., Any])
OPENING = {"(": ")", "[": "]", "{": "}"}


# ---------------------------------------------------------------- splitting


def split(line: str) -> list[str]:
    """The words of a line; brackets and quotes keep a value together, ``#`` ends the line.

    >>> split("net x[:, 0] y --callbacks [EarlyStopping(patience=2), stop]  # long")
    ['net', 'x[:, 0]', 'y', '--callbacks', '[EarlyStopping(patience=2), stop]']

    Raises:
        UsageError: a bracket or a quote is not closed.
    """
    words: list[str] = []
    word, closing, quote = "", "", ""
    characters = iter(line)
    for character in characters:
        if quote:
            word += character
            if character == "\\":
                word += next(characters, "")
            elif character == quote:
                quote = ""
            continue
        if not closing and (character.isspace() or (character == "#" and not word)):
            if character == "#":
                break
            words, word = [*words, *filter(None, [word])], ""
            continue
        if character in "'\"":
            quote = character
        elif character in OPENING:
            closing = OPENING[character] + closing
        elif closing and character == closing[0]:
            closing = closing[1:]
        elif character in ")]}":
            raise UsageError(f"A {character!r} that nothing opened, in: {line.strip()}")
        word += character
    if quote or closing:
        raise UsageError(f"A missing {quote or closing[0]} in: {line.strip()}")
    return [*words, *filter(None, [word])]


# ---------------------------------------------------------------- parsing


class CommandParser(argparse.ArgumentParser):
    """The arguments of one magic.

    Args:
        name: the magic's name.
        positionals: how its positional arguments are written, for the usage line.
        summary: one line.
        details: what else there is to say, shown after the summary.
        examples: right calls, the first one shown by errors.
        marker: ``%`` or ``%%``.
    """

    def __init__(
        self,
        name: str,
        positionals: str,
        summary: str,
        *,
        details: str = "",
        examples: Iterable[str] = (),
        marker: str = "%",
    ) -> None:
        self.command = marker + name
        self.examples = [f"{self.command} {example}" for example in examples]
        super().__init__(
            prog=self.command,
            usage=f"{self.command.replace('%', '%%')} {positionals} [options]",
            description="\n\n".join(filter(None, [summary, details])),
            epilog="Examples:\n  " + "\n  ".join(self.examples),
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=88),
            add_help=False,
            allow_abbrev=False,
        )
        self.add_argument("words", nargs="*", help=argparse.SUPPRESS)
        self.add_argument("--help", action="store_true", help="show this text")

    def add_value(self, name: str, metavar: str, help: str) -> None:
        """An option with a value, ``--batch-size`` or as in Python ``--batch_size``."""
        names = dict.fromkeys([f"--{name}", f"--{name.replace('-', '_')}"])
        action = self.add_argument(*names, metavar=metavar, help=help)
        action.option_strings = [f"--{name}"]  # what the help shows; both are understood

    def add_flag(self, name: str, help: str) -> None:
        """An option without a value."""
        self.add_argument(f"--{name}", action="store_true", help=help)

    @property
    def options(self) -> dict[str, argparse.Action]:
        """The options by how they are written."""
        return {text: action for action in self._actions for text in action.option_strings}

    def parse_line(self, line: str) -> argparse.Namespace:
        """Parse a magic's line.

        Raises:
            UsageError: the call is wrong; the message names the closest right one.
        """
        arguments, unknown = self.parse_known_intermixed_args(split(line.rstrip().rstrip(";")))
        for word in unknown:
            self._refuse(word)
        arguments.words = [word.rstrip(",") or word for word in arguments.words]
        for word in arguments.words:
            option = re.match(r"(\w+)=(?!=)", word)
            if option and f"--{option[1].replace('_', '-')}" in self.options:
                self.fail(
                    f"options begin with two dashes: write "
                    f"--{option[1].replace('_', '-')} {word[option.end() :]}"
                )
        return arguments

    def _refuse(self, word: str) -> NoReturn:
        text = word.split("=")[0].replace("_", "-")
        near = closest(text, self.options)
        if near is None and text.lstrip("-"):
            near = closest("--" + text.lstrip("-"), self.options)
        self.fail(f"there is no option {word.split('=')[0]}", near)

    def fail(self, problem: str, near: str | None = None) -> NoReturn:
        """Say what is wrong with a call, and show a right one."""
        hint = f" Did you mean {near}?" if near else f" For example: {self.examples[0]}"
        raise UsageError(f"{self.command}: {problem}.{hint}")

    def error(self, message: str) -> NoReturn:
        """What argparse calls for a wrong line."""
        option = re.match(r"argument ([\w-]+)(?:/[\w/-]+)?: (.*)", message)
        if option and "expected one argument" in option[2]:
            action = self.options.get(option[1])
            metavar = action.metavar if action else "VALUE"
            message = f"{option[1]} needs a value, as in {option[1]} {metavar}"
        elif option and "ignored explicit argument" in option[2]:
            message = f"{option[1]} takes no value"
        self.fail(message)


def command(parser: CommandParser) -> Callable[[Function], Function]:
    """Give a magic its parser and, from it, the text that ``?`` shows."""

    def decorate(function: Function) -> Function:
        function.parser = parser  # type: ignore[attr-defined]
        function.__doc__ = parser.format_help()
        return function

    return decorate


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote ``word`` may have meant.

    >>> closest("--epoch", ["--batch-size", "--epochs"])
    '--epochs'
    """
    known = list(known)
    folded = {name.lower(): name for name in reversed(known)}
    if word.lower() in folded:
        return folded[word.lower()]
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


# ---------------------------------------------------------------- values


class Namespace:
    """Where the expressions of a line are evaluated.

    Args:
        user: the variables of the notebook.
        local: those of the function that called the magic, if one did.
        offered: names that are there without import; the user's own come first.
    """

    def __init__(
        self,
        user: Mapping[str, Any],
        local: Mapping[str, Any] | None = None,
        offered: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._own = {**user, **(local or {})}
        self._offered = offered

    def __contains__(self, name: str) -> bool:
        return name in self._own

    def __getitem__(self, name: str) -> Any:
        return self._own[name]

    def evaluate(self, text: str, what: str, known: Callable[[str], bool] | None = None) -> Any:
        """The value of an expression.

        Args:
            text: the expression; ``$x`` and ``{x}``, as other magics have them, are ``x``.
            what: what it is for, to begin an error with.
            known: whether a bare name stands for itself, as ``adam`` does.

        Raises:
            UsageError: it has no value.
        """
        source = re.sub(r"^\$(?=\w)|^\{\s*(\w+)\s*\}$", r"\1", text.strip())
        try:
            tree = ast.parse(source, mode="eval")
        except SyntaxError:
            raise UsageError(f"{what}: {text!r} is no Python expression.") from None
        if known is not None:
            tree.body = _quote_names(tree.body, known)
        offered = self._offered() if _free_names(tree) - self._own.keys() else {}
        scope = {**vars(builtins), **offered, **self._own}
        scope.pop("__builtins__", None)
        try:
            return eval(compile(ast.fix_missing_locations(tree), "<magic>", "eval"), scope)
        except NameError as error:
            name = getattr(error, "name", None) or text
            raise UsageError(self.missing(name, what, offered)) from None
        except UsageError:
            raise
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise UsageError(f"{what}: {text} gives {problem}") from error

    def missing(self, name: str, what: str, others: Iterable[str] = ()) -> str:
        """The sentence about a name that does not exist; the user's own are nearest."""
        near = closest(name, self._own) or closest(name, others)
        return f"{what}: there is no {name!r}." + (f" Did you mean {near!r}?" if near else "")


def _quote_names(node: ast.expr, known: Callable[[str], bool]) -> ast.expr:
    """Bare names, also in lists, tuples and dicts, as strings."""
    if isinstance(node, ast.Name) and known(node.id):
        return ast.Constant(node.id)
    if isinstance(node, ast.List | ast.Tuple):
        node.elts = [_quote_names(item, known) for item in node.elts]
    elif isinstance(node, ast.Dict):
        node.values = [_quote_names(item, known) for item in node.values]
    return node


def _free_names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
