"""Losses made of symbolic tensors or in call, and variables that layers update."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core.layers import Dense, Input, Lambda, Layer
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).random((60, 6)).astype("float32")


def test_a_variational_auto_encoder_learns() -> None:
    x = Input(shape=(6,))
    hidden = Dense(8, activation="relu")(x)
    mean, log_variance = Dense(2)(hidden), Dense(2)(hidden)

    def sample(pair: Any) -> Any:
        m, s = pair
        return m + K.exp(s / 2) * K.random_normal(shape=(K.shape(m)[0], 2))

    code = Lambda(sample, output_shape=(2,))([mean, log_variance])
    out = Dense(6, activation="sigmoid")(Dense(8, activation="relu")(code))
    model = Model(x, out)
    error = 6 * K.mean(K.square(x - out), axis=-1)
    spread = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
    model.add_loss(K.mean(error + spread))
    model.compile("adam")
    history = model.fit(X, epochs=30, verbose=0, validation_data=(X, None)).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert history["val_loss"][-1] < history["val_loss"][0]


def test_an_added_loss_is_what_it_says() -> None:
    x = Input((6,))
    code = Dense(3, kernel_regularizer="l2")(x)
    model = Model(x, code)
    model.add_loss(2.0 * K.mean(K.square(code)))
    model.compile("sgd", "mse")
    kernel, bias = model.get_weights()
    outputs = X @ kernel + bias
    expected = (outputs**2).mean() + 2 * (outputs**2).mean() + 0.01 * (kernel**2).sum()
    assert model.evaluate(X, np.zeros((60, 3)), batch_size=60) == pytest.approx(expected, rel=1e-5)
    assert len(model.losses) == 2


def test_activity_and_losses_in_call() -> None:
    class Penalty(Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(K.sum(inputs) * 0.1)
            return inputs

    plain = Sequential([Penalty(input_shape=(6,))])
    plain.compile("sgd", lambda t, p: p * 0.0)
    assert plain.evaluate(X, X, batch_size=60) == pytest.approx(0.1 * X.sum(), rel=1e-5)
    # Keras 2 divides an activity penalty by the number of rows.
    active = Sequential([Dense(2, input_shape=(6,), activity_regularizer="l2")])
    active.compile("sgd", lambda t, p: p * 0.0)
    outputs = active.predict(X)
    expected = 0.01 * (outputs**2).sum() / 60
    assert active.evaluate(X, outputs, batch_size=60) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(RuntimeError, match="belongs into call"):
        Penalty().add_loss(K.constant(1.0))


class Count(Layer):
    """Counts the batches it trained on."""

    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight("count", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        self.add_update([K.update_add(self.count, 1.0)], inputs)
        return inputs


@pytest.mark.parametrize("jit", [True, False])
def test_updates_happen_in_training_only(jit: bool) -> None:
    layer = Count(input_shape=(6,))
    model = Sequential([layer, Dense(1)])
    model.compile("sgd", "mse", jit_compile=jit)
    model.fit(X, X[:, 0], batch_size=20, epochs=2, verbose=0)
    model.predict(X)
    model.evaluate(X, X[:, 0])
    assert float(K.get_value(layer.count)) == 6
    layer.trainable = False
    model.compile("sgd", "mse")
    model.fit(X, X[:, 0], verbose=0)
    assert float(K.get_value(layer.count)) == 6


def test_a_stateful_layer_updates_whenever_it_runs() -> None:
    layer = Count(input_shape=(6,))
    layer.stateful = True
    model = Sequential([layer])
    model.predict(X, batch_size=20)
    assert float(K.get_value(layer.count)) == 3


def test_function_with_updates() -> None:
    x, total = K.placeholder((2,)), K.variable(1.0)
    add = K.function([x], [K.sum(x) + total], updates=[K.update_add(total, K.sum(x))])
    assert add([[1.0, 2.0]]) == [4.0]
    assert add([[1.0, 2.0]]) == [7.0]
    replace = K.function([x], [], updates=[(total, K.sum(x))])
    replace([[1.0, 1.0]])
    assert float(K.get_value(total)) == 2.0
