"""``%summary``."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from tests.magics.conftest import Notebook


def test_the_table_is_the_default(trained: Notebook) -> None:
    text = trained.shown("%summary net")
    assert "Output shape" in text
    assert "(None, 4)" in text
    assert trained.shown("%summary") == text


def test_text_is_keras_own(trained: Notebook) -> None:
    text = trained.shown("%summary --show text --line-length 50")
    assert "Output Shape" in text
    assert "Total params: 41" in text
    assert max(map(len, text.splitlines())) == 50


def test_a_graph_shows_every_layer(trained: Notebook) -> None:
    text = trained.shown("%summary net --show graph")
    for layer in trained["net"].layers:
        assert layer.name in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%summary nett", "Did you mean 'net'?"),
        ("%summary net x", "x is no model"),
        ("%summary x", "x is no model"),
        ("%summary --show grpah", "Did you mean --show graph?"),
        ("%summary --line-length 50", "go with --show text"),
    ],
)
def test_wrong_calls(trained: Notebook, line: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        trained.run(line)
    assert message in str(error.value)
