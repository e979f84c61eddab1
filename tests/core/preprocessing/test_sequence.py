"""Padding, skip-grams, windows: errors, edges, round trips."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from nbkeras.core.preprocessing.sequence import (
    TimeseriesGenerator,
    make_sampling_table,
    pad_sequences,
    skipgrams,
    timeseries_generator_from_json,
)


def test_padding_at_the_edges() -> None:
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences([[1, 2]], maxlen=0).shape == (1, 0)
    assert pad_sequences(((1,), (2, 3))).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequences": iter([[1]])}, r"pad_sequences\(list\(sequences\)\)"),
        ({"sequences": [[1], 2]}, "number 1 is 2"),
        ({"sequences": [[1]], "padding": "left"}, "padding is 'pre' or 'post'"),
        ({"sequences": [], "truncating": "left"}, "truncating is 'pre' or 'post'"),
        ({"sequences": [[1]], "value": "x"}, "dtype=object"),
        ({"sequences": [[1]], "maxlen": -1}, "maxlen is a length"),
        ({"sequences": [[[1, 2]], [[1]]]}, r"sequence 1 have \(1,\)"),
    ],
)
def test_padding_explains_errors(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pad_sequences(**arguments)


def test_skipgrams_without_pairs() -> None:
    assert skipgrams([], 5) == ([], [])
    assert skipgrams([0, 0], 5) == ([], [])
    assert make_sampling_table(0).shape == (0,)


def test_categorical_labels_are_separate_lists() -> None:
    _, labels = skipgrams([1, 2, 3], 5, categorical=True)
    labels[0][0] = 9
    assert sum(label[0] == 9 for label in labels) == 1


def test_time_series_in_json() -> None:
    data = np.arange(40).reshape(20, 2)
    options = {"length": 4, "stride": 2, "start_index": 3, "end_index": 17, "batch_size": 3}
    generator = TimeseriesGenerator(data, data[:, 0], reverse=True, **options)
    back = timeseries_generator_from_json(generator.to_json(indent=1))
    assert json.loads(generator.to_json())["class_name"] == "TimeseriesGenerator"
    assert len(back) == len(generator)
    for (x, y), (want_x, want_y) in zip(back, generator, strict=True):
        np.testing.assert_array_equal(x, want_x)
        np.testing.assert_array_equal(y, want_y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1], 1), "got 2 and 1"),
        (([1, 2], [1, 2], 2), "needs a target at step 2"),
        (([1, 2], [1, 2], 1, 0), "sampling_rate is at least 1"),
        (([1, 2], [1, 2], 0), "length and batch_size"),
    ],
)
def test_time_series_explains_errors(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimeseriesGenerator(*arguments)


def test_time_series_has_no_batch_beyond_the_last() -> None:
    generator = TimeseriesGenerator([1, 2, 3], [1, 2, 3], 1)
    with pytest.raises(IndexError, match="There are 1 batches"):
        generator[1]
    with pytest.raises(TypeError, match="nested lists"):
        TimeseriesGenerator([object()] * 3, [1, 2, 3], 1).to_json()


def test_no_tensorflow_for_padding_and_text() -> None:
    program = (
        "import sys; from nbkeras.core.preprocessing import image, sequence, text; "
        "sequence.pad_sequences([[1]]); sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
