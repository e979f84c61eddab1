"""Products of matrices, of tensors, and of batches of them."""

from __future__ import annotations

import tensorflow as tf

from ._typing import Tensor
from .facts import ndim
from .precision import product
from .symbolic import operation

__all__ = ["batch_dot", "dot"]


@operation
@product("x", "y")
def dot(x: Tensor, y: Tensor) -> Tensor:
    """Σₖ x[…, k] y[…, k, j]: the last axis of x against the last but one of y.

    (2, 3) · (3, 4) → (2, 4);  (2, 3) · (4, 3, 5) → (2, 4, 5).

    Args:
        x: a tensor, dense or (with two axes) sparse.
        y: a tensor; of one axis, that axis is summed over.

    >>> dot([[1.0, 2.0]], [[3.0], [4.0]]).numpy()
    array([[11.]], dtype=float32)
    >>> dot(tf.ones((2, 3)), tf.ones((4, 3, 5))).shape
    TensorShape([2, 4, 5])

    Source: Keras 2 manual, chapter 14.
    """
    if isinstance(x, tf.SparseTensor):
        return tf.sparse.sparse_dense_matmul(x, y)
    rank = ndim(y)
    if rank == 2 and ndim(x) == 2:
        return tf.matmul(x, y)
    if rank is None:
        raise ValueError(
            f"K.dot needs to know how many axes its second tensor has; got {y!r}. "
            "Reshape it, or declare its shape."
        )
    return tf.tensordot(x, y, [[-1], [max(rank - 2, 0)]])


@operation
@product("x", "y")
def batch_dot(
    x: Tensor, y: Tensor, axes: int | tuple[int, int] | list[int] | None = None
) -> Tensor:
    """z[n] = Σₖ x[n, …, k, …] y[n, …, k, …]: one dot product for every sample.

    The shape of the result is x's without its summed axis, then y's without its
    batch and summed axes; if only the batch axis would be left, an axis of size
    1 follows it. (100, 20) and (100, 30, 20) with axes (1, 2) give (100, 30).

    Args:
        x: a tensor of two or more axes, the first the batch.
        y: another.
        axes: the axis of each that is summed over, or one number for both. By
            default the last of x, and of y the last but one, or the last if y
            has two axes.

    Raises:
        ValueError: fewer than two axes, the batch axis summed, or sizes that differ.

    >>> batch_dot([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], axes=1).numpy()
    array([[17.],
           [53.]], dtype=float32)

    Source: Keras 2 manual, chapter 14.
    """
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    x_shape, y_shape = (None if t.shape.rank is None else t.shape.as_list() for t in (x, y))
    x_axis, y_axis = _summed_axes(x_shape, y_shape, axes)
    x_rank, y_rank = x.shape.rank, y.shape.rank
    if x_rank == 2 and y_rank == 2:
        return tf.reduce_sum(x * y, axis=1, keepdims=True)
    if x_rank == 3 and y_rank == 3:
        return tf.matmul(x, y, transpose_a=x_axis == 1, transpose_b=y_axis == 2)
    # n: the batch, k: summed over, other letters: kept.
    letters = "abcdefghijlmopqrstuvwxyz"
    x_names = ["n", *letters[: x_rank - 1]]
    y_names = ["n", *letters[x_rank - 1 : x_rank + y_rank - 2]]
    x_names[x_axis] = y_names[y_axis] = "k"
    kept = [name for name in x_names + y_names[1:] if name != "k"]
    return tf.einsum(f"{''.join(x_names)},{''.join(y_names)}->{''.join(kept)}", x, y)


def _summed_axes(
    x_shape: list[int | None] | None,
    y_shape: list[int | None] | None,
    axes: int | tuple[int, int] | list[int] | None,
) -> tuple[int, int]:
    """The two axes to sum over, counted from 0, after every check."""

    def error(problem: str) -> ValueError:
        return ValueError(f"K.batch_dot of shapes {_told(x_shape)} and {_told(y_shape)}: {problem}")

    if x_shape is None or y_shape is None or len(x_shape) < 2 or len(y_shape) < 2:
        raise error(
            "both need two or more axes, the first of them the batch. K.expand_dims(x) adds one."
        )
    x_rank, y_rank = len(x_shape), len(y_shape)
    if axes is None:
        axes = (x_rank - 1, 1 if y_rank == 2 else y_rank - 2)
    elif isinstance(axes, int):
        axes = (axes, axes)
    if len(axes) != 2 or not all(isinstance(axis, int) for axis in axes):
        raise error(f"axes is one number or two, as in axes=(1, 2); got {axes!r}.")
    x_axis, y_axis = axes
    if not -x_rank <= x_axis < x_rank or not -y_rank <= y_axis < y_rank:
        raise error(f"axes {tuple(axes)} are not among them.")
    x_axis, y_axis = x_axis % x_rank, y_axis % y_rank
    if x_axis == 0 or y_axis == 0:
        raise error(f"the batch axis 0 is not summed over; got axes {tuple(axes)}.")
    for x_size, y_size, of in (
        (x_shape[x_axis], y_shape[y_axis], f"axes {tuple(axes)}"),
        (x_shape[0], y_shape[0], "the batch axes"),
    ):
        if x_size is not None and y_size is not None and x_size != y_size:
            raise error(f"{of} have sizes {x_size} and {y_size}, which must be equal.")
    return x_axis, y_axis


def _told(shape: list[int | None] | None) -> str:
    return "unknown" if shape is None else str(tuple(shape))
