"""Models as plain data: what is told of sub-models, wrappers and shared layers."""

from __future__ import annotations

import dataclasses

import numpy as np

from nbkeras import events
from nbkeras.core import backend as K
from nbkeras.core.engine.describe import describe
from nbkeras.core.layers import LSTM, Add, Bidirectional, Dense, Input, TimeDistributed
from nbkeras.core.models import Model, Sequential


def two_ends() -> Model:
    """Outputs in another order than the layers, one of them used again inside."""
    a, b = Input((4,), name="a"), Input((5,), name="b")
    first = Dense(2, name="first")(b)
    second = Dense(2, name="second")(first)
    return Model([b, a], [second, first, Dense(3, name="third")(a)], name="ends")


def test_a_sub_model_says_which_layers_read_its_inputs_and_make_its_outputs() -> None:
    x, y = Input((5,), name="x"), Input((4,), name="y")
    told = describe(Model([x, y], two_ends()([x, y]), name="outer"))
    inner = told.layers[-1]
    assert inner.inputs == ("b", "a")
    assert [made.source for made in inner.outputs] == ["second", "first", "third"]
    assert [made.shape for made in inner.outputs] == [(None, 2), (None, 2), (None, 3)]
    assert {layer.name for layer in inner.layers} == {"a", "b", "first", "second", "third"}


def test_an_output_made_by_the_backend_leads_back_to_a_layer() -> None:
    x = Input((4,), name="x")
    inner = Model(x, K.exp(Dense(2, name="d")(x)), name="inner")
    y = Input((4,), name="y")
    [told] = [layer for layer in describe(Model(y, inner(y))).layers if layer.layers]
    assert [made.source for made in told.outputs] == ["d"]


def test_backend_functions_that_share_what_they_read_are_walked_once() -> None:
    x = Input((4,), name="x")
    y = x
    for _ in range(40):  # 2 ** 40 ways from end to start
        y = y + y
    told = describe(Model(x, Dense(2, name="d")(y))).layers[-1]
    assert [made.source for made in told.connected_to] == ["x"]


def test_a_wrapper_shows_the_model_inside() -> None:
    x = Input((7, 5), name="x")
    inner = Sequential([Dense(3, input_shape=(5,), name="d")], name="inner")
    told = describe(Model(x, TimeDistributed(inner, name="wrapper")(x)))
    wrapper = told.layers[-1]
    assert [layer.name for layer in wrapper.layers] == ["d"]
    assert wrapper.inputs == ("d_input",)
    assert [made.source for made in wrapper.outputs] == ["d"]
    assert wrapper.config["layer"] == {"class_name": "Sequential", "config": {"name": "inner"}}
    assert wrapper.parameters == told.parameters == 18


def test_a_wrapper_of_a_layer_names_it() -> None:
    x = Input((7, 5), name="x")
    told = describe(Model(x, Bidirectional(LSTM(3, name="lstm"), name="both")(x))).layers[-1]
    assert told.layers == ()
    assert told.config["layer"]["class_name"] == "LSTM"
    assert told.config["layer"]["config"]["name"] == "lstm"


def test_all_that_is_told_survives_json() -> None:
    x, y = Input((5,), name="x"), Input((4,), name="y")
    told = describe(Model([x, y], two_ends()([x, y]), name="outer"))
    assert events.from_json(events.to_json(told)) == told


def test_details_are_left_out_where_nobody_asks() -> None:
    x = Input((4,), name="x")
    twice = Dense(4, name="twice")
    model = Model(x, Add(name="add")([twice(x), twice(twice(x))]))
    full, short = describe(model), describe(model, details=False)
    assert all(not layer.config and not layer.weights for layer in short.layers)
    bare = [dataclasses.replace(layer, config={}, weights=()) for layer in full.layers]
    assert list(short.layers) == bare
    assert (short.parameters, short.bytes) == (20, 80)


def test_a_layer_called_on_several_shapes_has_no_one_shape() -> None:
    x, y = Input((5, 3), name="x"), Input((7, 3), name="y")
    twice = Dense(2, name="twice")
    model = Model([x, y], [twice(x), twice(y)])
    told = describe(model).layers[-1]
    assert (told.input_shape, told.output_shape) == (None, None)
    assert [connection.shape for connection in told.connected_to] == [(None, 5, 3), (None, 7, 3)]
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert any(line.split()[:3] == ["twice", "(Dense)", "multiple"] for line in lines)


def test_a_weight_that_two_layers_hold_counts_once() -> None:
    one, two = Dense(2, input_shape=(3,), name="one"), Dense(2, name="two")
    model = Sequential([one, two])
    two._trainable_weights[:] = [one.bias, two.bias]
    told = describe(model)
    assert told.parameters == sum(np.prod(w.shape) for w in (one.kernel, one.bias, two.bias))
