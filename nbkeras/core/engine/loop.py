"""The one loop of fit and of evaluate; all that is not the loop is a callback."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .logs import Logs

__all__ = ["Means", "Pass", "fit_loop", "test_loop"]


class Means:
    """Running means of what batches log, weighted by their rows.

    Metrics that keep state of their own are not averaged: their last value counts.
    """

    def __init__(self, names: list[str], stateful: set[str]) -> None:
        self.names = names
        self._stateful = [name in stateful for name in names]
        # Numbers of Python: a run that is seen batch by batch adds one row at a time.
        self._total = [0.0] * len(names)
        self._last = [0.0] * len(names)
        self._rows = 0

    def add(self, values: np.ndarray, sizes: np.ndarray) -> None:
        """Add the logs of some batches (one row each) and their numbers of rows."""
        self._last = values[-1].tolist()
        if len(sizes) == 1:
            rows = int(sizes[0])
            sums = [rows * value for value in self._last]
        else:
            rows = int(sizes.sum())
            sums = (sizes @ values.astype(np.float64)).tolist()
        self._total = [total + more for total, more in zip(self._total, sums, strict=True)]
        self._rows += rows

    def logs(self) -> Logs:
        """The means so far; of no batches they are no numbers."""
        rows = self._rows or math.nan
        each = zip(self.names, self._stateful, self._last, self._total, strict=True)
        return Logs({name: last if kept else total / rows for name, kept, last, total in each})

    def get_state(self) -> dict[str, Any]:
        """The sums so far, for a run that is to go on from here."""
        return {"total": np.array(self._total), "last": np.array(self._last), "rows": self._rows}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from sums that :meth:`get_state` gave."""
        self._total = np.asarray(state["total"], np.float64).tolist()
        self._last = np.asarray(state["last"], np.float64).tolist()
        self._rows = int(state["rows"])


@dataclass
class Pass:
    """One epoch under way.

    Attributes:
        epoch: its number.
        order: the order of the rows; ``None`` for their own, or for a stream.
        means: of what its batches logged.
        step: how many batches are done.
        steps: how many there will be, if that is known.
    """

    epoch: int
    order: np.ndarray | None
    means: Means
    step: int = 0
    steps: int | None = None


def fit_loop(
    model: Any,
    executor: Any,
    callbacks: Any,
    *,
    epochs: int,
    initial_epoch: int,
    order: Any,
    validate: Any,
    step_by_step: bool = False,
) -> None:
    """Train for some epochs.

    Args:
        model: for ``stop_training`` and its objective.
        executor: runs the training step.
        callbacks: hear of everything.
        epochs: the number of the last epoch, plus one.
        initial_epoch: the number of the first.
        order: a function that returns an order of rows for an epoch, or ``None``.
        validate: a function from an epoch's number to validation logs; ``None`` for none.
        step_by_step: whether each step must be a call of its own.
    """
    callbacks.on_train_begin()
    if callbacks.halting:
        executor.halt_on_nan()
    epoch = callbacks.begin_at(initial_epoch)
    alone = validate is None and not model.objective.stateful_metrics
    while epoch < epochs and not model.stop_training:
        several = 0
        if alone and callbacks.may_lag:
            several = executor.next_passes(epochs - epoch, callbacks.at_once(executor.steps))
        if several > 1:
            run_epochs(model, executor, callbacks, epoch, [order() for _ in range(several)])
            epoch += several
            continue
        callbacks.on_epoch_begin(epoch)
        executor.see_each(callbacks.wants_batches or step_by_step)
        model.objective.reset_metrics()
        run = _pass(model, executor, epoch, order())
        callbacks.on_pass_begin(run)
        executor.begin(run.order)
        run_batches(executor, callbacks, run)
        logs = run.means.logs()
        if validate is not None and not callbacks.stopping:
            logs.update(validate(epoch))
        callbacks.on_epoch_end(epoch, logs)
        epoch += 1
    callbacks.on_train_end()


def _pass(model: Any, executor: Any, epoch: int, order: np.ndarray | None) -> Pass:
    objective = model.objective
    means = Means(objective.names, objective.stateful_names)
    return Pass(epoch, order, means, steps=executor.steps)


def run_epochs(
    model: Any, executor: Any, callbacks: Any, epoch: int, orders: list[np.ndarray | None]
) -> None:
    """Train several short epochs in one call, then let the callbacks hear of each in turn."""
    steps = executor.steps
    executor.begin(*orders)
    values = executor.run(0, steps * len(orders))
    sizes = executor.sizes(0, steps)
    began = time.perf_counter()
    for number, order in enumerate(orders):
        callbacks.set_behind(number + 1 < len(orders))
        callbacks.on_epoch_begin(epoch + number)
        callbacks.on_steps_begin(0, sizes)
        run = _pass(model, executor, epoch + number, order)
        run.step = steps
        mine = values[number * steps : (number + 1) * steps]
        run.means.add(mine, sizes)
        callbacks.on_steps_end(0, sizes, mine, run.means)
        callbacks.on_epoch_end(epoch + number, run.means.logs())
    callbacks.took(time.perf_counter() - began, steps * len(orders))


def test_loop(model: Any, executor: Any, callbacks: Any) -> Logs:
    """Measure losses and metrics over the data; their means."""
    model.objective.reset_metrics()
    executor.begin()
    means = Means(model.objective.names, model.objective.stateful_names)
    callbacks.on_test_begin()
    executor.see_each(callbacks.wants_batches)
    run_batches(executor, callbacks, Pass(0, None, means))
    callbacks.on_test_end()
    return means.logs()


def run_batches(executor: Any, callbacks: Any, run: Pass) -> None:
    """Go through the data once, in chunks as large as the executor and the callbacks allow."""
    while executor.has(run.step):
        step = run.step
        count = executor.next_count(step, callbacks.at_once())
        sizes = executor.sizes(step, count)
        callbacks.on_steps_begin(step, sizes)
        values = executor.run(step, count)
        sizes = sizes[: len(values)]  # fewer if a batch halted the run
        run.means.add(values, sizes)
        run.step += len(values)
        callbacks.on_steps_end(step, sizes, values, run.means)
        if callbacks.stopping:
            break
