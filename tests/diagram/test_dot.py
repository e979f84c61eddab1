"""Diagrams in DOT: names stay names, whatever is in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
import xml.etree.ElementTree as ET

import pydot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbkeras.diagram import DIRECTIONS, Outline, Plain
from nbkeras.diagram.dot import Graph, graph
from nbkeras.events import Connection
from nbkeras.text import plain
from tests.diagram import models

GRAPHVIZ = shutil.which("dot")
SHAPE = (None, 4)
MARKS = st.sampled_from([*"\"'\\{}|<>[];=,-&#/:$%\n\t\r\x00\x1b\u202e ", "\\N", "\\n", "&lt;"])
NAMES = st.lists(MARKS | st.text(max_size=6), max_size=8).map("".join)
EVIL = [
    'x"]; evil [label="y',
    'x> image="/etc/passwd"',
    "<b>bold</b>",
    "<<table><tr><td>x</td></tr></table>>",
    "a|b{c}d<port>e",
    "ends with a backslash\\",
    '\\"',
    "\\N \\G \\L \\l",
    "&quot;&amp;",
    "line\nbreak",
    "// no comment",
    "/* none */",
    "#include",
    "node",
    "strict",
    "",
    " ",
    "a -> b",
    "ünï \U0001f600 名",
    "\ufffe\ud800\x00",
]


def built(names: list[str], frame: str = "frame") -> Outline:
    """A chain of layers of these names, the last of them in a sub-model."""
    layers = [models.layer(f"input{len(names)}", "InputLayer", SHAPE)]
    for name in names:
        layers.append(models.layer(name, name or "Dense", SHAPE, layers[-1:], 1))
    *outer, last = layers
    inside = models.layer(last.name, last.kind, SHAPE)
    inner = {"layers": (inside,), "outputs": (Connection(last.name, SHAPE),)}
    outer.append(models.layer(frame, "Model", SHAPE, outer[-1:], **inner))
    return Outline.of(models.model(*outer, name=frame), blocks=False)


def dot_of(outline: Outline, **options: bool) -> Graph:
    return graph(outline.name, outline.view(outline.wired), Plain(**options))


def shown(name: str) -> str:
    """A name as a picture shows it: on one line, noncharacters replaced, no double spaces."""
    return " ".join(re.sub("[\ufffe\uffff]", "\ufffd", plain(name)).split())


def identifiers(graph: pydot.Graph) -> set[str]:
    found = {node.get_name() for node in graph.get_nodes()} - {"node", "edge"}
    return found.union(*(identifiers(cluster) for cluster in graph.get_subgraphs()))


def attributes(graph: pydot.Graph) -> set[str]:
    found = set(graph.get_attributes())
    for part in [*graph.get_nodes(), *graph.get_edges()]:
        found |= set(part.get_attributes())
    return found.union(*(attributes(cluster) for cluster in graph.get_subgraphs()))


def check(names: list[str], shapes: bool) -> None:
    """Text read again has the nodes and attributes that the same model has with good names."""
    good = [f"layer{number}" for number in range(len(names))]
    texts = [dot_of(built(given), shapes=shapes).text() for given in (names, good)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pydot's, of pyparsing
        [[mine], [like]] = [pydot.graph_from_dot_data(text) for text in texts]
    assert identifiers(mine) == identifiers(like)
    assert attributes(mine) == attributes(like)
    assert len(mine.get_edges()) == len(like.get_edges()) == len(names)
    texts[0].encode("utf-8")


@pytest.mark.parametrize("name", EVIL)
def test_names_are_no_commands(name: str) -> None:
    check([name, f"{name}."], shapes=True)


@settings(max_examples=25)
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.booleans())
def test_any_names_are_no_commands(names: list[str], shapes: bool) -> None:
    check(names, shapes)


def drawn(text: str) -> list[str]:
    """The texts in the picture that graphviz makes of it."""
    result = subprocess.run(
        [str(GRAPHVIZ), "-Tsvg"], input=text.encode(), capture_output=True, check=True, timeout=30
    )
    assert not result.stderr, result.stderr.decode()
    root = ET.fromstring(result.stdout)
    assert not list(root.iter("{http://www.w3.org/2000/svg}image"))
    assert not list(root.iter("{http://www.w3.org/2000/svg}a"))
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    return [" ".join((one.text or "").split()) for one in texts]


@pytest.mark.skipif(GRAPHVIZ is None, reason="graphviz is not installed")
@pytest.mark.parametrize("shapes", [False, True])
def test_graphviz_shows_names_as_they_are(shapes: bool) -> None:
    names = [name for name in EVIL if name.strip()]
    texts = drawn(dot_of(built(names, frame="a\\N|{&lt;b"), shapes=shapes).text())
    expected = [shown(f"{plain(name)}: {plain(name)}") for name in names]
    assert sorted(text for text in texts if text in expected) == sorted(expected)
    assert "a\\N|{&lt;b" in texts
    assert len(texts) == (1 + 5 * (len(names) + 1) if shapes else 2 + len(names))


@pytest.mark.skipif(GRAPHVIZ is None, reason="graphviz is not installed")
@settings(max_examples=10)
@given(st.lists(NAMES.filter(lambda name: shown(name)), min_size=8, max_size=16, unique_by=plain))
def test_graphviz_shows_any_names_as_they_are(names: list[str]) -> None:
    texts = drawn(dot_of(built(names)).text())
    assert {shown(f"{plain(name)}: {plain(name)}") for name in names} <= set(texts)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_table_of_shapes_stands_beside_the_name_in_every_direction(direction: str) -> None:
    view = built(["dense"]).view()
    text = graph("net", view, Plain(shapes=True), direction).text()
    label = "input1: InputLayer|{input:|output:}|{(None, 4)|(None, 4)}"
    assert f'label="{label}"' in text or f'label="{{{label}}}"' in text
    assert f"rankdir={direction};" in text
    # Where ranks go sideways graphviz turns the fields; the outer brackets turn them back.
    assert (f"{{{label}}}" in text) == (direction in ("LR", "RL"))


def test_a_graph_for_another_graph_is_a_cluster() -> None:
    outline = built(["dense"])
    part = graph('my "own" model', outline.view(), Plain(), clustered=True)
    assert part.name == "cluster_my__own__model"
    assert part.attributes["label"] == r'"my \"own\" model"'
    assert "rankdir" not in part.attributes
    assert all(id.startswith("my__own__model_") for id in part.nodes)


@pytest.mark.parametrize("name", ["node", "3d", "", "Strict", "名"])
def test_every_name_of_a_model_gives_an_identifier(name: str) -> None:
    found = graph(name, built(["dense"]).view(), Plain()).name
    assert re.fullmatch(r"[A-Za-z]\w*", found, re.ASCII)
    assert found.lower() not in ("node", "strict")
