import dataclasses
import itertools
import struct
import xml.etree.ElementTree as ET
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbkeras.diagram import (
    DIRECTIONS,
    FORMATS,
    Outline,
    Plain,
    lay_out,
    layout,
    png,
    render,
    svg,
)
from nbkeras.diagram.items import family
from nbkeras.diagram.lettering import fit, text_width
from nbkeras.events import Connection
from tests.diagram import models

# ---------------------------------------------------------------- generated models


@st.composite
def layers(draw, depth=0, prefix="l"):
    """Layers in order, each fed by earlier ones; some are models, some called twice."""
    made = []
    for number in range(draw(st.integers(1, 9 if depth == 0 else 4))):
        name = f"{prefix}{number}"
        feeds = draw(st.lists(st.sampled_from(made), max_size=3, unique_by=id)) if made else []
        calls = draw(st.integers(1, 2)) if feeds else 1
        sources = [
            Connection(feed.name, (None, 4), call) for call in range(calls) for feed in feeds
        ]
        inside = ()
        if depth < 2 and draw(st.integers(0, 3)) == 0:
            inside = draw(layers(depth + 1, f"{name}."))
        kind = "InputLayer" if not feeds and draw(st.booleans()) else "Dense"
        made.append(models.layer(name, kind, (None, 4), sources, layers=tuple(inside)))
    return made


@st.composite
def outlines(draw):
    outline = Outline.of(models.model(*draw(layers())))
    foldable = sorted(outline.foldable)
    open_ = draw(st.lists(st.sampled_from(foldable), unique=True)) if foldable else []
    return outline, open_


def overlap(a, b):
    return (
        a.x < b.x + b.width
        and b.x < a.x + a.width
        and a.y < b.y + b.height
        and b.y < a.y + a.height
    )


def holds(outer, x, y, room=1.0):
    return (
        outer.x - room <= x <= outer.x + outer.width + room
        and outer.y - room <= y <= outer.y + outer.height + room
    )


def check(drawing):
    """What is true of every drawing."""
    nodes = {node.id: node for node in drawing.nodes}
    assert len(nodes) == len(drawing.nodes)
    levels = defaultdict(list)
    for node in drawing.nodes:
        assert min(node.x, node.y) >= 0
        assert node.x + node.width <= drawing.width
        assert node.y + node.height <= drawing.height
        levels[node.parent].append(node)
        if node.parent:
            frame = nodes[node.parent]
            assert frame.state == "open"
            assert holds(frame, node.x, node.y)
            assert holds(frame, node.x + node.width, node.y + node.height)
    for siblings in levels.values():
        for a, b in itertools.combinations(siblings, 2):
            assert not overlap(a, b), (a.id, b.id)
    for edge in drawing.edges:
        source, target = nodes[edge.source], nodes[edge.target]
        assert holds(source, *edge.points[0])
        assert holds(target, *edge.points[-1])
        for (x0, y0), (x1, y1) in itertools.pairwise(edge.points):
            assert min(abs(x0 - x1), abs(y0 - y1)) < 1.2, "lines run along the axes"
        assert edge.path.startswith("M")


@given(outlines(), st.sampled_from(DIRECTIONS))
def test_every_drawing_is_sound(case, direction):
    outline, open_ = case
    check(lay_out(outline, open_, direction))


@given(outlines())
def test_the_same_model_is_drawn_the_same(case):
    outline, open_ = case
    again = Outline.of(outline.model)
    assert lay_out(outline, open_) == lay_out(again, open_)


@given(outlines(), st.sampled_from(DIRECTIONS))
def test_edges_go_forward(case, direction):
    outline, open_ = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "LONGEST", dict.fromkeys(DIRECTIONS, 1e9))
        drawing = lay_out(outline, open_, direction)
    parents = {node.id: node.parent for node in drawing.nodes}
    nodes = {node.id: node for node in drawing.nodes}
    for edge in drawing.edges:
        if parents[edge.source] != parents[edge.target]:
            continue
        source, target = nodes[edge.source], nodes[edge.target]
        if direction in ("BT", "RL"):
            source, target = target, source
        if direction in ("TB", "BT"):
            assert source.y + source.height <= target.y
        else:
            assert source.x + source.width <= target.x


@given(outlines())
def test_folding_keeps_what_is_connected(case):
    outline, open_ = case
    view = outline.view(open_)
    visible = {item.id for item in view.items}

    def stands_for(id):
        found = id
        while id:
            found = id if id in visible and id not in view.open else found
            id = outline.parents.get(id, "")
        return found

    wanted = {(stands_for(link.source), stands_for(link.target)) for link in outline.links}
    wanted = {(a, b) for a, b in wanted if a != b}
    assert {(link.source, link.target) for link in view.links} == wanted

    # What the view joins, the drawing's lines join, be it through the borders of frames.
    after = defaultdict(set)
    for edge in lay_out(outline, open_).edges:
        after[edge.source].add(edge.target)
    for source, target in wanted:
        seen, waiting = set(), [source]
        while waiting:
            for following in after[waiting.pop()] - seen:
                seen.add(following)
                waiting.append(following)
        assert target in seen


@given(outlines())
def test_every_layer_is_somewhere(case):
    outline, _ = case
    drawn = {node.id for node in lay_out(outline, outline.foldable).nodes}
    assert drawn == {item.id for item in outline.walk()}
    folded = lay_out(outline, ())
    assert [node.id for node in folded.nodes] == [item.id for item in outline.items]
    assert not folded.open


# ---------------------------------------------------------------- named models


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("unfold", ["first", "none", "all"])
@pytest.mark.parametrize("name", models.NAMED)
def test_named_models_are_sound(name, unfold, direction):
    outline = Outline.of(models.NAMED[name]())
    open_ = {"first": None, "none": (), "all": outline.foldable}[unfold]
    check(lay_out(outline, open_, direction))


def test_a_chain_of_twenty_wraps_into_columns():
    drawing = lay_out(Outline.of(models.chain()))
    assert len({node.x + node.width / 2 for node in drawing.nodes}) > 1
    assert drawing.height < 1000
    assert [node.title for node in drawing.nodes][:2] == ["input", "dense_1"]


def test_the_model_of_the_manual_shows_its_two_ends():
    drawing = lay_out(Outline.of(models.two_inputs()))
    roles = {node.title: node.role for node in drawing.nodes if node.role}
    assert roles == {
        "main_input": "input",
        "aux_input": "input",
        "main_output": "output",
        "aux_output": "output",
    }
    nodes = {node.title: node for node in drawing.nodes}
    assert nodes["dense_2"].frozen
    assert nodes["lstm_1"].lines == ("LSTM · 69\u202f760 parameters", "(?, 100, 512) → (?, 32)")
    assert {edge.label for edge in drawing.edges} >= {"(?, 100)", "(?, 100, 512)", "(?, 5)"}
    assert len(drawing.edges) == 9


def test_equal_blocks_become_one_item_and_the_first_is_open():
    outline = Outline.of(models.residual())
    assert [item.title for item in outline.items] == ["input", "66 × block", "out"]
    run = outline.items[1]
    assert (run.layers, run.parameters) == (198, 66 * 4160)
    shown = [node.title for node in lay_out(outline).nodes]
    assert shown == [
        "input",
        "66 × block",
        "block",
        "dense_0",
        "relu_0",
        "add_0",
        "65 more like this",
        "out",
    ]


def test_a_network_of_two_hundred_layers_is_read_at_a_glance():
    outline = Outline.of(models.resnet())
    assert sum(item.layers for item in outline.items) == len(outline.model.layers) > 200
    titles = [item.title for item in outline.items]
    assert "4 × conv2_block" in titles
    assert "conv3_block1" in titles
    assert len(titles) < 20
    drawing = lay_out(outline)
    assert 20 < len(drawing.nodes) <= 60
    assert drawing.width < 2000
    assert drawing.height < 2000
    # The skip connections of the block that is open.
    titles = {node.title: node.id for node in drawing.nodes}
    into = [edge for edge in drawing.edges if edge.target == titles["conv2_block2_add"]]
    assert len(into) == 2


def test_small_models_have_no_blocks():
    assert not Outline.of(models.inception()).foldable
    assert not Outline.of(models.resnet(), blocks=False).foldable


def test_a_shared_model_shows_both_calls():
    outline = Outline.of(models.siamese())
    folded = lay_out(outline, ())
    encoder = next(node for node in folded.nodes if node.title == "encoder")
    assert (encoder.calls, encoder.state) == (2, "folded")
    labels = sorted(edge.label for edge in folded.edges if edge.target == encoder.id)
    assert labels == ["call 1", "call 2"]
    unfolded = lay_out(outline, [encoder.id])
    inside = [node.title for node in unfolded.nodes if node.parent == encoder.id]
    assert inside == ["image", "conv", "flat", "embed"]
    assert sorted(edge.label for edge in unfolded.edges if "call" in edge.label) == labels


def shared(first=0):
    """A layer called twice, whose results go different ways; it may have been called before."""
    x, y = models.layer("x", "InputLayer", (None, 4)), models.layer("y", "InputLayer", (None, 4))
    calls = [Connection("x", (None, 4), 0), Connection("y", (None, 4), 1)]
    twice = models.layer("twice", "Dense", (None, 3), calls)
    made = [Connection("twice", (None, 3), source_call=first + call) for call in range(2)]
    relu = models.layer("relu", "Activation", (None, 3), made[:1])
    relu_edge = Connection("relu", (None, 3))
    return models.model(
        x, y, twice, relu, models.layer("add", "Add", (None, 3), [relu_edge, made[1]])
    )


@pytest.mark.parametrize("first", [0, 1, 7])
def test_an_edge_says_which_call_of_a_shared_layer_it_comes_from(first):
    drawing = lay_out(Outline.of(shared(first)))
    titles = {node.id: node.title for node in drawing.nodes}
    labels = {(titles[e.source], titles[e.target]): e.label for e in drawing.edges}
    assert labels["x", "twice"] == "call 1"
    assert labels["twice", "relu"] == "of call 1"
    assert labels["twice", "add"] == "of call 2"
    assert labels["relu", "add"] == "(?, 3)"
    about = {(titles[e.source], titles[e.target]): e.about for e in drawing.edges}
    assert about["twice", "add"] == "twice → add: (?, 3), made by call 2"
    assert about["y", "twice"] == "y → twice: (?, 4), read by call 2"


def test_a_call_whose_result_only_leaves_the_model_counts():
    x, y = models.layer("x", "InputLayer", (None, 4)), models.layer("y", "InputLayer", (None, 4))
    calls = [Connection("x", (None, 4), 0), Connection("y", (None, 4), 1)]
    twice = models.layer("twice", "Dense", (None, 3), calls)
    relu = models.layer(
        "relu", "Activation", (None, 3), [Connection("twice", (None, 3), source_call=1)]
    )
    [edge] = [
        e for e in lay_out(Outline.of(models.model(x, y, twice, relu))).edges if e.source == "2"
    ]
    assert edge.label == "of call 2"


def test_the_data_of_a_sub_model_comes_and_goes_where_it_says():
    """Its inputs and outputs in another order than its layers, one output read again inside."""
    shape = (None, 4)
    a, b = models.layer("a", "InputLayer", shape), models.layer("b", "InputLayer", shape)
    first = models.layer("first", "Dense", shape, [a])
    second = models.layer("second", "Dense", shape, [first, b])
    inside = {
        "layers": (a, b, first, second),
        "inputs": ("b", "a"),
        "outputs": (Connection("second", shape), Connection("first", shape)),
    }
    x, y = models.layer("x", "InputLayer", shape), models.layer("y", "InputLayer", shape)
    inner = models.layer("inner", "Model", None, [x, y], **inside)
    ends = [
        models.layer(f"end{tensor}", "Dense", shape, [Connection("inner", shape, tensor=tensor)])
        for tensor in range(2)
    ]
    outline = Outline.of(models.model(x, y, inner, *ends))
    titles = {item.id: item.title for item in outline.walk()}
    links = {(titles[link.source], titles[link.target]) for link in outline.links}
    assert links == {
        ("x", "b"),
        ("y", "a"),
        ("a", "first"),
        ("first", "second"),
        ("b", "second"),
        ("second", "end0"),
        ("first", "end1"),
    }


def test_a_wrapper_names_what_it_wraps():
    inner = {"class_name": "LSTM", "config": {"name": "lstm"}}
    x = models.layer("x", "InputLayer", (None, 5, 4))
    both = models.layer("both", "Bidirectional", (None, 6), [x], 100, config={"layer": inner})
    outline = Outline.of(models.model(x, both))
    assert lay_out(outline).nodes[1].lines[0] == "Bidirectional(LSTM) · 100 parameters"
    named, shaped = Plain(), Plain(names=False, shapes=True)
    node = lay_out(outline, wording=named).nodes[1]
    assert (node.title, node.lines) == ("both(lstm)", ("Bidirectional(LSTM)",))
    node = lay_out(outline, wording=shaped).nodes[1]
    assert node.title == "Bidirectional(LSTM)"
    assert node.lines == ("input:\t(None, 5, 4)", "output:\t(None, 6)")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_rendered(format):
    drawing = lay_out(Outline.of(models.siamese()), (), wording=Plain(shapes=True))
    data = render(drawing, format)
    starts = {
        "jpeg": b"\xff\xd8\xff",
        "jpg": b"\xff\xd8\xff",
        "pdf": b"%PDF-",
        "png": b"\x89PNG",
        "svg": b"<svg",
        "tif": b"II*",
        "tiff": b"II*",
        "webp": b"RIFF",
    }
    assert data.startswith(starts[format])
    assert data == render(drawing, format), "no clock"


def test_an_unknown_format_says_which_there_are():
    with pytest.raises(ValueError, match="jpeg, jpg, pdf, png, svg, tif, tiff, webp; got 'gif'"):
        render(lay_out(Outline.of(models.siamese())), "gif")


def test_a_huge_resolution_is_bounded(monkeypatch):
    monkeypatch.setattr("nbkeras.diagram.drawing.LARGEST", 500)
    drawing = lay_out(Outline.of(models.siamese()), ())
    width, height = struct.unpack(">II", render(drawing, "png", 1e4)[16:24])
    assert 499 <= max(width, height) <= 501


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_drawings_in_keras_wording_are_sound(direction):
    outline = Outline.of(models.siamese(), blocks=False)
    for wording in (Plain(), Plain(shapes=True), Plain(names=False)):
        check(lay_out(outline, outline.foldable, direction, wording))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_layer_that_feeds_itself_can_be_drawn(direction):
    shape = (None, 4)
    start = models.layer("start", "InputLayer", shape)
    calls = [Connection("start", shape, 0), Connection("middle", shape, 1)]
    calls.append(Connection("twice", shape, 2))
    twice = models.layer("twice", "Dense", shape, calls)
    middle = models.layer("middle", "Activation", shape, [twice])
    drawing = lay_out(Outline.of(models.model(start, twice, middle)), direction=direction)
    assert {(edge.source, edge.target) for edge in drawing.edges} == {
        ("0", "1"),
        ("1", "1"),
        ("2", "1"),
        ("1", "2"),
    }
    assert next(node for node in drawing.nodes if node.id == "1").calls == 3


def test_a_layer_without_an_input_layer_gets_one():
    first = models.layer("dense", "Dense", (None, 2), parameters=8)
    event = dataclasses.replace(models.model(first), inputs=("given",))
    drawing = lay_out(Outline.of(event))
    assert [node.title for node in drawing.nodes] == ["given", "dense"]
    assert len(drawing.edges) == 1


def test_layers_of_a_model_that_computes_in_python_code_get_none():
    layers = [models.layer(name, "Dense", None, parameters=8) for name in ("a", "b")]
    drawing = lay_out(Outline.of(models.model(*layers)))
    assert [node.title for node in drawing.nodes] == ["a", "b"]
    assert not drawing.edges


def test_an_empty_model_is_an_empty_drawing():
    drawing = lay_out(Outline.of(models.model()))
    assert drawing.nodes == drawing.edges == ()
    ET.fromstring(svg(drawing))
    assert png(drawing).startswith(b"\x89PNG")


def test_refuses_another_direction():
    with pytest.raises(ValueError, match=r"'TB' .top to bottom., LR, BT or RL, not 'down'"):
        lay_out(Outline.of(models.chain()), direction="down")


def test_unknown_ids_are_no_items():
    outline = Outline.of(models.siamese())
    assert lay_out(outline, ["no such"]) == lay_out(outline, ())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("InputLayer", "input"),
        ("SeparableConv2D", "convolution"),
        ("ConvLSTM2D", "recurrent"),
        ("CuDNNGRU", "recurrent"),
        ("GlobalMaxPooling1D", "pooling"),
        ("Maximum", "merge"),
        ("SpatialDropout2D", "noise"),
        ("LeakyReLU", "activation"),
        ("Dense", "dense"),
        ("Sequential", "model"),
        ("MyOwn", "other"),
    ],
)
def test_families(kind, expected):
    assert family(kind) == expected


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("name", models.NAMED)
def test_svg_is_well_formed_and_small(name):
    drawing = lay_out(Outline.of(models.NAMED[name]()))
    text = svg(drawing)
    assert len(text) < 30_000
    root = ET.fromstring(text)
    allowed = {"svg", "style", "g", "title", "rect", "path", "text"}
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in allowed
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    boxes = [one for one in root.iter() if one.get("class") in ("nbk-b",)]
    assert len(boxes) >= len(drawing.nodes)


def test_everything_unfolded_stays_a_document():
    outline = Outline.of(models.residual())
    assert len(svg(lay_out(outline, outline.foldable))) < 130_000


def test_hostile_names_are_text():
    drawing = lay_out(Outline.of(models.hostile()))
    text = svg(drawing)
    for hidden in ("\x1b", "\u202e", "\x00", "\ud800", "<script", "<img"):
        assert hidden not in text
    shown = "".join(ET.fromstring(text).itertext())
    assert "\\u001b[31m" in shown
    assert "\\u202e" in shown
    text.encode("utf-8")
    assert png(drawing).startswith(b"\x89PNG")


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_png_has_the_size_of_the_drawing(scale):
    drawing = lay_out(Outline.of(models.two_inputs()))
    width, height = struct.unpack(">II", png(drawing, scale)[16:24])
    assert abs(width - drawing.width * scale) <= 1
    assert abs(height - drawing.height * scale) <= 1


@given(st.text(max_size=60), st.floats(5, 300))
def test_cut_text_fits(text, width):
    cut = fit(text, width, 13)
    assert cut == "…" or text_width(cut, 13) <= width
