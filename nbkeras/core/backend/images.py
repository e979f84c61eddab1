"""Images and volumes made larger."""

from __future__ import annotations

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import Tensor
from .layouts import channels_first, channels_last
from .shapes import repeat_elements
from .symbolic import operation

__all__ = ["resize_images", "resize_volumes"]


@operation
def resize_images(
    x: Tensor,
    height_factor: int,
    width_factor: int,
    data_format: str,
    interpolation: str = "nearest",
) -> Tensor:
    """(n, r, c, k) → (n, r·height_factor, c·width_factor, k).

    Args:
        x: images.
        height_factor: how many rows for one.
        width_factor: how many columns for one.
        data_format: where the channels are.
        interpolation: ``'nearest'`` repeats elements, ``'bilinear'`` goes straight
            from one to the next.

    Raises:
        ValueError: an unknown data format or interpolation.

    >>> resize_images(tf.ones((1, 2, 3, 1)), 2, 3, 'channels_last').shape
    TensorShape([1, 4, 9, 1])
    """
    first = normalize_data_format(data_format) == "channels_first"
    if interpolation == "nearest":
        rows = 2 if first else 1
        x = repeat_elements(x, height_factor, rows)
        return repeat_elements(x, width_factor, rows + 1)
    if interpolation != "bilinear":
        raise ValueError(
            "interpolation is 'nearest' or 'bilinear', as in interpolation='nearest'; "
            f"got {interpolation!r}."
        )
    x = channels_last(x) if first else tf.convert_to_tensor(x)
    sizes = tf.shape(x)[1:3] * (height_factor, width_factor)
    y = tf.cast(tf.image.resize(x, sizes), x.dtype)
    rows, columns = x.shape[1], x.shape[2]
    y = tf.ensure_shape(
        y, (x.shape[0], rows and rows * height_factor, columns and columns * width_factor, None)
    )
    return channels_first(y) if first else y


@operation
def resize_volumes(
    x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str
) -> Tensor:
    """(n, d, r, c, k) → (n, d·depth_factor, r·height_factor, c·width_factor, k), repeated.

    Args:
        x: volumes.
        depth_factor: how many layers for one.
        height_factor: how many rows for one.
        width_factor: how many columns for one.
        data_format: where the channels are.

    Raises:
        ValueError: an unknown data format.

    >>> resize_volumes(tf.ones((1, 1, 2, 2, 1)), 3, 1, 2, 'channels_last').shape
    TensorShape([1, 3, 2, 4, 1])
    """
    axis = 2 if normalize_data_format(data_format) == "channels_first" else 1
    x = repeat_elements(x, depth_factor, axis)
    x = repeat_elements(x, height_factor, axis + 1)
    return repeat_elements(x, width_factor, axis + 2)
