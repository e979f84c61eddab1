"""Random changes of one image, drawn from NumPy's global generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from nbkeras.core import config

from .affine import apply_affine_transform
from .files import array_to_img, img_to_array, stretched

__all__ = [
    "apply_brightness_shift",
    "apply_channel_shift",
    "flip_axis",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
]


# ---------------------------------------------------------------- geometry
#
# The centre of the four functions below is that of axes 0 and 1, as in
# keras-preprocessing 1.1.2; ImageDataGenerator uses the axes of its data format.


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image rotated by up to `rg` degrees either way.

    Args:
        x: the image, three axes.
        rg: largest angle, in degrees.
        row_axis, col_axis, channel_axis: axes of the image.
        fill_mode, cval, interpolation_order: see :func:`apply_affine_transform`.

    Example:
        >>> random_rotation(np.ones((4, 4, 3)), 30, 0, 1, 2).shape
        (4, 4, 3)
    """
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(
        x,
        theta=theta,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image shifted by up to `wrg` of its width and `hrg` of its height.

    Args:
        x: the image, three axes.
        wrg, hrg: largest shifts, as fractions.
        row_axis, col_axis, channel_axis: axes of the image.
        fill_mode, cval, interpolation_order: see :func:`apply_affine_transform`.

    Example:
        >>> random_shift(np.ones((4, 4, 3)), 0.5, 0.5, 0, 1, 2).shape
        (4, 4, 3)
    """
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x,
        tx=tx,
        ty=ty,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image sheared by up to `intensity` degrees either way.

    Args:
        x: the image, three axes.
        intensity: largest angle, in degrees.
        row_axis, col_axis, channel_axis: axes of the image.
        fill_mode, cval, interpolation_order: see :func:`apply_affine_transform`.

    Example:
        >>> random_shear(np.ones((4, 4, 3)), 20, 0, 1, 2).shape
        (4, 4, 3)
    """
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(
        x,
        shear=shear,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image zoomed, rows and columns each by a factor of their own.

    Args:
        x: the image, three axes.
        zoom_range: smallest and largest factor; below 1 enlarges.
        row_axis, col_axis, channel_axis: axes of the image.
        fill_mode, cval, interpolation_order: see :func:`apply_affine_transform`.

    Raises:
        ValueError: the range is no pair.

    Example:
        >>> random_zoom(np.ones((4, 4, 3)), (0.5, 1.5), 0, 1, 2).shape
        (4, 4, 3)
    """
    low, high = pair("zoom_range", zoom_range)
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    return apply_affine_transform(
        x,
        zx=zx,
        zy=zy,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """An array with one axis turned around.

    Example:
        >>> flip_axis([[1, 2], [3, 4]], 1).tolist()
        [[2, 1], [4, 3]]
    """
    x = np.asarray(x)
    return x[(slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)]


# ---------------------------------------------------------------- colors

_RAMP = Image.frombytes("L", (256, 1), bytes(range(256)))


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """An image with `intensity` added, within the range of its values.

    Example:
        >>> apply_channel_shift(np.array([[[0.0, 5.0, 9.0]]]), 2).ravel().tolist()
        [2.0, 7.0, 9.0]
    """
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(
    x: np.ndarray, intensity_range: float, channel_axis: int = 0
) -> np.ndarray:
    """An image with a number added, within the range of its values.

    Args:
        x: the image, three axes.
        intensity_range: the number is at most this, either way.
        channel_axis: axis of the channels.

    Example:
        >>> bool(random_channel_shift(np.eye(3)[None], 0.5).max() <= 1)
        True
    """
    intensity = np.random.uniform(-intensity_range, intensity_range)
    return apply_channel_shift(x, intensity, channel_axis)


def apply_brightness_shift(
    x: np.ndarray, brightness: float, data_format: str = "channels_last", dtype: Any = "float32"
) -> np.ndarray:
    """An image made darker or brighter by a factor, with values from 0 to 255.

    The values are first stretched to that range.

    Example:
        >>> apply_brightness_shift(np.array([[[0.0], [2.0]]]), 0.5).ravel().tolist()
        [0.0, 127.0]
    """
    x = np.asarray(x, config.floatx())
    first = config.normalize_data_format(data_format) == "channels_first"
    if x.ndim == 3 and x.shape[0 if first else 2] in (1, 3):
        # Each value becomes another whatever is beside it, and there are 256: a table of them.
        changed = ImageEnhance.Brightness(_RAMP).enhance(brightness).tobytes()
        table = np.frombuffer(changed, "uint8").astype(dtype)
        return table.take(stretched(x).astype("uint8"))
    # Transparency stays as it is.
    image = ImageEnhance.Brightness(array_to_img(x, data_format)).enhance(brightness)
    return img_to_array(image, data_format, dtype)


def random_brightness(x: np.ndarray, brightness_range: Sequence[float]) -> np.ndarray:
    """An image made darker or brighter.

    Args:
        x: the image, channels last.
        brightness_range: smallest and largest factor.

    Raises:
        ValueError: the range is no pair.

    Example:
        >>> random_brightness(np.eye(2)[..., None], (1, 1))[0].ravel().tolist()
        [255.0, 0.0]
    """
    low, high = pair("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(low, high))


def pair(name: str, value: Any) -> tuple[float, float]:
    """A smallest and a largest value."""
    if not isinstance(value, Sequence | np.ndarray) or len(value) != 2:
        raise ValueError(
            f"{name} is the smallest and the largest factor, as in {name}=(0.8, 1.2); got "
            f"{value!r}."
        )
    return value[0], value[1]
