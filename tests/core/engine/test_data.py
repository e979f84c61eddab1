"""Data that do not fit are refused with the call that would, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas
import pytest
import tensorflow as tf

from nbkeras.core.engine.data import shuffled
from nbkeras.core.layers import Dense, Input, Lambda
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(40, 8)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, 40)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]


def net(loss: str = "sparse_categorical_crossentropy", units: int = 3) -> Sequential:
    model = Sequential([Dense(units, activation="softmax", input_shape=(8,), name="first")])
    model.compile("sgd", loss)
    return model


def branches() -> Model:
    a, b = Input((8,), name="a"), Input((8,), name="b")
    model = Model([a, b], [Dense(3, name="p")(a), Dense(3, name="q")(b)])
    model.compile("sgd", "mse")
    return model


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: net().fit(X.reshape(40, 2, 4), LABELS),
        r"expected shape \(rows, 8\).*reshape\(-1, 8\)",
    ),
    (lambda: net().fit(X[0], LABELS), r"one sample; pass a batch of one: x\[None\]"),
    (lambda: net().fit(X[:, :5], LABELS), r"got \(40, 5\).*input_shape=\(5,\)"),
    (lambda: net().fit(X, LABELS[:30]), r"x has 40, y has 30.*x\[:30\]"),
    (lambda: net().fit(X[:0], LABELS[:0]), "no rows"),
    (lambda: net().fit(X), "y is missing"),
    (lambda: net().fit(None, LABELS), "x is missing"),
    (lambda: net().fit(X, ONE_HOT), r"one-hot.*categorical_crossentropy.*argmax"),
    (lambda: net("categorical_crossentropy").fit(X, LABELS), r"to_categorical\(y, 3\)"),
    (lambda: net("mse").fit(X, ONE_HOT[:, :2]), r"expected shape \(rows, 3\); got \(40, 2\)"),
    (lambda: net("mse", 1).fit(X, ONE_HOT), r"Give the last layer 3 units"),
    (lambda: net().fit([X, X], LABELS), "a list of 2 arrays, but the model has 1 input"),
    (lambda: net().fit(np.array(["a"] * 40), LABELS), "array of numbers"),
    (lambda: net().fit(np.array([[1], [1, 2]], dtype=object), LABELS[:2]), "pad_sequences"),
    (lambda: branches().fit(X, [ONE_HOT, ONE_HOT]), "2 inputs .*pass x as a list of 2 arrays"),
    (lambda: branches().fit({"a": X, "c": X}, ONE_HOT), "lacks the input 'b'.*got"),
    (lambda: branches().fit([X, X], {"p": ONE_HOT}), "lacks the output 'q'"),
    (lambda: net().fit(X, LABELS, validation_split=1.5), "between 0 and 1"),
    (lambda: net().fit(X, LABELS, validation_split=0.99), "nothing to train"),
    (lambda: net().fit(X, LABELS, validation_data=X), r"\(x, y\) or \(x, y, sample_weight\)"),
    (lambda: net().fit(X, LABELS, batch_size=0), "batch_size is a whole number"),
    (lambda: net().fit(X, LABELS, epochs=-1), "epochs is a whole number"),
    (lambda: net().fit(X, LABELS, sample_weight=np.ones((40, 2))), "temporal"),
    (lambda: net().fit(X, LABELS, class_weight={0: 1.0}), r"no weight for the classes \[1, 2\]"),
    (lambda: net().evaluate(X[:, :2], LABELS), r"expected shape \(rows, 8\)"),
    (lambda: net().predict(X[:, :2]), r"expected shape \(rows, 8\)"),
    (lambda: net().predict(X[:0]), "no rows"),
    (lambda: net().train_on_batch(X, LABELS[:3]), "same number of rows"),
]


@pytest.mark.parametrize(("call", "said"), REFUSED)
def test_refused_with_advice(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=rf"(?s){said}"):
        call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "y"])
def test_nan_leaves_the_weights_alone(bad: float, where: str) -> None:
    model = net("mse")
    x, y = X.copy(), ONE_HOT.copy()
    {"x": x, "y": y}[where][17, 1] = bad
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"in 1 of 40 rows, first in row 17.*isfinite"):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nan_that_the_model_removes_is_no_error() -> None:
    clean = Lambda(lambda t: tf.where(tf.math.is_nan(t), tf.zeros_like(t), t), input_shape=(8,))
    model = Sequential([clean, Dense(3)])
    model.compile("sgd", "mse")
    x = X.copy()
    x[3] = np.nan
    model.fit(x, ONE_HOT, verbose=0)
    assert np.isfinite(model.evaluate(x, ONE_HOT))


def test_not_compiled() -> None:
    model = Sequential([Dense(1, input_shape=(8,))])
    for method in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(RuntimeError, match=r"must be compiled.*model\.compile\("):
            method(X, X[:, :1])


def test_accepted_forms_are_equal() -> None:
    model = branches()
    expected = model.predict([X, X])
    for form in ((X, X), {"b": X, "a": X}, [tf.constant(X), X.astype("float64")], [X.tolist(), X]):
        for a, b in zip(model.predict(form), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    single = net()
    np.testing.assert_array_equal(single.predict(pandas.DataFrame(X)), single.predict(X))
    np.testing.assert_array_equal(single.predict({"first_input": X}), single.predict([X]))
    for y in (LABELS, LABELS[:, None], LABELS.astype("float64"), LABELS.tolist()):
        assert single.evaluate(X, y) == pytest.approx(single.evaluate(X, LABELS))


def test_batch_shuffle_keeps_batches_whole() -> None:
    order = shuffled(23, "batch", 5)
    assert order is not None
    batches = [tuple(order[start : start + 5]) for start in range(0, 20, 5)]
    assert sorted(batches) == [tuple(range(start, start + 5)) for start in range(0, 20, 5)]
    assert order[20:].tolist() == [20, 21, 22]
    assert shuffled(23, False, 5) is None
    assert sorted(shuffled(23, True, 5)) == list(range(23))  # type: ignore[arg-type]
