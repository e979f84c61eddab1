"""Convolutions, in both data formats.

TensorFlow's kernels for the CPU know channels last only, so channels first is
transposed there and back; compilers for other devices remove what they do not need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Shape, Tensor
from .symbolic import operation

__all__ = [
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "depthwise_conv2d",
    "separable_conv1d",
    "separable_conv2d",
]


# ---------------------------------------------------------------- layouts


def channels_last(x: Tensor) -> Tensor:
    """(samples, channels, …) → (samples, …, channels)."""
    x = tf.convert_to_tensor(x)
    return tf.transpose(x, (0, *range(2, x.shape.rank), 1))


def channels_first(x: Tensor) -> Tensor:
    """(samples, …, channels) → (samples, channels, …)."""
    rank = x.shape.rank
    return tf.transpose(x, (0, rank - 1, *range(1, rank - 1)))


def normalize_padding(padding: str, *, causal: bool = False) -> str:
    """A padding in TensorFlow's capitals.

    Raises:
        ValueError: it is not known here.
    """
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    lowered = padding.lower() if isinstance(padding, str) else padding
    if lowered not in known:
        expected = ", ".join(repr(name) for name in known)
        raise ValueError(f"padding is one of {expected}, as in padding='same'; got {padding!r}.")
    return lowered.upper()


# ---------------------------------------------------------------- convolutions


@operation
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
    strides, dilation = _single(strides), _single(dilation_rate)
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


# ---------------------------------------------------------------- channel by channel


@operation
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
    strides, dilation = _single(strides), _single(dilation_rate)
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


def _single(value: int | Sequence[int]) -> int:
    """The one number of a stride or rate that may be written 2 or (2,)."""
    return value if isinstance(value, int) else value[0]
