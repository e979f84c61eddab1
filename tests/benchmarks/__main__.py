"""nbkeras and its peers in turn, in fresh processes, on the same work; prints ratios.

python -m tests.benchmarks [--rounds 3] [--workloads mlp_small ...] [--measures train ...]
    [--output README.md]

With ``--output`` the table replaces what stands between the two comments
``benchmarks`` of that file. Where there is a GPU, training is measured on it too, in
rows of their own; all other rows are of the CPU alone.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .measure import FRAMEWORKS, MEASURES
from .workloads import ROWS, WORKLOADS, Row

GEOMETRIC_MEAN = 0.33
"""What the geometric mean over the training rows should be at most, against Keras 3 (TF)."""

LIMIT = 1.25
"""How far from a hand-written loop training may be."""

GPUS = """
import tensorflow as tf
for device in tf.config.list_physical_devices("GPU"):
    print(tf.config.experimental.get_device_details(device).get("device_name", device.name))
"""

Times = dict[Row, dict[str, float]]
"""Row -> framework -> milliseconds."""


def main() -> int:
    """Run the rounds and print the table; 1 if a ratio is above its ceiling."""
    everyone = [*FRAMEWORKS, "limit"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workloads", nargs="*", default=list(WORKLOADS), choices=WORKLOADS)
    parser.add_argument("--measures", nargs="*", default=list(MEASURES), choices=MEASURES)
    parser.add_argument("--frameworks", nargs="*", default=everyone, choices=everyone)
    parser.add_argument("--output", type=Path, help="write the table into this file")
    options = parser.parse_args()
    rows = [
        row for row in ROWS if row.workload in options.workloads and row.measure in options.measures
    ]
    if gpus():
        rows += [replace(row, at_most=1.0, gpu=True) for row in rows if row.measure == "train"]
    times = take(rows, options.frameworks, options.rounds)
    text, missed = table(rows, times, options.frameworks, options.rounds)
    print(text)
    print("", *(f"Missed: {line}" for line in missed), sep="\n")
    if options.output:
        publish(options.output, text)
    return 1 if missed else 0


# ---------------------------------------------------------------- taking times


def take(rows: list[Row], frameworks: list[str], rounds: int) -> Times:
    """Medians over fresh processes; one process takes all measures of a workload."""
    taken: dict[Row, dict[str, list[float]]] = {}
    for workload, gpu in dict.fromkeys((row.workload, row.gpu) for row in rows):
        mine = {row.measure: row for row in rows if (row.workload, row.gpu) == (workload, gpu)}
        for _ in range(rounds):
            for framework in frameworks:
                for measure, value in _run(framework, workload, list(mine), gpu).items():
                    taken.setdefault(mine[measure], {}).setdefault(framework, []).append(value)
    return {
        row: {name: statistics.median(values) for name, values in by_framework.items()}
        for row, by_framework in taken.items()
    }


@functools.cache
def gpus() -> list[str]:
    """The names of the GPUs that TensorFlow can use here; it is asked in another process."""
    told = subprocess.run([sys.executable, "-c", GPUS], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def _run(framework: str, workload: str, measures: list[str], gpu: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.measure", framework, workload, *measures]
    seen = os.environ if gpu else {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=900, check=True, env=seen
        )
    except subprocess.SubprocessError as error:
        told = (getattr(error, "stderr", None) or str(error)).strip()[-300:]
        print(f"{framework} cannot run {workload}: {told}", file=sys.stderr)
        return {}
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    told = ", ".join(f"{name} {value:.3f}" for name, value in result.items())
    print(f"  {workload} {framework}: {told}", file=sys.stderr)
    return result


# ---------------------------------------------------------------- the table


def table(
    rows: list[Row], times: Times, frameworks: list[str], rounds: int
) -> tuple[str, list[str]]:
    """The table in Markdown, and the ceilings that were missed."""
    peers = [name for name in frameworks if name not in ("nbkeras", "limit")]
    processes = f"median of {rounds} fresh processes" if rounds > 1 else "one fresh process each"
    lines = [
        f"Milliseconds; the best of many calls in a process, {processes}, in turn. "
        f"{', '.join([platform.machine(), f'{os.cpu_count()} cores', *gpus()])}, "
        f"Python {platform.python_version()}, "
        f"{datetime.date.today()}. Ratio: to the fastest peer. "
        "Limit: the same training, written by hand.",
        "",
        "| measured | model | " + " | ".join(frameworks) + " | ratio | asked |",
        "| --- | --- |" + " ---: |" * (len(frameworks) + 2),
    ]
    missed: list[str] = []
    for row in rows:
        of = times.get(row, {})
        others = [of[name] for name in peers if name in of]
        ratio = of["nbkeras"] / min(others) if others and "nbkeras" in of else None
        if ratio is not None and ratio > row.at_most:
            missed.append(f"{row.name}: {ratio:.2f} of the fastest, asked {row.at_most}")
        if "limit" in of and of["nbkeras"] > LIMIT * of["limit"]:
            above = of["nbkeras"] / of["limit"]
            missed.append(f"{row.name}: {above:.2f} of the limit, asked {LIMIT}")
        cells = [f"{of[name]:.3g}" if name in of else "-" for name in frameworks]
        shown = "-" if ratio is None else f"**{ratio:.2f}**"
        lines.append(
            f"| {row.label} | {row.workload} | {' | '.join(cells)} | {shown} | {row.at_most} |"
        )
    mean = geometric_mean(times, "keras3_tf")
    if mean is not None:
        lines += ["", f"Training against Keras 3 (TensorFlow), geometric mean: **{mean:.2f}**."]
        if mean > GEOMETRIC_MEAN:
            missed.append(f"geometric mean: {mean:.2f}, asked {GEOMETRIC_MEAN}")
    return "\n".join(lines), missed


def geometric_mean(times: Mapping[Row, Mapping[str, float]], peer: str) -> float | None:
    """Of the ratios of the training rows on the CPU to one peer."""
    logs = [
        math.log(of["nbkeras"] / of[peer])
        for row, of in times.items()
        if row.measure == "train" and not row.gpu and peer in of and "nbkeras" in of
    ]
    return math.exp(sum(logs) / len(logs)) if logs else None


def publish(path: Path, text: str) -> None:
    """Put the table between the two comments of a file."""
    old = path.read_text(encoding="utf-8")
    place = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
    if not place.search(old):
        raise SystemExit(f"{path} has no <!-- benchmarks --> ... <!-- /benchmarks --> to fill.")
    path.write_text(place.sub(lambda m: f"{m[1]}\n{text}\n\n{m[2]}", old), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
