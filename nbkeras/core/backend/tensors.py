"""Variables, constants, and tensors made from tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ..config import floatx
from ._typing import DType, Shape, Tensor
from .symbolic import KerasTensor, is_symbolic, operation
from .variables import keeping, make_variable

__all__ = [
    "cast",
    "cast_to_floatx",
    "constant",
    "eye",
    "identity",
    "ones",
    "ones_like",
    "shape",
    "to_dense",
    "variable",
    "zeros",
    "zeros_like",
]


# ---------------------------------------------------------------- variables


def variable(
    value: Tensor,
    dtype: DType = None,
    name: str | None = None,
    constraint: Callable[[Tensor], Tensor] | None = None,
) -> Any:
    """A variable that starts with a value.

    Args:
        value: an array, a number, nested lists, or a tensor. A SciPy sparse
            matrix becomes a ``tf.SparseTensor``, which cannot be assigned to.
        dtype: its type, by default :func:`floatx`.
        name: a name for messages and files.
        constraint: a projection that optimizers apply after each update.

    >>> v = variable([[1, 2], [3, 4]], dtype='float64')
    >>> v.dtype.name, v.shape
    ('float64', TensorShape([2, 2]))
    """
    wanted = tf.as_dtype(dtype or floatx())
    if is_symbolic(value):
        raise TypeError(
            f"A variable starts with a value, and {value!r} has none yet. "
            "Start with an array, as in K.variable(np.zeros((2, 3)))."
        )
    if isinstance(value, tf.SparseTensor):
        return tf.cast(value, wanted)
    if hasattr(value, "tocoo"):
        return _sparse_tensor(value.tocoo(), wanted)
    if isinstance(value, tf.Tensor | tf.Variable):
        value = tf.cast(value, wanted)
    return make_variable(value, name, dtype=wanted, constraint=constraint)


def _sparse_tensor(matrix: Any, dtype: tf.DType) -> tf.SparseTensor:
    """A SciPy matrix in coordinate form, its entries in row order as TensorFlow wants them."""
    indices = np.stack([matrix.row, matrix.col], axis=1).astype("int64")
    tensor = tf.SparseTensor(indices, matrix.data.astype(dtype.as_numpy_dtype), matrix.shape)
    return tf.sparse.reorder(tensor)


def _variable_if_eager(value: Tensor, name: str | None) -> Any:
    """A variable with this value; in a graph, where none can be made, the tensor itself."""
    return make_variable(value, name) if tf.executing_eagerly() or keeping() else value


@operation
def zeros(shape: Shape, dtype: DType = None, name: str | None = None) -> Any:
    """A variable filled with 0.

    Inside a layer's call, and where the shape is only known later, it is a tensor.

    >>> zeros((2, 3)).shape
    TensorShape([2, 3])
    """
    return _variable_if_eager(tf.zeros(shape, dtype or floatx()), name)


@operation
def ones(shape: Shape, dtype: DType = None, name: str | None = None) -> Any:
    """A variable filled with 1.

    Inside a layer's call, and where the shape is only known later, it is a tensor.

    >>> ones((2,)).numpy()
    array([1., 1.], dtype=float32)
    """
    return _variable_if_eager(tf.ones(shape, dtype or floatx()), name)


@operation
def eye(size: int | tuple[int, int], dtype: DType = None, name: str | None = None) -> Any:
    """A variable with 1 on the diagonal and 0 elsewhere.

    Args:
        size: the number of rows and columns, or the two of them.
        dtype: its type, by default :func:`floatx`.
        name: a name for messages.

    >>> eye(2).numpy()
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    rows, columns = size if isinstance(size, tuple | list) else (size, size)
    return _variable_if_eager(tf.eye(rows, columns, dtype=dtype or floatx()), name)


# ---------------------------------------------------------------- tensors


def constant(
    value: Any, dtype: DType = None, shape: Shape = None, name: str | None = None
) -> Tensor:
    """A tensor that never changes.

    >>> constant(3.0, shape=(2,)).numpy()
    array([3., 3.], dtype=float32)
    """
    return tf.constant(value, dtype or floatx(), shape, name or "Const")


@operation
def zeros_like(x: Tensor, dtype: DType = None, name: str | None = None) -> Tensor:
    """Zeros in the shape of x.

    >>> zeros_like([[1.0, 2.0]]).numpy()
    array([[0., 0.]], dtype=float32)
    """
    return tf.zeros_like(x, dtype, name)


@operation
def ones_like(x: Tensor, dtype: DType = None, name: str | None = None) -> Tensor:
    """Ones in the shape of x.

    >>> ones_like([[5, 6]], dtype='float32').numpy()
    array([[1., 1.]], dtype=float32)
    """
    return tf.ones_like(x, dtype, name)


@operation
def identity(x: Tensor, name: str | None = None) -> Tensor:
    """A tensor with the same values.

    >>> identity([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    return tf.identity(x, name)


@operation
def cast(x: Tensor, dtype: DType) -> Tensor:
    """x in another type; x itself stays what it is.

    >>> cast([1.7, -1.7], 'int32').numpy()
    array([ 1, -1], dtype=int32)
    """
    return tf.cast(x, dtype)


def cast_to_floatx(x: Tensor) -> Any:
    """An array (or a tensor, which stays one) in the default float type.

    >>> cast_to_floatx(np.array([1.0, 2.0])).dtype
    dtype('float32')
    """
    if isinstance(x, tf.Tensor | tf.Variable | tf.SparseTensor | KerasTensor):
        return cast(x, floatx())
    return np.asarray(x, dtype=tf.as_dtype(floatx()).as_numpy_dtype)


@operation
def to_dense(tensor: Tensor) -> Tensor:
    """A sparse tensor as a dense one; a dense one as it is.

    >>> to_dense(tf.sparse.from_dense([[0.0, 2.0]])).numpy()
    array([[0., 2.]], dtype=float32)
    """
    return tf.sparse.to_dense(tensor) if isinstance(tensor, tf.SparseTensor) else tensor


@operation
def shape(x: Tensor) -> Tensor:
    """The sizes of x as an integer tensor, computed when x is.

    >>> shape(tf.zeros((2, 3))).numpy()
    array([2, 3], dtype=int32)
    """
    return tf.cast(x.dense_shape, tf.int32) if isinstance(x, tf.SparseTensor) else tf.shape(x)
