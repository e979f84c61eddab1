"""A run as a document: HTML, a picture of its curves, and text.

This is what a saved notebook holds, on GitHub too, where styles are stripped. It has no
ids and no times, so that two runs that learn the same are the same text. The same HTML
without the picture is shown while a run goes on where there is no JavaScript.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from typing import Any

from nbkeras.text import count, duration, escape, number, plain, setting
from nbkeras.widgets import chart, curve
from nbkeras.widgets.markup import Cell, details, styled, table
from nbkeras.widgets.run_state import Change, Row, RunState

__all__ = ["bundle", "groups", "progress", "text"]

MOST_DRAWN = 160  # points of a curve,
MOST_IN_ALL = 1200  # and of a picture
MOST_METRICS = 24  # rows of a table, columns half as many
MOST_CELLS = 360  # of the table of epochs
MOST_LISTED = 50  # changes


def bundle(state: RunState) -> dict[str, Any]:
    """The record of a run as HTML and text."""
    return {"text/html": html(state), "text/plain": text(state)}


def progress(state: RunState) -> dict[str, Any]:
    """The state of a run that goes on, as HTML and text, without a picture."""
    done, of = _done(state)
    parts = [
        f"<p>{_headline(state)}</p>",
        f'<p><progress value="{done:.3f}" max="{of}">{escape(_where(state))}</progress> '
        f"{escape(_where(state))} {escape(_speed(state))}</p>",
        _numbers(state),
        _changes(state),
    ]
    return {"text/html": styled(*parts), "text/plain": text(state)}


# ---------------------------------------------------------------- HTML


def html(state: RunState) -> str:
    """The record of a run as HTML: numbers, picture, changes, epochs."""
    return styled(
        f"<p>{_headline(state)}</p>",
        _error(state),
        _numbers(state),
        _picture(state),
        _changes(state),
        _epochs(state),
    )


def _headline(state: RunState) -> str:
    return f"<strong>{escape(state.model or 'Training', 80)}</strong>: {escape(_status(state))}"


def _error(state: RunState) -> str:
    if not state.error:
        return ""
    return f"<p><strong>{escape(state.error, 80)}</strong>: {escape(state.message, 500)}</p>"


def _numbers(state: RunState) -> str:
    """A row for each metric: training and validation, at the end and in the best epoch."""
    if not state.numbers:
        return ""
    best = state.best
    last = state.rows[-1].epoch if state.rows else None
    shown: list[tuple[str, dict[str, float]]] = [("", dict(state.numbers))]
    if best is not None and best.epoch != last:
        shown.append((f", best epoch ({best.epoch + 1})", dict(best.logs)))
    validated = any(name.startswith("val_") for name in state.numbers)
    head = ["Metric"]
    for label, _ in shown:
        head.append(f"Training{label}")
        if validated:
            head.append(f"Validation{label}")
    rows = []
    for name in _metrics(state)[:MOST_METRICS]:
        cells = [name]
        for _, logs in shown:
            cells.append(number(logs.get(name)))
            if validated:
                cells.append(number(logs.get(f"val_{name}")))
        rows.append(cells)
    return _table(head, rows)


def _picture(state: RunState) -> str:
    plots = _plots(state)
    if not plots:
        return ""
    data = base64.b64encode(chart.draw(plots).encode()).decode()
    said = escape("Curves: " + "; ".join(filter(None, map(chart.describe, plots))), 600)
    return f'<p><img alt="{said}" width="{chart.WIDTH}" src="data:image/svg+xml;base64,{data}"></p>'


def _changes(state: RunState) -> str:
    if not state.changes:
        return ""
    by_hand = [change for change in state.changes if change.source == "user"]
    rest = [change for change in state.changes if change.source != "user"]
    parts = []
    for label, changes in (("by hand", by_hand), ("by callbacks", rest)):
        if changes:
            items = "".join(f"<li>{escape(_change(state, c))}</li>" for c in changes[:MOST_LISTED])
            more = len(changes) - MOST_LISTED
            items += f"<li>and {more} more</li>" if more > 0 else ""
            title = f"{len(changes)} change{'s' * (len(changes) != 1)} {label}"
            parts.append(details(title, f"<ul>{items}</ul>", label == "by hand"))
    return "\n".join(parts)


def _epochs(state: RunState) -> str:
    if not state.rows:
        return ""
    names = list(dict.fromkeys(name for row in state.rows for name in row.logs))
    names = names[: MOST_METRICS // 2]
    rows = _thinned(state.rows, max(20, min(60, MOST_CELLS // (1 + len(names)))))
    body = [[str(row.epoch + 1), *(number(row.logs.get(n)) for n in names)] for row in rows]
    total = state.rows[-1].epoch - state.initial_epoch + 1
    title = f"{total} epochs" if len(rows) == total else f"{len(rows)} of {total} epochs"
    return details(title, _table(["Epoch", *names], body))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of numbers; the first column names the rows."""
    return table([Cell(h, i > 0) for i, h in enumerate(head)], map(_row, rows))


def _row(cells: Sequence[str]) -> list[Cell]:
    return [Cell(text, index > 0) for index, text in enumerate(cells)]


# ---------------------------------------------------------------- text


def text(state: RunState) -> str:
    """The record of a run as a few lines of text."""
    lines = [f"{plain(state.model or 'Training', 80)}: {_status(state)}"]
    if state.error:
        lines.append(f"{plain(state.error, 80)}: {plain(state.message, 500)}")
    names = _metrics(state)[:MOST_METRICS]
    wide = max((len(plain(name, 60)) for name in names), default=0)
    for name in names:
        line = f"  {plain(name, 60):<{wide}}  {number(state.numbers.get(name)):>10}"
        if f"val_{name}" in state.numbers:
            line += f"   validation {number(state.numbers[f'val_{name}']):>10}"
        lines.append(line)
    if state.best is not None and len(state.rows) > 1:
        value = number(state.best.logs[state.monitor])
        lines.append(f"  best epoch {state.best.epoch + 1} ({state.monitor} {value})")
    changes = [c for c in state.changes if c.source == "user"]
    lines += [f"  {_change(state, change)}" for change in changes[:MOST_LISTED]]
    return "\n".join(lines)


def _status(state: RunState) -> str:
    last = f"epoch {min(state.epoch + 1, max(1, state.epochs))} of {state.epochs}"
    done = len(state.rows) and state.rows[-1].epoch + 1 - state.initial_epoch
    return {
        "waiting": "waiting for the run to begin",
        "running": last,
        "paused": f"paused in {last}, after step {state.step}",
        "finished": f"finished after {done} epoch{'s' * (done != 1)}",
        "stopped": f"stopped in {last}",
        "interrupted": f"interrupted in {last}, after step {state.step}",
        "failed": f"failed in {last}" if state.run else "failed before it began",
    }[state.status]


def _where(state: RunState) -> str:
    return f"step {count(state.step)} of {count(state.steps)}"


def _speed(state: RunState) -> str:
    parts = []
    if state.rate:
        parts.append(f"{count(state.rate)} samples/s")
    if state.left is not None:
        parts.append(f"{duration(state.left)} left")
    return "· " + " · ".join(parts) if parts else ""


def _done(state: RunState) -> tuple[float, int]:
    return state.position - state.initial_epoch, max(1, state.epochs - state.initial_epoch)


def _change(state: RunState, change: Change) -> str:
    labels = {p.name: p.label for p in state.parameters}
    label = plain(labels.get(change.parameter, change.parameter), 60)
    return (
        f"epoch {change.epoch + 1}, step {change.step}: {label} "
        f"{setting(change.previous)} \u2192 {setting(change.value)}"
    )


# ---------------------------------------------------------------- what is shown together


def groups(state: RunState) -> list[list[str]]:
    """The metrics of each plot: losses, and the rest."""
    names = [c.name for c in state.curves if not _is_validation(c.name, state)]
    losses = [name for name in names if name == "loss" or name.endswith("_loss")]
    return [group for group in (losses, [n for n in names if n not in losses]) if group]


def _metrics(state: RunState) -> list[str]:
    """The metrics in the order of the run, without their validation twins."""
    return [name for name in state.numbers if not _is_validation(name, state)]


def _is_validation(name: str, state: RunState) -> bool:
    known = {c.name for c in state.curves}
    return name.startswith("val_") and (name[4:] in known or name[4:] in state.numbers)


def _plots(state: RunState) -> list[chart.Plot]:
    known = {c.name: c for c in state.curves}
    start, end = float(state.initial_epoch), max(state.position, state.initial_epoch + 1e-9)
    marks = [change.x for change in state.changes if change.source == "user"][:MOST_LISTED]
    shown = [names[: len(chart.COLOURS)] for names in groups(state)]
    lines_in_all = sum(len(names) for names in shown) * (1 + state.validation)
    most = min(MOST_DRAWN, MOST_IN_ALL // max(1, lines_in_all))
    plots = []
    for names in shown:
        lines = []
        for index, name in enumerate(names):
            for key in (name, f"val_{name}"):
                if key in known and known[key].points:
                    points = curve.limit(known[key], most).points
                    # A metric and its validation share a colour, unless they are alone.
                    colour = index if len(names) > 1 else int(key != name)
                    lines.append(chart.Line(key, points, colour, key != name))
        if any(math.isfinite(p.y) for line in lines for p in line.points):
            plots.append(chart.Plot(lines, start, end, marks))
    return plots


def _thinned(rows: Sequence[Row], most: int) -> list[Row]:
    """Some of the rows, evenly, the last among them."""
    every = -(-len(rows) // most)
    kept = list(rows[::every])
    return kept if kept[-1] is rows[-1] else [*kept, rows[-1]]
