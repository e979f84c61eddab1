"""Utilities on NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["normalize", "to_categorical"]


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Whole-number labels as one-hot rows.

    Args:
        y: labels from 0 on, of any shape; a last axis of size 1 is dropped.
        num_classes: how many classes there are, by default one more than the largest label.
        dtype: the type of the result.

    Returns:
        An array of the labels' shape with an axis of classes at the end.

    Raises:
        ValueError: a label is not a whole number from 0 to ``num_classes - 1``.

    >>> to_categorical([0, 2], num_classes=3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]

    Source: Keras 2 manual, chapter 20.
    """
    given = np.asarray(y)
    labels = given.astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(num_classes) if num_classes else int(labels.max(initial=-1)) + 1
    if not np.array_equal(labels, given.reshape(labels.shape)) or labels.min(initial=0) < 0:
        raise ValueError("to_categorical takes whole-number labels from 0 on, such as [0, 2, 1].")
    if labels.max(initial=0) >= max(count, 1):
        raise ValueError(
            f"to_categorical: the label {labels.max()} does not fit num_classes={count}; write "
            f"num_classes={labels.max() + 1}."
        )
    return np.eye(count, dtype=dtype)[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    r"""An array divided by its norm along an axis, :math:`x / \lVert x \rVert_p`.

    Args:
        x: the array.
        axis: the axis along which the norm is taken.
        order: the norm's :math:`p`, 2 for the Euclidean one.

    Returns:
        The array; where the norm is 0, it is left as it is.

    >>> normalize([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]

    Source: Keras 2 manual, chapter 20.
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm = np.where(norm == 0, 1, norm)
    return np.asarray(x) / np.expand_dims(norm, axis)
