"""A training in a thread of its own, and the handle by which it is watched and steered."""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

from nbkeras import events

__all__ = ["Run"]

ACTIVE = ("starting", "running", "paused", "stopping")


class Run:
    """A training that goes on while cells run; ``%fit --background`` returns it.

    It is a listener of its own training: it follows the events and holds the mailbox.

    Args:
        name: what the model is called.
        model: the model that is trained.
        train: trains it, and returns its History; called with this run as a listener.
    """

    may_lag = True

    def __init__(self, name: str, model: Any, train: Callable[[Run], Any]) -> None:
        self.name = name
        self.model = model
        self.status = "starting"
        self.error: BaseException | None = None
        self.parameters: dict[str, float] = {}
        self._train = train
        self._result: Any = None
        self._epoch, self._epochs = 0, 0
        self._logs: dict[str, list[float]] = {}
        self._mailbox: events.Mailbox | None = None
        self._waiting: list[events.Request] = []  # asked for before there is a mailbox
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._watchers: list[Callable[[], None]] = []
        # In the cell's context what the thread prints and shows is the cell's own output.
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name=f"nbkeras-fit-{name}", daemon=True
        )

    def start(self) -> Run:
        """Begin."""
        self._thread.start()
        return self

    def _work(self) -> None:
        try:
            self._result = self._train(self)
        except BaseException as error:
            self.error = error
            self.status = "failed"
        else:
            if self.status in ACTIVE:  # no RunEnded was heard
                self.status = "finished"
        with self._lock:
            self._done.set()
            watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher()

    # ---- what is known of it

    @property
    def active(self) -> bool:
        """Whether it still trains."""
        return not self._done.is_set()

    @property
    def history(self) -> dict[str, list[float]]:
        """The logs of the epochs so far, as in ``History.history``."""
        if self._result is not None:
            return self._result.history
        return {name: list(values) for name, values in self._logs.items()}

    @property
    def progress(self) -> str:
        """Where it is: ``epoch 3 of 10``."""
        return f"epoch {min(self._epoch + 1, self._epochs)} of {self._epochs}"

    def __repr__(self) -> str:
        where = f", {self.progress}" if self._epochs and self.active else ""
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.history.items())
        return f"<Run of {self.name}: {self.status}{where}{': ' + last if last else ''}>"

    # ---- steering

    def stop(self) -> None:
        """End it after the step in flight; what was learned stays."""
        self.post(events.Stop())

    def pause(self) -> None:
        """Halt it at the next step boundary."""
        self.post(events.Pause())

    def resume(self) -> None:
        """Go on after a pause."""
        self.post(events.Resume())

    def step(self) -> None:
        """Train one batch, then halt again."""
        self.post(events.Step())

    def set(self, parameter: str, value: float) -> None:
        """Move a parameter, from the next batch on.

        Args:
            parameter: one of ``parameters``, such as ``"lr"``.
            value: its new value.

        Raises:
            ValueError: there is no such parameter.
        """
        if self.parameters and parameter not in self.parameters:
            known = ", ".join(map(repr, self.parameters))
            raise ValueError(f"This run has the parameters {known}; got {parameter!r}.")
        self.post(events.SetParameter(parameter, float(value)))

    def post(self, request: events.Request) -> None:
        """Ask for anything."""
        if isinstance(request, events.Stop) and self.status in ACTIVE:
            self.status = "stopping"
        with self._lock:
            if self._mailbox is None:
                self._waiting.append(request)
                return
        self._mailbox.post(request)

    # ---- waiting

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for its end; an interrupt ends the wait, not the run.

        Returns:
            The History.

        Raises:
            TimeoutError: it still trains after ``timeout`` seconds.
            Exception: what the training raised.
        """
        from nbkeras.widgets import live

        deadline = None if timeout is None else time.monotonic() + timeout
        with live.Waiting() as waiting:
            self.when_done(waiting.wake)
            while self.active:
                left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
                if left <= 0:
                    raise TimeoutError(f"{self!r} still trains after {timeout:g} s.")
                waiting.once(left)
        return self.result()

    def result(self) -> Any:
        """The History of a run that is over; raises what it raised."""
        self._thread.join()
        if self.error is not None:
            raise self.error
        return self._result

    def when_done(self, watcher: Callable[[], None]) -> None:
        """Have a function called at its end, at once if it is over."""
        with self._lock:
            if self.active:
                self._watchers.append(watcher)
                return
        watcher()

    def break_off(self) -> None:
        """Raise KeyboardInterrupt in its thread, for code that never reaches a boundary."""
        if self.active and self._thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(KeyboardInterrupt)
            )

    # ---- the listener

    def attach(self, mailbox: events.Mailbox) -> None:
        """Take the mailbox of the training, and post what was asked for before."""
        with self._lock:
            self._mailbox = mailbox
            waiting, self._waiting = self._waiting, []
        for request in waiting:
            mailbox.post(request)

    def handle(self, event: events.Event) -> None:
        """Follow the training."""
        match event:
            case events.RunStarted():
                self._epochs, self._epoch = event.epochs, event.initial_epoch
                self.parameters = {p.name: p.value for p in event.parameters}
                self._enter("running")
            case events.ParameterChanged():
                self.parameters[event.parameter] = event.value
            case events.EpochEnded():
                self._epoch = event.epoch + 1
                for name, value in event.logs.items():
                    self._logs.setdefault(name, []).append(value)
            case events.RunPaused():
                self._enter("paused")
            case events.RunResumed():
                self._enter("running")
            case events.RunEnded():
                self.status = event.reason
            case events.RunFailed():
                self.status = "failed"

    def _enter(self, status: str) -> None:
        if self.status != "stopping":
            self.status = status
