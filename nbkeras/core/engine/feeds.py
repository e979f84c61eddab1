"""What a run is fed with: arrays on the device, or a stream of batches.

Both make an executor for a program; the loop does not see which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .data import batch_of, shuffled, split_rows
from .program import ArrayExecutor, Program
from .streams import BatchStream, Reading, StreamExecutor, is_stream

__all__ = ["ArrayFeed", "StreamFeed", "open_feed"]


class ArrayFeed:
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
            used = self.rows if steps is None else min(self.rows, steps * batch_size)
            check_whole(used, batch_size)

    def executor(self, program: Program, passes: int = 1, per_batch: bool = False) -> Any:
        """What runs a program over the arrays."""
        return ArrayExecutor(
            program, self.data, self.batch_size, passes, per_batch, steps=self.steps
        )

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
        bad = self._rows_not_finite()
        if bad.size == 0:
            return
        rows = tf.constant(bad[: self.batch_size].astype(np.int32))
        if not bool(probe().on_rows(self.data, rows)):
            raise ValueError(
                f"The data hold NaN or infinite numbers in {bad.size} of {self.rows} rows, first "
                f"in row {bad[0]}; training on them would spoil the weights. Leave these rows out: "
                "keep = np.isfinite(x).reshape(len(x), -1).all(1); fit(x[keep], y[keep]). Or fill "
                "them in: np.nan_to_num(x)."
            )

    def _rows_not_finite(self) -> np.ndarray:
        arrays = [
            tensor.numpy()
            for part in self.data[:2]
            for tensor in part
            if isinstance(tensor, tf.Tensor) and tensor.dtype.is_floating
        ]
        found = [
            np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(1))
            for array in arrays
            # The sum is finite where all are, and takes one pass without a copy.
            if not np.isfinite(array.sum(dtype=np.float64))
        ]
        return np.unique(np.concatenate(found)) if found else np.empty(0, int)

    def close(self) -> None:
        """Nothing is held open."""


class StreamFeed:
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

    def executor(self, program: Program, passes: int = 1, per_batch: bool = False) -> Any:
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
) -> ArrayFeed | StreamFeed:
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
        data = batch_of(model, x, y, sample_weight, class_weight)
        fixed = fixed_batch_size(model, batch_size)
        return ArrayFeed(data, fixed or batch_size or 32, steps, whole=fixed is not None)
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
