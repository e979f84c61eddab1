"""The training panel without magics: the training itself holds the kernel's main thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbkeras.widgets.base import is_built
from tests.kernel.conftest import Cell, Notebook

pytestmark = pytest.mark.skipif(not is_built("training"), reason="the front-end is not built")

# A run as core makes it, without a model: a step takes a millisecond, and a paused run
# waits for its mailbox.
TRAINING = """
import time
from nbkeras import events as ev
from nbkeras.widgets import TrainingPanel

def train(panel, epochs=1_000_000, steps=100):
    mailbox, began = ev.Mailbox(), time.monotonic()
    now = lambda: time.monotonic() - began
    rate = ev.Parameter("lr", "Learning rate", 1e-3, 1e-6, 1.0, "log")
    panel.attach(mailbox)
    panel.handle(ev.RunStarted("1", "net", epochs, 0, steps, steps, 1, False, ("loss",), (rate,)))
    heard, value, paused, reason = [], 1e-3, False, "finished"
    for count in range(epochs * steps):
        epoch, step = divmod(count, steps)
        time.sleep(0.001)
        logs = {"loss": 1.0 / (count + 1)}
        panel.handle(ev.BatchEnded("1", epoch, step + 1, 1, step + 1, now(), logs, logs))
        if step == steps - 1:
            panel.handle(ev.EpochEnded("1", epoch, now(), logs))
        requests = mailbox.drain()
        while requests or paused:
            for request in requests:
                heard.append(request)
                if isinstance(request, ev.SetParameter):
                    change = (request.parameter, request.value, value, epoch, step + 1, now())
                    panel.handle(ev.ParameterChanged("1", *change))
                    value = request.value
                elif isinstance(request, ev.Pause):
                    paused = True
                    panel.handle(ev.RunPaused("1", epoch, step + 1, now()))
                elif isinstance(request, ev.Resume):
                    paused = False
                    panel.handle(ev.RunResumed("1", epoch, step + 1, now()))
                elif isinstance(request, ev.Stop):
                    panel.handle(ev.RunEnded("1", "stopped", epoch, now()))
                    return heard
            if paused:
                mailbox.wait()
            requests = mailbox.drain()
    panel.handle(ev.RunEnded("1", "finished", epochs, now()))
    return heard
"""


class Panel:
    """A cell that trains, and the panel in its output."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        notebook.run(TRAINING)
        self.cell = notebook.start("heard = train(TrainingPanel())")
        self.comm = notebook.until(self._comm, "a panel")
        self.wait_for(lambda: self.last["status"] == "running", "a run")

    def _comm(self) -> str | None:
        for message in self.cell.of("comm_open"):
            if "record" in message["content"]["data"]["state"]:
                return message["content"]["comm_id"]
        return None

    @property
    def states(self) -> list[dict[str, Any]]:
        """The traits as they were sent, in whose name ever."""
        return [
            message["content"]["data"]["state"]
            for message in self.notebook.messages
            if message["header"]["msg_type"] in ("comm_open", "comm_msg")
            and message["content"]["comm_id"] == self.comm
            and "state" in message["content"]["data"]
        ]

    @property
    def updates(self) -> list[dict[str, Any]]:
        """What the panel was told."""
        return [state["state"] for state in self.states if "state" in state]

    @property
    def last(self) -> dict[str, Any]:
        return self.updates[-1]

    def send(self, kind: str, **fields: Any) -> None:
        self.notebook.custom(self.comm, {"type": kind, **fields})

    def wait_for(self, condition: Callable[[], Any], what: str) -> None:
        self.notebook.until(condition, what)

    def stop(self) -> Cell:
        self.send("Stop")
        return self.notebook.finish(self.cell)


@pytest.fixture
def panel(notebook: Notebook) -> Panel:
    """A panel of a run."""
    return Panel(notebook)


def test_the_controls_work_while_the_training_holds_the_main_thread(
    panel: Panel, notebook: Notebook
) -> None:
    panel.send("SetParameter", parameter="lr", value=0.25)
    panel.wait_for(lambda: panel.last["parameters"][0]["value"] == 0.25, "a new rate")
    assert panel.last["controls"] is True
    panel.send("Pause")
    panel.wait_for(lambda: panel.last["status"] == "paused", "a pause")
    # While it is paused no event comes by; messages must get through all the same.
    panel.send("SetParameter", parameter="lr", value=7)
    panel.wait_for(lambda: "lies between" in panel.last["notice"], "a refusal")
    panel.send("Resume")
    panel.wait_for(lambda: panel.last["status"] == "running", "the run to go on")
    cell = panel.stop()
    assert notebook.value("[type(r).__name__ for r in heard]") == (
        "['SetParameter', 'Pause', 'Resume', 'Stop']"
    )
    [shown] = cell.of("display_data")
    assert "application/vnd.jupyter.widget-view+json" in shown["content"]["data"]
    [record] = cell.of("update_display_data")
    assert set(record["content"]["data"]) == {"text/html", "text/plain"}
    assert record["content"]["transient"] == shown["content"]["transient"]
    assert "Learning rate 0.001 \u2192 0.25" in record["content"]["data"]["text/html"]


def test_a_page_that_comes_new_is_told_everything(panel: Panel, notebook: Notebook) -> None:
    panel.wait_for(lambda: len(panel.updates) > 5, "some updates")
    seen = len(panel.updates)
    panel.send("Hello", seq=0)
    panel.wait_for(
        lambda: any(update["record"]["since"] == 0 for update in panel.updates[seen:]),
        "the whole record",
    )
    seen = len(panel.states)
    notebook.send(panel.comm, {"method": "request_state"})
    panel.wait_for(lambda: any("record" in state for state in panel.states[seen:]), "the state")
    panel.stop()
    state = next(state for state in panel.states[seen:] if "record" in state)
    [curve] = state["record"]["curves"]
    assert (curve["name"], curve["from"]) == ("loss", 0)
    assert len(curve["x"]) > 5


def test_ten_updates_a_second(panel: Panel) -> None:
    panel.wait_for(lambda: panel.last["time"] > 3, "three seconds")
    panel.stop()
    assert len([update for update in panel.updates if 1 <= update["time"] < 3]) <= 21
