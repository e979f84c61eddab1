"""Whichever executor runs the step, the numbers are the same; nothing is traced twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbkeras import core as keras
from nbkeras.core.callbacks import Callback
from nbkeras.core.layers import Dense, Dropout
from nbkeras.core.models import Sequential
from nbkeras.core.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 70)


class Batches(Callback):
    """Hears every batch, so that the run goes batch by batch."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.seen: list[dict[str, float]] = []

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append({"batch": batch, **logs})


class Chunks(Callback):
    """Hears of several batches at once."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.losses: list[float] = []
        self.chunks: list[int] = []

    def on_steps_end(self, step: int, sizes: Any, values: Any, means: Any) -> None:
        self.losses += values["loss"].tolist()
        self.chunks.append(len(sizes))


def model(jit: Any = "auto") -> Any:
    set_random_seed(5)
    net = Sequential(
        [
            Dense(16, activation="relu", input_shape=(6,)),
            Dropout(0.4),
            Dense(3, activation="softmax"),
        ]
    )
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit)
    return net


def trained(jit: Any, callback: Any) -> Any:
    net = model(jit)
    history = net.fit(X, Y, batch_size=16, epochs=5, verbose=0, callbacks=[callback])
    return net, history


def test_all_executors_give_the_same_numbers() -> None:
    batches, chunks, compiled = Batches(), Chunks(), Chunks()
    one, first = trained(False, batches)
    many, second = trained(False, chunks)
    xla, third = trained(True, compiled)
    losses = [logs["loss"] for logs in batches.seen]
    assert max(chunks.chunks) > 1
    assert [logs["batch"] for logs in batches.seen] == list(range(5)) * 5
    assert [logs["size"] for logs in batches.seen] == [16, 16, 16, 16, 6] * 5
    np.testing.assert_array_equal(chunks.losses, losses)
    np.testing.assert_allclose(compiled.losses, losses, rtol=1e-5)
    assert first.history == second.history
    np.testing.assert_allclose(third.history["loss"], first.history["loss"], rtol=1e-5)
    for a, b, c in zip(one.get_weights(), many.get_weights(), xla.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=1e-4, atol=1e-6)


def test_a_seed_repeats_weights_noise_and_order() -> None:
    first, second = trained("auto", Chunks())[0], trained("auto", Chunks())[0]
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_noise_is_new_at_every_step_and_every_fit() -> None:
    net = Sequential([Dropout(0.5, input_shape=(64,))])
    net.compile("sgd", lambda t, p: p)
    ones = np.ones((1, 64), "float32")

    seen: list[float] = []

    class Outputs(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"])

    net.fit(ones, ones, epochs=5, verbose=0, callbacks=[Outputs()])
    net.fit(ones, ones, epochs=5, verbose=0, callbacks=[Outputs()])
    assert len(set(seen)) > 5


def test_a_second_fit_traces_nothing() -> None:
    net = model()
    traces = []
    step = net._trainer.train
    net._trainer.train = lambda *batch: (traces.append(1), step(*batch))[1]
    net.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    first = len(traces)
    net.fit(X[::-1].copy(), Y, batch_size=16, epochs=3, verbose=0)
    net.optimizer.lr = 0.5
    net.layers[1].rate = 0.1
    net.fit(X[:40], Y[:40], batch_size=16, epochs=1, verbose=0)
    assert first > 0
    assert len(traces) == first


def test_a_moved_rate_takes_effect_without_a_trace() -> None:
    net = Sequential([Dropout(0.9, input_shape=(200,)), Dense(1, kernel_initializer="ones")])
    net.compile(keras.optimizers.SGD(lr=0.0), lambda t, p: p)
    ones = np.ones((1, 200), "float32")
    net.layers[0].rate = 0.0
    assert net.train_on_batch(ones, ones[:, :1]) == pytest.approx(200)
    net.layers[0].rate = 0.5
    values = {net.train_on_batch(ones, ones[:, :1]) for _ in range(5)}
    assert len(values) > 1
    net.layers[0].rate = 0.0
    assert net.train_on_batch(ones, ones[:, :1]) == pytest.approx(200)


def test_fewer_rows_than_a_batch() -> None:
    net = model()
    history = net.fit(X[:5], Y[:5], batch_size=16, epochs=3, verbose=0)
    assert len(history.history["loss"]) == 3


def test_steps_per_epoch_limits_a_pass() -> None:
    net = model()
    batches = Batches()
    net.fit(X, Y, batch_size=16, epochs=2, steps_per_epoch=2, verbose=0, callbacks=[batches])
    assert [logs["batch"] for logs in batches.seen] == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="at most 5 steps"):
        net.fit(X, Y, batch_size=16, steps_per_epoch=6, verbose=0)
