"""Widgets' messages while a cell blocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel.conftest import Cell, Notebook

SLIDER = """
import sys, threading, time, ipywidgets
from nbkeras.widgets import live
slider = ipywidgets.FloatSlider()
arrived = threading.Event()
seen = []
def observe(change):
    seen.append((change.new, threading.current_thread().name))
    arrived.set()
slider.observe(observe, "value")
slider
"""
WAIT = """
with live.Waiting() as waiting:
    threading.Thread(target=lambda: (arrived.wait(60), waiting.wake()), daemon=True).start()
    print("waits", waiting.live, flush=True)
    while not waiting.once(60):
        pass
print(seen, flush=True)
"""


@pytest.fixture
def slider(notebook: Notebook) -> Iterator[str]:
    """The comm of a slider."""
    before = set(notebook.models(_model_name="FloatSliderModel"))
    notebook.run(SLIDER)
    [comm] = set(notebook.models(_model_name="FloatSliderModel")) - before
    yield comm
    notebook.run("live.release()")


def started(notebook: Notebook, code: str, word: str = "waits") -> Cell:
    """A cell that runs and has printed a word."""
    cell = notebook.start(code)
    notebook.until(lambda: word in cell.text or cell.done, f"{word!r} in a cell's output")
    assert not cell.done, cell.error
    return cell


def test_a_waiting_cell_handles_messages(notebook: Notebook, slider: str) -> None:
    cell = started(notebook, WAIT)
    notebook.update(slider, value=1.0)
    assert notebook.finish(cell).text == "waits True\n[(1.0, 'MainThread')]\n"


def test_the_front_end_is_told_that_a_message_is_done_and_the_cell_is_not(
    notebook: Notebook, slider: str
) -> None:
    cell = started(notebook, WAIT.replace("arrived.wait(60)", "time.sleep(0.5)"))
    request = notebook.update(slider, value=2.0)
    notebook.until(lambda: notebook.answered(request), "the end of a slider's message")
    assert not cell.done
    notebook.finish(cell)
    states = [message["content"]["execution_state"] for message in cell.of("status")]
    assert states[-2:] == ["busy", "idle"]


def test_a_waiting_cell_answers_a_page_that_is_reloaded(notebook: Notebook, slider: str) -> None:
    cell = started(notebook, WAIT)
    requests = {
        (notebook.client.kernel_info(), "kernel_info_reply"),
        (notebook.client.comm_info(), "comm_info_reply"),
        (notebook.client.complete("slide"), "complete_reply"),
    }
    notebook.until(lambda: requests <= notebook.replies(), "three replies")
    assert not cell.done
    notebook.update(slider, value=3.0)
    notebook.finish(cell)


def test_queued_cells_run_afterwards_in_order(notebook: Notebook, slider: str) -> None:
    notebook.run("order = []")
    cell = started(notebook, WAIT)
    queued = [notebook.start(f"order.append({number})") for number in range(5)]
    notebook.update(slider, value=4.0)
    for one in [cell, *queued]:
        notebook.finish(one)
    assert notebook.value("order") == "[0, 1, 2, 3, 4]"


def test_queued_cells_are_dropped_after_an_error_as_ever(notebook: Notebook, slider: str) -> None:
    notebook.run("order = []")
    cell = started(notebook, WAIT + "1 / 0")
    queued = [notebook.start(f"order.append({number})") for number in range(3)]
    notebook.update(slider, value=5.0)
    for one in [cell, *queued]:
        notebook.until(lambda one=one: one.reply is not None, "a reply")
    assert [one.reply["status"] for one in queued] == ["aborted"] * 3
    assert notebook.value("order") == "[]"


def test_pump_handles_what_waits(notebook: Notebook, slider: str) -> None:
    cell = started(
        notebook,
        "print('waits', flush=True)\n"
        "while not arrived.is_set():\n"
        "    time.sleep(0.01); live.pump()\n"
        "print(seen)",
    )
    notebook.update(slider, value=6.0)
    assert "(6.0, 'MainThread')" in notebook.finish(cell).text


def test_a_pinned_comm_is_served_by_another_thread(notebook: Notebook, slider: str) -> None:
    if notebook.run("print(live.pin(slider.comm))").text != "True\n":
        pytest.skip("This ipykernel cannot pin; the pump serves its widgets.")
    cell = started(notebook, "print('waits', flush=True); arrived.wait(60); print(seen)")
    notebook.update(slider, value=7.0)
    text = notebook.finish(cell).text
    assert "7.0" in text
    assert "MainThread" not in text


def test_pin_is_offered_from_ipykernel_7_4_on(notebook: Notebook, slider: str) -> None:
    version = notebook.value("tuple(__import__('ipykernel').version_info[:2]) >= (7, 4)")
    assert notebook.value("live.pin(slider.comm)") == version


def test_release_leaves_no_thread_and_no_override(notebook: Notebook, slider: str) -> None:
    count = "sum(t.name.startswith('subshell-') for t in threading.enumerate())"
    before = notebook.value(count)
    notebook.run("live.pin(slider.comm); live.release()")
    assert notebook.value(count) == before
    assert notebook.value("'_reply_subshell_for' in vars(slider.comm)") == "False"
