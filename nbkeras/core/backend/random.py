"""Random numbers that repeat: the same from one seed, whichever executor runs.

Everything here is made of the bits of one counter-based generator, Philox
(Salmon et al., SC 2011), keyed with two numbers from :func:`.symbolic.next_seed`.
TensorFlow's own distributions turn these bits into numbers in one way when
compiled by XLA and in another when not; here one formula does it everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ..config import floatx
from ._typing import DType, Shape, Tensor
from .symbolic import next_seed, operation

__all__ = [
    "dropout",
    "random_binomial",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "truncated_normal",
]

_PHILOX = 1
_DIGITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}
"""Binary digits that a number in [0, 1) has in each type."""


# ---------------------------------------------------------------- bits


def _bits(shape: Shape, seed: Any, dtype: tf.DType) -> Tensor:
    """Random whole numbers of all bit patterns."""
    if isinstance(seed, tuple):
        key = tf.constant([seed[0] + (seed[1] << 32)], tf.uint64)
    else:
        key = tf.reshape(tf.bitcast(seed, tf.uint64), (1,))
    counter = tf.zeros((2,), tf.uint64)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, key=key, counter=counter, alg=_PHILOX, dtype=dtype
    )


def _unit(shape: Shape, seed: Any, dtype: tf.DType, offset: float = 0.0) -> Tensor:
    """Uniform on the grid (i + offset) / 2ᵈ in [0, 1), d the digits the type has."""
    digits = _DIGITS[dtype.name]
    kind = tf.uint64 if dtype == tf.float64 else tf.uint32
    unused = tf.constant(8 * kind.size - digits, kind)
    bits = tf.bitwise.right_shift(_bits(shape, seed, kind), unused)
    return (tf.cast(bits, dtype) + offset) * 2.0**-digits


def _quantile(p: Tensor) -> Tensor:
    """The standard normal quantile Φ⁻¹(p) = √2 erf⁻¹(2p − 1)."""
    return math.sqrt(2.0) * tf.math.erfinv(2.0 * p - 1.0)


def _computed_in(dtype: tf.DType) -> tf.DType:
    """Quantiles of 16-bit numbers are computed in 32 bits, or their tails are lost."""
    return tf.float32 if dtype.size < 4 else dtype


# ---------------------------------------------------------------- distributions


@operation
def random_uniform(
    shape: Shape,
    minval: Tensor = 0.0,
    maxval: Tensor = 1.0,
    dtype: DType = None,
    seed: int | None = None,
) -> Tensor:
    """Numbers uniform in [minval, maxval).

    Args:
        shape: sizes.
        minval: the lower end.
        maxval: the upper end, left out.
        dtype: a float or integer type, by default :func:`floatx`.
        seed: a whole number that makes them repeat.

    >>> x = random_uniform((2, 3), seed=1)
    >>> bool(tf.reduce_all(x == random_uniform((2, 3), seed=1)))
    True
    """
    kind = tf.as_dtype(dtype or floatx())
    if kind.is_integer:
        size = tf.cast(maxval, tf.int64) - tf.cast(minval, tf.int64)
        chosen = _bits(shape, next_seed(seed), tf.uint64) % tf.cast(size, tf.uint64)
        return tf.cast(tf.cast(minval, tf.int64) + tf.cast(chosen, tf.int64), kind)
    return _unit(shape, next_seed(seed), kind) * (maxval - minval) + minval


@operation
def random_normal(
    shape: Shape,
    mean: Tensor = 0.0,
    stddev: Tensor = 1.0,
    dtype: DType = None,
    seed: int | None = None,
) -> Tensor:
    """Normally distributed numbers: mean + stddev · Φ⁻¹(u), u uniform in (0, 1).

    Args:
        shape: sizes.
        mean: μ.
        stddev: σ.
        dtype: a float type, by default :func:`floatx`.
        seed: a whole number that makes them repeat.

    >>> random_normal((2, 3), mean=5.0).shape
    TensorShape([2, 3])
    """
    kind = tf.as_dtype(dtype or floatx())
    # Half a step off the grid, so that u is never 0.
    u = _unit(shape, next_seed(seed), _computed_in(kind), offset=0.5)
    return tf.cast(_quantile(u), kind) * stddev + mean


@operation
def truncated_normal(
    shape: Shape,
    mean: Tensor = 0.0,
    stddev: Tensor = 1.0,
    dtype: DType = None,
    seed: int | None = None,
) -> Tensor:
    """Normally distributed numbers, none more than two standard deviations off the mean.

    mean + stddev · Φ⁻¹(u), u uniform between Φ(−2) and Φ(2).

    Args:
        shape: sizes.
        mean: μ.
        stddev: σ before truncation.
        dtype: a float type, by default :func:`floatx`.
        seed: a whole number that makes them repeat.

    >>> float(tf.reduce_max(tf.abs(truncated_normal((100,))))) <= 2.0
    True
    """
    kind = tf.as_dtype(dtype or floatx())
    within = math.erf(2.0 / math.sqrt(2.0))  # Φ(2) − Φ(−2)
    u = _unit(shape, next_seed(seed), _computed_in(kind), offset=0.5)
    numbers = _quantile(0.5 + (u - 0.5) * within)
    return tf.cast(tf.clip_by_value(numbers, -2.0, 2.0), kind) * stddev + mean


@operation
def random_binomial(
    shape: Shape, p: Tensor = 0.0, dtype: DType = None, seed: int | None = None
) -> Tensor:
    """1 with probability p, else 0.

    >>> random_binomial((3,), p=1.0).numpy()
    array([1., 1., 1.], dtype=float32)
    """
    return tf.cast(_unit(shape, next_seed(seed), tf.float32) < p, dtype or floatx())


@operation
def dropout(x: Tensor, level: Tensor, noise_shape: Shape = None, seed: int | None = None) -> Tensor:
    """x / (1 − level) where u ≥ level, else 0, u uniform in [0, 1).

    Args:
        x: a tensor.
        level: the share of elements that become 0, a number or a tensor.
        noise_shape: the shape of u, which broadcasts to that of x; ``None`` in it
            stands for x's own size.
        seed: a whole number that makes them repeat.

    Raises:
        ValueError: the level is a number outside [0, 1].

    >>> sorted(set(dropout(tf.ones((100,)), 0.5, seed=1).numpy()))
    [np.float32(0.0), np.float32(2.0)]

    Source: Srivastava et al. 2014, JMLR 15.
    """
    if isinstance(level, int | float) and not 0 <= level <= 1:
        raise ValueError(f"A dropout level is a share from 0 to 1, as in 0.5; got {level!r}.")
    x = tf.convert_to_tensor(x)
    u = _unit(_noise_shape(x, noise_shape), next_seed(seed), tf.float32)
    if isinstance(level, int | float):
        kept = x * (1.0 / (1.0 - level) if level < 1 else 0.0)
    else:
        scale = tf.math.divide_no_nan(1.0, 1.0 - tf.cast(level, tf.float32))
        kept = x * tf.cast(scale, x.dtype)
    return tf.where(u >= tf.cast(level, tf.float32), kept, tf.zeros((), x.dtype))


def _noise_shape(x: Tensor, noise_shape: Shape) -> Shape:
    if noise_shape is None:
        return x.shape if x.shape.is_fully_defined() else tf.shape(x)
    if isinstance(noise_shape, tuple | list) and None in noise_shape:
        sizes = tf.shape(x)
        return [sizes[axis] if n is None else n for axis, n in enumerate(noise_shape)]
    return noise_shape


# ---------------------------------------------------------------- variables


def random_uniform_variable(
    shape: Shape,
    low: float,
    high: float,
    dtype: DType = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """A variable filled with numbers uniform in [low, high).

    >>> random_uniform_variable((2, 3), 0, 1).shape
    TensorShape([2, 3])
    """
    return tf.Variable(random_uniform(shape, low, high, dtype, seed), name=name)


def random_normal_variable(
    shape: Shape,
    mean: float,
    scale: float,
    dtype: DType = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """A variable filled with normally distributed numbers.

    >>> random_normal_variable((2, 3), 0, 1).shape
    TensorShape([2, 3])
    """
    return tf.Variable(random_normal(shape, mean, scale, dtype, seed), name=name)
