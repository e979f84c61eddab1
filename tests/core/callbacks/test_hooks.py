"""The hooks of a callback: which are called, when, with what; beside tf_keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tf_keras

from nbkeras import core as keras
from nbkeras.core.callbacks import Callback, LambdaCallback

X = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
Y = X[:, :1] * 2
WHAT = ("train", "epoch", "train_batch", "test", "test_batch", "predict", "predict_batch")
HOOKS = [f"on_{what}_{when}" for what in WHAT for when in ("begin", "end")]


def model(lib: Any) -> Any:
    net = lib.models.Sequential([lib.layers.Dense(1, input_shape=(3,), kernel_initializer="ones")])
    net.compile(lib.optimizers.SGD(learning_rate=0.1), "mse")
    return net


def ears(lib: Any) -> Any:
    """A callback that notes each call of a hook, with what the two libraries have in common."""

    def noting(hook: str) -> Callable[..., None]:
        def heard(self: Any, *arguments: Any, **named: Any) -> None:
            given = [*arguments, *named.values()]
            number = given[0] if len(given) == 2 else None
            logs = given[-1] or {}
            # A list of the outputs here, as in Keras 2.3; tf_keras gives the only one itself.
            parts = [np.reshape(logs["outputs"], -1)] if "outputs" in logs else []
            loss = [logs["loss"]] if hook.endswith(("batch_end", "epoch_end")) and not parts else []
            self.notes.append((hook, number, *loss, *parts))

        return heard

    kind = type("Ears", (lib.callbacks.Callback,), {hook: noting(hook) for hook in HOOKS})
    made = kind()
    made.notes = []
    return made


class Pairs:
    """Batches of 4 rows, as either library's sequence."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def sequence(lib: Any) -> Any:
    return type("Batches", (Pairs, lib.utils.Sequence), {})()


def run(lib: Any, source: str) -> list[Any]:
    """What is heard in fit with validation, evaluate and predict."""
    net, listens = model(lib), ears(lib)
    options = {"verbose": 0, "callbacks": [listens]}
    if source == "arrays":
        options["batch_size"] = 4
        net.fit(X, Y, epochs=2, shuffle=False, validation_data=(X[:8], Y[:8]), **options)
        net.evaluate(X, Y, **options)
        net.predict(X, **options)
    else:
        held_out = sequence(lib)
        net.fit(sequence(lib), epochs=2, shuffle=False, validation_data=held_out, **options)
        net.evaluate(sequence(lib), **options)
        net.predict(sequence(lib), **options)
    return listens.notes


@pytest.mark.parametrize("source", ["arrays", "sequence"])
def test_the_hooks_that_tf_keras_calls(source: str) -> None:
    ours, theirs = run(keras, source), run(tf_keras, source)
    assert [note[:2] for note in ours] == [note[:2] for note in theirs]
    means: dict[str, list[float]] = {}
    for (hook, number, *mine), (_, _, *other) in zip(ours, theirs, strict=True):
        if hook.endswith("batch_begin") and number == 0:
            means[hook.removesuffix("begin")] = []
        if mine and hook in ("on_train_batch_end", "on_test_batch_end"):
            # Ours is the batch's own; theirs is the mean so far, here of batches of 4, 4 and 2.
            batches = means[hook.removesuffix("end")]
            batches.append(mine[0])
            rows = [4, 4, 2][: len(batches)]
            mine = [np.average(batches, weights=rows)]
        np.testing.assert_allclose(np.array(mine), np.array(other), rtol=1e-5)


def test_what_a_batch_is_told_of() -> None:
    told: list[Any] = []
    hears = LambdaCallback(
        on_train_batch_begin=lambda batch, logs: told.append(dict(logs)),
        on_test_batch_begin=lambda batch, logs: told.append(dict(logs)),
        on_predict_batch_begin=lambda batch, logs: told.append(dict(logs)),
    )
    net = model(keras)
    for call in (net.fit, net.evaluate):
        call(X, Y, batch_size=6, verbose=0, callbacks=[hears])
    net.predict(X, batch_size=6, callbacks=[hears])
    assert told == [{"batch": 0, "size": 6}, {"batch": 1, "size": 4}] * 3


def test_in_generators_too() -> None:
    def batches() -> Iterator[Any]:
        while True:
            yield X[:4], Y[:4]

    listens = ears(keras)
    net = model(keras)
    options = {"callbacks": [listens], "verbose": 0}
    net.fit_generator(batches(), 2, validation_data=batches(), validation_steps=1, **options)
    net.evaluate_generator(batches(), steps=2, **options)
    net.predict_generator(batches(), steps=2, **options)
    counts = {hook: [note[0] for note in listens.notes].count(hook) for hook in HOOKS}
    assert counts["on_train_batch_end"] == counts["on_predict_batch_end"] == 2
    assert counts["on_test_batch_end"] == 3
    assert counts["on_test_end"] == 2


def test_older_names_of_the_hooks_of_training() -> None:
    """``on_batch_end`` is heard in training alone, and both where both are defined."""

    class Both(Callback):
        def __init__(self) -> None:
            super().__init__()
            self.heard: list[str] = []

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.heard.append("batch")

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.heard.append("train batch")
            super().on_train_batch_end(batch, logs)

    both, net = Both(), model(keras)
    net.fit(X, Y, verbose=0, callbacks=[both])
    net.evaluate(X, Y, callbacks=[both])
    net.predict(X, callbacks=[both])
    assert both.heard == ["train batch", "batch"]


@pytest.mark.parametrize("when", ["on_epoch_begin", "on_batch_begin", "on_batch_end"])
def test_a_rate_that_a_users_callback_moves(when: str) -> None:
    """As schedules of one's own are written: K.set_value(model.optimizer.lr, ...)."""

    def train(lib: Any) -> tuple[list[np.ndarray], float]:
        class Cyclic(lib.callbacks.Callback):
            moves = 0

            def move(self, number: int, logs: Any = None) -> None:
                self.moves += 1
                rate = 0.1 * abs(np.sin(self.moves))
                lib.backend.set_value(self.model.optimizer.lr, rate)

        setattr(Cyclic, when, Cyclic.move)
        net = model(lib)
        net.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[Cyclic()])
        return net.get_weights(), float(lib.backend.get_value(net.optimizer.lr))

    (ours, rate), (theirs, other) = train(keras), train(tf_keras)
    assert rate == pytest.approx(other)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
