"""Convolutions along one, two and three axes, and transposed ones; in both data formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Shape, Tensor
from .layouts import channels_first, channels_last, normalize_padding, single
from .precision import product
from .symbolic import operation

__all__ = [
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
]


# ---------------------------------------------------------------- convolutions


@operation
@product("x", "kernel")
def conv1d(
    x: Tensor,
    kernel: Tensor,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Tensor:
    """y[n, i, o] = Σₖ꜀ x[n, i·s + k·d, c] w[k, c, o], s the stride, d the dilation.

    Args:
        x: (samples, steps, channels), or channels first.
        kernel: (length, channels in, channels out).
        strides: s.
        padding: ``'valid'``, ``'same'``, or ``'causal'``: y[i] sees no x after i.
        data_format: where the channels are.
        dilation_rate: d.

    Raises:
        ValueError: an unknown data format or padding.

    >>> conv1d(tf.ones((1, 5, 2)), tf.ones((3, 2, 4))).shape
    TensorShape([1, 3, 4])
    """
    strides, dilation = single(strides), single(dilation_rate)
    padding = normalize_padding(padding, causal=True)
    first = normalize_data_format(data_format) == "channels_first"
    x = channels_last(x) if first else x
    if padding == "CAUSAL":
        x = tf.pad(x, ((0, 0), (dilation * (kernel.shape[0] - 1), 0), (0, 0)))
        padding = "VALID"
    if dilation > 1 and strides == 1:
        y = _dilated(x, kernel, padding, (dilation,))
    else:
        y = tf.nn.conv1d(x, kernel, strides, padding, dilations=dilation)
    return channels_first(y) if first else y


@operation
@product("x", "kernel")
def conv2d(
    x: Tensor,
    kernel: Tensor,
    strides: tuple[int, int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: tuple[int, int] = (1, 1),
) -> Tensor:
    """y[n, i, j, o] = Σₖₗ꜀ x[n, i·s + k·d, j·s + l·d, c] w[k, l, c, o].

    Args:
        x: (samples, rows, columns, channels), or channels first.
        kernel: (rows, columns, channels in, channels out).
        strides: s, for rows and columns.
        padding: ``'valid'`` or ``'same'``.
        data_format: where the channels are.
        dilation_rate: d, for rows and columns.

    Raises:
        ValueError: an unknown data format or padding.

    >>> conv2d(tf.ones((1, 4, 4, 3)), tf.ones((3, 3, 3, 2)), padding='same').shape
    TensorShape([1, 4, 4, 2])
    """
    padding = normalize_padding(padding)
    first = normalize_data_format(data_format) == "channels_first"
    x = channels_last(x) if first else x
    if max(dilation_rate) > 1 and max(strides) == 1:
        y = _dilated(x, kernel, padding, dilation_rate)
    else:
        y = tf.nn.conv2d(x, kernel, strides, padding, dilations=dilation_rate)
    return channels_first(y) if first else y


@operation
@product("x", "kernel")
def conv3d(
    x: Tensor,
    kernel: Tensor,
    strides: tuple[int, int, int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: tuple[int, int, int] = (1, 1, 1),
) -> Tensor:
    """A convolution along depth, rows and columns; see :func:`conv2d`.

    Args:
        x: (samples, depth, rows, columns, channels), or channels first.
        kernel: (depth, rows, columns, channels in, channels out).
        strides: steps along the three.
        padding: ``'valid'`` or ``'same'``.
        data_format: where the channels are.
        dilation_rate: spacing of the kernel along the three.

    Raises:
        ValueError: an unknown data format or padding.

    >>> conv3d(tf.ones((1, 3, 3, 3, 2)), tf.ones((2, 2, 2, 2, 5))).shape
    TensorShape([1, 2, 2, 2, 5])
    """
    padding = normalize_padding(padding)
    first = normalize_data_format(data_format) == "channels_first"
    x = channels_last(x) if first else x
    if max(dilation_rate) > 1 and max(strides) == 1:
        y = _dilated(x, kernel, padding, dilation_rate)
    else:
        spread = (1, *dilation_rate, 1)
        y = tf.nn.conv3d(x, kernel, (1, *strides, 1), padding, dilations=spread)
    return channels_first(y) if first else y


def _dilated(x: Tensor, kernel: Tensor, padding: str, dilation: Sequence[int]) -> Tensor:
    """A dilated convolution as TensorFlow composes it.

    The gradient of its one dilated kernel is missing on some CPUs and in some types.
    """
    return tf.nn.convolution(x, kernel, padding=padding, dilations=list(dilation))


# ---------------------------------------------------------------- transposed


@operation
@product("x", "kernel")
def conv2d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Shape,
    strides: tuple[int, int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: tuple[int, int] = (1, 1),
) -> Tensor:
    """The gradient of :func:`conv2d` with respect to its input, as a function of its own.

    Args:
        x: (samples, rows, columns, channels), or channels first.
        kernel: (rows, columns, channels out, channels in).
        output_shape: the shape of the result in the same format; ``None`` for the
            batch is x's own.
        strides: steps of the result for one of x.
        padding: ``'valid'`` or ``'same'``.
        data_format: where the channels are.
        dilation_rate: spacing of the kernel.

    Raises:
        ValueError: an unknown data format or padding.

    >>> conv2d_transpose(tf.ones((1, 2, 2, 3)), tf.ones((2, 2, 5, 3)), (1, 4, 4, 5), (2, 2)).shape
    TensorShape([1, 4, 4, 5])

    Source: Dumoulin, Visin 2016, arXiv:1603.07285.
    """
    return _transposed(
        tf.nn.conv2d_transpose,
        x,
        kernel,
        output_shape,
        strides,
        padding,
        data_format,
        dilation_rate,
    )


@operation
@product("x", "kernel")
def conv3d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Shape,
    strides: tuple[int, int, int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The gradient of :func:`conv3d` with respect to its input, as a function of its own.

    Args:
        x: (samples, depth, rows, columns, channels), or channels first.
        kernel: (depth, rows, columns, channels out, channels in).
        output_shape: the shape of the result in the same format; ``None`` for the
            batch is x's own.
        strides: steps of the result for one of x.
        padding: ``'valid'`` or ``'same'``.
        data_format: where the channels are.

    Raises:
        ValueError: an unknown data format or padding.

    >>> x, kernel = tf.ones((1, 1, 1, 1, 3)), tf.ones((2, 2, 2, 5, 3))
    >>> conv3d_transpose(x, kernel, (1, 2, 2, 2, 5)).shape
    TensorShape([1, 2, 2, 2, 5])
    """
    return _transposed(
        tf.nn.conv3d_transpose, x, kernel, output_shape, strides, padding, data_format, (1, 1, 1)
    )


def _transposed(
    function: Callable[..., Tensor],
    x: Tensor,
    kernel: Tensor,
    output_shape: Shape,
    strides: Sequence[int],
    padding: str,
    data_format: str | None,
    dilation: Sequence[int],
) -> Tensor:
    padding = normalize_padding(padding)
    first = normalize_data_format(data_format) == "channels_first"
    x = channels_last(x) if first else tf.convert_to_tensor(x)
    if isinstance(output_shape, tuple | list | tf.TensorShape):
        batch, *sizes = output_shape
        batch = batch if batch is not None else x.shape[0] or tf.shape(x)[0]
        sizes = [*sizes[1:], sizes[0]] if first else sizes
        output_shape = (batch, *sizes)
    elif first:
        output_shape = tf.concat([output_shape[:1], output_shape[2:], output_shape[1:2]], 0)
    if dilation[0] > 1 and len(set(dilation)) == 1 and max(strides) == 1 and len(dilation) == 2:
        y = tf.nn.atrous_conv2d_transpose(x, kernel, output_shape, dilation[0], padding)
    else:
        spread = (1, *dilation, 1)
        y = function(x, kernel, output_shape, (1, *strides, 1), padding, dilations=spread)
    return channels_first(y) if first else y
