"""Initial values of weights (Keras 2 manual, chapter 15).

An initializer is called with a shape and a dtype and returns a tensor. Any function
`f(shape, dtype=None)` may stand where the name of an initializer is expected.

Random ones with a `seed` return the same values whenever they are asked for the
same shape. Without one they draw from NumPy's global generator, so that
`keras.utils.set_random_seed` and `numpy.random.seed` repeat them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.backend.symbolic import next_seed

__all__ = [
    "Constant",
    "Identity",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "one",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "uniform",
    "zero",
    "zeros",
]

Shape = Sequence[int]

# Standard deviation of a standard normal variable cut off at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


# ---------------------------------------------------------------- formulas


def compute_fans(shape: Shape) -> tuple[float, float]:
    """How many inputs and outputs one unit of a kernel has.

    A matrix is `(inputs, outputs)`, a kernel of a convolution
    `(*window, channels, filters)`; every other shape counts as square.

    Example:
        >>> compute_fans((3, 3, 16, 32))
        (144.0, 288.0)
    """
    if len(shape) < 2 or len(shape) > 5:
        side = math.sqrt(math.prod(shape))
        return side, side
    window = math.prod(shape[:-2])
    return float(window * shape[-2]), float(window * shape[-1])


def random_uniform_values(
    shape: Shape, low: float, high: float, dtype: tf.DType, seed: int | None
) -> Any:
    """Uniform between `low` and `high`."""
    draw = _drawn_as(dtype)
    low, high = tf.cast(low, draw), tf.cast(high, draw)
    values = tf.random.stateless_uniform(shape, next_seed(seed), low, high, draw)
    return tf.cast(values, dtype)


def random_normal_values(
    shape: Shape, mean: float, stddev: float, dtype: tf.DType, seed: int | None
) -> Any:
    """Normal with a mean and a standard deviation."""
    draw = _drawn_as(dtype)
    values = tf.random.stateless_normal(
        shape, next_seed(seed), tf.cast(mean, draw), tf.cast(stddev, draw), draw
    )
    return tf.cast(values, dtype)


def truncated_normal_values(
    shape: Shape, mean: float, stddev: float, dtype: tf.DType, seed: int | None
) -> Any:
    """Normal within two standard deviations of the mean.

    z = √2 erf⁻¹(u), u uniform between ±erf(√2): half the time of drawing again what
    lies outside.
    """
    draw = _drawn_as(dtype)
    bound = math.erf(math.sqrt(2.0))
    uniform = tf.random.stateless_uniform(shape, next_seed(seed), -bound, bound, draw)
    values = tf.math.erfinv(uniform) * (math.sqrt(2.0) * stddev) + mean
    # The last bit of erf⁻¹ must not lead outside.
    values = tf.clip_by_value(values, mean - 2 * abs(stddev), mean + 2 * abs(stddev))
    return tf.cast(values, dtype)


def orthogonal_matrix(rows: int, columns: int, dtype: tf.DType, seed: int | None) -> Any:
    """Orthonormal columns (or rows, where there are fewer), uniform over all such matrices.

    The factor Q of `A = QR` with a positive diagonal of R, for normal A: without that
    choice of signs Q would not be uniform (Mezzadri 2007, arXiv:math-ph/0609050).
    """
    tall, wide = max(rows, columns), min(rows, columns)
    normal = tf.random.stateless_normal((tall, wide), next_seed(seed), dtype=_drawn_as(dtype))
    q, r = tf.linalg.qr(normal)
    q *= tf.where(tf.linalg.diag_part(r) < 0, tf.cast(-1, r.dtype), tf.cast(1, r.dtype))
    return tf.cast(q if rows >= columns else tf.transpose(q), dtype)


def _drawn_as(dtype: tf.DType) -> tf.DType:
    """The dtype to draw in: half precision has too few steps between 0 and 1."""
    return tf.float64 if dtype == tf.float64 else tf.float32


# ---------------------------------------------------------------- classes


@registry.base("initializer")
class Initializer(registry.Configurable):
    """Base class: override `__call__(shape, dtype=None)`, which returns a tensor.

    Example:
        >>> class Halves(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return tf.fill(shape, tf.cast(0.5, dtype or 'float32'))
        >>> Halves()((2,)).numpy().tolist()
        [0.5, 0.5]
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """A tensor of the shape.

        Args:
            shape: sizes of the tensor.
            dtype: its dtype; `K.floatx()` if `None`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say which values it gives. Write "
            "`def __call__(self, shape, dtype=None): return K.zeros(shape, dtype)` in it."
        )


@registry.register("initializer", aliases=("zero", "zeros"))
class Zeros(Initializer):
    """All values 0.

    Example:
        >>> Zeros()((2,)).numpy().tolist()
        [0.0, 0.0]
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return tf.zeros(_sizes(shape), _dtype(dtype))


@registry.register("initializer", aliases=("one", "ones"))
class Ones(Initializer):
    """All values 1.

    Example:
        >>> Ones()((2,)).numpy().tolist()
        [1.0, 1.0]
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return tf.ones(_sizes(shape), _dtype(dtype))


@registry.register("initializer", aliases=("constant",))
class Constant(Initializer):
    """All values the same, or the values of an array.

    Args:
        value: a number, or an array of the shape of the weight.

    Example:
        >>> Constant(3)((2,)).numpy().tolist()
        [3.0, 3.0]
    """

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        shape, value = _sizes(shape), np.asarray(self.value)
        try:
            values = np.broadcast_to(value, shape)
        except ValueError:
            raise ValueError(
                f"Constant holds an array of shape {value.shape}, the weight has shape {shape}. "
                "Write Constant(number), or an array of the weight's shape."
            ) from None
        return tf.cast(tf.constant(values), _dtype(dtype))


@registry.register("initializer", aliases=("normal", "random_normal"))
class RandomNormal(Initializer):
    """Normally distributed values.

    Args:
        mean: their mean.
        stddev: their standard deviation.
        seed: an integer that repeats the values, or `None`.

    Example:
        >>> draw = RandomNormal(stddev=0.01, seed=1)
        >>> bool(tf.reduce_all(draw((9,)) == draw((9,))))
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        dtype = _float(dtype, self)
        return random_normal_values(_sizes(shape), self.mean, self.stddev, dtype, self.seed)


@registry.register("initializer", aliases=("uniform", "random_uniform"))
class RandomUniform(Initializer):
    """Uniformly distributed values.

    Args:
        minval: their lower end.
        maxval: their upper end.
        seed: an integer that repeats the values, or `None`.

    Example:
        >>> float(tf.reduce_max(RandomUniform(-2., -1.)((100,)))) < -1
        True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        dtype = _float(dtype, self)
        return random_uniform_values(_sizes(shape), self.minval, self.maxval, dtype, self.seed)


@registry.register("initializer", aliases=("truncated_normal",))
class TruncatedNormal(Initializer):
    """Normally distributed values, none more than two standard deviations from the mean.

    Args:
        mean: mean of the whole normal distribution.
        stddev: its standard deviation, before the tails are cut off.
        seed: an integer that repeats the values, or `None`.

    Example:
        >>> float(tf.reduce_max(TruncatedNormal(stddev=1.)((1000,)))) <= 2
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        dtype = _float(dtype, self)
        return truncated_normal_values(_sizes(shape), self.mean, self.stddev, dtype, self.seed)


@registry.register("initializer")
class VarianceScaling(Initializer):
    """Values with variance `scale / n`, where `n` counts the inputs or outputs of a unit.

    The distributions are a normal one without its tails beyond two standard
    deviations, with `stddev = sqrt(scale / n)` of what remains, or a uniform one on
    `[-limit, limit]` with `limit = sqrt(3 * scale / n)`.

    Args:
        scale: positive factor.
        mode: which `n`: `"fan_in"`, `"fan_out"`, or `"fan_avg"`, their mean.
        distribution: `"normal"` (the same as `"truncated_normal"`), `"uniform"`, or
            `"untruncated_normal"`.
        seed: an integer that repeats the values, or `None`.

    Raises:
        ValueError: if an argument is none of these.

    Example:
        >>> weights = VarianceScaling(3., distribution='uniform')((100, 7))
        >>> 0.25 < float(tf.reduce_max(weights)) < 0.3
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "normal",
        seed: int | None = None,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"scale is a number above 0, as in scale=2.0; got {scale!r}.")
        modes = ("fan_in", "fan_out", "fan_avg")
        distributions = ("normal", "uniform", "truncated_normal", "untruncated_normal")
        self.scale = scale
        self.mode = _one_of("mode", mode, modes)
        self.distribution = _one_of("distribution", distribution, distributions)
        self.seed = seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        shape, dtype = _sizes(shape), _float(dtype, self)
        fan_in, fan_out = compute_fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random_uniform_values(shape, -limit, limit, dtype, self.seed)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return random_normal_values(shape, 0.0, stddev, dtype, self.seed)
        return truncated_normal_values(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype, self.seed)


@registry.register("initializer", aliases=("orthogonal",))
class Orthogonal(Initializer):
    """A random orthogonal matrix; more dimensions are flattened to `(all but the last, last)`.

    Args:
        gain: factor of the matrix.
        seed: an integer that repeats the values, or `None`.

    Example:
        >>> q = Orthogonal()((3, 3))
        >>> bool(tf.reduce_max(tf.abs(tf.transpose(q) @ q - tf.eye(3))) < 1e-5)
        True

    Source: Saxe et al. 2014, arXiv:1312.6120.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self.seed = seed

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        shape, dtype = _sizes(shape), _float(dtype, self)
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal gives weights of 2 or more dimensions; got shape {shape}. "
                "For a vector write initializers.RandomNormal()."
            )
        matrix = orthogonal_matrix(math.prod(shape[:-1]), shape[-1], dtype, self.seed)
        return tf.cast(self.gain, dtype) * tf.reshape(matrix, shape)


@registry.register("initializer", aliases=("identity",))
class Identity(Initializer):
    """The identity matrix times `gain`, for square matrices.

    Args:
        gain: factor of the matrix.

    Example:
        >>> Identity(2)((2, 2)).numpy().tolist()
        [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        shape, dtype = _sizes(shape), _dtype(dtype)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(
                f"Identity gives square matrices such as (64, 64); got shape {shape}. For a "
                "matrix that is not square write initializers.Orthogonal()."
            )
        return tf.cast(self.gain, dtype) * tf.eye(shape[0], dtype=dtype)


# ---------------------------------------------------------------- by the name of their authors


@registry.register("initializer", factory=True, aliases=("LecunUniform",))
def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform on `[-limit, limit]`, `limit = sqrt(3 / fan_in)`.

    Example:
        >>> lecun_uniform().mode
        'fan_in'

    Source: LeCun et al. 1998, "Efficient BackProp".
    """
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


@registry.register("initializer", factory=True, aliases=("GlorotNormal",))
def glorot_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal, `stddev = sqrt(2 / (fan_in + fan_out))`.

    Example:
        >>> glorot_normal().mode
        'fan_avg'

    Source: Glorot and Bengio 2010.
    """
    return VarianceScaling(1.0, "fan_avg", "normal", seed)


@registry.register("initializer", factory=True, aliases=("GlorotUniform",))
def glorot_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform on `[-limit, limit]`, `limit = sqrt(6 / (fan_in + fan_out))`.

    Example:
        >>> glorot_uniform().distribution
        'uniform'

    Source: Glorot and Bengio 2010.
    """
    return VarianceScaling(1.0, "fan_avg", "uniform", seed)


@registry.register("initializer", factory=True, aliases=("HeNormal",))
def he_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal, `stddev = sqrt(2 / fan_in)`.

    Example:
        >>> he_normal().scale
        2.0

    Source: He et al. 2015, arXiv:1502.01852.
    """
    return VarianceScaling(2.0, "fan_in", "normal", seed)


@registry.register("initializer", factory=True, aliases=("LecunNormal",))
def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal, `stddev = sqrt(1 / fan_in)`.

    Example:
        >>> lecun_normal().scale
        1.0

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return VarianceScaling(1.0, "fan_in", "normal", seed)


@registry.register("initializer", factory=True, aliases=("HeUniform",))
def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform on `[-limit, limit]`, `limit = sqrt(6 / fan_in)`.

    Example:
        >>> he_uniform().distribution
        'uniform'

    Source: He et al. 2015, arXiv:1502.01852.
    """
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
identity = Identity
orthogonal = Orthogonal


# ---------------------------------------------------------------- arguments


def _sizes(shape: Shape) -> tuple[int, ...]:
    """A shape as a tuple of integers."""
    sizes = tuple(shape) if not isinstance(shape, int) else (shape,)
    if any(size is None for size in sizes):
        raise ValueError(f"The shape of a weight has known sizes, as in (64, 10); got {sizes}.")
    return tuple(int(size) for size in sizes)


def _dtype(dtype: Any) -> tf.DType:
    return tf.as_dtype(config.floatx() if dtype is None else dtype)


def _float(dtype: Any, initializer: Initializer) -> tf.DType:
    dtype = _dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(
            f"{type(initializer).__name__} draws real numbers, so it cannot give dtype "
            f"{dtype.name}. Write dtype='float32', or initializers.Zeros()."
        )
    return dtype


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    text = value.lower() if isinstance(value, str) else value
    if text not in allowed:
        raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}; got {value!r}.")
    return text


# ---------------------------------------------------------------- by name


def get(identifier: Any) -> Any:
    """The initializer that a name, function or configuration stands for; `None` for `None`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name.

    Example:
        >>> get('he_uniform').get_config()
        {'scale': 2.0, 'mode': 'fan_in', 'distribution': 'uniform', 'seed': None}
    """
    return registry.get("initializer", identifier)


def serialize(initializer: Any) -> Any:
    """The configuration of an initializer.

    Example:
        >>> serialize(zeros())
        {'class_name': 'Zeros', 'config': {}}
    """
    return registry.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that `serialize` wrote down.

    Example:
        >>> deserialize({'class_name': 'Constant', 'config': {'value': 2}}).value
        2
    """
    return registry.deserialize("initializer", config, custom_objects)
