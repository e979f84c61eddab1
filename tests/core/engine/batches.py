"""A sequence for tests of workers; it imports no TensorFlow, so that processes start fast."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nbkeras.core.engine.workers import Sequence

__all__ = ["COUNT", "Batches", "compute", "die", "fail", "hang"]

COUNT = 12


class Batches(Sequence):
    """Batches that tell their number and the pass; one of them does something else."""

    def __init__(self, at: int = -1, do: Callable[[], Any] | None = None) -> None:
        self.at, self.do, self.passes = at, do, 0

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> Any:
        if index == self.at and self.do is not None:
            self.do()
        return np.full((2, 3), index, "float32"), np.full((2, 1), self.passes), np.ones(2)

    def on_epoch_end(self) -> None:
        self.passes += 1


def fail() -> None:
    raise KeyError("on purpose")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    threading.Event().wait()


def compute() -> None:
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        pass
