"""The documented name of what fits nowhere else: ``keras.utils.generic_utils``."""

from __future__ import annotations

from typing import Any

from ..registry import CustomObjectScope, custom_object_scope, get_custom_objects
from .progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "custom_object_scope",
    "get_custom_objects",
    "to_list",
]


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """A list as it is, anything else as a list of one.

    Args:
        x: what may be a list.
        allow_tuple: whether a tuple becomes a list of its items.

    >>> to_list(3), to_list([3]), to_list((1, 2), allow_tuple=True)
    ([3], [3], [1, 2])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]
