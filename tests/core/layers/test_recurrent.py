"""Recurrent layers: states, constants, cells of one's own, dropout, cuDNN's weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.backend.symbolic import Call, call_scope
from nbkeras.core.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    ConvLSTM2D,
    CuDNNGRU,
    CuDNNLSTM,
    Dense,
    Dropout,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    Masking,
    Recurrent,
    SimpleRNN,
    StackedRNNCells,
)
from nbkeras.core.models import Model, Sequential, load_model

RECURRENT = (SimpleRNN, GRU, LSTM)


def series(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape).astype("float32")


# ---------------------------------------------------------------- states


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_stateful_layer_goes_on_where_it_stopped(kind: type) -> None:
    x = series(2, 6, 3)
    whole = Sequential([kind(4, batch_input_shape=(2, 6, 3))])
    parts = Sequential([kind(4, stateful=True, batch_input_shape=(2, 3, 3))])
    parts.set_weights(whole.get_weights())
    expected = whole.predict(x)
    for _ in range(2):
        parts.predict(x[:, :3])
        np.testing.assert_allclose(parts.predict(x[:, 3:]), expected, rtol=1e-5)
        parts.reset_states()


def test_states_can_be_set_and_wrong_ones_change_nothing() -> None:
    layer = LSTM(4, stateful=True)
    layer(series(2, 3, 3))
    given = [np.full((2, 4), 1.0, "float32"), np.full((2, 4), 2.0, "float32")]
    layer.reset_states(given)
    with pytest.raises(ValueError, match=r"states of the shapes \[\(2, 4\), \(2, 4\)\]"):
        layer.reset_states([given[0]])
    for state, array in zip(layer.states, given, strict=True):
        np.testing.assert_array_equal(state.numpy(), array)
    layer.reset_states()
    assert not np.any(layer.states[0].numpy())


def test_states_are_no_weights_and_training_moves_them() -> None:
    model = Sequential([GRU(4, stateful=True, batch_input_shape=(2, 3, 3)), Dense(1)])
    assert len(model.weights) == 5
    model.compile("sgd", "mse")
    model.train_on_batch(series(2, 3, 3), np.zeros((2, 1)))
    assert np.any(model.layers[0].states[0].numpy())


@pytest.mark.parametrize("jit", [False, True])
def test_states_go_on_within_a_compiled_loop(jit: bool) -> None:
    x, y = series(16, 3, 3), series(16, 1)
    one, other = (
        Sequential([LSTM(4, stateful=True, batch_input_shape=(4, 3, 3)), Dense(1)])
        for _ in range(2)
    )
    other.set_weights(one.get_weights())
    one.compile("sgd", "mse", jit_compile=jit)
    other.compile("sgd", "mse", jit_compile=False)
    one.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for start in [0, 4, 8, 12] * 2:
        other.train_on_batch(x[start : start + 4], y[start : start + 4])
    for mine, theirs in zip(one.layers[0].states, other.layers[0].states, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-6)


def test_a_stateful_layer_needs_a_batch_size() -> None:
    with pytest.raises(ValueError, match="batch_input_shape"):
        LSTM(4, stateful=True)(Input((3, 3)))
    with pytest.raises(AttributeError, match="stateful=True"):
        LSTM(4).reset_states()


@pytest.mark.parametrize("kind", [*RECURRENT, CuDNNLSTM])
def test_initial_states_are_inputs_of_the_model(kind: type, tmp_path: Any) -> None:
    """An encoder's last states begin a decoder, and are saved as Keras 2 does."""
    source, target = Input((4, 3)), Input((None, 3))
    _, *states = kind(5, return_state=True)(source)
    decoder = kind(5, return_sequences=True, name="decoder")
    model = Model([source, target], decoder(target, initial_state=states))
    x, y = series(2, 4, 3), series(2, 6, 3)
    expected = model.predict([x, y])
    loose = decoder(y).numpy()
    assert not np.allclose(loose, expected)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", compile=False)
    np.testing.assert_allclose(again.predict([x, y]), expected, rtol=1e-6)
    node = model.get_config()["layers"][-1]["inbound_nodes"][0]
    assert len(node) == 1 + len(states)


def test_wrong_initial_states_are_named() -> None:
    with pytest.raises(ValueError, match=r"initial_state=\[h, c\]"):
        LSTM(4)(series(2, 3, 3), initial_state=[tf.zeros((2, 4))])
    with pytest.raises(ValueError, match=r"\(None, 4\)"):
        GRU(4)(series(2, 3, 3), initial_state=tf.zeros((2, 5)))


def test_both_ways_takes_and_gives_states() -> None:
    layer = Bidirectional(LSTM(4, return_state=True))
    output, *states = layer(series(2, 3, 3))
    assert len(states) == 4
    zero = layer(series(2, 3, 3), initial_state=[tf.zeros((2, 4))] * 4)
    np.testing.assert_array_equal(zero[0], output)
    ones = layer(series(2, 3, 3), initial_state=[tf.ones((2, 4))] * 4)
    assert not np.allclose(ones[0], output)
    with pytest.raises(ValueError, match="even number of states"):
        layer(series(2, 3, 3), initial_state=[tf.zeros((2, 4))] * 3)


def test_both_ways_is_stateful() -> None:
    layer = Bidirectional(GRU(4, stateful=True))
    first = layer(series(2, 3, 3)).numpy()
    assert not np.allclose(layer(series(2, 3, 3)), first)
    layer.reset_states()
    np.testing.assert_array_equal(layer(series(2, 3, 3)), first)


# ---------------------------------------------------------------- cells of one's own


class Minimal(Layer):
    """The manual's cell (chapter 5.6.1)."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        self.units = units
        self.state_size = units
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.units))
        self.recurrent_kernel = self.add_weight("recurrent_kernel", (self.units, self.units))
        self.built = True

    def call(self, inputs: Any, states: Any) -> Any:
        output = K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent_kernel)
        return output, [output]


class Leaning(Minimal):
    """A cell that takes constants."""

    def call(self, inputs: Any, states: Any, constants: Any = None) -> Any:
        output, states = super().call(inputs, states)
        return output + constants[0], states


class Nested(Layer):
    """A cell with a matrix and a vector as its states."""

    state_size = (tf.TensorShape((2, 3)), 4)
    output_size = 4

    def call(self, inputs: Any, states: Any) -> Any:
        matrix, vector = states
        total = tf.reduce_sum(inputs, -1)
        new = vector + total[:, None]
        return new, (matrix + total[:, None, None], new)


def test_the_manuals_cell_equals_a_linear_recurrent_layer() -> None:
    x = series(2, 5, 3)
    mine, plain = RNN(Minimal(4)), SimpleRNN(4, activation=None, use_bias=False)
    expected = plain(x)
    mine(x)
    mine.set_weights(plain.get_weights())
    np.testing.assert_allclose(mine(x), expected, rtol=1e-5)


def test_a_stack_mixes_cells_and_orders_their_states() -> None:
    layer = RNN([Minimal(4), LSTMCell(3), Minimal(5)], return_state=True)
    output, *states = layer(series(2, 5, 3))
    assert output.shape == (2, 5)
    assert [state.shape[-1] for state in states] == [4, 3, 3, 5]
    np.testing.assert_array_equal(output, states[-1])
    assert isinstance(layer.cell, StackedRNNCells)
    assert [w.name.split("/")[-2] for w in layer.weights[:2]] == ["cell_0"] * 2


def test_a_stack_equals_layers_one_after_the_other() -> None:
    x = series(2, 5, 3)
    stack = RNN([LSTMCell(4), GRUCell(3)])
    lower, upper = LSTM(4, return_sequences=True), GRU(3)
    expected = upper(lower(x))
    stack(x)
    stack.set_weights(lower.get_weights() + upper.get_weights())
    np.testing.assert_allclose(stack(x), expected, rtol=1e-5)


def test_states_of_nested_sizes() -> None:
    x = series(2, 5, 3)
    output, matrix, vector = RNN(Nested(), return_state=True)(x)
    assert matrix.shape == (2, 2, 3)
    np.testing.assert_allclose(vector[:, 0], x.sum((1, 2)), rtol=1e-4)
    np.testing.assert_array_equal(output, vector)


def test_constants_reach_every_step_and_are_saved(tmp_path: Any) -> None:
    x, lean = series(2, 5, 3), series(2, 4)
    sequence, constant = Input((5, 3)), Input((4,))
    layer = RNN(Leaning(4), return_sequences=True)
    model = Model([sequence, constant], layer(sequence, constants=constant))
    found = model.predict([x, lean])
    without = layer(x, constants=tf.zeros((2, 4))).numpy()
    np.testing.assert_allclose(found, without + lean[:, None], rtol=1e-4)
    model.save(tmp_path / "model.h5")
    custom = {"Leaning": Leaning}
    again = load_model(tmp_path / "model.h5", custom_objects=custom, compile=False)
    np.testing.assert_allclose(again.predict([x, lean]), found, rtol=1e-6)


def test_constants_that_a_cell_does_not_take() -> None:
    with pytest.raises(ValueError, match="LSTMCell does not take"):
        RNN(LSTMCell(4))(series(2, 5, 3), constants=tf.zeros((2, 4)))


def test_what_is_no_cell() -> None:
    with pytest.raises(TypeError, match=r"RNN\(LSTMCell\(32\)\)"):
        RNN(Dense(4))
    with pytest.raises(TypeError, match="is the base"):
        Recurrent()


# ---------------------------------------------------------------- options


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_both_implementations_are_the_same_without_dropout(kind: type) -> None:
    x = series(2, 5, 3)
    one, two = kind(4, implementation=1), kind(4, implementation=2)
    expected = one(x)
    two(x)
    two.set_weights(one.get_weights())
    np.testing.assert_array_equal(two(x), expected)


def test_the_manuals_defaults() -> None:
    layer = LSTM(4)
    assert layer.implementation == 1
    assert layer.recurrent_activation.__name__ == "hard_sigmoid"
    assert not GRU(4).reset_after
    layer(series(1, 2, 3))
    np.testing.assert_array_equal(layer.get_weights()[2], [0] * 4 + [1] * 4 + [0] * 8)
    names = [weight.name.split("/")[1] for weight in layer.weights]
    assert names == ["kernel:0", "recurrent_kernel:0", "bias:0"]


def in_training(layer: Any, x: np.ndarray, seed: int = 0) -> np.ndarray:
    with call_scope(Call(training=True, seed=tf.constant([seed, 0]))):
        return np.asarray(layer(x))


@pytest.mark.parametrize("implementation", [1, 2])
def test_dropout_takes_the_same_inputs_at_every_step(implementation: int) -> None:
    """A layer that passes its input on shows what was dropped."""
    layer = GRU(
        5, implementation=implementation, dropout=0.5, activation=None, return_sequences=True
    )
    x = np.ones((3, 4, 5), "float32")
    layer(x)
    kernel = np.concatenate([np.zeros((5, 10)), np.eye(5)], 1)
    bias = np.array([-100.0] * 5 + [0.0] * 10)  # z = 0: the state is the new value
    layer.set_weights([kernel, np.zeros((5, 15)), bias])
    found = in_training(layer, x)
    assert set(found.ravel()) == {0.0, 2.0}
    np.testing.assert_array_equal(found, found[:, :1] + 0 * found)
    np.testing.assert_array_equal(layer(x), x)


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_dropout_trains_and_is_gone_in_prediction(kind: type) -> None:
    x = series(2, 5, 3)
    layer, plain = kind(4, recurrent_dropout=0.5), kind(4)
    layer(x)
    plain(x)
    layer.set_weights(plain.get_weights())
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-6)
    assert not np.allclose(in_training(layer, x), plain(x))
    assert not np.allclose(in_training(layer, x), in_training(layer, x, seed=1))


def test_rates_are_steered_without_tracing_anew() -> None:
    model = Sequential([LSTM(4, dropout=0.5, input_shape=(5, 3)), Dropout(0.1), Dense(1)])
    from nbkeras.core.engine.steering import Steering

    model.compile("sgd", "mse")
    layer = model.layers[0]
    names = [parameter.name for parameter in Steering(model).parameters()]
    assert names == ["lr", f"{layer.name}.dropout", f"{model.layers[1].name}.rate"]
    layer.dropout = 0.2
    assert layer.get_config()["dropout"] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="below 1"):
        layer.dropout = 1.5


def test_unroll_needs_the_number_of_steps() -> None:
    with pytest.raises(ValueError, match="unroll"):
        LSTM(4, unroll=True)(Input((None, 3)))


def test_masked_steps_leave_state_and_output_alone() -> None:
    x = series(1, 5, 3)
    layer = LSTM(4, return_sequences=True)
    short = layer(x[:, :3]).numpy()
    found = layer(x, mask=tf.constant([[True, True, True, False, False]])).numpy()
    np.testing.assert_allclose(found[:, :3], short, rtol=1e-6)
    np.testing.assert_allclose(found[:, 3:], short[:, -1:] + 0 * found[:, 3:], rtol=1e-6)


# ---------------------------------------------------------------- cuDNN


@pytest.mark.parametrize(
    ("kind", "plain", "options", "gates"),
    [
        (CuDNNLSTM, LSTM, {}, 4),
        (CuDNNGRU, GRU, {"reset_after": True}, 3),
    ],
)
def test_cudnn_layers_equal_plain_ones_with_converted_weights(
    kind: type, plain: type, options: dict, gates: int
) -> None:
    """The conversion is written out here gate by gate, from cuDNN's description."""
    x = series(2, 5, 3)
    layer = kind(4, return_sequences=True)
    layer(x)
    rng = np.random.default_rng(1)
    kernel, recurrent, bias = (rng.normal(size=w.shape) for w in layer.get_weights())
    layer.set_weights([kernel, recurrent, bias])
    assert bias.shape == (2 * gates * 4,)
    kernels = [part.reshape(4, 3).T for part in np.split(kernel, gates, 1)]
    recurrents = [part.T for part in np.split(recurrent, gates, 1)]
    biases = bias.reshape(2, -1)
    other = plain(4, return_sequences=True, recurrent_activation="sigmoid", **options)
    other(x)
    other.set_weights(
        [
            np.concatenate(kernels, 1),
            np.concatenate(recurrents, 1),
            biases if gates == 3 else biases.sum(0),
        ]
    )
    np.testing.assert_allclose(layer(x), other(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "plain", "options"),
    [
        (CuDNNLSTM, LSTM, {"recurrent_activation": "sigmoid"}),
        (CuDNNGRU, GRU, {"recurrent_activation": "sigmoid", "reset_after": True}),
    ],
)
def test_cudnn_files_load_into_plain_layers_and_back(
    kind: type, plain: type, options: dict, tmp_path: Any
) -> None:
    x = series(2, 5, 3)
    fast = Sequential([kind(4, input_shape=(5, 3))])
    slow = Sequential([plain(4, input_shape=(5, 3), **options)])
    rng = np.random.default_rng(1)
    fast.set_weights([rng.normal(size=w.shape) for w in fast.get_weights()])
    expected = fast.predict(x)
    fast.save_weights(tmp_path / "fast.h5")
    slow.load_weights(tmp_path / "fast.h5")
    np.testing.assert_allclose(slow.predict(x), expected, rtol=1e-5, atol=1e-6)
    slow.save_weights(tmp_path / "slow.h5")
    back = Sequential([kind(4, input_shape=(5, 3))])
    back.load_weights(tmp_path / "slow.h5")
    np.testing.assert_allclose(back.predict(x), expected, rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- images


def test_images_of_unknown_size() -> None:
    layer = ConvLSTM2D(2, 3, padding="same", return_sequences=True)
    model = Model(x := Input((None, None, None, 2)), layer(x))
    x = series(2, 3, 4, 5, 2)
    np.testing.assert_allclose(model.predict(x), layer(x), rtol=1e-5, atol=1e-6)


def test_dropout_of_images_trains() -> None:
    layer = ConvLSTM2D(2, 3, dropout=0.5, recurrent_dropout=0.5)
    x = series(2, 3, 5, 5, 2)
    assert not np.allclose(in_training(layer, x), layer(x))


@pytest.mark.parametrize("layer", RECURRENT)
@pytest.mark.parametrize("masked", [False, True])
def test_few_steps_in_use_are_the_same_without_a_loop(layer: Any, masked: bool) -> None:
    def made(steps: int) -> tuple[Any, bool]:
        inputs = Input((steps, 3))
        x = Masking()(inputs) if masked else inputs
        model = Model(inputs, layer(4, return_sequences=True, dropout=0.3)(x))
        function = tf.function(lambda x: model(x, training=False), autograph=False)
        graph = function.get_concrete_function(tf.TensorSpec((None, steps, 3))).graph
        return model, any("While" in operation.type for operation in graph.get_operations())

    short, loops = made(8)
    assert not loops
    long, loops = made(9)
    assert loops
    long.set_weights(short.get_weights())
    x = series(5, 9, 3)
    x[1, 2:4] = x[3, 5:] = 0
    np.testing.assert_allclose(short.predict(x[:, :8]), long.predict(x)[:, :8], atol=1e-6)
