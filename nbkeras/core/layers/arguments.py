"""What the constructors of layers have in common.

A constructor lists its arguments once, in its signature. :func:`keep` sets them as
attributes, where ``get_config`` finds them again; :func:`passed` hands them on to
the class above, so that a thin subclass differs by its defaults alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import activations, constraints, initializers, regularizers

__all__ = ["check_choice", "check_count", "is_whole", "keep", "numbers", "passed"]

_MEANING = {
    "activation": activations.get,
    "constraint": constraints.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
}
"""What an argument stands for, by the last word of its name."""


def passed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """A constructor's arguments, from its ``locals()``; those in ``**kwargs`` among them."""
    given = {k: v for k, v in variables.items() if k not in ("self", "__class__", "kwargs")}
    return {**given, **variables.get("kwargs", {})}


def keep(layer: Any, variables: Mapping[str, Any]) -> None:
    """Set a constructor's arguments, from its ``locals()``, as attributes.

    Those named after an activation, constraint, initializer or regularizer become
    the object that the given name or configuration stands for.
    """
    for name, value in variables.items():
        if name in ("self", "__class__", "kwargs"):
            continue
        meaning = _MEANING.get(name.rpartition("_")[2])
        setattr(layer, name, meaning(value) if meaning else value)


# ---------------------------------------------------------------- checks


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number (``True`` is none)."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_count(layer: Any, name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least ``least``.

    Raises:
        ValueError: it is none.
    """
    if not is_whole(value) or value < least:
        kind = type(layer).__name__
        raise ValueError(
            f"{kind}: {name} is a whole number of {least} or more, as in {kind}({name}=32); "
            f"got {value!r}."
        )
    return int(value)


def check_choice(layer: Any, name: str, value: Any, choices: Sequence[Any]) -> Any:
    """One of some values; text in lower case.

    Raises:
        ValueError: it is none of them.
    """
    lowered = value.lower() if isinstance(value, str) else value
    if lowered not in choices:
        kind = type(layer).__name__
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(
            f"{kind}: {name} is one of {listed}, as in {kind}(..., {name}={choices[0]!r}); "
            f"got {value!r}."
        )
    return lowered


def numbers(layer: Any, name: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """A whole number for each of ``rank`` axes, from one for all or a sequence.

    Raises:
        ValueError: it is neither.
    """
    given = (value,) * rank if is_whole(value) else value
    listed = given if isinstance(given, list | tuple) else ()
    if len(listed) == rank and all(is_whole(number) and number >= least for number in listed):
        return tuple(int(number) for number in listed)
    kind = type(layer).__name__
    example = "3" if rank == 1 else "(" + ", ".join(["3"] * rank) + ")"
    count = "a whole number" if rank == 1 else f"a whole number, or {rank} of them"
    raise ValueError(
        f"{kind}: {name} is {count}, each {least} or more, as in {kind}(..., {name}={example}); "
        f"got {value!r}."
    )
