"""Rotation, shift, shear and zoom of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage
from scipy.sparse import csr_array

__all__ = [
    "FILL_MODES",
    "apply_affine_transform",
    "apply_transform",
    "check_fill_mode",
    "transform_matrix_offset_center",
]

FILL_MODES = ("constant", "nearest", "reflect", "wrap")

# Pixels whose weights are in memory at once.
_BLOCK = 1 << 14


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 0,
    col_axis: int = 1,
    channel_axis: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image rotated, shifted, sheared and zoomed about its centre.

    A pixel at `p` of the result is the one at `c + R T S Z (p - c)` of the image, with
    the matrices of rotation, shift, shear and zoom in that order.

    Args:
        x: the image, three axes.
        theta: rotation in degrees.
        tx, ty: shift along rows and along columns, in pixels.
        shear: shear in degrees.
        zx, zy: zoom of rows and of columns; below 1 enlarges.
        row_axis, col_axis, channel_axis: axes of the image.
        fill_mode: what is outside of it: `'constant'`, `'nearest'`, `'reflect'` or `'wrap'`.
        cval: the value outside, for `'constant'`.
        order: of the splines between pixels, 0 to 5.

    Returns:
        The image; `x` itself where there is nothing to do.

    Raises:
        ValueError: `x` is no image, or `fill_mode` none of these.

    Example:
        >>> x = np.arange(3.0).reshape(1, 3, 1).repeat(3, axis=0)
        >>> apply_affine_transform(x, ty=1)[0].ravel().tolist()
        [1.0, 2.0, 2.0]

    Source: keras-preprocessing 1.1.2.
    """
    check_fill_mode(fill_mode)
    if len(x.shape) != 3:
        raise ValueError(
            f"One image has three axes, (height, width, channels); got shape {x.shape}."
        )
    matrix = _matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    matrix = transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
    return _transformed(x, matrix, channel_axis, fill_mode, cval, order)


def apply_transform(
    x: np.ndarray,
    transform_matrix: np.ndarray,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """An image changed by a matrix.

    Args:
        x: the image, three axes.
        transform_matrix: (3, 3), from places in the result, (row, column, 1), to places in
            the image; see :func:`transform_matrix_offset_center`.
        channel_axis: axis of the channels.
        fill_mode, cval: see :func:`apply_affine_transform`.

    Example:
        >>> x = np.arange(4.0).reshape(2, 2, 1)
        >>> turned = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
        >>> apply_transform(x, turned, channel_axis=2).ravel().tolist()
        [0.0, 2.0, 1.0, 3.0]

    Source: Keras 2.1.
    """
    check_fill_mode(fill_mode)
    matrix = np.asarray(transform_matrix, np.float64)
    return _transformed(x, matrix, channel_axis, fill_mode, cval, 1)


def _transformed(
    x: np.ndarray, matrix: np.ndarray, channel_axis: int, fill_mode: str, cval: float, order: int
) -> np.ndarray:
    planes = np.moveaxis(x, channel_axis, -1)
    if (
        order == 1 and min(planes.shape[:2]) > 1 and x.dtype == np.float32
    ):  # which the last bits of the sums do not reach
        result = _bilinear(planes, matrix, fill_mode, cval)
    else:
        result = _splines(planes, matrix, fill_mode, cval, order)
    return np.moveaxis(result, -1, channel_axis)


def check_fill_mode(fill_mode: Any) -> str:
    """A fill mode that exists."""
    if fill_mode not in FILL_MODES:
        raise ValueError(
            f"fill_mode is one of {', '.join(map(repr, FILL_MODES))}, as in fill_mode='nearest'; "
            f"got {fill_mode!r}."
        )
    return str(fill_mode)


# ---------------------------------------------------------------- the matrix


def _matrix(
    theta: float, tx: float, ty: float, shear: float, zx: float, zy: float
) -> np.ndarray | None:
    """The product of the transformations that do something."""
    factors = []
    if theta != 0:
        theta = np.deg2rad(theta)
        sin, cos = np.sin(theta), np.cos(theta)
        factors.append([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        factors.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        shear = np.deg2rad(shear)
        factors.append([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        factors.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    product = None
    for factor in factors:
        product = np.array(factor) if product is None else np.dot(product, np.array(factor))
    return product


def transform_matrix_offset_center(matrix: np.ndarray, x: float, y: float) -> np.ndarray:
    """A matrix that does about the centre of an image what another does about its corner.

    Args:
        matrix: (3, 3).
        x, y: rows and columns of the image.

    Example:
        >>> transform_matrix_offset_center(np.diag([2.0, 1.0, 1.0]), 3, 5)[0].tolist()
        [2.0, 0.0, -2.0]

    Source: keras-preprocessing 1.1.2.
    """
    # Half a pixel beyond the middle, where keras-preprocessing puts the centre.
    row, col = x / 2 + 0.5, y / 2 + 0.5
    there = np.array([[1, 0, row], [0, 1, col], [0, 0, 1]])
    back = np.array([[1, 0, -row], [0, 1, -col], [0, 0, 1]])
    return np.dot(np.dot(there, matrix), back)


# ---------------------------------------------------------------- the pixels


def _splines(
    planes: np.ndarray, matrix: np.ndarray, fill_mode: str, cval: float, order: int
) -> np.ndarray:
    """Any order and border, by SciPy, channel by channel."""
    result = np.empty(planes.shape, planes.dtype)
    for channel in range(planes.shape[2]):
        result[..., channel] = ndimage.affine_transform(
            planes[..., channel],
            matrix[:2, :2],
            matrix[:2, 2],
            order=order,
            mode=fill_mode,
            cval=cval,
        )
    return result


def _bilinear(planes: np.ndarray, matrix: np.ndarray, fill_mode: str, cval: float) -> np.ndarray:
    """What :func:`_splines` gives for order 1, about three times as fast.

    Where a pixel comes from is the same for all channels: it is computed once, as a
    sparse matrix with four weights in a row, which takes all channels in one product.
    """
    height, width, channels = planes.shape
    values = np.ascontiguousarray(planes, dtype=np.float64).reshape(-1, channels)
    result = np.empty(planes.shape, planes.dtype)
    step = max(1, _BLOCK // width)
    for top in range(0, height, step):
        rows = np.arange(top, min(top + step, height), dtype=np.float64)
        weights, outside = _weights(rows, height, width, matrix, fill_mode)
        block = (weights @ values).reshape(len(rows), width, channels)
        if outside is not None:
            block[outside] = cval
        result[top : top + len(rows)] = block
    return result


def _weights(
    rows: np.ndarray, height: int, width: int, matrix: np.ndarray, fill_mode: str
) -> tuple[csr_array, np.ndarray | None]:
    """The weights of four neighbours for each pixel of some rows, and which come from outside."""
    cols = np.arange(width, dtype=np.float64)
    row = np.add.outer(rows * matrix[0, 0], cols * matrix[0, 1])
    row += matrix[0, 2]
    col = np.add.outer(rows * matrix[1, 0], cols * matrix[1, 1])
    col += matrix[1, 2]
    outside = None
    if fill_mode == "constant":
        outside = (row < 0) | (row > height - 1) | (col < 0) | (col > width - 1)
    elif fill_mode != "nearest":
        _fold(row, height, fill_mode)
        _fold(col, width, fill_mode)
    row.clip(0, height - 1, out=row)
    col.clip(0, width - 1, out=col)
    # The upper left neighbour; at the last row and column, the weight 1 is the other's.
    first_row, first_col = row.astype(np.int32), col.astype(np.int32)
    np.minimum(first_row, height - 2, out=first_row)
    np.minimum(first_col, width - 2, out=first_col)
    row -= first_row
    col -= first_col
    first_row *= width
    first_row += first_col

    pixels = row.size
    share = np.empty((*row.shape, 2, 2))
    above, left = 1 - row, 1 - col
    np.multiply(above, left, out=share[..., 0, 0])
    np.multiply(above, col, out=share[..., 0, 1])
    np.multiply(row, left, out=share[..., 1, 0])
    np.multiply(row, col, out=share[..., 1, 1])
    places = np.add.outer(first_row, np.array([0, 1, width, width + 1], np.int32))
    ends = np.arange(0, 4 * pixels + 1, 4, dtype=np.int32)
    parts = (share.reshape(-1), places.reshape(-1), ends)
    return csr_array(parts, shape=(pixels, height * width)), outside


def _fold(places: np.ndarray, size: int, fill_mode: str) -> None:
    """Move places outside of an axis to those inside that have their values, as SciPy does.

    `'reflect'` repeats after twice the size; a place that lands up to one pixel outside
    has the value of the edge. `'wrap'` repeats after the size less one: the last pixel is
    the first of the next copy.
    """
    below, above = places < 0, places > size - 1
    low, high = places[below], places[above]
    if fill_mode == "reflect":
        period = 2 * size
        low += period * np.trunc(-low / period)
        places[below] = np.where(low < -size, low + period, -low - 1)
        high -= period * np.trunc(high / period)
        places[above] = np.where(high >= size, period - high - 1, high)
    else:
        period = size - 1
        places[below] = low + period * (np.trunc(-low / period) + 1)
        places[above] = high - period * np.trunc(high / period)
