"""Whichever executor runs the step, the numbers are the same; nothing is traced twice."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras import core as keras
from nbkeras import events
from nbkeras.core.callbacks import Callback
from nbkeras.core.engine import choice, xla
from nbkeras.core.engine.executors import ArrayExecutor
from nbkeras.core.layers import Dense, Dropout, Lambda
from nbkeras.core.models import Sequential
from nbkeras.core.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 70)


class Batches(Callback):
    """Hears every batch, so that the run goes batch by batch."""

    may_lag = False

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


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The form and the number of steps of each call that executors make."""
    made: list[tuple[str, int]] = []
    run = ArrayExecutor.run

    def spy(self: ArrayExecutor, step: int, count: int) -> np.ndarray:
        form = self.choice.current
        logs = run(self, step, count)
        made.append((form, len(logs)))
        return logs

    monkeypatch.setattr(ArrayExecutor, "run", spy)
    return made


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
    net = model(False)
    traces = []
    step = net._trainer.train
    net._trainer.train = lambda *batch: (traces.append(1), step(*batch))[1]
    net.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    first = len(traces)
    net.fit(X[::-1].copy(), Y, batch_size=16, epochs=3, verbose=0)
    net.optimizer.lr = 0.5
    net.layers[1].rate = 0.1
    net.fit(X[:40], Y[:40], batch_size=16, epochs=1, verbose=0)
    net.fit(X[:64], Y[:64], batch_size=16, epochs=40, verbose=0)
    net.fit(X[:16], Y[:16], batch_size=16, epochs=4, verbose=0, callbacks=[Batches()])
    assert first == len(traces) == 1


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


def test_short_epochs_in_one_call_are_the_same(calls: list[tuple[str, int]]) -> None:
    """Full batches, the last one and class weights, by single calls and by many epochs a call."""

    def history(jit: Any, callbacks: Any = ()) -> Any:
        net = model(jit)
        options = {"batch_size": 16, "epochs": 30, "verbose": 0, "class_weight": {0: 1, 1: 3, 2: 2}}
        net.fit(X, Y, callbacks=list(callbacks), **options)
        return net.history.history, net.get_weights(), int(net.optimizer.iterations)

    single, weights, iterations = history(False, [Batches()])
    assert {count for _, count in calls} == {1}
    calls.clear()
    plain, plain_weights, plain_iterations = history(False)
    assert max(count for _, count in calls) > 5
    assert plain == single
    for a, b in zip(weights, plain_weights, strict=True):
        np.testing.assert_array_equal(a, b)
    calls.clear()
    compiled, xla_weights, xla_iterations = history(True)
    assert {form for form, _ in calls} == {"jit-loop"}
    assert max(count for _, count in calls) > 5
    assert len(compiled["loss"]) == 30
    np.testing.assert_allclose(compiled["loss"], single["loss"], rtol=1e-4)
    for a, b in zip(weights, xla_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    assert iterations == plain_iterations == xla_iterations == 150


@pytest.mark.parametrize("loop_jit", [True, False])
def test_xla_compiled_beside_training_changes_no_number(
    loop_jit: bool, calls: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "COMPILE_FACTOR", 0.0)
    monkeypatch.setattr(choice, "TRIAL_SECONDS", 0.0)
    # With convolutions on a CPU, which are slower so, XLA is only for who asks for it.

    def losses(jit: Any, waits: bool) -> Any:
        net = model(jit)
        monkeypatch.setattr(net._trainer, "_loop_jit", lambda: loop_jit)
        seen = Chunks()
        for epochs in (3, 3, 4):
            net.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=[seen])
            if waits:
                for one in net._trainer.program("train").choices.values():
                    one.wait()
        return net

    expected = losses(False, False)
    calls.clear()
    net = losses("auto", True)
    assert {form for form, _ in calls} == ({"loop", "jit-loop"} if loop_jit else {"loop"})
    assert int(net.optimizer.iterations) == 50
    for a, b in zip(net.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_what_xla_cannot_compile_trains_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "COMPILE_FACTOR", 0.0)
    monkeypatch.setattr(choice, "TRIAL_SECONDS", 0.0)

    def by_python(x: Any) -> Any:
        return tf.ensure_shape(tf.numpy_function(lambda a: a * 2, [x], tf.float32), x.shape)

    net = Sequential([Lambda(by_python, input_shape=(6,)), Dense(3, activation="softmax")])
    net.compile("sgd", "sparse_categorical_crossentropy")
    net.fit(X, Y, batch_size=16, epochs=20, verbose=0)
    for one in net._trainer.program("train").choices.values():
        one.wait()
        assert one.candidates == ["loop"]
    net.fit(X, Y, batch_size=16, epochs=20, verbose=0)
    assert int(net.optimizer.iterations) == 200


@pytest.mark.parametrize("flags", [None, "--xla_cpu_multi_thread_eigen=true"])
def test_setting_up_xla_leaves_the_environment_alone(
    flags: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xla, "_set_up", threading.Event())
    if flags is None:
        monkeypatch.delenv("XLA_FLAGS", raising=False)
    else:
        monkeypatch.setenv("XLA_FLAGS", flags)
    xla.set_up()
    assert os.environ.get("XLA_FLAGS") == flags


def test_compiling_unseen_leaves_the_variables_alone() -> None:
    variable = tf.Variable([1.0, 2.0])

    def double(times: Any) -> Any:
        variable.assign(variable * times)
        return variable + 0.0

    form = tf.function(double, autograph=False, jit_compile=True).get_concrete_function(
        tf.TensorSpec([])
    )
    assert xla.compile_unseen(form, [tf.constant(2.0)])
    np.testing.assert_array_equal(variable, [1, 2])
    np.testing.assert_array_equal(form(tf.constant(3.0)), [3, 6])
    np.testing.assert_array_equal(variable, [3, 6])


def test_compiling_unseen_needs_to_know_what_a_function_holds() -> None:
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -2, -3)
    form = tf.function(lambda x: table.lookup(x), autograph=False).get_concrete_function(
        tf.TensorSpec([], tf.int64)
    )
    assert not xla.compile_unseen(form, [tf.constant(1, tf.int64)])


def test_a_stop_between_calls_keeps_what_was_trained(calls: list[tuple[str, int]]) -> None:
    class Panel:
        may_lag = True

        def attach(self, mailbox: Any) -> None:
            self.mailbox = mailbox

        def handle(self, event: Any) -> None:
            if isinstance(event, events.EpochEnded) and event.epoch == 12:
                self.mailbox.post(events.Stop())

    net = model(False)
    history = net.fit(X, Y, batch_size=16, epochs=5000, verbose=0, callbacks=[Panel()])
    assert max(count for _, count in calls) > 5
    assert 13 <= len(history.epoch) < 5000
    assert history.epoch == list(range(len(history.epoch)))
    assert int(net.optimizer.iterations) == 5 * len(history.epoch)


def test_who_answers_to_an_epoch_hears_it_before_the_next(calls: list[tuple[str, int]]) -> None:
    class Decay(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.optimizer.lr = 0.0

    net = model(False)
    before = net.get_weights()
    net.fit(X, Y, batch_size=16, epochs=10, verbose=0, callbacks=[Decay()])
    once = model(False)
    once.fit(X, Y, batch_size=16, epochs=1, verbose=0)
    assert max(count for _, count in calls) <= 5
    for a, b, c in zip(net.get_weights(), once.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


@pytest.mark.parametrize("jit", [False, True])
def test_a_loss_that_is_no_number_ends_a_call_behind_its_batch(
    jit: bool, calls: list[tuple[str, int]]
) -> None:
    """Targets of row 37 make an infinite loss with finite gradients."""
    x, y = X[:64], np.zeros((64, 1), "float32")
    y[37] = 1e30
    net = Sequential([Dense(1, input_shape=(6,))])
    net.compile("sgd", "mse", jit_compile=jit)
    ends = keras.callbacks.TerminateOnNaN()
    net.optimizer.lr = 0.0
    net.fit(x, np.zeros_like(y), batch_size=2, epochs=3, verbose=0, callbacks=[ends])
    done = int(net.optimizer.iterations)
    calls.clear()
    net.fit(x, y, batch_size=2, epochs=3, shuffle=False, verbose=0, callbacks=[ends])
    assert int(net.optimizer.iterations) - done == 19
    assert sum(count for _, count in calls) == 19
    assert max(count for _, count in calls) > 1
