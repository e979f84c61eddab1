"""What the magics of one notebook share: the current model and data, and the runs."""

from __future__ import annotations

import atexit
import contextlib
import queue
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError

from nbkeras import events
from nbkeras.magics import names
from nbkeras.magics.arguments import CommandParser, Namespace
from nbkeras.magics.run import Run

__all__ = ["Data", "Session"]

GRACE = 2.0
"""Seconds after an interrupt before a run that does not end is spoken of."""


@dataclass(frozen=True)
class Data:
    """Data as they were given, and how they were written."""

    x: Any
    y: Any
    source: str


class Session:
    """The state of one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.model: Any = None
        self.name = ""
        self.data: Data | None = None
        self.tested: Data | None = None
        self.runs: list[Run] = []
        self.view: tuple[int, Any, str, str] | None = None
        self._idle = _IdleInterrupt(self)
        # Before the interpreter ends, trainings reach a step boundary.
        atexit.register(_stop_all, weakref.ref(self))

    def close(self) -> None:
        """Forget everything; runs that train go on."""
        self._idle.remove()

    # ---- models and data

    def namespace(self, local: Mapping[str, Any] | None) -> Namespace:
        """Where a magic's expressions are evaluated."""
        return Namespace(self.shell.user_ns, local, names.for_options)

    def use(self, model: Any, name: str) -> None:
        """Make a model the current one."""
        self.model, self.name = model, name

    def take_model(
        self, words: list[str], namespace: Namespace, parser: CommandParser
    ) -> tuple[Any, str, list[str]]:
        """The model a line names, or the current one; its name; the words after it.

        Raises:
            UsageError: there is none, or the name is unknown.
        """
        if words:
            value = namespace.evaluate(words[0], parser.command)
            if is_model(value):
                return value, words[0], words[1:]
        if self.model is None:
            parser.fail("which model? Define one with %%model, or name one")
        return self.model, self.name, words

    def take_data(
        self, words: list[str], namespace: Namespace, parser: CommandParser
    ) -> Data | None:
        """The data that the words after the model name; None if there are none.

        Raises:
            UsageError: too many words, or an unknown name.
        """
        if not words:
            return None
        if len(words) > 2:
            parser.fail(
                f"there is one model, x and y, and here is also {' '.join(words[2:])!r}; a value "
                f"with blanks in it stands in brackets"
            )
        values = [namespace.evaluate(word, parser.command) for word in words]
        return Data(values[0], values[1] if len(values) > 1 else None, ", ".join(words))

    # ---- runs

    def active(self, model: Any) -> Run | None:
        """The run that trains a model, if one does."""
        return next((run for run in self.runs if run.model is model and run.active), None)

    def refuse_if_training(self, model: Any, what: str) -> None:
        """One thing at a time with one model.

        Raises:
            UsageError: the model is being trained.
        """
        run = self.active(model)
        if run is not None:
            raise UsageError(
                f"{what}: {run.name} is being trained ({run.progress}). Wait for that run with "
                f".wait() or end it with .stop(); it is what %fit --background returned."
            )

    def start(self, name: str, model: Any, train: Callable[[Run], Any]) -> Run:
        """Begin a run."""
        self.refuse_if_training(model, "%fit")
        self.runs = [run for run in self.runs if run.active]
        run = Run(name, model, train)
        self.runs.append(run)
        self._idle.install()
        return run.start()

    def finish(self, run: Run) -> Any:
        """Wait for a run in the foreground: an interrupt ends the run, not the wait.

        The step in flight is finished and the History returned. Where that does not
        happen in a while, as with a callback that never returns, it is said, and one
        more interrupt breaks it off.

        Returns:
            The History.

        Raises:
            Exception: what the training raised.
            KeyboardInterrupt: it was broken off.
        """
        from nbkeras.widgets import live

        with live.Waiting() as waiting, interrupts(waiting.wake) as pressed:
            run.when_done(waiting.wake)
            heard, asked, spoken = 0, 0.0, False
            while run.active:
                waiting.once(timeout=0.5)
                now = time.monotonic()
                if len(pressed) > heard:
                    if spoken:
                        return self._break_off(run)
                    if not heard:
                        run.post(events.Stop("interrupted"))
                        asked = now
                    heard = len(pressed)
                if heard and not spoken and now - asked > GRACE and run.active:
                    print(
                        "Waiting for the end of the step in flight. "
                        "Interrupt once more to break it off.",
                        file=sys.stderr,
                        flush=True,
                    )
                    spoken, heard = True, len(pressed)
        return run.result()

    def _break_off(self, run: Run) -> Any:
        run.break_off()
        deadline = time.monotonic() + GRACE
        while run.active and time.monotonic() < deadline:
            time.sleep(0.02)
        if run.active:
            raise KeyboardInterrupt(
                f"{run.name} does not stop; its training goes on in the background."
            )
        return run.result()


def is_model(value: Any) -> bool:
    """Whether a value is one of our models; asks nothing of TensorFlow."""
    return any(
        kind.__name__ == "Model" and kind.__module__.startswith("nbkeras.core")
        for kind in type(value).__mro__
    )


# ---------------------------------------------------------------- interrupts


@contextlib.contextmanager
def interrupts(wake: Callable[[], None]) -> Iterator[list[int]]:
    """Count presses of the interrupt button instead of raising KeyboardInterrupt.

    Yields:
        A list with an item for each press so far. Outside the main thread, where
        Python handles no signals, it stays empty.
    """
    pressed: list[int] = []

    def press(number: int, frame: Any) -> None:
        pressed.append(number)
        wake()

    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


class _IdleInterrupt:
    """The interrupt button while no cell runs: it ends the trainings in the background.

    A kernel ignores the signal then. It saves the handler that is set when a cell
    begins and sets it again when the cell ends, so replacing what it saved is enough.
    The handler itself may come while the main thread holds any lock, so that it only
    puts the signal into a queue, which a thread reads.
    """

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)
        self._saved: Any = None
        self._pressed: queue.SimpleQueue[int] = queue.SimpleQueue()

    def install(self) -> None:
        """Take effect when the running cell ends."""
        session = self._session()
        kernel = getattr(session.shell, "kernel", None) if session else None
        saved = getattr(kernel, "saved_sigint_handler", None)
        if kernel is None or saved is None or saved == self.handle:
            return
        if threading.current_thread() is threading.main_thread():
            self._saved, kernel.saved_sigint_handler = saved, self.handle
            arguments = (self._pressed, self._session)
            threading.Thread(target=_stop_when_pressed, args=arguments, daemon=True).start()

    def remove(self) -> None:
        """Give the kernel its own handler back."""
        session = self._session()
        kernel = getattr(session.shell, "kernel", None) if session else None
        if kernel is not None and getattr(kernel, "saved_sigint_handler", 0) == self.handle:
            kernel.saved_sigint_handler = self._saved
        self._saved = None
        self._pressed.put(0)

    def handle(self, number: int, frame: Any) -> None:
        """What Python calls for the signal."""
        self._pressed.put(number)


def _stop_when_pressed(pressed: queue.SimpleQueue[int], reference: weakref.ref[Session]) -> None:
    while pressed.get():
        session = reference()
        for run in session.runs if session else ():
            if run.active:
                run.post(events.Stop("interrupted"))


def _stop_all(reference: weakref.ref[Session]) -> None:
    session = reference()
    active = [run for run in session.runs if run.active] if session else []
    for run in active:
        run.stop()
    for run in active:
        run._thread.join(timeout=5)
