"""Sequences and text: the values of keras-preprocessing 1.1.2 for the same seeds."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from keras_preprocessing import sequence as their_sequence
from keras_preprocessing import text as their_text

from nbkeras.core.preprocessing import sequence, text

TEXTS = [
    "The cat sat on the mat; the dog didn't!",
    "A dog and a cat -- friends?\tYes,\nfriends.",
    "",
    "Ünïcode wörds & the CAT",
    "mat mat mat",
]
NEW = ["the unknown cat", "friends of the mat mat", "", "nothing known"]


@pytest.fixture(autouse=True)
def _old_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name the oracle needs and NumPy 2 has no more."""
    monkeypatch.setattr(np, "unicode_", np.str_, raising=False)


# ---------------------------------------------------------------- sequences


@pytest.mark.parametrize("maxlen", [None, 1, 3, 9])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize(
    ("data", "options"),
    [
        ([[1], [2, 3, 4, 5], [], [6, 7]], {}),
        ([[1.5], [2, 3, 4, 5]], {"dtype": "float32", "value": -1.5}),
        ([["a"], ["bb", "c", "d", "e"]], {"dtype": object, "value": "pad"}),
        ([["a"], ["bb", "c", "d", "e"]], {"dtype": "<U4", "value": "pad"}),
        ([np.ones((2, 3)), np.arange(12).reshape(4, 3), np.zeros((0, 3))], {"value": 7}),
    ],
)
def test_pad_sequences(data, options, maxlen, padding, truncating) -> None:
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, **options}
    got = sequence.pad_sequences(data, **options)
    want = their_sequence.pad_sequences(data, **options)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("factor", [1e-5, 1e-3, 1.0])
def test_make_sampling_table(factor: float) -> None:
    got = sequence.make_sampling_table(300, factor)
    np.testing.assert_array_equal(got, their_sequence.make_sampling_table(300, factor))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 7},
        {"shuffle": False},
        {"categorical": True, "window_size": 2},
        {"negative_samples": 0.0},
        {"negative_samples": 2.5, "window_size": 1},
        {"sampling_table": their_sequence.make_sampling_table(30, 1e-2), "seed": 3},
    ],
)
def test_skipgrams(options: dict) -> None:
    words = [3, 0, 7, 12, 3, 29, 0, 1, 5, 5, 28]
    results = []
    for module in (sequence, their_sequence):
        random.seed(11)
        results.append([module.skipgrams(words, 30, **options), random.random()])
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "options",
    [
        {"length": 5},
        {"length": 10, "sampling_rate": 2, "batch_size": 4},
        {"length": 4, "stride": 3, "batch_size": 2, "reverse": True},
        {"length": 4, "start_index": 5, "end_index": 30, "batch_size": 7},
        {"length": 3, "shuffle": True, "batch_size": 6},
    ],
)
@pytest.mark.parametrize("as_list", [False, True])
def test_timeseries(options: dict, as_list: bool) -> None:
    data = np.random.default_rng(0).normal(size=(50, 2))
    targets = np.arange(50) ** 2
    if as_list:
        data, targets = data.tolist(), targets.tolist()
    ours = sequence.TimeseriesGenerator(data, targets, **options)
    theirs = their_sequence.TimeseriesGenerator(data, targets, **options)
    assert len(ours) == len(theirs)
    for index in range(len(ours)):
        batches = []
        for generator in (ours, theirs):
            np.random.seed(index)
            batches.append(generator[index])
        for got, want in zip(*batches, strict=True):
            np.testing.assert_array_equal(got, want)


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    "options",
    [{}, {"lower": False}, {"filters": "aeiou"}, {"split": "e"}, {"filters": "", "split": "::"}],
)
def test_words(options: dict) -> None:
    for sentence in [*TEXTS, "a::b e::c"]:
        got = text.text_to_word_sequence(sentence, **options)
        assert got == their_text.text_to_word_sequence(sentence, **options)
        assert text.one_hot(sentence, 50, **options) == their_text.one_hot(sentence, 50, **options)
        for function in (None, "md5", len):
            got = text.hashing_trick(sentence, 50, function, **options)
            assert got == their_text.hashing_trick(sentence, 50, function, **options)


TOKENIZERS = [
    {},
    {"num_words": 6},
    {"oov_token": "<oov>"},
    {"oov_token": "<oov>", "num_words": 5},
    {"char_level": True},
    {"char_level": True, "lower": False, "oov_token": "§"},
    {"lower": False, "filters": ";!", "split": " "},
]


@pytest.mark.parametrize("options", TOKENIZERS)
def test_tokenizer(options: dict) -> None:
    ours, theirs = text.Tokenizer(**options), their_text.Tokenizer(**options)
    for texts in (TEXTS, TEXTS[1:3], [["Listed", "words", "words"]]):
        for tokenizer in (ours, theirs):
            tokenizer.fit_on_texts(texts)
        for name in ("word_counts", "word_docs", "word_index", "index_word", "index_docs"):
            assert dict(getattr(ours, name)) == dict(getattr(theirs, name)), name
        assert ours.document_count == theirs.document_count
    sequences = ours.texts_to_sequences(NEW)
    assert sequences == theirs.texts_to_sequences(NEW)
    assert ours.sequences_to_texts([*sequences, [99, 2]]) == theirs.sequences_to_texts(
        [*sequences, [99, 2]]
    )
    for mode in ("binary", "count", "freq", "tfidf"):
        got, want = ours.texts_to_matrix(NEW, mode), theirs.texts_to_matrix(NEW, mode)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("options", TOKENIZERS)
def test_tokenizer_files(options: dict) -> None:
    """Each reads what the other wrote."""
    ours, theirs = text.Tokenizer(**options), their_text.Tokenizer(**options)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(TEXTS)
    want = theirs.texts_to_matrix(NEW, "tfidf")
    assert json.loads(ours.to_json()).keys() == json.loads(theirs.to_json()).keys()
    for back in (
        text.tokenizer_from_json(theirs.to_json()),
        their_text.tokenizer_from_json(ours.to_json()),
    ):
        np.testing.assert_array_equal(back.texts_to_matrix(NEW, "tfidf"), want)
        assert back.index_word == theirs.index_word


def test_fit_on_sequences() -> None:
    ours, theirs = text.Tokenizer(num_words=9), their_text.Tokenizer(num_words=9)
    data = [[1, 2, 2, 8], [3, 3, 11], []]
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_sequences(data)
    for mode in ("binary", "count", "freq", "tfidf"):
        got, want = ours.sequences_to_matrix(data, mode), theirs.sequences_to_matrix(data, mode)
        np.testing.assert_array_equal(got, want)
