"""One framework, one workload, in this process: prints a line of JSON.

python -m tests.benchmarks.measure nbkeras mlp_small
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from itertools import pairwise
from typing import Any

__all__ = ["FRAMEWORKS", "measure"]

FRAMEWORKS = {
    "nbkeras": ("nbkeras.core", {}),
    "keras3_tf": ("keras", {"KERAS_BACKEND": "tensorflow"}),
    "keras3_jax": ("keras", {"KERAS_BACKEND": "jax"}),
    "tf_keras": ("tf_keras", {}),
}


def measure(framework: str, workload: str) -> dict[str, Any]:
    """Milliseconds a step of ``fit(verbose=0)``: the best epoch after the first."""
    module, environment = FRAMEWORKS[framework]
    os.environ.update(environment, TF_CPP_MIN_LOG_LEVEL="3")
    keras = importlib.import_module(module)
    from .workloads import WORKLOADS

    job = WORKLOADS[workload]
    model, x, y = job.build(keras)
    ends: list[float] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())

    began = time.perf_counter()
    model.fit(x, y, batch_size=job.batch_size, epochs=job.epochs, verbose=0, callbacks=[Clock()])
    rows = len(x[0] if isinstance(x, list) else x)
    steps = -(-rows // job.batch_size)
    epochs = [after - before for before, after in pairwise(ends)]
    return {
        "framework": framework,
        "workload": workload,
        "ms_per_step": min(epochs) / steps * 1e3,
        "first_epoch_s": ends[0] - began,
        "total_s": ends[-1] - began,
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2])))
