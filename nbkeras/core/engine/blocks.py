"""Arrays on disk, or too large for a second copy: read in blocks of rows, one block ahead.

:class:`Rows` reads some rows of (x, y, sample weight); a :class:`BlockExecutor`
has a thread do so while the step runs over the block before, and runs each block
as :class:`~nbkeras.core.engine.executors.ArrayExecutor` runs arrays: the numbers are
those of the same arrays in memory.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ..config import floatx
from . import buffers
from .data import all_finite, check_rows, is_array, shuffled
from .executors import ArrayExecutor
from .program import Program
from .streams import Prefetch

__all__ = ["BlockExecutor", "Rows", "View", "blocks_of", "first_rows", "worth_blocks"]

MEMORY = int(os.environ.get("NBKERAS_DATA_MEMORY", 256)) * 2**20
"""Bytes that data may take on the device beside the user's arrays; more is read in blocks."""

GPU_MEMORY = max(MEMORY, 4 * 2**30)
"""The same on a GPU, which has its own memory, for arrays that are in the program's."""

BLOCK = 32 * 2**20
"""Bytes of a block; three are in memory: one in use, one ready, one being read."""

PIECE = 2 * 2**20
"""Bytes read in one call: h5py lets no other Python thread run meanwhile."""

RUN = 2**20
"""Bytes of consecutive rows that stay together when data on disk are shuffled."""

AHEAD = 3
"""Sets of memory that blocks are read into, in turn."""


# ---------------------------------------------------------------- what data are


def _in_memory(leaf: Any) -> bool:
    """Whether rows can be taken in any order at no more cost than a copy."""
    if not isinstance(leaf, np.ndarray):
        return isinstance(leaf, tf.Tensor | tf.Variable)
    while isinstance(leaf, np.ndarray) and not isinstance(leaf, np.memmap):
        leaf = leaf.base
    return not isinstance(leaf, np.memmap | mmap.mmap)


def _leaf(value: Any) -> Any:
    """An array, or something that is read by slicing it."""
    if isinstance(value, tf.Tensor | tf.Variable):
        return value.numpy()
    sliced = is_array(value) and hasattr(value, "__getitem__") and not hasattr(value, "iloc")
    return value if sliced else np.asarray(value)


def _is_branch(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return bool(data) and all(is_array(item) for item in data)
    return isinstance(data, Mapping)


def _map(function: Callable[[Any], Any], data: Any) -> Any:
    """A function of each array in what users pass as x, y or weights."""
    if data is None:
        return None
    if isinstance(data, Mapping):
        return {name: _map(function, value) for name, value in data.items()}
    if _is_branch(data):
        return [_map(function, value) for value in data]
    return function(data)


def _leaves(data: Any) -> list[Any]:
    found: list[Any] = []
    _map(found.append, data)
    return found


def worth_blocks(*parts: Any) -> bool:
    """Whether the device would need more memory for data than it may."""
    if all(part is None or _is_small(part) for part in parts):
        return False
    leaves = [leaf for part in parts for leaf in _leaves(part) if is_array(leaf)]
    on_gpu = buffers.on_gpu() and all(map(_in_memory, leaves))
    return sum(map(_cost, leaves)) > (GPU_MEMORY if on_gpu else MEMORY)


def _is_small(part: Any) -> bool:
    """Whether something is an array that need not be looked at: the common case, at no cost."""
    return isinstance(part, np.ndarray) and part.size * 32 <= MEMORY


def _cost(leaf: Any) -> int:
    """Bytes that the device needs beside an array's own."""
    if isinstance(leaf, tf.Tensor | tf.Variable | tf.SparseTensor):
        return 0
    if isinstance(leaf, np.ndarray) and _in_memory(leaf) and buffers.can_share(leaf, floatx()):
        return 0
    return int(np.prod(leaf.shape, dtype=np.int64)) * np.dtype(floatx()).itemsize


def first_rows(data: Any, count: int = 1) -> Any:
    """The first rows of what a user passes as inputs; what is no array is left whole."""
    return _map(lambda leaf: leaf[:count] if is_array(leaf) else leaf, data)


# ---------------------------------------------------------------- reading


class Rows:
    """Consecutive rows of (x, y, sample weight), of which only what is asked for is read.

    Args:
        data: the three, in the forms that ``fit`` takes.
        start: the first row.
        stop: the row after the last; by default all.

    Raises:
        ValueError: their numbers of rows differ.

    >>> rows = Rows((np.arange(6.0), np.arange(6) % 2, None), start=1)
    >>> len(rows), [part.tolist() for part in rows.read(slice(1, 3))[:2]]
    (5, [[2.0, 3.0], [0, 1]])
    """

    def __init__(self, data: Any, start: int = 0, stop: int | None = None) -> None:
        self.data = tuple(_map(_leaf, part) for part in data)
        leaves = dict(zip(("x", "y", "sample_weight"), map(_leaves, self.data), strict=True))
        check_rows(leaves)
        self.leaves = [leaf for part in leaves.values() for leaf in part]
        self.start = start
        self.stop = int(self.leaves[0].shape[0]) if stop is None else stop

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def on_disk(self) -> bool:
        """Whether reading rows one by one costs more than reading them in a row."""
        return not all(map(_in_memory, self.leaves))

    def finite(self) -> bool:
        """Whether all numbers of x and y are; read in pieces."""
        return all(
            all_finite(piece.astype(floatx(), copy=False))
            for part in self.data[:2]
            for leaf in _leaves(part)
            if np.dtype(leaf.dtype).kind == "f"
            for piece in _pieces(leaf, self.start, self.stop)
        )

    def part(self, first: int, last: int) -> Rows:
        """Some of these rows."""
        return Rows(self.data, self.start + first, self.start + last)

    def read(self, rows: Any, size: int | None = None, memory: dict[Any, Any] | None = None) -> Any:
        """Some rows, in the structure of the data.

        Args:
            rows: a slice without a step, or row numbers; on disk in ascending order.
            size: how many rows to return; the last one is repeated if there are fewer.
            memory: arrays to read into, by place; filled with new ones where empty.
        """
        if isinstance(rows, slice):
            wanted: Any = slice(self.start + rows.start, self.start + rows.stop)
            count = rows.stop - rows.start
        else:
            wanted = np.asarray(rows) + self.start
            count = len(wanted)
        size, memory = size or count, {} if memory is None else memory
        places = iter(range(len(self.leaves)))

        def one(leaf: Any) -> np.ndarray:
            place = next(places)
            if place not in memory:
                memory[place] = buffers.empty((size, *leaf.shape[1:]), leaf.dtype)
            target = memory[place][:size]
            _read(leaf, wanted, target[:count])
            target[count:] = target[count - 1]
            return target

        return tuple(_map(one, part) for part in self.data)

    def mixed(self, shuffle: Any, batch_size: int, block: int) -> np.ndarray | None:
        """An order for a pass: any order in memory; on disk, runs of rows mixed in blocks.

        On disk the runs are drawn in any order, and those of a block are mixed row by row.
        """
        if not shuffle or shuffle == "batch" or not self.on_disk:
            return shuffled(len(self), shuffle, batch_size)
        run = min(max(self._run_length(), 1), max(block // 4, 1))
        starts = np.random.permutation(np.arange(0, len(self), run))
        order = (starts[:, None] + np.arange(run)).ravel()
        order = order[order < len(self)]
        for first in range(0, len(order), block):
            np.random.shuffle(order[first : first + block])
        return order

    def _run_length(self) -> int:
        """Rows that are read together: 1 MB, or whole chunks of the file."""
        bytes_of_row = sum(map(_row_bytes, self.leaves))
        chunk = max(map(_chunk_rows, self.leaves))
        return -(-RUN // (bytes_of_row * chunk)) * chunk


def _row_bytes(leaf: Any) -> int:
    return int(np.prod(leaf.shape[1:], dtype=np.int64)) * np.dtype(leaf.dtype).itemsize or 1


def _chunk_rows(leaf: Any) -> int:
    """Rows that a file stores together, as HDF5, zarr and dask say it."""
    chunks = getattr(leaf, "chunks", None) or getattr(getattr(leaf, "data", None), "chunks", None)
    first = chunks[0] if isinstance(chunks, tuple) and chunks else 1
    return int(first[0] if isinstance(first, tuple) else first) or 1


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """Ascending numbers as ranges of consecutive ones."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    firsts, lasts = rows[np.r_[0, breaks]], rows[np.r_[breaks - 1, len(rows) - 1]] + 1
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _read(leaf: Any, rows: Any, target: np.ndarray) -> None:
    """A slice of rows, or those of some numbers, into an array."""
    if isinstance(rows, slice):
        runs = [(rows.start, rows.stop)]
    elif isinstance(leaf, np.ndarray) and _in_memory(leaf):
        np.take(leaf, rows, axis=0, out=target, mode="clip")
        return
    else:
        runs = _runs(rows)
    place = 0
    for first, last in runs:
        for piece in _pieces(leaf, first, last):
            target[place : place + len(piece)] = piece
            place += len(piece)


def _pieces(leaf: Any, first: int, last: int) -> Iterator[np.ndarray]:
    """Rows in pieces of 2 MB, or of whole chunks of the file."""
    chunk = _chunk_rows(leaf)
    step = max(PIECE // (_row_bytes(leaf) * chunk), 1) * chunk
    while first < last:
        end = min(first - first % chunk + step, last)
        yield np.asarray(leaf[first:end])
        first = end


def blocks_of(rows: Rows, size: int, end: int) -> Iterator[tuple[int, Any]]:
    """The first ``end`` rows in blocks of ``size``, with the number of rows in each."""
    for first in range(0, end, size):
        last = min(first + size, end)
        yield last - first, rows.read(slice(first, last))


class View:
    """A checked tensor of the data, such as the second input, read when it is indexed."""

    def __init__(self, rows: Rows, pick: Callable[[Any], Any]) -> None:
        self._rows = rows
        self._pick = pick
        first = self[:1]
        self.shape = (len(rows), *first.shape[1:])
        self.dtype = first.dtype
        self.ndim = first.ndim

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            if last <= first or step < 1:
                return self[:1][:0]
            return np.array(self._pick(self._rows.read(slice(first, last))))[::step]
        numbers = np.atleast_1d(np.arange(len(self))[key])
        wanted, places = np.unique(numbers, return_inverse=True)
        found = np.array(self._pick(self._rows.read(wanted)))[places]
        return found[0] if np.ndim(key) == 0 else found

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


# ---------------------------------------------------------------- running


class BlockExecutor:
    """Runs a program's step over rows that are read in blocks, a chunk of batches at a time.

    Args:
        program: what to run.
        rows: the data.
        adapt: from the rows of a block to (inputs, targets, sample weights), checked.
        size: rows in a batch.
        block: rows in a block, a multiple of ``size``.
        passes: how often the data will be gone through.
        steps: how many batches make a pass, by default all there are.
        inspect: is shown each block of the first pass, and its rows' numbers, before it runs.

    Raises:
        ValueError: there are fewer batches than a pass should have.
    """

    def __init__(
        self,
        program: Program,
        rows: Rows,
        adapt: Callable[[Any], Any],
        size: int,
        block: int,
        passes: int = 1,
        steps: int | None = None,
        inspect: Callable[[Any, np.ndarray], None] | None = None,
    ) -> None:
        self.program = program
        self.size = size
        self.rows = rows
        there_are = -(-len(rows) // size)
        self.steps = steps or there_are
        if self.steps > there_are:
            raise ValueError(
                f"{steps} batches of {size} need {self.steps * size} rows; there are {len(rows)}. "
                f"Give at most {there_are} steps, or a smaller batch_size."
            )
        self.rows_in_pass = min(len(rows), self.steps * size)
        self._adapt = adapt
        self._block = block
        self._passes = passes
        self._per_batch = False
        self._inspect = inspect
        self._halting = False
        self._inner: ArrayExecutor | None = None
        self._order: np.ndarray | None = None
        self._ahead: Prefetch | None = None
        self._first = self._last = 0
        self._memory: list[dict[Any, Any]] = [{} for _ in range(AHEAD)]

    def begin(self, order: np.ndarray | None = None) -> None:
        """Start a pass over the rows, in their own order or a given one."""
        self.close()
        self._order = order
        self._first = self._last = 0

    def has(self, step: int) -> bool:
        """Whether there is a batch ``step``."""
        if step < self.steps:
            return True
        self._inspect = None  # every block was seen once
        self.close()
        return False

    def next_passes(self, wanted: int, allowed: int | None = None) -> int:
        """Data worth blocks are no short pass."""
        return 0

    def halt_on_nan(self) -> None:
        """Let a call end behind a batch whose loss is no finite number."""
        self._halting = True

    def see_each(self, wanted: bool) -> None:
        """Run single batches, as somebody must see each before the next, or no longer."""
        self._per_batch = wanted
        if self._inner is not None:
            self._inner.see_each(wanted)

    def next_count(self, step: int, allowed: int | None = None) -> int:
        """How many batches the next call should run, from batch ``step`` on."""
        inner, first = self._at(step)
        return min(inner.next_count(step - first, allowed), self.steps - step)

    def sizes(self, step: int, count: int) -> np.ndarray:
        """Rows in each of some batches."""
        return np.minimum(self.size, len(self.rows) - np.arange(step, step + count) * self.size)

    def run(self, step: int, count: int) -> np.ndarray:
        """Run batches ``step`` to ``step + count``; their logs, one row each."""
        inner, first = self._at(step)
        return inner.run(step - first, count)

    def close(self) -> None:
        """End the thread that reads ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close(wait=10)

    def _at(self, step: int) -> tuple[ArrayExecutor, int]:
        """The executor of the block that holds a batch, and the block's first batch."""
        while self._ahead is None or step >= self._last:
            if self._ahead is None:
                per_block = self._block // self.size
                self._last = step // per_block * per_block
                self._ahead = Prefetch(self._read(self._last * self.size), 1)
            # The block before is done with: its memory is what is read into next.
            data, count, order = next(self._ahead)
            self._first, self._last = self._last, self._last + -(-count // self.size)
            if self._inspect is not None:
                self._inspect(data, np.sort(self._numbers(self._first * self.size, count)))
            self._load(data, count, order)
        assert self._inner is not None
        return self._inner, self._first

    def _load(self, data: Any, count: int, order: Any) -> None:
        if self._inner is None:
            self._inner = ArrayExecutor(self.program, data, self.size)
            self._inner.see_each(self._per_batch)
            if self._halting:
                self._inner.halt_on_nan()
            self._inner.steps_left = self.steps * self._passes
        self._inner.load(data, count, order)

    def _numbers(self, first: int, count: int) -> np.ndarray:
        """The numbers of some rows of the pass."""
        if self._order is None:
            return np.arange(first, first + count)
        return np.asarray(self._order[first : first + count])

    def _read(self, first: int) -> Iterator[tuple[Any, int, np.ndarray]]:
        """Blocks from a row of the pass on: their data, rows, and the order of these.

        All have equally many rows, else XLA would compile a program for each.
        """
        for number, start in enumerate(range(first, self.rows_in_pass, self._block)):
            count = min(self._block, self.rows_in_pass - start)
            order = np.arange(self._block)
            wanted: Any = slice(start, start + count)
            if self._order is not None:
                wanted = self._numbers(start, count)
                if self.rows.on_disk:  # in any order only within a block
                    ascending = np.argsort(wanted, kind="stable")
                    order[ascending] = np.arange(count)
                    wanted = wanted[ascending]
            memory = self._memory[number % AHEAD]
            yield self._adapt(self.rows.read(wanted, self._block, memory)), count, order
