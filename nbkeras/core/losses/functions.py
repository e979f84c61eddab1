"""Loss functions (Keras 2 manual, chapter 7).

A loss function takes targets and predictions and returns one number for each sample
(for each time step of a sequence): the last axis is reduced, the others stay.

In the formulas `y` is the target, `p` the prediction, `eps` is `K.epsilon()`, and sums
and means run over the last axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import config, registry
from nbkeras.core.backend.symbolic import operation

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_proximity",
    "hinge",
    "huber",
    "kullback_leibler_divergence",
    "logcosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]


def _loss(*aliases: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        return registry.register("loss", operation(function), aliases=aliases)

    return register


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as tensors of the prediction's dtype."""
    y_pred = tf.convert_to_tensor(y_pred)
    if not y_pred.dtype.is_floating:
        y_pred = tf.cast(y_pred, config.floatx())
    return tf.cast(y_true, y_pred.dtype), y_pred


def _mean(values: Any) -> Any:
    return tf.reduce_mean(values, axis=-1)


# ---------------------------------------------------------------- regression


@_loss("mse", "MSE")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean (p - y)^2`.

    Example:
        >>> mean_squared_error([[0., 2.]], [[1., 5.]]).numpy().tolist()
        [5.0]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(tf.math.squared_difference(y_pred, y_true))


@_loss("mae", "MAE")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean |p - y|`.

    Example:
        >>> mean_absolute_error([[0., 2.]], [[1., 5.]]).numpy().tolist()
        [2.0]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(tf.abs(y_pred - y_true))


@_loss("mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean |(y - p) / max(|y|, eps)|`, in percent.

    Example:
        >>> print(mean_absolute_percentage_error([[10., 20.]], [[11., 18.]]).numpy().round(4))
        [10.]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return 100.0 * _mean(tf.abs((y_true - y_pred) / tf.maximum(tf.abs(y_true), config.epsilon())))


@_loss("msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean (log(1 + max(p, eps)) - log(1 + max(y, eps)))^2`.

    Example:
        >>> print(mean_squared_logarithmic_error([[0.]], [[math.e - 1]]).numpy().round(4))
        [1.]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    eps = config.epsilon()
    log_true = tf.math.log(tf.maximum(y_true, eps) + 1.0)
    log_pred = tf.math.log(tf.maximum(y_pred, eps) + 1.0)
    return _mean(tf.math.squared_difference(log_pred, log_true))


@_loss("log_cosh")
def logcosh(y_true: Any, y_pred: Any) -> Any:
    """`mean log(cosh(p - y))`: about `x^2 / 2` for small errors, `|x| - log 2` for large ones.

    Computed as `x + softplus(-2 x) - log 2`, which does not overflow.

    Example:
        >>> print(logcosh([[0.]], [[100.]]).numpy().round(4))
        [99.3069]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    error = y_pred - y_true
    return _mean(error + tf.nn.softplus(-2.0 * error) - tf.cast(math.log(2.0), error.dtype))


@_loss("huber_loss")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """`mean` of `x^2 / 2` where `|x| <= delta`, else of `delta * |x| - delta^2 / 2`; `x = p - y`.

    Example:
        >>> huber([[0., 0.]], [[1., 3.]]).numpy().tolist()
        [1.5]

    Source: Huber 1964.
    """
    y_true, y_pred = _pair(y_true, y_pred)
    error = tf.abs(y_pred - y_true)
    delta = tf.cast(delta, error.dtype)
    near = 0.5 * tf.square(error)
    far = delta * error - 0.5 * tf.square(delta)
    return _mean(tf.where(error <= delta, near, far))


@_loss()
def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean (p - y * log(p + eps))`.

    Example:
        >>> print(poisson([[1., 1.]], [[1., 1.]]).numpy().round(4))
        [1.]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(y_pred - y_true * tf.math.log(y_pred + config.epsilon()))


@_loss("cosine", "cosine_similarity")
def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """`- sum (y / |y|) (p / |p|)`: -1 for the same direction, 0 for orthogonal, 1 for opposite.

    Example:
        >>> cosine_proximity([[0., 1.], [1., 0.]], [[0., 3.], [0., 1.]]).numpy().tolist()
        [-1.0, -0.0]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = tf.math.l2_normalize(y_true, axis=axis)
    y_pred = tf.math.l2_normalize(y_pred, axis=axis)
    return -tf.reduce_sum(y_true * y_pred, axis=axis)


# ---------------------------------------------------------------- margins


@_loss()
def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean max(1 - y p, 0)`, targets -1 and 1 (targets 0 and 1 are read as -1 and 1).

    Example:
        >>> hinge([[-1., 1.]], [[0.5, 0.5]]).numpy().tolist()
        [1.0]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(tf.maximum(1.0 - _signs(y_true) * y_pred, 0.0))


@_loss()
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean max(1 - y p, 0)^2`, targets as for `hinge`.

    Example:
        >>> squared_hinge([[-1., 1.]], [[0.5, 0.5]]).numpy().tolist()
        [1.25]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return _mean(tf.square(tf.maximum(1.0 - _signs(y_true) * y_pred, 0.0)))


@_loss()
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(0, 1 + max((1 - y) p) - sum y p)`, targets one-hot.

    Example:
        >>> print(categorical_hinge([[0., 1.]], [[0.4, 0.6]]).numpy().round(4))
        [0.8]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    right = tf.reduce_sum(y_true * y_pred, axis=-1)
    wrong = tf.reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return tf.maximum(wrong - right + 1.0, 0.0)


def _signs(y_true: Any) -> Any:
    """Targets 0 and 1 as -1 and 1; any others as they are."""
    binary = tf.reduce_all(tf.logical_or(tf.equal(y_true, 0.0), tf.equal(y_true, 1.0)))
    return tf.where(binary, 2.0 * y_true - 1.0, y_true)


# ---------------------------------------------------------------- distributions


@_loss()
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`- sum y log q`, targets one-hot, `q = clip(p / sum p, eps, 1 - eps)`.

    Args:
        y_true: targets `(..., classes)`.
        y_pred: probabilities `(..., classes)`.
        from_logits: whether `y_pred` holds logits; then `q = softmax(p)`.
        label_smoothing: `s` replaces `y` by `(1 - s) y + s / classes`.
        axis: the axis of the classes.

    Example:
        >>> print(categorical_crossentropy([[0., 1.]], [[0.5, 0.5]]).numpy().round(4))
        [0.6931]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if not _is_zero(label_smoothing):
        smoothing = tf.cast(label_smoothing, y_pred.dtype)
        classes = tf.cast(tf.shape(y_pred)[axis], y_pred.dtype)
        y_true = y_true * (1.0 - smoothing) + smoothing / classes
    return K.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@_loss()
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`- log q_y`, targets integers, `q = softmax(log(clip(p, eps, 1 - eps)))`.

    Args:
        y_true: class numbers, integers or floats, of the shape of `y_pred` without the
            axis of the classes, or with 1 in its place.
        y_pred: probabilities `(..., classes)`.
        from_logits: whether `y_pred` holds logits; then `q = softmax(p)`.
        axis: the axis of the classes.

    Example:
        >>> print(sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy().round(4))
        [0.6931]
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = class_numbers(y_true, y_pred, axis)
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)


@_loss("bce", "BCE")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`- mean (y log q + (1 - y) log(1 - q))`, `q = clip(p, eps, 1 - eps)`.

    Args:
        y_true: targets between 0 and 1.
        y_pred: probabilities of the same shape.
        from_logits: whether `y_pred` holds logits; then `q = sigmoid(p)`.
        label_smoothing: `s` replaces `y` by `(1 - s) y + s / 2`.
        axis: the axis of the mean.

    Example:
        >>> print(binary_crossentropy([[1., 0.]], [[0.5, 0.5]]).numpy().round(4))
        [0.6931]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if not _is_zero(label_smoothing):
        smoothing = tf.cast(label_smoothing, y_pred.dtype)
        y_true = y_true * (1.0 - smoothing) + 0.5 * smoothing
    return tf.reduce_mean(K.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


@_loss("kld", "KLD", "kl_divergence")
def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum y log(y / p)`, both clipped to `[eps, 1]`.

    Example:
        >>> kullback_leibler_divergence([[0.5, 0.5]], [[0.5, 0.5]]).numpy().tolist()
        [0.0]
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = tf.clip_by_value(y_true, config.epsilon(), 1.0)
    y_pred = tf.clip_by_value(y_pred, config.epsilon(), 1.0)
    return tf.reduce_sum(y_true * tf.math.log(y_true / y_pred), axis=-1)


def class_numbers(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Targets as integers, one for each prediction: an axis of size 1 is dropped."""
    y_true = tf.convert_to_tensor(y_true)
    if y_true.shape.rank is not None and y_true.shape.rank == y_pred.shape.rank:
        if y_true.shape[axis] not in (1, None):
            raise ValueError(
                f"Expected class numbers of shape {tuple(y_pred.shape[:-1])} or "
                f"{(*y_pred.shape[:-1], 1)} for predictions of shape {tuple(y_pred.shape)}; got "
                f"shape {tuple(y_true.shape)}. For one-hot targets write "
                "'categorical_crossentropy' and 'categorical_accuracy'."
            )
        y_true = tf.squeeze(y_true, axis)
    return tf.cast(y_true, tf.int64)


def _is_zero(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == 0
