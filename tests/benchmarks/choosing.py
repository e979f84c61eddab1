"""What choosing a form costs: whole runs with and without, and the longest wait in them.

    python -m tests.benchmarks.choosing [--rounds 3] [--workloads mlp_small ...]

Runs of several lengths, about that from which XLA is worth its compilation: there the
choice can lose most. Each is a fresh process, in turn. A call is what an interrupt, a pause
or a slider waits for.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from typing import Any

EPOCHS = {
    "mlp_small": (40, 75, 120),
    "mlp_dropout": (400, 700, 1500),
    "mnist_mlp": (3, 6, 12),
    "mnist_cnn": (4,),
    "embedding_lstm": (2, 4, 8),
    "stacked_lstm": (90, 150, 250),
    "shared_lstm": (10, 20, 40),
}
"""By workload, the epochs of the runs."""

LATER, WAIT_MS = 1.03, 150.0
"""At most: the share of the plain run's time, noise included, and a call's milliseconds."""


def measure(workload: str, epochs: int, jit: Any) -> dict[str, Any]:
    """Seconds of one ``fit`` of a new model; its calls' milliseconds; the form it ended with."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from nbkeras import core
    from nbkeras.core.engine.executors import ArrayExecutor

    from .workloads import WORKLOADS

    job = WORKLOADS[workload]
    model, x, y = job.build(core)
    metrics = ["accuracy"] if len(model.outputs) == 1 else None
    model.compile(model.optimizer, model.loss, metrics=metrics, jit_compile=jit)
    calls: list[float] = []
    plain = ArrayExecutor.run

    def run(self: Any, step: int, count: int) -> Any:
        began = time.perf_counter()
        logs = plain(self, step, count)
        calls.append((time.perf_counter() - began) * 1e3)
        return logs

    ArrayExecutor.run = run  # type: ignore[method-assign]
    began = time.perf_counter()
    model.fit(x, y, batch_size=job.batch_size, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - began
    (choice,) = model._trainer.program("train").choices.values()
    # The first call makes the program; it is the wait for a first step.
    return {"seconds": seconds, "calls": calls[1:], "form": choice.current}


def main() -> int:
    """Print the table; 1 if a run ended later or a call took longer than asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workloads", nargs="+", default=list(EPOCHS), choices=list(EPOCHS))
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores; medians of {options.rounds} processes.\n")
    print("| model | epochs | s, plain | s, chosen | ratio | ends with | calls over 150 ms |")
    print("| --- | ---: | ---: | ---: | ---: | --- | ---: |")
    missed = False
    for workload in options.workloads:
        for epochs in EPOCHS[workload]:
            found: dict[str, list[Any]] = {"false": [], "auto": []}
            for _ in range(options.rounds):
                for jit, results in found.items():
                    results.append(_elsewhere(workload, epochs, jit))
            plain, chosen = (statistics.median(r["seconds"] for r in found[j]) for j in found)
            calls = [call for result in found["auto"] for call in result["calls"]]
            over, form = sum(call > WAIT_MS for call in calls), found["auto"][-1]["form"]
            missed |= chosen > LATER * plain or over > 0
            print(
                f"| {workload} | {epochs} | {plain:.2f} | {chosen:.2f} | {chosen / plain:.2f} "
                f"| {form} | {over} of {len(calls)}, longest {max(calls):.0f} ms |",
                flush=True,
            )
    return int(missed)


def _elsewhere(workload: str, epochs: int, jit: str) -> Any:
    command = [sys.executable, "-m", "tests.benchmarks.choosing", "--job", workload]
    done = subprocess.run([*command, str(epochs), jit], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        name, count, how = sys.argv[2:]
        print(json.dumps(measure(name, int(count), how if how == "auto" else False)))
    else:
        sys.exit(main())
