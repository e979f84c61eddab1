"""Older spellings of what constructors and functions take, turned into today's.

A table says for a class which argument is called what now (:func:`declare`); classes whose
metaclass is :class:`Spelled` look there, so no constructor knows of it. A function that takes
older names as keywords of any name asks :func:`rename_old`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import registry

__all__ = ["Dropped", "Joined", "Renamed", "Spelled", "declare", "in_present_words", "rename_old"]


@dataclass(frozen=True)
class Renamed:
    """An argument of another name, and what its values are called now.

    Attributes:
        name: the name now.
        values: from old values to new ones, a mapping or a function; others stay.
    """

    name: str
    values: Mapping[Any, Any] | Callable[[Any], Any] | None = None

    def value(self, old: Any) -> Any:
        """The value now."""
        if callable(self.values):
            return self.values(old)
        return self.values.get(old, old) if self.values and isinstance(old, str) else old


@dataclass(frozen=True)
class Joined:
    """An argument that is now one entry of a tuple.

    Attributes:
        name: the name of the tuple.
        parts: the old names of its entries, in order.
    """

    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Dropped:
    """An argument that is gone.

    Attributes:
        harmless: the values that asked for nothing.
        instead: what to write for others.
    """

    harmless: tuple[Any, ...]
    instead: str


Rule = str | Renamed | Joined | Dropped
_tables: dict[type, dict[str, Rule]] = {}


def declare(cls: type, rules: Mapping[str, Rule], positional: Joined | None = None) -> None:
    """Say what a class's arguments were called before.

    Args:
        cls: the class; its subclasses take the same spellings.
        rules: from old names to what became of them; a name alone is a new name.
        positional: entries of a tuple that stood one by one behind the first argument. They are
            joined only beside an old name: elsewhere today's order rules.
    """
    _tables[cls] = {**rules, **({"": positional} if positional else {})}


class Spelled(type):
    """The metaclass of classes whose constructors take older spellings as well."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            rules = next((_tables[k] for k in cls.__mro__ if k in _tables), None)
            if rules and not rules.keys().isdisjoint(kwargs):
                args, kwargs = _translated(cls, rules, args, kwargs)
        return super().__call__(*args, **kwargs)


def in_present_words(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """A class's configuration with its arguments called as they are now; a file warns nobody."""
    rules = next((_tables[k] for k in cls.__mro__ if k in _tables), None)
    if not rules or rules.keys().isdisjoint(config):
        return dict(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return _translated(cls, rules, (), dict(config))[1]


def _translated(
    cls: type, rules: Mapping[str, Rule], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    named = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    old = {k: v for k, v in kwargs.items() if k in rules and k not in named}
    if not old:
        return args, kwargs
    new = {k: v for k, v in kwargs.items() if k not in old}
    positional = rules.get("")
    if isinstance(positional, Joined):
        args = _join_positional(args, positional, old)
    for name, value in old.items():
        _apply(cls, rules[name], name, value, old, new)
    names = ", ".join(map(repr, old))
    warnings.warn(
        f"{cls.__name__} was given {names}, as in Keras 1. Write {_shown(cls, args, new)}.",
        DeprecationWarning,
        stacklevel=3,
    )
    return args, new


def _join_positional(
    args: tuple[Any, ...], rule: Joined, old: Mapping[str, Any]
) -> tuple[Any, ...]:
    count = len(rule.parts)
    entries = args[1 : 1 + count]
    if len(entries) == count and all(isinstance(entry, int) for entry in entries):
        return (args[0], entries, *args[1 + count :])
    return args


def _apply(
    cls: type, rule: Rule, name: str, value: Any, old: Mapping[str, Any], new: dict[str, Any]
) -> None:
    """Add to the new arguments what one old argument means."""
    if isinstance(rule, Dropped):
        if value not in rule.harmless:
            raise ValueError(
                f"{cls.__name__} has no argument {name!r} any more; got {name}={value!r}. "
                f"{rule.instead}"
            )
        return
    if isinstance(rule, Joined):
        missing = [part for part in rule.parts if part not in old]
        if missing:
            raise TypeError(
                f"{cls.__name__}: {name!r} is one entry of {rule.name} now, and {missing[0]!r} is "
                f"missing. Write {cls.__name__}(..., {rule.name}=(...))."
            )
        target, value = rule.name, tuple(old[part] for part in rule.parts)
    elif isinstance(rule, Renamed):
        target, value = rule.name, rule.value(value)
    else:
        target = rule
    if target in new and name == (rule.parts[0] if isinstance(rule, Joined) else name):
        raise TypeError(
            f"{cls.__name__} was given both {target!r} and {name!r}, its name in Keras 1. Leave "
            f"{name!r} out."
        )
    new[target] = value


def _shown(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """The call as a user would write it."""
    said = [repr(value) for value in args]
    said += [f"{key}={value!r}" for key, value in kwargs.items()]
    said = [text if len(text) < 60 else text[:57] + "..." for text in said]
    return f"{cls.__name__}({', '.join(said)})"


# ---------------------------------------------------------------- functions


def rename_old(
    what: str, old: Mapping[str, str], kwargs: Mapping[str, Any], known: Iterable[str]
) -> dict[str, Any]:
    """A function's keywords under the names they have now, with a hint; any other is refused.

    Args:
        what: the function's name.
        old: from old names to new ones.
        kwargs: the keywords that are not its own.
        known: its own, for who mistyped one.

    Raises:
        TypeError: a keyword is neither.
    """
    renamed = {}
    for name, value in kwargs.items():
        if name not in old:
            hint = registry.suggestion(name, known)
            raise TypeError(f"{what}() has no argument {name!r}.{hint}")
        warnings.warn(
            f"{name} is now {old[name]}: {what}(..., {old[name]}={value!r}).",
            DeprecationWarning,
            stacklevel=3,
        )
        renamed[old[name]] = value
    return renamed
