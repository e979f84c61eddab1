"""IMDB: 50,000 reviews of films, for or against."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..engine.spelling import rename_old
from .files import STORE, fetch, read_npz, read_words
from .splits import Split, shuffled
from .word_sequences import Words, as_array

__all__ = ["get_word_index", "load_data"]

ORIGIN = STORE + "imdb.npz"
HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORDS_ORIGIN = STORE + "imdb_word_index.json"
WORDS_HASH = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str | os.PathLike[str] = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Split:
    """IMDB: 25,000 reviews to train on and 25,000 to test with, each a list of word numbers.

    Words are numbered by how frequent they are: 1 is the most frequent word, and in a review it
    is ``1 + index_from``. By convention 0 pads, 1 starts a review, 2 stands for another word.

    Args:
        path: the file's name in ``~/.keras/datasets``; it is downloaded if it is not there.
        num_words: numbers from here on stand for rare words, and become ``oov_char``.
        skip_top: numbers below are the most frequent words, and become ``oov_char``.
        maxlen: longer reviews, and those of this length, are left out.
        seed: of the order of the reviews.
        start_char: the number every review begins with; ``None`` for none.
        oov_char: the number of words that are left out; ``None`` leaves no trace of them.
        index_from: what is added to every word's number.
        **kwargs: ``nb_words``, the older name of ``num_words``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists, and labels, 1 for a review
        that praises, both (samples,).

    Raises:
        OSError: the file cannot be downloaded.
        ValueError: no review is shorter than ``maxlen``, or the file is not what it should be.

    >>> (x_train, y_train), (x_test, y_test) = load_data(num_words=10000)  # doctest: +SKIP

    Source: Keras 2 manual, chapter 12.3; Maas et al., 2011.
    """
    older = rename_old("load_data", {"nb_words": "num_words"}, kwargs, load_data.__annotations__)
    num_words = older.get("num_words", num_words)
    words = Words(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    names = ("x_train", "y_train", "x_test", "y_test")
    x_train, y_train, x_test, y_test = read_npz(fetch(path, ORIGIN, HASH), *names)
    random = np.random.RandomState(seed)
    parts = [shuffled(x_train, y_train, random), shuffled(x_test, y_test, random)]
    (a, y_train), (b, y_test) = (words.short(words.shifted(x), y) for x, y in parts)
    texts = words.limited(a + b)
    return (as_array(texts[: len(a)]), y_train), (as_array(texts[len(a) :]), y_test)


def get_word_index(path: str | os.PathLike[str] = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, without ``index_from``.

    Args:
        path: the file's name in ``~/.keras/datasets``; it is downloaded if it is not there.

    Raises:
        OSError: the file cannot be downloaded.

    >>> get_word_index()["the"]  # doctest: +SKIP
    1

    Source: Keras 2 manual, chapter 12.3.
    """
    return read_words(fetch(path, WORDS_ORIGIN, WORDS_HASH))
