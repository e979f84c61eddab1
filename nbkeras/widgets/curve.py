"""A curve of any length in few points, the same for the same input.

Points are kept one by one until there are too many; then neighbours are merged in
pairs, and from then on twice as many go into each. A merged point keeps the weighted
mean and the lowest and highest value, so an outlier is never lost. The very first
point stays alone, and the last ends where the curve ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

__all__ = ["Curve", "Point", "append", "extend", "limit", "stretch"]


class Point(NamedTuple):
    """Values up to ``x``: their mean (NaN if none is finite), lowest, highest, weight."""

    x: float
    y: float
    low: float
    high: float
    weight: float


@dataclass(frozen=True)
class Curve:
    """The points of one metric. ``stride`` inputs go into a point, ``filled`` into the last."""

    name: str
    points: tuple[Point, ...] = ()
    stride: int = 1
    filled: int = 0


def append(curve: Curve, x: float, y: float, most: int, weight: float = 1.0) -> Curve:
    """The curve with one more value, in at most ``most`` points (at least 4).

    >>> curve = Curve("loss")
    >>> for step in range(1000):
    ...     curve = append(curve, step, -step, most=8)
    >>> len(curve.points) <= 8, curve.points[0].y, curve.points[-1].low
    (True, 0, -999)
    """
    point = Point(x, y, y, y, weight)
    points = curve.points
    if len(points) > 1 and curve.filled < curve.stride:
        last = _merge(points[-1], point)
        return Curve(curve.name, (*points[:-1], last), curve.stride, curve.filled + 1)
    grown = Curve(curve.name, (*points, point), curve.stride, 1)
    return limit(grown, most) if len(points) >= most else grown


def extend(curve: Curve, x: float, y: float, weight: float = 1.0) -> Curve:
    """The curve with one more value that is no point of its own but part of the last one.

    >>> extend(Curve("loss", (Point(1.0, 2.0, 2.0, 2.0, 3.0),)), 1.5, 6.0).points
    (Point(x=1.5, y=3.0, low=2.0, high=6.0, weight=4.0),)
    """
    last = _merge(curve.points[-1], Point(x, y, y, y, weight))
    return replace(curve, points=(*curve.points[:-1], last))


def limit(curve: Curve, most: int) -> Curve:
    """The curve in at most ``most`` points (at least 4)."""
    most = max(4, most)
    points, stride, filled = curve.points, curve.stride, curve.filled
    while len(points) > most:
        rest = points[1:]
        pairs = [_merge(a, b) for a, b in zip(rest[::2], rest[1::2], strict=False)]
        if len(rest) % 2:
            pairs.append(rest[-1])
        else:
            filled += stride
        points, stride = (points[0], *pairs), stride * 2
    return Curve(curve.name, points, stride, filled)


def stretch(curve: Curve, start: float, factor: float) -> Curve:
    """The curve with every ``x`` beyond ``start`` moved to ``start + (x - start) * factor``."""
    points = tuple(
        p._replace(x=start + (p.x - start) * factor) if p.x > start else p for p in curve.points
    )
    return Curve(curve.name, points, curve.stride, curve.filled)


def _merge(a: Point, b: Point) -> Point:
    if not math.isfinite(a.y):
        return b if math.isfinite(b.y) else b._replace(weight=a.weight + b.weight)
    if not math.isfinite(b.y):
        return a._replace(x=b.x)
    weight = a.weight + b.weight
    return Point(
        b.x,
        (a.y * a.weight + b.y * b.weight) / weight,
        min(a.low, b.low),
        max(a.high, b.high),
        weight,
    )
