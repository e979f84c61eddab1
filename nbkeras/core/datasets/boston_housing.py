"""Boston housing: prices of houses, and what they may depend on."""

from __future__ import annotations

import os

import numpy as np

from .files import STORE, fetch, read_npz
from .splits import Split, check_split, shuffled, split_at

__all__ = ["load_data"]

ORIGIN = STORE + "boston_housing.npz"
HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(
    path: str | os.PathLike[str] = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """Boston housing: 506 districts with 13 numbers each, and the median price of a house.

    One of the 13 was computed from the share of black residents, on the assumption that
    segregation raises prices: a set to learn regression with, not about houses.

    Args:
        path: the file's name in ``~/.keras/datasets``; it is downloaded if it is not there.
        test_split: the share to test with.
        seed: of the order of the districts.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: numbers, (samples, 13), and prices in
        thousands of dollars, (samples,), both float64.

    Raises:
        OSError: the file cannot be downloaded.

    >>> (x_train, y_train), (x_test, y_test) = load_data(test_split=0.1)  # doctest: +SKIP

    Source: Keras 2 manual, chapter 12.7; Harrison and Rubinfeld, 1978.
    """
    check_split(test_split)
    x, y = read_npz(fetch(path, ORIGIN, HASH), "x", "y")
    return split_at(*shuffled(x, y, np.random.RandomState(seed)), test_split)
