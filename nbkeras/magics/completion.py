"""The Tab key in our magics: options, their values, models, arrays, and layers in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.error import UsageError

from nbkeras.magics import names, warm
from nbkeras.magics.arguments import CommandParser, split
from nbkeras.magics.session import is_model

__all__ = ["matcher"]

CALL = re.compile(r"\s*(?:[\w\s,.\[\]'\"]+=\s*)?(%%?)(\w+)(?:\s(.*))?$", re.DOTALL)
FAMILIES = {"--optimizer": "optimizers", "--loss": "losses", "--metrics": "metrics"}
CHOICES = {
    "--show": ("table", "graph", "none", "text"),
    "--shuffle": ("True", "False", "batch"),
    "--use-multiprocessing": ("True", "False"),
    "--verbose": ("0", "1", "2"),
}


def matcher(shell: Any, parsers: Mapping[str, CommandParser]) -> Any:
    """A matcher for IPython's completer.

    Args:
        shell: whose variables are completed.
        parsers: by how a magic is called, ``%fit``.
    """

    @context_matcher(identifier="nbkeras")
    def match(context: CompletionContext) -> Any:
        lines = context.full_text.split("\n")
        line = lines[context.cursor_line][: context.cursor_position]
        if context.cursor_line and _is_model_cell(lines):
            fragment = _identifier(line)
            found = _starting(fragment, _offered_in_cells()) if fragment else []
            return _result(found, fragment, alone=False)
        call = CALL.match(line)
        parser = parsers.get(call[1] + call[2]) if call else None
        if call is None or parser is None or call[3] is None:
            return _result([], "")
        return _complete(call[3], parser, shell.user_ns)

    return match


def _is_model_cell(lines: list[str]) -> bool:
    first = next((line for line in lines if line.strip()), "")
    return bool(re.match(r"%%model\b", first))


def _complete(rest: str, parser: CommandParser, variables: Mapping[str, Any]) -> Any:
    try:
        words = split(rest)
    except UsageError:  # within brackets or quotes
        fragment = _identifier(rest)
        return _result(_starting(fragment, [*_arrays(variables), *_offered()]), fragment, False)
    fragment = words.pop() if words and not rest[-1].isspace() else ""
    option, equals, value = fragment.partition("=")
    if equals and option.startswith("--"):
        words, fragment = [*words, option], value
    if fragment.startswith("-"):
        used = set(words)
        found = [
            SimpleCompletion(text=text, type="param")
            for text in parser.options
            if text.startswith(fragment) and text not in used
        ]
        return _result(found, fragment)
    action = parser.options.get(words[-1].replace("_", "-")) if words else None
    if action is not None and action.nargs != 0:
        return _value(action.option_strings[0], fragment, parser, variables)
    candidates = [*_models(variables), *_arrays(variables)]
    return _result(_starting(fragment, candidates), fragment)


def _value(option: str, fragment: str, parser: CommandParser, variables: Mapping[str, Any]) -> Any:
    if option in CHOICES:
        action = parser.options[option]
        known = [word for word in CHOICES[option] if word in (action.metavar or "")]
        return _result(_starting(fragment, known or CHOICES[option]), fragment)
    if option in FAMILIES:
        fragment = re.split(r"[,\s]", fragment)[-1]
        return _result(_starting(fragment, _members(FAMILIES[option])), fragment, alone=False)
    fragment = _identifier(fragment)
    candidates = [*_arrays(variables), *(_offered() if option == "--callbacks" else ())]
    return _result(_starting(fragment, candidates), fragment, alone=False)


def _result(found: list[SimpleCompletion], fragment: str, alone: bool = True) -> Any:
    return {
        "completions": found,
        "matched_fragment": fragment,
        "suppress": bool(found) and alone,
    }


def _starting(fragment: str, words: Iterable[str]) -> list[SimpleCompletion]:
    return [
        SimpleCompletion(text=word, type="instance")
        for word in dict.fromkeys(words)
        if word.startswith(fragment)
    ]


def _identifier(text: str) -> str:
    found = re.search(r"(?<![\w.])[^\W\d]\w*$", text)
    return found[0] if found else ""


# ---------------------------------------------------------------- candidates


def _public(variables: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return [(name, value) for name, value in variables.items() if not name.startswith("_")]


def _models(variables: Mapping[str, Any]) -> list[str]:
    return [name for name, value in _public(variables) if is_model(value)]


def _arrays(variables: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, value in _public(variables)
        if not isinstance(value, type) and hasattr(value, "shape") and hasattr(value, "__len__")
    ]


def _offered() -> Iterable[str]:
    return names.for_options() if warm.is_ready() else ()


def _offered_in_cells() -> Iterable[str]:
    return names.for_cells() if warm.is_ready() else ()


def _members(family: str) -> Iterable[str]:
    """The names of a family, if asking for them costs no wait."""
    if not warm.is_ready():
        return ()
    names.core(family)
    words = set(names.core("registry").names(family))
    return sorted(words | {"accuracy"} if family == "metrics" else words, key=str.lower)
