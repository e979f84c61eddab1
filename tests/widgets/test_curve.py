import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbkeras.widgets import curve
from nbkeras.widgets.curve import Curve

VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=400)


def grown(values, most, weights=None):
    result = Curve("loss")
    for index, value in enumerate(values):
        weight = 1.0 if weights is None else weights[index]
        result = curve.append(result, float(index), value, most, weight)
    return result


@given(VALUES, st.integers(4, 40))
def test_never_more_points_than_allowed_and_nothing_extreme_is_lost(values, most):
    points = grown(values, most).points
    assert len(points) <= most
    assert points[0].x == 0
    assert points[0].y == values[0]
    assert points[-1].x == len(values) - 1
    assert min(p.low for p in points) == min(values)
    assert max(p.high for p in points) == max(values)
    assert [p.x for p in points] == sorted({p.x for p in points})


@given(VALUES, st.data())
def test_means_are_weighted(values, data):
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(values), max_size=len(values)))
    points = grown(values, 5, weights).points
    mean = np.average([p.y for p in points], weights=[p.weight for p in points])
    assert mean == pytest.approx(np.average(values, weights=weights), rel=1e-9, abs=1e-6)


def test_each_point_is_the_mean_of_its_own_stretch():
    values = np.sin(np.arange(1000.0))
    points = grown(values, 50).points
    start = 0
    for point in points:
        stretch = values[start : int(point.x) + 1]
        assert point.y == pytest.approx(stretch.mean())
        assert (point.low, point.high) == (stretch.min(), stretch.max())
        start = int(point.x) + 1


def test_nothing_is_merged_while_there_is_room():
    assert [p.y for p in grown([3.0, 1.0, 2.0], 8).points] == [3.0, 1.0, 2.0]


def test_merged_points_leave_out_what_is_not_finite():
    values = [math.nan, *[1.0] * 30, math.inf, *[1.0] * 30]
    points = grown(values, 4).points
    assert math.isnan(points[0].y)
    assert all(p.y == p.low == p.high == 1.0 for p in points[1:])


def test_a_stretch_of_nothing_but_nan_stays_a_gap():
    points = grown([1.0, *[math.nan] * 60, 1.0], 8).points
    assert any(math.isnan(p.y) for p in points)


def test_shrinks_to_a_smaller_limit_and_goes_on():
    smaller = curve.limit(grown(np.arange(100.0), 100), 10)
    assert len(smaller.points) <= 10
    assert curve.append(smaller, 100.0, 100.0, 10).points[-1].high == 100.0


def test_stretch_moves_only_what_lies_beyond():
    moved = curve.stretch(grown([1.0, 2.0, 3.0, 4.0], 8), 1.0, 0.5)
    assert [p.x for p in moved.points] == [0.0, 1.0, 1.5, 2.0]
