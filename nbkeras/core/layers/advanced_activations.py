"""Activations with weights or options (Keras 2 manual, chapter 5.9)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import activations, registry
from .. import backend as K
from ..engine.layer import InputSpec, Layer
from .arguments import keep

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]


class ElementWise(Layer):
    """What layers that leave shape and mask alone share."""

    supports_masking = True
    declares_output = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def number(self, name: str, value: Any, least: float = 0.0) -> float:
        """A number that is not below ``least``.

        Raises:
            ValueError: it is none.
        """
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not number >= least:
            kind = type(self).__name__
            raise ValueError(
                f"{kind}: {name} is a number of {least:g} or more, as in {kind}({name}=0.3); got "
                f"{value!r}."
            )
        return number


@registry.register("layer")
class LeakyReLU(ElementWise):
    r"""A leaky rectifier: :math:`x` for :math:`x \ge 0`, else :math:`\alpha x`.

    Args:
        alpha: the slope below 0, at least 0.

    Raises:
        ValueError: the slope is none.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(LeakyReLU(0.5)(K.constant([-2.0, 3.0]))).tolist()
    [-1.0, 3.0]

    Source: Maas, Hannun, Ng 2013, Rectifier nonlinearities improve neural network acoustic
    models; Keras 2 manual, chapter 5.9.
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = self.number("alpha", alpha)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.alpha)


@registry.register("layer")
class PReLU(ElementWise):
    r"""A rectifier that learns its slopes: :math:`x` for :math:`x \ge 0`, else :math:`\alpha x`.

    Args:
        alpha_initializer: how :math:`\alpha` starts.
        alpha_regularizer: penalty on :math:`\alpha`.
        alpha_constraint: constraint on :math:`\alpha`.
        shared_axes: axes along which one slope serves all; for one slope a channel of an image,
            ``[1, 2]``.

    Shapes: any; :math:`\alpha` has the shape of a sample, with 1 on the shared axes.

    Raises:
        ValueError: a size is not known and not shared.

    >>> from nbkeras.core.layers import Input
    >>> layer = PReLU(shared_axes=[1, 2])
    >>> layer(Input((7, 7, 3))).shape, layer.alpha.shape
    (TensorShape([None, 7, 7, 3]), TensorShape([1, 1, 3]))

    Source: He et al. 2015, arXiv:1502.01852; Keras 2 manual, chapter 5.9.
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep(self, locals())
        if shared_axes is not None:
            listed = shared_axes if isinstance(shared_axes, list | tuple) else [shared_axes]
            self.shared_axes = list(listed)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        shared = {axis % rank for axis in self.shared_axes or ()}
        shape = [1 if axis in shared else input_shape[axis] for axis in range(1, rank)]
        if None in shape:
            raise ValueError(
                f"Layer {self.name!r} (PReLU) has a slope for each number of a sample, so it needs "
                f"to know their count; got shape {tuple(input_shape)}. Share the slopes along the "
                f"unknown axes: PReLU(shared_axes={[shape.index(None) + 1]})."
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        sizes = {a: input_shape[a] for a in range(1, rank) if a not in shared}
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return tf.nn.relu(inputs) - self.alpha * tf.nn.relu(-inputs)


@registry.register("layer")
class ELU(ElementWise):
    r"""An exponential linear unit: :math:`x` for :math:`x \ge 0`, else :math:`\alpha (e^x - 1)`.

    Args:
        alpha: how far down it goes.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(ELU()(K.constant([-100.0, 3.0]))).tolist()
    [-1.0, 3.0]

    Source: Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289; Keras 2 manual, chapter 5.9.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = self.number("alpha", alpha)

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, self.alpha)


@registry.register("layer")
class ThresholdedReLU(ElementWise):
    r"""A rectifier with a threshold: :math:`x` for :math:`x > \theta`, else 0.

    Args:
        theta: the threshold, at least 0.

    Raises:
        ValueError: the threshold is none.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(ThresholdedReLU(1.0)(K.constant([0.5, 3.0]))).tolist()
    [0.0, 3.0]

    Source: Konda, Memisevic, Krueger 2015, arXiv:1402.3337; Keras 2 manual, chapter 5.9.
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = self.number("theta", theta)

    def call(self, inputs: Any) -> Any:
        return inputs * tf.cast(inputs > self.theta, inputs.dtype)


@registry.register("layer")
class Softmax(ElementWise):
    r"""Positive numbers that sum to 1: :math:`e^{x_i} / \sum_j e^{x_j}`.

    Args:
        axis: the axis along which they do.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Softmax()(K.constant([[0.0, 0.0]]))).tolist()
    [[0.5, 0.5]]

    Source: Keras 2 manual, chapter 5.9.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return activations.softmax(inputs, axis=self.axis)


@registry.register("layer")
class ReLU(ElementWise):
    r"""A rectifier with options.

    :math:`\max` for :math:`x \ge \max`, :math:`x` from the threshold up to there, and
    ``negative_slope * (x - threshold)`` below.

    Args:
        max_value: where it stops, if anywhere.
        negative_slope: the slope below the threshold, at least 0.
        threshold: where it begins.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(ReLU(max_value=6.0)(K.constant([-1.0, 3.0, 9.0]))).tolist()
    [0.0, 3.0, 6.0]

    Source: Keras 2 manual, chapters 5.9 and 10.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else self.number("max_value", max_value)
        self.negative_slope = self.number("negative_slope", negative_slope)
        self.threshold = self.number("threshold", threshold)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, self.negative_slope, self.max_value, self.threshold)
