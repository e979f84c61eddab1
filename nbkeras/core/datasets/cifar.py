"""The format of CIFAR-10 and CIFAR-100: pickled batches in a tar file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..config import image_data_format
from .files import read_pickle

__all__ = ["as_images", "load_batch"]


def load_batch(
    fpath: str | os.PathLike[str], label_key: str = "labels"
) -> tuple[np.ndarray, list[int]]:
    """One batch of CIFAR, read as plain data: a pickle that would run anything is refused.

    Args:
        fpath: the file.
        label_key: which labels.

    Returns:
        Images, uint8 (samples, 3, 32, 32), and the list of their labels.

    Raises:
        ValueError: the file is no such batch.
    """
    batch = read_pickle(fpath)
    data, labels = _entry(batch, "data"), _entry(batch, label_key)
    if (
        not isinstance(data, np.ndarray)
        or data.dtype != np.uint8
        or data.ndim != 2
        or data.shape[1] != 3 * 32 * 32
        or not isinstance(labels, list)
        or len(labels) != len(data)
        or not {int}.issuperset(map(type, labels))
    ):
        raise ValueError(
            f"{os.fspath(fpath)!r} is no batch of CIFAR: it has not rows of 3072 bytes under "
            f"'data' and as many numbers under {label_key!r}. Delete it and call load_data() again."
        )
    return data.reshape(-1, 3, 32, 32), labels


def _entry(batch: Any, key: str) -> Any:
    """The value of a key, which Python 2 wrote as bytes."""
    return batch.get(key.encode(), batch.get(key)) if isinstance(batch, dict) else None


def as_images(x: np.ndarray) -> np.ndarray:
    """Images with their channels where the session has them."""
    return x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x
