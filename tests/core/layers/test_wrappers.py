"""Layers around layers: what they share, what they pass on, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.backend.symbolic import Call, call_scope
from nbkeras.core.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Masking,
    TimeDistributed,
)
from nbkeras.core.models import Model, Sequential, load_model


def series(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape).astype("float32")


def mask_of(model: Any, x: Any) -> Any:
    with call_scope(Call()) as call:
        return call.mask_of(model(x))


# ---------------------------------------------------------------- at every time step


def test_a_model_at_every_time_step(tmp_path: Any) -> None:
    inner = Sequential([Conv2D(2, 2, input_shape=(4, 4, 1)), Flatten(), Dense(3)])
    model = Model(x := Input((None, 4, 4, 1)), TimeDistributed(inner)(x))
    x = series(2, 5, 4, 4, 1)
    found = model.predict(x)
    for t in range(5):
        np.testing.assert_allclose(found[:, t], inner.predict(x[:, t]), rtol=1e-5, atol=1e-6)
    assert len(model.trainable_weights) == 4
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", compile=False)
    np.testing.assert_array_equal(again.predict(x), found)


def test_dropout_decides_anew_at_every_time_step() -> None:
    layer = TimeDistributed(Dropout(0.5))
    x = np.ones((1, 2, 1000), "float32")
    with call_scope(Call(training=True, seed=tf.constant([1, 0]))):
        found = np.asarray(layer(x))
    assert set(found.ravel()) == {0.0, 2.0}
    assert not np.array_equal(found[:, 0], found[:, 1])


def test_masks_within_and_around() -> None:
    words = Input((3, 4))
    inner = TimeDistributed(Embedding(9, 2, mask_zero=True))(words)
    x = np.array([[[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]], "float32")
    mask = mask_of(Model(words, inner), x)
    np.testing.assert_array_equal(mask, x > 0)
    sentences = TimeDistributed(GRU(3))(inner)
    mask = mask_of(Model(words, sentences), x)
    assert mask.numpy().tolist() == [[True, True, False]]
    steps = Input((3, 2))
    plain = TimeDistributed(Dense(2))(Masking()(steps))
    mask = mask_of(Model(steps, plain), np.array([[[1, 1], [0, 0], [2, 2]]], "float32"))
    assert mask.numpy().tolist() == [[True, False, True]]


def test_its_weights_are_the_inner_layers() -> None:
    layer = TimeDistributed(Dense(2))
    layer(series(2, 3, 4))
    assert [w.name for w in layer.weights] == [f"{layer.name}/kernel:0", f"{layer.name}/bias:0"]
    layer.trainable = False
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == 2


def test_time_distributed_refuses() -> None:
    with pytest.raises(TypeError, match=r"TimeDistributed\(Dense\(8\)\)"):
        TimeDistributed("dense")
    with pytest.raises(ValueError, match="at least 3 axes"):
        TimeDistributed(Dense(2))(Input((3,)))


# ---------------------------------------------------------------- in both directions


def test_the_backward_layer_sees_the_sequence_from_its_end() -> None:
    x = series(2, 5, 3)
    layer = Bidirectional(LSTM(4, return_sequences=True), merge_mode=None)
    forward, backward = layer(x)
    weights = layer.get_weights()
    for part, found in ((weights[:3], forward), (weights[3:], backward)):
        one = LSTM(4, return_sequences=True)
        series_ = x if found is forward else x[:, ::-1]
        one(series_)
        one.set_weights(part)
        expected = one(series_).numpy()
        expected = expected if found is forward else expected[:, ::-1]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_manuals_example() -> None:
    model = Sequential()
    model.add(Bidirectional(LSTM(10, return_sequences=True), input_shape=(5, 10)))
    model.add(Bidirectional(LSTM(10)))
    model.add(Dense(5, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="rmsprop")
    model.train_on_batch(series(4, 5, 10), np.eye(5)[:4])
    assert model.output_shape == (None, 5)
    names = [weight.name for weight in model.layers[0].weights]
    assert len(set(names)) == 6
    assert all(name.startswith(f"{model.layers[0].name}/") for name in names)


def test_states_as_inputs_are_saved(tmp_path: Any) -> None:
    x, h, c = Input((5, 3)), Input((4,)), Input((4,))
    layer = Bidirectional(LSTM(4))
    model = Model([x, h, c], layer(x, initial_state=[h, c, h, c]))
    data = [series(2, 5, 3), series(2, 4), series(2, 4)]
    expected = model.predict(data)
    assert not np.allclose(layer(data[0]), expected)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", compile=False)
    np.testing.assert_allclose(again.predict(data), expected, rtol=1e-6)


def test_bidirectional_refuses() -> None:
    with pytest.raises(ValueError, match="takes a recurrent layer"):
        Bidirectional(Dense(3))
    with pytest.raises(ValueError, match="merge_mode is one of 'concat', 'sum'"):
        Bidirectional(LSTM(3), merge_mode="max")


def test_weights_to_start_from() -> None:
    weights = [np.full(shape, 0.1, "float32") for shape in ((3, 6), (2, 6), (6,)) * 2]
    layer = Bidirectional(GRU(2), weights=weights)
    layer(series(1, 4, 3))
    np.testing.assert_array_equal(layer.get_weights()[0], weights[0])
