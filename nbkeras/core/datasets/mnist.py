"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

import os

from .files import STORE, fetch, read_npz
from .splits import Split

__all__ = ["load_data"]

ORIGIN = STORE + "mnist.npz"
HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str | os.PathLike[str] = "mnist.npz") -> Split:
    """MNIST: 60,000 digits to train on and 10,000 to test with, in 10 classes.

    Args:
        path: the file's name in ``~/.keras/datasets``; it is downloaded if it is not there.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: gray images, (samples, 28, 28), and digits,
        (samples,), both uint8.

    Raises:
        OSError: the file cannot be downloaded.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape, y_train.shape  # doctest: +SKIP
    ((60000, 28, 28), (60000,))

    Source: Keras 2 manual, chapter 12.5; LeCun et al., 1998.
    """
    file = fetch(path, ORIGIN, HASH)
    x_train, y_train, x_test, y_test = read_npz(file, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
