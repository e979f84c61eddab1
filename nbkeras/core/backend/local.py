"""Convolutions whose every position has a kernel of its own."""

from __future__ import annotations

import itertools

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Tensor
from .precision import product
from .symbolic import operation

__all__ = ["local_conv1d", "local_conv2d"]


@operation
@product("inputs", "kernel")
def local_conv1d(
    inputs: Tensor,
    kernel: Tensor,
    kernel_size: tuple[int],
    strides: tuple[int],
    data_format: str | None = None,
) -> Tensor:
    """y[n, i, o] = Σₖ꜀ x[n, i·s + k, c] w[i, (k, c), o].

    Args:
        inputs: (samples, steps, channels), or channels first.
        kernel: (output steps, length·channels, filters). The features of a window
            are in the order in which the inputs hold them: (k, c) with channels
            last, (c, k) with channels first.
        kernel_size: (length,).
        strides: (s,).
        data_format: where the channels are.

    Returns:
        (samples, output steps, filters), or filters first.

    Raises:
        ValueError: an unknown data format.

    >>> local_conv1d(tf.ones((2, 5, 3)), tf.ones((3, 9, 4)), (3,), (1,)).shape
    TensorShape([2, 3, 4])
    """
    return _local(inputs, kernel, kernel_size, strides, (kernel.shape[0],), data_format)


@operation
@product("inputs", "kernel")
def local_conv2d(
    inputs: Tensor,
    kernel: Tensor,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    output_shape: tuple[int, int],
    data_format: str | None = None,
) -> Tensor:
    """y[n, i, j, o] = Σₖₗ꜀ x[n, i·s + k, j·s + l, c] w[(i, j), (k, l, c), o].

    Args:
        inputs: (samples, rows, columns, channels), or channels first.
        kernel: (output rows·columns, rows·columns·channels of a window, filters).
            The features of a window are in the order in which the inputs hold
            them: (k, l, c) with channels last, (c, k, l) with channels first.
        kernel_size: rows and columns of a window.
        strides: steps along rows and columns.
        output_shape: rows and columns of the result.
        data_format: where the channels are.

    Returns:
        (samples, rows, columns, filters), or filters first.

    Raises:
        ValueError: an unknown data format.

    >>> images, kernel = tf.ones((2, 4, 4, 3)), tf.ones((9, 12, 5))
    >>> local_conv2d(images, kernel, (2, 2), (1, 1), (3, 3)).shape
    TensorShape([2, 3, 3, 5])
    """
    return _local(inputs, kernel, kernel_size, strides, output_shape, data_format)


def _local(
    inputs: Tensor,
    kernel: Tensor,
    kernel_size: tuple[int, ...],
    strides: tuple[int, ...],
    output_shape: tuple[int, ...],
    data_format: str | None,
) -> Tensor:
    first = normalize_data_format(data_format) == "channels_first"
    inputs, kernel = tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel)
    # For each place k of a window, what all windows have there: (samples, i, …, c).
    places = []
    for offsets in itertools.product(*(range(size) for size in kernel_size)):
        before = (slice(None),) * (2 if first else 1)
        window = tuple(
            slice(offset, offset + (number - 1) * stride + 1, stride)
            for offset, number, stride in zip(offsets, output_shape, strides, strict=True)
        )
        places.append(inputs[before + window])
    positions, features, filters = kernel.shape
    if first:
        windows = tf.stack(places, axis=2)  # (samples, c, k, i, …)
        windows = tf.reshape(windows, (-1, features, positions))
        y = tf.einsum("nfp,pfo->nop", windows, kernel)
        return tf.reshape(y, (-1, filters, *output_shape))
    windows = tf.stack(places, axis=-2)  # (samples, i, …, k, c)
    windows = tf.reshape(windows, (-1, positions, features))
    y = tf.einsum("npf,pfo->npo", windows, kernel)
    return tf.reshape(y, (-1, *output_shape, filters))
