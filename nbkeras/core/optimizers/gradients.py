"""What is done to gradients before an optimizer uses them: summed rows, clipping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["clip", "dense", "dtype_of", "sum_rows"]

Gradient = Any
"""A tensor, or `tf.IndexedSlices` where only some rows of a variable were used."""


def dense(gradient: Gradient, shape: tf.TensorShape) -> Any:
    """The gradient as a tensor of the variable's shape."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, shape[0])


def sum_rows(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """The same gradient with each row at most once.

    The number of slices stays, as XLA needs it: those that become free hold zeros for
    row 0, which changes nothing where values are added.
    """
    count = tf.shape(gradient.indices)[0]
    order = tf.argsort(gradient.indices)
    rows = tf.gather(gradient.indices, order)
    changes = tf.cast(rows[1:] != rows[:-1], tf.int32)
    first = tf.concat([tf.zeros_like(rows[:1], tf.int32), changes], axis=0)
    place = tf.cumsum(first)
    values = tf.math.unsorted_segment_sum(tf.gather(gradient.values, order), place, count)
    # Free slots get the smallest integer as their maximum.
    rows = tf.maximum(tf.math.unsorted_segment_max(rows, place, count), 0)
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def dtype_of(gradient: Gradient) -> tf.DType:
    """The dtype of a gradient's numbers."""
    return gradient.dtype


def clip(
    gradients: Sequence[Gradient],
    clipvalue: float | None = None,
    clipnorm: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Gradient]:
    """Gradients within bounds (Keras 2 manual, 9.2).

    Args:
        gradients: the gradients of all variables of a model.
        clipvalue: numbers are cut to `[-clipvalue, clipvalue]`.
        clipnorm: each gradient is shortened to this norm: `g * c / max(c, |g|)`.
        global_clipnorm: all are shortened together, `|g|` being their common norm.
    """
    gradients = list(gradients)
    if clipvalue is None and clipnorm is None and global_clipnorm is None:
        return gradients
    # A row that occurs twice has the norm of its sum.
    gradients = [sum_rows(g) if isinstance(g, tf.IndexedSlices) else g for g in gradients]
    if clipnorm is not None:
        gradients = [_shorten(g, clipnorm, tf.sqrt(_squares(g))) for g in gradients]
    if global_clipnorm is not None:
        wide = tf.float64 if tf.float64 in map(dtype_of, gradients) else tf.float32
        norm = tf.sqrt(tf.add_n([tf.cast(_squares(g), wide) for g in gradients]))
        gradients = [_shorten(g, global_clipnorm, norm) for g in gradients]
    if clipvalue is not None:
        gradients = [
            _map(g, lambda v: tf.clip_by_value(v, -clipvalue, clipvalue)) for g in gradients
        ]
    return gradients


def _values(gradient: Gradient) -> Any:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _map(gradient: Gradient, function: Any) -> Gradient:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(function(gradient.values), gradient.indices, gradient.dense_shape)
    return function(gradient)


def _squares(gradient: Gradient) -> Any:
    """Sum of squares, in single precision at least: half precision ends at 65504."""
    values = _values(gradient)
    if values.dtype in (tf.float16, tf.bfloat16):
        values = tf.cast(values, tf.float32)
    return tf.reduce_sum(tf.square(values))


def _shorten(gradient: Gradient, limit: float, norm: Any) -> Gradient:
    limit = tf.cast(limit, norm.dtype)
    factor = limit / tf.maximum(norm, limit)
    return _map(gradient, lambda values: values * tf.cast(factor, values.dtype))
