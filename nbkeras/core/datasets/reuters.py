"""Reuters: 11,228 newswires on 46 topics."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..engine.spelling import rename_old
from .files import STORE, fetch, read_npz, read_words
from .splits import Split, check_split, shuffled, split_at
from .word_sequences import Words, as_array

__all__ = ["get_word_index", "load_data"]

ORIGIN = STORE + "reuters.npz"
HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
WORDS_ORIGIN = STORE + "reuters_word_index.json"
WORDS_HASH = "4d44cc38712099c9e383dc6e5f11a921"


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Split:
    """Reuters: 11,228 newswires on 46 topics, each a list of word numbers.

    Words are numbered as in :func:`keras.datasets.imdb.load_data`.

    Args:
        path: the file's name in ``~/.keras/datasets``; it is downloaded if it is not there.
        num_words: numbers from here on stand for rare words, and become ``oov_char``.
        skip_top: numbers below are the most frequent words, and become ``oov_char``.
        maxlen: longer newswires, and those of this length, are left out.
        test_split: the share to test with.
        seed: of the order of the newswires.
        start_char: the number every newswire begins with; ``None`` for none.
        oov_char: the number of words that are left out; ``None`` leaves no trace of them.
        index_from: what is added to every word's number.
        **kwargs: ``nb_words``, the older name of ``num_words``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists, and topics, both (samples,).

    Raises:
        OSError: the file cannot be downloaded.
        ValueError: no newswire is shorter than ``maxlen``, or the file is not what it should be.

    >>> (x_train, y_train), (x_test, y_test) = load_data(test_split=0.1)  # doctest: +SKIP

    Source: Keras 2 manual, chapter 12.4.
    """
    older = rename_old("load_data", {"nb_words": "num_words"}, kwargs, load_data.__annotations__)
    num_words = older.get("num_words", num_words)
    check_split(test_split)
    words = Words(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    x, y = read_npz(fetch(path, ORIGIN, HASH), "x", "y")
    x, y = shuffled(x, y, np.random.RandomState(seed))
    texts, y = words.short(words.shifted(x), y)
    return split_at(as_array(words.limited(texts)), y, test_split)


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, without ``index_from``.

    Args:
        path: the file's name in ``~/.keras/datasets``; it is downloaded if it is not there.

    Raises:
        OSError: the file cannot be downloaded.

    >>> get_word_index()["the"]  # doctest: +SKIP
    1

    Source: Keras 2 manual, chapter 12.4.
    """
    return read_words(fetch(path, WORDS_ORIGIN, WORDS_HASH))
