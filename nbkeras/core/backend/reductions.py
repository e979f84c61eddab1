"""Sums, means, extremes and the like along axes.

The names shadow Python's own (``sum``, ``max``, ``any``, ...) as in Keras 2;
nothing here uses the built-in ones.
"""

from __future__ import annotations

import tensorflow as tf

from ..config import floatx
from ._typing import Axis, Tensor
from .symbolic import operation

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


# ---------------------------------------------------------------- to fewer elements


@operation
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x along axes (all of them by default).

    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
    array([4., 6.], dtype=float32)
    """
    return tf.reduce_sum(x, axis, keepdims)


@operation
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Π x along axes.

    >>> prod([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
    array([ 2., 12.], dtype=float32)
    """
    return tf.reduce_prod(x, axis, keepdims)


@operation
def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The greatest element along axes.

    >>> max([[1.0, 2.0], [3.0, 4.0]], axis=1, keepdims=True).shape
    TensorShape([2, 1])
    """
    return tf.reduce_max(x, axis, keepdims)


@operation
def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element along axes.

    >>> float(min([[1.0, 2.0], [3.0, 4.0]]))
    1.0
    """
    return tf.reduce_min(x, axis, keepdims)


@operation
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x / n along axes; of booleans, the share of true ones.

    >>> float(mean([True, True, False, False]))
    0.5
    """
    return tf.reduce_mean(_as_float(x), axis, keepdims)


@operation
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ (x − mean x)² / n along axes.

    >>> float(var([1.0, 3.0]))
    1.0
    """
    return tf.math.reduce_variance(_as_float(x), axis, keepdims)


@operation
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """√var(x) along axes.

    >>> float(std([1.0, 5.0]))
    2.0
    """
    return tf.math.reduce_std(_as_float(x), axis, keepdims)


@operation
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """ln Σ eˣ along axes, computed as m + ln Σ eˣ⁻ᵐ with m = max x, so it cannot overflow.

    >>> float(logsumexp([1000.0])), float(logsumexp([-1000.0]))
    (1000.0, -1000.0)
    """
    return tf.reduce_logsumexp(x, axis, keepdims)


@operation
def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element along axes is not zero: a boolean tensor.

    >>> any([[0, 1], [0, 0]], axis=1).numpy()
    array([ True, False])
    """
    return tf.reduce_any(tf.cast(x, tf.bool), axis, keepdims)


@operation
def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements along axes are not zero: a boolean tensor.

    >>> all([[0, 1], [2, 3]], axis=1).numpy()
    array([False,  True])
    """
    return tf.reduce_all(tf.cast(x, tf.bool), axis, keepdims)


def _as_float(x: Tensor) -> Tensor:
    """Booleans become numbers, so that their mean is a share."""
    if not hasattr(x, "dtype"):
        x = tf.convert_to_tensor(x)
    return tf.cast(x, floatx()) if x.dtype == tf.bool else x


# ---------------------------------------------------------------- along one axis


@operation
def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """Where along an axis the greatest element stands (the first of equals), as int64.

    >>> argmax([[1.0, 9.0, 2.0]]).numpy()
    array([1])
    """
    return tf.argmax(x, axis)


@operation
def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """Where along an axis the smallest element stands (the first of equals), as int64.

    >>> argmin([[1.0, 9.0, 2.0]]).numpy()
    array([0])
    """
    return tf.argmin(x, axis)


@operation
def cumsum(x: Tensor, axis: int = 0) -> Tensor:
    """yᵢ = x₀ + … + xᵢ along an axis.

    >>> cumsum([1.0, 2.0, 3.0]).numpy()
    array([1., 3., 6.], dtype=float32)
    """
    return tf.cumsum(x, axis)


@operation
def cumprod(x: Tensor, axis: int = 0) -> Tensor:
    """yᵢ = x₀ · … · xᵢ along an axis.

    >>> cumprod([1.0, 2.0, 3.0]).numpy()
    array([1., 2., 6.], dtype=float32)
    """
    return tf.math.cumprod(x, axis)
