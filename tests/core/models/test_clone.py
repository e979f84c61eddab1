"""clone_model: the same structure, new layers, new weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import layers as L
from nbkeras.core import registry
from nbkeras.core.layers import Dense, Input, Layer
from nbkeras.core.models import Model, Sequential, clone_model

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
SHIFT = 3.0


class Times(Layer):
    """A layer that nobody registered."""

    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def assert_twins(model: Any, twin: Any) -> None:
    assert {id(layer) for layer in model.layers}.isdisjoint({id(layer) for layer in twin.layers})
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(twin.predict(X), model.predict(X), rtol=1e-6)
    if twin.weights:
        twin.set_weights([w + 1 for w in twin.get_weights()])
        assert np.any(twin.get_weights()[0] != model.get_weights()[0])


def test_of_ones_own_layers_and_unnamed_functions():
    """A copy needs no custom objects: all of them are at hand."""
    model = Sequential(
        [
            Times(5.0, input_shape=(3,)),
            L.Lambda(lambda x: x + SHIFT),
            Dense(2, activation=lambda x: x * SHIFT),
            L.Activation(lambda x: x - SHIFT),
        ]
    )
    assert_twins(model, clone_model(model))
    assert registry.get_custom_objects() == {}


def test_of_a_graph_with_shared_layers_models_and_backend_functions():
    x = Input((3,))
    shared = Dense(3, activation="tanh")
    inner = Sequential([Times(input_shape=(3,)), Dense(3)])
    y = shared(inner(shared(x))) + K.square(x)
    model = Model(x, L.concatenate([y, inner(x)]), name="both")
    twin = clone_model(model)
    assert twin.name == "both"
    assert len(twin.weights) == len(model.weights) == 4
    assert_twins(model, twin)


def test_keeps_frozenness_and_forgets_compilation():
    model = Sequential([Dense(2, input_shape=(3,), trainable=False), Dense(1)])
    model.compile("sgd", "mse")
    twin = clone_model(model)
    assert len(twin.trainable_weights) == 2
    assert twin.optimizer is None


def test_draws_new_weights():
    model = Sequential([Dense(2, input_shape=(3,))])
    assert np.any(clone_model(model).get_weights()[0] != model.get_weights()[0])


def test_of_a_sequential_that_knows_no_shape_yet():
    model = Sequential([Dense(2), Dense(1)])
    assert not clone_model(model).built
    model.build((None, 3))
    assert clone_model(model).output_shape == (None, 1)


@pytest.mark.parametrize("functional", [True, False])
def test_on_given_tensors(functional):
    model: Any = Sequential([Dense(2, input_shape=(3,)), Dense(1)])
    if functional:
        model = Model(model.input, model.output)
    x = Input((3,), name="mine")
    for given in (x, [x]):
        assert clone_model(model, given).input_names == ["mine"]
    twin = clone_model(model, input_tensors=tf.constant(X))
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(K.function([], [twin.output])([])[0], model.predict(X), rtol=1e-6)


def test_by_the_names_of_the_inputs():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    model = Model([a, b], L.subtract([a, b]))
    c, d = Input((3,)), Input((3,))
    twin = clone_model(model, {"b": d, "a": c})
    np.testing.assert_allclose(twin.predict([3 * X, X]), 2 * X, rtol=1e-6)


def test_what_cannot_be_cloned():
    class Python(Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(ValueError, match="takes a model; got Dense"):
        clone_model(Dense(2))
    with pytest.raises(ValueError, match="computes in Python code"):
        clone_model(Python())
    model = Sequential([Dense(2, input_shape=(3,))])
    with pytest.raises(ValueError, match="as many tensors; got 2"):
        clone_model(model, [Input((3,)), Input((3,))])
