import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from nbkeras.widgets import chart
from nbkeras.widgets.chart import Line, Plot
from nbkeras.widgets.curve import Point

CASES = json.loads((Path(__file__).parent / "fixtures" / "axis.json").read_text("utf-8"))
FUNCTIONS = {"ticks": chart.ticks, "logTicks": chart.log_ticks, "labels": chart.labels}


def line(values, name="loss", **more):
    points = [Point(float(x), y, y, y, 1.0) for x, y in enumerate(values)]
    return Line(name, points, 0, **more)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [(name, *case) for name, cases in CASES.items() for case in cases],
)
def test_axes_are_as_on_screen(name, arguments, expected):
    assert FUNCTIONS[name](*arguments) == expected


def drawn(*lines, marks=()):
    return ElementTree.fromstring(chart.draw([Plot(lines, 0.0, 4.0, marks)]))


def test_a_hostile_name_is_text():
    root = drawn(line([1.0, 2.0], name="<script>alert(1)</script>\u202e"))
    assert not [e for e in root.iter() if "script" in e.tag]
    assert "\u202e" not in ElementTree.tostring(root, "unicode")


def test_a_gap_in_the_values_is_a_gap_in_the_line():
    root = drawn(line([1.0, 2.0, float("nan"), 2.0, 1.0]))
    paths = [e.get("d") for e in root.iter() if e.get("stroke-width") == "1.6"]
    assert [path.count("M") for path in paths] == [2]
    assert "nan" not in chart.draw([Plot([line([1.0, float("nan")])], 0.0, 1.0)])


def test_one_value_is_a_dot():
    assert len([e for e in drawn(line([1.0])).iter() if e.tag.endswith("circle")]) == 1


def test_a_wide_span_is_logarithmic():
    assert chart.wants_log([line([1000.0, 1.0])])
    assert not chart.wants_log([line([10.0, 1.0])])
    assert not chart.wants_log([line([1000.0, 0.0])])


def test_stays_within_its_frame():
    root = drawn(line([5.0, 1.0, 2.0]), marks=[1.5])
    numbers = []
    for element in root.iter():
        if element.get("stroke-width") == "1.6":
            for pair in element.get("d").replace("M", "L").split("L")[1:]:
                numbers.append([float(part) for part in pair.split()])
    assert all(0 <= x <= chart.WIDTH and 0 <= y <= chart.HEIGHT for x, y in numbers)
    assert len(numbers) == 3


def test_says_in_words_what_is_drawn():
    assert chart.describe(Plot([line([2.0, 1.0])], 0.0, 1.0)) == "loss from 2.0000 to 1.0000"
