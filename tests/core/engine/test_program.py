"""The forms of a program: what they are called with, and when one is traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.callbacks import Callback
from nbkeras.core.engine import program
from nbkeras.core.engine.program import Program
from nbkeras.core.layers import Dense, Dropout
from nbkeras.core.models import Sequential
from nbkeras.core.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 70)


@pytest.mark.parametrize("direct", [True, False])
def test_a_batch_is_computed_directly_or_not(direct: bool) -> None:
    total = tf.Variable(1.0)

    def step(inputs: Any, targets: Any, weights: Any) -> Any:
        total.assign_add(tf.reduce_sum(inputs[1]))
        return [inputs[0] * total, inputs[1], inputs[1]]

    made = Program(step, 0, direct=direct)
    a, b = tf.constant([[1.0], [2.0]]), tf.constant([[3.0, 4.0], [0.0, 0.0]])
    for factor in (8, 15):
        outputs = made.on_batch(([a, b], [], [None]))
        np.testing.assert_allclose(outputs[0].numpy(), factor * a.numpy())
        assert [output.shape for output in outputs] == [(2, 1), (2, 2), (2, 2)]
    assert (
        float(
            Program(lambda x, y, w: tf.reduce_sum(x[0]), 0, direct=direct).on_batch(
                ([tf.Variable(a)], [], [])
            )
        )
        == 3
    )
    assert float(total) == 15


def test_an_error_in_a_direct_call_is_tensorflows() -> None:
    def step(inputs: Any, targets: Any, weights: Any) -> Any:
        tf.debugging.assert_positive(inputs[0])
        return inputs[0]

    made = Program(step, 0, direct=True)
    with pytest.raises(tf.errors.InvalidArgumentError):
        made.on_batch(([tf.constant([-1.0])], [], []))


class Losses(Callback):
    """Hears every batch."""

    may_lag = False

    def on_train_begin(self, logs: Any = None) -> None:
        self.losses: list[float] = []

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.losses.append(logs["loss"])


def _trained(seconds: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[float]]:
    monkeypatch.setattr(program, "LOOP_SECONDS", seconds)
    set_random_seed(3)
    net = Sequential([Dense(5, "tanh", input_shape=(6,)), Dropout(0.3), Dense(3, "softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", ["acc"], jit_compile=False)
    heard = Losses()
    net.fit(X, Y, batch_size=16, epochs=3, verbose=0, callbacks=[heard])
    return net, heard.losses


def test_single_steps_get_a_form_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last, smaller batch, and the same numbers."""
    looped, expected = _trained(0.0, monkeypatch)
    single, losses = _trained(1e9, monkeypatch)
    kinds = [
        {key[0] for key in net._trainer.program("train")._compiled} for net in (looped, single)
    ]
    assert kinds == [{"loop"}, {"loop", "step"}]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    assert len(losses) == 15
    for a, b in zip(single.get_weights(), looped.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_reproducible_runs_keep_to_the_loop() -> None:
    made = Program(lambda x, y, w: x[0], 1)
    made.singles = 10**9
    assert not made.worth_single  # there is nothing yet that it would be better than
    made.on_batch(([tf.zeros((2, 1))], [], []))
    assert made.worth_single
    made.pin()
    assert not made.worth_single
