"""What a run is fed with: arrays on the device, blocks of rows, or a stream of batches.

All make an executor for a program; the loop does not see which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from . import blocks
from .blocks import BlockExecutor, Rows, View
from .data import (
    all_finite,
    batch_of,
    check_class_weight,
    shuffled,
    split_place,
    split_rows,
    standardize_inputs,
)
from .executors import ArrayExecutor
from .program import Program
from .streams import BatchStream, Prefetch, Reading, StreamExecutor, is_stream

__all__ = ["ArrayFeed", "BlockFeed", "StreamFeed", "inputs_in_blocks", "open_feed"]


class _Feed:
    """What arrays and streams share.

    Attributes:
        resumable: whether another process can go on within a pass.
        remembers: whether it keeps what changes from pass to pass.
    """

    resumable = True
    remembers = True

    def get_state(self) -> dict[str, Any] | None:
        """What this feed knows of its place, beside the order of rows and the number of batches."""

    def set_state(self, state: Mapping[str, Any] | None) -> None:
        """Be where :meth:`get_state` was called."""

    def attend(self, ask: Callable[[], bool]) -> None:
        """Let somebody be asked, while a batch is waited for, whether to stop."""


class ArrayFeed(_Feed):
    """Arrays, checked and on the device.

    Args:
        data: (inputs, targets, sample weights), lists of tensors.
        batch_size: rows in a batch.
        steps: batches in a pass, by default all.
        whole: whether the last batch must be as large as the others.

    Raises:
        ValueError: it must, and is not.
    """

    def __init__(
        self, data: Any, batch_size: int, steps: int | None = None, whole: bool = False
    ) -> None:
        self.data = data
        self.batch_size = batch_size
        self.steps = steps
        self.whole = whole
        self.rows: int | None = next(
            int(t.shape[0]) for part in data for t in part if t is not None
        )
        if whole:
            _check_whole_pass(self.rows or 0, batch_size, steps)

    def executor(self, program: Program, passes: int = 1) -> Any:
        """What runs a program over the arrays."""
        return ArrayExecutor(program, self.data, self.batch_size, passes, self.steps)

    def arrays(self) -> list[np.ndarray]:
        """Inputs, targets and sample weights in one list; weights of 1 where none are given."""
        inputs, targets, weights = self.data
        ones = np.ones(self.rows or 0, np.float32)
        weights = [ones if weight is None else weight for weight in weights]
        return [np.asarray(part) for part in (*inputs, *targets, *weights)]

    def order(self, shuffle: bool | str) -> np.ndarray | None:
        """An order of rows for a pass."""
        return shuffled(self.rows or 0, shuffle, self.batch_size)

    def split(self, share: float) -> tuple[ArrayFeed, ArrayFeed]:
        """The first rows, and the last ``share`` of them."""
        first, last = split_rows(self.data, share)
        return (
            ArrayFeed(first, self.batch_size, self.steps, self.whole),
            ArrayFeed(last, self.batch_size, whole=self.whole),
        )

    def check_finite(self, probe: Callable[[], Program]) -> None:
        """Refuse data whose NaN would reach the loss or the gradients, and so the weights.

        Raises:
            ValueError: they would; the error names the rows.
        """
        bad = _rows_not_finite(self.data)
        if bad.size:
            _refuse_if_spoilt(probe(), self.data, bad[: self.batch_size], bad, self.rows or 0)

    def close(self) -> None:
        """Nothing is held open."""


def _check_whole_pass(rows: int, batch_size: int, steps: int | None) -> None:
    check_whole(rows if steps is None else min(rows, steps * batch_size), batch_size)


def _rows_not_finite(data: Any) -> np.ndarray:
    """The numbers of rows in which an input or a target is NaN or infinite."""
    arrays = [
        np.asarray(tensor)  # not tensor.numpy(), which copies
        for part in data[:2]
        for tensor in part
        if isinstance(tensor, tf.Tensor) and tensor.dtype.is_floating
    ]
    found = [
        np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(1))
        for array in arrays
        if not all_finite(array)
    ]
    return np.unique(np.concatenate(found)) if found else np.empty(0, int)


def _refuse_if_spoilt(
    probe: Program, data: Any, some: np.ndarray, bad: np.ndarray, rows: int
) -> None:
    """Refuse data if a step on some bad rows of them has no finite loss or gradients."""
    if not bool(probe.on_rows(data, tf.constant(some.astype(np.int32)))):
        raise ValueError(
            f"The data hold NaN or infinite numbers in {bad.size} of {rows} rows, first in row "
            f"{bad[0]}; training on them would spoil the weights. Leave these rows out: keep = "
            "np.isfinite(x).reshape(len(x), -1).all(1); fit(x[keep], y[keep]). Or fill them in: "
            "np.nan_to_num(x)."
        )


class BlockFeed(_Feed):
    """Arrays that are read in blocks of rows: on disk, or too large for a copy.

    Args:
        rows: the data.
        adapt: from some of them to (inputs, targets, sample weights), checked.
        batch_size: rows in a batch.
        steps: batches in a pass, by default all.
        whole: whether the last batch must be as large as the others.

    Raises:
        ValueError: it must, and is not; or the data do not fit the model.
    """

    def __init__(
        self,
        rows: Rows,
        adapt: Callable[[Any], Any],
        batch_size: int,
        steps: int | None = None,
        whole: bool = False,
    ) -> None:
        self.rows = len(rows)
        self.batch_size = batch_size
        self.steps = steps
        self.whole = whole
        self._rows = rows
        self._adapt = adapt
        self._executors: list[BlockExecutor] = []
        self._probe: Callable[[], Program] | None = None
        self._first = adapt(rows.read(slice(0, 1)))
        if whole:
            _check_whole_pass(self.rows, batch_size, steps)

    @property
    def _size(self) -> int:
        return min(self.batch_size, self.rows)

    @property
    def _block(self) -> int:
        """Rows in a block: as many full batches as its bytes allow."""
        row = sum(
            t.shape.num_elements() * t.dtype.size for p in self._first for t in p if t is not None
        )
        batches = max(blocks.BLOCK // max(row * self._size, 1), 1)
        return min(batches, -(-self.rows // self._size)) * self._size

    def executor(self, program: Program, passes: int = 1) -> Any:
        """What runs a program over the rows."""
        made = BlockExecutor(
            program,
            self._rows,
            self._adapt,
            self._size,
            self._block,
            passes,
            self.steps,
            inspect=self._inspect if self._probe and self._rows.on_disk else None,
        )
        self._executors.append(made)
        return made

    def arrays(self) -> list[Any]:
        """Inputs, targets and sample weights in one list, read when they are indexed."""

        def view(part: int, place: int) -> Any:
            if self._first[part][place] is None:
                return np.ones(self.rows, np.float32) if part == 2 else None
            return View(self._rows, lambda some: self._adapt(some)[part][place].numpy())

        return [view(p, i) for p, tensors in enumerate(self._first) for i in range(len(tensors))]

    def order(self, shuffle: bool | str) -> np.ndarray | None:
        """An order of rows for a pass."""
        return self._rows.mixed(shuffle, self.batch_size, self._block)

    def split(self, share: float) -> tuple[BlockFeed, BlockFeed]:
        """The first rows, and the last ``share`` of them."""
        place = split_place(self.rows, share)
        first, last = self._rows.part(0, place), self._rows.part(place, self.rows)
        return (
            BlockFeed(first, self._adapt, self.batch_size, self.steps, self.whole),
            BlockFeed(last, self._adapt, self.batch_size, whole=self.whole),
        )

    def check_finite(self, probe: Callable[[], Program]) -> None:
        """Refuse data whose NaN would reach the weights: in memory now, on disk as they are read.

        Raises:
            ValueError: they would; the error names the rows.
        """
        self._probe = probe
        if self._rows.on_disk or self._rows.finite():
            return
        for first in range(0, self.rows, self._block):
            last = min(first + self._block, self.rows)
            self._inspect(self._adapt(self._rows.read(slice(first, last))), np.arange(first, last))

    def _inspect(self, data: Any, numbers: np.ndarray) -> None:
        bad = _rows_not_finite(data)
        bad = bad[bad < len(numbers)]
        if bad.size and self._probe is not None:
            some = bad[: self._size]
            _refuse_if_spoilt(self._probe(), data, some, numbers[bad], len(numbers))

    def close(self) -> None:
        """End the threads that read."""
        for executor in self._executors:
            executor.close()


class StreamFeed(_Feed):
    """Batches that come one by one.

    Args:
        stream: where they come from.
        adapt: from a raw batch to (inputs, targets, sample weights).
    """

    rows = None
    batch_size = None

    def __init__(self, stream: BatchStream, adapt: Callable[[Any], Any]) -> None:
        self._stream = stream
        self._adapt = adapt

    def attend(self, ask: Callable[[], bool]) -> None:
        self._stream.attend = ask

    @property
    def resumable(self) -> bool:  # type: ignore[override]
        """Whether the stream can be put back: a sequence can."""
        return self._stream.resumable

    @property
    def remembers(self) -> bool:  # type: ignore[override]
        """Whether the sequence says what its ``on_epoch_end`` changes, if it has one."""
        return self._stream.remembers

    def get_state(self) -> dict[str, Any] | None:
        """Where the stream is."""
        return self._stream.get_state()

    def set_state(self, state: Mapping[str, Any] | None) -> None:
        """Put the stream back."""
        if state is not None and self.resumable:
            self._stream.set_state(state)

    def executor(self, program: Program, passes: int = 1) -> Any:
        """What runs a program over the stream."""
        return StreamExecutor(program, self._stream, self._adapt)

    def arrays(self) -> None:
        """A stream has no arrays to show."""

    def order(self, shuffle: bool | str) -> None:
        """A stream has the order it comes in."""

    def split(self, share: float) -> Any:
        raise ValueError(
            "validation_split needs arrays: of a generator or a data set nobody knows the last "
            "rows. Pass validation_data=..., another generator or (x, y)."
        )

    def check_finite(self, probe: Callable[[], Program]) -> None:
        """Batches are not seen before they are trained on."""

    def close(self) -> None:
        """End the threads and processes that read ahead."""
        self._stream.close()


def open_feed(
    model: Any,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    class_weight: Any = None,
    *,
    batch_size: int | None,
    steps: int | None = None,
    shuffle: bool | str = False,
    reading: Reading | None = None,
) -> ArrayFeed | BlockFeed | StreamFeed:
    """What ``x`` and ``y`` are, as a feed.

    Args:
        model: what they must fit.
        x: inputs, or a generator, sequence or data set of whole batches.
        y: targets; of a stream the batches hold them.
        sample_weight: how much each row counts.
        class_weight: how much each class counts.
        batch_size: rows in a batch.
        steps: batches in a pass.
        shuffle: whether the batches of a sequence are shuffled.
        reading: who reads a stream ahead, and how far.

    Raises:
        ValueError: they do not fit the model, or what a stream does not take is given.
    """
    if not is_stream(x):
        fixed = fixed_batch_size(model, batch_size)
        size, whole = fixed or batch_size or 32, fixed is not None
        if not blocks.worth_blocks(x, y, sample_weight):
            data = batch_of(model, x, y, sample_weight, class_weight)
            return ArrayFeed(data, size, steps, whole)
        rows = Rows((x, y, sample_weight))
        if class_weight is not None:
            labels = Rows((None, y, None))
            for _, part in blocks.blocks_of(labels, 2**16, len(labels)):
                check_class_weight(model, part[1], class_weight)

        def checked(some: Any) -> Any:
            inputs, targets, weights = some
            return batch_of(model, inputs, targets, weights, class_weight)

        return BlockFeed(rows, checked, size, steps, whole)
    given = {"y": y, "batch_size": batch_size, "sample_weight": sample_weight}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} is not given beside a {type(x).__name__}: its batches are (x, y) or "
                "(x, y, sample_weight) of the size you like."
            )

    def adapt(batch: Any) -> Any:
        if not isinstance(batch, tuple) or len(batch) not in (1, 2, 3):
            raise ValueError(
                "A batch is a tuple (x, y) or (x, y, sample_weight); the "
                f"{type(x).__name__} gave {_described(batch)}."
            )
        inputs, targets, weights = (*batch, None, None)[:3]
        return check_batch(model, batch_of(model, inputs, targets, weights, class_weight))

    return StreamFeed(BatchStream(x, steps, reading or Reading(), shuffle=bool(shuffle)), adapt)


def _described(batch: Any) -> str:
    length = f" of {len(batch)}" if isinstance(batch, list | tuple | dict) else ""
    return f"a {type(batch).__name__}{length}"


def fixed_batch_size(model: Any, given: int | None = None) -> int | None:
    """The batch size that the inputs were built for, if they were.

    Raises:
        ValueError: another one is given.
    """
    fixed = min({tensor.shape[0] for tensor in model.inputs} - {None}, default=None)
    if fixed is not None and given not in (None, fixed):
        raise ValueError(
            f"Model {model.name!r} was built for batches of {fixed} rows; got batch_size={given}. "
            f"Write batch_size={fixed}, or build the model without a batch size: "
            "input_shape=... in place of batch_input_shape=...."
        )
    return fixed


def check_whole(rows: int, size: int) -> None:
    """Refuse rows that do not fill batches of a fixed size.

    Raises:
        ValueError: they do not.
    """
    left = rows % size
    if left:
        raise ValueError(
            f"The model was built for batches of {size} rows; {rows} rows leave one of {left}. "
            f"Pass a multiple of {size}: "
            + (f"x[:{rows - left}]." if rows > left else f"at least {size} rows.")
        )


def check_batch(model: Any, data: Any) -> Any:
    """A batch (inputs, targets, sample weights), as large as the model was built for.

    Raises:
        ValueError: it has more or fewer rows.
    """
    fixed, rows = fixed_batch_size(model), data[0][0].shape[0]
    if fixed is not None and rows != fixed:
        raise ValueError(
            f"Model {model.name!r} was built for batches of {fixed} rows; got a batch of {rows}."
        )
    return data


def inputs_in_blocks(model: Any, rows: Rows, size: int, end: int) -> Iterator[list[Any]]:
    """The first ``end`` rows of inputs in batches of ``size``, read ahead in blocks.

    Args:
        model: what they must fit.
        rows: (x, nothing, nothing).
        size: rows in a batch.
        end: how many rows to give.
    """
    row = max(sum(int(np.prod(leaf.shape[1:])) * 4 for leaf in rows.leaves), 1)
    block = max(blocks.BLOCK // (row * size), 1) * size
    ahead = Prefetch(blocks.blocks_of(rows, block, end), 1)
    try:
        for count, (x, _, _) in ahead:
            inputs = standardize_inputs(model, x)
            for at in range(0, count, size):
                yield [tensor[at : at + size] for tensor in inputs]
    finally:
        ahead.close(wait=10)
