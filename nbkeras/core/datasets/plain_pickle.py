"""Reading pickles of plain data, and nothing else.

CIFAR's batches are pickles, and the word sequences of IMDB and Reuters are pickles inside an
``.npz``. A pickle is a program: it may call whatever it names. Here it can name eight things,
and what stands behind them is our own: stand-ins of an array, a dtype and a number that check
what they are given, and only then become NumPy's. Even NumPy's own ``ndarray.__setstate__`` is
never reached, since it trusts its input.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import IO, Any

import numpy as np

__all__ = ["UnsafeDataError", "load_plain"]

DEEPEST = 8
"""Containers in containers; the deepest file that is read, CIFAR-100's, has three."""

_CODE = re.compile(r"[|<>=]?(b1|[iu][1248]|f[248]|S[0-9]{1,6}|U[0-9]{1,6}|O8?|O4)")


class UnsafeDataError(ValueError):
    """A data file holds something else than plain data; nothing of it was run."""


def load_plain(file: IO[bytes], encoding: str = "ASCII") -> Any:
    """What a pickle holds: arrays, lists, tuples, dictionaries, strings, bytes and numbers.

    Args:
        file: the open file, at the pickle's first byte.
        encoding: of strings that Python 2 wrote; ``"bytes"`` leaves them bytes.

    Returns:
        The data.

    Raises:
        UnsafeDataError: it names a function or class that plain data does not need.
        ValueError: it is no pickle, or it is damaged.

    >>> import io
    >>> load_plain(io.BytesIO(pickle.dumps({"labels": [1, 2]})))
    {'labels': [1, 2]}
    """
    try:
        loaded = _Unpickler(file, encoding=encoding).load()
    except UnsafeDataError:
        raise
    except Exception as error:  # a damaged pickle fails in any way there is
        raise ValueError(f"It is no whole pickle of plain data: {error}.") from error
    return _settled(loaded, DEEPEST)


# ---------------------------------------------------------------- stand-ins


class _Type:
    """``numpy.dtype(code, align, copy)``, and later its byte order."""

    def __init__(self, code: Any, *flags: Any) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise UnsafeDataError(f"An array of the type {code!r} is no plain data.")
        self.dtype = np.dtype("O" if "O" in code else code)

    def __setstate__(self, state: Any) -> None:
        order, *structure = state[1:5]
        if any(part is not None for part in structure):
            raise UnsafeDataError("An array of structures is no plain data.")
        if order in ("<", b"<"):
            self.dtype = self.dtype.newbyteorder("<")
        elif order in (">", b">"):
            self.dtype = self.dtype.newbyteorder(">")

    @staticmethod
    def of(given: Any) -> np.dtype[Any]:
        if not isinstance(given, _Type):
            raise UnsafeDataError(f"An array's type is {type(given).__name__}.")
        return given.dtype


class _Array:
    """An array that is empty until its state comes, as NumPy pickles one."""

    value: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self._fill(content, kind, shape, "F" if fortran else "C")

    def _fill(self, content: Any, kind: Any, shape: Any, order: Any) -> None:
        dtype = _Type.of(kind)
        if isinstance(content, str):  # bytes, as Python 2 wrote them
            content = content.encode("latin1")
        if dtype.hasobject:
            if not isinstance(content, list):
                raise ValueError("an array of objects is not filled by a list")
            flat = np.empty(len(content), object)
            flat[:] = [_settled(item, DEEPEST) for item in content] if content else []
        else:
            flat = np.frombuffer(bytes(content), dtype).copy()
        self.value = flat.reshape(shape, order=order)


class _Names:
    """What a pickle may name, in one place."""

    ndarray = object()

    @staticmethod
    def empty(kind: Any, shape: Any, code: Any) -> _Array:
        if kind is not _Names.ndarray:
            raise UnsafeDataError("An array of another class than numpy.ndarray is no plain data.")
        return _Array()

    @staticmethod
    def from_buffer(content: Any, kind: Any, shape: Any, order: Any) -> _Array:
        array = _Array()
        array._fill(content, kind, shape, "F" if order in ("F", b"F") else "C")
        return array

    @staticmethod
    def scalar(kind: Any, content: Any) -> Any:
        dtype = _Type.of(kind)
        if dtype.hasobject:
            raise UnsafeDataError("A number of the type object is no plain data.")
        content = content.encode("latin1") if isinstance(content, str) else content
        return np.frombuffer(content, dtype, count=1)[0]

    @staticmethod
    def encode(text: Any, encoding: Any) -> bytes:
        """How Python 3 writes bytes so that Python 2 can read them."""
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise UnsafeDataError(f"Text in {encoding!r} is no plain data.")
        return text.encode("latin1")

    @staticmethod
    def no_bytes() -> bytes:
        """How Python 3 writes none of them so that Python 2 can read it."""
        return b""


_CORES = ("numpy.core", "numpy._core")  # before and after NumPy 2
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Names.ndarray,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Names.encode,
    ("__builtin__", "bytes"): _Names.no_bytes,
    ("builtins", "bytes"): _Names.no_bytes,
    **{(f"{core}.multiarray", "_reconstruct"): _Names.empty for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _Names.scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _Names.from_buffer for core in _CORES},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise UnsafeDataError(
                f"It asks to run {module}.{name}, and plain data runs nothing. Do not use this "
                "file: delete it, so that the genuine one is downloaded."
            ) from None


def _settled(value: Any, depth: int) -> Any:
    """The same data with arrays in the place of their stand-ins."""
    if isinstance(value, _Array):
        if value.value is None:
            raise ValueError("an array has no content")
        return value.value
    if isinstance(value, _Type) or value is _Names.ndarray or isinstance(value, Callable):  # type: ignore[arg-type]
        raise UnsafeDataError("It holds a type or a function in the place of data.")
    if not isinstance(value, list | tuple | dict):
        return value
    if depth == 0:
        raise UnsafeDataError(f"It holds more than {DEEPEST} containers, one in another.")
    if isinstance(value, dict):
        return {key: _settled(item, depth - 1) for key, item in value.items()}
    if {int, float, str, bytes}.issuperset(map(type, value)):
        return value  # a long list of numbers needs no look at each
    return type(value)(_settled(item, depth - 1) for item in value)
