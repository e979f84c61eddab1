"""A data set in an HDF5 file, read row by row."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

__all__ = ["HDF5Matrix"]


class HDF5Matrix:
    """Rows of a data set in an HDF5 file, as an array that is read when it is indexed.

    ``fit``, ``evaluate`` and ``predict`` take it in place of an array, also where it does not
    fit into memory: they read it in blocks. Consecutive rows come fastest.

    Args:
        datapath: the file.
        dataset: the name of the data set in it.
        start: the first row.
        end: the row after the last; all by default.
        normalizer: a function that each part that is read goes through.

    Attributes:
        shape: its shape; if there is a normalizer, of what it makes.
        dtype: its type, likewise.

    Raises:
        ValueError: there is no such data set, it lies outside the file, or start and end
            do not fit it.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "data.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["x"] = np.arange(6.0)
    >>> x = HDF5Matrix(path, "x", start=2, normalizer=lambda part: part / 2)
    >>> len(x), x[[3, 0]].tolist()
    (4, [2.5, 1.0])

    Source: Keras 2 manual, chapter 20.2.
    """

    def __init__(
        self,
        datapath: str | os.PathLike[str],
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:
        self.datapath = os.fspath(datapath)
        self.dataset = dataset
        self.start = start
        self.normalizer = normalizer
        self._file: Any = None
        self.data = self._open()
        rows = int(self.data.shape[0]) if self.data.ndim else 0
        self.end = rows if end is None else end
        if not 0 <= self.start <= self.end <= rows:
            raise ValueError(
                f"HDF5Matrix: {dataset!r} has {rows} rows; start={start} and end={end} should be "
                f"in order from 0 to {rows}."
            )
        self._first: Any = None

    def _open(self) -> Any:
        self._file = h5py.File(self.datapath, "r")
        found: Any = self._file
        for part in self.dataset.strip("/").split("/"):
            # A link could name any file of this machine.
            link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
            if link is not None and not isinstance(link, h5py.HardLink):
                raise ValueError(f"{self.dataset!r} in {self.datapath!r} is a link to elsewhere.")
            if link is None:
                known = ", ".join(map(repr, self._file))
                raise ValueError(
                    f"{self.datapath!r} has no data set {self.dataset!r}; it holds {known}."
                )
            found = found[part]
        if not isinstance(found, h5py.Dataset):
            raise ValueError(f"{self.dataset!r} in {self.datapath!r} is a group, not a data set.")
        if found.external or found.is_virtual:
            raise ValueError(f"{self.dataset!r} in {self.datapath!r} has its data elsewhere.")
        return found

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> Any:
        """Rows by number, slice, list or array of numbers, or array of booleans."""
        if isinstance(key, slice):
            return self._normalized(self._rows(np.arange(*key.indices(len(self)))))
        if isinstance(key, int | np.integer):
            return self._normalized(self._rows(np.array([key]))[0])
        if isinstance(key, list | tuple | np.ndarray):
            numbers = np.asarray(key)
            if numbers.dtype == bool:
                if numbers.shape != (len(self),):
                    raise IndexError(f"Expected {len(self)} booleans; got {numbers.shape}.")
                numbers = np.flatnonzero(numbers)
            return self._normalized(self._rows(numbers.astype(np.int64)))
        raise IndexError(f"Rows are chosen by numbers, slices or arrays; got {key!r}.")

    def _rows(self, numbers: np.ndarray) -> np.ndarray:
        """Rows in any order, also repeated: HDF5 itself reads them once, in its own order."""
        low, high = numbers.min(initial=0), numbers.max(initial=-1)
        if low < -len(self) or high >= len(self):
            raise IndexError(f"There are {len(self)} rows; got {high if high >= 0 else low}.")
        if numbers.size == 0:
            return self.data[:0]
        numbers = np.where(numbers < 0, numbers + len(self), numbers) + self.start
        wanted, places = np.unique(numbers, return_inverse=True)
        first, last = int(wanted[0]), int(wanted[-1])
        if len(wanted) == last - first + 1:  # in one piece, which is far faster
            part = self.data[first : last + 1]
        else:
            part = self.data[wanted]
        return part if np.array_equal(wanted, numbers) else part[places]

    def _normalized(self, part: Any) -> Any:
        return part if self.normalizer is None else self.normalizer(part)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    @property
    def _example(self) -> Any:
        """The first row as it comes out of the normalizer."""
        if self._first is None:
            self._first = np.asarray(self[0:1])
        return self._first

    @property
    def shape(self) -> tuple[int, ...]:
        inner = self.data.shape[1:] if self.normalizer is None else self._example.shape[1:]
        return (len(self), *inner)

    @property
    def dtype(self) -> Any:
        return self.data.dtype if self.normalizer is None else self._example.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __getstate__(self) -> dict[str, Any]:
        """Copies, as worker processes get them, open the file themselves."""
        return {k: v for k, v in vars(self).items() if k not in ("_file", "data")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.data = self._open()
