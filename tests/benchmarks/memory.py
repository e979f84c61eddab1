"""How much memory stays behind after predictions, and after models that are gone.

python -m tests.benchmarks.memory [--predicts 1000] [--rounds 200]
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CEILING = 0.05
"""Megabytes for each call or round."""

WARM = 60
"""Calls before counting begins: TensorFlow's own pools fill during the first tens of models."""


def resident() -> float:
    """Megabytes this process holds, with what it could give back given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(call: Callable[[], Any], times: int) -> float:
    """Megabytes that each call leaves behind, once the first ones have warmed up."""
    for _ in range(WARM):
        call()
    before = resident()
    for _ in range(times):
        call()
    return (resident() - before) / times


def main() -> int:
    """Print the table; 1 if more stays than the ceiling."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predicts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    import numpy as np

    from nbkeras import keras

    layers, models = keras.layers, keras.models
    x, y = np.ones((64, 8), "float32"), np.ones((64, 1), "float32")

    def build() -> Any:
        model = models.Sequential(
            [
                layers.Dense(16, activation="relu", input_shape=(8,)),
                layers.Dropout(0.2),
                layers.BatchNormalization(),
                layers.Dense(1, name="score"),
            ]
        )
        model.compile("adam", "mse", metrics=["mae"])
        return model

    model = build()
    model.fit(x, y, verbose=0)
    rng = np.random.default_rng(1)
    jobs: dict[str, tuple[Callable[[], Any], int]] = {
        "predict": (lambda: model.predict(x), options.predicts),
        "predict, other sizes": (
            lambda: model.predict(x[: rng.integers(1, 64)]),
            options.predicts,
        ),
        "train_on_batch": (lambda: model.train_on_batch(x, y), options.predicts),
        "fit": (lambda: model.fit(x, y, verbose=0), options.rounds),
        "build, fit, delete": (lambda: build().fit(x, y, verbose=0), options.rounds),
        "build, predict, delete": (lambda: build().predict(x), options.rounds),
    }
    print("| what | times | MB each | asked |\n| --- | ---: | ---: | ---: |")
    missed = False
    for name, (call, times) in jobs.items():
        each = growth(call, times)
        missed |= each > CEILING
        print(f"| {name} | {times} | {each:.4f} | {CEILING} |", flush=True)
    return int(missed)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
