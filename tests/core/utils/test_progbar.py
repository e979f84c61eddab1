"""Progbar: what is drawn, what is averaged, what stays out of a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nbkeras.core import metrics
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential
from nbkeras.core.utils import Progbar, progbar


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Time stands still but for what is added."""
    now = [0.0]
    monkeypatch.setattr(progbar.time, "perf_counter", lambda: now[0])

    def add(seconds: float) -> None:
        now[0] += seconds

    return add


def numbers(text: str) -> dict[str, float]:
    """Names and values of the last picture."""
    return {n: float(v) for n, v in re.findall(r" - (\w+): ([\d.e+-]+)", text.split("\r")[-1])}


def test_the_bar(clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(200, width=10)
    for step, drawn in [(1, "  1/200 [.........."), (100, "100/200 [====>....."), (200, "=" * 10)]:
        clock(1.0)
        bar.update(step)
        assert drawn in capsys.readouterr().out


def test_what_remains_and_what_it_took(clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(100)
    clock(90.0)
    bar.update(50)
    assert "ETA: 1:30" in capsys.readouterr().out
    clock(7200.0)
    bar.update(100)
    out = capsys.readouterr().out
    assert "2:01:30 73s/step" in out
    assert out.endswith("\n")
    unknown = Progbar(None)
    clock(0.5)
    unknown.update(5)
    assert "5/Unknown - 0s 100ms/step" in capsys.readouterr().out


def test_means_are_weighted_by_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(40, interval=0, stateful_metrics=["auc"])
    bar.add(30, [("loss", 1.0), ("auc", 0.2)])
    bar.add(10, [("loss", 2.0), ("auc", 0.9)])
    expected = np.average([1.0, 2.0], weights=[30, 10])
    assert numbers(capsys.readouterr().out) == {"loss": expected, "auc": 0.9}


def test_a_page_is_not_flooded(clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(1000, interval=0.5)
    for _ in range(1000):
        clock(0.01)
        bar.add(1)
    pictures = capsys.readouterr().out.split("\r")[1:]
    assert 20 <= len(pictures) <= 22
    assert "1000/1000" in pictures[-1]


def test_a_shorter_line_covers_a_longer_one(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(10, interval=0)
    bar.show(1, {"loss": 1.0, "accuracy": 0.5})
    bar.show(2, {"loss": 1.0})
    first, second = capsys.readouterr().out.split("\r")[1:]
    assert len(second) >= len(first)


@pytest.mark.parametrize("verbose", [0, 2])
def test_less_than_a_bar(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(2, verbose=verbose, interval=0)
    bar.add(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
    bar.add(1, [("loss", 3.0)])
    out = capsys.readouterr().out
    assert (numbers(out) == {"loss": 2.0}) if verbose else out == ""
    assert "\r" not in out


@pytest.mark.parametrize("verbose", [1, 2])
def test_names_do_nothing_to_a_terminal(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of metrics may have come with a file."""
    net = Sequential([Dense(1, input_shape=(2,))])
    metric = metrics.MeanMetricWrapper(lambda t, p: t - p, name="\x1b[2J\u202eevil\r\n")
    net.compile("sgd", "mse", metrics=[metric])
    net.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=verbose)
    out = capsys.readouterr().out
    assert "evil" in out
    assert not set(out) & {"\x1b", "\u202e"}
    assert "evil\r" not in out
    assert "evil\n" not in out
