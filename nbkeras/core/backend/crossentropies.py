"""Cross-entropies of classes, of class numbers, and of yes and no."""

from __future__ import annotations

import tensorflow as tf

from ..config import epsilon
from ._typing import Tensor
from .symbolic import operation

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


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
    output = at_least_float32(output)
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
    output = at_least_float32(output)
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
    output = at_least_float32(output)
    target = tf.cast(target, output.dtype)
    if from_logits:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(target, output)
    else:
        p = _off_the_ends(output)
        losses = -(target * tf.math.log(p) + (1.0 - target) * tf.math.log1p(-p))
    return losses if losses.dtype == kind else tf.cast(losses, kind)


def at_least_float32(x: Tensor) -> Tensor:
    """In 16 bits 1 − ε is 1 and its logarithm useless, so logarithms are taken in 32."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


def _off_the_ends(p: Tensor) -> Tensor:
    return tf.clip_by_value(p, epsilon(), 1.0 - epsilon())


def _move_axis_last(x: Tensor, axis: int) -> Tensor:
    order = list(range(x.shape.rank))
    order.append(order.pop(axis))
    return tf.transpose(x, order)
