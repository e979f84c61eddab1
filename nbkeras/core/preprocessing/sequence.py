"""Sequences: padding, skip-grams, windows of time series (Keras 2 manual, 6.1)."""

from __future__ import annotations

import importlib
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .timeseries import TimeseriesGenerator, timeseries_generator_from_json

__all__ = [
    "TimeseriesGenerator",
    "make_sampling_table",
    "pad_sequences",
    "skipgrams",
    "timeseries_generator_from_json",
]

# The Euler-Mascheroni constant, to the digits that published tables were made with.
_GAMMA = 0.577


def __getattr__(name: str) -> Any:
    # A generator is a Sequence of the engine, which stands on TensorFlow; padding needs none.
    if name in ("TimeseriesGenerator", "timeseries_generator_from_json"):
        return getattr(importlib.import_module(".timeseries", __package__), name)
    raise AttributeError(f"{__name__} has no {name!r}; it has {', '.join(__all__)}.")


# ---------------------------------------------------------------- padding


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as one array.

    Args:
        sequences: lists or arrays; the elements may be arrays of one shape.
        maxlen: length of all rows; by default that of the longest sequence.
        dtype: type of the result; `object` for strings of any length.
        padding: where short sequences are filled up, `'pre'` or `'post'`.
        truncating: where long sequences are cut, `'pre'` or `'post'`.
        value: what fills.

    Returns:
        An array `(len(sequences), maxlen, *shape of an element)`.

    Raises:
        ValueError: an argument is none of these, or elements differ in shape.

    Example:
        >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
        array([[0, 1],
               [3, 4]], dtype=int32)

    Source: Keras 2 manual, chapter 6.1.1.
    """
    _check_side("padding", padding)
    _check_side("truncating", truncating)
    lengths = _lengths(sequences)
    if isinstance(value, str) and not _holds_text(dtype):
        raise ValueError(
            f"value is the text {value!r}, which {np.dtype(dtype).name} cannot hold; write "
            f"pad_sequences(..., dtype=object, value={value!r})."
        )
    longest = max(lengths, default=0)
    maxlen = longest if maxlen is None else int(maxlen)
    if maxlen < 0:
        raise ValueError(f"maxlen is a length, as in maxlen=10; got {maxlen}.")
    full = next((s for s, n in zip(sequences, lengths, strict=True) if n), ())
    shape = np.asarray(full).shape[1:]

    result = np.full((len(lengths), maxlen, *shape), value, dtype=dtype)
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(length, maxlen)
        if not length:
            continue
        part = sequence[length - kept :] if truncating == "pre" else sequence[:kept]
        array = np.asarray(part, dtype=dtype)
        if kept and array.shape[1:] != shape:
            raise ValueError(
                f"The elements of all sequences have one shape, here {shape}; those of sequence "
                f"{row} have {array.shape[1:]}."
            )
        start = maxlen - kept if padding == "pre" else 0
        if kept:
            result[row, start : start + kept] = array
    return result


def _check_side(name: str, value: str) -> None:
    if value not in ("pre", "post"):
        raise ValueError(f"{name} is 'pre' or 'post', as in {name}='post'; got {value!r}.")


def _lengths(sequences: Sequence[Any]) -> list[int]:
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"sequences is a list of lists; got {type(sequences).__name__}. For an iterator, "
            "write pad_sequences(list(sequences))."
        )
    for place, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"sequences is a list of lists, as in [[1, 2], [3]]; number {place} is {sequence!r}"
                "."
            )
    return [len(sequence) for sequence in sequences]


def _holds_text(dtype: Any) -> bool:
    kind = np.dtype(dtype)
    return kind == np.dtype(object) or np.issubdtype(kind, np.str_)


# ---------------------------------------------------------------- skip-grams


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Probabilities with which the words of a vocabulary are kept, the commonest first.

    Word frequencies are taken to follow Zipf's law, `1/f(r) = r (log r + γ) + 1/2 - 1/(12 r)`
    for rank `r`; a word is kept with probability `min(1, sqrt(sampling_factor / f))`.

    Args:
        size: number of words.
        sampling_factor: the smaller, the more seldom are common words kept; 1 keeps all.

    Returns:
        An array `(size,)`. Index 0, which is no word, has the value of rank 1.

    Example:
        >>> make_sampling_table(4).round(5).tolist()
        [0.00315, 0.00315, 0.00548, 0.00742]

    Source: Mikolov et al., Distributed Representations of Words and Phrases, 2013.
    """
    rank = np.maximum(np.arange(size), 1)
    inverse_frequency = rank * (np.log(rank) + _GAMMA) + 0.5 - 1.0 / (12.0 * rank)
    ratio = sampling_factor * inverse_frequency
    return np.minimum(1.0, ratio / np.sqrt(ratio))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of neighbouring words, label 1, and pairs with a random word, label 0.

    Draws come from Python's generator, `random`. A shuffle seeds it, with `seed` or
    with a number drawn from it.

    Args:
        sequence: numbers of words; 0 is no word and is left out.
        vocabulary_size: number of words, 0 included.
        window_size: greatest distance of two neighbours.
        negative_samples: random pairs for each true one.
        shuffle: whether pairs are shuffled, or true ones come first, in order.
        categorical: whether labels are `[0, 1]` and `[1, 0]` instead of 1 and 0.
        sampling_table: probability of each word to be kept as the middle of a window,
            see :func:`make_sampling_table`.
        seed: seed of the shuffle.

    Returns:
        The pairs and their labels.

    Example:
        >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
        ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])

    Source: Mikolov et al., Efficient Estimation of Word Representations, 2013.
    """
    couples = [
        [word, sequence[j]]
        for i, word in enumerate(sequence)
        if word and (sampling_table is None or sampling_table[word] >= random.random())
        for j in range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        if j != i and sequence[j]
    ]
    true, false = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [true] * len(couples)

    if negative_samples > 0:
        count = int(len(couples) * negative_samples)
        words = [word for word, _ in couples]
        random.shuffle(words)
        couples += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)
        ]
        labels += [false] * count

    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for together in (couples, labels):  # the same seed gives both the same order
            random.seed(seed)
            random.shuffle(together)
    return couples, [list(label) for label in labels] if categorical else labels
