"""A run's events to its listeners, and their requests to the run."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

from ... import events
from ..engine.logs import Logs
from ..engine.steering import Steering
from .base import Callback

__all__ = ["EventStream"]

QUIET_SECONDS = 0.05
"""Between two events of batches: short epochs would send thousands a second."""

_numbers = itertools.count(1)


class Waiting:
    """Batches that no event has told of yet: how many, and the sums of what they logged."""

    def __init__(self) -> None:
        self.count = 0
        self.rows = 0
        self.sums: dict[str, float] = {}
        self.means: dict[str, float] = {}

    def add(self, sizes: Any, values: dict[str, Any], means: Logs) -> None:
        self.count += len(sizes)
        self.rows += int(sizes.sum())
        self.means = means
        for name, column in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(sizes @ column)


class EventStream(Callback):
    """Tells listeners what happens, and does what they ask at step boundaries.

    Args:
        listeners: objects with ``handle(event)`` and, if they want to ask for
            something, ``attach(mailbox)``.
        mailbox: where requests arrive.
    """

    def __init__(
        self, listeners: Sequence[Any] = (), mailbox: events.Mailbox | None = None
    ) -> None:
        super().__init__()
        self.listeners = list(listeners)
        self.mailbox = mailbox or events.Mailbox()
        self.run = f"run-{next(_numbers)}"
        self.reason = "finished"
        self._epoch = self._step = self._epochs = self._rows = 0
        self._told = 0.0
        self._waiting = Waiting()
        self._paused = False

    @property
    def may_lag(self) -> bool:  # type: ignore[override]
        """Whether no listener answers to an epoch before the next one is trained."""
        return all(getattr(listener, "may_lag", False) for listener in self.listeners)

    def _emit(self, kind: type, **fields: Any) -> None:
        if self.listeners:
            passed = time.perf_counter() - self._began
            events.emit(kind(run=self.run, time=passed, **fields), self.listeners)

    # ---------------------------------------------------------------- hooks

    def on_train_begin(self, logs: Any = None) -> None:
        self._began = time.perf_counter()
        self.steering = Steering(self.model)
        for listener in self.listeners:
            if hasattr(listener, "attach"):
                listener.attach(self.mailbox)
        if self.listeners:
            events.emit(self._started(), self.listeners)

    def _started(self) -> events.RunStarted:
        params = self.params
        return events.RunStarted(
            run=self.run,
            model=self.model.name,
            epochs=params["epochs"],
            initial_epoch=params.get("initial_epoch", 0),
            steps=params.get("steps"),
            samples=params.get("samples"),
            batch_size=params.get("batch_size"),
            validation=bool(params.get("do_validation")),
            metrics=tuple(self.model.metrics_names),
            parameters=self.steering.parameters(),
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch, self._step, self._rows = epoch, 0, 0
        self._tell_changes("callback")
        self._boundary()

    def on_steps_end(self, step: int, sizes: Any, values: dict[str, Any], means: Logs) -> None:
        self._step = step + len(sizes)
        self._rows += int(sizes.sum())
        if self.listeners:
            self._waiting.add(sizes, values, means)
            if time.perf_counter() - self._told >= QUIET_SECONDS:
                self._tell_batches()
        if self.steps_allowed is not None:
            self._pause()
        self._boundary()

    def _tell_batches(self) -> None:
        waiting, self._waiting = self._waiting, Waiting()
        if waiting.count:
            self._told = time.perf_counter()
            self._emit(
                events.BatchEnded,
                epoch=self._epoch,
                step=self._step,
                count=waiting.count,
                samples=self._rows,
                logs={name: total / waiting.rows for name, total in waiting.sums.items()},
                means=dict(waiting.means),
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.model.stop_training or epoch + 1 == self.params["epochs"]:
            self._tell_batches()
        numbers = {name: float(value) for name, value in (logs or {}).items()}
        self._epochs += not self._cut_short
        self._emit(events.EpochEnded, epoch=epoch, logs=numbers)
        self._tell_changes("callback")

    @property
    def _cut_short(self) -> bool:
        steps = self.params.get("steps")
        return steps is not None and self._step < steps

    def on_train_end(self, logs: Any = None) -> None:
        if self.reason == "finished" and self.model.stop_training:
            self.reason = "stopped"
        self._emit(events.RunEnded, reason=self.reason, epochs=self._epochs)

    def on_train_failed(self, error: BaseException) -> None:
        self._emit(events.RunFailed, error=type(error).__name__, message=str(error))

    # ---------------------------------------------------------------- requests

    def attend(self) -> bool:
        """Do what was asked for while a batch is waited for; whether the run should stop."""
        self._boundary()
        return bool(self.model.stop_training)

    def _boundary(self) -> None:
        """Do what was asked for; while paused, wait for more."""
        if self.behind:
            return
        for request in self.mailbox.drain():
            self._obey(request)
        while self._paused and not self.model.stop_training:
            self.mailbox.wait()
            for request in self.mailbox.drain():
                self._obey(request)

    def _obey(self, request: events.Request) -> None:
        if isinstance(request, events.SetParameter):
            self.steering.set(request.parameter, request.value)
            self._tell_changes("user")
        elif isinstance(request, events.Pause):
            self._pause()
        elif isinstance(request, events.Resume):
            self._resume(steps=None)
        elif isinstance(request, events.Step):
            self._resume(steps=1)
        elif isinstance(request, events.Stop):
            self.reason = request.reason
            self.model.stop_training = True

    def _pause(self) -> None:
        self.steps_allowed = None
        if not self._paused:
            self._paused = True
            self._tell_batches()
            self._emit(events.RunPaused, epoch=self._epoch, step=self._step)

    def _resume(self, steps: int | None) -> None:
        self.steps_allowed = steps
        if self._paused:
            self._paused = False
            self._emit(events.RunResumed, epoch=self._epoch, step=self._step)

    def _tell_changes(self, source: str) -> None:
        for name, value, previous in self.steering.changes():
            self._emit(
                events.ParameterChanged,
                parameter=name,
                value=value,
                previous=previous,
                epoch=self._epoch,
                step=self._step,
                source=source,
            )
