"""Many batches are predicted by the fastest form; the outputs stay the same to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.engine import choice
from nbkeras.core.engine.choice import Choice
from nbkeras.core.layers import LSTM, Dense, Input, Lambda
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(70, 5, 3)).astype("float32")


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """XLA is compiled as soon as a form was measured, and waited for; what was compiled."""
    made: list[str] = []
    compile_beside = Choice.compile_beside

    def at_once(self: Choice, name: str, *arguments: Any) -> None:
        compile_beside(self, name, *arguments)
        self.wait()
        made.append(name)

    monkeypatch.setattr(choice, "COMPILE_FACTOR", 0.0)
    monkeypatch.setattr(choice, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(Choice, "compile_beside", at_once)
    return made


def model() -> Any:
    x = Input((5, 3))
    h = LSTM(4)(x)
    return Model(x, [Dense(2)(h), Dense(1, activation="sigmoid")(h)])


def forms(net: Any) -> set[str]:
    return {name for one in times(net) for name, form in one.items() if form.warm}


def times(net: Any) -> list[Any]:
    return [one.times for one in net._trainer.program("predict").choices.values()]


def test_xla_predicts_the_same(compiles: list[str]) -> None:
    net = model()
    expected = net.predict(X, batch_size=70)
    for _ in range(3):
        for ours, theirs in zip(net.predict(X, batch_size=8), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert "jit-step" in compiles
    assert any(one["jit-step"].steps for one in times(net))


def test_xla_sees_weights_that_changed(compiles: list[str]) -> None:
    net = model()
    net.predict(X, batch_size=7)
    assert compiles == ["jit-step"]
    net.set_weights([weight * 0.5 for weight in net.get_weights()])
    plain = net.predict(X, batch_size=70)
    for ours, theirs in zip(net.predict(X, batch_size=7), plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_single_batch_and_a_model_without_xla_stay_plain(compiles: list[str]) -> None:
    net = model()
    for _ in range(10):
        net.predict(X)
    net.compile("sgd", "mse", jit_compile=False)
    net.predict(X, batch_size=2)
    assert not compiles
    assert not net._trainer.program("predict").choices


def test_what_xla_cannot_compile_is_predicted_as_before(compiles: list[str]) -> None:
    def by_python(x: Any) -> Any:
        return tf.ensure_shape(tf.numpy_function(lambda a: a * 2, [x], tf.float32), x.shape)

    net = Sequential([Lambda(by_python, input_shape=(5, 3))])
    np.testing.assert_allclose(net.predict(X, batch_size=2), 2 * X, rtol=1e-6)
    assert compiles
    assert forms(net) == {"loop"}


def test_a_model_that_asks_for_xla_predicts_any_number_of_rows() -> None:
    net = model()
    net.compile("sgd", "mse", jit_compile=True)
    whole = net.predict(X)
    for ours, theirs in zip(net.predict(X, batch_size=9), whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
