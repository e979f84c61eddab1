"""ReduceLROnPlateau beside tf_keras'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras

from nbkeras import core as keras
from nbkeras.core.callbacks import Callback, ReduceLROnPlateau
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")

SERIES = [
    [1.0, 0.9, 0.95, 0.91, 0.8, 0.85, 0.84, 0.83, 0.82, 0.81, 0.9, 0.9],
    [0.1, 0.2, 0.2, 0.2, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
    [1.0, float("nan"), 0.5, float("nan"), 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9],
    [1.0] * 12,
]


class Scripted(Callback):
    """Puts given values into the logs of the epochs, for callbacks after it."""

    def __init__(self, name: str, values: list[float]) -> None:
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs[self.name] = self.values[epoch]


def rates(lib: Any, kind: Any, series: list[float], **options: Any) -> list[float]:
    """The learning rate after each epoch."""
    net = lib.models.Sequential([lib.layers.Dense(1, input_shape=(3,))])
    net.compile(lib.optimizers.SGD(learning_rate=0.1), "mse")
    callback = kind(monitor="watched", **options)
    callback.set_model(net)
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(series):
        logs = {"watched": value}
        callback.on_epoch_end(epoch, logs)
        found.append((float(np.asarray(net.optimizer.learning_rate)), float(logs["lr"])))
    return found


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5, "cooldown": 2},
        {"patience": 1, "cooldown": 1, "min_lr": 0.02},
        {"patience": 2, "min_delta": 0.06},
        {"patience": 1, "mode": "max", "factor": 0.0, "min_lr": 0.001},
    ],
)
def test_the_rate_falls_when_it_does_in_tf_keras(series: list[float], options: Any) -> None:
    ours = rates(keras, ReduceLROnPlateau, series, **options)
    theirs = rates(tf_keras, tf_keras.callbacks.ReduceLROnPlateau, series, **options)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_in_a_run_the_rate_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    net = Sequential([Dense(1, input_shape=(3,))])
    net.compile(keras.optimizers.SGD(lr=0.08), "mse")
    reduce = ReduceLROnPlateau("watched", factor=0.25, patience=1, verbose=1)
    script = Scripted("watched", [1.0, 1.0, 0.5, 0.6])
    history = net.fit(X, X[:, :1], epochs=4, verbose=0, callbacks=[script, reduce])
    np.testing.assert_allclose(history.history["lr"], [0.08, 0.08, 0.02, 0.02], rtol=1e-6)
    assert float(net.optimizer.lr) == pytest.approx(0.005)
    assert "Epoch 2: watched stays, learning rate 0.02." in capsys.readouterr().out


def test_epsilon_is_min_delta() -> None:
    with pytest.warns(DeprecationWarning, match="min_delta"):
        assert ReduceLROnPlateau(epsilon=0.25).min_delta == 0.25


@pytest.mark.parametrize("factor", [1.0, 10.0, -0.1, float("nan")])
def test_a_factor_that_does_not_lower(factor: float) -> None:
    with pytest.raises(ValueError, match=r"factor=0\.5"):
        ReduceLROnPlateau(factor=factor)
