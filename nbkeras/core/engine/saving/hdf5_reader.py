"""The checked reader: HDF5 files are seen only through it.

A file may come from anywhere. So nothing outside the file is followed (external
and soft links, external and virtual data sets), nothing is reached twice (cycles
of hard links), no filter is loaded from a plug-in, only numbers are read, and no
more of them than the caller has said to expect.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from .layout import CHECKSUM, SavedFileError, checksum

__all__ = ["Reader", "Stored", "is_hdf5_source", "open_reader"]

F = TypeVar("F", bound=Callable[..., Any])

_KNOWN_FILTERS = {
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_SZIP,
    h5py.h5z.FILTER_NBIT,
    h5py.h5z.FILTER_SCALEOFFSET,
    h5py.h5z.FILTER_LZF,
}
_MAX_NAMES = 1_000_000
_MAX_LINKS = 2_000_000


def is_hdf5_source(source: Any) -> bool:
    """Whether `open_reader` knows what to do with an object."""
    return isinstance(source, (str, os.PathLike, h5py.Group)) or (
        hasattr(source, "read") and hasattr(source, "seek")
    )


@contextlib.contextmanager
def open_reader(source: Any) -> Iterator[Reader]:
    """A checked reader of a file.

    Args:
        source: a path, an open `h5py.File` or group, or a binary file object such
            as `BytesIO`.

    Raises:
        FileNotFoundError: if there is no such file.
        SavedFileError: if it is no HDF5 file, is damaged, or reaches outside itself.
    """
    if isinstance(source, h5py.Group):
        if not source:
            raise SavedFileError("The h5py file is closed; open it with h5py.File(path, 'r').")
        yield Reader(source, source.file.filename or "the open file")
        return
    if isinstance(source, (str, os.PathLike)):
        where = os.fspath(source)
        _check_path(Path(where))
    elif hasattr(source, "read") and hasattr(source, "seek"):
        where = f"the given {type(source).__name__}"
        source.seek(0)
        if source.read(0) != b"":
            raise TypeError(
                f"Expected a binary file, such as BytesIO or open(path, 'rb'); got {where}."
            )
    else:
        raise TypeError(
            "Expected a path, an open h5py.File or group, or a binary file object; got "
            f"{type(source).__name__}."
        )
    try:
        file = h5py.File(source, "r")
    except (OSError, RuntimeError) as error:
        raise SavedFileError(f"{where!r} cannot be read as an HDF5 file: {error}.") from None
    with file:
        yield Reader(file, where)


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise SavedFileError(
            f"{str(path)!r} is a folder; expected an HDF5 file as model.save('model.h5') writes it."
        )
    with path.open("rb") as file:  # FileNotFoundError and PermissionError speak for themselves
        start = file.read(8)
    if start[:2] == b"PK":
        raise SavedFileError(
            f"{str(path)!r} is a zip archive, as Keras 3 writes it; expected an HDF5 file. "
            "Save the model as 'model.h5' there."
        )
    if not h5py.is_hdf5(path):
        raise SavedFileError(
            f"{str(path)!r} is no HDF5 file, or its beginning is damaged (it starts with "
            f"{start!r}). Expected what model.save('model.h5') or save_weights writes."
        )


def _guarded(method: F) -> F:
    """Whatever HDF5 says about a damaged file becomes a `SavedFileError`."""

    @functools.wraps(method)
    def guarded(self: Any, *args: Any) -> Any:
        try:
            return method(self, *args)
        except SavedFileError:
            raise
        except (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise SavedFileError(f"{self.where}: damaged HDF5 file ({error}).") from None

    return guarded  # type: ignore[return-value]


class Reader:
    """A group of an HDF5 file whose links have all been checked.

    Args:
        group: the open group.
        where: what errors call it.
    """

    def __init__(self, group: h5py.Group, where: str, *, checked: bool = False) -> None:
        self._group = group
        self.where = where
        if not checked:
            self._check_links()

    @_guarded
    def _check_links(self) -> None:
        seen = {h5py.h5o.get_info(self._group.id).addr}
        problem: list[str] = []

        def visit(name: bytes, info: Any) -> bool | None:
            if info.type != h5py.h5l.TYPE_HARD:
                kind = {
                    h5py.h5l.TYPE_SOFT: "a soft link",
                    h5py.h5l.TYPE_EXTERNAL: "an external link, to another file",
                }.get(info.type, "a link of unknown kind")
                problem.append(f"{_printable(name)} is {kind}")
            elif info.u in seen:
                problem.append(f"{_printable(name)} is a second link to the same object")
            elif len(seen) > _MAX_LINKS:
                problem.append(f"it has more than {_MAX_LINKS:,} objects")
            seen.add(info.u)
            return True if problem else None

        self._group.id.links.visit(visit, info=True)
        if problem:
            raise SavedFileError(
                f"{self.where}: refused, since {problem[0]}. Saved models hold their own data; "
                "copy the data into the file if you trust it."
            )

    # ---------------------------------------------------------------- attributes

    @_guarded
    def text(self, name: str) -> str | None:
        """A text attribute, or `None` if there is none."""
        if name not in self._group.attrs:
            return None
        value = self._attribute(name)
        if isinstance(value, np.ndarray):
            raise SavedFileError(f"{self.where}: expected one text as attribute {name!r}.")
        text = _decode(value)
        stored = self._group.attrs.get(f"{CHECKSUM}:{name}")
        if stored is not None and int(stored) != checksum(text):
            raise SavedFileError(
                f"{self.where}: the attribute {name!r} is damaged: its checksum differs. If it was "
                f"changed on purpose, delete the attribute '{CHECKSUM}:{name}'."
            )
        return text

    @_guarded
    def texts(self, name: str) -> list[str] | None:
        """A list of texts, stored as one attribute or, if long, as `name0`, `name1`, ..."""
        attributes = self._group.attrs
        keys = [name] if name in attributes else []
        while not keys or keys[0] != name:
            key = f"{name}{len(keys)}"
            if key not in attributes:
                break
            keys.append(key)
        if not keys:
            return None
        found: list[str] = []
        for key in keys:
            found += [_decode(item) for item in np.ravel(self._attribute(key))]
            if len(found) > _MAX_NAMES:
                raise SavedFileError(f"{self.where}: {name!r} has more than {_MAX_NAMES:,} names.")
        return found

    def _attribute(self, name: str) -> Any:
        identifier = h5py.h5a.open(self._group.id, name.encode("utf-8"))
        size = int(np.prod(identifier.shape, dtype=np.float64)) if identifier.shape else 1
        dtype = identifier.dtype
        is_text = dtype.kind in "SU" or h5py.check_string_dtype(dtype) is not None
        # Keras writes an empty list of names as an empty array of floats.
        if size > _MAX_NAMES or not (is_text or 0 in (identifier.shape or ())):
            raise SavedFileError(f"{self.where}: attribute {name!r} is no text.")
        return self._group.attrs[name]

    # ---------------------------------------------------------------- groups and data sets

    def __contains__(self, name: str) -> bool:
        return name in self._group

    @_guarded
    def group(self, name: str) -> Reader:
        """A group within this one."""
        found = self._open(name)
        if not isinstance(found, h5py.Group):
            raise SavedFileError(f"{self.where}: {_printable(name)} is no group.")
        return Reader(found, f"{self.where}, {_printable(name)}", checked=True)

    @_guarded
    def stored(self, name: str) -> Stored:
        """A data set within this group, not read yet."""
        found = self._open(name)
        if not isinstance(found, h5py.Dataset):
            raise SavedFileError(f"{self.where}: {_printable(name)} is no data set.")
        return Stored(found, name, f"{self.where}, {_printable(name)}")

    def _open(self, name: str) -> Any:
        # A name is a place below this group: '/x' would start at the root of the file.
        if not name or any(part in ("", ".", "..") for part in name.split("/")):
            raise SavedFileError(f"{self.where}: {_printable(name)} is no name of a part.")
        if name not in self._group:
            raise SavedFileError(f"{self.where}: {_printable(name)} is missing.")
        return self._group[name]

    @_guarded
    def stored_bytes(self) -> int:
        """Bytes that the data sets below this group really take in the file."""
        total = 0

        def visit(_: str, found: Any) -> None:
            nonlocal total
            if isinstance(found, h5py.Dataset):
                total += found.id.get_storage_size()

        self._group.visititems(visit)
        return total


class Stored:
    """A data set whose kind is checked and whose numbers are not read yet.

    Attributes:
        name: its name in the list of weights.
        shape: its declared shape.
        size: how many numbers that is.
    """

    def __init__(self, dataset: h5py.Dataset, name: str, where: str) -> None:
        self._dataset = dataset
        self.name = name
        self.where = where
        self._check()
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.size = int(np.prod(self.shape, dtype=object)) if self.shape else 1

    @_guarded
    def _check(self) -> None:
        dataset = self._dataset
        if dataset.is_virtual:
            raise SavedFileError(f"{self.where}: refused, a virtual data set reads other files.")
        plist = dataset.id.get_create_plist()
        if plist.get_external_count():
            raise SavedFileError(f"{self.where}: refused, its numbers are in another file.")
        filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
        if filters - _KNOWN_FILTERS:
            raise SavedFileError(f"{self.where}: refused, it needs the filter {filters}.")
        if dataset.shape is None or dataset.dtype.kind not in "fiub":
            raise SavedFileError(f"{self.where}: expected numbers; got {dataset.dtype}.")

    @_guarded
    def read(self) -> np.ndarray:
        """The numbers, compared with their checksum if there is one."""
        values = np.asarray(self._dataset[()])
        expected = self._dataset.attrs.get(CHECKSUM)
        if expected is not None and int(expected) != checksum(values):
            raise SavedFileError(
                f"{self.where}: damaged, the numbers differ from their checksum. Use another copy "
                f"of the file; if they were changed on purpose, delete the attribute {CHECKSUM!r}."
            )
        return values


def _decode(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _printable(name: str | bytes) -> str:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return ascii(text if len(text) <= 100 else text[:97] + "...")
