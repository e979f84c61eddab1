"""Reading, writing and printing values; updates of variables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ._typing import Tensor
from .replay import Plan
from .symbolic import (
    Call,
    KerasTensor,
    call_scope,
    current_call,
    is_symbolic,
    next_seed,
    operation,
)
from .tensors import to_dense

__all__ = [
    "batch_get_value",
    "batch_set_value",
    "eval",
    "get_value",
    "moving_average_update",
    "print_tensor",
    "set_value",
    "update",
    "update_add",
    "update_sub",
]


# ---------------------------------------------------------------- reading


def eval(x: Tensor) -> Any:
    """The value of a variable, of a tensor, or of a symbolic tensor that needs no input.

    Args:
        x: a tensor; a sparse one is returned dense.

    Raises:
        ValueError: it depends on a placeholder or an ``Input``.

    >>> eval(tf.Variable([1.0, 2.0]))
    array([1., 2.], dtype=float32)
    """
    if isinstance(x, KerasTensor):
        with call_scope(Call(training=False, seed=next_seed())):
            (x,) = Plan([], [x]).run([])
    return get_value(x)


def get_value(x: Tensor) -> Any:
    """The value of a variable, as a NumPy array of its own.

    >>> get_value(tf.Variable(3.0))
    np.float32(3.0)
    """
    if isinstance(x, tf.SparseTensor):
        x = to_dense(x)
    if isinstance(x, KerasTensor):
        return eval(x)
    if not hasattr(x, "numpy"):
        return np.array(x)
    return x.numpy()


def batch_get_value(ops: Iterable[Tensor]) -> list[Any]:
    """The values of several variables.

    >>> batch_get_value([tf.Variable(1.0), tf.Variable(2.0)])
    [np.float32(1.0), np.float32(2.0)]
    """
    return [get_value(x) for x in ops]


# ---------------------------------------------------------------- writing


def set_value(x: Any, value: Any) -> None:
    """Give a variable a value of its shape.

    Raises:
        ValueError: the shapes differ; the variable keeps its value.

    >>> v = tf.Variable([1.0, 2.0])
    >>> set_value(v, [3, 4])
    >>> v.numpy()
    array([3., 4.], dtype=float32)
    """
    batch_set_value([(x, value)])


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Give several variables values, all or none of them.

    Args:
        tuples: pairs (variable, array).

    Raises:
        ValueError: a shape differs; all variables keep their values.

    >>> a, b = tf.Variable(0.0), tf.Variable([0.0, 0.0])
    >>> batch_set_value([(a, 1.0), (b, [2.0, 3.0])])
    >>> float(a), b.numpy()
    (1.0, array([2., 3.], dtype=float32))
    """
    checked = [(x, _value_for(x, value)) for x, value in tuples]
    for x, value in checked:
        x.assign(value)


def _value_for(x: Any, value: Any) -> np.ndarray:
    if not isinstance(x, tf.Variable):
        raise TypeError(
            f"Only variables can be set, as in K.set_value(K.variable(0.0), 1.0); got {x!r}."
        )
    array = np.asarray(value, x.dtype.as_numpy_dtype)
    if not x.shape.is_compatible_with(array.shape):
        raise ValueError(
            f"Variable {x.name!r} has shape {tuple(x.shape)}; a value of shape {array.shape} "
            "was given. np.reshape or np.broadcast_to makes one that fits."
        )
    return array


# ---------------------------------------------------------------- updates


def update(x: Any, new_x: Tensor) -> Any:
    """x ← new_x; returns the variable, or the pair (x, new_x) while a model is built or runs.

    Such a pair is what ``Layer.add_update`` and the updates of ``K.function`` take.

    >>> float(update(tf.Variable(1.0), 5.0))
    5.0
    """
    if is_symbolic(new_x) or current_call() is not None:
        return (x, new_x)
    return x.assign(tf.cast(new_x, x.dtype))


def update_add(x: Any, increment: Tensor) -> Any:
    """x ← x + increment; returns what :func:`update` does.

    >>> float(update_add(tf.Variable(1.0), 5.0))
    6.0
    """
    return update(x, increment + x)


def update_sub(x: Any, decrement: Tensor) -> Any:
    """x ← x − decrement; returns what :func:`update` does.

    >>> float(update_sub(tf.Variable(1.0), 5.0))
    -4.0
    """
    return update(x, -decrement + x)


def moving_average_update(x: Any, value: Tensor, momentum: Tensor) -> Any:
    """x ← momentum · x + (1 − momentum) · value; returns what :func:`update` does.

    >>> float(moving_average_update(tf.Variable(1.0), 2.0, 0.75))
    1.25
    """
    return update(x, _moved_average(x, value, momentum))


@operation
def _moved_average(x: Any, value: Tensor, momentum: Tensor) -> Tensor:
    rest = 1.0 - momentum
    if not isinstance(rest, float):
        rest = tf.cast(rest, x.dtype)
    return x - (x - tf.cast(value, x.dtype)) * rest


# ---------------------------------------------------------------- printing


@operation
def print_tensor(x: Tensor, message: str = "", summarize: int = 3) -> Tensor:
    """x itself, printed whenever it is computed.

    Args:
        x: a tensor; use what is returned, or nothing is printed in a compiled step.
        message: words before the values.
        summarize: how many elements at each end of an axis are shown, −1 for all.

    >>> print_tensor(tf.constant([1, 2]), 'x is:').shape  # doctest: +SKIP
    x is: [1 2]
    TensorShape([2])
    """
    if isinstance(x, Sequence):
        x = tf.convert_to_tensor(x)
    printed = tf.print(message, x, output_stream=sys.stdout, summarize=summarize)
    with tf.control_dependencies([] if printed is None else [printed]):
        return tf.identity(x)
