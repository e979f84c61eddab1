"""Pooling, in both data formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Tensor
from .layouts import channels_first, channels_last, normalize_padding
from .shapes import sizes
from .symbolic import operation

__all__ = ["pool2d", "pool3d"]


@operation
def pool2d(
    x: Tensor,
    pool_size: tuple[int, int],
    strides: tuple[int, int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """The greatest element, or the mean, of every window of an image.

    Args:
        x: (samples, rows, columns, channels), or channels first.
        pool_size: rows and columns of the window.
        strides: steps from window to window.
        padding: ``'valid'`` or ``'same'``; a mean does not count what is padded.
        data_format: where the channels are.
        pool_mode: ``'max'`` or ``'avg'``.

    Raises:
        ValueError: an unknown data format, padding or mode.

    >>> pool2d(tf.reshape(tf.range(4.0), (1, 2, 2, 1)), (2, 2)).numpy().ravel()
    array([3.], dtype=float32)
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, _POOLS_2D)


@operation
def pool3d(
    x: Tensor,
    pool_size: tuple[int, int, int],
    strides: tuple[int, int, int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """The greatest element, or the mean, of every window of a volume.

    Args:
        x: (samples, depth, rows, columns, channels), or channels first.
        pool_size: depth, rows and columns of the window.
        strides: steps from window to window.
        padding: ``'valid'`` or ``'same'``; a mean does not count what is padded.
        data_format: where the channels are.
        pool_mode: ``'max'`` or ``'avg'``.

    Raises:
        ValueError: an unknown data format, padding or mode.

    >>> pool3d(tf.ones((1, 2, 2, 2, 1)), (2, 2, 2), pool_mode='avg').numpy().ravel()
    array([1.], dtype=float32)
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode, _POOLS_3D)


def _max_pool3d(x: Tensor, *window: Any) -> Tensor:
    return _separately(tf.nn.max_pool2d, tf.nn.max_pool3d, x, *window)


def _avg_pool3d(x: Tensor, *window: Any) -> Tensor:
    return _separately(tf.nn.avg_pool2d, tf.nn.avg_pool3d, x, *window)


_POOLS_2D = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}
_POOLS_3D = {"max": _max_pool3d, "avg": _avg_pool3d}


def _separately(
    pool_2d: Callable[..., Tensor],
    pool_3d: Callable[..., Tensor],
    x: Tensor,
    size: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Tensor:
    """Pool a volume, where need be along rows and columns first and then along depth.

    TensorFlow's CPU has no kernel for volumes of 16 or 64 bits. The greatest of
    greatest elements is the greatest, and the mean of means, each over as many
    elements, the mean.
    """
    if x.dtype in (tf.float32, tf.bfloat16):
        return pool_3d(x, size, strides, padding)
    samples, depth, rows, columns, channels = sizes(x)
    x = tf.reshape(x, (-1, rows, columns, channels))
    x = pool_2d(x, size[1:], strides[1:], padding)
    _, rows, columns, _ = sizes(x)
    x = tf.reshape(x, (samples, depth, rows * columns, channels))
    x = pool_2d(x, (size[0], 1), (strides[0], 1), padding)
    return tf.reshape(x, (samples, sizes(x)[1], rows, columns, channels))


def _pool(
    x: Tensor,
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str | None,
    mode: str,
    pools: dict[str, Callable[..., Tensor]],
) -> Tensor:
    data_format = normalize_data_format(data_format)
    padding = normalize_padding(padding)
    if mode not in pools:
        raise ValueError(f"pool_mode is 'max' or 'avg', as in pool_mode='max'; got {mode!r}.")
    x = tf.convert_to_tensor(x)
    if data_format == "channels_last":
        return pools[mode](x, size, strides, padding)
    return channels_first(pools[mode](channels_last(x), size, strides, padding))
