"""Activations, biases, and whether a prediction is among the best."""

from __future__ import annotations

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Tensor
from .facts import ndim
from .symbolic import operation

__all__ = [
    "bias_add",
    "elu",
    "hard_sigmoid",
    "in_top_k",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]


# ---------------------------------------------------------------- activations


@operation
def relu(
    x: Tensor, alpha: Tensor = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """Rectified linear unit.

    f(x) = max_value for x ≥ max_value, x for threshold ≤ x < max_value,
    alpha · (x − threshold) below.

    Args:
        x: a tensor.
        alpha: the slope below the threshold.
        max_value: where it saturates, if anywhere.
        threshold: where it begins.

    >>> relu([-2.0, 3.0, 9.0], max_value=6.0).numpy()
    array([0., 3., 6.], dtype=float32)
    """
    if threshold == 0.0 and isinstance(alpha, int | float):
        if alpha == 0.0:
            if max_value is None:
                return tf.nn.relu(x)
            return tf.nn.relu6(x) if max_value == 6 else tf.minimum(tf.nn.relu(x), max_value)
        if max_value is None:
            return tf.nn.leaky_relu(x, alpha)
    x = tf.convert_to_tensor(x)
    above = x if max_value is None else tf.minimum(x, max_value)
    return tf.where(x >= threshold, above, _factor(alpha, x) * (x - threshold))


@operation
def elu(x: Tensor, alpha: Tensor = 1.0) -> Tensor:
    """Exponential linear unit: x for x > 0, alpha · (eˣ − 1) below.

    >>> elu([1.0, 0.0]).numpy()
    array([1., 0.], dtype=float32)

    Source: Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289.
    """
    y = tf.nn.elu(x)
    if isinstance(alpha, int | float) and alpha == 1:
        return y
    return tf.where(y > 0, y, _factor(alpha, y) * y)


def _factor(value: Tensor, x: Tensor) -> Tensor:
    """A factor in the type of x. TensorFlow would cast a number by way of 32 bits."""
    return value if isinstance(value, int | float) else tf.cast(value, x.dtype)


@operation
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """eˣⁱ / Σⱼ eˣʲ along an axis.

    >>> softmax([[0.0, 0.0]]).numpy()
    array([[0.5, 0.5]], dtype=float32)
    """
    return tf.nn.softmax(x, axis)


@operation
def softplus(x: Tensor) -> Tensor:
    """ln(1 + eˣ).

    >>> float(softplus(-1000.0))
    0.0
    """
    return tf.math.softplus(x)


@operation
def softsign(x: Tensor) -> Tensor:
    """x / (1 + |x|).

    >>> softsign([1.0, -3.0]).numpy()
    array([ 0.5 , -0.75], dtype=float32)
    """
    return tf.nn.softsign(x)


@operation
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ).

    >>> float(sigmoid(0.0))
    0.5
    """
    return tf.sigmoid(x)


@operation
def hard_sigmoid(x: Tensor) -> Tensor:
    """min(max(0.2 x + 0.5, 0), 1): a sigmoid of straight pieces, quicker to compute.

    >>> hard_sigmoid([-3.0, 0.0, 1.0]).numpy()
    array([0. , 0.5, 0.7], dtype=float32)
    """
    return tf.minimum(tf.nn.relu(0.2 * tf.convert_to_tensor(x) + 0.5), 1.0)


@operation
def tanh(x: Tensor) -> Tensor:
    """(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).

    >>> float(tanh(0.0))
    0.0
    """
    return tf.tanh(x)


# ---------------------------------------------------------------- around a network


@operation
def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """x + bias, the bias along the channels or along all axes but the batch.

    Args:
        x: (samples, …) with channels last, or after the batch.
        bias: (channels,), or (…, channels) with one axis less than x.
        data_format: where the channels are.

    Raises:
        ValueError: the bias has another number of axes.

    >>> bias_add([[[1.0, 2.0]]], [10.0, 20.0]).numpy()
    array([[[11., 22.]]], dtype=float32)
    """
    data_format = normalize_data_format(data_format)
    if data_format == "channels_last" and ndim(bias) == 1:
        return tf.nn.bias_add(x, bias)
    x, bias = tf.convert_to_tensor(x), tf.convert_to_tensor(bias)
    rank = x.shape.rank
    if bias.shape.rank not in (1, rank - 1):
        raise ValueError(
            f"A bias of shape {bias.shape} cannot be added to a tensor of shape {x.shape}: it "
            f"has one axis (channels,), or {rank - 1}, all of the tensor's but the batch."
        )
    if data_format == "channels_last" or rank < 3:
        return tf.nn.bias_add(x, bias) if bias.shape.rank == 1 else x + bias
    if bias.shape.rank == 1:
        return x + tf.reshape(bias, (-1, *(1,) * (rank - 2)))
    # Keras 2 reads the numbers of (…, channels) in order as (channels, …), and so do its files.
    return x + tf.reshape(bias, (bias.shape[-1], *bias.shape[:-1]))


@operation
def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Whether a sample's true class is among its k greatest predictions (ties count).

    Args:
        predictions: (samples, classes).
        targets: (samples,) class numbers.
        k: how many.

    Returns:
        (samples,) booleans.

    >>> in_top_k([[0.1, 0.6, 0.3]], [2], 2).numpy()
    array([ True])
    """
    if getattr(predictions, "dtype", None) != tf.float32:
        predictions = tf.cast(predictions, tf.float32)
    if getattr(targets, "dtype", None) not in (tf.int32, tf.int64):
        targets = tf.cast(targets, tf.int32)
    return tf.math.in_top_k(targets, predictions, k)
