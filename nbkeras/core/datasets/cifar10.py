"""CIFAR-10: 60,000 small pictures of 10 things."""

from __future__ import annotations

import numpy as np

from .cifar import as_images, load_batch
from .files import fetch_folder
from .splits import Split

__all__ = ["load_data"]

ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))


def load_data() -> Split:
    """CIFAR-10: 50,000 pictures to train on and 10,000 to test with, in 10 classes.

    The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck,
    from 0 to 9. The files are kept in ``~/.keras/datasets/cifar-10-batches-py``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: colour images, (samples, 32, 32, 3), or
        (samples, 3, 32, 32) with ``image_data_format() == 'channels_first'``, and classes,
        (samples, 1), both uint8.

    Raises:
        OSError: the file cannot be downloaded.
        ValueError: a batch is not what it should be; nothing in it was run.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP

    Source: Keras 2 manual, chapter 12.1; Krizhevsky, 2009.
    """
    folder = fetch_folder("cifar-10-batches-py", ORIGIN, HASH, (*TRAIN, "test_batch"))
    images, labels = zip(*(load_batch(folder / name) for name in TRAIN), strict=True)
    x_test, y_test = load_batch(folder / "test_batch")
    y_train = np.concatenate([_column(part) for part in labels])
    return (as_images(np.concatenate(images)), y_train), (as_images(x_test), _column(y_test))


def _column(labels: list[int]) -> np.ndarray:
    return np.array(labels, np.uint8).reshape(-1, 1)
