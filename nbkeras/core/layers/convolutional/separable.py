"""Convolutions channel by channel (Keras 2 manual, chapter 5.3)."""

from __future__ import annotations

import warnings
from typing import Any

from ... import backend as K
from ... import registry
from ..arguments import check_count, keep, passed
from .base import Convolution

__all__ = ["DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]


def _pass_over_kernel_arguments(
    layer: Any, kwargs: dict[str, Any], kernels: tuple[str, ...]
) -> None:
    """Keras 2 took arguments of a kernel that there is not, and did nothing with them."""
    for name in ("kernel_initializer", "kernel_regularizer", "kernel_constraint"):
        if kwargs.pop(name, None) is not None:
            kind = name.removeprefix("kernel_")
            instead = ", ".join(f"{kernel}_{kind}=..." for kernel in kernels)
            warnings.warn(
                f"{type(layer).__name__} has no kernel that {name} would be of; it is passed "
                f"over. Write {instead}.",
                UserWarning,
                stacklevel=5,
            )


class SeparableConvolution(Convolution):
    """Each channel by kernels of its own, then a mixture of the results."""

    def __init__(
        self,
        depth_multiplier: int,
        depthwise_initializer: Any,
        pointwise_initializer: Any,
        depthwise_regularizer: Any,
        pointwise_regularizer: Any,
        depthwise_constraint: Any,
        pointwise_constraint: Any,
        **kwargs: Any,
    ) -> None:
        _pass_over_kernel_arguments(self, kwargs, ("depthwise", "pointwise"))
        super().__init__(
            kernel_initializer=None, kernel_regularizer=None, kernel_constraint=None, **kwargs
        )
        keep(self, locals())
        self.depth_multiplier = check_count(self, "depth_multiplier", depth_multiplier)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.add_bias()
        self.built = True

    def convolve(self, inputs: Any) -> Any:
        function = (K.separable_conv1d, K.separable_conv2d)[self.rank - 1]
        return function(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides if self.rank > 1 else self.strides[0],
            self.padding,
            self.data_format,
            self.dilation_rate if self.rank > 1 else self.dilation_rate[0],
        )


@registry.register("layer", aliases=("SeparableConvolution1D",))
class SeparableConv1D(SeparableConvolution):
    """A convolution along time of each channel alone, then one of length 1 that mixes them.

    Args:
        filters: number of output channels.
        kernel_size: steps in a window.
        strides: steps from window to window.
        padding: ``'valid'``, ``'same'`` or ``'causal'``; see :class:`Conv1D`.
        data_format: where the channels are.
        dilation_rate: distance of a window's steps; with 1 for the strides.
        depth_multiplier: kernels for each channel.
        activation: function of the output; none by default.
        use_bias: whether a bias is added.
        depthwise_initializer: how the kernels of the channels start.
        pointwise_initializer: how the mixing kernel starts.
        bias_initializer: how the bias starts.
        depthwise_regularizer: penalty on the kernels of the channels.
        pointwise_regularizer: penalty on the mixing kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        depthwise_constraint: constraint on the kernels of the channels.
        pointwise_constraint: constraint on the mixing kernel.
        bias_constraint: constraint on the bias.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``.

    Raises:
        ValueError: an argument is out of range, or strides and dilation meet.

    >>> from nbkeras.core.layers import Input
    >>> SeparableConv1D(16, 3)(Input((10, 4))).shape
    TensorShape([None, 8, 16])

    Source: Chollet 2017, arXiv:1610.02357.
    """

    rank = 1
    paddings = ("valid", "same", "causal")
    sequence_input = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("SeparableConvolution2D",))
class SeparableConv2D(SeparableConvolution):
    """A convolution of each channel of an image alone, then one of size 1×1 that mixes them.

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of a window, or one number for both.
        strides: steps from window to window.
        padding: ``'valid'`` for windows within the image, ``'same'`` for zeros around it.
        data_format: where the channels are; by default as in ``keras.json``.
        depth_multiplier: kernels for each channel.
        activation: function of the output; none by default.
        use_bias: whether a bias is added.
        depthwise_initializer: how the kernels of the channels start.
        pointwise_initializer: how the mixing kernel starts.
        bias_initializer: how the bias starts.
        depthwise_regularizer: penalty on the kernels of the channels.
        pointwise_regularizer: penalty on the mixing kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        depthwise_constraint: constraint on the kernels of the channels.
        pointwise_constraint: constraint on the mixing kernel.
        bias_constraint: constraint on the bias.
        dilation_rate: distance of a window's pixels; with 1 for the strides.

    Shapes: ``(batch, rows, columns, channels)`` to ``(batch, new_rows, new_columns, filters)``,
    or both with channels first.

    Raises:
        ValueError: an argument is out of range, or strides and dilation meet.

    >>> from nbkeras.core.layers import Input
    >>> SeparableConv2D(16, 3, padding="same")(Input((8, 8, 4))).shape
    TensorShape([None, 8, 8, 16])

    Source: Chollet 2017, arXiv:1610.02357; Keras 2 manual, chapter 5.3.
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        dilation_rate: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer")
class DepthwiseConv2D(Convolution):
    """A convolution of each channel of an image alone.

    Args:
        kernel_size: rows and columns of a window, or one number for both.
        strides: steps from window to window.
        padding: ``'valid'`` for windows within the image, ``'same'`` for zeros around it.
        depth_multiplier: kernels, and so output channels, for each channel.
        data_format: where the channels are; by default as in ``keras.json``.
        activation: function of the output; none by default.
        use_bias: whether a bias is added.
        depthwise_initializer: how the kernels start.
        bias_initializer: how the bias starts.
        depthwise_regularizer: penalty on the kernels.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        depthwise_constraint: constraint on the kernels.
        bias_constraint: constraint on the bias.
        dilation_rate: distance of a window's pixels; with 1 for the strides.

    Shapes: ``(batch, rows, columns, channels)`` to
    ``(batch, new_rows, new_columns, channels * depth_multiplier)``, or both with channels first.

    Raises:
        ValueError: an argument is out of range, or strides and dilation meet.

    >>> from nbkeras.core.layers import Input
    >>> DepthwiseConv2D(3, depth_multiplier=2)(Input((8, 8, 4))).shape
    TensorShape([None, 6, 6, 8])

    Source: Howard et al. 2017, arXiv:1704.04861.
    """

    rank = 2

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        dilation_rate: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        _pass_over_kernel_arguments(self, kwargs, ("depthwise",))
        super().__init__(
            filters=1,  # known once the channels are
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=None,
            bias_initializer=bias_initializer,
            kernel_regularizer=None,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=None,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = check_count(self, "depth_multiplier", depth_multiplier)
        keep(
            self,
            {
                "depthwise_initializer": depthwise_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "depthwise_constraint": depthwise_constraint,
            },
        )

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.filters = channels * self.depth_multiplier
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.add_bias()
        self.built = True

    def convolve(self, inputs: Any) -> Any:
        return K.depthwise_conv2d(
            inputs,
            self.depthwise_kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        channels = input_shape[self.channel_axis]
        spatial = self.spatial(super().compute_output_shape(input_shape))
        filters = None if channels is None else channels * self.depth_multiplier
        return self.shaped(input_shape[0], spatial, filters)
