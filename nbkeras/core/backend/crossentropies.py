"""Cross-entropies of classes, of class numbers, and of yes and no.

Where a model is trained, probabilities that a softmax or a sigmoid gave are traced back
to what it was taken of (:func:`from_logits_where_known`): the same number comes out
while no probability leaves [ε, 1 − ε], beyond it the loss goes on growing, and it
takes a third of the operations. tf_keras does so too. Elsewhere, in ``K.gradients`` say,
a loss stays a function of the probabilities that it was given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from ..config import epsilon
from ._typing import Tensor
from .symbolic import operation

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "from_logits_where_known",
    "sparse_categorical_crossentropy",
]

_tracing_back: ContextVar[bool] = ContextVar("tracing_back", default=False)


@contextlib.contextmanager
def from_logits_where_known() -> Iterator[None]:
    """Within this, probabilities are traced back to logits where the graph tells them.

    >>> def loss(x):
    ...     with from_logits_where_known():
    ...         return binary_crossentropy(tf.zeros(1), tf.sigmoid(x))
    >>> tf.function(loss)(tf.constant([50.0])).numpy()  # and not -ln(1e-7), which is 16.1
    array([50.], dtype=float32)
    """
    token = _tracing_back.set(True)
    try:
        yield
    finally:
        _tracing_back.reset(token)


def _logits(probabilities: Tensor, function: str, axis: int = -1) -> Any:
    """What an operation was taken of to get these probabilities; ``None`` if not known."""
    if not _tracing_back.get() or tf.executing_eagerly() or not _is_last(axis, probabilities):
        return None
    made_by = probabilities.op
    known = made_by.type == function and made_by.inputs[0].dtype.size >= 4
    return made_by.inputs[0] if known else None


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
    logits = output if from_logits else _logits(output, "Softmax", axis)
    if logits is not None:
        losses = _softmax_crossentropy(target, logits, axis)
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
        logits = _logits(output, "Softmax", axis)
        output = tf.math.log(_off_the_ends(output)) if logits is None else logits
    rank = output.shape.rank
    if not _is_last(axis, output):
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
    elif _alike(target, output) and (logits := _logits(output, "Sigmoid")) is not None:
        losses = _sigmoid_crossentropy(target, logits, output)
    else:
        p = _off_the_ends(output)
        losses = -(target * tf.math.log(p) + (1.0 - target) * tf.math.log1p(-p))
    return losses if losses.dtype == kind else tf.cast(losses, kind)


def at_least_float32(x: Tensor) -> Tensor:
    """In 16 bits 1 − ε is 1 and its logarithm useless, so logarithms are taken in 32."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


def _is_last(axis: int, x: Tensor) -> bool:
    """Whether an axis is the last one; of a tensor of unknown rank it is taken to be."""
    return axis == -1 or x.shape.rank is None or axis == x.shape.rank - 1


def _alike(a: Tensor, b: Tensor) -> bool:
    """Whether nothing is repeated where two batches meet."""
    return a.shape.rank == b.shape.rank and a.shape[1:] == b.shape[1:]


def _softmax_crossentropy(target: Tensor, logits: Tensor, axis: int) -> Tensor:
    """−Σᵢ tᵢ ln softmax(x)ᵢ."""
    if logits.shape.rank == 2 and _alike(target, logits) and _is_last(axis, logits):
        # TensorFlow's function of it reshapes back and forth around this operation.
        return tf.raw_ops.SoftmaxCrossEntropyWithLogits(features=logits, labels=target).loss
    return tf.nn.softmax_cross_entropy_with_logits(target, logits, axis)


@tf.custom_gradient
def _sigmoid_crossentropy(target: Tensor, logits: Tensor, p: Tensor) -> Any:
    """max(x, 0) − x t + ln(1 + e^−|x|), whose slope is p − t, with p the sigmoid of x."""
    losses = tf.nn.relu(logits) - logits * target + tf.math.softplus(-tf.abs(logits))

    def gradient(upstream: Tensor) -> Any:
        return -upstream * logits, upstream * (p - target), None

    return losses, gradient


def _off_the_ends(p: Tensor) -> Tensor:
    return tf.clip_by_value(p, epsilon(), 1.0 - epsilon())


def _move_axis_last(x: Tensor, axis: int) -> Tensor:
    order = list(range(x.shape.rank))
    order.append(order.pop(axis))
    return tf.transpose(x, order)
