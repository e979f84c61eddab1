"""model_to_dot beside tf_keras: the same boxes, arrows, frames and words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pydot
import pytest
import tf_keras

from nbkeras import keras


def chain(k: Any) -> Any:
    first = k.layers.Dense(3, input_shape=(4,), name="first")
    return k.Sequential([first, k.layers.Dropout(0.5, name="drop")], name="chain")


def several_ends(k: Any) -> Any:
    x, y = k.Input((4,), name="x"), k.Input((5,), name="y")
    both = k.layers.Concatenate(name="both")([x, k.layers.Dense(3, name="side")(y)])
    return k.Model([x, y], [k.layers.Dense(2, name="a")(both), k.layers.Dense(1, name="b")(x)])


def shared(k: Any) -> Any:
    x, y = k.Input((4,), name="x"), k.Input((4,), name="y")
    twice = k.layers.Dense(4, name="twice")
    ends = [k.layers.Activation("relu", name="first")(twice(x)), twice(y)]
    return k.Model([x, y], k.layers.Subtract(name="minus")(ends))


def shared_by_shapes(k: Any) -> Any:
    x, y = k.Input((5, 3), name="x"), k.Input((7, 3), name="y")
    twice = k.layers.Dense(2, name="twice")
    return k.Model([x, y], [twice(x), twice(y)])


def reads_a_tensor_twice(k: Any) -> Any:
    x = k.Input((4,), name="x")
    return k.Model(x, k.layers.Add(name="sum")([x, x]))


def inner(k: Any, name: str = "inner") -> Any:
    x = k.Input((6,), name=f"{name}_x")
    hidden = k.layers.Dense(4, name=f"{name}_hidden")(x)
    return k.Model(x, k.layers.Dense(2, name=f"{name}_out")(hidden), name=name)


def nested(k: Any) -> Any:
    x, y = k.Input((6,), name="x"), k.Input((6,), name="y")
    encoder = inner(k)
    return k.Model([x, y], k.layers.Add(name="sum")([encoder(x), encoder(y)]))


def twice_nested(k: Any) -> Any:
    x = k.Input((6,), name="x")
    middle_x = k.Input((6,), name="middle_x")
    middle = k.Model(
        middle_x, k.layers.Dense(3, name="middle_out")(inner(k)(middle_x)), name="middle"
    )
    return k.Model(x, k.layers.Dense(1, name="out")(middle(x)))


def wrappers(k: Any) -> Any:
    x = k.Input((5, 6), name="x")
    steps = k.layers.TimeDistributed(k.layers.Dense(3, name="dense"), name="steps")(x)
    both = k.layers.Bidirectional(k.layers.LSTM(2, name="lstm"), name="both")
    return k.Model(x, both(steps))


MODELS = [
    chain,
    several_ends,
    shared,
    shared_by_shapes,
    reads_a_tensor_twice,
    nested,
    twice_nested,
    wrappers,
]

Words = tuple[str, str, str, str]


def words(label: str) -> Words:
    """Name, class and the two shapes of a label, whichever marks part them."""
    text = re.sub(r"[{}]", "", label.strip('"')).replace("|input:|output:", "")
    fields = text.replace(": ", "|").split("|")
    name, kind, *shapes = fields if len(fields) > 1 else ["", *fields]
    # tf_keras puts an input layer's shape in brackets, as the only one of a list.
    into, out = [re.sub(r"^\[(\([^()]*\))\]$", r"\1", shape) for shape in shapes] or ["", ""]
    return name, kind.replace("Functional", "Model"), into, out


def read(
    graph: pydot.Graph, frame: str = ""
) -> tuple[dict[str, tuple[Words, str]], set[tuple[str, str]]]:
    """Every node's words and frame by its identifier, and all edges, of DOT read again."""
    nodes = {
        node.get_name(): (words(node.get("label")), frame)
        for node in graph.get_nodes()
        if node.get("label") is not None
    }
    edges = {(edge.get_source(), edge.get_destination()) for edge in graph.get_edges()}
    for cluster in graph.get_subgraphs():
        more, others = read(cluster, (cluster.get("label") or "").strip('"'))
        nodes |= more
        edges |= others
    return nodes, edges


def structure(graph: pydot.Dot) -> tuple[list[tuple[Words, str]], list[tuple[Words, Words]]]:
    [again] = pydot.graph_from_dot_data(graph.to_string())
    nodes, edges = read(again)
    joined = [(nodes[source][0], nodes[target][0]) for source, target in edges]
    return sorted(nodes.values()), sorted(joined)


@pytest.mark.parametrize("options", [{}, {"show_shapes": True, "rankdir": "LR"}], ids=str)
@pytest.mark.parametrize("expand", [False, True], ids=["folded", "expanded"])
@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_the_same_graph(build: Callable[[Any], Any], expand: bool, options: dict[str, Any]) -> None:
    options = {**options, "expand_nested": expand, "show_layer_names": True}
    mine = keras.utils.model_to_dot(build(keras), **options)
    theirs = tf_keras.utils.model_to_dot(build(tf_keras), **options)
    boxes, arrows = structure(mine)
    assert (boxes, arrows) == structure(theirs)
    assert arrows
    assert any(frame for _, frame in boxes) == (expand and "nested" in build.__name__)
    assert mine.get("rankdir") == theirs.get("rankdir")


def test_classes_only() -> None:
    mine = keras.utils.model_to_dot(wrappers(keras), show_layer_names=False)
    assert [words(node.get("label"))[:2] for node in mine.get_nodes() if node.get("label")] == [
        ("", "InputLayer"),
        ("", "TimeDistributed(Dense)"),
        ("", "Bidirectional(LSTM)"),
    ]


def test_frames_keep_their_names() -> None:
    options = {"show_layer_names": False, "expand_nested": True}
    graphs = [k.utils.model_to_dot(nested(k), **options) for k in (keras, tf_keras)]
    names = [[one.get("label").strip('"') for one in graph.get_subgraphs()] for graph in graphs]
    assert names == [["inner"], ["inner"]]
