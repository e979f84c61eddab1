"""Running a program's step over arrays that lie on the device, many batches in a call."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import tensorflow as tf

from .choice import Choice
from .program import LOG_CAPACITY, Program, leaves_of, signature_of

__all__ = ["ArrayExecutor"]

CHUNK_SECONDS = 0.06
"""How long a chunk should last: an interrupt, a pause or a slider waits that long."""

ORDER_CAPACITY = 2**17
"""How many row numbers a call of several passes takes: XLA compiles it for one number."""


class ArrayExecutor:
    """Runs a program's step over arrays on the device, a chunk of batches at a time.

    Batches are counted through: a pass is ``steps`` of them, and what :meth:`begin`
    was given may be several passes.

    Args:
        program: what to run.
        data: (inputs, targets, sample weights), lists of tensors with equal rows.
        size: rows in a batch; the last batch of an epoch has what is left.
        passes: how often the data will be gone through, for what a compilation is worth.
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
        steps: int | None = None,
    ) -> None:
        self.program = program
        self.data = data
        self.rows = int(leaves_of(data)[0].shape[0])
        self.size = min(size, self.rows)
        there_are = -(-self.rows // self.size)
        self.steps = steps or there_are
        if self.steps > there_are:
            raise ValueError(
                f"{steps} batches of {size} need {self.steps * size} rows; there are {self.rows}. "
                f"Give at most {there_are} steps, or a smaller batch_size."
            )
        self.rows_in_pass = min(self.rows, self.steps * self.size)
        self.steps_left = self.steps * passes
        self.per_batch = False
        self.halting = False
        fitting = min(ORDER_CAPACITY // self.rows_in_pass, LOG_CAPACITY // self.steps)
        self._lines = max(fitting, 1) if program.repeats else 1
        self._tail = self.rows_in_pass % self.size
        self._order: Any = None
        self._uploaded: dict[bool, Any] = {}
        self._step_form: Any = None
        self._starts: dict[int, Any] = {}
        self._loops: dict[tuple[str, bool], Any] = {}
        self.choice = self._choice()

    def _choice(self) -> Choice:
        """The choice of form for data and batches of these sizes.

        XLA compiles a program for them, and would compile another for others.
        """
        program, kind = self.program, signature_of(self.data)
        sizes = (self.rows, self.size, self.rows_in_pass, self._lines)
        # One batch in a call is another thing to measure than many.
        key = (kind, *sizes, self.halting, self.per_batch)
        return program.choice(key, program.loop_jit, self._tail)

    def halt_on_nan(self) -> None:
        """Let a call end behind a batch whose loss is no finite number."""
        self.halting = True
        self.choice = self._choice()

    def see_each(self, wanted: bool) -> None:
        """Run single batches, as somebody must see each before the next, or no longer."""
        if wanted != self.per_batch:
            self.per_batch = wanted
            self.choice = self._choice()

    # ---------------------------------------------------------------- passes

    def begin(self, *orders: np.ndarray | None) -> None:
        """Start one or more passes over the rows, each in its own order or a given one."""
        wanted = self.rows_in_pass
        parts = [
            np.arange(wanted) if order is None else order[:wanted] for order in orders or [None]
        ]
        self._order = np.concatenate(parts).astype(np.int32)
        self._uploaded = {}

    def load(self, data: Any, rows: int, order: np.ndarray) -> None:
        """Go on with other data of the same kind, of which the first ``rows`` rows count."""
        self.data, self.rows_in_pass = data, rows
        self.steps = -(-rows // self.size)
        self._tail = rows % self.size
        self._order = order.astype(np.int32)
        self._uploaded, self._starts = {}, {}

    def has(self, step: int) -> bool:
        """Whether there is a batch ``step`` in a pass."""
        return step < self.steps

    def sizes(self, step: int, count: int) -> np.ndarray:
        """Rows in each of some batches."""
        if count == 1:
            left = self.rows_in_pass - step % self.steps * self.size
            return np.array([min(self.size, left)])
        numbers = np.arange(step, step + count) % self.steps
        return np.minimum(self.size, self.rows_in_pass - numbers * self.size)

    # ---------------------------------------------------------------- how many at once

    def next_count(self, step: int, allowed: int | None = None) -> int:
        """How many batches of a pass the next call should run, from batch ``step`` on."""
        seconds = self.choice.recent
        if self.per_batch or seconds is None or step >= self._end():
            return 1
        wanted = int(CHUNK_SECONDS / max(seconds, 1e-7))
        limit = LOG_CAPACITY if allowed is None else min(allowed, LOG_CAPACITY)
        return max(1, min(wanted, limit, self._end() - step))

    def next_passes(self, wanted: int, allowed: int | None = None) -> int:
        """How many whole passes the next call can run, 0 if not even one."""
        seconds = self.choice.recent
        if self.per_batch or seconds is None or self._end() < self.steps:
            return 0
        in_time = int(CHUNK_SECONDS / max(seconds * self.steps, 1e-7))
        return min(wanted, in_time, self._lines, in_time if allowed is None else allowed)

    def _end(self) -> int:
        """Up to which batch of a pass the current form can run in one call."""
        form, tail = self.choice.current, self._tail
        whole = form == "loop" or not tail or tail == self.choice.tail
        return self.steps if whole else self.steps - 1

    # ---------------------------------------------------------------- running

    def run(self, step: int, count: int) -> np.ndarray:
        """Run batches ``step`` to ``step + count``; their logs, one row each.

        There are fewer if a batch halted the run.
        """
        self.steps_left -= count
        if step % self.steps >= self._end():
            return self._run_loop(step, 1, "loop")
        choice, warm = self.choice, self.choice.warm
        started = time.perf_counter()
        try:
            logs = self._run(step, count)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            # XLA refuses a program before it runs any of it, so nothing is half done.
            if choice.current == "loop" or self.program.jit is True:
                raise
            choice.drop(choice.current)
            return self.run(step, count)
        seconds = time.perf_counter() - started
        if warm:
            choice.record(seconds, len(logs))
            self._compile_if_worth()
        else:
            choice.made(seconds)
        return logs

    def _run(self, step: int, count: int) -> np.ndarray:
        if self.choice.current != "jit-step":
            return self._run_loop(step, count, self.choice.current)
        form = self.program.rows_form(self.data, self.size, jit=True)
        order, logs = self._upload(False), []
        for number in range(step, step + count):
            at = self._place(number)[0]
            logs.append(form(self.data, order[at : at + self.size]).numpy())
            if self.halting and not np.isfinite(logs[-1][0]):
                break
        return np.stack(logs)

    def _run_loop(self, step: int, count: int, form: str) -> np.ndarray:
        jit = form != "loop"
        if self.per_batch and not jit and self._single(step):
            return self._step_form(self.data, self._upload(False), self._start(step)).numpy()[None]
        where = tf.constant([*self._place(step), count, self.rows_in_pass], tf.int32)
        logs = self._loop(form)(self.data, self._upload(jit), where).numpy()[:count]
        if self.halting:
            bad = np.flatnonzero(~np.isfinite(logs[:, 0]))
            return logs[: bad[0] + 1] if bad.size else logs
        return logs

    def _place(self, step: int) -> tuple[int, int]:
        """Where in the order a batch begins, and where its pass ends."""
        line, number = divmod(step, self.steps)
        first = line * self.rows_in_pass
        return first + number * self.size, first + self.rows_in_pass

    def _start(self, step: int) -> Any:
        """Where a batch begins, on the device: kept, as every pass asks for the same places."""
        found = self._starts.get(step)
        if found is None:
            found = tf.constant([self._place(step)[0]], tf.int32)
            if len(self._starts) < LOG_CAPACITY:
                self._starts[step] = found
        return found

    def _single(self, step: int) -> bool:
        """Whether a step has a form of its own, without a loop around it: a whole batch has."""
        if self._tail and step % self.steps == self.steps - 1:
            return False
        if self._step_form is None:
            self.program.singles += 1
            if self.program.worth_single:
                self._step_form = self.program.step_form(self.data, self.size)
        return self._step_form is not None

    def _loop(self, form: str) -> Any:
        key = (form, self.halting)
        if key not in self._loops:
            self._loops[key] = self.program.loop_form(
                self.data,
                self.size,
                jit=form != "loop",
                tail=0 if form == "loop" else self.choice.tail,
                halting=self.halting,
            )
        return self._loops[key]

    def _upload(self, jit: bool) -> Any:
        """The order on the device; for XLA always as long."""
        if jit not in self._uploaded:
            order = self._order
            length = self._lines * self.rows_in_pass
            if jit and len(order) < length:
                order = np.zeros(length, np.int32)
                order[: len(self._order)] = self._order
            self._uploaded[jit] = tf.constant(order)
        return self._uploaded[jit]

    # ---------------------------------------------------------------- compiling

    def _compile_if_worth(self) -> None:
        name = self.choice.next_to_compile(self.steps_left)
        if name is None:
            return
        arguments: tuple[Any, ...]
        if name == "jit-step":
            arguments = (self.data, self._upload(False)[: self.size])
            trace = functools.partial(self.program.rows_form, self.data, self.size, jit=True)
        else:
            place = tf.constant([0, self.rows_in_pass, 0, self.rows_in_pass], tf.int32)
            arguments = (self.data, self._upload(True), place)
            trace = functools.partial(self._loop, name)
        self.choice.compile_beside(name, trace, arguments, self.program.held)
