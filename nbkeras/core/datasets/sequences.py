"""Waves of several forms, made as they are asked for: sequences to classify without a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .shapes import check_count, check_kinds, check_noise
from .splits import Split, check_split, split_at

__all__ = ["make_sequences"]

# For a time in periods: a value from -1 to 1.
WAVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sine": lambda time: np.sin(2 * np.pi * time),
    "square": lambda time: np.where(time % 1 < 0.5, 1.0, -1.0),
    "sawtooth": lambda time: 2 * (time % 1) - 1,
    "triangle": lambda time: 1 - 4 * np.abs(time % 1 - 0.5),
}


def make_sequences(
    num_samples: int = 2000,
    length: int = 64,
    waves: Sequence[str] = ("sine", "square", "sawtooth"),
    noise: float = 0.1,
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Waves, each of a random period, phase and height, with noise: which form is it?

    As many sequences of every form; no single step tells it, so a network must look at several.
    The same arguments give the same sequences.

    Args:
        num_samples: how many sequences.
        length: of each, in steps, 8 or more. A period is from an eighth to half of it, and
            four steps at least.
        waves: the classes: of ``"sine"``, ``"square"``, ``"sawtooth"`` and ``"triangle"``. A
            sequence's label is the place of its form in here.
        noise: the standard deviation of the noise; waves are 0.5 to 1 high.
        test_split: the share to test with.
        seed: of all that is random.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: sequences, float32 (samples, length, 1), and
        labels, uint8 (samples,).

    Raises:
        ValueError: an argument is out of its range.

    >>> (x_train, y_train), (x_test, y_test) = make_sequences(500, length=32)
    >>> x_train.shape, y_train.shape, x_test.shape
    ((400, 32, 1), (400,), (100, 32, 1))
    """
    check_split(test_split)
    check_kinds("waves", waves, WAVES)
    check_count("num_samples", num_samples, 1)
    check_count("length", length, 8)
    check_noise(noise)
    random = np.random.RandomState(seed)
    labels = random.permutation(num_samples) % len(waves)
    shortest = max(4.0, length / 8)
    period = random.uniform(shortest, max(shortest, length / 2), (num_samples, 1))
    phase = random.uniform(0, 1, (num_samples, 1))
    height = random.uniform(0.5, 1, (num_samples, 1))
    time = np.arange(length) / period + phase
    x = np.empty((num_samples, length))
    for label, wave in enumerate(waves):
        rows = labels == label
        x[rows] = WAVES[wave](time[rows])
    x = height * x + noise * random.standard_normal(x.shape)
    return split_at(x[..., None].astype(np.float32), labels.astype(np.uint8), test_split)
