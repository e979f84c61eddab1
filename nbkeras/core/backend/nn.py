"""Activations, cross-entropies and normalizations."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ..config import epsilon as fuzz
from ..config import normalize_data_format
from ._typing import Axis, Tensor
from .symbolic import operation
from .tensors import ndim

__all__ = [
    "batch_normalization",
    "bias_add",
    "binary_crossentropy",
    "categorical_crossentropy",
    "elu",
    "hard_sigmoid",
    "in_top_k",
    "l2_normalize",
    "normalize_batch_in_training",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
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


# ---------------------------------------------------------------- cross-entropies


@operation
def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """−Σᵢ tᵢ ln pᵢ along an axis, for probabilities or for logits.

    Probabilities are divided by their sum and kept ε away from 0 and 1; of
    logits the softmax is taken.

    Args:
        target: the true distribution, in the shape of the output.
        output: probabilities, or logits.
        from_logits: whether they are logits.
        axis: the axis of the classes.

    Returns:
        The shape of the output without that axis.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.0, 1.0]]).numpy() < 1e-6
    array([ True])
    """
    output = tf.convert_to_tensor(output)
    kind = output.dtype
    output = _at_least_float32(output)
    target = tf.cast(target, output.dtype)
    if from_logits:
        losses = tf.nn.softmax_cross_entropy_with_logits(target, output, axis)
    else:
        output = output / tf.reduce_sum(output, axis, keepdims=True)
        losses = -tf.reduce_sum(target * tf.math.log(_off_the_ends(output)), axis)
    return losses if losses.dtype == kind else tf.cast(losses, kind)


@operation
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """−ln pₜ, t the number of the true class, for probabilities or for logits.

    Probabilities are kept ε away from 0 and 1 and divided by their sum; of
    logits the softmax is taken.

    Args:
        target: class numbers, in the shape of the output without its class axis
            (or with size 1 there).
        output: probabilities, or logits.
        from_logits: whether they are logits.
        axis: the axis of the classes.

    Returns:
        The shape of the output without that axis.

    >>> sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [0.5, 0.5]]).numpy()
    array([0.6931472, 0.6931472], dtype=float32)
    """
    output = tf.convert_to_tensor(output)
    kind = output.dtype
    output = _at_least_float32(output)
    if not from_logits:
        output = tf.math.log(_off_the_ends(output))
    rank = output.shape.rank
    if rank is not None and axis not in (-1, rank - 1):
        output = _move_axis_last(output, axis)
    target = tf.convert_to_tensor(target)
    if target.dtype not in (tf.int32, tf.int64):
        target = tf.cast(target, tf.int64)
    if rank is None or target.shape.rank != rank - 1:
        target = tf.reshape(target, tf.shape(output)[:-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target, output)
    return losses if losses.dtype == kind else tf.cast(losses, kind)


@operation
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """−t ln p − (1 − t) ln(1 − p), element by element, for probabilities or for logits.

    Probabilities are kept ε away from 0 and 1; of logits the sigmoid is taken.

    Args:
        target: true probabilities, in the shape of the output.
        output: probabilities, or logits.
        from_logits: whether they are logits.

    >>> binary_crossentropy([1.0, 0.0], [0.5, 0.5]).numpy()
    array([0.6931472, 0.6931472], dtype=float32)
    """
    output = tf.convert_to_tensor(output)
    kind = output.dtype
    output = _at_least_float32(output)
    target = tf.cast(target, output.dtype)
    if from_logits:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(target, output)
    else:
        p = _off_the_ends(output)
        losses = -(target * tf.math.log(p) + (1.0 - target) * tf.math.log1p(-p))
    return losses if losses.dtype == kind else tf.cast(losses, kind)


def _at_least_float32(x: Tensor) -> Tensor:
    """In 16 bits 1 − ε is 1 and its logarithm useless, so logarithms are taken in 32."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


def _off_the_ends(p: Tensor) -> Tensor:
    return tf.clip_by_value(p, fuzz(), 1.0 - fuzz())


def _move_axis_last(x: Tensor, axis: int) -> Tensor:
    order = list(range(x.shape.rank))
    order.append(order.pop(axis))
    return tf.transpose(x, order)


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


# ---------------------------------------------------------------- biases and normalization


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
def l2_normalize(x: Tensor, axis: Axis = None) -> Tensor:
    """x / √max(Σ x², 1e-12) along axes.

    >>> l2_normalize([3.0, 4.0]).numpy()
    array([0.6, 0.8], dtype=float32)
    """
    return tf.nn.l2_normalize(x, axis)


@operation
def normalize_batch_in_training(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    reduction_axes: Sequence[int],
    epsilon: float = 0.001,
) -> tuple[Tensor, Tensor, Tensor]:
    """γ (x − μ) / √(σ² + ε) + β with the mean μ and variance σ² of this batch.

    Args:
        x: a tensor.
        gamma: the scale, or ``None`` for 1.
        beta: the offset, or ``None`` for 0.
        reduction_axes: the axes that μ and σ² are taken over.
        epsilon: added to the variance.

    Returns:
        The normalized tensor, μ, and σ² = Σ (x − μ)² / n.

    >>> y, mean, var = normalize_batch_in_training([[1.0], [3.0]], None, None, [0], 0.0)
    >>> y.numpy().ravel(), mean.numpy(), var.numpy()
    (array([-1.,  1.], dtype=float32), array([2.], dtype=float32), array([1.], dtype=float32))

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167.
    """
    x = tf.convert_to_tensor(x)
    rank = x.shape.rank
    axes = sorted(axis % rank for axis in reduction_axes)
    mean, var = tf.nn.moments(x, axes)
    only_last_is_kept = axes == list(range(rank - 1))
    sizes = [1 if axis in axes else size or -1 for axis, size in enumerate(x.shape)]

    def along(vector: Tensor) -> Tensor:
        return vector if vector is None or only_last_is_kept else tf.reshape(vector, sizes)

    normalized = tf.nn.batch_normalization(
        x, along(mean), along(var), along(beta), along(gamma), epsilon
    )
    return normalized, mean, var


@operation
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    beta: Tensor,
    gamma: Tensor,
    epsilon: float = 0.001,
    axis: int = -1,
) -> Tensor:
    """γ (x − μ) / √(σ² + ε) + β with given mean μ and variance σ².

    Args:
        x: a tensor.
        mean: μ, along the axis or so that it broadcasts; so are the next three.
        var: σ².
        beta: the offset, or ``None`` for 0.
        gamma: the scale, or ``None`` for 1.
        epsilon: added to the variance.
        axis: the axis that vectors of one axis lie along.

    >>> batch_normalization([[1.0, 5.0]], [1.0, 3.0], [1.0, 4.0], None, None, 0.0).numpy()
    array([[0., 1.]], dtype=float32)

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167.
    """
    x = tf.convert_to_tensor(x)
    rank = x.shape.rank
    last = axis == -1 or axis + 1 == rank

    def along(vector: Tensor) -> Tensor:
        if vector is None:
            return None
        vector = tf.convert_to_tensor(vector)
        if last or vector.shape.rank != 1:
            return vector
        return tf.reshape(vector, (-1, *(1,) * (rank - 1 - axis % rank)))

    return tf.nn.batch_normalization(x, along(mean), along(var), along(beta), along(gamma), epsilon)
