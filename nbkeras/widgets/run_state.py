"""A run as its views see it: ``reduce(state, event) -> state``, pure and bounded.

However long a run is, its state holds at most 2,000 curve points, 100 epochs and
200 changes. The state crosses to the front-end in two parts. ``summary`` is small and
sent with every update. The record (curves, epochs, changes) is bulky: it is sent whole
to a page that comes new, and else as the ``difference`` to what was sent before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbkeras import events as ev
from nbkeras.widgets import curve as curves
from nbkeras.widgets.curve import Curve

__all__ = ["Change", "Row", "RunState", "difference", "record", "reduce", "summary"]

MOST_POINTS = 2000
MOST_CURVES = 40
MOST_ROWS = 100
MOST_CHANGES = 100  # of each source
ONE_MOVE = 1.0  # seconds: changes by hand that follow faster are one movement of a slider
LEFTOVER = 8  # an epoch's last chunk that is that much smaller than the one before joins it
MEMORY = 4.0  # seconds over which the speed is averaged

ACTIVE = ("running", "paused")
ENDS = ("finished", "stopped", "interrupted")


@dataclass(frozen=True)
class Row:
    """The logs of one epoch (counted from 0)."""

    epoch: int
    logs: Mapping[str, float]


@dataclass(frozen=True)
class Change:
    """A parameter moved at ``x`` (in epochs)."""

    x: float
    epoch: int
    step: int
    parameter: str
    previous: float
    value: float
    source: str
    time: float


@dataclass(frozen=True)
class RunState:
    """Everything a view shows of a run.

    ``position`` counts epochs done, with a fraction; ``step`` of ``steps`` is the
    progress within the epoch. ``status`` is waiting, running, paused, finished,
    stopped, interrupted or failed.
    """

    status: str = "waiting"
    run: str = ""
    model: str = ""
    epochs: int = 0
    initial_epoch: int = 0
    epoch: int = 0
    position: float = 0.0
    step: int = 0
    steps: int | None = None
    batch_size: int | None = None
    validation: bool = False
    time: float = 0.0
    numbers: Mapping[str, float] = field(default_factory=dict)
    parameters: tuple[ev.Parameter, ...] = ()
    initial: Mapping[str, float] = field(default_factory=dict)
    best: Row | None = None
    error: str = ""
    message: str = ""

    curves: tuple[Curve, ...] = ()
    rows: tuple[Row, ...] = ()
    row_stride: int = 1
    changes: tuple[Change, ...] = ()

    # How the speed is measured: seconds and steps of late, whose quotient is the seconds a
    # step; rows a step, seconds between an epoch's last step and its end, and when the last
    # step ended (None: do not measure).
    late_time: float = 0.0
    late_steps: float = 0.0
    step_rows: float | None = None
    gap: float | None = None
    mark: float | None = None
    # Steps of an epoch as far as they are guessed, where the run does not say.
    guess: int = 0
    # The logs that batches report.
    batched: frozenset[str] = frozenset()

    @property
    def active(self) -> bool:
        """Whether the run can be steered."""
        return self.status in ACTIVE

    @property
    def step_time(self) -> float | None:
        """Seconds a step."""
        return self.late_time / self.late_steps if self.late_steps else None

    @property
    def rate(self) -> float | None:
        """Samples a second."""
        return self.step_rows / self.step_time if self.step_time and self.step_rows else None

    @property
    def epoch_left(self) -> float | None:
        """Seconds to the last step of the epoch, as far as one can tell."""
        steps = self.steps or (self.guess if self.epoch > self.initial_epoch else None)
        if self.step_time is None or not steps:
            return None
        return max(0, steps - self.step) * self.step_time

    @property
    def left(self) -> float | None:
        """Seconds to the end of the run, as far as one can tell."""
        left = self.epoch_left
        if left is None or self.step_time is None:
            return None
        steps = self.steps or self.guess
        coming = max(0, self.epochs - self.epoch - 1)
        ended = bool(self.rows) and self.rows[-1].epoch == self.epoch
        ends = coming + (not ended)
        return left + coming * steps * self.step_time + ends * (self.gap or 0.0)

    @property
    def monitor(self) -> str:
        """What the best epoch is the best of."""
        return "val_loss" if self.validation else "loss"


# ---------------------------------------------------------------- events


def reduce(state: RunState, event: ev.Event) -> RunState:
    """The state after an event; the same state where it says nothing about this run.

    >>> state = reduce(RunState(), ev.RunStarted(run="1", model="net", epochs=3))
    >>> state.status, state.epochs
    ('running', 3)
    """
    if isinstance(event, ev.RunStarted):
        return _started(event)
    if isinstance(event, ev.RunFailed) and state.status == "waiting":
        return _failed(state, event)  # before it began
    handler = _HANDLERS.get(type(event))
    if handler is None or getattr(event, "run", None) != state.run or not state.active:
        return state
    return handler(state, event)


def _started(event: ev.RunStarted) -> RunState:
    names = event.metrics or ("loss",)
    validated = [f"val_{name}" for name in names] if event.validation else []
    kept = (*names, *validated)[:MOST_CURVES]
    return RunState(
        status="running",
        run=event.run,
        model=event.model,
        epochs=event.epochs,
        initial_epoch=event.initial_epoch,
        epoch=event.initial_epoch,
        position=float(event.initial_epoch),
        steps=event.steps,
        batch_size=event.batch_size,
        validation=event.validation,
        parameters=event.parameters,
        initial={p.name: p.value for p in event.parameters},
        curves=tuple(Curve(name) for name in kept),
    )


def _batch(state: RunState, event: ev.BatchEnded) -> RunState:
    state = _with_metrics(_guess_steps(state, event), event.logs)
    steps = state.steps or state.guess
    x = event.epoch + min(1.0, event.step / steps)
    most = MOST_POINTS // max(1, len(state.curves))
    grown = tuple(_grown(state, c, x, event, most) for c in state.curves)
    late_time, late_steps = _late(state, event)
    return replace(
        state,
        epoch=event.epoch,
        step=event.step,
        position=x,
        time=event.time,
        numbers={**state.numbers, **(event.means or event.logs)},
        curves=grown,
        batched=state.batched | event.logs.keys(),
        late_time=late_time,
        late_steps=late_steps,
        step_rows=event.samples / event.step if event.step else state.step_rows,
        mark=event.time,
    )


def _grown(state: RunState, curve: Curve, x: float, event: ev.BatchEnded, most: int) -> Curve:
    """A curve with what an event says of it."""
    if curve.name not in event.logs:
        return curve
    value = event.logs[curve.name]
    # What an epoch leaves over after large chunks is a batch or two: as a point of its own,
    # with its much larger scatter, it would make a saw of the curve.
    ends = curve.points and event.step == state.steps
    if ends and event.count * LEFTOVER <= curve.points[-1].weight:
        return curves.extend(curve, x, value, event.count)
    return curves.append(curve, x, value, most, event.count)


def _guess_steps(state: RunState, event: ev.BatchEnded) -> RunState:
    """Where nobody knows the steps of an epoch: as many as in the last one, or a power of two."""
    if state.steps or event.step <= state.guess:
        return state
    return _with_guess(state, event.epoch, 1 << (event.step - 1).bit_length())


def _with_guess(state: RunState, epoch: int, guess: int) -> RunState:
    """With what was drawn of this epoch moved to where it belongs under the new guess."""
    if not state.guess:
        return replace(state, guess=guess)
    factor = state.guess / guess
    return replace(
        state,
        guess=guess,
        curves=tuple(curves.stretch(c, epoch, factor) for c in state.curves),
        changes=tuple(
            replace(c, x=epoch + (c.x - epoch) * factor) if c.epoch == epoch else c
            for c in state.changes
        ),
    )


def _with_metrics(state: RunState, names: Iterable[str]) -> RunState:
    """With a curve for each name that has none, if there is room."""
    known = {c.name for c in state.curves}
    new = [name for name in names if name not in known][: MOST_CURVES - len(known)]
    if not new:
        return state
    grown = (*state.curves, *(Curve(name) for name in new))
    most = MOST_POINTS // len(grown)
    return replace(state, curves=tuple(curves.limit(c, most) for c in grown))


def _late(state: RunState, event: ev.BatchEnded) -> tuple[float, float]:
    """Seconds and steps of late, older ones counting less.

    Both are summed, and divided only then: a program's first call, which compiles it, is
    one slow step among many fast ones, and not half of an average.
    """
    if state.mark is None or event.count < 1 or state.status == "paused":
        return state.late_time, state.late_steps
    elapsed = max(0.0, event.time - state.mark)
    kept = math.exp(-elapsed / MEMORY)
    return state.late_time * kept + elapsed, state.late_steps * kept + event.count


def _average(old: float | None, new: float, elapsed: float) -> float:
    if old is None:
        return new
    return old + (1 - math.exp(-elapsed / MEMORY)) * (new - old)


def _epoch(state: RunState, event: ev.EpochEnded) -> RunState:
    if not state.steps and state.step and state.step != state.guess:
        state = _with_guess(state, event.epoch, state.step)
    charted = {c.name for c in state.curves}
    validated = [n for n in event.logs if n.startswith("val_") and n[4:] in charted]
    state = _with_metrics(state, validated)
    end, most = float(event.epoch + 1), MOST_POINTS // max(1, len(state.curves))
    row = Row(event.epoch, dict(event.logs))
    rows, row_stride = _add_row(state, row)
    monitor = "val_loss" if "val_loss" in event.logs else state.monitor
    return replace(
        state,
        epoch=event.epoch,
        position=end,
        time=event.time,
        validation=state.validation or bool(validated),
        numbers={**state.numbers, **event.logs},
        # What batches report is drawn already; val_loss and the like grow by epochs.
        curves=tuple(
            curves.append(c, end, event.logs[c.name], most)
            if c.name in event.logs and c.name not in state.batched
            else c
            for c in state.curves
        ),
        rows=rows,
        row_stride=row_stride,
        best=_better(state.best if monitor == state.monitor else None, row, monitor),
        gap=_gap(state, event),
        mark=event.time,
    )


def _add_row(state: RunState, row: Row) -> tuple[tuple[Row, ...], int]:
    """Every ``row_stride``-th epoch and the last one, in at most MOST_ROWS rows."""
    stride, first, rows = state.row_stride, state.initial_epoch, state.rows
    if rows and (rows[-1].epoch - first) % stride:
        rows = rows[:-1]
    rows = (*rows, row)
    if len(rows) > MOST_ROWS:
        stride *= 2
        rows = tuple(r for r in rows if (r.epoch - first) % stride == 0 or r is row)
    return rows, stride


def _better(best: Row | None, row: Row, monitor: str) -> Row | None:
    value = row.logs.get(monitor, math.nan)
    if not math.isfinite(value):
        return best
    return row if best is None or value < best.logs[monitor] else best


def _gap(state: RunState, event: ev.EpochEnded) -> float | None:
    if state.mark is None or state.status == "paused":
        return state.gap
    return _average(state.gap, max(0.0, event.time - state.mark), MEMORY)


def _changed(state: RunState, event: ev.ParameterChanged) -> RunState:
    steps = state.steps or state.guess
    x = event.epoch + (min(1.0, event.step / steps) if steps else 0.0)
    change = Change(
        x,
        event.epoch,
        event.step,
        event.parameter,
        event.previous,
        event.value,
        event.source,
        event.time,
    )
    parameters = tuple(
        replace(p, value=event.value) if p.name == event.parameter else p for p in state.parameters
    )
    return replace(
        state,
        time=max(state.time, event.time),
        parameters=parameters,
        changes=_add_change(state.changes, change),
    )


def _add_change(changes: tuple[Change, ...], new: Change) -> tuple[Change, ...]:
    last = changes[-1] if changes else None
    if (
        last is not None
        and (last.parameter, last.source) == (new.parameter, new.source)
        and new.source == "user"
        and new.time - last.time <= ONE_MOVE
    ):
        return (*changes[:-1], replace(new, previous=last.previous))
    changes = (*changes, new)
    same = [change for change in changes if change.source == new.source]
    if len(same) <= MOST_CHANGES:
        return changes
    # By hand, the oldest goes; a callback's, which are many and alike, are thinned out.
    gone = same[:1] if new.source == "user" else same[1:-1:2]
    dropped = set(map(id, gone))
    return tuple(change for change in changes if id(change) not in dropped)


def _paused(state: RunState, event: ev.RunPaused) -> RunState:
    return replace(state, status="paused", time=event.time, mark=None)


def _resumed(state: RunState, event: ev.RunResumed) -> RunState:
    return replace(state, status="running", time=event.time, mark=event.time)


def _ended(state: RunState, event: ev.RunEnded) -> RunState:
    status = event.reason if event.reason in ENDS else "finished"
    return replace(state, status=status, time=event.time, mark=None)


def _failed(state: RunState, event: ev.RunFailed) -> RunState:
    return replace(
        state,
        status="failed",
        time=event.time,
        error=event.error,
        message=event.message,
        mark=None,
    )


_HANDLERS: dict[type, Callable[[RunState, Any], RunState]] = {
    ev.BatchEnded: _batch,
    ev.EpochEnded: _epoch,
    ev.ParameterChanged: _changed,
    ev.RunPaused: _paused,
    ev.RunResumed: _resumed,
    ev.RunEnded: _ended,
    ev.RunFailed: _failed,
}


# ---------------------------------------------------------------- to the front-end


def summary(state: RunState) -> dict[str, Any]:
    """What every update carries: all but curves, epochs and changes."""
    best = state.best
    return {
        "status": state.status,
        "model": state.model,
        "epochs": state.epochs,
        "initial_epoch": state.initial_epoch,
        "epoch": state.epoch,
        "position": _short(state.position, 8),
        "step": state.step,
        "steps": state.steps or (state.guess if state.rows else None),
        "time": _short(state.time),
        "rate": _short(state.rate),
        "epoch_left": _short(state.epoch_left),
        "left": _short(state.left),
        "numbers": {name: _short(value) for name, value in state.numbers.items()},
        "best": best
        and {
            "epoch": best.epoch,
            "metric": state.monitor,
            "value": _short(best.logs[state.monitor]),
        },
        "parameters": [
            {**ev.to_json(p), "initial": ev.to_json(state.initial.get(p.name, p.value))}
            for p in state.parameters
        ],
        "error": state.error,
        "message": state.message[:500],
    }


def record(state: RunState) -> dict[str, Any]:
    """Curves, epochs and changes, whole."""
    return difference(RunState(), state)


def difference(old: RunState, new: RunState) -> dict[str, Any]:
    """What must be replaced in the record of ``old``, from which place on.

    A curve has ``low`` and ``high`` only where its points stand for several values.
    Not-a-number and infinity are ``None`` in a curve, a gap in the line.
    """
    before = {c.name: c.points for c in old.curves}
    changed: list[dict[str, Any]] = []
    for c in new.curves:
        start = _first_difference(before.get(c.name, ()), c.points)
        if start is not None or c.name not in before:
            changed.append({"name": c.name, **_columns(c.points, start or 0)})
    result: dict[str, Any] = {"curves": changed}
    for key, items in (("rows", _row), ("changes", _change)):
        start = _first_difference(getattr(old, key), getattr(new, key))
        if start is not None:
            tail = [items(item) for item in getattr(new, key)[start:]]
            result[key] = {"from": start, "items": tail}
    return result


def _columns(points: Sequence[curves.Point], start: int) -> dict[str, Any]:
    tail = points[start:]
    data: dict[str, Any] = {
        "from": start,
        "x": [_short(p.x) for p in tail],
        "y": [_finite(p.y) for p in tail],
    }
    if any(p.low < p.high for p in tail):
        data["low"] = [_finite(p.low) for p in tail]
        data["high"] = [_finite(p.high) for p in tail]
    return data


def _row(row: Row) -> dict[str, Any]:
    return {
        "epoch": row.epoch,
        "logs": {name: _short(value) for name, value in row.logs.items()},
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "x": _short(change.x),
        "epoch": change.epoch,
        "step": change.step,
        "parameter": change.parameter,
        "previous": ev.to_json(change.previous),
        "value": ev.to_json(change.value),
        "source": change.source,
    }


def _first_difference(old: Sequence[object], new: Sequence[object]) -> int | None:
    """Where two sequences part, the items being the same objects before; None if nowhere."""
    for index, (a, b) in enumerate(zip(old, new, strict=False)):
        if a is not b:
            return index
    return None if len(old) == len(new) else min(len(old), len(new))


def _short(value: float | None, digits: int = 6) -> Any:
    """A number in few digits, as JSON takes it."""
    if value is None:
        return None
    return ev.to_json(float(f"{value:.{digits}g}"))


def _finite(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
