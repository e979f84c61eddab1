"""nbkeras and its peers in turn, in fresh processes, on the same work; prints ratios.

python -m tests.benchmarks [--rounds 3] [--workloads mlp_small ...] [--output table.md]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from .measure import FRAMEWORKS
from .workloads import WORKLOADS


def main() -> int:
    """Run the rounds and print the table; 1 if a ratio is above its ceiling."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workloads", nargs="*", default=list(WORKLOADS), choices=WORKLOADS)
    parser.add_argument("--frameworks", nargs="*", default=list(FRAMEWORKS), choices=FRAMEWORKS)
    parser.add_argument("--output", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    text, missed = table(options.workloads, options.frameworks, options.rounds)
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    return 1 if missed else 0


def table(workloads: list[str], frameworks: list[str], rounds: int) -> tuple[str, list[str]]:
    """The table in Markdown, and the ceilings that were missed."""
    lines = [
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{datetime.date.today()}. Milliseconds a step of `fit(verbose=0)`: the best epoch after "
        f"the first, median of {rounds} fresh processes, frameworks in turn.",
        "",
        "| workload | " + " | ".join(frameworks) + " | ratios | asked |",
        "| --- |" + " ---: |" * len(frameworks) + " --- | --- |",
    ]
    missed = []
    for workload in workloads:
        medians = _medians(workload, frameworks, rounds)
        ratios = {
            name: medians["nbkeras"] / time
            for name, time in medians.items()
            if name != "nbkeras" and time
        }
        asked = WORKLOADS[workload].ceilings
        for peer, ceiling in asked.items():
            reached = _ratio(ratios, peer)
            if reached is not None and reached > ceiling:
                missed.append(f"{workload}: {reached:.2f} of {peer}, asked {ceiling}")
        cells = [f"{medians[name]:.3f}" if medians.get(name) else "-" for name in frameworks]
        told = ", ".join(f"{ratio:.2f} of {name}" for name, ratio in ratios.items())
        wanted = ", ".join(f"{ceiling} of {name}" for name, ceiling in asked.items())
        lines.append(f"| {workload} | " + " | ".join(cells) + f" | {told} | {wanted} |")
    lines += ["", *(f"Missed: {line}" for line in missed)]
    return "\n".join(lines), missed


def _ratio(ratios: dict[str, float], peer: str) -> float | None:
    """Against one peer, or the fastest of a group."""
    groups = {"fastest": ratios, "fastest_tf": ("keras3_tf", "tf_keras")}
    if peer not in groups:
        return ratios.get(peer)
    return max((ratios[name] for name in groups[peer] if name in ratios), default=None)


def _medians(workload: str, frameworks: list[str], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in frameworks}
    for _ in range(rounds):
        for framework in frameworks:
            result = _run(framework, workload)
            if result is not None:
                times[framework].append(result["ms_per_step"])
    return {name: statistics.median(values) for name, values in times.items() if values}


def _run(framework: str, workload: str) -> Any:
    command = [sys.executable, "-m", "tests.benchmarks.measure", framework, workload]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        print(f"{framework} cannot run {workload}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    result = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {workload} {framework}: {result['ms_per_step']:.3f} ms", file=sys.stderr)
    return result


if __name__ == "__main__":
    sys.exit(main())
