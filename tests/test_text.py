import json
from pathlib import Path

import pytest

from nbkeras import text

FIXTURE = Path(__file__).parent / "widgets" / "fixtures" / "format.json"
CASES = json.loads(FIXTURE.read_text("utf-8"))
FUNCTIONS = {**{name: getattr(text, name) for name in text.__all__}, "bytes": text.bytes_}


def as_number(value):
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [(name, value, expected) for name, cases in CASES.items() for value, expected in cases],
)
def test_reads_as_the_front_end_writes_it(name, value, expected):
    assert FUNCTIONS[name](as_number(value)) == expected


def test_escaped_text_cannot_leave_an_attribute_or_an_element():
    assert text.escape("\"><script>'") == "&quot;&gt;&lt;script&gt;&#x27;"


def test_cuts_what_is_too_long():
    assert text.plain("x" * 300) == "x" * 199 + "…"


def test_lone_surrogates_can_be_encoded():
    text.plain("\ud800").encode("utf-8")
