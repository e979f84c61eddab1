"""Normalization (Keras 2 manual, chapter 5.10)."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .. import backend as K
from .. import registry
from ..engine.layer import InputSpec, Layer
from .arguments import keep

__all__ = ["BatchNormalization"]


@registry.register("layer")
class BatchNormalization(Layer):
    r"""Brings each channel of a batch to mean 0 and deviation 1, then scales and shifts it.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    While training, :math:`\mu` and :math:`\sigma^2` are those of the batch, and the moving
    statistics follow them, :math:`m \leftarrow p\,m + (1 - p)\,\mu` with the momentum :math:`p`.
    Otherwise the moving statistics take their place. What the moving variance follows is
    :math:`\sum (x - \mu)^2 / (n - 1)` for images and volumes with channels on axis 1 or last,
    as their kernels compute it, and with :math:`n` in place of :math:`n - 1` elsewhere.

    A frozen layer (``trainable=False``) normalizes by the moving statistics and leaves them
    alone, in training as well.

    Args:
        axis: the axis of the channels.
        momentum: how slowly the moving statistics follow, :math:`p`.
        epsilon: added to the variance.
        center: whether there is a :math:`\beta`.
        scale: whether there is a :math:`\gamma`; the next layer can do its work if it is linear.
        beta_initializer: how :math:`\beta` starts.
        gamma_initializer: how :math:`\gamma` starts.
        moving_mean_initializer: how the moving mean starts.
        moving_variance_initializer: how the moving variance starts.
        beta_regularizer: penalty on :math:`\beta`.
        gamma_regularizer: penalty on :math:`\gamma`.
        beta_constraint: constraint on :math:`\beta`.
        gamma_constraint: constraint on :math:`\gamma`.

    Shapes: any; the output is like the input. Weights: gamma, beta, moving_mean, moving_variance.

    Raises:
        ValueError: the size of the axis is not known.

    >>> from nbkeras.core import backend as K
    >>> layer = BatchNormalization()
    >>> K.get_value(layer(K.constant([[1.0], [3.0]]), training=True)).round(2).ravel().tolist()
    [-1.0, 1.0]
    >>> print(K.get_value(layer.moving_mean))
    [0.02]

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167; Keras 2 manual, chapters 5.10 and 3.3.14.
    """

    supports_masking = True
    declares_output = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep(self, locals())
        # tf_keras writes the axis of its configurations as a list.
        self.axis = int(axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization) has axis={self.axis}, which is no axis "
                f"of channels in an input of shape {tuple(input_shape)}. The last axis is axis=-1."
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization) needs to know the size of axis "
                f"{self.axis} of its input; got shape {tuple(input_shape)}. Give the first layer "
                "an input_shape whose channels are a number, or choose another axis."
            )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})
        self.gamma = self._add("gamma", channels) if self.scale else None
        self.beta = self._add("beta", channels) if self.center else None
        self.moving_mean = self._add("moving_mean", channels, trainable=False)
        self.moving_variance = self._add("moving_variance", channels, trainable=False)
        super().build(input_shape)

    def _add(self, name: str, channels: int, trainable: bool = True) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=(channels,),
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer", None),
            constraint=getattr(self, f"{name}_constraint", None),
            trainable=trainable,
        )

    # ---------------------------------------------------------------- computation

    def call(self, inputs: Any, training: Any = None) -> Any:
        if self.is_frozen():
            return self._by_moving_statistics(inputs)
        return K.in_train_phase(
            lambda: self._by_batch(inputs),
            lambda: self._by_moving_statistics(inputs),
            training=training,
        )

    def _by_moving_statistics(self, inputs: Any) -> Any:
        inverse = tf.math.rsqrt(self.moving_variance + self.epsilon)
        if self.gamma is not None:
            inverse *= self.gamma
        shift = -self.moving_mean * inverse
        if self.beta is not None:
            shift += self.beta
        axis = self.axis % inputs.shape.rank
        return inputs * _along(axis, inverse, inputs) + _along(axis, shift, inputs)

    def _by_batch(self, inputs: Any) -> Any:
        axis, rank = self.axis % inputs.shape.rank, inputs.shape.rank
        others = [a for a in range(rank) if a != axis]
        if rank == 2 and axis == 1:
            outputs, mean, variance = self._plain(inputs, others)
        else:
            # The fused kernel knows images with channels last, of any number of rows.
            moved = inputs if axis == rank - 1 else tf.transpose(inputs, [*others, axis])
            outputs, mean, variance = self._fused(moved, axis in (1, rank - 1) and rank in (4, 5))
            if axis != rank - 1:
                outputs = tf.transpose(outputs, np.argsort([*others, axis]))
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance)
        return outputs

    def _plain(self, inputs: Any, axes: list[int]) -> tuple[Any, Any, Any]:
        mean, variance = tf.nn.moments(inputs, axes)
        outputs = tf.nn.batch_normalization(
            inputs, mean, variance, self.beta, self.gamma, self.epsilon
        )
        return outputs, mean, variance

    def _fused(self, inputs: Any, unbiased: bool) -> tuple[Any, Any, Any]:
        """In one pass over the numbers; the kernel's variance is Σ (x - μ)² / (n - 1)."""
        channels = inputs.shape[-1]
        image = tf.reshape(inputs, (-1, 1, 1, channels))
        if inputs.dtype == tf.float64:  # the kernel does not know it
            outputs, mean, variance = self._plain(image, [0, 1, 2])
            count = tf.cast(tf.shape(image)[0], variance.dtype)
            variance *= count / tf.maximum(count - 1.0, 1.0) if unbiased else 1.0
            return tf.reshape(outputs, tf.shape(inputs)), mean, variance
        one, zero = tf.ones((channels,)), tf.zeros((channels,))
        gamma = one if self.gamma is None else tf.cast(self.gamma, tf.float32)
        beta = zero if self.beta is None else tf.cast(self.beta, tf.float32)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=image,
            scale=gamma,
            offset=beta,
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=self.epsilon,
            is_training=True,
        )
        if not unbiased:
            count = tf.cast(tf.shape(image)[0], variance.dtype)
            variance *= (count - 1.0) / count
        return tf.reshape(outputs, tf.shape(inputs)), mean, variance

    def _updates(self) -> list[tuple[tf.Variable, bool]]:
        if self.is_frozen() or not self.built:
            return []
        return [(self.moving_mean, True), (self.moving_variance, True)]

    def _follow(self, moving: tf.Variable, value: Any) -> None:
        moving.assign_sub((moving - tf.cast(value, moving.dtype)) * (1.0 - self.momentum))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def _along(axis: int, vector: Any, inputs: Any) -> Any:
    """A vector in a shape that broadcasts along an axis of the inputs."""
    vector = tf.cast(vector, inputs.dtype)
    return tf.reshape(vector, (-1, *(1,) * (inputs.shape.rank - 1 - axis)))
