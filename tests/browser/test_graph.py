"""The model graph in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from nbkeras.diagram import Outline
from tests.browser.conftest import OpenNotebook
from tests.diagram import models

IMPORT = "from tests.diagram import models\nfrom nbkeras.widgets import ModelGraph"
SIAMESE = """import numpy as np
def inspect(*names):
    return {"embed/kernel:0": np.linspace(-1, 1, 100)} if names[-1] == "embed" else {}
graph = ModelGraph(models.siamese(), inspect=inspect)
graph"""


def test_a_graph_is_folded_walked_through_and_found_again(
    open_notebook: OpenNotebook, screenshots: Path
) -> None:
    notebook = open_notebook("graph.ipynb", cells=[IMPORT, SIAMESE, "graph.drawing.open"])
    notebook.run(0)
    notebook.run(1)
    cell = notebook.cell(1)
    encoder = cell.locator('.nbk-node[data-id="2"]')
    expect(encoder).to_be_visible()
    expect(cell.locator("img")).to_be_hidden()

    # The mouse folds and opens; the kernel knows.
    encoder.locator(".nbk-fold").click()
    embed = cell.locator('.nbk-node[data-id="2.3"]')
    expect(embed).to_be_visible()
    embed.click()
    panel = cell.locator(".nbk-panel")
    expect(panel).to_contain_text("mean")
    expect(panel.locator(".nbk-histogram")).to_be_visible()
    notebook.run(2)
    expect(notebook.output(2)).to_have_text("('2',)")

    # The keyboard walks; Jupyter does not take its keys.
    embed.focus()
    notebook.page.keyboard.press("ArrowUp")
    expect(cell.locator('.nbk-node[data-id="2.2"]')).to_be_focused()
    notebook.page.keyboard.press("Enter")
    expect(panel).to_contain_text("Flatten")

    for theme in ("Dark", "Light"):
        notebook.theme(theme)
        expect(cell.locator(f".nbk-graph[data-theme='{theme.lower()}']")).to_be_visible()
        expect(notebook.page.locator("#jupyterlab-splash")).to_have_count(0)
        cell.screenshot(path=screenshots / f"graph-{theme.lower()}.png")

    notebook.save()
    notebook.reload()
    expect(notebook.cell(1).locator('.nbk-node[data-id="2.3"]')).to_be_visible()
    assert notebook.errors == []


def test_a_network_of_two_hundred_layers(open_notebook: OpenNotebook, screenshots: Path) -> None:
    notebook = open_notebook("resnet.ipynb", cells=[IMPORT, "ModelGraph(models.resnet())"])
    notebook.run(0)
    notebook.run(1)
    cell = notebook.cell(1)
    expect(cell.locator(".nbk-minimap")).to_be_visible()
    expect(cell.get_by_text("5 × conv4_block", exact=True)).to_be_visible()
    cell.screenshot(path=screenshots / "graph-resnet.png")
    cell.get_by_role("button", name="Unfold all").click()
    expect(cell.locator(".nbk-node")).to_have_count(len(list(Outline.of(models.resnet()).walk())))
    assert notebook.errors == []


def test_the_picture_stays_where_the_kernel_is_gone(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook("saved.ipynb", cells=[IMPORT, SIAMESE])
    notebook.run(0)
    notebook.run(1)
    expect(notebook.cell(1).locator(".nbk-node").first).to_be_visible()
    saved = notebook.save()
    assert "widgets" not in saved["metadata"]
    assert len(str(saved)) < 40_000
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown().then(() => null)"
    )
    notebook.reload()
    cell = notebook.cell(1)
    picture = cell.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    # It waits two seconds for a model that does not come, and then says so: out of sight.
    expect(cell.get_by_text("model not found")).to_be_attached(timeout=20_000)
    expect(cell.get_by_text("model not found")).to_be_hidden()
