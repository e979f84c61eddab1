"""plot_model and model_to_dot: files, formats, errors, and what a notebook shows."""

from __future__ import annotations

import io
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pydot
import pytest
from PIL import Image

from nbkeras.core import utils
from nbkeras.core.layers import LSTM, Bidirectional, Dense, Flatten, Input, TimeDistributed
from nbkeras.core.models import Model, Sequential
from nbkeras.core.utils import model_to_dot, plot_model, vis_utils

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not there")


@pytest.fixture(autouse=True)
def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def no_pydot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydot", None)


def video(name: str = "video") -> Model:
    frame = Input((4, 4), name="frame")
    encoder = Model(frame, Dense(3, name="embed")(Flatten(name="flat")(frame)), name="encoder")
    x = Input((5, 4, 4), name="x")
    steps = TimeDistributed(encoder, name="steps")(x)
    return Model(x, Bidirectional(LSTM(2, name="lstm"), name="both")(steps), name=name)


def texts(svg: str | bytes) -> list[str]:
    root = ET.fromstring(svg)
    return [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]


class Own(Model):
    """A model that computes in Python code."""

    def __init__(self) -> None:
        super().__init__(name="own")
        self.dense = Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


# ---------------------------------------------------------------- without graphviz


@pytest.mark.usefixtures("no_graphviz")
class TestOwnLayout:
    @pytest.mark.parametrize(
        ("ending", "start"),
        [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("jpg", b"\xff\xd8\xff")],
    )
    def test_draws_without_graphviz(self, ending: str, start: bytes) -> None:
        picture = plot_model(video(), f"model.{ending}")
        data = Path(f"model.{ending}").read_bytes()
        assert data.startswith(start)
        assert picture.data == data
        assert [path.name for path in Path().iterdir()] == [f"model.{ending}"]

    def test_shows_what_is_asked_for(self) -> None:
        plot_model(video(), "a.svg")
        assert texts(Path("a.svg").read_bytes()) == [
            "x",
            "InputLayer",
            "steps(encoder)",
            "TimeDistributed(Model)",
            "both(lstm)",
            "Bidirectional(LSTM)",
        ]
        plot_model(video(), "b.svg", show_layer_names=False)
        kinds = ["InputLayer", "TimeDistributed(Model)", "Bidirectional(LSTM)"]
        assert texts(Path("b.svg").read_bytes()) == kinds
        plot_model(video(), "c.svg", show_shapes=True, expand_nested=True)
        shown = texts(Path("c.svg").read_bytes())
        assert shown[:6] == [
            "steps(encoder)",
            "x",
            "InputLayer",
            "input:",
            "(None, 5, 4, 4)",
            "output:",
        ]
        place = shown.index("embed")
        assert shown[place : place + 6 : 2] == ["embed", "input:", "output:"]
        assert shown[place + 3 : place + 6 : 2] == ["(None, 16)", "(None, 3)"]

    @pytest.mark.parametrize(
        ("rankdir", "axis", "sign"),
        [("TB", "y", 1), ("BT", "y", -1), ("LR", "x", 1), ("RL", "x", -1)],
    )
    def test_turns(self, rankdir: str, axis: str, sign: int) -> None:
        plot_model(video(), "model.svg", rankdir=rankdir)
        root = ET.parse("model.svg").getroot()
        bold = [one for one in root.iter("{http://www.w3.org/2000/svg}text") if one.get("class")]
        places = [sign * float(one.get(axis, "nan")) for one in bold]
        assert len(places) == 3
        assert places == sorted(places)
        assert len(set(places)) == 3

    def test_resolution(self) -> None:
        sizes = {}
        for dpi in (48, 96, 192):
            picture = plot_model(video(), f"{dpi}.png", dpi=dpi)
            with Image.open(io.BytesIO(picture.data)) as image:
                sizes[dpi] = image.size
                assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
        for dpi in (48, 192):
            assert sizes[dpi] == pytest.approx([side * dpi / 96 for side in sizes[96]], abs=1)
        widths = []
        for dpi in (96, 192):
            picture = plot_model(video(), "model.svg", dpi=dpi)
            widths.append(float(ET.fromstring(picture.data).get("width", "nan")))
        assert widths[1] == 2 * widths[0] == pytest.approx(2 * sizes[96][0], abs=2)

    def test_a_picture_is_the_same_each_time(self) -> None:
        model = video()
        for ending in ("png", "svg", "pdf"):
            both = [plot_model(model, f"{number}.{ending}").data for number in range(2)]
            assert both[0] == both[1]

    def test_unknown_formats_say_what_there_is(self) -> None:
        with pytest.raises(ValueError, match=r"drawn as dot, jpeg, .*svg.*got 'gif'.*pip install"):
            plot_model(video(), "model.gif")
        assert not list(Path().iterdir())


@pytest.mark.usefixtures("no_pydot")
def test_without_pydot() -> None:
    plot_model(video(), "model.dot", rankdir="LR")
    assert Path("model.dot").read_text("utf-8").startswith("digraph video {\nrankdir=LR;")
    assert texts(plot_model(video(), "model.svg").data)[0] == "x"
    with pytest.raises(ImportError, match=r"not installed: pip install pydot\. plot_model"):
        model_to_dot(video())


# ---------------------------------------------------------------- with graphviz


@needs_graphviz
@pytest.mark.parametrize(
    ("ending", "start"),
    [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("gif", b"GIF8"), ("ps", b"%!PS")],
)
def test_graphviz_draws(ending: str, start: bytes) -> None:
    assert plot_model(video(), f"model.{ending}").data.startswith(start)


@needs_graphviz
def test_graphviz_shows_the_same_words() -> None:
    plot_model(video(), "model.svg", show_shapes=True, expand_nested=True)
    shown = texts(Path("model.svg").read_bytes())
    assert {"steps(encoder)", "embed: Dense", "both(lstm): Bidirectional(LSTM)"} <= set(shown)
    assert {"(None, 16)", "(None, 5, 3)", "(None, 4)"} <= set(shown)


@needs_graphviz
def test_graphviz_knows_more_formats_but_not_all() -> None:
    with pytest.raises(ValueError, match=r"graphviz draws .*svg.*; got 'docx'"):
        plot_model(video(), "model.docx")
    assert not list(Path().iterdir())


@needs_graphviz
def test_a_graphviz_that_fails_is_told_and_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> bytes:
        raise AssertionError("dot returned code 1")

    monkeypatch.setattr(pydot.Dot, "create", broken)
    with pytest.warns(UserWarning, match="graphviz failed .dot returned code 1."):
        assert plot_model(video(), "model.svg").data.startswith(b"<svg")
    with pytest.raises(RuntimeError, match="graphviz could not draw 'gif': dot returned"):
        plot_model(video(), "model.gif")


# ---------------------------------------------------------------- graphs


def test_a_graph_of_pydot_can_be_asked_and_changed() -> None:
    graph = model_to_dot(video(), rankdir="LR", dpi=120)
    assert isinstance(graph, pydot.Dot)
    assert (graph.get("rankdir"), graph.get("dpi")) == ("LR", "120")
    part = model_to_dot(video("other"), subgraph=True)
    assert isinstance(part, pydot.Cluster)
    graph.add_subgraph(part)
    both = graph.to_string()
    assert len(set(re.findall(r"^(\w+) \[label=", both, re.M))) == 6, "no two nodes share a name"


def test_the_written_graph_is_the_returned_one() -> None:
    plot_model(video(), "model.dot", show_shapes=True, expand_nested=True)
    text = Path("model.dot").read_text("utf-8")
    graph = model_to_dot(video(), show_shapes=True, expand_nested=True)

    def lines(text: str) -> set[str]:
        return {line.strip().rstrip(";") for line in text.splitlines() if line.strip()}

    assert lines(text) == lines(graph.to_string())


def test_a_model_that_computes_in_python_is_one_box() -> None:
    nodes = [node for node in model_to_dot(Own()).get_nodes() if node.get("label")]
    assert [node.get("label") for node in nodes] == ['"own: Own"']


def test_a_layer_that_is_called_add_makes_no_sequential() -> None:
    own = Own()
    own.add = Dense(2)
    assert len(model_to_dot(own).get_nodes()) == len(model_to_dot(Own()).get_nodes())


@pytest.mark.usefixtures("no_graphviz")
def test_such_a_model_inside_another_is_one_box_too() -> None:
    x = Input((3,), name="x")
    own = Own()
    picture = plot_model(Model(x, own(x)), "model.svg", expand_nested=True)
    assert texts(picture.data) == ["x", "InputLayer", "own", "Own"]


# ---------------------------------------------------------------- errors


def test_a_model_without_shapes_says_how_to_give_them() -> None:
    with pytest.raises(ValueError, match=r"no shapes yet.*Dense\(10, input_shape=\(4,\)\).*build"):
        plot_model(Sequential([Dense(2)]))
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rankdir": "down"}, ValueError, "'TB' .top to bottom.*got 'down'"),
        ({"rankdir": ["TB"]}, ValueError, "got .'TB'."),
        ({"dpi": 0}, ValueError, "such as 96; got 0"),
        ({"dpi": "96"}, ValueError, "got '96'"),
        ({"dpi": float("nan")}, ValueError, "got nan"),
        ({"to_file": "missing/model.png"}, FileNotFoundError, "Make it first"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_model(video(), **arguments)
    assert not list(Path().iterdir())


def test_what_is_no_model() -> None:
    with pytest.raises(TypeError, match=r"Expected a model, .* got Dense"):
        plot_model(Dense(2))


# ---------------------------------------------------------------- files and notebooks


@pytest.mark.usefixtures("no_graphviz")
def test_names_of_files() -> None:
    plot_model(video())
    plot_model(video(), "noending")
    plot_model(video(), Path("upper.SVG"))
    assert {path.name for path in Path().iterdir()} == {"model.png", "noending.png", "upper.SVG"}
    assert Path("upper.SVG").read_bytes().startswith(b"<svg")


def test_a_file_that_cannot_be_written_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("model.dot").write_text("before")

    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        plot_model(video(), "model.dot")
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("model.dot", "before")]


@pytest.mark.usefixtures("no_graphviz")
def test_a_notebook_shows_the_picture() -> None:
    from IPython.core.formatters import DisplayFormatter

    shown = {}
    for ending in ("png", "svg", "pdf", "dot"):
        picture = plot_model(video(), f"model.{ending}")
        assert repr(picture) == f"<Picture 'model.{ending}'>"
        shown[ending], _ = DisplayFormatter().format(picture)
    assert set(shown["png"]) == set(shown["pdf"]) == {"text/plain", "image/png"}
    assert shown["png"] == shown["pdf"] | {"text/plain": "<Picture 'model.png'>"}
    assert set(shown["svg"]) == {"text/plain", "image/svg+xml", "text/html"}
    assert 'alt="Graph of the model video: 3 nodes' in shown["svg"]["text/html"]
    assert shown["dot"]["image/png"] == shown["png"]["image/png"]


def test_the_documented_names() -> None:
    assert utils.plot_model is vis_utils.plot_model
    assert utils.model_to_dot is vis_utils.model_to_dot
    assert utils.vis_utils is vis_utils
