"""The documented name of what fits nowhere else: ``keras.utils.generic_utils``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..registry import ConfigError, CustomObjectScope, custom_object_scope, get_custom_objects
from ..registry import serialize as serialize_keras_object
from .progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "has_arg",
    "is_all_none",
    "object_list_uid",
    "serialize_keras_object",
    "slice_arrays",
    "to_list",
    "unpack_singleton",
]


# ---------------------------------------------------------------- configurations


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """What a configuration describes, by a table of one's own.

    Only classes with a ``from_config`` and functions are taken from the tables: a
    configuration may come from a stranger, and ``globals()`` holds more than these.

    Args:
        identifier: a name, or a dictionary with ``class_name`` and ``config``; anything that
            can be called is returned as it is.
        module_objects: from names to classes and functions.
        custom_objects: more of them, which come first.
        printable_module_name: what errors call it.

    Raises:
        ConfigError: the name is unknown, or names neither a class nor a function.

    >>> def twice(x): return 2 * x
    >>> deserialize_keras_object("twice", {"twice": twice})(4)
    8
    """
    if identifier is None or (callable(identifier) and not isinstance(identifier, str | Mapping)):
        return identifier
    config: Any = {}
    name = identifier
    if isinstance(identifier, Mapping):
        name, config = identifier.get("class_name"), identifier.get("config", {})
    if not isinstance(name, str) or not isinstance(config, Mapping):
        raise ConfigError(
            f"A {printable_module_name} is a name, or {{'class_name': ..., 'config': {{...}}}}; "
            f"got {identifier!r:.120}."
        )
    tables = (custom_objects or {}, get_custom_objects(), module_objects or {})
    found = next((table[name] for table in tables if name in table), None)
    is_class = inspect.isclass(found) and hasattr(found, "from_config")
    if not is_class and (not inspect.isroutine(found) or isinstance(identifier, Mapping)):
        raise ConfigError(
            f"Unknown {printable_module_name} {name!r:.120}. If it is your own, name it: "
            f"custom_objects={{{name!r:.120}: ...}}."
        )
    if not is_class:
        return found
    with CustomObjectScope(dict(custom_objects or {})):
        return found.from_config(dict(config))  # type: ignore[union-attr]


# ---------------------------------------------------------------- functions


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function may be called with an argument by its name.

    Args:
        fn: the function, or the class.
        name: the argument.
        accept_all: whether ``**kwargs`` are enough.

    >>> has_arg(sorted, "key"), has_arg(dict.get, "key"), has_arg(lambda **k: 0, "a", True)
    (True, False, True)
    """
    parameters = inspect.signature(fn).parameters
    if name in parameters:
        return parameters[name].kind in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        )
    return accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters.values())


# ---------------------------------------------------------------- lists


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


def unpack_singleton(x: Any) -> Any:
    """The item of a list or tuple of one; anything else as it is.

    >>> unpack_singleton([3]), unpack_singleton([1, 2])
    (3, [1, 2])
    """
    return x[0] if isinstance(x, list | tuple) and len(x) == 1 else x


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether something, or each item of a list or tuple, is ``None``.

    >>> is_all_none(None), is_all_none([None, None]), is_all_none([None, 0])
    (True, True, False)
    """
    several = isinstance(iterable_or_element, list | tuple)
    return all(item is None for item in (iterable_or_element if several else [iterable_or_element]))


def object_list_uid(object_list: Any) -> str:
    """A text that tells lists of objects apart as long as these live.

    >>> object_list_uid([3]) == object_list_uid(3)
    True
    """
    return ", ".join(str(abs(id(item))) for item in to_list(object_list, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Some rows of an array, or of each array of a list.

    Args:
        arrays: the array, or the list; ``None`` stays.
        start: the first row, or the numbers of the rows.
        stop: the row behind the last.

    >>> slice_arrays([np.arange(4), None], 1, 3), slice_arrays(np.arange(4), [0, 3])
    ([array([1, 2]), None], array([0, 3]))
    """
    if isinstance(arrays, list):
        return [slice_arrays(array, start, stop) for array in arrays]
    if arrays is None:
        return None
    if np.ndim(start):
        return arrays[list(np.asarray(start))]
    return arrays[start:stop]
