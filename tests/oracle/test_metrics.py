"""Metric functions and objects equal those of tf_keras over options, shapes and weights."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from nbkeras.core import metrics

RNG = np.random.default_rng(3)


def batches(kind: str, weighted: bool) -> list[tuple]:
    """Three batches of targets, predictions and weights."""
    made = []
    for n in (5, 8, 1):
        p = RNG.uniform(0.01, 0.99, (n, 6)).astype("float32")
        share = p / p.sum(-1, keepdims=True)
        classes = RNG.integers(0, 6, n)
        hot = np.eye(6, dtype="float32")[classes]
        y_true, y_pred = {
            "real": (RNG.normal(size=(n, 6)).astype("float32"), RNG.normal(size=(n, 6))),
            "positive": (RNG.uniform(0.1, 2, (n, 6)), RNG.uniform(0.1, 2, (n, 6))),
            "binary": ((RNG.uniform(size=(n, 6)) > 0.5).astype("float32"), p),
            "single": ((RNG.uniform(size=n) > 0.4).astype("float32"), p[:, 0]),
            "onehot": (hot, share),
            "sparse": (classes, share),
            "column": (classes[:, None].astype("float32"), share),
            "classes": (classes, RNG.integers(0, 6, n)),
        }[kind]
        weights = RNG.uniform(0, 2, n).astype("float32") if weighted else None
        made.append((y_true, np.asarray(y_pred, y_pred.dtype), weights))
    return made


OBJECTS = [
    ("Accuracy", {}, "classes"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "binary"),
    ("CategoricalAccuracy", {}, "onehot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    ("SparseCategoricalAccuracy", {}, "column"),
    ("TopKCategoricalAccuracy", {"k": 2}, "onehot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "sparse"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "column"),
    ("MeanSquaredError", {}, "real"),
    ("RootMeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("LogCoshError", {}, "real"),
    ("CosineSimilarity", {}, "real"),
    ("Hinge", {}, "binary"),
    ("SquaredHinge", {}, "real"),
    ("CategoricalHinge", {}, "onehot"),
    ("Poisson", {}, "positive"),
    ("KLDivergence", {}, "onehot"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary"),
    ("CategoricalCrossentropy", {}, "onehot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "onehot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "column"),
    ("MeanIoU", {"num_classes": 6}, "classes"),
    *(
        (name, options, kind)
        for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
        for options in ({}, {"thresholds": [0.7, 0.2, 0.5]})
        for kind in ("binary", "single")
    ),
    *(
        (name, options, kind)
        for name in ("Precision", "Recall")
        for options, kind in (
            ({}, "single"),
            ({"thresholds": [0.7, 0.2, 0.5]}, "binary"),
            ({"top_k": 2}, "binary"),
            ({"class_id": 3}, "binary"),
            ({"class_id": 1, "top_k": 3, "thresholds": 0.4}, "binary"),
        )
    ),
    *(
        ("AUC", {"curve": curve, "summation_method": method, **options}, "single")
        for curve in ("ROC", "PR")
        for method in ("interpolation", "minoring", "majoring")
        for options in ({"num_thresholds": 20}, {"thresholds": [0.5, 0.1, 0.9]})
    ),
    ("AUC", {}, "binary"),
    ("SensitivityAtSpecificity", {"specificity": 0.6}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 1}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 30}, "single"),
    ("PrecisionAtRecall", {"recall": 0.6}, "binary"),
    ("RecallAtPrecision", {"precision": 0.6}, "binary"),
]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize(("name", "options", "kind"), OBJECTS)
def test_object(name: str, options: dict, kind: str, weighted: bool) -> None:
    ours, expected = getattr(metrics, name)(**options), getattr(tf_keras.metrics, name)(**options)
    for _ in range(2):  # the second time after a reset
        for y_true, y_pred, weights in batches(kind, weighted):
            if weights is not None and name in ("RootMeanSquaredError",):
                weights = np.broadcast_to(weights[:, None], y_true.shape)
            ours.update_state(y_true, y_pred, sample_weight=weights)
            expected.update_state(y_true, y_pred, sample_weight=weights)
            np.testing.assert_allclose(
                ours.result().numpy(), expected.result().numpy(), rtol=2e-5, atol=1e-6
            )
        ours.reset_states()
        expected.reset_state()


@pytest.mark.parametrize("label_weights", [None, [1.0, 0.0, 2.0, 1.0, 1.0, 3.0]])
@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_auc_of_labels(curve: str, label_weights: list | None) -> None:
    options = {"multi_label": True, "curve": curve, "label_weights": label_weights}
    ours = metrics.AUC(**options)
    expected = tf_keras.metrics.AUC(**options)
    for y_true, y_pred, _ in batches("binary", False):
        ours.update_state(y_true, y_pred)
        expected.update_state(y_true, y_pred)
    np.testing.assert_allclose(ours.result().numpy(), expected.result().numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in OBJECTS}))
def test_configuration_of_tf_keras_loads(name: str) -> None:
    options = next(o for n, o, _ in OBJECTS if n == name)
    theirs = tf_keras.metrics.serialize(getattr(tf_keras.metrics, name)(**options))
    ours = metrics.deserialize(theirs)
    assert type(ours).__name__ == name
    for key, value in options.items():
        assert getattr(ours, key) == value


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("binary_accuracy", "binary", {"threshold": 0.2}),
        ("categorical_accuracy", "onehot", {}),
        ("sparse_categorical_accuracy", "sparse", {}),
        ("sparse_categorical_accuracy", "column", {}),
        ("top_k_categorical_accuracy", "onehot", {"k": 3}),
        ("sparse_top_k_categorical_accuracy", "sparse", {"k": 3}),
    ],
)
def test_function(name: str, kind: str, options: dict) -> None:
    y_true, y_pred, _ = batches(kind, False)[1]
    got = getattr(metrics, name)(y_true, y_pred, **options)
    want = getattr(tf_keras.metrics, name)(y_true, y_pred, **options)
    assert got.shape == (8,)
    np.testing.assert_allclose(got.numpy(), want.numpy())


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_with_ties_and_sequences(k: int) -> None:
    y_pred = RNG.integers(0, 3, (4, 7, 5)).astype("float32")
    y_true = RNG.integers(0, 5, (4, 7))
    got = metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=k)
    want = tf.math.in_top_k(y_true.reshape(-1), y_pred.reshape(-1, 5), k).numpy().reshape(4, 7)
    np.testing.assert_array_equal(got.numpy(), want)
