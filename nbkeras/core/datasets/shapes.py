"""Images of shapes, drawn as they are asked for: pictures to classify without a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..config import normalize_data_format
from .splits import Split, check_split, split_at

__all__ = ["make_shapes"]

BLOCK = 512
"""Images that are drawn at once: what they need in between stays small."""


# ---------------------------------------------------------------- shapes
# For points in units of the shape's radius: below 0 inside, else how far outside.


def _circle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) - 0.85


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(x), np.abs(y)) - 0.75


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slanted = np.abs(x) * np.sqrt(0.75)
    return np.maximum(-y, slanted + y / 2) - 0.5


def _cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = np.abs(x), np.abs(y)
    return np.maximum(np.maximum(x, y) - 0.95, np.minimum(x, y) - 0.28)


def _ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(x, y) - 0.7) - 0.2


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    radius, fifth = np.hypot(x, y), 2 * np.pi / 5
    angle = np.abs((np.arctan2(x, y) + fifth / 2) % fifth - fifth / 2)  # from the nearest tip
    dent = 0.42 * np.exp(1j * fifth / 2)
    normal = 1j * (1 - dent) / abs(1 - dent)
    return (radius * np.cos(angle) - 1) * normal.real + radius * np.sin(angle) * normal.imag


SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "cross": _cross,
    "ring": _ring,
    "star": _star,
}


# ---------------------------------------------------------------- images


def make_shapes(
    num_samples: int = 2000,
    size: int = 32,
    shapes: Sequence[str] = ("circle", "square", "triangle", "cross"),
    channels: int = 1,
    noise: float = 0.05,
    test_split: float = 0.2,
    seed: int = 113,
    data_format: str | None = None,
) -> Split:
    """Images of shapes, each of a random size, place, angle and colour, with noise.

    As many images of every shape; a small convolutional network learns the default set in
    seconds, a dense one only part of it. The same arguments give the same images.

    Args:
        num_samples: how many images.
        size: their width and height in pixels, 8 or more.
        shapes: the classes: of ``"circle"``, ``"square"``, ``"triangle"``, ``"cross"``,
            ``"ring"`` and ``"star"``. An image's label is the place of its shape in here.
        channels: 1 for gray images, 3 for coloured ones.
        noise: the standard deviation of the noise, white minus black being 1.
        test_split: the share to test with.
        seed: of all that is random.
        data_format: ``"channels_last"`` or ``"channels_first"``; the session's by default.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images, (samples, size, size, channels) or
        (samples, channels, size, size), and labels, (samples,), both uint8.

    Raises:
        ValueError: an argument is out of its range.

    >>> (x_train, y_train), (x_test, y_test) = make_shapes(500, size=16)
    >>> x_train.shape, y_train.shape, x_test.shape
    ((400, 16, 16, 1), (400,), (100, 16, 16, 1))
    >>> sorted(set(y_train.tolist()))
    [0, 1, 2, 3]
    """
    check_split(test_split)
    last = normalize_data_format(data_format) == "channels_last"
    check_kinds("shapes", shapes, SHAPES)
    check_count("num_samples", num_samples, 1)
    check_count("size", size, 8)
    if channels not in (1, 3):
        raise ValueError(f"channels is 1 for gray or 3 for colour; got {channels!r}.")
    check_noise(noise)
    random = np.random.RandomState(seed)
    labels = random.permutation(num_samples) % len(shapes)
    blocks = [
        _drawn(labels[start : start + BLOCK], size, shapes, channels, noise, random)
        for start in range(0, num_samples, BLOCK)
    ]
    x = np.concatenate(blocks)
    x = np.ascontiguousarray(x if last else x.transpose(0, 3, 1, 2))
    return split_at(x, labels.astype(np.uint8), test_split)


def _drawn(
    labels: np.ndarray,
    size: int,
    shapes: Sequence[str],
    channels: int,
    noise: float,
    random: np.random.RandomState,
) -> np.ndarray:
    """Images of these labels, (samples, size, size, channels)."""
    count = len(labels)
    radius, place, angle, low, high = _looks(count, channels, random)
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    x = (grid[None, None, :] - place[0]) / radius
    y = (grid[None, :, None] - place[1]) / radius
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    distance = np.empty((count, size, size))
    for label, shape in enumerate(shapes):
        rows = labels == label
        distance[rows] = SHAPES[shape](x[rows], y[rows])
    # A pixel on the edge is covered in part.
    covered = np.clip(0.5 - distance * radius * size / 2, 0, 1)[..., None]
    images = low + (high - low) * covered
    images = images + noise * random.standard_normal(images.shape)
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def _looks(
    count: int, channels: int, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Radius, centre, angle, background and colour of each image."""
    radius = random.uniform(0.4, 0.75, (count, 1, 1))
    place = random.uniform(-1, 1, (2, count, 1, 1)) * (1 - radius)
    angle = random.uniform(0, 2 * np.pi, (count, 1, 1))
    low = random.uniform(0, 0.35, (count, 1, 1, channels))
    high = random.uniform(0.55, 1, (count, 1, 1, channels))
    return radius, place, angle, low, high


# ---------------------------------------------------------------- checks


def check_kinds(name: str, given: Sequence[str], known: dict[str, Callable]) -> None:
    """Refuse classes that are not known, twice there, or less than two."""
    if isinstance(given, str) or len(given) < 2 or len(set(given)) < len(given):
        raise ValueError(
            f"{name} is a list of two or more, as in {name}={list(known)[:2]}; got {given!r}."
        )
    for kind in given:
        if kind not in known:
            raise ValueError(f"{name} are of {', '.join(map(repr, known))}; got {kind!r}.")


def check_count(name: str, value: int, least: int) -> None:
    """Refuse what is no whole number of at least so much."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} is a whole number, {least} or more; got {value!r}.")


def check_noise(noise: float) -> None:
    """Refuse a standard deviation that is none."""
    if not isinstance(noise, int | float | np.number) or not 0 <= noise < np.inf:
        raise ValueError(f"noise is a standard deviation, 0 or more; got {noise!r}.")
