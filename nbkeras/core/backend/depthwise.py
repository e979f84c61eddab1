"""Convolutions of every channel by itself, and those that mix the channels afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Tensor
from .layouts import channels_first, channels_last, normalize_padding, single
from .precision import product
from .symbolic import operation

__all__ = [
    "depthwise_conv2d",
    "separable_conv1d",
    "separable_conv2d",
]


@operation
@product("x", "depthwise_kernel")
def depthwise_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    strides: tuple[int, int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: tuple[int, int] = (1, 1),
) -> Tensor:
    """y[…, c·m + q] = Σₖₗ x[…, c] w[k, l, c, q]: every channel by its own m kernels.

    Args:
        x: (samples, rows, columns, channels), or channels first.
        depthwise_kernel: (rows, columns, channels, m).
        strides: steps along rows and columns.
        padding: ``'valid'`` or ``'same'``.
        data_format: where the channels are.
        dilation_rate: spacing of the kernel along rows and columns.

    Raises:
        ValueError: an unknown data format or padding.

    >>> depthwise_conv2d(tf.ones((1, 4, 4, 3)), tf.ones((3, 3, 3, 2))).shape
    TensorShape([1, 2, 2, 6])
    """
    padding = normalize_padding(padding)
    first = normalize_data_format(data_format) == "channels_first"
    y = _depthwise(
        channels_last(x) if first else x, depthwise_kernel, strides, padding, dilation_rate
    )
    return channels_first(y) if first else y


@operation
@product("x", "depthwise_kernel", "pointwise_kernel")
def separable_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: tuple[int, int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: tuple[int, int] = (1, 1),
) -> Tensor:
    """:func:`depthwise_conv2d`, then a 1×1 convolution that mixes the channels.

    Args:
        x: (samples, rows, columns, channels), or channels first.
        depthwise_kernel: (rows, columns, channels, m).
        pointwise_kernel: (1, 1, channels·m, channels out).
        strides: steps along rows and columns.
        padding: ``'valid'`` or ``'same'``.
        data_format: where the channels are.
        dilation_rate: spacing of the kernel along rows and columns.

    Raises:
        ValueError: an unknown data format or padding.

    >>> kernels = tf.ones((3, 3, 3, 2)), tf.ones((1, 1, 6, 8))
    >>> separable_conv2d(tf.ones((1, 4, 4, 3)), *kernels).shape
    TensorShape([1, 2, 2, 8])

    Source: Chollet 2017, arXiv:1610.02357.
    """
    padding = normalize_padding(padding)
    first = normalize_data_format(data_format) == "channels_first"
    y = _depthwise(
        channels_last(x) if first else x, depthwise_kernel, strides, padding, dilation_rate
    )
    y = tf.nn.conv2d(y, pointwise_kernel, 1, "VALID")
    return channels_first(y) if first else y


@operation
@product("x", "depthwise_kernel", "pointwise_kernel")
def separable_conv1d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Tensor:
    """:func:`separable_conv2d` along one axis.

    Args:
        x: (samples, steps, channels), or channels first.
        depthwise_kernel: (length, channels, m).
        pointwise_kernel: (1, channels·m, channels out).
        strides: steps along the axis.
        padding: ``'valid'``, ``'same'`` or ``'causal'``.
        data_format: where the channels are.
        dilation_rate: spacing of the kernel.

    Raises:
        ValueError: an unknown data format or padding.

    >>> separable_conv1d(tf.ones((1, 5, 3)), tf.ones((3, 3, 2)), tf.ones((1, 6, 8))).shape
    TensorShape([1, 3, 8])
    """
    strides, dilation = single(strides), single(dilation_rate)
    padding = normalize_padding(padding, causal=True)
    first = normalize_data_format(data_format) == "channels_first"
    x = channels_last(x) if first else tf.convert_to_tensor(x)
    if padding == "CAUSAL":
        x = tf.pad(x, ((0, 0), (dilation * (depthwise_kernel.shape[0] - 1), 0), (0, 0)))
        padding = "VALID"
    # An image of one row, and a kernel of one row; the row's stride changes nothing.
    image, kernel = tf.expand_dims(x, 1), tf.expand_dims(depthwise_kernel, 0)
    y = _depthwise(image, kernel, (strides, strides), padding, (1, dilation))
    y = tf.nn.conv2d(y, tf.expand_dims(pointwise_kernel, 0), 1, "VALID")
    y = tf.squeeze(y, 1)
    return channels_first(y) if first else y


def _depthwise(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int],
) -> Tensor:
    """A depthwise convolution with any strides and dilations.

    TensorFlow's knows equal strides, and dilation at stride 1 only. Otherwise
    every position is computed and those in between are left out.
    """
    rows, columns = strides
    dilated = max(dilation) > 1
    if rows == columns and not (dilated and rows > 1):
        return tf.nn.depthwise_conv2d(
            x, kernel, (1, rows, columns, 1), padding, dilations=tuple(dilation)
        )
    x = tf.convert_to_tensor(x)
    if padding == "SAME":
        sizes = [size or tf.shape(x)[axis] for axis, size in enumerate(x.shape[1:3], start=1)]
        pads = [
            _same_padding(size, kernel.shape[axis], strides[axis], dilation[axis])
            for axis, size in enumerate(sizes)
        ]
        x = tf.pad(x, ((0, 0), *pads, (0, 0)))
    y = tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "VALID", dilations=tuple(dilation))
    return y[:, ::rows, ::columns]


def _same_padding(size: Tensor, kernel: int, stride: int, dilation: int) -> tuple[Tensor, Tensor]:
    """What ``'same'`` adds before and after: output = ⌈size / stride⌉, the odd one after."""
    needed = ((size + stride - 1) // stride - 1) * stride + (kernel - 1) * dilation + 1 - size
    total = max(needed, 0) if isinstance(needed, int) else tf.maximum(needed, 0)
    return total // 2, total - total // 2
