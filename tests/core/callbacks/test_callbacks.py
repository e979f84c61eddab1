"""Callbacks, against tf_keras where it has the same, and by what they promise."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from nbkeras import core as keras
from nbkeras import events
from nbkeras.core.callbacks import (
    Callback,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    TerminateOnNaN,
)
from nbkeras.core.layers import Dense, Dropout
from nbkeras.core.models import Sequential, load_model

X = np.random.default_rng(0).normal(size=(40, 5)).astype("float32")
Y = np.random.default_rng(1).integers(0, 2, 40)


def model(lib: Any = keras) -> Any:
    net = lib.models.Sequential(
        [
            lib.layers.Dense(6, activation="relu", input_shape=(5,)),
            lib.layers.Dense(2, activation="softmax"),
        ]
    )
    net.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


class Scripted(Callback):
    """Puts given values into the logs of the epochs, for callbacks after it."""

    def __init__(self, name: str, values: list[float]) -> None:
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs[self.name] = self.values[epoch]


SERIES = [
    [1.0, 0.9, 0.95, 0.91, 0.8, 0.85, 0.84, 0.83],
    [0.1, 0.2, 0.2, 0.2, 0.3, 0.1, 0.1, 0.1],
    [1.0, float("nan"), 0.5, float("nan"), 0.6, 0.7, 0.8, 0.9],
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 3},
        {"patience": 2, "min_delta": 0.06},
        {"patience": 2, "mode": "max"},
    ],
)
def test_early_stopping_stops_when_tf_keras_does(series: list[float], options: Any) -> None:
    class Weights:
        """In place of a model: its one weight is the number of the epoch."""

        stop_training = False
        epoch = 0

        def get_weights(self) -> list[np.ndarray]:
            return [np.array(self.epoch)]

        def set_weights(self, weights: list[np.ndarray]) -> None:
            self.epoch = int(weights[0])

    def ended(early: Any) -> tuple[int, int]:
        """In which epoch it ended, and whose weights are left."""
        stop, net = early(monitor="watched", restore_best_weights=True, **options), Weights()
        stop.set_model(net)
        stop.on_train_begin()
        for epoch, value in enumerate(series):
            net.epoch = epoch
            stop.on_epoch_end(epoch, {"watched": value})
            if net.stop_training:
                break
        stop.on_train_end()
        return epoch, net.epoch

    assert ended(EarlyStopping) == ended(tf_keras.callbacks.EarlyStopping)


@pytest.mark.parametrize(("beaten", "epochs"), [(False, 2), (True, 5)])
def test_a_baseline_is_to_be_beaten_from_the_start(beaten: bool, epochs: int) -> None:
    """As in Keras 2.3: getting better counts only below the baseline."""
    net = model()
    stop = EarlyStopping("watched", patience=2, baseline=0.95 if beaten else 0.5)
    script = Scripted("watched", [0.99, 0.9, 0.8, 0.85, 0.84])
    assert len(net.fit(X, Y, epochs=5, verbose=0, callbacks=[script, stop]).epoch) == epochs


def test_early_stopping_restores_the_best_weights() -> None:
    net = model()
    seen: list[list[np.ndarray]] = []
    remember = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(net.get_weights()))
    stop = EarlyStopping("watched", patience=2, restore_best_weights=True)
    script = Scripted("watched", [3.0, 1.0, 2.0, 2.0, 0.0])
    history = net.fit(X, Y, epochs=5, verbose=0, callbacks=[script, remember, stop])
    assert len(history.epoch) == 4
    assert stop.stopped_epoch == 3
    for a, b in zip(net.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_monitor_that_is_not_logged_warns_with_what_is() -> None:
    with pytest.warns(RuntimeWarning, match=r"'val_loss', which is not logged.*loss.*validation"):
        model().fit(X, Y, verbose=0, callbacks=[EarlyStopping()])


def test_checkpoint_of_the_best(tmp_path: Path) -> None:
    net = model()
    path = tmp_path / "best.h5"
    script = Scripted("watched", [0.5, 0.9, float("nan"), 0.7])
    seen: list[list[np.ndarray]] = []
    remember = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(net.get_weights()))
    save = ModelCheckpoint(path, monitor="watched", mode="max", save_best_only=True)
    net.fit(X, Y, epochs=4, verbose=0, callbacks=[script, remember, save])
    assert os.listdir(tmp_path) == ["best.h5"]
    for a, b in zip(load_model(path).get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoint_names_and_period(tmp_path: Path) -> None:
    net = model()
    save = ModelCheckpoint(
        str(tmp_path / "w{epoch:02d}-{accuracy:.1f}.h5"), save_weights_only=True, period=2
    )
    net.fit(X, Y, epochs=5, verbose=0, callbacks=[save])
    names = sorted(os.listdir(tmp_path))
    assert [name[:3] for name in names] == ["w02", "w04"]
    net.load_weights(tmp_path / names[0])
    with pytest.raises(KeyError, match=r"names 'val_los'.*only: epoch, loss"):
        net.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint("w{val_los}.h5")])


def test_schedule_with_one_and_two_arguments() -> None:
    net = model()
    history = net.fit(
        X,
        Y,
        epochs=3,
        verbose=0,
        callbacks=[LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))],
    )
    np.testing.assert_allclose(history.history["lr"], [0.1, 0.05, 0.1 / 3], rtol=1e-6)
    history = net.fit(
        X, Y, epochs=2, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, lr: lr / 2)]
    )
    np.testing.assert_allclose(history.history["lr"], [0.05 / 3, 0.025 / 3], rtol=1e-6)
    with pytest.raises(ValueError, match="should return a learning rate"):
        net.fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: None)])


def test_lambda_callback() -> None:
    heard: list[Any] = []
    callback = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: heard.append(("begin", epoch)),
        on_batch_end=lambda batch, logs: heard.append((batch, logs["size"], "loss" in logs)),
        on_train_end=lambda logs: heard.append("end"),
    )
    model().fit(X, Y, batch_size=30, verbose=0, callbacks=[callback])
    assert heard == [("begin", 0), (0, 30, True), (1, 10, True), "end"]
    with pytest.raises(TypeError, match="Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


def test_a_learning_rate_set_in_a_batch_counts_in_the_next() -> None:
    net = Sequential([Dense(1, input_shape=(5,), kernel_initializer="zeros")])
    net.compile(keras.optimizers.SGD(lr=1.0), "mse")
    weights: list[np.ndarray] = []

    class Freeze(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            weights.append(net.get_weights()[0].copy())
            self.model.optimizer.lr = 0.0

    net.fit(X, Y, batch_size=10, verbose=0, callbacks=[Freeze()])
    assert np.abs(weights[0]).max() > 0
    for later in weights[1:]:
        np.testing.assert_array_equal(later, weights[0])


def test_stop_training_in_a_batch() -> None:
    class Stop(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 1

    history = model().fit(X, Y, batch_size=10, epochs=5, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0]


def test_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    net = Sequential([Dense(1, input_shape=(5,))])
    net.compile(keras.optimizers.SGD(lr=1e30), "mse")
    history = net.fit(X, Y, batch_size=4, epochs=50, verbose=0, callbacks=[TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert "training ends" in capsys.readouterr().out


def test_not_a_callback() -> None:
    for wrong in (EarlyStopping, 3, print):
        with pytest.raises(TypeError, match="callbacks is a list of Callback objects"):
            model().fit(X, Y, verbose=0, callbacks=[wrong])


def test_history_answers_to_both_spellings() -> None:
    history = model().fit(X, Y, validation_split=0.2, verbose=0).history
    assert set(history) == {"loss", "acc", "val_loss", "val_acc"}
    assert history["accuracy"] == history["acc"]
    assert history["val_accuracy"] == history["val_acc"]
    assert "accuracy" in history
    assert "precision" not in history


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_what_is_printed(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    model().fit(X, Y, epochs=2, verbose=verbose)
    text = capsys.readouterr().out
    if verbose == 0:
        assert text == ""
    else:
        assert "Epoch 2/2" in text
        assert "loss: " in text
        assert ("[====" in text) == (verbose == 1)


# ---------------------------------------------------------------- events and requests


class Listener:
    """Records events, and posts a request when a given kind arrives for the n-th time."""

    def __init__(self, **when: Any) -> None:
        self.heard: list[Any] = []
        self.when = {kind: list(requests) for kind, requests in when.items()}
        self.box: events.Mailbox | None = None

    def attach(self, mailbox: events.Mailbox) -> None:
        self.box = mailbox

    def handle(self, event: Any) -> None:
        self.heard.append(event)
        requests = self.when.get(type(event).__name__)
        if requests:
            for request in requests.pop(0):
                self.box.post(request)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]


def steered() -> Any:
    net = Sequential([Dense(4, input_shape=(5,)), Dropout(0.2, name="drop"), Dense(2)])
    net.compile(keras.optimizers.SGD(lr=0.1), "mse")
    return net


def test_events_of_a_run() -> None:
    listener = Listener()
    y = np.eye(2, dtype="float32")[Y]
    history = steered().fit(
        X, y, batch_size=16, epochs=2, validation_split=0.2, verbose=0, callbacks=[listener]
    )
    started = listener.heard[0]
    assert isinstance(started, events.RunStarted)
    assert (started.epochs, started.steps, started.samples, started.validation) == (2, 2, 32, True)
    assert [p.name for p in started.parameters] == ["lr", "drop.rate"]
    assert started.parameters[0].value == pytest.approx(0.1)
    batches = listener.of(events.BatchEnded)
    assert sum(event.count for event in batches) == 4
    assert batches[-1].step == 2
    assert batches[-1].samples == 32
    epochs = listener.of(events.EpochEnded)
    assert [event.logs["val_loss"] for event in epochs] == history.history["val_loss"]
    assert batches[-1].means["loss"] == pytest.approx(history.history["loss"][-1])
    assert listener.heard[-1] == events.RunEnded(
        started.run, "finished", 2, listener.heard[-1].time
    )
    for event in listener.heard:
        assert events.from_json(events.to_json(event)) == event


def test_short_epochs_do_not_flood() -> None:
    listener = Listener()
    steered().fit(X, X[:, :2], epochs=300, verbose=0, callbacks=[listener])
    batches = listener.of(events.BatchEnded)
    assert sum(event.count for event in batches) == 600
    gaps = np.diff([event.time for event in batches[:-1]])
    assert (gaps > 0.04).all()
    assert len(listener.of(events.EpochEnded)) == 300


def test_parameters_move_and_are_told() -> None:
    moves = [
        [events.SetParameter("lr", 0.5), events.SetParameter("drop.rate", 0.7)],
        [events.SetParameter("lr", 99.0), events.SetParameter("nothing", 1.0)],
        [events.SetParameter("lr", float("nan"))],
    ]
    listener = Listener(EpochEnded=moves)
    net = steered()
    net.fit(X, X[:, :2], epochs=5, verbose=0, callbacks=[listener])
    changed = [(e.parameter, e.value, e.source) for e in listener.of(events.ParameterChanged)]
    assert changed == [
        ("lr", 0.5, "user"),
        ("drop.rate", 0.7, "user"),
        ("lr", 1.0, "user"),
    ]
    assert float(net.optimizer.lr) == 1.0
    assert net.layers[1].rate == 0.7


def test_a_callback_that_moves_the_rate_is_told() -> None:
    listener = Listener()
    schedule = LearningRateScheduler(lambda epoch: [0.1, 0.01][epoch])
    steered().fit(X, X[:, :2], epochs=2, verbose=0, callbacks=[schedule, listener])
    (change,) = listener.of(events.ParameterChanged)
    assert (change.value, change.epoch, change.source) == (pytest.approx(0.01), 1, "callback")


def test_pause_step_resume_stop() -> None:
    pause, step, resume = events.Pause(), events.Step(), events.Resume()
    listener = Listener(
        EpochEnded=[[pause]],
        RunPaused=[[step], [step], [resume]],
        RunResumed=[[], [], [events.Stop()]],
    )
    history = steered().fit(X, X[:, :2], batch_size=4, epochs=50, verbose=0, callbacks=[listener])
    pauses = listener.of(events.RunPaused)
    assert [(event.epoch, event.step) for event in pauses] == [(1, 0), (1, 1), (1, 2)]
    assert listener.heard[-1].reason == "stopped"
    assert len(history.epoch) == 2


def test_an_interrupt_is_a_normal_end() -> None:
    class Interrupt(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                os.kill(os.getpid(), signal.SIGINT)

        def on_train_end(self, logs: Any = None) -> None:
            self.closed = True

    before = signal.getsignal(signal.SIGINT)
    interrupt, listener, net = Interrupt(), Listener(), steered()
    history = net.fit(X, X[:, :2], epochs=500, verbose=0, callbacks=[interrupt, listener])
    assert 3 <= len(history.epoch) < 500
    assert interrupt.closed
    assert listener.heard[-1].reason == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before
    net.fit(X, X[:, :2], verbose=0)


def test_a_failure_is_told_and_raised() -> None:
    class Fails(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("on purpose")

    listener = Listener()
    with pytest.raises(RuntimeError, match="on purpose"):
        steered().fit(X, X[:, :2], verbose=0, callbacks=[listener, Fails()])
    failed = listener.heard[-1]
    assert (failed.error, failed.message) == ("RuntimeError", "on purpose")
