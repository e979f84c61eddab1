"""The one loop of fit and of evaluate; all that is not the loop is a callback."""

from __future__ import annotations

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
        self._stateful = np.array([name in stateful for name in names])
        self._total = np.zeros(len(names))
        self._last = np.zeros(len(names))
        self._rows = 0

    def add(self, values: np.ndarray, sizes: np.ndarray) -> None:
        """Add the logs of some batches (one row each) and their numbers of rows."""
        self._total += sizes @ values.astype(np.float64)
        self._rows += int(sizes.sum())
        self._last = values[-1].astype(np.float64)

    def logs(self) -> Logs:
        """The means so far; of no batches they are no numbers."""
        values = np.where(self._stateful, self._last, self._total / (self._rows or np.nan))
        return Logs(zip(self.names, values.tolist(), strict=True))

    def get_state(self) -> dict[str, Any]:
        """The sums so far, for a run that is to go on from here."""
        return {"total": self._total.copy(), "last": self._last.copy(), "rows": self._rows}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from sums that :meth:`get_state` gave."""
        self._total, self._last = np.array(state["total"]), np.array(state["last"])
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
) -> None:
    """Train for some epochs.

    Args:
        model: for ``stop_training`` and its objective.
        executor: runs the training step.
        callbacks: hear of everything.
        epochs: the number of the last epoch, plus one.
        initial_epoch: the number of the first.
        order: a function that returns an order of rows for an epoch, or ``None``.
        validate: a function from an epoch's number to validation logs (``{}`` for none).
    """
    callbacks.on_train_begin()
    for epoch in range(callbacks.begin_at(initial_epoch), epochs):
        if model.stop_training:
            break
        callbacks.on_epoch_begin(epoch)
        model.objective.reset_metrics()
        means = Means(model.objective.names, model.objective.stateful_names)
        run = Pass(epoch, order(), means, steps=executor.steps)
        callbacks.on_pass_begin(run)
        executor.begin(run.order)
        run_batches(executor, callbacks, run)
        logs = means.logs()
        if not callbacks.stopping:
            logs.update(validate(epoch))
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end()


def test_loop(model: Any, executor: Any, callbacks: Any) -> Logs:
    """Measure losses and metrics over the data; their means."""
    model.objective.reset_metrics()
    executor.begin()
    means = Means(model.objective.names, model.objective.stateful_names)
    callbacks.on_test_begin()
    run_batches(executor, callbacks, Pass(0, None, means))
    callbacks.on_test_end()
    return means.logs()


def run_batches(executor: Any, callbacks: Any, run: Pass) -> None:
    """Go through the data once, in chunks as large as the executor and the callbacks allow."""
    while executor.has(run.step):
        step = run.step
        count = executor.next_count(step, callbacks.steps_allowed)
        sizes = executor.sizes(step, count)
        callbacks.on_steps_begin(step, sizes)
        values = executor.run(step, count)
        run.means.add(values, sizes)
        run.step += count
        callbacks.on_steps_end(step, sizes, values, run.means)
        if callbacks.stopping:
            break
