"""Dividing by a norm or by a deviation."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ._typing import Axis, Tensor
from .symbolic import operation

__all__ = [
    "batch_normalization",
    "l2_normalize",
    "normalize_batch_in_training",
]


@operation
def l2_normalize(x: Tensor, axis: Axis = None) -> Tensor:
    """x / √max(Σ x², 1e-12) along axes.

    >>> l2_normalize([3.0, 4.0]).numpy()
    array([0.6, 0.8], dtype=float32)
    """
    return tf.nn.l2_normalize(x, axis)


@operation
def normalize_batch_in_training(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    reduction_axes: Sequence[int],
    epsilon: float = 0.001,
) -> tuple[Tensor, Tensor, Tensor]:
    """γ (x − μ) / √(σ² + ε) + β with the mean μ and variance σ² of this batch.

    Args:
        x: a tensor.
        gamma: the scale, or ``None`` for 1.
        beta: the offset, or ``None`` for 0.
        reduction_axes: the axes that μ and σ² are taken over.
        epsilon: added to the variance.

    Returns:
        The normalized tensor, μ, and σ² = Σ (x − μ)² / n.

    >>> y, mean, var = normalize_batch_in_training([[1.0], [3.0]], None, None, [0], 0.0)
    >>> y.numpy().ravel(), mean.numpy(), var.numpy()
    (array([-1.,  1.], dtype=float32), array([2.], dtype=float32), array([1.], dtype=float32))

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167.
    """
    x = tf.convert_to_tensor(x)
    rank = x.shape.rank
    axes = sorted(axis % rank for axis in reduction_axes)
    mean, var = tf.nn.moments(x, axes)
    only_last_is_kept = axes == list(range(rank - 1))
    sizes = [1 if axis in axes else size or -1 for axis, size in enumerate(x.shape)]

    def along(vector: Tensor) -> Tensor:
        return vector if vector is None or only_last_is_kept else tf.reshape(vector, sizes)

    normalized = tf.nn.batch_normalization(
        x, along(mean), along(var), along(beta), along(gamma), epsilon
    )
    return normalized, mean, var


@operation
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    beta: Tensor,
    gamma: Tensor,
    epsilon: float = 0.001,
    axis: int = -1,
) -> Tensor:
    """γ (x − μ) / √(σ² + ε) + β with given mean μ and variance σ².

    Args:
        x: a tensor.
        mean: μ, along the axis or so that it broadcasts; so are the next three.
        var: σ².
        beta: the offset, or ``None`` for 0.
        gamma: the scale, or ``None`` for 1.
        epsilon: added to the variance.
        axis: the axis that vectors of one axis lie along.

    >>> batch_normalization([[1.0, 5.0]], [1.0, 3.0], [1.0, 4.0], None, None, 0.0).numpy()
    array([[0., 1.]], dtype=float32)

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167.
    """
    x = tf.convert_to_tensor(x)
    rank = x.shape.rank
    last = axis == -1 or axis + 1 == rank

    def along(vector: Tensor) -> Tensor:
        if vector is None:
            return None
        vector = tf.convert_to_tensor(vector)
        if last or vector.shape.rank != 1:
            return vector
        return tf.reshape(vector, (-1, *(1,) * (rank - 1 - axis % rank)))

    return tf.nn.batch_normalization(x, along(mean), along(var), along(beta), along(gamma), epsilon)
