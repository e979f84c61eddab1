"""Variables, constants, and what can be known of a tensor without computing it."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import tensorflow as tf

from ..config import floatx
from ._typing import DType, Shape, Tensor
from .symbolic import KerasTensor, is_symbolic, operation

__all__ = [
    "cast",
    "cast_to_floatx",
    "constant",
    "count_params",
    "dtype",
    "eye",
    "identity",
    "int_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_sparse",
    "is_tensor",
    "is_variable",
    "ndim",
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
    return tf.Variable(value, dtype=wanted, name=name, constraint=constraint)


def _sparse_tensor(matrix: Any, dtype: tf.DType) -> tf.SparseTensor:
    """A SciPy matrix in coordinate form, its entries in row order as TensorFlow wants them."""
    indices = np.stack([matrix.row, matrix.col], axis=1).astype("int64")
    tensor = tf.SparseTensor(indices, matrix.data.astype(dtype.as_numpy_dtype), matrix.shape)
    return tf.sparse.reorder(tensor)


def _variable_if_eager(value: Tensor, name: str | None) -> Any:
    """A variable with this value; in a graph, where none can be made, the tensor itself."""
    return tf.Variable(value, name=name) if tf.executing_eagerly() else value


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


# ---------------------------------------------------------------- static facts


@operation
def shape(x: Tensor) -> Tensor:
    """The sizes of x as an integer tensor, computed when x is.

    >>> shape(tf.zeros((2, 3))).numpy()
    array([2, 3], dtype=int32)
    """
    return tf.cast(x.dense_shape, tf.int32) if isinstance(x, tf.SparseTensor) else tf.shape(x)


def int_shape(x: Tensor) -> tuple[int | None, ...] | None:
    """The sizes of x as far as they are known now; ``None`` if even their number is not.

    >>> int_shape(KerasTensor((None, 4)))
    (None, 4)
    """
    static = _static_shape(x)
    return None if static.rank is None else tuple(static)


def ndim(x: Tensor) -> int | None:
    """The number of axes of x; ``None`` if it is not known.

    >>> ndim(tf.zeros((2, 3)))
    2
    """
    rank: int | None = _static_shape(x).rank
    return rank


def _static_shape(x: Tensor) -> tf.TensorShape:
    found = x.shape if hasattr(x, "shape") else np.shape(x)
    return found if isinstance(found, tf.TensorShape) else tf.TensorShape(found)


def dtype(x: Tensor) -> str:
    """The type of the elements of x, as a word.

    >>> dtype(tf.zeros((2,), 'float64'))
    'float64'
    """
    found = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return str(tf.as_dtype(found).base_dtype.name)


def count_params(x: Tensor) -> int:
    """The number of elements of x, as far as its sizes are known.

    Raises:
        ValueError: a size is not known.

    >>> count_params(tf.zeros((2, 3)))
    6
    """
    number = _static_shape(x).num_elements()
    if number is None:
        raise ValueError(
            f"The number of elements of {x!r} is not known before it has a value. "
            "K.prod(K.shape(x)) computes it then."
        )
    return int(number)


def is_sparse(tensor: Tensor) -> bool:
    """Whether a tensor is sparse.

    >>> is_sparse(tf.zeros((2,)))
    False
    """
    if isinstance(tensor, KerasTensor):
        return tensor.sparse
    return isinstance(tensor, tf.SparseTensor)


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor or variable, real or symbolic, and not an array or a number.

    >>> is_tensor(tf.zeros(2)), is_tensor(np.zeros(2))
    (True, False)
    """
    return isinstance(x, tf.Tensor | tf.Variable | tf.SparseTensor | KerasTensor)


def is_variable(x: Any) -> bool:
    """Whether x is a variable.

    >>> is_variable(variable(0.0)), is_variable(tf.zeros(2))
    (True, False)
    """
    return isinstance(x, tf.Variable)


def is_placeholder(x: Any) -> bool:
    """Whether x is a symbolic tensor that waits to be fed: a placeholder or an ``Input``.

    >>> is_placeholder(KerasTensor((None, 4))), is_placeholder(tf.zeros(2))
    (True, False)
    """
    if not isinstance(x, KerasTensor):
        return False
    return x.node is None or not (x.node.inputs or x.node.args)


def is_keras_tensor(x: Any) -> bool:
    """Whether x is what a layer or ``Input`` returned.

    Raises:
        ValueError: it is no tensor at all.

    >>> is_keras_tensor(tf.zeros(2)), is_keras_tensor(KerasTensor((None, 4)))
    (False, False)
    """
    if not is_tensor(x):
        raise ValueError(
            f"K.is_keras_tensor asks about tensors; got {type(x).__name__}. A layer's output is "
            "one, as in Dense(10)(Input((4,)))."
        )
    # What made it is a layer, or a backend function.
    made_it = x.node.operation if isinstance(x, KerasTensor) and x.node else None
    return made_it is not None and not isinstance(made_it, FunctionType)
