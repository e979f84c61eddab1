"""A training in a real kernel: watched, steered, stopped and interrupted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.conftest import ROOT, Cell, Notebook, start_kernel

SETUP = """
%load_ext nbkeras
import threading, time
import ipywidgets
import numpy as np
from nbkeras import events
rng = np.random.RandomState(0)
x = rng.rand(640, 8).astype('float32')
y = x.sum(1, keepdims=True)


class Control:
    "A view in miniature: a slider for the learning rate, a text for what happens."

    def __init__(self):
        self.slider = ipywidgets.FloatSlider()
        self.slider.on_msg(self.receive)
        self.slider.observe(self.move, 'value')
        self.happened, self.mailbox = [], None

    def attach(self, mailbox):
        self.mailbox = mailbox

    def handle(self, event):
        self.happened.append(event)
        if isinstance(event, (events.RunStarted, events.RunPaused, events.RunResumed)):
            print(type(event).__name__, flush=True)
        elif isinstance(event, events.ParameterChanged):
            print(event.parameter, round(event.value, 6), flush=True)

    def move(self, change):
        self.mailbox.post(events.SetParameter('lr', change.new))

    def receive(self, widget, content, buffers):
        self.mailbox.post(events.from_json(content))

    def kinds(self):
        return [type(event).__name__ for event in self.happened]
"""
MODEL = """%%model net --input x --loss mse --optimizer sgd --lr 0.001 --seed 0 --show none
Dense(8, activation='relu')
Dropout(0.25)
Dense(1)
"""
ENDLESS = "h = %fit net x y --epochs 1000000 --callbacks [control] --no-panel --verbose 0"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    manager, client = start_kernel(tmp_path_factory.mktemp("kernel"))
    try:
        notebook = Notebook(manager, client)
        notebook.run(SETUP)
        notebook.run(MODEL)
        yield notebook
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def control(prepared: Notebook) -> str:
    """The comm of a fresh view."""
    before = set(prepared.models(_model_name="FloatSliderModel"))
    prepared.run("control = Control()")
    [comm] = set(prepared.models(_model_name="FloatSliderModel")) - before
    return comm


def printed(notebook: Notebook, cell: Cell, text: str, times: int = 1) -> None:
    """Wait until a cell has printed something, and is not through."""
    notebook.until(lambda: cell.text.count(text) >= times or cell.done, repr(text))
    assert cell.text.count(text) >= times, cell.error or cell.text


def training(notebook: Notebook, line: str = ENDLESS) -> Cell:
    cell = notebook.start(line)
    printed(notebook, cell, "RunStarted")
    return cell


def end_reason(notebook: Notebook) -> str:
    return ast.literal_eval(notebook.value("control.happened[-1].reason"))


# ---------------------------------------------------------------- in the foreground


def test_a_slider_moves_the_learning_rate_of_a_running_cell(
    prepared: Notebook, control: str
) -> None:
    cell = training(prepared)
    prepared.update(control, value=0.5)
    printed(prepared, cell, "lr 0.5")
    assert not cell.done
    prepared.custom(control, {"type": "Stop"})
    prepared.finish(cell)
    assert cell.error is None
    assert end_reason(prepared) == "stopped"


def test_pause_step_resume_and_stop_of_a_running_cell(prepared: Notebook, control: str) -> None:
    cell = training(prepared)
    prepared.custom(control, {"type": "Pause"})
    printed(prepared, cell, "RunPaused")
    prepared.custom(control, {"type": "Step"})
    printed(prepared, cell, "RunPaused", 2)
    prepared.custom(control, {"type": "Resume"})
    printed(prepared, cell, "RunResumed")
    prepared.custom(control, {"type": "Stop"})
    prepared.finish(cell)
    assert cell.error is None
    first, second = ast.literal_eval(
        prepared.value(
            "[(e.epoch, e.step) for e in control.happened if isinstance(e, events.RunPaused)]"
        )
    )
    assert second[0] * 20 + second[1] == first[0] * 20 + first[1] + 1


def test_an_interrupt_ends_a_running_cell_and_keeps_the_history(
    prepared: Notebook, control: str
) -> None:
    cell = training(prepared)
    prepared.interrupt()
    prepared.finish(cell)
    assert cell.error is None
    assert "Traceback" not in cell.text
    assert "Interrupted in epoch" in cell.text
    assert end_reason(prepared) == "interrupted"
    assert prepared.value("type(h).__name__") == "'History'"
    assert prepared.value("control.kinds()[-1]") == "'RunEnded'"
    again = prepared.run("h = %fit --epochs 2 --no-panel --verbose 0")
    assert again.error is None
    assert prepared.value("len(h.history['loss'])") == "2"


def test_an_interrupt_while_paused_ends_it_too(prepared: Notebook, control: str) -> None:
    cell = training(prepared)
    prepared.custom(control, {"type": "Pause"})
    printed(prepared, cell, "RunPaused")
    prepared.interrupt()
    prepared.finish(cell)
    assert cell.error is None
    assert end_reason(prepared) == "interrupted"


def test_a_callback_that_hangs_is_broken_off_by_a_second_interrupt(
    prepared: Notebook, control: str
) -> None:
    prepared.run(
        "from nbkeras.core.callbacks import LambdaCallback\n"
        "def hang(batch, logs):\n"
        "    print('hangs', flush=True)\n"
        "    while True: time.sleep(0.01)\n"
    )
    cell = prepared.start(
        "h = %fit net x y --callbacks LambdaCallback(on_batch_end=hang) --no-panel --verbose 0"
    )
    printed(prepared, cell, "hangs")
    prepared.interrupt()
    printed(prepared, cell, "Interrupt once more")
    prepared.interrupt()
    prepared.finish(cell)
    assert "KeyboardInterrupt" in (cell.error or "")
    prepared.run("h = %fit --epochs 1 --no-panel --verbose 0")


def test_an_error_of_a_callback_is_shown_with_the_users_frames_only(prepared: Notebook) -> None:
    prepared.run("def burn(epoch, logs):\n    raise RuntimeError('It burns.')\n")
    cell = prepared.finish(
        prepared.start("%fit net x y --callbacks LambdaCallback(on_epoch_end=burn) --no-panel")
    )
    assert cell.error is not None
    assert "RuntimeError: It burns." in cell.error
    assert "line 2, in burn" in cell.error
    assert "nbkeras" not in cell.error
    prepared.run("h = %fit --epochs 1 --no-panel --verbose 0")


def test_a_page_that_is_reloaded_finds_its_widgets_while_a_cell_runs(
    prepared: Notebook, control: str
) -> None:
    cell = training(prepared)
    states = prepared.reload()
    assert not cell.done
    assert states[control]["model_name"] == "FloatSliderModel"
    prepared.custom(control, {"type": "Stop"})
    prepared.finish(cell)


# ---------------------------------------------------------------- behind the cells

BEHIND = ENDLESS.replace("h =", "run =") + " --background"


def test_background_returns_at_once_and_is_steered(prepared: Notebook, control: str) -> None:
    cell = prepared.run(BEHIND)
    prepared.until(lambda: "RunStarted" in cell.text, "a run's start")
    prepared.update(control, value=0.25)
    prepared.until(lambda: "lr 0.25" in cell.text, "a slider's effect, in the cell of the run")
    prepared.run("run.pause()")
    prepared.until(lambda: "RunPaused" in cell.text, "a pause")
    assert prepared.value("run.status") == "'paused'"
    prepared.run("run.resume()")
    prepared.until(lambda: "RunResumed" in cell.text, "the end of a pause")
    assert prepared.run("run").result.startswith("<Run of net: running, epoch ")
    prepared.run("run.stop(); h = run.wait()")
    assert prepared.value("run.status") == "'stopped'"
    assert prepared.value("h.history == run.history") == "True"


def test_one_run_a_model_at_a_time(prepared: Notebook, control: str) -> None:
    prepared.run(BEHIND)
    for line in ("%fit", "%evaluate"):
        refused = prepared.finish(prepared.start(f"{line} net x y"))
        assert "net is being trained" in (refused.error or "")
    prepared.run("run.stop(); run.wait()")


def test_an_interrupt_of_another_cell_leaves_the_run_alone(
    prepared: Notebook, control: str
) -> None:
    began = prepared.run(BEHIND)
    prepared.until(lambda: "RunStarted" in began.text, "a run's start")
    cell = prepared.start("print('sleeps', flush=True)\ntime.sleep(60)")
    printed(prepared, cell, "sleeps")
    prepared.interrupt()
    prepared.finish(cell)
    assert "KeyboardInterrupt" in (cell.error or "")
    assert prepared.value("run.active") == "True"
    prepared.run("run.stop(); run.wait()")


def test_an_interrupt_of_wait_leaves_the_run_alone(prepared: Notebook, control: str) -> None:
    began = prepared.run(BEHIND)
    prepared.until(lambda: "RunStarted" in began.text, "a run's start")
    cell = prepared.start("print('waits', flush=True)\nrun.wait()")
    printed(prepared, cell, "waits")
    prepared.update(control, value=0.125)
    prepared.until(lambda: "lr 0.125" in began.text, "a slider's effect during run.wait()")
    prepared.interrupt()
    prepared.finish(cell)
    assert "KeyboardInterrupt" in (cell.error or "")
    assert prepared.value("run.active") == "True"
    prepared.run("run.stop(); run.wait()")


def test_an_interrupt_of_an_idle_kernel_ends_the_run(prepared: Notebook, control: str) -> None:
    began = prepared.run(BEHIND)
    prepared.until(lambda: "RunStarted" in began.text, "a run's start")
    prepared.interrupt()
    prepared.run("h = run.wait()")
    assert prepared.value("run.status") == "'interrupted'"


def test_an_error_behind_the_cells_is_said_in_the_cell_of_the_run(prepared: Notebook) -> None:
    began = prepared.run(
        "run = %fit net x y --callbacks LambdaCallback(on_epoch_end=burn) --no-panel --background"
    )
    prepared.until(lambda: "failed: RuntimeError: It burns." in began.text, "an error's report")
    assert prepared.value("run.status") == "'failed'"
    waited = prepared.finish(prepared.start("run.wait()"))
    assert "It burns." in (waited.error or "")


# ---------------------------------------------------------------- the panel

built = pytest.mark.skipif(
    not Path(ROOT, "nbkeras", "widgets", "static", "training.js").is_file(),
    reason="The front-end is not built.",
)
PANEL = "h = %fit net x y --epochs 1000000"


def panel(notebook: Notebook, line: str) -> tuple[Cell, str]:
    """A training with its panel, and the panel's comm once it runs."""
    before = len(notebook.messages)
    cell = notebook.start(line)

    def running() -> str | None:
        for message in notebook.messages[before:]:
            state = message["content"].get("data", {})
            state = state.get("state", {}) if isinstance(state, dict) else {}
            if isinstance(state.get("state"), dict) and state["state"].get("status") == "running":
                return message["content"]["comm_id"]
        return None

    return cell, notebook.until(running, "a running panel")


@built
@pytest.mark.parametrize("more", ["", " --background"])
def test_the_panels_own_controls(prepared: Notebook, more: str) -> None:
    cell, comm = panel(prepared, PANEL + more)
    prepared.custom(comm, {"type": "SetParameter", "parameter": "lr", "value": 0.03125})
    prepared.until(lambda: "0.03125" in str(prepared.messages[-50:]), "the new learning rate")
    prepared.custom(comm, {"type": "Stop"})
    prepared.finish(cell)
    if more:
        prepared.run("h.wait()")
    assert cell.error is None
    [shown] = cell.of("display_data")
    records = prepared.until(
        lambda: [
            message
            for message in prepared.messages
            if message["header"]["msg_type"] == "update_display_data"
            and message["content"]["transient"] == shown["content"]["transient"]
        ],
        "the static record",
    )
    data = records[-1]["content"]["data"]
    assert "application/vnd.jupyter.widget-view+json" not in data
    assert {"text/html", "text/plain"} <= data.keys()
