"""What IMDB and Reuters share: texts as lists of word ranks, and how they are filtered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Words", "as_array"]


@dataclass(frozen=True)
class Words:
    """How texts are encoded; the arguments have the names that ``load_data`` gives them."""

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int

    def shifted(self, texts: Iterable[Sequence[int]]) -> list[list[int]]:
        """The texts with ranks moved up, behind a mark of their beginning."""
        start = [] if self.start_char is None else [self.start_char]
        return [start + [word + self.index_from for word in text] for text in texts]

    def short(self, texts: list[list[int]], labels: Any) -> tuple[list[list[int]], np.ndarray]:
        """The texts of less than ``maxlen`` words, and their labels."""
        if not self.maxlen:
            return texts, np.asarray(labels)
        kept = [number for number, text in enumerate(texts) if len(text) < self.maxlen]
        if not kept:
            raise ValueError(
                f"No text has less than maxlen={self.maxlen} words: the shortest has "
                f"{min(map(len, texts), default=0)}, its start_char included. Give a greater "
                "maxlen."
            )
        return [texts[number] for number in kept], np.asarray(labels)[kept]

    def limited(self, texts: list[list[int]]) -> list[list[int]]:
        """The texts with rare words, and the ``skip_top`` most frequent, marked or left out."""
        # As in Keras, the last word of all stands outside where no number is given.
        end = self.num_words or max(max(text, default=0) for text in texts)
        first, oov = self.skip_top, self.oov_char
        if oov is None:
            return [[word for word in text if first <= word < end] for text in texts]
        return [[word if first <= word < end else oov for word in text] for text in texts]


def as_array(texts: list[list[int]]) -> np.ndarray:
    """An array of lists, also where all have the same length."""
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
