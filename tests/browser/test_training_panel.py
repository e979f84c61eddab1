"""Steering a training with mouse and keyboard in a real JupyterLab."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.notebook import Notebook
from tests.browser.panel import Panel

SETUP = """
%load_ext nbkeras
from sklearn.datasets import load_digits
digits = load_digits()
x, y = digits.data / 16, digits.target
"""
MODEL = """
%%model net --input x --loss sparse_categorical_crossentropy --metrics accuracy --seed 1
Dense(64, activation='relu')
Dropout(0.2)
Dense(10, activation='softmax')
"""
# Long enough to outlast any test; each test stops it.
FIT = "history = %fit net x y --epochs 100000 --validation-split 0.1"
AFTER = "print(len(history.epoch), float(net.optimizer.lr))"

MOST_BYTES = 100_000


@pytest.fixture
def training(open_notebook: OpenNotebook, request: pytest.FixtureRequest) -> Training:
    """A notebook in which a training runs, and its panel."""
    fit = getattr(request, "param", FIT)
    notebook = open_notebook(
        f"{re.sub(r'[^a-z_]', '', request.node.name)}.ipynb", cells=[SETUP, MODEL, fit, AFTER]
    )
    notebook.run(0)
    notebook.run(1)
    notebook.start_cell(2)
    return Training(notebook)


class Training:
    """A notebook whose cell 2 trains."""

    cell = 2

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.panel = Panel(self.page, notebook.output(self.cell))
        self.panel.wait_until("Running")

    def end(self) -> str:
        """Wait for the cell's end; what it shows then."""
        self.notebook.wait_for_cell(self.cell)
        table = self.notebook.output(self.cell).get_by_role("table").first
        expect(table).to_be_visible()
        return self.notebook.output(self.cell).first.inner_text()

    def stop(self) -> str:
        """Press Stop and wait; what the cell shows then."""
        self.panel.button("Stop").click()
        return self.end()


def test_a_dragged_slider_takes_effect_and_is_marked(training: Training, screenshots: Path) -> None:
    panel, page = training.panel, training.page
    rate = panel.slider(re.compile("learning rate", re.I))
    panel.wait_for_epoch(3)
    expect(panel.element.get_by_text("change")).not_to_be_visible()

    panel.drag(rate, 0.75)
    panel.open_changes()
    expect(panel.changes.first).to_contain_text(re.compile("learning rate", re.I))
    expect(panel.changes.first).to_contain_text("0.001 →")  # Adam's own, in Keras 2
    wanted = rate.get_attribute("aria-valuetext")
    expect(panel.changes.first).to_contain_text(f"→ {wanted}")

    rate.focus()
    before = float(rate.input_value())
    page.keyboard.press("ArrowLeft")  # JupyterLab leaves the key to the slider
    assert float(rate.input_value()) < before
    wanted = rate.get_attribute("aria-valuetext")
    expect(panel.changes.first).to_contain_text(f"→ {wanted}")

    drop = panel.slider(re.compile("dropout", re.I))
    panel.drag(drop, 0.5)
    expect(panel.changes.first).to_contain_text(re.compile("dropout", re.I))

    for theme in ("Light", "Dark"):
        training.notebook.theme(theme)
        panel.element.scroll_into_view_if_needed()
        panel.element.screenshot(path=screenshots / f"panel-running-{theme.lower()}.png")
    training.notebook.theme("Light")

    record = training.stop()
    assert "stopped in epoch" in record
    assert "by hand" in record
    training.notebook.run(3)
    epochs, rate_now = training.notebook.output(3).inner_text().split()
    assert int(epochs) > 2
    assert float(rate_now) == pytest.approx(float(wanted), rel=1e-4)  # what the model trained with
    assert training.notebook.errors == []


def test_pause_step_and_resume(training: Training, screenshots: Path) -> None:
    panel = training.panel
    panel.wait_for_epoch(2)
    expect(panel.button("Step")).to_be_disabled()
    panel.button("Pause").click()
    panel.wait_until("Paused")
    epoch, step = panel.epoch(), panel.steps()
    panel.element.screenshot(path=screenshots / "panel-paused.png")

    bar = panel.element.get_by_role("progressbar", name="Steps")
    panel.button("Step").click()
    following = step + 1 if step < 51 else 1  # 1,617 rows, 32 a step
    expect(bar).to_have_attribute("aria-valuetext", re.compile(rf"^{following} / 51$"))
    panel.wait_until("Paused")
    assert panel.epoch() - epoch in (0, 1)

    panel.button("Resume").click()
    panel.wait_until("Running")
    panel.wait_for_epoch(epoch + 2)
    assert "stopped in epoch" in training.stop()


def test_the_interrupt_button_ends_a_run_and_keeps_what_it_learned(training: Training) -> None:
    training.panel.wait_for_epoch(2)
    training.notebook.interrupt()
    assert "interrupted in epoch" in training.end()
    text = training.notebook.output(training.cell).all_inner_texts()
    assert not any("Traceback" in part or "KeyboardInterrupt" in part for part in text)
    training.notebook.run(3)
    assert int(training.notebook.output(3).inner_text().split()[0]) >= 1


def test_a_page_reloaded_during_a_run_finds_the_panel_again(training: Training) -> None:
    notebook = training.notebook
    training.panel.wait_for_epoch(3)
    notebook.save()
    notebook.reload()

    panel = Panel(notebook.page, notebook.output(training.cell))
    panel.wait_until("Running")
    epoch = panel.epoch()
    assert epoch >= 3
    panel.wait_for_epoch(epoch + 1)  # it goes on living
    expect(panel.element.get_by_role("img").first).to_be_visible()  # the curves are back
    panel.drag(panel.slider(re.compile("learning rate", re.I)), 0.25)
    panel.open_changes()
    expect(panel.changes.first).to_contain_text(re.compile("learning rate", re.I))
    panel.button("Stop").click()
    panel.wait_until("Stopped")
    notebook.run(3)  # the kernel is free again
    assert int(notebook.output(3).inner_text().split()[0]) >= 3


def test_a_page_reloaded_after_a_run_shows_its_record(training: Training) -> None:
    training.panel.wait_for_epoch(2)
    before = training.stop()
    training.notebook.save()
    training.notebook.reload()
    output = training.notebook.output(training.cell)
    expect(output.get_by_role("table").first).to_be_visible()
    expect(output.get_by_role("img").first).to_be_visible()
    assert output.first.inner_text() == before


@pytest.mark.parametrize(
    "training", [FIT.replace("history =", "run =") + " --background"], indirect=True
)
def test_a_training_in_the_background_leaves_the_kernel_free(training: Training) -> None:
    notebook, panel = training.notebook, training.panel
    notebook.wait_for_cell(training.cell)
    panel.wait_for_epoch(2)
    notebook.page.evaluate(
        "source => window.jupyterapp.shell.currentWidget.content.model.cells.get(3)"
        ".sharedModel.setSource(source)",
        "print(6 * 7, run.active)",
    )
    notebook.run(3)
    expect(notebook.output(3)).to_have_text("42 True")
    panel.drag(panel.slider(re.compile("learning rate", re.I)), 0.6)
    panel.open_changes()
    expect(panel.changes).to_have_count(1)
    assert "stopped in epoch" in training.stop()


def test_the_saved_notebook_is_a_small_document(training: Training, screenshots: Path) -> None:
    training.panel.wait_for_epoch(30)
    training.panel.drag(training.panel.slider(re.compile("learning rate", re.I)), 0.3)
    training.panel.open_changes()
    training.stop()
    saved = training.notebook.save()

    assert "widgets" not in saved["metadata"]
    outputs = saved["cells"][training.cell]["outputs"]
    assert len(json.dumps(outputs)) <= MOST_BYTES
    assert kinds(outputs) == {"text/html", "text/plain"}
    assert not re.search(r"IPY_MODEL|widget-view|\d\d:\d\d:\d\d|0x[0-9a-f]{6}", json.dumps(outputs))

    page = training.page.context.new_page()
    page.goto(training.notebook.path.with_suffix(".ipynb").as_uri())  # no server, no kernel
    page.set_content(as_page(training.notebook.path))
    expect(page.get_by_role("table").filter(has_text="dense_1").first).to_be_visible()
    expect(page.get_by_role("table").filter(has_text="Validation").first).to_be_visible()
    curves = page.get_by_role("img", name=re.compile("^Curves"))
    expect(curves).to_be_visible()
    assert curves.evaluate("image => image.complete && image.naturalWidth > 0")
    page.screenshot(path=screenshots / "saved-notebook.png", full_page=True)


def kinds(outputs: list[dict[str, Any]]) -> set[str]:
    """The MIME types of a cell's outputs."""
    return {kind for output in outputs for kind in output.get("data", {})}


def as_page(path: Path) -> str:
    """A notebook as nbconvert, and much like it GitHub, shows it."""
    from nbconvert import HTMLExporter

    return HTMLExporter(require_js_url="", mathjax_url="").from_filename(str(path))[0]
