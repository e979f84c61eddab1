"""A progress bar in text."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...text import plain

__all__ = ["Progbar"]


class Progbar:
    """A bar that shows how far work has come, its pace, and some numbers.

    Args:
        target: how much work there is, or ``None`` if unknown.
        width: of the bar, in characters.
        verbose: 1 for the bar, 2 for a line at the end, 0 for nothing.
        interval: seconds between two pictures, so that no page is flooded.
        stateful_metrics: names whose last value is shown, not their mean.

    >>> bar = Progbar(2, interval=0)
    >>> bar.update(2, [("loss", 0.5)])  # doctest: +ELLIPSIS
    2/2 [==============================] - ... - loss: 0.5000

    Source: Keras 2 manual, chapter 20.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.1,
        stateful_metrics: Any = None,
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics or ())
        self._sums: dict[str, tuple[float, float]] = {}
        self._seen = 0
        self._began = time.perf_counter()
        self._shown = -np.inf
        self._length = 0

    def update(self, current: int, values: Any = None) -> None:
        """Work has come to ``current``; ``values`` are (name, number) pairs to average."""
        for name, value in values or ():
            weight = max(current - self._seen, 1)
            total, count = self._sums.get(name, (0.0, 0.0))
            if name in self.stateful_metrics:
                self._sums[name] = (float(value), 1.0)
            else:
                self._sums[name] = (total + float(value) * weight, count + weight)
        self._seen = current
        numbers = {name: total / count for name, (total, count) in self._sums.items()}
        self.show(current, numbers, final=self.target is not None and current >= self.target)

    def add(self, n: int, values: Any = None) -> None:
        """``n`` more pieces of work are done."""
        self.update(self._seen + n, values)

    def show(self, current: int, numbers: Mapping[str, float], final: bool = False) -> None:
        """Draw the bar, unless it was drawn a moment ago; the last picture always."""
        now = time.perf_counter()
        if self.verbose == 0 or (self.verbose == 2 and not final):
            return
        if now - self._shown < self.interval and not final:
            return
        self._shown = now
        told = "".join(f" - {plain(name)}: {_number(value)}" for name, value in numbers.items())
        line = f"{self._bar(current)} - {self._pace(current, now, final)}{told}"
        start = "\r" if self.verbose == 1 else ""
        sys.stdout.write(start + line.ljust(self._length) + ("\n" if final else ""))
        sys.stdout.flush()
        self._length = len(line)

    def _bar(self, current: int) -> str:
        if self.target is None:
            return f"{current}/Unknown"
        done = int(self.width * min(current / max(self.target, 1), 1.0))
        head = "=" * done if done == self.width else "=" * max(done - 1, 0) + ">" * (done > 0)
        digits = len(str(self.target))
        return f"{current:>{digits}}/{self.target} [{head.ljust(self.width, '.')}]"

    def _pace(self, current: int, now: float, final: bool) -> str:
        passed = now - self._began
        each = passed / max(current, 1)
        if final or self.target is None:
            return f"{_duration(passed)} {_each(each)}"
        return f"ETA: {_duration(each * (self.target - current))}"


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _each(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"
