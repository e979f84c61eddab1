"""Batches from generators, sequences and data sets: all of them, in order, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.engine.streams import BatchStream, Prefetch, Reading, Sequence
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential

X = np.random.default_rng(0).normal(size=(23, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


class Rows(Sequence):
    """Batches of 5 of the rows above."""

    def __init__(self) -> None:
        self.ends = 0

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        rows = slice(5 * index, 5 * index + 5)
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        self.ends += 1


def endless() -> Iterator[Any]:
    while True:
        for index in range(5):
            yield Rows()[index]


def net() -> Sequential:
    model = Sequential([Dense(1, input_shape=(4,), kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def expected() -> Any:
    model = net()
    history = model.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0)
    return model, history.history["loss"]


SOURCES = {
    "generator": lambda: (endless(), {"steps_per_epoch": 5}),
    "generator, not ahead": lambda: (endless(), {"steps_per_epoch": 5, "workers": 0}),
    "sequence": lambda: (Rows(), {"shuffle": False}),
    "sequence, three threads": lambda: (Rows(), {"shuffle": False, "workers": 3}),
    "sequence, not ahead": lambda: (Rows(), {"shuffle": False, "workers": 0}),
    "sequence, queue of one": lambda: (Rows(), {"shuffle": False, "max_queue_size": 1}),
    "data set": lambda: (tf.data.Dataset.from_tensor_slices((X, Y)).batch(5), {}),
    "data set of unknown size": lambda: (
        tf.data.Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: True).batch(5),
        {},
    ),
    "endless data set": lambda: (
        tf.data.Dataset.from_tensor_slices((X, Y)).batch(5).repeat(),
        {"steps_per_epoch": 5},
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_trains_as_arrays_do(name: str) -> None:
    reference, losses = expected()
    source, options = SOURCES[name]()
    model = net()
    history = model.fit(source, epochs=3, verbose=0, **options)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-5)
    for mine, other in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)
    assert not [t for t in threading.enumerate() if t.name == "nbkeras-prefetch" and not t.daemon]


def test_a_sequence_is_shuffled_whole_and_told_of_its_ends() -> None:
    source = Rows()
    stream = BatchStream(source, reading=Reading(workers=2), shuffle=True)
    first = [float(next(stream)[1].sum()) for _ in range(5)]
    second = [float(next(stream)[1].sum()) for _ in range(5)]
    stream.close()
    in_order = [float(Rows()[index][1].sum()) for index in range(5)]
    assert sorted(first) == sorted(second) == sorted(in_order)
    assert first != second
    assert source.ends == 1


def test_evaluate_and_predict() -> None:
    model = net()
    assert model.evaluate(Rows()) == pytest.approx(model.evaluate(X, Y), rel=1e-5)
    assert model.evaluate_generator(endless(), steps=5) == pytest.approx(model.evaluate(X, Y))
    np.testing.assert_allclose(model.predict(Rows()), model.predict(X), rtol=1e-5)
    np.testing.assert_allclose(
        model.predict_generator(endless(), steps=2), model.predict(X[:10]), rtol=1e-5
    )
    history = model.fit_generator(Rows(), epochs=2, validation_data=Rows(), verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_errors_say_what_to_write() -> None:
    def failing() -> Iterator[Any]:
        yield X[:5], Y[:5]
        raise RuntimeError("on purpose")

    cases: list[tuple[Any, Any, str]] = [
        (endless(), {}, "steps_per_epoch"),
        (iter([(X, Y)]), {"steps_per_epoch": 2}, "ended after 1 batches"),
        (iter([X]), {"steps_per_epoch": 1}, r"\(x, y\)"),
        (Rows(), {"y": Y}, "y is not given"),
        (Rows(), {"batch_size": 5}, "batch_size is not given"),
        (Rows(), {"validation_split": 0.2}, "validation_data"),
        (iter([(X[:, :2], Y)]), {"steps_per_epoch": 1}, r"expected shape \(rows, 4\)"),
        (tf.data.Dataset.from_tensors((X, Y)).repeat(), {}, "no end"),
    ]
    for source, options, said in cases:
        with pytest.raises(ValueError, match=said):
            net().fit(source, verbose=0, **options)
    with pytest.raises(RuntimeError, match="on purpose"):
        net().fit(failing(), steps_per_epoch=5, verbose=0)


def test_a_model_is_built_from_the_first_batch() -> None:
    for source in (Rows(), tf.data.Dataset.from_tensor_slices((X, Y)).batch(5)):
        model = Sequential([Dense(1)])
        model.compile("sgd", "mse")
        model.fit(source, verbose=0)
        assert model.input_shape == (None, 4)
    model = Sequential([Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="input_shape"):
        model.fit(endless(), steps_per_epoch=5, verbose=0)


def test_a_prefetch_that_is_closed_reads_no_more() -> None:
    read: list[int] = []

    def count() -> Iterator[int]:
        for number in range(10**9):
            read.append(number)
            yield number

    ahead = Prefetch(count(), 2)
    assert [next(ahead), next(ahead)] == [0, 1]
    ahead.close()
    ahead._thread.join(timeout=10)
    assert not ahead._thread.is_alive()
    assert len(read) <= 6
