"""What is trainable is decided when a model is compiled (Keras 2 manual, 3.3.14)."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core.layers import BatchNormalization, Dense, Input
from nbkeras.core.models import Model, Sequential
from tests.core.engine.test_surface import Count

X = np.random.default_rng(0).normal(3.0, 2.0, (32, 4)).astype("float32")
Y = X[:, :1]


def normalizing():
    return Sequential([BatchNormalization(input_shape=(4,)), Dense(1)])


def moving(model):
    return model.layers[0].get_weights()[2:]


@pytest.mark.filterwarnings("ignore:Model")
def test_statistics_follow_what_was_compiled():
    """The step is traced after ``trainable`` changed; what counts is what it was before."""
    model = normalizing()
    model.compile("sgd", "mse")
    before = moving(model)
    model.layers[0].trainable = False
    model.train_on_batch(X, Y)
    assert not np.array_equal(before[0], moving(model)[0])

    model.compile("sgd", "mse")
    before = moving(model)
    model.layers[0].trainable = True
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(before, moving(model))


@pytest.mark.filterwarnings("ignore:Model")
def test_a_discriminator_trains_alone_and_is_frozen_within():
    critic = normalizing()
    critic.compile("sgd", "mse")
    critic.trainable = False
    noise = Input((2,))
    both = Model(noise, critic(Dense(4)(noise)))
    both.compile("sgd", "mse")
    start = critic.get_weights()
    both.train_on_batch(X[:, :2], Y)
    for a, b in zip(start, critic.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    critic.train_on_batch(X, Y)
    assert not any(np.array_equal(a, b) for a, b in zip(start, critic.get_weights(), strict=True))


@pytest.mark.filterwarnings("ignore:Model")
def test_updates_follow_what_was_compiled():
    layer = Count(input_shape=(4,))
    model = Sequential([layer, Dense(1)])
    layer.trainable = False
    model.compile("sgd", "mse")
    layer.trainable = True
    model.train_on_batch(X, Y)
    assert float(K.get_value(layer.count)) == 0


def test_a_frozen_model_freezes_the_layers_within():
    inner = normalizing()
    model = Sequential([inner])
    inner._trainable = False  # as a file may say, with its layers trainable
    model.compile("sgd", "mse")
    assert model._trainer.frozen == {inner, *inner.layers}


def test_a_late_change_is_told_once():
    model = normalizing()
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match=r"takes effect only with the next model.compile\("):
        model.train_on_batch(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.train_on_batch(X, Y)
        model.fit(X, Y, verbose=0)
        Dense(1).trainable = False  # another's layer
        model.train_on_batch(X, Y)
        model.compile("sgd", "mse")
        model.train_on_batch(X, Y)
    model.layers[0].trainable = True
    with pytest.warns(UserWarning, match="4 weights|2 weights"):
        model.fit(X, Y, verbose=0)
