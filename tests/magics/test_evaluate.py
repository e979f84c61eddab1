"""``%evaluate`` and ``%predict``."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from IPython.core.error import UsageError

from nbkeras.magics import evaluate, predict
from tests.magics.conftest import Notebook


def test_scores_equal_those_of_the_method(trained: Notebook) -> None:
    scores = trained.run("s = %evaluate net x y --batch-size 16\ns")
    np.testing.assert_allclose(
        scores, trained["net"].evaluate(trained["x"], trained["y"], verbose=0), rtol=1e-6
    )


def test_scores_unpack_and_know_their_names(trained: Notebook) -> None:
    trained.run("loss, error = %evaluate net x y")
    scores = trained.run("%evaluate net x y")
    assert scores == [trained["loss"], trained["error"]]
    assert scores["loss"] == trained["loss"]
    assert "loss " in trained.shown("%evaluate net x y")


def test_answers_equal_those_of_the_method(trained: Notebook) -> None:
    answers = trained.run("%predict net x[:5]")
    np.testing.assert_allclose(answers, trained["net"].predict(trained["x"][:5]), rtol=1e-6)
    assert trained.run("a = %predict x[:3]\na").shape == (3, 1)


def test_the_data_that_are_taken_are_said(trained: Notebook) -> None:
    trained.run("%fit net x y --verbose 0")
    assert "On x, y:" in trained.shown("%evaluate")
    trained.run("%fit net x y --validation-data (x[:8], y[:8]) --verbose 0")
    assert "On (x[:8], y[:8]):" in trained.shown("%evaluate")
    assert trained.run("%predict").shape == (8, 1)
    trained.run("%evaluate x[:4] y[:4]")
    assert "On x[:4], y[:4]:" in trained.shown("%evaluate")
    assert trained.run("%predict").shape == (4, 1)


@pytest.mark.parametrize("module", [evaluate, predict])
def test_every_argument_has_its_option(trained: Notebook, module: object) -> None:
    method = getattr(type(trained["net"]), module.__name__.rpartition(".")[2])
    arguments = set(inspect.signature(method).parameters) - {"self", "x", "y", "kwargs"}
    options = {option.lstrip("-").replace("-", "_") for option in module.PARSER.options}
    assert options - {"help"} == arguments


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%evaluate net", "which data"),
        ("%predict net", "which data"),
        ("%evaluate nett x y", "Did you mean 'net'?"),
        ("%predict net x y", "one model and x, and here is also 'y'"),
        ("%evaluate net x y --batchsize 3", "Did you mean --batch-size?"),
        ("%predict net x --batch-size 0", "--batch-size takes a whole number from 1 on"),
    ],
)
def test_wrong_calls(trained: Notebook, line: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        trained.run(line)
    assert message in str(error.value)
