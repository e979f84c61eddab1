"""The first example as a person runs it, from its first cell to its last."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.notebook import Notebook
from tests.browser.panel import Panel

PATH = "01_first_model.ipynb"


def place_of(notebook: Notebook, source: str) -> int:
    """The cell that begins so."""
    cells = json.loads(notebook.path.read_text("utf-8"))["cells"]
    [place] = [
        index
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code" and "".join(cell["source"]).startswith(source)
    ]
    return place


def test_the_first_example_from_its_first_cell_to_its_last(
    open_notebook: OpenNotebook, screenshots: Path
) -> None:
    notebook = open_notebook(PATH)
    page = notebook.page
    model, fit = place_of(notebook, "%%model"), place_of(notebook, "history = %fit")
    evaluate, again = place_of(notebook, "loss, accuracy"), place_of(notebook, "%fit")
    file = place_of(notebook, "import numpy")

    notebook.start("notebook:run-all-cells")
    Panel(page, notebook.output(fit)).wait_until("Running")
    notebook.wait_for_cell(file)

    layers = notebook.output(model).get_by_role("table")
    expect(layers).to_contain_text("dense_1")
    expect(layers).to_contain_text("(None, 64)")
    expect(notebook.output(fit).first).to_contain_text("finished after 60 epochs")
    said = notebook.output(evaluate).inner_text()
    assert float(re.match(r"[\d.]+", said)[0]) >= 96, said
    expect(notebook.output(file)).to_have_text("True")

    panel = Panel(page, notebook.output(again))
    panel.wait_for_epoch(40)
    panel.drag(panel.slider("Learning rate"), 0.72)
    panel.open_changes()
    panel.wait_for_epoch(panel.epoch() + 60)
    panel.drag(panel.slider("dropout_1 rate"), 0.5)
    expect(panel.changes).to_have_count(2)
    panel.wait_for_epoch(panel.epoch() + 60)
    panel.element.screenshot(path=screenshots / "panel.png")
    panel.button("Stop").click()
    notebook.wait_for_cell(again)
    expect(notebook.output(again).first).to_contain_text("2 changes by hand")

    for theme in ("Light", "Dark"):
        notebook.theme(theme)
        for name, place in (("model", model), ("record", again)):
            notebook.cell(place).scroll_into_view_if_needed()
            notebook.cell(place).screenshot(path=screenshots / f"{name}-{theme.lower()}.png")

    saved = notebook.save()
    assert "widgets" not in saved["metadata"]
    assert [
        output
        for cell in saved["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ] == []
    assert notebook.errors == []
