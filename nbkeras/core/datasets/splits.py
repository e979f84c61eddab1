"""What every data set returns, and how one is shuffled and split."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

__all__ = ["Split", "check_split", "shuffled", "split_at"]

Split: TypeAlias = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""``(x_train, y_train), (x_test, y_test)``"""


def check_split(test_split: Any) -> None:
    """Refuse a share of test data that is none."""
    if not isinstance(test_split, int | float | np.number) or not 0 <= test_split < 1:
        raise ValueError(
            "test_split is a share of the samples, 0 or more and less than 1, as in "
            f"load_data(test_split=0.2); got {test_split!r}."
        )


def shuffled(x: np.ndarray, y: np.ndarray, random: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both in one new order."""
    order = np.arange(len(x))
    random.shuffle(order)
    return x[order], y[order]


def split_at(x: np.ndarray, y: np.ndarray, test_split: float) -> Split:
    """The first samples to train on, the last ``test_split`` of them to test with."""
    first = int(len(x) * (1 - test_split))
    return (x[:first], y[:first]), (x[first:], y[first:])
