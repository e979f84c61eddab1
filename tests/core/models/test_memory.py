"""Nothing holds a model, its variables or its programs once the user lets go of them."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input, Lambda
from nbkeras.core.models import Model, Sequential

X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")


def dense():
    return Sequential([Dense(3, input_shape=(4,)), Dropout(0.5), BatchNormalization(), Dense(1)])


def functional():
    x = Input((4,))
    h = Lambda(lambda t: K.expand_dims(t, -1))(x)
    return Model(x, Dense(1)(LSTM(2)(h)))


def sharing():
    words = Input((4,))
    layer = Dense(1)
    model = Model(words, layer(words) + layer(words * 2.0))
    model.add_loss(K.mean(model.output))
    return model


def nothing(model):
    pass


def fit(model):
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=4, validation_split=0.5, verbose=0)


def on_batches(model):
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    model.test_on_batch(X, Y)
    model.predict(X)


def functions(model):
    K.function([model.input], [model.output])([X])


@pytest.mark.parametrize("make", [dense, functional, sharing])
@pytest.mark.parametrize("use", [nothing, fit, on_batches, functions])
def test_a_model_goes(make, use):
    model = make()
    use(model)
    watched = [weakref.ref(variable) for variable in model.weights]
    if model.optimizer is not None:
        watched += [weakref.ref(v) for v in model.optimizer.weights]
    watched += [weakref.ref(model), *(weakref.ref(layer) for layer in model.layers)]
    assert len(watched) > 4
    del model
    gc.collect()
    assert [ref() for ref in watched if ref() is not None] == []


def test_shapes_hold_no_graph():
    """What a layer remembers of its outputs is their types, not the graph they were seen in."""
    layer = Embedding(5, 3)
    layer(Input((4,)))
    (kept,) = layer._inferred.values()
    assert not any(isinstance(value, tf.Tensor) for value in tf.nest.flatten(kept))


def test_predictions_of_many_models_hold_none_of_them():
    gone = []
    for _ in range(3):
        model = dense()
        model.predict(X)
        gone.append(weakref.ref(model))
    del model
    gc.collect()
    assert not any(ref() is not None for ref in gone)
