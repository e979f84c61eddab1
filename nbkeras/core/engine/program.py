"""The compiled step, and the executors that run it.

A step is written once, as a function from a batch to a vector of logs. What is
compiled around it differs: a call for each batch, or a loop of many steps in
one call; with XLA or without. All give the same numbers to rounding, because
the step, its noise (:class:`~nbkeras.core.backend.symbolic.Call`) and the order
of the rows are the same.

:class:`ArrayExecutor` runs a step over arrays that lie on the device. It begins
with the plain loop, measures it, tries the XLA program once the work left is
worth a compilation, and keeps what is faster.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["LOG_CAPACITY", "ArrayExecutor", "Program"]

LOG_CAPACITY = 4096
"""The most steps that one compiled call runs: how many rows its log has."""

CHUNK_SECONDS = 0.06
"""How long a chunk should last: an interrupt, a pause or a slider waits that long."""

COMPILE_FACTOR = 2.0
"""How much longer XLA compiles a program than it took to make it without XLA."""

Step = Callable[[Any, Any, Any], Any]


class Program:
    """One step and what was compiled of it, for one choice of XLA.

    Args:
        step: from (inputs, targets, sample weights), each a list of tensors, to a vector.
        width: the length of that vector.
        jit: ``True`` (XLA), ``False``, or ``"auto"``: measured.
        loop_jit: whether XLA may compile the loop too; where it may not (a
            convolution on the CPU is slow there), only the single step.
    """

    def __init__(self, step: Step, width: int, jit: Any = "auto", loop_jit: bool = True) -> None:
        self.step = step
        self.width = width
        self.jit = jit
        self.loop_jit = loop_jit
        self.choices: dict[Any, _Choice] = {}
        self._compiled: dict[Any, Any] = {}
        self._lock = threading.RLock()

    def pin(self) -> None:
        """Keep to the first form: then no measured time chooses how numbers are rounded."""
        self.jit = self.jit is True
        for choice in self.choices.values():
            choice.pin()

    def _concrete(self, key: Any, build: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = build()
            return self._compiled[key]

    def on_batch(self, data: Any) -> Any:
        """Run the step on one batch of real tensors (inputs, targets, weights)."""
        key = ("batch", _signature(data))

        def build() -> Any:
            function = tf.function(lambda *batch: self.step(*batch), autograph=False)
            return function.get_concrete_function(*_specs(data))

        return self._concrete(key, build)(*data)

    def on_rows(self, data: Any, rows: Any) -> Any:
        """Run the step on some rows of arrays, gathered in the graph."""

        def build() -> Any:
            function = tf.function(
                lambda data, rows: self.step(*_gather(data, rows)), autograph=False
            )
            return function.get_concrete_function(_specs(data), tf.TensorSpec([None], tf.int32))

        return self._concrete(("rows", _signature(data)), build)(data, rows)

    def on_full_rows(self, data: Any, rows: Any) -> Any:
        """The XLA step on as many rows of arrays as a full batch has."""
        size = int(rows.shape[0])

        def build() -> Any:
            function = tf.function(
                lambda data, rows: self.step(*_gather(data, rows)),
                autograph=False,
                jit_compile=True,
            )
            return function.get_concrete_function(_specs(data), tf.TensorSpec([size], tf.int32))

        return self._concrete(("full", _signature(data), size), build)(data, rows)

    def on_chunk(
        self, data: Any, order: Any, first: Any, count: Any, size: int, *, jit: bool
    ) -> Any:
        """Run ``count`` steps from batch ``first`` on in one call; logs of all of them.

        XLA needs batches of a constant size: hence ``size``, and slices of it.
        """

        def loop(data: Any, order: Any, first: Any, count: Any) -> Any:
            # The start of a batch goes through the loop's own state: XLA would compile
            # the program anew for each value of a start that it takes for a constant.
            def body(done: Any, start: Any, logs: Any) -> Any:
                values = self.step(*_slice(data, order, start, size))
                logs = tf.tensor_scatter_nd_update(logs, [[done]], [values])
                return done + 1, start + size, logs

            state = (0, first * size, tf.zeros((LOG_CAPACITY, self.width)))
            return tf.while_loop(lambda done, *_: done < count, body, state, parallel_iterations=1)[
                -1
            ]

        def build() -> Any:
            scalar = tf.TensorSpec([], tf.int32)
            function = tf.function(loop, autograph=False, jit_compile=True if jit else None)
            return function.get_concrete_function(
                _specs(data), tf.TensorSpec([None], tf.int32), scalar, scalar
            )

        key = ("chunk", _signature(data), size, jit)
        return self._concrete(key, build)(data, order, first, count)


def _leaves(data: Any) -> list[Any]:
    return [tensor for part in data for tensor in part if tensor is not None]


def _specs(data: Any) -> Any:
    """The types of the tensors, their first size left open, in the same structure."""
    return tuple(
        [None if t is None else tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in part]
        for part in data
    )


def _signature(data: Any) -> Any:
    return tuple(
        tuple(None if t is None else (*t.shape[1:], t.dtype) for t in part) for part in data
    )


def _gather(data: Any, rows: Any) -> Any:
    return tuple([None if t is None else tf.gather(t, rows) for t in part] for part in data)


def _slice(data: Any, order: Any, start: Any, size: int) -> Any:
    return _gather(data, tf.slice(order, [start], [size]))


# ---------------------------------------------------------------- choosing


class _Choice:
    """Which compiled form of a program is fastest for one batch size: measured, remembered."""

    def __init__(self, program: Program) -> None:
        accelerated = "jit-loop" if program.loop_jit else "jit-step"
        if program.jit is True:
            self.candidates = [accelerated]
        elif program.jit is False:
            self.candidates = ["loop"]
        else:
            self.candidates = ["loop", accelerated]
        self.current = self.candidates[0]
        self.seconds: dict[str, float] = {}
        self.measured: dict[str, int] = {}
        self.making: dict[str, float] = {}

    def record(self, seconds: float) -> None:
        """Note a step's time; the best one counts, since noise only adds."""
        best = self.seconds.get(self.current, seconds)
        self.seconds[self.current] = min(best, seconds)
        self.measured[self.current] = self.measured.get(self.current, 0) + 1

    def decide(self, steps_left: int) -> None:
        """Try the next candidate if the work left is worth it; else keep the fastest."""
        if self.measured.get(self.current, 0) < 3:
            return
        untried = [name for name in self.candidates if name not in self.measured]
        if untried:
            # Twice the cost: then even a compilation that gains little is soon paid.
            cost = COMPILE_FACTOR * self.making.get(self.current, 0.5)
            if steps_left * self.seconds[self.current] > 2 * cost:
                self.current = untried[0]
        else:
            self.current = min(self.seconds, key=self.seconds.__getitem__)

    def pin(self) -> None:
        """Let the first candidate be the only one."""
        self.candidates = self.candidates[:1]
        self.current = self.candidates[0]
        self.seconds = {k: v for k, v in self.seconds.items() if k == self.current}

    def drop(self) -> None:
        """The current candidate cannot be compiled."""
        self.candidates.remove(self.current)
        self.current = self.candidates[0]


class ArrayExecutor:
    """Runs a program's step over arrays on the device, a chunk of batches at a time.

    Args:
        program: what to run.
        data: (inputs, targets, sample weights), lists of tensors with equal rows.
        size: rows in a batch; the last batch of an epoch has what is left.
        passes: how often the data will be gone through, for what a compilation is worth.
        per_batch: whether somebody must see every batch: chunks of one then.
        steps: how many batches make a pass, by default all there are.

    Raises:
        ValueError: there are fewer batches than a pass should have.
    """

    def __init__(
        self,
        program: Program,
        data: Any,
        size: int,
        passes: int = 1,
        per_batch: bool = False,
        steps: int | None = None,
    ) -> None:
        self.program = program
        self.data = data
        self.rows = int(_leaves(data)[0].shape[0])
        self.size = min(size, self.rows)
        self.full = self.rows // self.size
        there_are = -(-self.rows // self.size)
        self.steps = steps or there_are
        if self.steps > there_are:
            raise ValueError(
                f"{steps} batches of {size} need {self.steps * size} rows; there are {self.rows}. "
                f"Give at most {there_are} steps, or a smaller batch_size."
            )
        self.rows_in_pass = min(self.rows, self.steps * self.size)
        self.steps_left = self.steps * passes
        self.per_batch = per_batch
        self.choice = program.choices.setdefault((self.size, _signature(data)), _Choice(program))
        self._order: Any = None
        self._compiling = self.choice.current not in self.choice.measured

    def begin(self, order: np.ndarray | None = None) -> None:
        """Start a pass over the rows, in their own order or a given one."""
        if order is None:
            order = np.arange(self.rows)
        self._order = tf.constant(order.astype(np.int32))

    def load(self, data: Any, rows: int, order: np.ndarray | None = None) -> None:
        """Go on with other data of the same kind, of which the first ``rows`` rows count."""
        self.data, self.rows = data, rows
        self.full, self.steps = rows // self.size, -(-rows // self.size)
        self.begin(order)

    def has(self, step: int) -> bool:
        """Whether there is a batch ``step``."""
        return step < self.steps

    def next_count(self, step: int, allowed: int | None = None) -> int:
        """How many batches the next call should run, from batch ``step`` on."""
        if self.per_batch or step >= self.full or self._compiling:
            return 1
        seconds = self.choice.seconds.get(self.choice.current)
        wanted = 8 if seconds is None else int(CHUNK_SECONDS / max(seconds, 1e-7))
        limit = min(
            min(self.full, self.steps) - step,
            LOG_CAPACITY,
            LOG_CAPACITY if allowed is None else allowed,
        )
        return max(1, min(wanted, limit))

    def run(self, step: int, count: int) -> np.ndarray:
        """Run batches ``step`` to ``step + count``; their logs, one row each."""
        self.steps_left -= count
        if step >= self.full:
            tail = self._order[step * self.size : self.rows]
            return self.program.on_rows(self.data, tail).numpy()[None]
        started = time.perf_counter()
        try:
            logs = self._run_full(step, count)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            # XLA refuses a program before it runs any of it, so nothing is half done.
            if self.choice.current == "loop" or self.program.jit is True:
                raise
            self.choice.drop()
            return self.run(step, count)
        if not self._compiling:
            self.choice.record((time.perf_counter() - started) / count)
            before = self.choice.current
            self.choice.decide(self.steps_left)
            self._compiling = before != self.choice.current and (
                self.choice.current not in self.choice.measured
            )
        else:
            self._compiling = False
            self.choice.making[self.choice.current] = time.perf_counter() - started
        return logs

    def _run_full(self, step: int, count: int) -> np.ndarray:
        kind = self.choice.current
        if kind == "jit-step":
            starts = range(step * self.size, (step + count) * self.size, self.size)
            batches = [self._order[start : start + self.size] for start in starts]
            return np.stack([self.program.on_full_rows(self.data, b).numpy() for b in batches])
        logs = self.program.on_chunk(
            self.data,
            self._order,
            tf.constant(step),
            tf.constant(count),
            self.size,
            jit=kind == "jit-loop",
        )
        return logs.numpy()[:count]

    def sizes(self, step: int, count: int) -> np.ndarray:
        """Rows in each of some batches."""
        return np.minimum(self.size, self.rows - np.arange(step, step + count) * self.size)
