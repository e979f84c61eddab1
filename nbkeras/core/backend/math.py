"""Arithmetic and comparisons, element by element.

The names shadow Python's own (``abs``, ``pow``, ``round``) as in Keras 2; nothing
here uses the built-in ones.
"""

from __future__ import annotations

import tensorflow as tf

from ._typing import Tensor
from .symbolic import operation

__all__ = [
    "abs",
    "clip",
    "cos",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "maximum",
    "minimum",
    "not_equal",
    "pow",
    "round",
    "sign",
    "sin",
    "sqrt",
    "square",
]


# ---------------------------------------------------------------- element by element


@operation
def abs(x: Tensor) -> Tensor:
    """|x|, element by element.

    >>> abs([-1.5, 2.0]).numpy()
    array([1.5, 2. ], dtype=float32)
    """
    return tf.abs(x)


@operation
def square(x: Tensor) -> Tensor:
    """x², element by element.

    >>> square([3.0, -2.0]).numpy()
    array([9., 4.], dtype=float32)
    """
    return tf.square(x)


@operation
def sqrt(x: Tensor) -> Tensor:
    """√max(x, 0), element by element: rounding below zero does not make NaN.

    >>> sqrt([9.0, -1.0]).numpy()
    array([3., 0.], dtype=float32)
    """
    return tf.sqrt(tf.maximum(x, 0))


@operation
def exp(x: Tensor) -> Tensor:
    """eˣ, element by element.

    >>> exp([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return tf.exp(x)


@operation
def log(x: Tensor) -> Tensor:
    """ln x, element by element.

    >>> log([1.0]).numpy()
    array([0.], dtype=float32)
    """
    return tf.math.log(x)


@operation
def round(x: Tensor) -> Tensor:
    """The nearest whole number; halves go to the even one.

    >>> round([0.5, 1.5, 2.4]).numpy()
    array([0., 2., 2.], dtype=float32)
    """
    return tf.round(x)


@operation
def sign(x: Tensor) -> Tensor:
    """−1, 0 or 1, element by element.

    >>> sign([-3.0, 0.0, 5.0]).numpy()
    array([-1.,  0.,  1.], dtype=float32)
    """
    return tf.sign(x)


@operation
def sin(x: Tensor) -> Tensor:
    """sin x, x in radians.

    >>> sin([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return tf.sin(x)


@operation
def cos(x: Tensor) -> Tensor:
    """cos x, x in radians.

    >>> cos([0.0]).numpy()
    array([1.], dtype=float32)
    """
    return tf.cos(x)


@operation
def pow(x: Tensor, a: Tensor) -> Tensor:
    """xᵃ, element by element.

    >>> pow([2.0, 3.0], 2).numpy()
    array([4., 9.], dtype=float32)
    """
    return tf.pow(x, a)


@operation
def clip(x: Tensor, min_value: Tensor, max_value: Tensor) -> Tensor:
    """min(max(x, min_value), max_value).

    ``None`` leaves a side open; an upper bound below the lower one is raised to it.

    >>> clip([-2.0, 0.5, 9.0], 0.0, 1.0).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    if min_value is not None:
        x = tf.maximum(x, min_value)
    if max_value is not None:
        if min_value is not None and _both_numbers(min_value, max_value) and max_value < min_value:
            max_value = min_value
        x = tf.minimum(x, max_value)
    return x if min_value is not None or max_value is not None else tf.identity(x)


def _both_numbers(a: Tensor, b: Tensor) -> bool:
    return isinstance(a, int | float) and isinstance(b, int | float)


# ---------------------------------------------------------------- comparisons


@operation
def equal(x: Tensor, y: Tensor) -> Tensor:
    """x = y, element by element: a boolean tensor.

    >>> equal([1, 2], [1, 3]).numpy()
    array([ True, False])
    """
    return tf.equal(x, y)


@operation
def not_equal(x: Tensor, y: Tensor) -> Tensor:
    """x ≠ y, element by element: a boolean tensor.

    >>> not_equal([1, 2], [1, 3]).numpy()
    array([False,  True])
    """
    return tf.not_equal(x, y)


@operation
def greater(x: Tensor, y: Tensor) -> Tensor:
    """x > y, element by element: a boolean tensor.

    >>> greater([1, 2], [1, 1]).numpy()
    array([False,  True])
    """
    return tf.greater(x, y)


@operation
def greater_equal(x: Tensor, y: Tensor) -> Tensor:
    """x ≥ y, element by element: a boolean tensor.

    >>> greater_equal([1, 2], [1, 3]).numpy()
    array([ True, False])
    """
    return tf.greater_equal(x, y)


@operation
def less(x: Tensor, y: Tensor) -> Tensor:
    """x < y, element by element: a boolean tensor.

    >>> less([1, 2], [1, 3]).numpy()
    array([False,  True])
    """
    return tf.less(x, y)


@operation
def less_equal(x: Tensor, y: Tensor) -> Tensor:
    """x ≤ y, element by element: a boolean tensor.

    >>> less_equal([1, 2], [1, 1]).numpy()
    array([ True, False])
    """
    return tf.less_equal(x, y)


@operation
def maximum(x: Tensor, y: Tensor) -> Tensor:
    """The greater of x and y, element by element.

    >>> maximum([1.0, 5.0], [2.0, 4.0]).numpy()
    array([2., 5.], dtype=float32)
    """
    return tf.maximum(x, y)


@operation
def minimum(x: Tensor, y: Tensor) -> Tensor:
    """The smaller of x and y, element by element.

    >>> minimum([1.0, 5.0], [2.0, 4.0]).numpy()
    array([1., 4.], dtype=float32)
    """
    return tf.minimum(x, y)
