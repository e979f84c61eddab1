"""The one loop of fit and of evaluate; all that is not the loop is a callback."""

from __future__ import annotations

from typing import Any

import numpy as np

from .logs import Logs

__all__ = ["Means", "fit_loop", "test_loop"]


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
        """The means so far."""
        values = np.where(self._stateful, self._last, self._total / max(self._rows, 1))
        return Logs(zip(self.names, values.tolist(), strict=True))


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
    for epoch in range(initial_epoch, epochs):
        if model.stop_training:
            break
        callbacks.on_epoch_begin(epoch)
        model.objective.reset_metrics()
        executor.begin(order())
        means = Means(model.objective.names, model.objective.stateful_names)
        run_batches(model, executor, callbacks, means)
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
    run_batches(model, executor, callbacks, means)
    callbacks.on_test_end()
    return means.logs()


def run_batches(model: Any, executor: Any, callbacks: Any, means: Means) -> None:
    """Go through the data once, in chunks as large as the executor and the callbacks allow."""
    step = 0
    while executor.has(step):
        count = executor.next_count(step, callbacks.steps_allowed)
        sizes = executor.sizes(step, count)
        callbacks.on_steps_begin(step, sizes)
        values = executor.run(step, count)
        means.add(values, sizes)
        callbacks.on_steps_end(step, sizes, values, means)
        step += count
        if callbacks.stopping:
            break
