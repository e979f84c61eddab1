"""The training panel: a run as it happens, and the controls to steer it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from nbkeras import events as ev
from nbkeras.text import plain
from nbkeras.widgets import live, run_state, static
from nbkeras.widgets.base import (
    Display,
    RunWidget,
    Throttle,
    check_request,
    in_kernel,
    is_built,
)
from nbkeras.widgets.run_state import RunState

__all__ = ["TrainingPanel"]

log = logging.getLogger(__name__)

ENDED = (*run_state.ENDS, "failed")


class TrainingWidget(RunWidget):
    """The live form of the panel."""

    view = "training"


class TrainingPanel:
    """Progress, curves and controls of a run; at its end a static record of it.

    Give it to ``fit``, which then shows it where it runs:
    ``model.fit(x, y, callbacks=[TrainingPanel()])``. It listens to events only, so it
    can follow several runs one after another, and shows each in its own output.
    """

    # Panels of finished runs answer a page that is reloaded; the oldest are closed.
    _finished: ClassVar[deque[TrainingWidget]] = deque()
    _most_finished = 8

    may_lag = True

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = RunState()
        self._throttle = Throttle(clock)
        self._slow = Throttle(clock, interval=1.0, later=1.0)
        self._display = Display()
        self._widget: TrainingWidget | None = None
        self._mailbox: ev.Mailbox | None = None
        # Whether the controls work while the run goes on, as far as is known.
        self._controls = False
        self._notice = ""
        self._wake: Callable[[], None] = _nothing

    # ------------------------------------------------------------ from the run

    def attach(self, mailbox: ev.Mailbox) -> None:
        """Post what the controls ask for to this mailbox."""
        self._mailbox = mailbox

    def handle(self, event: ev.Event) -> None:
        """Take an event in, and update what is shown if it is time to."""
        starts = isinstance(event, ev.RunStarted)
        if starts and self.state.active:
            self._finish()  # a run that never said it was over
        state = run_state.reduce(self.state, event)
        if state is self.state:
            return
        self.state = state
        try:
            if starts:
                self._throttle.start()
                self._slow.start()
                if not self._display:
                    self.show()
            if self._publish(self._is_urgent(event)):
                live.pump()
            if isinstance(event, ev.RunPaused):
                self._wait()
            if isinstance(event, ev.RunEnded | ev.RunFailed):
                self._finish()
        except Exception:  # a view must never stop a training
            log.warning("The training panel could not be updated.", exc_info=True)

    def _is_urgent(self, event: ev.Event) -> bool:
        """Whether no other event may follow for a while, so that this one must be shown."""
        if isinstance(event, ev.EpochEnded):
            return False
        if self.state.status == "paused":
            return True
        if isinstance(event, ev.BatchEnded):  # the last one before a long validation
            state, pause = self.state, self.state.gap
            slow = pause is None or pause > self._throttle.interval
            return state.validation and event.step == state.steps and slow
        return not isinstance(event, ev.ParameterChanged)

    def _publish(self, urgent: bool) -> bool:
        """Show the state unless that was just done; whether it was."""
        if self._widget is not None:
            if not self._throttle.passes(urgent):
                return False
            self._tell(self._widget)
            return True
        if self._display and self._slow.passes(urgent):
            self._display.update(static.progress(self.state))
        return False

    def _wait(self) -> None:
        """Where a paused run holds the main thread, let the page's messages through."""
        if self._mailbox is None or threading.current_thread() is not threading.main_thread():
            return
        with live.Waiting() as waiting:
            self._wake = waiting.wake
            try:
                while waiting.live and not self._mailbox.wait(0):
                    waiting.once(timeout=0.25)
            finally:
                self._wake = _nothing

    def _tell(self, widget: TrainingWidget) -> None:
        widget.tell(self.state, controls=self._controls, notice=self._notice)

    def _finish(self) -> None:
        """Replace the outputs by the static record, and let go of them."""
        if self._display:
            self._display.update(static.bundle(self.state))
        elif not in_kernel():
            print(static.text(self.state))
        self._display = Display()
        if self._widget is not None:
            self._finished.append(self._widget)
            self._widget = None
        while len(self._finished) > self._most_finished:
            self._finished.popleft().close()

    # ------------------------------------------------------------ to the page

    def show(self) -> None:
        """Show the panel in the cell that runs now; call it on the main thread."""
        if not in_kernel():
            return
        if self.state.status in ENDED:
            Display().add(static.bundle(self.state))
        elif is_built(TrainingWidget.view):
            self._display.add(*self._open().bundle(static.text(self.state)))
        else:
            self._display.add(static.progress(self.state))

    def _open(self) -> TrainingWidget:
        if self._widget is None:
            widget = TrainingWidget(self.state, controls=False, notice="")
            widget.on_msg(self._receive)
            self._controls = live.pin(widget.comm)
            self._widget = widget
        return self._widget

    def _repr_mimebundle_(self, **_: Any) -> Any:
        if self._widget is not None:
            return self._widget.bundle(static.text(self.state))
        return static.bundle(self.state)

    # ------------------------------------------------------------ from the page

    def _receive(self, widget: TrainingWidget, content: Any, _buffers: Any) -> None:
        """A message of the page: a greeting or a request. Anything else is refused."""
        # A message that is heard while the run goes on: so the controls work.
        self._controls = self._controls or self.state.active
        if isinstance(content, dict) and content.get("type") == "Hello":
            widget.retell(content.get("seq"))
        else:
            self._notice = self._post(content)
        if widget is self._widget and self.state.status != "running":
            self._tell(widget)  # while it runs, the next event brings the answer

    def _post(self, content: Any) -> str:
        """Leave a request for the run; why not, where it is refused."""
        if self._mailbox is None or not self.state.active:
            return "The run is over." if self.state.status in ENDED else "No run has begun."
        try:
            parameters = {p.name: p for p in self.state.parameters}
            self._mailbox.post(check_request(content, parameters))
            self._wake()  # the message may have come by another thread
        except ValueError as error:
            return plain(error)
        return ""


def _nothing() -> None:
    """Nobody waits."""
