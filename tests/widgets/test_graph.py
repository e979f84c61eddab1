import base64
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from nbkeras.widgets import ModelGraph, base, graph
from nbkeras.widgets.graph import GraphWidget, summary
from tests.diagram import models

FIXTURE = Path(__file__).parent / "fixtures" / "graph.json"


def state_of(model):
    """What a page is told of a model, as it arrives there."""
    widget = ModelGraph(model, inspect=lambda *names: {})._open()
    state = {name: getattr(widget, name) for name in ("drawing", "spare", "layers", "about")}
    return json.loads(json.dumps(state))


@pytest.fixture
def sent(monkeypatch):
    """What a widget sends to its page, which is not there."""
    messages = []
    monkeypatch.setattr(GraphWidget, "send", lambda self, content: messages.append(content))
    return messages


def opened(shown: ModelGraph) -> GraphWidget:
    widget = shown._open()
    assert widget is shown._open()
    return widget


def ask(shown: ModelGraph, content) -> None:
    widget = opened(shown)
    widget._handle_custom_msg(content, [])


# ---------------------------------------------------------------- pictures


def test_takes_the_event_of_a_model_only():
    with pytest.raises(TypeError, match="ModelBuilt event of a model, not str"):
        ModelGraph("net")


def test_the_saved_notebook_holds_the_picture_and_its_text():
    shown = ModelGraph(models.two_inputs())
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    [code] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', bundle["text/html"])
    assert base64.b64decode(code).decode() == shown.svg()
    [alt] = re.findall(r'alt="([^"]*)"', bundle["text/html"])
    assert alt.startswith("Graph of the model two_inputs: 10 nodes, 9 connections. main_input")
    assert bundle["text/plain"].startswith("Graph of the model two_inputs: 10 nodes")
    assert shown.html() == ModelGraph(models.two_inputs()).html(), "no ids, no clock"


@pytest.mark.parametrize("name", models.NAMED)
def test_the_saved_picture_is_small(name):
    assert len(ModelGraph(models.NAMED[name]()).html()) < 40_000


def test_hostile_names_stay_text_everywhere():
    shown = ModelGraph(models.hostile())
    html = shown.html()
    for markup in ("<script", "onerror=alert(1)>", "\x1b", "\u202e"):
        assert markup not in html
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", str(shown))
    widget = opened(shown)
    for state in (widget.drawing, widget.spare, widget.layers, widget.about):
        text = json.dumps(state, ensure_ascii=False)
        text.encode("utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_saves_svg_png_and_pdf(tmp_path):
    shown = ModelGraph(models.siamese())
    path = shown.save(tmp_path / "model.svg")
    ET.fromstring(path.read_text("utf-8"))
    assert shown.save(str(tmp_path / "model.PNG")).read_bytes().startswith(b"\x89PNG")
    assert shown.save(tmp_path / "model.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"graph.save\('model.svg'\); got 'model.txt'"):
        shown.save(tmp_path / "model.txt")
    names = ["model.PNG", "model.pdf", "model.svg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_folds_and_turns():
    shown = ModelGraph(models.siamese())
    folded = shown.svg()
    assert shown.fold(shown.outline.foldable) is shown
    assert "embed" in shown.svg()
    unfolded = shown.drawing
    assert shown.fold(direction="LR").drawing.open == unfolded.open
    assert shown.fold((), "TB").svg() == folded


# ---------------------------------------------------------------- the live view


def test_outside_a_notebook_it_prints_its_text(capsys):
    shown = ModelGraph(models.siamese())
    shown.show()
    assert capsys.readouterr().out == f"{shown}\n"


def test_in_a_notebook_the_picture_comes_first_then_the_view(monkeypatch):
    outputs = []
    monkeypatch.setattr(graph, "in_kernel", lambda: True)
    monkeypatch.setattr(graph, "is_built", lambda view: True)
    monkeypatch.setattr(base.Display, "add", lambda self, *data: outputs.append(data))
    monkeypatch.setattr(GraphWidget, "_esm", "export default {}")
    monkeypatch.setattr(GraphWidget, "_css", "")
    shown = ModelGraph(models.siamese())
    shown.show()
    picture, view = outputs
    assert set(picture[0]) == {"text/html", "text/plain"}
    assert "application/vnd.jupyter.widget-view+json" in view[0]
    # Without Node.js there is no view; the picture is still there.
    outputs.clear()
    monkeypatch.setattr(graph, "is_built", lambda view: False)
    ModelGraph(models.siamese()).show()
    assert [set(data) for data, *_ in outputs] == [{"text/html", "text/plain"}]


def test_the_page_gets_drawings_for_when_no_kernel_answers():
    shown = ModelGraph(models.siamese())
    widget = opened(shown)
    assert widget.drawing == shown.drawing.to_json()
    assert set(widget.spare) == {"TB", "LR"}
    for direction, drawings in widget.spare.items():
        assert set(drawings) == {"first", "folded", "unfolded"}
        assert {one["direction"] for one in drawings.values()} == {direction}
    assert len(widget.spare["TB"]["unfolded"]["nodes"]) == 8
    assert "unfolded" not in opened(ModelGraph(models.resnet())).spare["TB"]


def test_the_front_end_is_tested_with_what_is_really_sent():
    """``python -m tests.widgets.test_graph`` writes the file anew."""
    assert json.loads(FIXTURE.read_text("utf-8")) == state_of(models.siamese())


def test_the_oldest_views_are_closed_and_can_be_opened_again():
    first = ModelGraph(models.siamese())
    widget = opened(first)
    for _ in range(ModelGraph._most_shown):
        opened(ModelGraph(models.siamese()))
    assert widget.comm is None
    assert len(ModelGraph._shown) == ModelGraph._most_shown
    assert opened(first) is not widget


def test_details_of_each_item():
    layers = opened(ModelGraph(models.two_inputs())).layers
    lstm = layers["2"]
    assert lstm["name"] == "lstm_1"
    assert ["Output", "(?, 32)"] in lstm["facts"]
    assert lstm["config"] == [["units", "32"]]
    assert lstm["weights"] == [
        {
            "name": "lstm_1/kernel:0",
            "shape": "(512, 128)",
            "dtype": "float32",
            "trainable": True,
        }
    ]


def test_unfolds_when_the_page_asks(sent):
    shown = ModelGraph(models.siamese())
    before = opened(shown).drawing
    ask(shown, {"type": "LayOut", "direction": "LR", "open": ["2"]})
    assert sent == [{"type": "LaidOut"}]
    assert opened(shown).drawing == shown.drawing.to_json() != before
    assert (shown.drawing.direction, shown.drawing.open) == ("LR", ("2",))


@pytest.mark.parametrize(
    "content",
    [
        None,
        "LayOut",
        [],
        {},
        {"type": "Stop"},
        {"type": ["LayOut"]},
        {"type": "LayOut"},
        {"type": "LayOut", "direction": "BT", "open": []},
        {"type": "LayOut", "direction": ["TB"], "open": []},
        {"type": "LayOut", "direction": "TB", "open": "2"},
        {"type": "LayOut", "direction": "TB", "open": ["no such"]},
        {"type": "LayOut", "direction": "TB", "open": [["2"]]},
        {"type": "LayOut", "direction": "TB", "open": [], "path": "/etc/passwd"},
        {"type": "Inspect", "id": "no such"},
        {"type": "Inspect", "id": ["2"]},
        {"type": "Inspect", "id": "2", "attribute": "__class__"},
    ],
)
def test_refuses_all_other_messages(sent, content):
    shown = ModelGraph(models.siamese(), inspect=lambda *names: {})
    before = shown.drawing
    ask(shown, content)
    [answer] = sent
    assert answer["type"] == "Refused"
    assert answer["reason"]
    assert shown.drawing is before


def test_inspects_weights_by_the_names_on_the_way(sent):
    asked = []

    def inspect(*names):
        asked.append(names)
        return {"embed/kernel:0": np.array([0.0, 1.0, 2.0, np.nan], "float32")}

    shown = ModelGraph(models.siamese(), inspect=inspect)
    ask(shown, {"type": "Inspect", "id": "2.3"})
    assert asked == [("encoder", "embed")]
    [answer] = sent
    weight = answer["weights"]["embed/kernel:0"]
    assert (answer["type"], answer["id"]) == ("Weights", "2.3")
    assert (weight["count"], weight["bad"], weight["min"], weight["max"]) == (4, 1, 0.0, 2.0)
    json.dumps(answer, allow_nan=False)


def test_blocks_are_no_part_of_a_layers_name(sent):
    asked = []
    shown = ModelGraph(models.residual(), inspect=lambda *names: asked.append(names) or {})
    ask(shown, {"type": "Inspect", "id": "4"})
    assert asked == [("dense_1",)]


def test_an_error_while_inspecting_is_told(sent):
    def inspect(name):
        raise ValueError(f"no layer {name}\x1b")

    shown = ModelGraph(models.two_inputs(), inspect=inspect)
    ask(shown, {"type": "Inspect", "id": "2"})
    assert sent == [
        {
            "type": "Weights",
            "id": "2",
            "weights": {},
            "reason": "ValueError: no layer lstm_1\\u001b",
        }
    ]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [[np.nan, np.inf]],
        [1e308, -1e308, 1e308],
        [1e308] * 3,
        [5e-324, 0.0],
        np.zeros((2, 3), "float16"),
        np.arange(4, dtype="int8"),
        [True, False],
    ],
)
def test_summaries_hold_numbers_that_json_knows(values):
    result = summary(values)
    json.dumps(result, allow_nan=False)
    assert result["count"] == np.size(values)


def test_summary_agrees_with_numpy():
    values = np.random.default_rng(0).normal(size=(20, 30))
    result = summary(values)
    expected = {"min": values.min(), "mean": values.mean(), "max": values.max()}
    expected["std"] = values.std()
    assert {name: result[name] for name in expected} == pytest.approx(expected)
    assert sum(result["bars"]) == values.size
    assert (result["from"], result["to"]) == (result["min"], result["max"])


if __name__ == "__main__":
    FIXTURE.write_text(json.dumps(state_of(models.siamese()), indent=1) + "\n", "utf-8")
