"""The gradients of recurrent layers that are written by hand, against TensorFlow's own.

A layer in training goes through ``backend.recurrences``; in inference through ``K.rnn``,
which TensorFlow differentiates op by op. Without noise both compute the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.backend import recurrences
from nbkeras.core.backend.symbolic import Call, call_scope
from nbkeras.core.layers import GRU, LSTM, CuDNNGRU, CuDNNLSTM, Dense, GRUCell, LSTMCell, SimpleRNN
from nbkeras.core.models import Sequential

KINDS: dict[str, tuple[type, dict[str, Any]]] = {
    "simple": (SimpleRNN, {}),
    "simple relu": (SimpleRNN, {"activation": "relu"}),
    "gru": (GRU, {}),
    "gru sigmoid": (GRU, {"recurrent_activation": "sigmoid", "use_bias": False}),
    "gru reset after": (GRU, {"reset_after": True}),
    "gru reset after, no bias": (GRU, {"reset_after": True, "use_bias": False}),
    "lstm": (LSTM, {}),
    "lstm linear": (LSTM, {"recurrent_activation": "sigmoid", "activation": None}),
    "cudnn gru": (CuDNNGRU, {}),
    "cudnn lstm": (CuDNNLSTM, {}),
}
MASK = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 1, 1]], bool)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which recurrences were gone through."""
    seen: list[Any] = []
    real = recurrences.recur

    def recur(recurrence: Any, *args: Any) -> Any:
        seen.append(recurrence)
        return real(recurrence, *args)

    monkeypatch.setattr(recurrences, "recur", recur)
    return seen


def made(kind: type, **options: Any) -> Any:
    layer = kind(3, dtype="float64", return_state=True, **options)
    layer(np.zeros((3, 5, 4)))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def run(layer: Any, inputs: list[Any], mask: Any, training: bool) -> list[Any]:
    x, *states = inputs
    with call_scope(Call(training=training, seed=tf.constant([0, 0]))):
        return list(layer(x, mask=mask, initial_state=states))


def outputs_and_gradients(layer: Any, inputs: list[Any], mask: Any, training: bool) -> list[Any]:
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = run(layer, inputs, mask, training)
        loss = tf.add_n([tf.reduce_sum(tf.sin((k + 1.0) * y)) for k, y in enumerate(outputs)])
    return [*outputs, *tape.gradient(loss, [*inputs, *layer.trainable_weights])]


def inputs_of(layer: Any) -> list[Any]:
    rng = np.random.default_rng(2)
    shapes = [(3, 5, 4), *[(3, 3)] * len(layer.states)]
    return [tf.constant(rng.normal(size=shape)) for shape in shapes]


def close(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


# ---------------------------------------------------------------- first order


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_equals_tensorflows_gradient(name: str, sequences: bool, runs: list[Any]) -> None:
    kind, options = KINDS[name]
    layer = made(kind, return_sequences=sequences, **options)
    inputs = inputs_of(layer)
    for mask in (None, tf.constant(MASK)):
        expected = outputs_and_gradients(layer, inputs, mask, training=False)
        assert not runs
        close(outputs_and_gradients(layer, inputs, mask, training=True), expected)
        assert len(runs) == 1
        runs.clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simple", "gru", "gru reset after", "lstm"])
def test_equals_differences(name: str) -> None:
    """In a graph whose batch and time are not known; masked, and from the last step on."""
    kind, options = KINDS[name]
    layer = made(kind, return_sequences=True, go_backwards=True, **options)
    inputs = inputs_of(layer)
    mask = tf.constant(MASK)
    open_shapes = [
        tf.TensorSpec([None, None, 4], tf.float64),
        *[tf.TensorSpec([None, 3], tf.float64)] * len(layer.states),
    ]

    @tf.function(input_signature=open_shapes, autograph=False)
    def total(*inputs: Any) -> Any:
        outputs = run(layer, list(inputs), mask, training=True)
        return tf.add_n([tf.reduce_sum(tf.sin((k + 1.0) * y)) for k, y in enumerate(outputs)])

    exact, differences = tf.test.compute_gradient(total, inputs, delta=1e-5)
    for one, other in zip(exact, differences, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gru", "gru reset after", "lstm"])
def test_equals_itself_under_xla(name: str) -> None:
    kind, options = KINDS[name]
    layer = made(kind, return_sequences=True, **options)
    inputs, mask = inputs_of(layer), tf.constant(MASK)

    def compute() -> list[Any]:
        return outputs_and_gradients(layer, inputs, mask, training=True)

    compiled = tf.function(compute, jit_compile=True, autograph=False)
    close(compiled(), compute())


# ---------------------------------------------------------------- second order


def curvature(layer: Any, inputs: list[Any], mask: Any, training: bool) -> list[Any]:
    """The gradient of the squared gradient."""
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            outputs = run(layer, inputs, mask, training)
            loss = tf.add_n([tf.reduce_sum(tf.sin(y)) for y in outputs])
        slopes = inner.gradient(loss, [*inputs, *layer.trainable_weights])
        squares = tf.add_n([tf.reduce_sum(slope**2) for slope in slopes])
    return list(outer.gradient(squares, [*inputs, *layer.trainable_weights]))


@pytest.mark.parametrize("name", ["simple", "gru", "gru reset after", "lstm"])
@pytest.mark.parametrize("how", ["eager", pytest.param("graph", marks=pytest.mark.slow)])
def test_gradients_of_gradients(name: str, how: str) -> None:
    kind, options = KINDS[name]
    layer = made(kind, return_sequences=True, **options)
    inputs, mask = inputs_of(layer), tf.constant(MASK)
    compute: Callable[..., Any] = curvature
    if how == "graph":
        compute = tf.function(curvature, autograph=False)
    close(
        compute(layer, inputs, mask, training=True),
        curvature(layer, inputs, mask, training=False),
    )


# ---------------------------------------------------------------- where it is used


class Louder(LSTMCell):
    """A cell that changes the step."""

    def step(self, projected: Any, states: Any, fixed: Any) -> Any:
        output, states = super().step(projected, states, fixed)
        return 2 * output, states


def test_what_has_no_gradient_of_its_own_goes_the_general_way(runs: list[Any]) -> None:
    from nbkeras.core.layers import RNN

    x = np.ones((2, 3, 4), "float32")
    layers = [
        LSTM(3, activation="softplus"),
        LSTM(3, activation=lambda x: x),
        LSTM(3, recurrent_dropout=0.5),
        LSTM(3, unroll=True),
        RNN(Louder(3)),
        RNN([LSTMCell(3), GRUCell(3)]),
    ]
    for layer in layers:
        with call_scope(Call(training=True, seed=tf.constant([0, 0]))):
            layer(x)
    assert not runs
    with call_scope(Call(training=True, seed=tf.constant([0, 0]))):
        RNN(LSTMCell(3, dropout=0.5))(x)
    assert len(runs) == 1


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_keeps_the_type(dtype: str) -> None:
    layer = GRU(3, dtype=dtype, reset_after=True, return_sequences=True)
    x = tf.ones((2, 4, 3), dtype)
    layer(x)
    with tf.GradientTape() as tape, call_scope(Call(training=True, seed=tf.constant([0, 0]))):
        loss = tf.reduce_sum(layer(x) ** 2)
    gradients = tape.gradient(loss, layer.trainable_weights)
    assert {gradient.dtype.name for gradient in gradients} == {dtype}
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_a_masked_model_trains_alike_with_any_length(runs: list[Any]) -> None:
    """Padding that is masked changes nothing of a training step."""
    from nbkeras.core.layers import Masking

    rng = np.random.default_rng(3)
    short, y = rng.normal(size=(4, 3, 2)).astype("float32"), np.ones((4, 1), "float32")
    long = np.concatenate([short, np.zeros((4, 2, 2), "float32")], 1)
    found = []
    for x in (short, long):
        model = Sequential([Masking(input_shape=(None, 2)), LSTM(3), Dense(1)])
        model.set_weights([np.full(w.shape, 0.3, "float32") for w in model.get_weights()])
        model.compile("sgd", "mse")
        model.train_on_batch(x, y)
        found.append(model.get_weights())
    assert runs
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
