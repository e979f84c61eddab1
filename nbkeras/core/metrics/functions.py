"""Metric functions (Keras 2 manual, chapter 8): one number for each sample.

In the formulas `y` is the target and `p` the prediction. Every loss function is a metric
as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.backend.symbolic import operation
from nbkeras.core.losses import functions as losses

__all__ = [
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def _metric(function: Callable[..., Any]) -> Callable[..., Any]:
    return registry.register("metric", operation(function))


def _as_float(hits: Any) -> Any:
    return tf.cast(hits, config.floatx())


# A model's 'accuracy' is one of the three below, by its loss and output; see `objective`.
@_metric
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where `p = y`, else 0, for each element.

    Example:
        >>> accuracy([1, 2, 3], [1, 2, 4]).numpy().tolist()
        [1.0, 1.0, 0.0]
    """
    y_pred = tf.convert_to_tensor(y_pred)
    return _as_float(tf.equal(tf.cast(y_true, y_pred.dtype), y_pred))


@_metric
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The part of a sample's outputs where `p > threshold` agrees with `y`.

    Args:
        y_true: targets 0 and 1.
        y_pred: predictions of the same shape.
        threshold: above it a prediction counts as 1.

    Example:
        >>> binary_accuracy([[1., 0.]], [[0.9, 0.8]]).numpy().tolist()
        [0.5]
    """
    y_pred = tf.convert_to_tensor(y_pred)
    ones = tf.cast(y_pred > tf.cast(threshold, y_pred.dtype), y_pred.dtype)
    return tf.reduce_mean(_as_float(tf.equal(tf.cast(y_true, y_pred.dtype), ones)), axis=-1)


@_metric
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where `argmax p = argmax y`, else 0.

    Args:
        y_true: one-hot targets `(..., classes)`.
        y_pred: predictions `(..., classes)`.

    Example:
        >>> categorical_accuracy([[0., 1.], [0., 1.]], [[0.1, 0.9], [0.8, 0.2]]).numpy().tolist()
        [1.0, 0.0]
    """
    return _as_float(tf.equal(tf.argmax(y_true, axis=-1), tf.argmax(y_pred, axis=-1)))


@_metric
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where `argmax p = y`, else 0.

    Args:
        y_true: class numbers `(...)` or `(..., 1)`.
        y_pred: predictions `(..., classes)`.

    Example:
        >>> sparse_categorical_accuracy([1, 1], [[0.1, 0.9], [0.8, 0.2]]).numpy().tolist()
        [1.0, 0.0]
    """
    y_pred = tf.convert_to_tensor(y_pred)
    classes = losses.class_numbers(y_true, y_pred)
    return _as_float(tf.equal(classes, tf.argmax(y_pred, axis=-1)))


@_metric
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class of `y` is among the `k` largest of `p`, else 0.

    Args:
        y_true: one-hot targets `(..., classes)`.
        y_pred: predictions `(..., classes)`.
        k: how many of the largest count.

    Example:
        >>> top_k_categorical_accuracy([[0., 1., 0.]], [[0.5, 0.4, 0.1]], k=2).numpy().tolist()
        [1.0]
    """
    return _in_top(tf.argmax(y_true, axis=-1), tf.convert_to_tensor(y_pred), k)


@_metric
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where `y` is among the `k` largest of `p`, else 0.

    Args:
        y_true: class numbers `(...)` or `(..., 1)`.
        y_pred: predictions `(..., classes)`.
        k: how many of the largest count.

    Example:
        >>> sparse_top_k_categorical_accuracy([1], [[0.5, 0.4, 0.1]], k=1).numpy().tolist()
        [0.0]
    """
    y_pred = tf.convert_to_tensor(y_pred)
    return _in_top(losses.class_numbers(y_true, y_pred), y_pred, k)


def _in_top(classes: Any, y_pred: Any, k: int) -> Any:
    """Whether fewer than `k` predictions exceed that of the class; equal ones all count as in.

    A class that does not exist, and predictions that are not finite, are never in.
    """
    number = tf.cast(tf.shape(y_pred)[-1], classes.dtype)
    exists = tf.logical_and(classes >= 0, classes < number)
    of_class = tf.gather(y_pred, tf.where(exists, classes, 0), batch_dims=y_pred.shape.rank - 1)
    above = tf.reduce_sum(tf.cast(y_pred > of_class[..., None], tf.int32), axis=-1)
    finite = tf.reduce_all(tf.math.is_finite(y_pred), axis=-1)
    return _as_float((above < k) & exists & finite)


for _function, _aliases in {
    losses.binary_crossentropy: ("bce", "BCE"),
    losses.categorical_crossentropy: (),
    losses.categorical_hinge: (),
    losses.cosine_proximity: ("cosine", "cosine_similarity"),
    losses.hinge: (),
    losses.huber: ("huber_loss",),
    losses.kullback_leibler_divergence: ("kld", "KLD", "kl_divergence"),
    losses.logcosh: ("log_cosh",),
    losses.mean_absolute_error: ("mae", "MAE"),
    losses.mean_absolute_percentage_error: ("mape", "MAPE"),
    losses.mean_squared_error: ("mse", "MSE"),
    losses.mean_squared_logarithmic_error: ("msle", "MSLE"),
    losses.poisson: (),
    losses.sparse_categorical_crossentropy: (),
    losses.squared_hinge: (),
    accuracy: ("acc",),
}.items():
    registry.register("metric", _function, aliases=_aliases)
