import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbkeras import events as ev
from nbkeras.widgets import run_state
from nbkeras.widgets.run_state import RunState, difference, record, reduce, summary

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "run.json").read_text("utf-8"))
LR = ev.Parameter("lr", "Learning rate", 0.1, 1e-6, 1.0, "log")


def fold(events, state=None):
    for event in events:
        state = reduce(state or RunState(), event)
    return state


def started(**more):
    return ev.RunStarted(**{"run": "1", "model": "net", "epochs": 4, "steps": 10, **more})


def batch(epoch, step, time=0.0, count=1, loss=1.0, **more):
    logs = {"loss": loss, **more}
    return ev.BatchEnded("1", epoch, step, count, step * 32, time, logs, logs)


def epoch(number, time=0.0, **logs):
    return ev.EpochEnded("1", number, time, {"loss": 1.0, **logs})


def change(value, previous=0.1, time=0.0, step=0, source="user", at=0, parameter="lr"):
    return ev.ParameterChanged("1", parameter, value, previous, at, step, time, source)


def curve(state, name):
    return next(c for c in state.curves if c.name == name)


# ---------------------------------------------------------------- the wire


def test_the_fixture_that_the_front_end_reads_too():
    state = RunState()
    for update in FIXTURE["updates"]:
        new = fold(map(ev.from_json, update["events"]), state)
        assert summary(new) == update["summary"]
        assert difference(state, new) == update["record"]
        state = new
    assert record(state) == FIXTURE["record"]


def apply(known, delta):
    """What the front-end does with a difference."""
    for tail in delta["curves"]:
        have = known["curves"].setdefault(tail["name"], {})
        for key, values in (
            ("x", tail["x"]),
            ("y", tail["y"]),
            ("low", tail.get("low", tail["y"])),
            ("high", tail.get("high", tail["y"])),
        ):
            have[key] = have.get(key, [])[: tail["from"]] + values
    for key in ("rows", "changes"):
        if key in delta:
            known[key] = known[key][: delta[key]["from"]] + delta[key]["items"]
    return known


def nothing():
    return {"curves": {}, "rows": [], "changes": []}


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.sampled_from([None, 150]))
def test_differences_add_up_to_the_record(lengths, steps):
    """Whenever the updates are sent, and also where the steps of an epoch are guessed."""
    state = fold([started(steps=steps, epochs=9, validation=True)])
    known = apply(nothing(), difference(RunState(), state))
    for number, length in enumerate(lengths):
        new = fold([batch(number, s + 1, loss=math.sin(s)) for s in range(length)], state)
        new = fold([change(0.01 * number, at=number, step=3, time=number * 9.0)], new)
        known, state = apply(known, difference(state, new)), new
        new = fold([epoch(number, val_loss=0.5)], state)
        known, state = apply(known, difference(state, new)), new
    assert known == apply(nothing(), record(state))


def test_nothing_new_is_nothing_to_send():
    state = fold([started(), batch(0, 1)])
    assert difference(state, state) == {"curves": []}


def test_everything_is_json_without_nan():
    state = fold([started(parameters=(LR,)), batch(0, 1, loss=math.nan), epoch(0, val_x=math.inf)])
    state = fold([change(math.nan)], state)
    for data in (summary(state), record(state)):
        json.dumps(data, allow_nan=False)


def test_a_refresh_costs_less_than_a_kilobyte():
    state = fold([started(epochs=100, steps=1000, parameters=(LR,), metrics=("loss", "accuracy"))])
    state = fold([batch(0, s + 1, s * 0.001, accuracy=0.5) for s in range(5000)], state)
    new = fold([batch(50, 1, 6.0, accuracy=0.5)], state)
    assert len(json.dumps([summary(new), difference(state, new)])) < 1000


# ---------------------------------------------------------------- what happens to a run


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], "waiting"),
        ([started()], "running"),
        ([started(), ev.RunPaused("1", 0, 1, 1.0)], "paused"),
        ([started(), ev.RunPaused("1", 0, 1, 1.0), batch(0, 2)], "paused"),
        ([started(), ev.RunPaused("1", 0, 1, 1.0), ev.RunResumed("1", 0, 1, 2.0)], "running"),
        ([started(), ev.RunEnded("1", "finished", 4, 1.0)], "finished"),
        ([started(), ev.RunEnded("1", "stopped", 2, 1.0)], "stopped"),
        ([started(), ev.RunEnded("1", "interrupted", 2, 1.0)], "interrupted"),
        ([started(), ev.RunFailed("1", "ValueError", "no", 1.0)], "failed"),
        ([ev.RunFailed("", "ValueError", "no", 0.0)], "failed"),
        ([started(), ev.RunEnded("1", "finished", 4, 1.0), started()], "running"),
        ([started(), ev.RunEnded("1", "finished", 4, 1.0), batch(0, 3)], "finished"),
    ],
)
def test_status(events, status):
    assert fold(events, RunState()).status == status


def test_events_of_another_run_and_of_no_run_change_nothing():
    state = fold([started(), batch(0, 1)])
    other = dataclasses.replace(batch(0, 2), run="2")
    assert reduce(state, other) is state
    assert reduce(state, ev.ModelBuilt("net", "Sequential", ())) is state
    assert reduce(RunState(), batch(0, 1)) == RunState()


def test_a_state_is_never_changed_in_place():
    events = [started(), batch(0, 1), epoch(0), change(0.2), batch(1, 1)]
    states = [fold(events[:n]) for n in range(1, len(events) + 1)]
    before = [repr(state) for state in states]
    fold(events[1:], states[0])
    assert [repr(state) for state in states] == before


def test_validation_is_drawn_at_the_end_of_its_epoch():
    state = fold([started(validation=True), batch(0, 10), epoch(0, val_loss=3.0), batch(1, 5)])
    assert [(p.x, p.y) for p in curve(state, "val_loss").points] == [(1.0, 3.0)]
    assert [p.x for p in curve(state, "loss").points] == [1.0, 1.5]


def test_metrics_that_appear_later_are_drawn_and_other_logs_are_not():
    state = fold([started(), batch(0, 1, accuracy=0.5), epoch(0, val_accuracy=0.4, lr=0.1)])
    assert [c.name for c in state.curves] == ["loss", "accuracy", "val_accuracy"]
    assert state.numbers["lr"] == 0.1


def test_a_run_that_reports_epochs_only_is_drawn_by_epochs():
    state = fold([started(), epoch(0), epoch(1), epoch(2)])
    assert [p.x for p in curve(state, "loss").points] == [1.0, 2.0, 3.0]


def test_best_epoch_is_the_one_with_the_lowest_validation_loss():
    losses = [3.0, 1.0, math.nan, 2.0]
    events = [epoch(n, val_loss=loss) for n, loss in enumerate(losses)]
    assert fold([started(validation=True), *events]).best.epoch == 1
    events = [epoch(n, loss=loss) for n, loss in enumerate(losses)]
    assert fold([started(), *events]).best.epoch == 1


def test_a_resumed_training_begins_at_its_epoch():
    state = fold([started(initial_epoch=2), batch(2, 5)])
    assert state.position == 2.5
    assert curve(state, "loss").points[0].x == 2.5


# ---------------------------------------------------------------- speed


def test_speed_and_time_left():
    events = [started(epochs=2, validation=True), batch(0, 1, 5.0)]  # the first step compiles
    events += [batch(0, 1 + n, 5.0 + 0.5 * n) for n in range(1, 5)]
    state = fold(events)
    assert state.rate == pytest.approx(64.0)
    assert state.epoch_left == pytest.approx(2.5)
    assert state.left == pytest.approx(2.5 + 5.0)
    state = fold([batch(0, 10, 9.5, count=5), epoch(0, 11.5, val_loss=1.0)], state)
    assert state.gap == pytest.approx(2.0)
    assert state.left == pytest.approx(5.0 + 2.0)


def test_compiling_once_does_not_slow_a_run_down_for_long():
    events = [started(epochs=100), batch(0, 1, 1.0), batch(0, 2, 6.0)]  # the second one compiles
    events += [batch(0, 2 + 50 * n, 6.0 + 0.05 * n, count=50) for n in range(1, 40)]
    assert fold(events).step_time == pytest.approx(0.001, abs=0.003)


def test_what_an_epoch_leaves_over_joins_the_chunk_before():
    chunks = [batch(0, 50, 1.0, count=50, loss=2.0), batch(0, 51, 1.1, loss=5.0)]
    state = fold([started(steps=51), *chunks])
    [point] = curve(state, "loss").points
    assert (point.x, point.y, point.weight) == pytest.approx((1.0, (50 * 2 + 5) / 51, 51))
    assert (point.low, point.high) == (2.0, 5.0)
    steps = [batch(1, n, 2.0 + n, loss=1.0) for n in range(1, 52)]  # one by one, each is a point
    assert len(curve(fold(steps, state), "loss").points) == 52


def test_a_pause_does_not_slow_a_run_down():
    state = fold([started(), batch(0, 1, 1.0), batch(0, 2, 1.5)])
    pause = [ev.RunPaused("1", 0, 2, 1.5), batch(0, 3, 61.0), ev.RunResumed("1", 0, 3, 99.0)]
    state = fold([*pause, batch(0, 4, 99.5)], state)
    assert state.step_time == pytest.approx(0.5)


def test_time_left_is_unknown_at_first_and_without_steps():
    assert fold([started(), batch(0, 1, 1.0)]).left is None
    assert fold([started(steps=None), batch(0, 1, 1.0), batch(0, 2, 2.0)]).left is None


def test_unknown_steps_are_learned_in_the_first_epoch():
    state = fold([started(steps=None)] + [batch(0, n, float(n)) for n in range(1, 13)])
    assert state.position < 1
    state = fold([epoch(0, 12.0)], state)
    assert [p.x for p in curve(state, "loss").points] == pytest.approx(
        [n / 12 for n in range(1, 13)]
    )
    state = fold([batch(1, 3, 15.0, count=3)], state)
    assert state.position == pytest.approx(1.25)
    assert summary(state)["steps"] == 12
    assert state.left == pytest.approx(9.0 + 2 * 12.0)


# ---------------------------------------------------------------- changes


def test_a_change_is_marked_where_it_happened():
    state = fold([started(parameters=(LR,)), batch(0, 5), change(0.01, step=5)])
    assert [(c.x, c.previous, c.value) for c in state.changes] == [(0.5, 0.1, 0.01)]
    assert state.parameters[0].value == 0.01
    assert state.initial == {"lr": 0.1}


def test_one_movement_of_a_slider_is_one_change():
    drag = [change(v, p, time=t) for v, p, t in [(0.2, 0.1, 1.0), (0.3, 0.2, 1.4), (0.4, 0.3, 2.1)]]
    state = fold([started(parameters=(LR,)), *drag, change(0.5, 0.4, time=9.0)])
    assert [(c.previous, c.value) for c in state.changes] == [(0.1, 0.4), (0.4, 0.5)]
    drag = [change(v, 0.1, source="callback") for v in (0.2, 0.3)]
    assert len(fold([started(), *drag]).changes) == 2


def test_changes_of_callbacks_never_push_out_those_by_hand():
    hand = change(0.5, 0.1, time=0.0)
    schedule = [change(n, n - 1.0, float(n), source="callback", at=n) for n in range(1, 2000)]
    state = fold([started(epochs=3000), hand, *schedule])
    kept = [c for c in state.changes if c.source == "callback"]
    assert len(kept) <= run_state.MOST_CHANGES
    assert kept[-1].value == 1999
    assert [c.value for c in state.changes if c.source == "user"] == [0.5]


# ---------------------------------------------------------------- however long


def test_a_long_run_stays_small():
    names = ("loss", "accuracy", "mae")
    state = fold([started(epochs=500, steps=100, validation=True, metrics=names)])
    for number in range(500):
        logs = {"accuracy": 0.5, "mae": number}
        state = fold([batch(number, s, number, 50, **logs) for s in (50, 100)], state)
        state = fold([epoch(number, val_loss=0.1, val_accuracy=0.5, val_mae=1.0)], state)
    assert sum(len(c.points) for c in state.curves) <= run_state.MOST_POINTS
    assert len(state.rows) <= run_state.MOST_ROWS
    assert [state.rows[0].epoch, state.rows[-1].epoch] == [0, 499]
    gaps = {b.epoch - a.epoch for a, b in zip(state.rows[:-2], state.rows[1:-1], strict=True)}
    assert len(gaps) == 1
    assert len(json.dumps(record(state))) < 100_000


def test_hundreds_of_metrics_do_not_multiply_the_points():
    names = [f"m{n}" for n in range(300)]
    state = fold([started(metrics=tuple(names))])
    logs = dict.fromkeys(names, 1.0)
    state = fold([batch(0, s + 1, **logs) for s in range(200)], state)
    assert sum(len(c.points) for c in state.curves) <= run_state.MOST_POINTS
    assert set(names) <= set(state.numbers)
