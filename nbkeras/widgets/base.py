"""What the live views have in common: the way to the page and back.

A view is shown as an anywidget where its front-end is built, and as HTML and text that
are updated in place where it is not (no Node.js when nbkeras was installed).
"""

from __future__ import annotations

import math
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from nbkeras import events as ev
from nbkeras.text import setting
from nbkeras.widgets import run_state
from nbkeras.widgets.run_state import RunState

__all__ = [
    "Display",
    "RunWidget",
    "Throttle",
    "Widget",
    "check_request",
    "in_kernel",
    "is_built",
]

STATIC = Path(__file__).parent / "static"

Bundle = dict[str, Any]


def is_built(view: str) -> bool:
    """Whether there is JavaScript for a view."""
    return (STATIC / f"{view}.js").is_file()


def in_kernel() -> bool:
    """Whether outputs go to a notebook, not to a terminal."""
    # IPython is never imported for this: where it runs, it has been.
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


class Widget(anywidget.AnyWidget):
    """A view's end of the wire. A subclass names its ``view`` and adds its traits.

    A page may set only the traits named in ``from_page``; anything else it sends
    (a new ``_esm``, for one, that other pages would run) is ignored.
    """

    view: ClassVar[str]
    from_page: ClassVar[frozenset[str]] = frozenset()

    @property
    def _esm(self) -> str:
        return (STATIC / f"{self.view}.js").read_text("utf-8")

    @property
    def _css(self) -> str:
        style = STATIC / f"{self.view}.css"
        return style.read_text("utf-8") if style.is_file() else ""

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take what a page may set."""
        allowed = {name: sync_data[name] for name in sync_data if name in self.from_page}
        if allowed:
            super().set_state(allowed)

    def bundle(self, text: str) -> tuple[Bundle, Bundle]:
        """What shows this widget, with ``text`` for those who cannot, and its metadata."""
        shown = self._repr_mimebundle_()
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        return {**(data or {}), "text/plain": text}, metadata


class RunWidget(Widget):
    """A widget that follows a run.

    ``state`` is the one trait that moves: a small summary, and under ``record`` what is
    new in curves, epochs and changes since the update before. The trait ``record`` is
    never sent by itself: it is computed whenever a page asks for the whole state, as
    one that was reloaded does. Updates are counted (``seq``), so that a page knows when
    it has missed one; it then says ``{"type": "Hello"}`` and is told everything again.
    """

    state = traitlets.Dict().tag(sync=True, echo_update=False)
    record = traitlets.Any(None).tag(
        sync=True, echo_update=False, to_json=lambda _, widget: widget.snapshot()
    )

    def __init__(self, state: RunState, **more: Any) -> None:
        # What the page knows, which update told it, and whether it must hear all of it anew.
        self._told, self._seq, self._retell = RunState(), 0, True
        self._lock = threading.Lock()
        super().__init__(state=self._update(state, more))

    def tell(self, state: RunState, **more: Any) -> None:
        """Send one update. Any thread may."""
        with self._lock:
            self.state = self._update(state, more)

    def _update(self, state: RunState, more: Bundle) -> Bundle:
        whole = self._retell
        delta = run_state.difference(RunState() if whole else self._told, state)
        delta["since"] = 0 if whole else self._seq
        self._told, self._retell, self._seq = state, False, self._seq + 1
        return {"seq": self._seq, **more, **run_state.summary(state), "record": delta}

    def retell(self, known: Any = None) -> None:
        """Let the next update tell everything, unless the page knows update ``known``."""
        with self._lock:
            self._retell = self._retell or known != self._seq

    def snapshot(self) -> Bundle:
        """Everything that has been told so far."""
        with self._lock:
            return {"seq": self._seq, **run_state.record(self._told)}


class Display:
    """The outputs that show one view, however many cells do."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._ids)

    def add(self, data: Bundle, metadata: Bundle | None = None) -> None:
        """Show it in the cell that runs."""
        self._ids.append(uuid.uuid4().hex)
        self._publish(self._ids[-1], data, metadata)

    def update(self, data: Bundle) -> None:
        """Replace what the outputs show. Works from any thread: the id says where."""
        for name in self._ids:
            self._publish(name, data, update=True)

    def _publish(
        self, name: str, data: Bundle, metadata: Bundle | None = None, **more: Any
    ) -> None:
        from IPython.display import publish_display_data

        publish_display_data(data, metadata or {}, transient={"display_id": name}, **more)


class Throttle:
    """Lets fewer than ten updates a second pass, after the first minute two.

    >>> now = 0.0
    >>> throttle = Throttle(clock=lambda: now)
    >>> throttle.passes(), throttle.passes()
    (True, False)
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 0.11,
        later: float = 0.5,
        after: float = 60.0,
    ) -> None:
        self._clock, self._interval, self._later, self._after = clock, interval, later, after
        self.start()

    def start(self) -> None:
        """Begin anew: the next update passes."""
        self._began = self._clock()
        self._last = -math.inf

    @property
    def interval(self) -> float:
        """Seconds between two updates."""
        return self._interval if self._clock() - self._began < self._after else self._later

    def passes(self, urgent: bool = False) -> bool:
        """Whether an update may be sent now; it is then taken as sent."""
        now = self._clock()
        if not urgent and now - self._last < self.interval:
            return False
        self._last = now
        return True


# ---------------------------------------------------------------- from the page

_REQUESTS: dict[str, type[ev.Request]] = {
    kind.__name__: kind for kind in (ev.Pause, ev.Resume, ev.Step, ev.Stop, ev.SetParameter)
}


def check_request(content: Any, parameters: Mapping[str, ev.Parameter]) -> ev.Request:
    """The request that a page sent, if it is one that a run takes.

    >>> check_request({"type": "Pause"}, {})
    Pause()

    Raises:
        ValueError: an unknown type, parameter or field, or a value out of range.
    """
    kind = content.get("type") if isinstance(content, Mapping) else None
    if not isinstance(kind, str) or kind not in _REQUESTS:
        raise ValueError(f"Expected one of {', '.join(_REQUESTS)}; got {content!r:.200}.")
    if kind != "SetParameter":
        if len(content) > 1:
            raise ValueError(f"{kind} takes no arguments; got {content!r:.200}.")
        return _REQUESTS[kind]()
    name, value = content.get("parameter"), content.get("value")
    parameter = parameters.get(name) if isinstance(name, str) else None
    if parameter is None or len(content) > 3:
        known = ", ".join(parameters) or "none"
        raise ValueError(f"The parameters of this run are: {known}; got {content!r:.200}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{parameter.label} takes a number; got {value!r:.80}.")
    if not parameter.minimum <= value <= parameter.maximum:
        low, high = setting(parameter.minimum), setting(parameter.maximum)
        raise ValueError(f"{parameter.label} lies between {low} and {high}; got {value!r:.80}.")
    return ev.SetParameter(parameter.name, float(value))
