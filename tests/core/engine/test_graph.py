"""Graphs of layers: nodes, sharing, nesting, order, functions (manual, chapters 3.2 and 3.3)."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import layers as L
from nbkeras.core.layers import Dense, Input
from nbkeras.core.models import Model, Sequential, clone_model

RNG = np.random.default_rng(1)
X = RNG.normal(size=(4, 3)).astype("float32")


# ---------------------------------------------------------------- nodes (3.2.6)


class TestNodes:
    def test_one_call(self):
        a = Input((8, 4))
        lstm = L.LSTM(3)
        encoded = lstm(a)
        assert lstm.output is encoded
        assert lstm.input is a
        assert lstm.output == encoded

    def test_several_calls(self):
        a, b = Input((8, 4)), Input((8, 4))
        lstm = L.LSTM(3, name="lstm")
        first, second = lstm(a), lstm(b)
        with pytest.raises(AttributeError, match=r"'lstm' was called 2 times.*get_output_at"):
            _ = lstm.output
        with pytest.raises(AttributeError, match="get_input_at"):
            _ = lstm.input
        assert lstm.get_output_at(0) is first
        assert lstm.get_output_at(1) is second
        assert lstm.get_output_at(-1) is second
        assert lstm.get_input_at(1) is b
        with pytest.raises(ValueError, match="called 2 times; asked for the output of call 2"):
            lstm.get_output_at(2)

    def test_shapes_that_agree_and_that_do_not(self):
        conv = L.Conv2D(5, (3, 3), padding="same")
        conv(Input((6, 6, 3)))
        conv(Input((6, 6, 3)))
        assert conv.input_shape == (None, 6, 6, 3)
        conv(Input((8, 8, 3)))
        with pytest.raises(AttributeError, match="get_input_shape_at"):
            _ = conv.input_shape
        with pytest.raises(AttributeError, match="get_output_shape_at"):
            _ = conv.output_shape
        assert conv.get_input_shape_at(0) == (None, 6, 6, 3)
        assert conv.get_input_shape_at(2) == (None, 8, 8, 3)
        assert conv.get_output_shape_at(2) == (None, 8, 8, 5)

    def test_no_call(self):
        layer = Dense(2, name="lonely")
        for ask in ("input", "output", "output_shape"):
            with pytest.raises(AttributeError, match="'lonely' has never been called"):
                getattr(layer, ask)

    def test_inbound_and_outbound_nodes(self):
        x = Input((3,))
        first, second = Dense(2), Dense(2)
        y = first(x)
        z = second(y)
        assert [node.outputs for node in first._inbound_nodes] == [y]
        assert [node.outputs for node in first._outbound_nodes] == [z]
        assert second._outbound_nodes == []

    def test_history_of_a_tensor(self):
        layer = Dense(2)
        layer(Input((3,)))
        assert layer(Input((3,)))._keras_history == (layer, 1, 0)

    def test_building_weights_once(self):
        layer = Dense(2)
        layer(Input((3,)))
        weights = layer.weights
        layer(Input((3,)))
        layer(tf.constant(X))
        assert [id(w) for w in layer.weights] == [id(w) for w in weights]


# ---------------------------------------------------------------- sharing and nesting


class TestModels:
    def test_a_shared_layer_is_listed_once(self):
        a, b = Input((3,)), Input((3,))
        shared = Dense(2)
        model = Model([a, b], L.concatenate([shared(a), shared(b)]))
        assert model.layers.count(shared) == 1
        assert len(model.weights) == 2

    def test_a_model_as_a_layer(self):
        inner = Sequential([Dense(2, activation="tanh", input_shape=(3,))])
        x = Input((3,))
        outer = Model(x, Dense(1)(inner(x)))
        assert inner in outer.layers
        expected = outer.layers[-1](tf.constant(inner.predict(X)))
        np.testing.assert_allclose(outer.predict(X), expected, rtol=1e-5)

    def test_training_the_outer_trains_the_inner(self):
        inner = Sequential([Dense(2, input_shape=(3,))])
        outer = Sequential([inner, Dense(1)])
        outer.compile("sgd", "mse")
        before = inner.get_weights()[0]
        outer.train_on_batch(X, np.ones((4, 1)))
        assert np.any(before != inner.get_weights()[0])

    def test_a_nested_model_with_several_inputs_and_outputs(self):
        a, b = Input((3,)), Input((3,))
        inner = Model([a, b], [L.add([a, b]), L.multiply([a, b])])
        c, d = Input((3,)), Input((3,))
        total, product = inner([c, d])
        outer = Model([c, d], [product, total])
        found = outer.predict([X, 2 * X])
        np.testing.assert_allclose(found[0], 2 * X * X, rtol=1e-6)
        np.testing.assert_allclose(found[1], 3 * X, rtol=1e-6)

    def test_three_levels_and_their_configuration(self):
        x = Input((3,))
        one = Model(x, Dense(2, activation="tanh")(x))
        two = Sequential([one, Dense(2)])
        three = Model(x, [two(x), two(Dense(3)(x))])
        again = Model.from_config(three.get_config())
        assert again.get_config() == three.get_config()
        again.set_weights(three.get_weights())
        for mine, theirs in zip(three.predict(X), again.predict(X), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)

    def test_a_shared_layer_called_in_another_order_than_it_runs(self):
        x = Input((3,))
        shared = Dense(3, activation="tanh")
        late = shared(Dense(3)(x))
        early = shared(x)
        model = Model(x, [early, late])
        again = Model.from_config(model.get_config())
        again.set_weights(model.get_weights())
        twin = clone_model(model)
        twin.set_weights(model.get_weights())
        for mine, theirs, third in zip(
            model.predict(X), again.predict(X), twin.predict(X), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)
            np.testing.assert_allclose(mine, third, rtol=1e-6)

    def test_an_output_that_is_an_input(self):
        x = Input((3,))
        np.testing.assert_array_equal(Model(x, x).predict(X), X)

    def test_intermediate_outputs(self):
        """Manual 3.3.8, both ways."""
        model = Sequential([Dense(4, input_shape=(3,), name="hidden"), Dense(1)])
        layer = model.get_layer("hidden")
        expected = X @ layer.get_weights()[0]
        cut = Model(inputs=model.input, outputs=layer.output)
        np.testing.assert_allclose(cut.predict(X), expected, rtol=1e-5)
        get = K.function([model.layers[0].input], [layer.output])
        np.testing.assert_allclose(get([X])[0], expected, rtol=1e-5)

    def test_a_model_from_the_middle(self):
        model = Sequential([Dense(4, input_shape=(3,), activation="tanh"), Dense(1)])
        top = Model(model.layers[1].input, model.output)
        hidden = RNG.normal(size=(2, 4)).astype("float32")
        np.testing.assert_allclose(top.predict(hidden), model.layers[1](tf.constant(hidden)))

    def test_a_tensor_as_the_input(self):
        """Nothing is fed: the tensor of Input(tensor=...) is used."""
        x = Input(tensor=tf.constant(X))
        layer = Dense(2)
        found = K.function([], [layer(x)])([])[0]
        np.testing.assert_allclose(found, X @ layer.get_weights()[0], rtol=1e-5)
        fed = K.function([x], [layer(x)])([2 * X])[0]
        np.testing.assert_allclose(fed, 2 * found, rtol=1e-5)

    def test_backend_functions_between_layers(self):
        x = Input((3,))
        y = Dense(2)(K.square(x) + 1.0)
        model = Model(x, y)
        np.testing.assert_allclose(
            model.predict(X), model.layers[-1](tf.constant(X**2 + 1.0)), rtol=1e-5
        )
        twin = clone_model(model)
        twin.set_weights(model.get_weights())
        np.testing.assert_allclose(model.predict(X), twin.predict(X), rtol=1e-6)
        with pytest.raises(ValueError, match="Wrap it: Lambda"):
            model.get_config()

    @pytest.mark.parametrize(
        ("make", "error"),
        [
            (lambda x: Model(x, Dense(1)(Input((3,)))), "Graph disconnected"),
            (lambda x: Model([x, x], Dense(1)(x)), "listed once"),
            (lambda x: Model(tf.constant(X), Dense(1)(x)), r"Input\(shape=...\)"),
            (lambda x: Model(x, tf.constant(X)), "symbolic tensors"),
            (lambda x: Model(x, Dense(1, name="d")(Dense(2, name="d")(x))), "called 'd'"),
        ],
    )
    def test_what_makes_no_model(self, make, error):
        with pytest.raises(ValueError, match=error):
            make(Input((3,)))

    def test_calling_a_model_on_what_does_not_fit(self):
        model = Sequential([Dense(1, input_shape=(3,))], name="small")
        with pytest.raises(ValueError, match=r"'small'.*expected shape \(None, 3\); got \(None, 4"):
            model(Input((4,)))


class TestOrder:
    def test_from_inputs_to_outputs(self):
        x = Input((3,), name="x")
        short = Dense(2, name="short")(x)
        deep = Dense(2, name="deep")(Dense(2, name="before")(x))
        model = Model(x, L.Add(name="sum")([short, deep]))
        names = [layer.name for layer in model.layers]
        assert names[0] == "x"
        assert names[-1] == "sum"
        assert names.index("before") < names.index("deep")

    def test_names_of_inputs_and_outputs(self):
        a, b = Input((3,), name="a"), Input((3,), name="b")
        model = Model([b, a], [Dense(1, name="y")(a), Dense(1, name="z")(b)])
        assert model.input_names == ["b", "a"]
        assert model.output_names == ["y", "z"]
        found = model.predict({"a": X, "b": 0 * X})
        np.testing.assert_array_equal(found[1], np.zeros((4, 1)))

    def test_get_layer(self):
        model = Sequential([Dense(2, input_shape=(3,), name="one"), Dense(1, name="two")])
        assert model.get_layer("two") is model.get_layer(index=1) is model.layers[1]
        with pytest.raises(ValueError, match=r"no layer 'tow'\. Did you mean 'two'"):
            model.get_layer("tow")
        with pytest.raises(ValueError, match="2 layers; there is none at 5"):
            model.get_layer(index=5)


# ---------------------------------------------------------------- functions (3.3.8, 14)


class TestFunctions:
    def test_the_learning_phase_as_an_input(self):
        model = Sequential([L.Dropout(0.5, input_shape=(3,))])
        f = K.function([model.input, K.learning_phase()], [model.output])
        ones = np.ones((50, 3), "float32")
        np.testing.assert_array_equal(f([ones, 0])[0], ones)
        assert set(np.unique(f([ones, 1])[0])) == {0.0, 2.0}

    def test_updates_see_what_was_before(self):
        x = K.placeholder((2,))
        total = K.variable(np.zeros(2))
        f = K.function([x], [total + x], updates=[(total, total + x)])
        np.testing.assert_allclose(f([[1.0, 2.0]])[0], [1.0, 2.0])
        np.testing.assert_allclose(f([[1.0, 2.0]])[0], [2.0, 4.0])
        np.testing.assert_allclose(K.get_value(total), [2.0, 4.0])

    def test_gradients_of_an_output_by_the_input(self):
        """What saliency maps and deep dreams are made of."""
        model = Sequential([Dense(2, activation="tanh", input_shape=(3,)), Dense(1)])
        slope = K.gradients(K.sum(model.output), [model.input])[0]
        found = K.function([model.input], [slope])([X])[0]
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(model(x))
        np.testing.assert_allclose(found, tape.gradient(y, x), rtol=1e-5)

    def test_gradients_of_a_loss_by_the_weights(self):
        model = Sequential([Dense(1, input_shape=(3,))])
        target = K.placeholder((None, 1))
        loss = K.mean(K.square(model.output - target))
        slopes = K.gradients(loss, model.trainable_weights)
        f = K.function([model.input, target], [loss, *slopes])
        value, kernel, bias = f([X, np.zeros((4, 1))])
        y = X @ model.get_weights()[0]
        assert float(value) == pytest.approx(np.mean(y**2), rel=1e-5)
        np.testing.assert_allclose(kernel, 2 * X.T @ y / 4, rtol=1e-5)
        np.testing.assert_allclose(bias, [2 * y.mean()], rtol=1e-5)

    def test_an_output_of_a_model_within_a_model(self):
        inner = Sequential([Dense(2, input_shape=(3,))])
        x = Input((3,))
        outer = Model(x, Dense(1)(inner(x)))
        found = K.function([outer.input], [inner.get_output_at(-1)])([X])[0]
        np.testing.assert_allclose(found, inner.predict(X), rtol=1e-5)


# ---------------------------------------------------------------- size


def calls_while(work: Any) -> int:
    """Python calls that some work takes: what time it needs, on any machine."""
    count = 0

    def tick(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(tick)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def chain(length: int) -> Model:
    x = y = Input((2,))
    shared = L.Activation("linear")
    for _ in range(length):
        y = shared(y)
    return Model(x, y)


def stack(length: int) -> Model:
    x = y = Input((2,))
    for _ in range(length):
        y = L.Activation("linear")(y)
    return Model(x, y)


@pytest.mark.parametrize("build", [chain, stack])
def test_long_chains_are_built_in_linear_time(build):
    build(10)
    short, long = (calls_while(lambda n=n: build(n)) for n in (50, 200))
    assert long < 4 * short * 1.2


def test_a_thousand_layers():
    model = stack(1000)
    assert len(model.layers) == 1001
    np.testing.assert_array_equal(model(tf.ones((1, 2))), np.ones((1, 2)))
    again = Model.from_config(model.get_config())
    assert len(again.layers) == 1001
    assert len(clone_model(model).layers) == 1001


@pytest.mark.slow
def test_a_thousand_layers_predict():
    np.testing.assert_array_equal(stack(1000).predict(np.ones((1, 2))), np.ones((1, 2)))


def test_adding_to_a_sequential_is_linear():
    def build(length: int) -> None:
        model = Sequential([L.Activation("linear", input_shape=(2,))])
        for _ in range(length):
            model.add(L.Activation("linear"))

    build(10)
    short, long = (calls_while(lambda n=n: build(n)) for n in (50, 200))
    assert long < 4 * short * 1.2
