"""How long each network of ``keras.applications`` takes to build, beside Keras 3; prints ratios.

python -m tests.benchmarks.applications [--rounds 3] [--networks ResNet50 VGG16 ...]
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import time

from .measure import FRAMEWORKS

CEILING = 1.0
REPEATS = 3
OURS, PEER = "nbkeras", "keras3_tf"

NETWORKS = (
    *("MobileNet", "MobileNetV2", "ResNet50", "ResNet101", "ResNet152"),
    *("ResNet50V2", "ResNet101V2", "ResNet152V2", "Xception", "VGG16", "VGG19"),
    *("InceptionV3", "InceptionResNetV2", "DenseNet121", "DenseNet169", "DenseNet201"),
    *("NASNetMobile", "NASNetLarge"),
)


def measure(framework: str, network: str) -> float:
    """Seconds of building a network with random weights, the best of some, in this process."""
    module, environment = FRAMEWORKS[framework]
    os.environ.update(environment, TF_CPP_MIN_LOG_LEVEL="3")
    keras = importlib.import_module(module)
    build = getattr(importlib.import_module(f"{module}.applications"), network)
    times = []
    for _ in range(REPEATS):
        keras.backend.clear_session()
        gc.collect()
        began = time.perf_counter()
        model = build(weights=None)
        times.append(time.perf_counter() - began)
        del model
    return min(times)


def _run(framework: str, network: str) -> float:
    command = [sys.executable, "-m", __spec__.name, "--one", framework, network]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> int:
    """Run the rounds and print the table; 1 if a network is built slower than the peer's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return 0
    missed = []
    print(f"| network | {OURS} ms | {PEER} ms | ratio |\n| --- | ---: | ---: | ---: |")
    for network in options.networks:
        rounds = [(_run(OURS, network), _run(PEER, network)) for _ in range(options.rounds)]
        ours, theirs = (1e3 * statistics.median(times) for times in zip(*rounds, strict=True))
        ratio = ours / theirs
        print(f"| {network} | {ours:.0f} | {theirs:.0f} | {ratio:.2f} |", flush=True)
        if ratio > CEILING:
            missed.append(f"{network}: {ratio:.2f} of {PEER}, asked {CEILING}")
    print(*(f"Missed: {line}" for line in missed), sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
