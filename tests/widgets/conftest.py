"""A page that is not there: what a kernel would send is written down, and it can answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import comm.base_comm
import IPython.display
import pytest

from nbkeras.widgets import base, training


class PageComm(comm.base_comm.BaseComm):
    """A comm whose messages end on the page."""

    page: Page

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        if (data or {}).get("method") == "custom" or "state" in (data or {}):
            self.page.messages.append((self.comm_id, msg_type, data))


@dataclass
class Page:
    """Outputs by display id as (first, now), and what came over the comms."""

    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    messages: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    @property
    def updates(self) -> list[dict[str, Any]]:
        """The values that a run's ``state`` took."""
        states = (data["state"] for _, _, data in self.messages if "state" in data)
        return [state["state"] for state in states if "state" in state]

    @property
    def output(self) -> dict[str, Any]:
        """What the only output shows now."""
        (shown,) = self.outputs.values()
        return shown[-1]

    def publish(self, data, metadata=None, *, transient=None, update=False, **_):
        assert all(isinstance(value, str | dict) for value in data.values())
        name = transient["display_id"]
        assert update == (name in self.outputs)
        self.outputs.setdefault(name, []).append(data)

    def send(self, panel, content):
        """Send what a page would; the panel's widget gets it as from a comm."""
        data = {"method": "custom", "content": content}
        panel._widget._handle_msg({"content": {"data": data}, "buffers": []})

    def reload(self, panel):
        """The whole state of a widget, as a page asks for it that is new."""
        return panel._widget.get_state()


@pytest.fixture
def page(monkeypatch):
    """A notebook page, with the front-end built or as if it were."""
    page = Page()
    monkeypatch.setattr(PageComm, "page", page, raising=False)
    monkeypatch.setattr(comm, "create_comm", PageComm)
    monkeypatch.setattr(training, "in_kernel", lambda: True)
    monkeypatch.setattr(training, "is_built", lambda view: True)
    monkeypatch.setattr(base.Widget, "_esm", "export default {}")
    monkeypatch.setattr(base.Widget, "_css", "")
    monkeypatch.setattr(IPython.display, "publish_display_data", page.publish)
    return page


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()
