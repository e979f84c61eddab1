"""Words and tokenizers: errors, edges, going on after JSON."""

from __future__ import annotations

import pytest

from nbkeras.core.preprocessing.text import Tokenizer, hashing_trick, tokenizer_from_json


def test_a_tokenizer_from_json_can_be_fitted_on() -> None:
    both = Tokenizer(oov_token="?")
    both.fit_on_texts(["a b b", "c"])
    back = tokenizer_from_json(both.to_json())
    for tokenizer in (both, back):
        tokenizer.fit_on_texts(["d c c c"])
    assert back.get_config() == both.get_config()
    assert back.word_index == {"?": 1, "c": 2, "b": 3, "a": 4, "d": 5}


def test_an_unfitted_tokenizer_knows_no_word() -> None:
    assert Tokenizer(oov_token="?").texts_to_sequences(["a b"]) == [[]]


def test_the_older_name_of_num_words() -> None:
    with pytest.warns(DeprecationWarning, match="nb_words is now num_words"):
        assert Tokenizer(nb_words=5).num_words == 5
    with pytest.raises(TypeError, match="Did you mean 'num_words'"):
        Tokenizer(words=5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hashing_trick("a", 1), "at least 2; got 1"),
        (lambda: hashing_trick("a", 9, "sha"), "hash_function='md5'; got 'sha'"),
        (lambda: Tokenizer(5).sequences_to_matrix([[1]], "idf"), "mode='count'; got 'idf'"),
        (lambda: Tokenizer().sequences_to_matrix([[1]]), r"Tokenizer\(num_words=1000\)"),
        (lambda: Tokenizer(5).sequences_to_matrix([[1]], "tfidf"), "fit_on_texts"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
