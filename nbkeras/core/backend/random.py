"""Random numbers that repeat: the same from one seed, whichever executor runs.

Numbers are made of the bits of a counter-based generator, Philox (Salmon et al.,
SC 2011), keyed with two numbers from :func:`.symbolic.next_seed`. TensorFlow's own
distributions turn these bits into numbers in one way when compiled by XLA and in
another when not; here one formula does it everywhere.

Decisions (which elements a dropout drops) are made of a hash of the element's
position instead: three rounds of xor, shift and multiply on 32 bits, keyed with the
same two numbers. Whole numbers agree to the bit everywhere, and XLA computes them
seven times faster than Philox, which took most of a small model's step. Counts, pairs
of neighbours, of steps and of operations pass chi-squared tests.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ..config import floatx
from ._typing import DType, Shape, Tensor
from .symbolic import next_seed, operation
from .variables import make_variable

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
    if not isinstance(shape, tf.Tensor):
        # Left to the operation, this would take longer than its numbers.
        shape = tf.convert_to_tensor(tuple(shape), tf.int32)
    counter = tf.constant([0, 0], tf.uint64)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, key=key, counter=counter, alg=_PHILOX, dtype=dtype
    )


_ROUNDS = ((17, 0xED5AD4BB), (11, 0xAC4C1B51), (15, 0x31848BAB))
"""Shifts and factors of a hash without measurable bias (C. Wellons, triple32, 2018)."""

_KEY_FACTORS = (0x165667B1, 0x85EBCA6B)
"""They keep the counters of operations apart (16 million elements for a hundred operations,
whose keys a golden-ratio walk spreads) and the steps from differing in a few low bits."""


def _hashed(shape: Shape, seed: Any) -> Tensor:
    """32 random bits an element: a hash of its position, the key between its rounds."""
    if isinstance(seed, tuple):
        keys = [
            tf.constant(k * f % 2**32, tf.uint32) for k, f in zip(seed, _KEY_FACTORS, strict=True)
        ]
    else:
        pair = tf.bitcast(seed, tf.uint32) * tf.constant(_KEY_FACTORS, tf.uint32)
        keys = [pair[0], pair[1]]
    x = _positions(shape, keys[0])
    for number, (shift, factor) in enumerate(_ROUNDS):
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, shift))
        x = tf.multiply(x, tf.constant(factor, tf.uint32))
        if number == 0:
            x = tf.bitwise.bitwise_xor(x, keys[1])
    return x  # its high bits: a last xor and shift would only change the low ones


def _positions(shape: Shape, start: Tensor) -> Tensor:
    """start, start + 1, ... in a shape.

    The numbers within a row are a constant of the graph where only the rows are not known.
    """
    if isinstance(shape, tf.Tensor) or len(shape) == 0:
        count = tf.cast(tf.range(tf.reduce_prod(tf.convert_to_tensor(shape, tf.int32))), tf.uint32)
        return tf.reshape(count + start, shape)
    rows, *sizes = shape
    known = all(isinstance(size, int) for size in sizes)
    row = math.prod(sizes) if known else tf.reduce_prod(tf.stack(sizes))
    starts = tf.cast(tf.range(rows) * row, tf.uint32) + start
    positions = tf.expand_dims(starts, 1) + tf.cast(tf.range(row), tf.uint32)
    return positions if len(sizes) == 1 else tf.reshape(positions, shape)


def _whole(shape: Shape, seed: Any, dtype: tf.DType) -> Tensor:
    """Whole numbers from 0 up to 2ᵈ, d the binary digits of a float type, in that type."""
    kind = tf.uint64 if dtype == tf.float64 else tf.uint32
    unused = 8 * kind.size - _DIGITS[dtype.name]
    return tf.cast(tf.bitwise.right_shift(_bits(shape, seed, kind), unused), dtype)


def _symmetric(shape: Shape, seed: Any, dtype: tf.DType) -> Tensor:
    """Uniform in (−1, 1), the ends left out: (2 i + 1) / 2ᵈ − 1, without rounding."""
    step = 2.0 ** -_DIGITS[dtype.name]
    return tf.subtract(tf.multiply(_whole(shape, seed, dtype), 2.0 * step), 1.0 - step)


def _scaled(x: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """factor · x + offset, without what changes nothing."""
    if not (isinstance(factor, int | float) and factor == 1):
        x = tf.multiply(x, factor)
    if not (isinstance(offset, int | float) and offset == 0):
        x = tf.add(x, offset)
    return x


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
    step = 2.0 ** -_DIGITS[kind.name]
    return _scaled(_whole(shape, next_seed(seed), kind), step * (maxval - minval), minval)


@operation
def random_normal(
    shape: Shape,
    mean: Tensor = 0.0,
    stddev: Tensor = 1.0,
    dtype: DType = None,
    seed: int | None = None,
) -> Tensor:
    """Normally distributed numbers: mean + stddev · √2 erf⁻¹(u), u uniform in (−1, 1).

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
    numbers = tf.math.erfinv(_symmetric(shape, next_seed(seed), _computed_in(kind)))
    return _scaled(_cast(numbers, kind), math.sqrt(2.0) * stddev, mean)


@operation
def truncated_normal(
    shape: Shape,
    mean: Tensor = 0.0,
    stddev: Tensor = 1.0,
    dtype: DType = None,
    seed: int | None = None,
) -> Tensor:
    """Normally distributed numbers, none more than two standard deviations off the mean.

    mean + stddev · √2 erf⁻¹(u), u uniform between −erf √2 and erf √2.

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
    u = _symmetric(shape, next_seed(seed), _computed_in(kind)) * math.erf(math.sqrt(2.0))
    # Rounding may lead beyond the end.
    numbers = tf.clip_by_value(math.sqrt(2.0) * tf.math.erfinv(u), -2.0, 2.0)
    return _scaled(_cast(numbers, kind), stddev, mean)


@operation
def random_binomial(
    shape: Shape, p: Tensor = 0.0, dtype: DType = None, seed: int | None = None
) -> Tensor:
    """1 with probability p, else 0.

    >>> random_binomial((3,), p=1.0).numpy()
    array([1., 1., 1.], dtype=float32)
    """
    return tf.cast(_chosen(shape, next_seed(seed), p), dtype or floatx())


def _chosen(shape: Shape, seed: Any, share: Tensor) -> Tensor:
    """True with a probability, to within 2⁻²⁴."""
    if isinstance(share, int | float):
        limit = tf.constant(math.ceil(share * 2**24), tf.uint32)
    else:
        limit = tf.cast(tf.math.ceil(tf.cast(share, tf.float32) * 2.0**24), tf.uint32)
    return tf.bitwise.right_shift(_hashed(shape, seed), 8) < limit


def _cast(x: Tensor, dtype: tf.DType) -> Tensor:
    return x if x.dtype == dtype else tf.cast(x, dtype)


@operation
def dropout(x: Tensor, level: Tensor, noise_shape: Shape = None, seed: int | None = None) -> Tensor:
    """0 where u < level, x / (1 − level) elsewhere, u uniform in [0, 1).

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
    dropped = _chosen(_noise_shape(x, noise_shape), next_seed(seed), level)
    if isinstance(level, int | float):
        scale = 1.0 / (1.0 - level) if level < 1 else 0.0
    else:
        scale = tf.math.divide_no_nan(1.0, 1.0 - tf.cast(level, tf.float32))
        scale = tf.cast(scale, x.dtype)
    return tf.where(dropped, tf.zeros((), x.dtype), tf.multiply(x, scale))


def _noise_shape(x: Tensor, noise_shape: Shape) -> Shape:
    if isinstance(noise_shape, tf.Tensor):
        return noise_shape
    if noise_shape is None:
        if x.shape.rank is None:
            return tf.shape(x)
        noise_shape = [None] * x.shape.rank
    return [_size(x, axis) if n is None else n for axis, n in enumerate(noise_shape)]


def _size(x: Tensor, axis: int) -> Any:
    known = x.shape[axis]
    return tf.shape(x)[axis] if known is None else known


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
    return make_variable(random_uniform(shape, low, high, dtype, seed), name)


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
    return make_variable(random_normal(shape, mean, scale, dtype, seed), name)
