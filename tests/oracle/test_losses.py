"""Values and gradients of losses equal those of tf_keras over shapes, dtypes and options."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from nbkeras.core import losses

RNG = np.random.default_rng(4)
SHAPES = [(4, 3), (2, 5, 3), (6, 1), (2, 2, 3, 4)]

NAMES = {
    "mean_squared_error": "real",
    "mean_absolute_error": "real",
    "mean_absolute_percentage_error": "real",
    "mean_squared_logarithmic_error": "positive",
    "logcosh": "real",
    "huber": "real",
    "poisson": "positive",
    "hinge": "signs",
    "squared_hinge": "binary",
    "categorical_hinge": "onehot",
    "kullback_leibler_divergence": "onehot",
    "categorical_crossentropy": "onehot",
    "binary_crossentropy": "binary",
}


def data(kind: str, shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray, np.ndarray]:
    probabilities = RNG.uniform(0.05, 0.95, shape)
    y_true, y_pred = {
        "real": (RNG.normal(size=shape), RNG.normal(size=shape)),
        "positive": (RNG.uniform(0.1, 3, shape), RNG.uniform(0.1, 3, shape)),
        "signs": (RNG.choice([-1.0, 1.0], shape), RNG.normal(size=shape)),
        "binary": (RNG.choice([0.0, 1.0], shape), probabilities),
        "onehot": (
            np.eye(shape[-1])[RNG.integers(0, shape[-1], shape[:-1])],
            probabilities / probabilities.sum(-1, keepdims=True),
        ),
    }[kind]
    return y_true.astype(dtype), y_pred.astype(dtype)


def value_and_gradient(loss, y_true, y_pred, **options):
    y_pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred, **options)
    return value.numpy(), tape.gradient(value, y_pred).numpy()


def assert_equal_to(expected, got, tolerance: float = 1e-5) -> None:
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_function(name: str, shape: tuple[int, ...], dtype: str) -> None:
    y_true, y_pred = data(NAMES[name], shape, dtype)
    got = value_and_gradient(getattr(losses, name), y_true, y_pred)
    assert got[0].shape == shape[:-1]
    assert got[0].dtype == got[1].dtype == dtype
    assert_equal_to(value_and_gradient(getattr(tf_keras.losses, name), y_true, y_pred), got)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_stays_close(name: str) -> None:
    y_true, y_pred = data(NAMES[name], (4, 3), "float32")
    half = getattr(losses, name)(y_true, tf.constant(y_pred, tf.float16))
    assert half.dtype == tf.float16
    full = getattr(losses, name)(y_true, y_pred)
    np.testing.assert_allclose(half.numpy(), full.numpy(), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("categorical_crossentropy", "onehot", {"from_logits": True}),
        ("categorical_crossentropy", "onehot", {"label_smoothing": 0.2}),
        ("categorical_crossentropy", "onehot", {"axis": 1}),
        ("binary_crossentropy", "binary", {"from_logits": True}),
        ("binary_crossentropy", "binary", {"label_smoothing": 0.2}),
        ("binary_crossentropy", "binary", {"axis": 0}),
        ("huber", "real", {"delta": 0.3}),
    ],
)
def test_options(name: str, kind: str, options: dict, shape: tuple[int, ...]) -> None:
    y_true, y_pred = data(kind, shape, "float32")
    expected = value_and_gradient(getattr(tf_keras.losses, name), y_true, y_pred, **options)
    assert_equal_to(expected, value_and_gradient(getattr(losses, name), y_true, y_pred, **options))


@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("labels", ["int32", "int64", "uint8", "float32"])
def test_sparse_labels(
    shape: tuple[int, ...], from_logits: bool, column: bool, labels: str
) -> None:
    _, y_pred = data("onehot", shape, "float32")
    y_true = RNG.integers(0, shape[-1], shape[:-1])
    want = value_and_gradient(
        tf_keras.losses.sparse_categorical_crossentropy, y_true, y_pred, from_logits=from_logits
    )
    y_true = y_true.astype(labels)[..., None] if column else y_true.astype(labels)
    got = value_and_gradient(
        losses.sparse_categorical_crossentropy, y_true, y_pred, from_logits=from_logits
    )
    assert_equal_to(want, got)


def test_cosine() -> None:
    y_true, y_pred = data("real", (4, 3), "float32")
    want = value_and_gradient(tf_keras.losses.cosine_similarity, y_true, y_pred)
    assert_equal_to(want, value_and_gradient(losses.cosine_proximity, y_true, y_pred))


OBJECTS = [
    ("MeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("LogCosh", {}, "real"),
    ("Huber", {"delta": 0.5}, "real"),
    ("Poisson", {}, "positive"),
    ("Hinge", {}, "signs"),
    ("SquaredHinge", {}, "signs"),
    ("CategoricalHinge", {}, "onehot"),
    ("KLDivergence", {}, "onehot"),
    ("CosineSimilarity", {"axis": 0}, "real"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    ("CategoricalCrossentropy", {"from_logits": True}, "onehot"),
]


@pytest.mark.parametrize("reduction", ["auto", "none", "sum", "sum_over_batch_size"])
@pytest.mark.parametrize(("name", "options", "kind"), OBJECTS)
def test_object(name: str, options: dict, kind: str, reduction: str) -> None:
    ours = getattr(losses, name)(**options, reduction=reduction)
    theirs = getattr(tf_keras.losses, name)(**options, reduction=reduction)
    y_true, y_pred = data(kind, (3, 4), "float32")
    size = 4 if options.get("axis") == 0 else 3
    for weights in (None, 2.5, RNG.uniform(size=size), RNG.uniform(size=(size, 1))):
        got = ours(y_true, y_pred, sample_weight=weights)
        want = theirs(y_true, y_pred, sample_weight=weights)
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("targets", [(4,), (4, 1)], ids=str)
@pytest.mark.parametrize("outputs", [(4,), (4, 1)], ids=str)
def test_object_does_not_broadcast_a_column(targets: tuple, outputs: tuple) -> None:
    y_true, y_pred = RNG.normal(size=4), RNG.normal(size=4)
    got = losses.MeanSquaredError()(y_true.reshape(targets), y_pred.reshape(outputs))
    np.testing.assert_allclose(got.numpy(), np.mean((y_true - y_pred) ** 2))


@pytest.mark.parametrize(("name", "options", "kind"), OBJECTS)
def test_configuration_is_interchanged(name: str, options: dict, kind: str) -> None:
    theirs = getattr(tf_keras.losses, name)(**options)
    ours = losses.deserialize(tf_keras.losses.serialize(theirs))
    back = tf_keras.losses.deserialize(losses.serialize(ours), use_legacy_format=True)
    y_true, y_pred = data(kind, (3, 4), "float32")
    want = theirs(y_true, y_pred).numpy()
    np.testing.assert_allclose(ours(y_true, y_pred).numpy(), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(back(y_true, y_pred).numpy(), want, rtol=1e-5, atol=1e-6)
