"""How long models take to build, beside peers in turn in fresh processes; prints ratios.

python -m tests.benchmarks.building [--rounds 3] [--jobs resnet50 chain_1000 ...]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from .measure import FRAMEWORKS

PEERS = ("keras3_tf", "tf_keras")
CHAINS = (10, 100, 1_000, 5_000)
JOBS = ("resnet50", *(f"chain_{length}" for length in CHAINS))
SUMMARY_MS = 50.0
REPEATS = 5


def resnet50(keras: Any) -> Any:
    """The 50-layer residual network, of 25.6 million parameters (He et al. 2015)."""
    layers = keras.layers

    def convolve(x: Any, filters: int, size: int, strides: int = 1, active: bool = True) -> Any:
        x = layers.Conv2D(filters, size, strides=strides, padding="same")(x)
        x = layers.BatchNormalization(epsilon=1.001e-5)(x)
        return layers.Activation("relu")(x) if active else x

    def block(x: Any, filters: int, strides: int, project: bool) -> Any:
        shortcut = convolve(x, 4 * filters, 1, strides, False) if project else x
        x = convolve(x, filters, 1, strides)
        x = convolve(x, filters, 3)
        x = convolve(x, 4 * filters, 1, active=False)
        return layers.Activation("relu")(layers.Add()([shortcut, x]))

    image = layers.Input(shape=(224, 224, 3))
    x = convolve(image, 64, 7, 2)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for stage, (filters, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for number in range(blocks):
            x = block(x, filters, 2 if stage and not number else 1, not number)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.models.Model(image, layers.Dense(1000, activation="softmax")(x))


def chain(keras: Any, length: int) -> Any:
    """Dense layers one behind the other."""
    x = inputs = keras.layers.Input(shape=(8,))
    for _ in range(length):
        x = keras.layers.Dense(8)(x)
    return keras.models.Model(inputs, x)


def measure(framework: str, job: str) -> dict[str, float]:
    """Milliseconds, by what was done: the first time, and the best of some."""
    module, environment = FRAMEWORKS[framework]
    os.environ.update(environment, TF_CPP_MIN_LOG_LEVEL="3")
    keras = importlib.import_module(module)
    import numpy as np

    kind, _, length = job.partition("_")
    build = resnet50 if kind == "resnet50" else lambda keras: chain(keras, int(length))
    chain(keras, 1)  # what is imported, and compiled of the framework, on first use
    times: dict[str, float] = {}
    began = time.perf_counter()
    model = build(keras)
    times["first build"] = time.perf_counter() - began
    repeats = 1 if length == "5000" else REPEATS
    times["build"] = min(_timed(lambda: build(keras)) for _ in range(repeats))
    times["compile"] = _timed(lambda: model.compile("sgd", "mse"))
    times["summary"] = min(
        _timed(lambda: model.summary(print_fn=lambda *args, **kwargs: None)) for _ in range(repeats)
    )
    if job == "resnet50":
        if not 25.5e6 < model.count_params() < 25.7e6:
            raise AssertionError(f"{framework}: {model.count_params()} parameters")
    elif length in ("10", "100"):
        x = np.zeros((32, 8), "float32")
        times["first fit"] = _timed(lambda: model.fit(x, x, epochs=1, verbose=0))
    return {what: 1e3 * seconds for what, seconds in times.items()}


def _timed(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _run(framework: str, job: str) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name, "--one", framework, job]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        print(f"{framework} cannot run {job}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return {}
    times: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return times


def main() -> int:
    """Run the rounds and print the table; 1 if nbkeras is slower than the faster peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", nargs="*", default=list(JOBS), choices=JOBS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return 0
    frameworks = ("nbkeras", *PEERS)
    missed = []
    print("| milliseconds | " + " | ".join(frameworks) + " | ratio to the faster |")
    print("| --- |" + " ---: |" * (len(frameworks) + 1))
    for job in options.jobs:
        rounds = [{name: _run(name, job) for name in frameworks} for _ in range(options.rounds)]
        for what in rounds[0]["nbkeras"]:
            middle = {
                name: statistics.median(r[name][what] for r in rounds if what in r[name])
                for name in frameworks
                if any(what in r[name] for r in rounds)
            }
            faster = min((middle[name] for name in PEERS if name in middle), default=None)
            ratio = middle["nbkeras"] / faster if faster else float("nan")
            cells = [f"{middle[name]:.1f}" if name in middle else "-" for name in frameworks]
            print(f"| {job}: {what} | " + " | ".join(cells) + f" | {ratio:.2f} |", flush=True)
            if what in ("build", "first build") and ratio > 1:
                missed.append(f"{job}, {what}: {ratio:.2f} of the faster peer, asked 1")
            if what == "summary" and job == "resnet50" and middle["nbkeras"] > SUMMARY_MS:
                missed.append(f"summary: {middle['nbkeras']:.0f} ms, asked {SUMMARY_MS:.0f}")
    print(*(f"Missed: {line}" for line in missed), sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
