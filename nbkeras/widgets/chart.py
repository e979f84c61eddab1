"""Curves as an SVG picture for a saved notebook: readable on white and on black.

The front-end's ``chart.ts`` draws the same on screen; one fixture tests both axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nbkeras.text import number, plain, setting
from nbkeras.widgets.curve import Point

__all__ = ["Line", "Plot", "describe", "draw", "extent", "labels", "log_ticks", "ticks"]

INK = "#80868f"
COLOURS = (
    "#3f87e5",
    "#d8712a",
    "#2f9e6d",
    "#b556ae",
    "#a08618",
    "#2193a8",
    "#d8506f",
    "#7f6bdc",
)
WIDTH, HEIGHT = 760, 250
MOST_BANDS = 6  # lines; bands of more would hide each other
TOP, BOTTOM, LEFT, RIGHT = 30, 24, 52, 10


@dataclass(frozen=True)
class Line:
    """A curve, its colour (lines of one metric share one), dashed for validation."""

    name: str
    points: Sequence[Point]
    colour: int
    dashed: bool = False


@dataclass(frozen=True)
class Plot:
    """Lines over one pair of axes, ``marks`` where something changed."""

    lines: Sequence[Line]
    start: float
    end: float
    marks: Sequence[float] = ()


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within a range, at most ``most``, equally far apart.

    >>> ticks(0.0, 2.3)
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * 0.999999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{index * step:.10g}") for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Powers of ten within a range, and 2 and 5 times these where there is room.

    >>> log_ticks(0.03, 2.0)
    [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    within = (low * (1 - 1e-9), high * (1 + 1e-9))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        values = [float(f"{s}e{p}") for p in range(first, last + 1) for s in steps]
        values = [value for value in values if within[0] <= value <= within[1]]
        if len(values) <= most + 1:
            return values or [low, high]
    every = math.ceil(len(values) / most)
    return values[::every]


def labels(values: Sequence[float]) -> list[str]:
    """Tick values as text, all with as many decimals as the finest needs.

    >>> labels([0.0, 0.25, 0.5])
    ['0.00', '0.25', '0.50']
    """
    texts = [setting(value) for value in values]
    if any("e" in text for text in texts):
        return texts
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{value:.{decimals}f}".replace("-", "\u2212") for value in values]


def extent(lines: Sequence[Line], log: bool = False) -> tuple[float, float] | None:
    """The range of the lines' means with some air; None where there is nothing to draw."""
    values = [p.y for line in lines for p in line.points if math.isfinite(p.y)]
    values = [y for y in values if y > 0] if log else values
    if not values:
        return None
    low, high = min(values), max(values)
    if log:
        spread = math.log10(high / low) or 1.0
        return low / 10 ** (spread * 0.05), high * 10 ** (spread * 0.05)
    air = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    # Where the values come near zero, zero is the end of the axis.
    return (0.0 if 0 <= low < high * 0.25 else low - air), high + air


def wants_log(lines: Sequence[Line]) -> bool:
    """Whether the lines span so much that a linear axis would show a corner only."""
    values = [p.y for line in lines for p in line.points if math.isfinite(p.y)]
    return bool(values) and min(values) > 0 and max(values) / min(values) > 50


def draw(plots: Sequence[Plot]) -> str:
    """The plots side by side as an SVG document."""
    width = WIDTH // max(1, len(plots))
    parts = [_plot(plot, index * width, width) for index, plot in enumerate(plots)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="system-ui,sans-serif" font-size="11" '
        f'fill="none" stroke-linejoin="round">{"".join(parts)}</svg>'
    )


def _plot(plot: Plot, left: float, width: float) -> str:
    log = wants_log(plot.lines)
    span = extent(plot.lines, log)
    x0, x1, y0, y1 = left + LEFT, left + width - RIGHT, HEIGHT - BOTTOM, TOP
    low, high = span or (0.0, 1.0)

    def across(x: float) -> float:
        return x0 + (x - plot.start) / ((plot.end - plot.start) or 1) * (x1 - x0)

    def up(y: float) -> float:
        if log:
            y = max(y, low)
            share = math.log(y / low) / math.log(high / low)
        else:
            share = (y - low) / (high - low)
        return y0 + min(1.0, max(0.0, share)) * (y1 - y0)

    parts = [_legend(plot.lines, x0)]
    values = log_ticks(low, high) if log else ticks(low, high)
    for value, text in zip(values, map(setting, values) if log else labels(values), strict=True):
        y = up(value)
        parts.append(f'<path d="M{x0} {y:.1f}H{x1}" stroke="{INK}" stroke-opacity=".25"/>')
        parts.append(_label(x0 - 6, y + 4, text, "end"))
    parts.append(_label(x0 - 8, y0 + 16, "epoch", "end"))
    for value in ticks(plot.start, plot.end, 6):
        if value == int(value):
            parts.append(_label(across(value), y0 + 16, setting(value), "middle"))
    for mark in plot.marks:
        x = across(mark)
        parts.append(f'<path d="M{x:.1f} {y0}V{y1}" stroke="{INK}" stroke-dasharray="1 3"/>')
    if len(plot.lines) <= MOST_BANDS:
        parts += [_band(line, across, up) for line in plot.lines if span]
    parts += [_line(line, across, up) for line in plot.lines if span]
    return "".join(parts)


def _legend(lines: Sequence[Line], x: float) -> str:
    parts = []
    for line in lines:
        name = plain(line.name, 24)
        colour = COLOURS[line.colour % len(COLOURS)]
        dash = ' stroke-dasharray="4 3"' if line.dashed else ""
        parts.append(f'<path d="M{x:.0f} 14h16" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(_label(x + 21, 18, name, "start"))
        x += 21 + 6.3 * len(name) + 14
    return "".join(parts)


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _line(line: Line, across, up) -> str:  # type: ignore[no-untyped-def]
    colour = COLOURS[line.colour % len(COLOURS)]
    steps, pen = [], "M"
    for p in line.points:
        if not math.isfinite(p.y):
            pen = "M"
            continue
        steps.append(f"{pen}{across(p.x):.1f} {up(p.y):.1f}")
        pen = "L"
    dash = ' stroke-dasharray="4 3"' if line.dashed else ""
    dot = ""
    if len(steps) == 1:
        p = next(p for p in line.points if math.isfinite(p.y))
        dot = f'<circle cx="{across(p.x):.1f}" cy="{up(p.y):.1f}" r="2.5" fill="{colour}"/>'
    return f'<path d="{"".join(steps)}" stroke="{colour}" stroke-width="1.6"{dash}/>{dot}'


def _band(line: Line, across, up) -> str:  # type: ignore[no-untyped-def]
    points = [p for p in line.points if math.isfinite(p.y)]
    if not any(p.low < p.high for p in points):
        return ""
    edge = [(across(p.x), up(p.high)) for p in points]
    edge += [(across(p.x), up(p.low)) for p in reversed(points)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in edge)
    colour = COLOURS[line.colour % len(COLOURS)]
    return f'<path d="M{path}Z" fill="{colour}" fill-opacity=".16"/>'


def describe(plot: Plot) -> str:
    """The lines in words, for those who do not see the picture."""
    said = []
    for line in plot.lines:
        values = [p.y for p in line.points if math.isfinite(p.y)]
        if values:
            said.append(f"{plain(line.name, 40)} from {number(values[0])} to {number(values[-1])}")
    return "; ".join(said)
