"""Memory that NumPy and TensorFlow share, so that large data are not there twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["WORTH_SHARING", "can_share", "empty", "on_gpu", "to_tensor"]

ALIGNMENT = 64
"""Bytes that TensorFlow's kernels, and XLA's, expect the address of a tensor to divide by."""

WORTH_SHARING = 2**20
"""Below this many bytes a copy costs less than the handing over."""


def empty(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """An array without content at an address that TensorFlow can share.

    >>> empty((3, 5), "float32").ctypes.data % ALIGNMENT
    0
    """
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def on_gpu() -> bool:
    """Whether tensors lie in a GPU's memory."""
    return bool(tf.config.list_logical_devices("GPU"))


def can_share(array: np.ndarray, dtype: Any) -> bool:
    """Whether a tensor of a type can use an array's own memory."""
    return (
        array.dtype == np.dtype(dtype)
        and array.dtype.kind in "fiu"
        and array.dtype.isnative
        and array.flags.c_contiguous
        and array.flags.writeable  # NumPy does not hand out what may not be written to
        and array.ctypes.data % ALIGNMENT == 0
        and not on_gpu()
    )


def to_tensor(array: np.ndarray, dtype: Any) -> Any:
    """An array as a tensor of a type: its own memory where that can be, else one copy.

    The tensor keeps the memory alive. What is written into a shared array is seen in
    the tensor.

    >>> array = empty((512, 1024), "float32")
    >>> tensor = to_tensor(array, "float32")
    >>> array[2, 3] = 7
    >>> float(tensor[2, 3])
    7.0
    """
    if array.nbytes < WORTH_SHARING:
        return tf.constant(np.ascontiguousarray(array, dtype=dtype))
    if not can_share(array, dtype):
        if array.dtype == np.dtype(dtype) and array.flags.c_contiguous:
            return tf.convert_to_tensor(array)
        copy = empty(array.shape, dtype)
        np.copyto(copy, array, casting="unsafe")
        array = copy
        if not can_share(array, dtype):
            return tf.convert_to_tensor(array)
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
