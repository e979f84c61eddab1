"""The model graph as ``%%model`` shows it, and graphs that must be readable at first sight."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook

GRAPHS = ("chain(12)", "two_inputs()", "residual()")
SMALLEST = 7  # pixels of a letter that can still be read


def graph_of(output: Locator) -> Locator:
    """The live graph among a cell's outputs."""
    return output.locator("section.nbk-graph")


def node(graph: Locator, name: str) -> Locator:
    """A node, by the name that it shows."""
    return graph.locator(".nbk-node").filter(has=graph.page.get_by_text(name, exact=True)).first


def title_height(graph: Locator) -> float:
    """How tall the first name is, in pixels of the page."""
    box = graph.locator(".nbk-title").first.bounding_box()
    assert box is not None
    return box["height"]


def test_graphs_of_all_sizes_are_readable(open_notebook: OpenNotebook, screenshots: Path) -> None:
    setup = "from nbkeras.widgets import ModelGraph\nfrom tests.diagram.models import *"
    cells = [setup, *(f"ModelGraph({graph})" for graph in GRAPHS)]
    notebook = open_notebook("graphs.ipynb", cells=cells)
    notebook.run(0)
    for place, name in enumerate(GRAPHS, 1):
        notebook.run(place)
        graph = graph_of(notebook.output(place))
        expect(graph.locator(".nbk-node").first).to_be_visible()
        assert title_height(graph) >= SMALLEST, name
        short = name.partition("(")[0]
        for theme in ("Light", "Dark"):
            notebook.theme(theme)
            graph.screenshot(path=screenshots / f"graph-{short}-{theme.lower()}.png")
    assert notebook.errors == []


MODEL = """
%%model net --input (8, 8, 1) --loss mse --show graph
Conv2D(4, 3, activation='relu')
Flatten()
Dense(10, name='last')
"""


def test_a_model_is_drawn_inspected_turned_and_saved(
    open_notebook: OpenNotebook, screenshots: Path
) -> None:
    notebook = open_notebook("model_graph.ipynb", cells=["%load_ext nbkeras", MODEL.strip()])
    notebook.run(0)
    notebook.run(1)
    graph = graph_of(notebook.output(1))

    node(graph, "last").click()
    details = graph.get_by_label("Details of last")
    expect(details).to_contain_text("units10")
    expect(details).to_contain_text(re.compile(r"kernel.*\(144, 10\).*mean", re.S))
    expect(details.get_by_role("img", name=re.compile("Histogram")).first).to_be_visible()
    graph.screenshot(path=screenshots / "graph-details.png")
    notebook.page.keyboard.press("Escape")
    expect(details).to_be_hidden()

    drawing = graph.locator(".nbk-drawing")
    tall = drawing.bounding_box()
    graph.get_by_role("button", name="Left to right").click()
    expect(graph.get_by_role("button", name="Top to bottom")).to_be_visible()
    wide = drawing.bounding_box()
    assert wide["width"] / wide["height"] > tall["width"] / tall["height"]
    before = title_height(graph)
    graph.get_by_role("button", name="Zoom in").click()
    assert title_height(graph) > before
    graph.get_by_role("button", name="Table", exact=True).click()
    expect(graph.get_by_role("table")).to_contain_text("last")

    saved = notebook.save()
    assert "widgets" not in saved["metadata"]
    outputs = saved["cells"][1]["outputs"]
    pages = ["".join(o.get("data", {}).get("text/html", "")) for o in outputs]
    [code] = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", "".join(pages))
    picture = base64.b64decode(code).decode()
    assert ">last<" in picture
    assert "(?, 8, 8, 1)" in picture
    assert len(json.dumps(outputs)) < 100_000
    assert notebook.errors == []


INSIDE = """
frame = keras.Input((8, 8, 1), name='frame')
hidden = keras.layers.Flatten(name='flat')(frame)
code = keras.layers.Dense(6, name='code')(hidden)
encoder = keras.Model(frame, [code, keras.layers.Dense(64, name='back')(code)], name='encoder')
one = keras.Sequential([keras.layers.Dense(3, input_shape=(6,), name='deep')], name='one')

left, right = keras.Input((8, 8, 1), name='left'), keras.Input((8, 8, 1), name='right')
codes = [encoder(left)[0], encoder(right)[0]]
steps = keras.layers.Reshape((1, 6), name='steps')(codes[1])
wrapped = keras.layers.TimeDistributed(one, name='each')(steps)
lstm = keras.layers.Bidirectional(keras.layers.LSTM(3, name='lstm'), name='both')(wrapped)
gate = keras.layers.Dense(6, activation='sigmoid', name='gate')
both = [gate(codes[0]), keras.layers.Dropout(0.1, name='drop')(gate(lstm))]
net = keras.Model([left, right], keras.layers.Multiply(name='out')(both), name='net')
"""


def test_calls_of_shared_layers_and_the_inside_of_models_are_seen(
    open_notebook: OpenNotebook, screenshots: Path
) -> None:
    cells = ["%load_ext nbkeras\nfrom nbkeras import keras", INSIDE, "%summary net --show graph"]
    notebook = open_notebook("inside.ipynb", cells=cells)
    for place in range(3):
        notebook.run(place)
    graph = graph_of(notebook.output(2))
    graph.get_by_role("button", name="Unfold all").click()
    for name in ("code", "back", "deep"):
        expect(node(graph, name)).to_be_visible()
    said = graph.locator(".nbk-edge title").all_text_contents()
    assert "gate → out: (?, 6), made by call 1" in said
    assert "gate → drop: (?, 6), made by call 2" in said
    assert "code → gate: (?, 6), made by call 1, read by call 1" in said, "of the encoder"
    expect(node(graph, "both").locator(".nbk-line").first).to_contain_text("Bidirectional(LSTM)")

    node(graph, "deep").focus()  # the keyboard brings into view what is further down
    notebook.page.keyboard.press("Enter")
    details = graph.get_by_label("Details of deep")
    expect(details).to_contain_text(re.compile(r"kernel.*\(6, 3\).*mean", re.S))
    notebook.page.keyboard.press("Escape")
    for theme in ("Light", "Dark"):
        notebook.theme(theme)
        graph.screenshot(path=screenshots / f"graph-inside-{theme.lower()}.png")
    assert notebook.errors == []
