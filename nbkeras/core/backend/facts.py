"""What can be known of a tensor without computing it."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import tensorflow as tf

from ._typing import Tensor
from .symbolic import KerasTensor

__all__ = [
    "count_params",
    "dtype",
    "int_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_sparse",
    "is_tensor",
    "is_variable",
    "ndim",
]


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

    >>> is_variable(tf.Variable(0.0)), is_variable(tf.zeros(2))
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
