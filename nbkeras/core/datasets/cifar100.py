"""CIFAR-100: 60,000 small pictures of 100 things in 20 groups."""

from __future__ import annotations

import numpy as np

from .cifar import as_images, load_batch
from .files import fetch_folder
from .splits import Split

__all__ = ["load_data"]

ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> Split:
    """CIFAR-100: 50,000 pictures to train on and 10,000 to test with.

    The files are kept in ``~/.keras/datasets/cifar-100-python``.

    Args:
        label_mode: ``"fine"`` for 100 classes, ``"coarse"`` for the 20 groups they are in.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: colour images, uint8 (samples, 32, 32, 3), or
        (samples, 3, 32, 32) with ``image_data_format() == 'channels_first'``, and classes,
        int64 (samples, 1).

    Raises:
        OSError: the file cannot be downloaded.
        ValueError: the label mode is another, or a batch is not what it should be; nothing in
            it was run.

    >>> (x_train, y_train), (x_test, y_test) = load_data("coarse")  # doctest: +SKIP

    Source: Keras 2 manual, chapter 12.2; Krizhevsky, 2009.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            "label_mode is 'fine' or 'coarse', as in load_data(label_mode='fine'); "
            f"got {label_mode!r}."
        )
    folder = fetch_folder("cifar-100-python", ORIGIN, HASH, ("train", "test"))
    parts = [load_batch(folder / name, f"{label_mode}_labels") for name in ("train", "test")]
    train, test = ((as_images(x), np.array(y, np.int64).reshape(-1, 1)) for x, y in parts)
    return train, test
