"""The compiled step: one function, and the forms it is compiled in.

A step is written once, as a function from a batch to a vector of logs. What is
compiled around it differs: a call for each batch, or a loop of many steps, even of
several passes over the data, in one call; with XLA or without. All give the same
numbers to rounding, because the step, its noise
(:class:`~nbkeras.core.backend.symbolic.Call`) and the order of the rows are the same.

:mod:`.executors` runs these forms over arrays; :mod:`.choice` says which.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from . import grappler, xla
from .buffers import on_gpu
from .choice import Choice

__all__ = ["LOG_CAPACITY", "Program", "leaves_of", "signature_of"]

LOG_CAPACITY = 4096
"""The most steps that one compiled call runs: how many rows its log has."""

LOOP_SECONDS = 2e-4
"""What a loop around a single step costs: less than that of a small model itself."""

Step = Callable[[Any, Any, Any], Any]


class Program:
    """One step and what was compiled of it, for one choice of XLA.

    Args:
        step: from (inputs, targets, sample weights), each a list of tensors, to a vector.
        width: the length of that vector.
        jit: ``True`` (XLA), ``False``, or ``"auto"``: measured.
        loop_jit: whether XLA may compile the loop too; where it may not (a
            convolution on the CPU is slow there), only the single step.
        fixed: whether all batches have one size, which the step needs to know.
        repeats: whether passes over the data follow one another, so that short ones may be
            run in one call.
        held: gives the variables that the step may write past TensorFlow's record of them.
        direct: whether plain forms may be called past TensorFlow's Python (:class:`_Plain`).
        rewritten: whether Grappler is worth its while for plain forms (:mod:`.grappler`).

    Attributes:
        singles: how many calls of a loop ran one step, as somebody had to see each.
    """

    def __init__(
        self,
        step: Step,
        width: int,
        jit: Any = "auto",
        loop_jit: bool = True,
        fixed: bool = False,
        repeats: bool = False,
        held: Callable[[], Iterable[tf.Variable]] = tuple,
        direct: bool = False,
        rewritten: bool = True,
    ) -> None:
        self.step = step
        self.width = width
        self.jit = jit
        self.loop_jit = loop_jit
        self.fixed = fixed
        self.repeats = repeats
        self.held = held
        self.direct = direct and not on_gpu()
        self.rewritten = rewritten
        self.singles = 0
        self.choices: dict[Any, Choice] = {}
        self._tracing = 0.0
        self._pinned = False
        self._compiled: dict[Any, Any] = {}
        self._lock = threading.RLock()

    def pin(self) -> None:
        """Keep to the first form: then no measured time chooses how numbers are rounded."""
        self.jit = self.jit is True
        self._pinned = True
        for choice in self.choices.values():
            choice.pin()

    def choice(self, key: Any, loop_jit: bool, tail: int = 0) -> Choice:
        """The choice of form for one kind of data, made once.

        Args:
            key: the kind of data.
            loop_jit: whether XLA compiles the loop, or else single steps.
            tail: the size of the last batch of a pass if it is smaller.
        """
        if key not in self.choices:
            making = max((known.making for known in self.choices.values()), default=0.0)
            self.choices[key] = Choice(self.jit, loop_jit, making, tail)
        return self.choices[key]

    def _form(self, key: Any, function: Callable[..., Any], jit: bool, *specs: Any) -> Any:
        """A compiled function of data and what else it takes, traced at the first call."""
        found = self._compiled.get(key)
        if found is None:
            with self._lock:
                found = self._compiled.get(key)
                if found is None:
                    if jit:
                        xla.set_up()
                    compiled = tf.function(function, autograph=False, jit_compile=jit or None)
                    began = time.thread_time()
                    found = compiled.get_concrete_function(*specs)
                    self._tracing = max(self._tracing, time.thread_time() - began)
                    # XLA's functions are only XLA's if TensorFlow's Python calls them.
                    if self.direct and not jit:
                        found = _Plain.of(found, self.rewritten)
                    self._compiled[key] = found
        return found

    # ---------------------------------------------------------------- forms

    def on_batch(self, data: Any) -> Any:
        """Run the step on one batch of real tensors (inputs, targets, weights)."""
        key = ("batch", signature_of(data))
        found = self._compiled.get(key)
        if found is None:
            found = self._form(key, lambda data: self.step(*data), False, _specs(data))
        return found(data)

    def batch_form(self, data: Any, size: int) -> Any:
        """The step on a batch of ``size`` rows by XLA: a function of data."""
        return self._form(
            ("batch", signature_of(data), size),
            lambda data: self.step(*data),
            True,
            _specs(data, size),
        )

    def on_rows(self, data: Any, rows: Any) -> Any:
        """Run the step on some rows of arrays, gathered in the graph."""
        return self.rows_form(data, None)(data, rows)

    def rows_form(self, data: Any, size: int | None, jit: bool = False) -> Any:
        """The step on ``size`` (or any number of) rows: a function of data and rows."""
        return self._form(
            ("rows", signature_of(data), size, jit),
            lambda data, rows: self.step(*_gather(data, rows)),
            jit,
            _specs(data),
            tf.TensorSpec([size], tf.int32),
        )

    @property
    def worth_single(self) -> bool:
        """Whether so many calls ran a single step that :meth:`step_form` is worth a trace."""
        return 0 < self._tracing < self.singles * LOOP_SECONDS and not self._pinned

    def step_form(self, data: Any, size: int) -> Any:
        """One step: a function of data, an order, and where in it ``size`` rows begin."""

        def one(data: Any, order: Any, start: Any) -> Any:
            return self.step(*_gather(data, tf.slice(order, start, [size])))

        return self._form(
            ("step", signature_of(data), size),
            one,
            False,
            _specs(data),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([1], tf.int32),
        )

    def loop_form(
        self, data: Any, size: int, *, jit: bool = False, tail: int = 0, halting: bool = False
    ) -> Any:
        """Many steps in one call: a function of data, an order and a place that returns logs.

        The order holds the row numbers of one pass after the other. The place is four
        numbers: where in the order to begin, where that pass ends, how many steps to
        run, and the rows of a pass. Of the logs as many lines are filled as steps were run.

        XLA needs batches of a constant size, so there the last, smaller one of a pass is
        a second step beside the first, and is compiled only where ``tail`` gives its size.

        Args:
            data: tensors of the types that will come.
            size: rows in a batch.
            jit: whether XLA compiles it.
            tail: rows in the last batch of a pass, for XLA; 0 where there is none.
            halting: whether to stop behind a step whose first log is no finite number.
        """
        constant = jit or self.fixed

        def loop(data: Any, order: Any, place: Any) -> Any:
            count, rows = place[2], place[3]

            def going(done: Any, alive: Any) -> Any:
                return (done < count) & alive if halting else done < count

            def one(number: int, done: Any, at: Any, stop: Any, alive: Any, logs: Any) -> Any:
                """One step of ``number`` rows, or of those that are left of its pass."""
                taken = number if constant else tf.minimum(number, stop - at)
                values = self.step(*_gather(data, tf.slice(order, [at], [taken])))
                logs = tf.tensor_scatter_nd_update(logs, [[done]], [values])
                if halting:
                    alive = tf.math.is_finite(values[0])
                return done + 1, at + taken, stop, alive, logs

            # Places go through the loops' own state: XLA would compile the program anew
            # for each value of a start that it takes for a constant.
            def step_on(*state: Any) -> Any:
                done, at, stop, alive, logs = one(size, *state)
                return done, at, tf.where(at < stop, stop, stop + rows), alive, logs

            def batches(number: int, end: Any, state: Any) -> Any:
                """Steps of ``number`` rows while they begin before ``end``."""
                return tf.while_loop(
                    lambda done, at, stop, alive, logs: going(done, alive) & (at < end),
                    functools.partial(one, number),
                    state,
                    parallel_iterations=1,
                )

            def one_pass(*state: Any) -> Any:
                stop = state[2]
                state = batches(tail, stop, batches(size, stop - tail, state))
                done, at, stop, alive, logs = state
                return done, at, stop + rows, alive, logs

            return tf.while_loop(
                lambda done, at, stop, alive, logs: going(done, alive),
                one_pass if tail else step_on,
                (0, place[0], place[1], True, tf.zeros((LOG_CAPACITY, self.width))),
                parallel_iterations=1,
            )[-1]

        return self._form(
            ("loop", signature_of(data), size, jit, tail, halting),
            loop,
            jit,
            _specs(data),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([4], tf.int32),
        )


DIRECT_AFTER, DIRECT_SECONDS = 100, 2e-3
"""After how many calls, of at most how many seconds, a form is called directly."""


class _Plain:
    """How a plain form is called: without Grappler where that gains nothing, at last directly.

    TensorFlow's own call of a function ends in an operation; on the way there it checks and
    packs in Python what is known here, which takes longer than a small model's step. That
    operation, called directly, makes the function once more; and TensorFlow keeps what it
    made, about 1 MB, when the function is gone. So only a function that is called often, and
    for a short time each, is called so.
    """

    def __init__(self, concrete: Any, rewritten: bool) -> None:
        self._concrete = concrete
        self._calling = contextlib.nullcontext if rewritten else grappler.without_grappler
        options = None if rewritten else grappler.options_without()
        self._config = options.config_proto_serialized if options else b""
        self._captured = list(concrete.captured_inputs)
        self._types = [output.dtype for output in concrete.outputs]
        self._single = not isinstance(concrete.structured_outputs, list)
        self._calls, self._spent = 0, 0.0
        self._goes_direct = False

    @classmethod
    def of(cls, concrete: Any, rewritten: bool = True) -> Any:
        """The function to be called so, or itself if it returns more than dense tensors."""
        given = concrete.structured_outputs
        outputs = given if isinstance(given, list) else [given]
        dense = all(isinstance(output, tf.Tensor) for output in outputs)
        whole = dense and len(concrete.outputs) == len(outputs)
        return cls(concrete, rewritten) if whole else concrete

    def __call__(self, data: Any, *rest: Any) -> Any:
        leaves = leaves_of(data)
        if not (self._goes_direct and all(isinstance(leaf, tf.Tensor) for leaf in leaves)):
            return self._called(data, *rest)
        outputs = tf.raw_ops.StatefulPartitionedCall(
            args=[*leaves, *rest, *self._captured],
            Tout=self._types,
            f=self._concrete,
            config_proto=self._config,
        )
        return outputs[0] if self._single else outputs

    def _called(self, *args: Any) -> Any:
        began = time.perf_counter()
        with self._calling():
            found = self._concrete(*args)
        if 0 < self._calls <= DIRECT_AFTER:  # the first call makes the function
            self._spent += time.perf_counter() - began
            short = self._spent < DIRECT_AFTER * DIRECT_SECONDS
            self._goes_direct = self._calls == DIRECT_AFTER and short
        self._calls += 1
        return found


def leaves_of(data: Any) -> list[Any]:
    """The tensors of (inputs, targets, sample weights), without what is not given."""
    return [tensor for part in data for tensor in part if tensor is not None]


def signature_of(data: Any) -> Any:
    """What kind of data a compiled form is for: shapes but for the rows, and types."""
    return tuple(
        tuple([None if t is None else (*t.shape.as_list()[1:], t.dtype) for t in part])
        for part in data
    )


def _specs(data: Any, size: int | None = None) -> Any:
    """The types of the tensors, their first size left open or given, in the same structure."""
    return tuple(
        [None if t is None else tf.TensorSpec([size, *t.shape[1:]], t.dtype) for t in part]
        for part in data
    )


def _gather(data: Any, rows: Any) -> Any:
    return tuple([None if t is None else tf.gather(t, rows) for t in part] for part in data)
