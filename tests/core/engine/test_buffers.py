"""Memory that a tensor and an array share: when, and for how long."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core.engine import buffers


def shared(array: np.ndarray, tensor: Any) -> bool:
    """Whether what is written into the array is seen in the tensor."""
    array.flat[5] = 123
    return float(tf.reshape(tensor, [-1])[5]) == 123


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "WORTH_SHARING", 0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "uint8", "int64"])
@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4)])
def test_aligned_memory_is_shared(dtype: str, shape: tuple[int, ...]) -> None:
    array = buffers.empty(shape, dtype)
    array[...] = np.arange(array.size).reshape(shape)
    tensor = buffers.to_tensor(array, dtype)
    np.testing.assert_array_equal(tensor.numpy(), array)
    assert (tensor.shape, tensor.dtype.name) == (shape, dtype)
    assert shared(array, tensor)


def test_the_tensor_keeps_the_memory() -> None:
    array = buffers.empty((1000, 100), "float32")
    array[:] = 4
    tensor = buffers.to_tensor(array, "float32")
    del array
    gc.collect()
    others = [np.full((1000, 100), 9, np.float32) for _ in range(20)]
    assert float(tf.reduce_sum(tensor)) == 400_000
    assert len(others) == 20


def aligned(dtype: str = "float32") -> np.ndarray:
    array = buffers.empty((8, 16), dtype)
    array[:] = np.arange(128).reshape(8, 16)
    return array


def off_by_four() -> np.ndarray:
    array = buffers.empty((200,), "float32")[1:129].reshape(8, 16)
    array[:] = np.arange(128).reshape(8, 16)
    return array


def read_only() -> np.ndarray:
    array = aligned()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "make",
    [
        off_by_four,
        read_only,
        lambda: aligned("float64"),
        lambda: aligned("uint8"),
        lambda: aligned()[:, ::2],
        lambda: np.asfortranarray(aligned()),
        lambda: aligned().astype(">f4"),
        lambda: aligned() > 20,
    ],
    ids=["address", "read-only", "float64", "uint8", "strided", "fortran", "big-endian", "bool"],
)
def test_what_cannot_be_shared_is_copied(make: Any) -> None:
    array = make()
    assert not buffers.can_share(array, "float32")
    tensor = buffers.to_tensor(array, "float32")
    assert tensor.dtype == tf.float32
    np.testing.assert_array_equal(tensor.numpy(), array.astype("float32"))
    if array.flags.writeable:
        assert not shared(array, tensor)
