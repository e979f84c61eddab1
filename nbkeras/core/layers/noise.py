"""Noise while training (Keras 2 manual, chapter 5.11)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorflow as tf

from .. import backend as K
from .. import registry
from ..engine.layer import Layer
from .rates import Rate

__all__ = ["AlphaDropout", "GaussianDropout", "GaussianNoise"]

# The parameters of SELU, and where it saturates: -scale * alpha.
_SATURATION = -1.0507009873554805 * 1.6732632423543772


class Noise(Layer):
    """What layers that do something while training, and nothing otherwise, share."""

    supports_masking = True
    declares_output = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        return K.in_train_phase(lambda: self.noised(inputs), inputs, training=training)

    def noised(self, inputs: Any) -> Any:
        """The inputs with noise."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@registry.register("layer")
class GaussianNoise(Noise):
    r"""Adds normally distributed noise while training, :math:`x + \mathcal{N}(0, \sigma^2)`.

    Args:
        stddev: its deviation :math:`\sigma`; it may be moved while training.

    Raises:
        ValueError: the deviation is below 0.

    >>> from nbkeras.core.layers import Input
    >>> GaussianNoise(0.1)(Input((3,))).shape
    TensorShape([None, 3])

    Source: Keras 2 manual, chapter 5.11.
    """

    steerable: ClassVar = {"stddev": (0.0, 1.0, "linear")}
    stddev = Rate(below=math.inf)

    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev

    def noised(self, inputs: Any) -> Any:
        noise = K.random_normal(tf.shape(inputs), dtype=inputs.dtype)
        return inputs + noise * tf.cast(Rate.tensor(self, "stddev"), inputs.dtype)


@registry.register("layer")
class GaussianDropout(Noise):
    r"""Multiplies by normal noise while training, :math:`x\,\mathcal{N}(1, r / (1 - r))`.

    Args:
        rate: :math:`r`, so that the noise has the variance of :class:`Dropout`'s at that rate;
            at least 0 and below 1. It may be moved while training.

    Raises:
        ValueError: the rate is out of range.

    >>> from nbkeras.core.layers import Input
    >>> GaussianDropout(0.1)(Input((3,))).shape
    TensorShape([None, 3])

    Source: Srivastava et al. 2014, JMLR 15; Keras 2 manual, chapter 5.11.
    """

    steerable: ClassVar = {"rate": (0.0, 0.95, "linear")}
    rate = Rate()

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def noised(self, inputs: Any) -> Any:
        rate = tf.cast(Rate.tensor(self, "rate"), inputs.dtype)
        noise = K.random_normal(tf.shape(inputs), dtype=inputs.dtype)
        return inputs * (1.0 + noise * tf.sqrt(rate / (1.0 - rate)))


@registry.register("layer")
class AlphaDropout(Noise):
    r"""Sets numbers to where SELU saturates, and keeps mean and variance as they were.

    .. math:: y = a (m x + (1 - m) \alpha') + b, \quad m \sim \text{Bernoulli}(1 - r)

    with :math:`\alpha'` SELU's limit, :math:`a = ((1 - r)(1 + r \alpha'^2))^{-1/2}` and
    :math:`b = -a\, r\, \alpha'`.

    Args:
        rate: the share :math:`r`, at least 0 and below 1; it may be moved while training.
        noise_shape: shape of the mask, with 1 (or ``None`` for the input's own size) where one
            decision serves a whole axis.
        seed: repeats the masks by itself.

    Raises:
        ValueError: the rate is out of range.

    >>> from nbkeras.core.layers import Input
    >>> AlphaDropout(0.1)(Input((3,))).shape
    TensorShape([None, 3])

    Source: Klambauer et al. 2017, arXiv:1706.02515; Keras 2 manual, chapter 5.11.
    """

    steerable: ClassVar = {"rate": (0.0, 0.95, "linear")}
    rate = Rate()

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def noised(self, inputs: Any) -> Any:
        rate = tf.cast(Rate.tensor(self, "rate"), inputs.dtype)
        sizes = tf.shape(inputs)
        if self.noise_shape is not None:
            sizes = [sizes[i] if n is None else n for i, n in enumerate(self.noise_shape)]
        kept = K.random_uniform(sizes, dtype=inputs.dtype, seed=self.seed) >= rate
        scale = tf.math.rsqrt((1.0 - rate) * (1.0 + rate * _SATURATION**2))
        dropped = tf.where(kept, inputs, tf.constant(_SATURATION, inputs.dtype))
        return scale * dropped - scale * rate * _SATURATION
