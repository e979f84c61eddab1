"""Digits: 1,797 small handwritten digits that scikit-learn brings along."""

from __future__ import annotations

import numpy as np

from .splits import Split, check_split, shuffled, split_at

__all__ = ["load_data"]


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """Digits: 1,797 handwritten digits in 10 classes; no download.

    A small brother of MNIST: the same loading call, the same forms, 8 pixels instead of 28.

    Args:
        test_split: the share to test with.
        seed: of the order of the digits.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: gray images, (samples, 8, 8) from 0 to 16,
        and digits, (samples,), both uint8.

    Raises:
        ImportError: scikit-learn is not installed.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train.shape, x_test.shape
    ((1437, 8, 8), (1437,), (360, 8, 8))
    >>> int(x_train.max())
    16

    Source: ``sklearn.datasets.load_digits``; Alpaydin and Kaynak, 1998.
    """
    check_split(test_split)
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "The digits come with scikit-learn, which is not installed: pip install scikit-learn. "
            "keras.datasets.make_shapes() needs nothing."
        ) from error
    digits = load_digits()
    x, y = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    return split_at(*shuffled(x, y, np.random.RandomState(seed)), test_split)
