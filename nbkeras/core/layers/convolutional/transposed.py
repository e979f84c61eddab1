"""Transposed convolutions (Keras 2 manual, chapter 5.3)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ... import backend as K
from ... import registry
from ..arguments import numbers, passed
from ..windows import transposed_length
from .base import Convolution

__all__ = ["Conv2DTranspose", "Conv3DTranspose"]


class TransposedConvolution(Convolution):
    """What a convolution does to gradients on their way back, as a layer."""

    def __init__(self, output_padding: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = numbers(
                self, "output_padding", output_padding, self.rank, least=0
            )
            for stride, extra in zip(self.strides, self.output_padding, strict=True):
                if extra >= stride:
                    raise ValueError(
                        f"{type(self).__name__}: each output_padding is below its stride; got "
                        f"output_padding={self.output_padding} and strides={self.strides}. Write "
                        "output_padding=None for the usual size."
                    )

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def convolve(self, inputs: Any) -> Any:
        known, dynamic = tuple(inputs.shape), tf.shape(inputs)
        sizes = self.spatial(tuple(dynamic[i] if n is None else n for i, n in enumerate(known)))
        shape = self.shaped(known[0], self._lengths(sizes), self.filters)
        outputs = self._transpose(inputs, shape)
        outputs.set_shape(self.compute_output_shape(known))
        return outputs

    def _transpose(self, inputs: Any, shape: Any) -> Any:
        if self.rank == 3:
            return K.conv3d_transpose(
                inputs, self.kernel, shape, self.strides, self.padding, self.data_format
            )
        return K.conv2d_transpose(
            inputs,
            self.kernel,
            shape,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )

    def _lengths(self, sizes: Any) -> list[Any]:
        extras = self.output_padding or (None,) * self.rank
        return [
            transposed_length(size, window, self.padding, stride, extra, dilation)
            for size, window, stride, extra, dilation in zip(
                sizes, self.kernel_size, self.strides, extras, self.dilation_rate, strict=True
            )
        ]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.shaped(input_shape[0], self._lengths(self.spatial(input_shape)), self.filters)


@registry.register("layer", aliases=("Convolution2DTranspose", "Deconvolution2D", "Deconv2D"))
class Conv2DTranspose(TransposedConvolution):
    """A convolution backwards: from the shape of its output to the shape of its input.

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of a window, or one number for both.
        strides: how many rows and columns one of the input becomes.
        padding: what the forward convolution would do: ``'valid'`` or ``'same'``.
        data_format: where the channels are; by default as in ``keras.json``.
        activation: function of the output; none by default.
        use_bias: whether a bias is added.
        kernel_initializer: how the kernel starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernel.
        bias_constraint: constraint on the bias.
        output_padding: rows and columns more than the least that the strides allow.
        dilation_rate: distance of a window's pixels; with 1 for the strides.

    Shapes: ``(batch, rows, columns, channels)`` to ``(batch, new_rows, new_columns, filters)``,
    or both with channels first. The kernel is ``(rows, columns, filters, channels)``.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(Input((7, 7, 16))).shape
    TensorShape([None, 14, 14, 8])

    Source: Dumoulin, Visin 2016, arXiv:1603.07285; Keras 2 manual, chapter 5.3.
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("Convolution3DTranspose", "Deconvolution3D", "Deconv3D"))
class Conv3DTranspose(TransposedConvolution):
    """A convolution of volumes backwards; see :class:`Conv2DTranspose`.

    Args:
        filters: number of output channels.
        kernel_size: depth, rows and columns of a window, or one number for all.
        strides: how many layers, rows and columns one of the input becomes.
        padding: what the forward convolution would do: ``'valid'`` or ``'same'``.
        data_format: where the channels are; by default as in ``keras.json``.
        activation: function of the output; none by default.
        use_bias: whether a bias is added.
        kernel_initializer: how the kernel starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernel.
        bias_constraint: constraint on the bias.
        output_padding: layers, rows and columns more than the least that the strides allow.

    Shapes: ``(batch, depth, rows, columns, channels)`` to the same with ``filters`` channels,
    or both with channels first. The kernel is ``(depth, rows, columns, filters, channels)``.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> Conv3DTranspose(8, 2, strides=2)(Input((4, 4, 4, 16))).shape
    TensorShape([None, 8, 8, 8, 8])

    Source: Dumoulin, Visin 2016, arXiv:1603.07285.
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        output_padding: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dilation_rate=1, **passed(locals()))
