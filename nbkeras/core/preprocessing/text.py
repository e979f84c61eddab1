"""Text: words, numbers of words, matrices of words (Keras 2 manual, 6.2)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..engine.spelling import rename_old

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

DEFAULT_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(
    text: str, filters: Iterable[str] = DEFAULT_FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """The words of a text.

    Args:
        text: the text.
        filters: characters that stand between words.
        lower: whether words are put in lower case.
        split: what separates words.

    Example:
        >>> text_to_word_sequence("Don't panic, Arthur!")
        ["don't", 'panic', 'arthur']

    Source: Keras 2 manual, chapter 6.2.1.
    """
    if lower:
        text = text.lower()
    spaced = text.translate({ord(character): split for character in filters})
    return [word for word in spaced.split(split) if word]


def one_hot(
    text: str,
    n: int,
    filters: Iterable[str] = DEFAULT_FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """The words of a text as numbers from 1 to n - 1, by Python's `hash`.

    Python's hash of a text differs from process to process; for numbers that stay,
    use :func:`hashing_trick` with `'md5'`.

    Example:
        >>> a, b, c = one_hot("to be to", 100)
        >>> a == c and 0 < a < 100
        True

    Source: Keras 2 manual, chapter 6.2.2.
    """
    return hashing_trick(text, n, hash, filters, lower, split)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: Iterable[str] = DEFAULT_FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """The words of a text as numbers from 1 to n - 1, by a hash function.

    `number = hash(word) mod (n - 1) + 1`; different words may share a number.

    Args:
        text: the text.
        n: size of the vocabulary, 0 (no word) included; at least 2.
        hash_function: a function from a word to an integer, or `'md5'`; by default
            Python's `hash`, which differs from process to process.
        filters, lower, split: see :func:`text_to_word_sequence`.

    Raises:
        ValueError: n is too small, or the hash function is none of these.

    Example:
        >>> hashing_trick("to be or not to be", 1000, "md5")
        [797, 984, 842, 39, 797, 984]

    Source: Keras 2 manual, chapter 6.2.3.
    """
    if n < 2:
        raise ValueError(f"n is the size of a vocabulary, at least 2; got {n}.")
    function = _hash_function(hash_function)
    words = text_to_word_sequence(text, filters, lower, split)
    return [function(word) % (n - 1) + 1 for word in words]


def _hash_function(given: Callable[[str], int] | str | None) -> Callable[[str], int]:
    if given is None:
        return hash
    if given == "md5":
        return _md5
    if not callable(given):
        raise ValueError(
            "hash_function is None, 'md5' or a function from a word to an integer, as in "
            f"hash_function='md5'; got {given!r}."
        )
    return given


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers for the words of texts, the commonest word first.

    Number 0 stands for no word; with an `oov_token`, that has number 1.

    Args:
        num_words: only numbers below this one are used; by default all.
        filters, lower, split: see :func:`text_to_word_sequence`.
        char_level: whether each character is a word.
        oov_token: a word that stands for all unknown ones; by default they are left out.
        document_count: texts already counted.
        **kwargs: `nb_words`, the older name of `num_words`.

    Attributes:
        word_counts: how often each word occurred.
        word_docs: in how many texts each word occurred.
        word_index, index_word: the number of each word and the word of each number.
        index_docs: in how many texts each number occurred.
        document_count: how many texts were seen.

    A text may also be a list of words, which is taken as it is.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["the cat", "the dog saw the cat"])
        >>> tokenizer.texts_to_sequences(["the dog sat"])
        [[1, 3]]

    Source: Keras 2 manual, chapter 6.2.4.
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: Iterable[str] = DEFAULT_FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        document_count: int = 0,
        **kwargs: Any,
    ) -> None:
        older = rename_old(
            "Tokenizer", {"nb_words": "num_words"}, kwargs, Tokenizer.__init__.__annotations__
        )
        self.num_words = older.get("num_words", num_words)
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.document_count = document_count
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    # ------------------------------------------------------------ learning the words

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Count the words of texts and number them, the commonest first."""
        for text in texts:
            counts = Counter(self._words(text))
            for word, count in counts.items():
                self.word_counts[word] = self.word_counts.get(word, 0) + count
                self.word_docs[word] += 1
            self.document_count += 1
        # The sort is stable: words that are equally common keep the order of their first text.
        words = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            words.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(words, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count in how many sequences each number occurs, for `'tfidf'`."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def _words(self, text: str | list[str]) -> Sequence[str]:
        if isinstance(text, str) and not self.char_level:
            return text_to_word_sequence(text, self.filters, self.lower, self.split)
        if not self.lower:
            return text
        return text.lower() if isinstance(text, str) else [word.lower() for word in text]

    # ------------------------------------------------------------ texts and numbers

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """The numbers of the words of each text; unknown words are left out or `oov_token`."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """:meth:`texts_to_sequences`, text by text."""
        unknown = self._unknown()
        known = {w: i for w, i in self.word_index.items() if self._used(i)}
        for text in texts:
            numbers = (known.get(word, unknown) for word in self._words(text))
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of each sequence of numbers, with blanks between."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """:meth:`sequences_to_texts`, sequence by sequence."""
        unknown = None if self._unknown() is None else self.oov_token
        known = {i: w for i, w in self.index_word.items() if self._used(i)}
        for sequence in sequences:
            words = (known.get(number, unknown) for number in sequence)
            yield " ".join(word for word in words if word is not None)

    def _unknown(self) -> int | None:
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def _used(self, number: int) -> bool:
        return not self.num_words or number < self.num_words

    # ------------------------------------------------------------ matrices

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """One row for each text, one column for each word; see :meth:`sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(
        self, sequences: Sequence[Sequence[int]], mode: str = "binary"
    ) -> np.ndarray:
        """One row for each sequence, one column for each number.

        With `c` occurrences in a sequence of `n`, an entry is 1 (`'binary'`), `c` (`'count'`),
        `c / n` (`'freq'`), or `(1 + log c) log(1 + N / (1 + d))` (`'tfidf'`) for a number found
        in `d` of the `N` texts that were fitted.

        Args:
            sequences: lists of numbers; those from `num_words` on are left out.
            mode: `'binary'`, `'count'`, `'freq'` or `'tfidf'`.

        Returns:
            An array `(len(sequences), num_words)`.

        Raises:
            ValueError: the mode is unknown, or nothing was fitted.

        Example:
            >>> Tokenizer(num_words=4).sequences_to_matrix([[1, 3, 3]], mode="count")
            array([[0., 1., 0., 2.]])
        """
        if mode not in MODES:
            raise ValueError(
                f"mode is one of {', '.join(map(repr, MODES))}, as in mode='count'; got {mode!r}."
            )
        if not self.num_words and not self.word_index:
            raise ValueError(
                "How many columns is not known yet: write Tokenizer(num_words=1000), or call "
                "tokenizer.fit_on_texts(texts) first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError(
                "tfidf needs to know in how many texts words occur: call "
                "tokenizer.fit_on_texts(texts) or tokenizer.fit_on_sequences(sequences) first."
            )
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in Counter(sequence).items():
                if number < columns:
                    row[number] = self._entry(mode, number, count, len(sequence))
        return matrix

    def _entry(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "binary":
            return 1
        if mode == "count":
            return count
        if mode == "freq":
            return count / length
        documents = self.index_docs.get(number, 0)
        return (1 + np.log(count)) * np.log(1 + self.document_count / (1 + documents))

    # ------------------------------------------------------------ JSON

    def get_config(self) -> dict[str, Any]:
        """Arguments and counts; the counts as JSON texts."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            **{name: json.dumps(getattr(self, name)) for name in _COUNTS},
        }

    def to_json(self, **kwargs: Any) -> str:
        """The tokenizer as a JSON text; `kwargs` go to `json.dumps`."""
        return json.dumps(
            {"class_name": type(self).__name__, "config": self.get_config()}, **kwargs
        )


_COUNTS = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that :meth:`Tokenizer.to_json` wrote.

    Example:
        >>> tokenizer = Tokenizer(oov_token="?")
        >>> tokenizer.fit_on_texts(["a rose is a rose"])
        >>> tokenizer_from_json(tokenizer.to_json()).texts_to_sequences(["a tulip"])
        [[2, 1]]
    """
    config = dict(json.loads(json_string)["config"])
    counts = {name: json.loads(config.pop(name)) for name in _COUNTS}
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts.update(counts["word_counts"])
    tokenizer.word_docs.update(counts["word_docs"])
    tokenizer.word_index.update(counts["word_index"])
    # JSON has only texts for keys.
    tokenizer.index_docs.update({int(i): n for i, n in counts["index_docs"].items()})
    tokenizer.index_word.update({int(i): w for i, w in counts["index_word"].items()})
    return tokenizer
