"""Mixed precision as an option of compile: float32 weights, products in fewer bits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.engine.mixed import LossScale, precision_of
from nbkeras.core.layers import LSTM, BatchNormalization, Conv2D, Dense, Embedding, Flatten
from nbkeras.core.models import Sequential
from nbkeras.core.optimizers import Adam

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(64, 6, 6, 2)).astype("float32")
Y = (X.mean((1, 2, 3)) > 0).astype("float32")[:, None]


def picture_model():
    layers = [
        Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2)),
        BatchNormalization(),
        Flatten(),
        Dense(1, activation="sigmoid"),
    ]
    return Sequential(layers)


def fitted(mixed_precision, jit_compile="auto", start=None, **arguments):
    model = picture_model()
    if start is not None:
        model.set_weights(start)
    model.compile(
        "sgd",
        loss="binary_crossentropy",
        jit_compile=jit_compile,
        mixed_precision=mixed_precision,
    )
    history = model.fit(X, Y, batch_size=16, epochs=4, shuffle=False, verbose=0, **arguments)
    return model, history.history["loss"]


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "mixed_float16"])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_training_is_near_that_in_float32(precision, jit_compile):
    start = picture_model().get_weights()
    _, exact = fitted(None, start=start)
    model, losses = fitted(precision, jit_compile, start)
    assert all(weight.dtype == tf.float32 for weight in model.weights)
    np.testing.assert_allclose(losses, exact, rtol=0.03)
    assert losses != exact
    assert model.predict(X[:3]).dtype == np.float32


def test_float32_is_no_rounding():
    start = picture_model().get_weights()
    assert fitted("float32", start=start)[1] == fitted(None, start=start)[1]


def test_sparse_gradients_and_recurrences():
    model = Sequential([Embedding(10, 8, input_length=5), LSTM(4), Dense(1)])
    model.compile(Adam(0.1), loss="mse", mixed_precision="float16")
    words = RANDOM.integers(0, 10, (32, 5))
    losses = model.fit(words, words.mean(1), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_a_step_that_overflows_is_left_out_and_the_scale_lowered():
    scale = LossScale()
    weight = tf.Variable(1.0)
    before = float(scale.scale)
    scale.update([tf.constant(np.inf)], lambda: weight.assign(0.0))
    assert float(weight) == 1.0
    assert float(scale.scale) == before / 2
    scale.update([tf.constant(3.0)], lambda: weight.assign(0.0))
    assert float(weight) == 0.0
    assert int(scale.good_steps) == 1


def test_the_scale_grows_after_many_good_steps(monkeypatch):
    monkeypatch.setattr("nbkeras.core.engine.mixed.GROWTH_STEPS", 2)
    scale = LossScale()
    before = float(scale.scale)
    for _ in range(2):
        scale.update([tf.constant(0.5)], lambda: None)
    assert float(scale.scale) == 2 * before
    assert int(scale.good_steps) == 0


def test_gradients_too_small_for_float16_arrive():
    """1e-9 is zero in float16; with the scale it moves the weight."""
    weight = []
    for precision in (None, "float16"):
        model = Sequential([Dense(1, use_bias=False, kernel_initializer="zeros", input_shape=(1,))])
        model.compile("sgd", loss=lambda t, p: 1e-8 * p, mixed_precision=precision)
        model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=1, verbose=0)
        weight.append(model.get_weights()[0])
    assert weight[0] != 0
    np.testing.assert_allclose(weight[1], weight[0], rtol=1e-2)


def test_unknown_precision_is_refused_with_the_call():
    with pytest.raises(ValueError, match=r"got 'int8'.*mixed_precision='bfloat16'"):
        picture_model().compile("sgd", loss="mse", mixed_precision="int8")


def test_names():
    assert [precision_of(n) for n in (None, "float32", "mixed_bfloat16", "float16")] == [
        None,
        None,
        "bfloat16",
        "float16",
    ]
