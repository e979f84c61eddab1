"""Rearranging, joining, repeating and padding tensors; nothing here does arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ..config import normalize_data_format
from ._typing import DType, Shape, Tensor
from .symbolic import operation
from .tensors import to_dense

__all__ = [
    "arange",
    "batch_flatten",
    "concatenate",
    "expand_dims",
    "flatten",
    "gather",
    "one_hot",
    "permute_dimensions",
    "repeat",
    "repeat_elements",
    "reshape",
    "reverse",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "squeeze",
    "stack",
    "temporal_padding",
    "tile",
    "transpose",
]


# ---------------------------------------------------------------- the same elements, otherwise


@operation
def reshape(x: Tensor, shape: Shape) -> Tensor:
    """The elements of x, in order, in another shape; one size may be −1.

    >>> reshape([[1, 2], [3, 4]], (4,)).numpy()
    array([1, 2, 3, 4], dtype=int32)
    """
    return tf.reshape(x, shape)


@operation
def flatten(x: Tensor) -> Tensor:
    """All elements of x in one axis.

    >>> flatten([[1, 2], [3, 4]]).numpy()
    array([1, 2, 3, 4], dtype=int32)
    """
    return tf.reshape(x, (-1,))


@operation
def batch_flatten(x: Tensor) -> Tensor:
    """(n, a, b, …) → (n, a·b·…): every sample in one axis.

    >>> batch_flatten(tf.zeros((2, 3, 4))).shape
    TensorShape([2, 12])
    """
    x = tf.convert_to_tensor(x)
    size = x.shape[1:].num_elements() if x.shape.rank is not None else None
    if size is not None:
        # With a known size the batch may be empty; −1 stands for the one that may be unknown.
        return tf.reshape(x, (-1, size) if size else (tf.shape(x)[0], size))
    sizes = tf.shape(x)
    return tf.reshape(x, tf.stack([sizes[0], tf.reduce_prod(sizes[1:])]))


@operation
def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> Tensor:
    """Axis i of the result is axis pattern[i] of x.

    >>> permute_dimensions(tf.zeros((2, 3, 4)), (0, 2, 1)).shape
    TensorShape([2, 4, 3])
    """
    return tf.transpose(x, pattern)


@operation
def transpose(x: Tensor) -> Tensor:
    """x with its axes in reverse order.

    >>> transpose([[1, 2, 3]]).shape
    TensorShape([3, 1])
    """
    return tf.transpose(x)


@operation
def expand_dims(x: Tensor, axis: int = -1) -> Tensor:
    """An axis of size 1 put in at a place.

    >>> expand_dims(tf.zeros((2, 3)), 1).shape
    TensorShape([2, 1, 3])
    """
    return tf.expand_dims(x, axis)


@operation
def squeeze(x: Tensor, axis: int) -> Tensor:
    """x without an axis of size 1.

    >>> squeeze(tf.zeros((2, 1, 3)), 1).shape
    TensorShape([2, 3])
    """
    return tf.squeeze(x, axis)


@operation
def reverse(x: Tensor, axes: int | Sequence[int]) -> Tensor:
    """x read backwards along axes.

    >>> reverse([[1, 2], [3, 4]], 1).numpy()
    array([[2, 1],
           [4, 3]], dtype=int32)
    """
    return tf.reverse(x, (axes,) if isinstance(axes, int) else axes)


# ---------------------------------------------------------------- joined and taken out


@operation
def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Tensors one after the other along an axis; sparse if all of them are.

    >>> concatenate([[[1, 2]], [[3]]]).numpy()
    array([[1, 2, 3]], dtype=int32)
    """
    for tensor in tensors:
        if isinstance(tensor, tf.SparseTensor):
            return _concatenate_sparse(tensors, axis)
    return tf.concat(tensors, axis)


def _concatenate_sparse(tensors: Sequence[Tensor], axis: int) -> Tensor:
    dense = [tensor for tensor in tensors if not isinstance(tensor, tf.SparseTensor)]
    if dense:
        return tf.concat([to_dense(tensor) for tensor in tensors], axis)
    return tf.sparse.concat(axis, list(tensors))


@operation
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors of equal shape along a new axis.

    >>> stack([[1, 2], [3, 4]], axis=1).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    return tf.stack(x, axis)


@operation
def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """The rows of a tensor that integer indices name.

    >>> gather([[1, 2], [3, 4], [5, 6]], [2, 0]).numpy()
    array([[5, 6],
           [1, 2]], dtype=int32)
    """
    return tf.gather(reference, indices)


@operation
def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """Integers i as vectors with 1 at place i: shape (…) → (…, num_classes).

    >>> one_hot([1, 0], 3).numpy()
    array([[0., 1., 0.],
           [1., 0., 0.]], dtype=float32)
    """
    return tf.one_hot(indices, num_classes)


# ---------------------------------------------------------------- repeated


@operation
def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Every element ``rep`` times along an axis, as ``np.repeat``.

    >>> repeat_elements([[1, 2]], 2, axis=1).numpy()
    array([[1, 1, 2, 2]], dtype=int32)
    """
    x = tf.convert_to_tensor(x)
    rank = x.shape.rank
    if rank is None or not -rank <= axis < rank:
        raise ValueError(
            f"repeat_elements repeats along an axis of a tensor of known rank; got axis {axis} "
            f"of a tensor of shape {x.shape}."
        )
    axis %= rank
    copies = [1] * (rank + 1)
    copies[axis + 1] = rep
    shape = sizes(x)
    shape[axis] *= rep
    return tf.reshape(tf.tile(tf.expand_dims(x, axis + 1), copies), shape)


def sizes(x: Tensor) -> list[Tensor]:
    """The sizes of a tensor: numbers where they are known, else tensors."""
    known: list[Tensor] = x.shape.as_list()
    if None in known:
        later = tf.shape(x)
        known = [later[i] if size is None else size for i, size in enumerate(known)]
    return known


@operation
def repeat(x: Tensor, n: int) -> Tensor:
    """(samples, dim) → (samples, n, dim): every sample n times in a row.

    >>> repeat([[1, 2]], 3).shape
    TensorShape([1, 3, 2])
    """
    return tf.tile(tf.expand_dims(x, 1), (1, n, 1))


@operation
def tile(x: Tensor, n: int | Sequence[int]) -> Tensor:
    """x laid out n[i] times along axis i.

    >>> tile([[1, 2]], (2, 2)).numpy()
    array([[1, 2, 1, 2],
           [1, 2, 1, 2]], dtype=int32)
    """
    return tf.tile(x, (n,) if isinstance(n, int) else n)


@operation
def arange(start: Tensor, stop: Tensor = None, step: Tensor = 1, dtype: DType = "int32") -> Tensor:
    """start, start + step, … up to, but without, stop; one argument is the stop.

    >>> arange(4).numpy(), arange(1, 6, 2).numpy()
    (array([0, 1, 2, 3], dtype=int32), array([1, 3, 5], dtype=int32))
    """
    if stop is None:
        start, stop = 0, start if not isinstance(start, int) or start > 0 else 0
    return tf.cast(tf.range(start, stop, step), dtype)


# ---------------------------------------------------------------- padded with zeros


@operation
def temporal_padding(x: Tensor, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """Zeros before and after the middle axis of a 3D tensor.

    >>> temporal_padding(tf.ones((2, 3, 4)), (1, 2)).shape
    TensorShape([2, 6, 4])
    """
    return tf.pad(x, ((0, 0), padding, (0, 0)))


@operation
def spatial_2d_padding(
    x: Tensor,
    padding: tuple[tuple[int, int], tuple[int, int]] = ((1, 1), (1, 1)),
    data_format: str | None = None,
) -> Tensor:
    """Zeros around the rows and columns of a 4D tensor.

    >>> spatial_2d_padding(tf.ones((1, 2, 3, 4))).shape
    TensorShape([1, 4, 5, 4])
    """
    return _pad_spatial(x, padding, data_format)


@operation
def spatial_3d_padding(
    x: Tensor,
    padding: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] = ((1, 1), (1, 1), (1, 1)),
    data_format: str | None = None,
) -> Tensor:
    """Zeros around depth, rows and columns of a 5D tensor.

    >>> spatial_3d_padding(tf.ones((1, 2, 3, 4, 5))).shape
    TensorShape([1, 4, 5, 6, 5])
    """
    return _pad_spatial(x, padding, data_format)


def _pad_spatial(x: Tensor, padding: Sequence[tuple[int, int]], data_format: str | None) -> Tensor:
    none = (0, 0)
    if normalize_data_format(data_format) == "channels_first":
        return tf.pad(x, (none, none, *padding))
    return tf.pad(x, (none, *padding, none))
