"""Pooling, in both data formats."""

from __future__ import annotations

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Tensor
from .conv import channels_first, channels_last, normalize_padding
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


_POOLS_2D = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}
_POOLS_3D = {"max": tf.nn.max_pool3d, "avg": tf.nn.avg_pool3d}


def _pool(
    x: Tensor,
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str | None,
    mode: str,
    pools: dict,
) -> Tensor:
    data_format = normalize_data_format(data_format)
    padding = normalize_padding(padding)
    if mode not in pools:
        raise ValueError(f"pool_mode is 'max' or 'avg', as in pool_mode='max'; got {mode!r}.")
    if data_format == "channels_last":
        return pools[mode](x, size, strides, padding)
    return channels_first(pools[mode](channels_last(x), size, strides, padding))
