"""One framework, one workload, in this process: prints a line of JSON.

python -m tests.benchmarks.measure nbkeras mlp_small train evaluate
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FRAMEWORKS", "MEASURES", "measure"]

FRAMEWORKS = {
    "nbkeras": ("nbkeras.core", {}),
    "keras3_tf": ("keras", {"KERAS_BACKEND": "tensorflow"}),
    "keras3_jax": ("keras", {"KERAS_BACKEND": "jax"}),
    "tf_keras": ("tf_keras", {}),
}

WARM_SECONDS = 10.0
"""How long a call is repeated before it is timed: what chooses and compiles is done then."""

LONG_WARM_SECONDS = 25.0
"""The same for ``evaluate`` of a workload that is trained for long before."""

SECONDS = 1.5
"""How long a call is repeated, at least; the best time counts."""


class Bench:
    """A workload in one framework, built anew where a measure needs a fresh model."""

    def __init__(self, keras: Any, workload: Any) -> None:
        self.keras = keras
        self.workload = workload
        self.model, self.x, self.y = workload.build(keras)

    @property
    def several(self) -> bool:
        """Whether the model has several inputs, and several outputs too."""
        return isinstance(self.x, list)

    def rows(self, first: int, count: int) -> tuple[Any, Any]:
        """Some rows of the data."""

        def cut(part: Any) -> Any:
            return part[first : first + count]

        if self.several:
            return [cut(part) for part in self.x], [cut(part) for part in self.y]
        return cut(self.x), cut(self.y)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        rows = len(self.x[0] if self.several else self.x)
        return -(-rows // self.workload.batch_size)


def _repeated(call: Callable[[], Any], at_least: int = 5, warm: float = WARM_SECONDS) -> float:
    """Seconds of the best of many calls, after those that choose and compile."""
    began = time.perf_counter()
    call()
    while time.perf_counter() - began < warm:
        call()
    best, spent, done = float("inf"), 0.0, 0
    while spent < SECONDS or done < at_least:
        began = time.perf_counter()
        call()
        seconds = time.perf_counter() - began
        best, spent, done = min(best, seconds), spent + seconds, done + 1
    return best


def first_fit(bench: Bench) -> float:
    """Milliseconds of the first ``fit``, of one step, after ``compile``."""
    x, y = bench.rows(0, bench.workload.batch_size)
    began = time.perf_counter()
    bench.model.fit(x, y, batch_size=bench.workload.batch_size, epochs=1, verbose=0)
    return (time.perf_counter() - began) * 1e3


def train(bench: Bench) -> float:
    """Milliseconds a step of ``fit(verbose=0)``, after some seconds of it.

    Whole calls are timed, so that nothing looks at a run while it goes.
    """
    job = bench.workload
    began = time.perf_counter()

    def fit(epochs: int) -> None:
        bench.model.fit(bench.x, bench.y, batch_size=job.batch_size, epochs=epochs, verbose=0)

    while time.perf_counter() - began < job.warm:
        fit(job.epochs)
    epochs = max(1, job.epochs // 5)
    return _repeated(lambda: fit(epochs), at_least=3, warm=0.0) / (bench.steps * epochs) * 1e3


def user_callback(bench: Bench) -> float:
    """Milliseconds a step of ``fit`` with a callback that keeps what every batch logs."""
    losses: list[float] = []

    class Ears(bench.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            losses.append(float(logs["loss"]))

    return _with_callback(bench, Ears())


def steering_callback(bench: Bench) -> float:
    """Milliseconds a step of ``fit`` with a callback that could end it at every batch."""

    class Hands(bench.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            if logs["loss"] < 0:
                self.model.stop_training = True

    return _with_callback(bench, Hands())


def _with_callback(bench: Bench, callback: Any) -> float:
    options = {"batch_size": bench.workload.batch_size, "epochs": 2, "verbose": 0}

    def fit() -> None:
        bench.model.fit(bench.x, bench.y, callbacks=[callback], **options)

    return _repeated(fit, at_least=3) / (bench.steps * 2) * 1e3


def evaluate(bench: Bench) -> float:
    """Milliseconds a step of ``evaluate(verbose=0)``."""
    job = bench.workload
    best = _repeated(
        lambda: bench.model.evaluate(bench.x, bench.y, batch_size=job.batch_size, verbose=0),
        warm=min(job.warm, LONG_WARM_SECONDS),
    )
    return best / bench.steps * 1e3


def predict(bench: Bench) -> float:
    """Milliseconds of ``predict(verbose=0)`` of all rows, as it is called by default."""
    return _repeated(lambda: bench.model.predict(bench.x, verbose=0)) * 1e3


def predict_one(bench: Bench) -> float:
    """Milliseconds of ``predict`` of one row."""
    x, _ = bench.rows(0, 1)
    return _repeated(lambda: bench.model.predict(x, verbose=0)) * 1e3


def train_on_batch(bench: Bench) -> float:
    """Milliseconds a call of ``train_on_batch`` in a Python loop."""
    x, y = bench.rows(0, bench.workload.batch_size)

    def call() -> None:
        for _ in range(50):
            bench.model.train_on_batch(x, y)

    return _repeated(call) / 50 * 1e3


MEASURES: dict[str, Callable[[Bench], float]] = {
    function.__name__: function
    for function in (
        first_fit,
        train,
        user_callback,
        steering_callback,
        evaluate,
        predict,
        predict_one,
        train_on_batch,
    )
}
"""In the order in which they are taken; the first one needs a model that never ran."""


def measure(framework: str, workload: str, measures: list[str]) -> dict[str, float]:
    """Milliseconds of each measure."""
    from .workloads import WORKLOADS

    if framework == "limit":
        by_hand = _limit(workload) if "train" in measures else None
        return {} if by_hand is None else {"train": by_hand()}
    module, environment = FRAMEWORKS[framework]
    os.environ.update(environment, TF_CPP_MIN_LOG_LEVEL="3")
    keras = importlib.import_module(module)
    np.random.seed(0)
    bench = Bench(keras, WORKLOADS[workload])
    if "first_fit" in measures:
        # What a framework makes once in a process is not the model's.
        warm, x, y = bench.workload.build(keras)
        del warm, x, y
    return {name: taken(bench) for name, taken in MEASURES.items() if name in measures}


def _limit(workload: str) -> Callable[[], float] | None:
    """What trains a workload by hand: a loop in JAX, or a graph where there are convolutions."""
    from .limits import LIMITS

    if workload in LIMITS:
        return LIMITS[workload]
    from . import limits_graph

    return getattr(limits_graph, workload, None)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], sys.argv[3:] or ["train"])))
