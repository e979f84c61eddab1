"""Whether what a callback does could tell, or change, how far the training is.

Most callbacks with a hook for batches write down what is logged: ``self.losses.append(
logs.get("loss"))``. Such a hook sees numbers, and nothing from which the model could be
reached; called for one batch after the other when many were trained in one compiled call,
it does the same as if it were called between them. Found out is that by reading the code
of the hook, before the run: every name that it looks up must be one of its own arguments,
a number, text, array or collection of these, an attribute of the callback that is such a
thing, or a function of which the same holds. What is not known to be harmless counts as
seeing: the clock, random numbers (the order of the rows is drawn from NumPy's), ``raise``.
"""

from __future__ import annotations

import builtins
import collections
import dis
import inspect
import io
import math
import re
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..engine.buffers import WORTH_SHARING
from ..engine.logs import Logs

__all__ = ["is_blind"]

_SCALARS = {int, float, complex, bool, str, bytes, range, type(None)}
_LISTS = {list, tuple, set, frozenset, collections.deque}
_MAPPINGS = {dict, Logs, collections.OrderedDict, collections.Counter, collections.defaultdict}
_FILES = {io.TextIOWrapper, io.BufferedWriter, io.FileIO, io.StringIO, io.BytesIO}
_DEPTH, _MOST = 4, 10_000
"""How deep in collections there may be others, and how many."""

_LOOKS_UP = re.compile(r"\{\w*\.\w")
"""In a text to be formatted: the attribute of an argument."""

# fmt: off
_BUILTINS = {
    abs, all, any, bool, bytes, complex, dict, divmod, enumerate, filter, float, format,
    frozenset, int, isinstance, len, list, map, max, min, pow, print, range,
    repr, reversed, round, set, slice, sorted, str, sum, tuple, zip,
}
# fmt: on
_MODULES = {math, np}
_OF_NUMPY = (
    "append array asarray average concatenate float32 float64 int32 int64 inf mean median nan "
    "nanmax nanmean nanmin percentile stack std zeros ones"
)
_ATTRIBUTES = {
    *(n for kind in _SCALARS | _LISTS | _MAPPINGS for n in dir(kind) if not n.startswith("__")),
    *(n for kind in (np.ndarray, io.TextIOWrapper) for n in dir(kind) if not n.startswith("_")),
    *(n for n in dir(math) if not n.startswith("_")),
    *(n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)),
    *_OF_NUMPY.split(),
}
"""What may be looked up on values that are no callback: none leads to other objects."""

_MISSING = object()


def is_blind(callback: Any, hooks: Iterable[Any]) -> bool:
    """Whether some hooks of a callback neither see nor steer what is trained.

    Args:
        callback: the callback, as it is once training has begun.
        hooks: its methods, or functions that are set on it.

    >>> from nbkeras.core.callbacks import Callback
    >>> class Losses(Callback):
    ...     losses = []
    ...     def on_batch_end(self, batch, logs=None):
    ...         self.losses.append(logs["loss"])
    ...     def on_batch_begin(self, batch, logs=None):
    ...         self.model.stop_training = True
    >>> losses = Losses()
    >>> is_blind(losses, [losses.on_batch_end]), is_blind(losses, [losses.on_batch_begin])
    (True, False)
    """
    kind = type(callback)
    if hasattr(kind, "__getattr__") or any(
        getattr(kind, name) is not getattr(object, name)
        for name in ("__getattribute__", "__setattr__")
    ):
        return False
    reading = _Reading(callback)
    return all(reading.is_harmless(getattr(hook, "__func__", hook)) for hook in hooks)


class _Reading:
    """The reading of a callback's functions, each once."""

    def __init__(self, callback: Any) -> None:
        self._callback = callback
        self._read: set[int] = set()
        self._made: set[str] = set()

    def is_harmless(self, value: Any) -> bool:
        """Whether a value leads to nothing that trains, whatever is done with it."""
        if isinstance(value, FunctionType):
            return self._reads(value)
        if isinstance(value, type):
            return value in _BUILTINS or issubclass(value, Exception)  # to be caught
        if inspect.isbuiltin(value):
            return value in _BUILTINS
        if inspect.ismodule(value):
            return value in _MODULES
        return type(value) in _FILES or _is_plain(value)

    def _reads(self, function: FunctionType) -> bool:
        """Read a function, and all that it calls; whether every line is harmless."""
        if id(function) in self._read:
            return True
        self._read.add(id(function))
        given = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        if not all(map(self.is_harmless, given)):
            return False
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        codes = list(_codes(function.__code__))
        texts = (c for code in codes for c in code.co_consts if isinstance(c, str))
        if any(map(_LOOKS_UP.search, texts)):
            return False
        lines = [line for code in codes for line in dis.get_instructions(code)]
        self._made |= {line.argval for line in lines if line.opname == "STORE_ATTR"}
        return all(self._is_harmless_line(line, function, cells) for line in lines)

    def _is_harmless_line(self, line: dis.Instruction, function: Any, cells: Any) -> bool:
        kind, name = line.opname, line.argval
        if kind == "RAISE_VARARGS":
            return False
        if line.opcode in dis.hasfree:
            return "LOAD" not in kind or name not in cells or self._is_harmless_cell(cells[name])
        if line.opcode not in dis.hasname:
            return True
        if kind in ("LOAD_GLOBAL", "LOAD_NAME"):
            known = vars(builtins).get(name, _MISSING)
            return self.is_harmless(function.__globals__.get(name, known))
        if kind in ("LOAD_ATTR", "LOAD_METHOD"):
            return self._is_harmless_attribute(name)
        return kind == "STORE_GLOBAL" or (kind == "STORE_ATTR" and not _is_of_callbacks(name))

    def _is_harmless_cell(self, cell: Any) -> bool:
        try:
            return self.is_harmless(cell.cell_contents)
        except ValueError:  # nothing was put there yet
            return False

    def _is_harmless_attribute(self, name: str) -> bool:
        """Whether an attribute, of the callback or of a plain value, is harmless."""
        if name == "model":
            return False  # whatever it is now
        value = inspect.getattr_static(self._callback, name, _MISSING)
        if value is _MISSING:
            return name in _ATTRIBUTES or name in self._made
        return self.is_harmless(value.__func__ if isinstance(value, staticmethod) else value)


def _is_of_callbacks(name: str) -> bool:
    """Whether all callbacks have an attribute: it may steer the run."""
    from .base import Callback

    return hasattr(Callback, name) or name in ("model", "params", "validation_data")


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those that are written in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_plain(value: Any, depth: int = _DEPTH) -> bool:
    """Whether a value is a number, text, an array, or a collection of these."""
    kind = type(value)
    if kind in _LISTS:
        parts: list[Any] = [value]
    elif kind in _MAPPINGS:
        parts = [value.keys(), value.values()]
        factory = getattr(value, "default_factory", None)
        if not (factory is None or (isinstance(factory, type) and factory in _BUILTINS)):
            return False
    elif kind is np.ndarray:
        whole = value if value.base is None else value.base
        # An array that is larger, or part of one, may be the data that is trained on.
        return value.dtype.kind != "O" and getattr(whole, "nbytes", math.inf) < WORTH_SHARING
    else:
        return kind in _SCALARS or isinstance(value, np.generic)
    # Lists of losses are long: their types are looked at, and only other lists themselves.
    if all(set(map(type, part)) <= _SCALARS for part in parts):
        return True
    few = depth > 0 and len(value) <= _MOST
    return few and all(_is_plain(item, depth - 1) for part in parts for item in part)
