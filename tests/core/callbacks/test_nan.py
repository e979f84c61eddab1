"""TerminateOnNaN: training ends at the batch whose loss is no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras import core as keras
from nbkeras.core.callbacks import TerminateOnNaN
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential


def run(bad: int, value: float, **options: Any) -> tuple[Any, Any]:
    """Train on 50 batches of 2, the target of one making the loss what it is."""
    net = Sequential([Dense(1, input_shape=(3,))])

    def loss(y_true: Any, y_pred: Any) -> Any:
        # A term without gradients: only the loss says that something is wrong.
        wrong = tf.where(y_true > 1e6, tf.constant(value), tf.zeros_like(y_pred))
        return tf.square(y_pred) + tf.stop_gradient(wrong)

    net.compile(keras.optimizers.SGD(lr=0.01), loss, **options)
    x, y = np.ones((100, 3), "float32"), np.zeros((100, 1), "float32")
    y[2 * bad : 2 * bad + 2] = 1e9
    history = net.fit(
        x, y, batch_size=2, epochs=3, shuffle=False, verbose=0, callbacks=[TerminateOnNaN()]
    )
    return net, history


@pytest.mark.parametrize("bad", [0, 7, 49])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_batch_is_trained_after_the_bad_one(
    bad: int, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    net, history = run(bad, value, jit_compile=False)
    assert int(net.optimizer.iterations) == bad + 1
    assert history.epoch == [0]
    np.testing.assert_equal(history.history["loss"], [value])
    assert capsys.readouterr().out == f"Batch {bad}: the loss is {value}, so training ends.\n"


def test_a_run_without_is_left_alone() -> None:
    net = Sequential([Dense(1, input_shape=(3,))])
    net.compile("sgd", "mse", jit_compile=False)
    x = np.ones((10, 3), "float32")
    history = net.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[TerminateOnNaN()])
    assert history.epoch == [0, 1]
