"""How data come in: memory of a large array, a file beside memory, batches made by workers.

    python -m tests.benchmarks.feeding [memory file workers] [--gigabytes 1] [--rounds 1]

Each measurement is a fresh process, frameworks in turn. Memory is the process's peak
above that of the same work on a few rows, and so without TensorFlow's own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .measure import FRAMEWORKS

COLUMNS, BATCH = 784, 128
WORK_SECONDS = 0.005
PEERS = ("nbkeras", "keras3_tf", "tf_keras")
CEILINGS = {"array": 1.2, "time of memory": 1.1, "megabytes": 500.0, "fastest peer": 0.9}


# ---------------------------------------------------------------- in a fresh process


def network(keras: Any) -> Any:
    """784-128-10, which trains faster than most, so that feeding it counts."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Input((COLUMNS,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    return model


def array_of(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Random rows and labels."""
    rng = np.random.default_rng(0)
    return rng.random((rows, COLUMNS), np.float32), rng.integers(0, 10, rows).astype("float32")


def one_fit(keras: Any, x: Any, y: Any, shuffle: Any = True, epochs: int = 1) -> dict[str, float]:
    """Seconds of an epoch after the program is compiled, and the peak of memory."""
    model = network(keras)
    model.fit(x[: 64 * BATCH], y[: 64 * BATCH], batch_size=BATCH, epochs=3, verbose=0)
    began = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=epochs, shuffle=shuffle, verbose=0)
    return {
        "seconds": (time.perf_counter() - began) / epochs,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def memory(keras: Any, size: str) -> dict[str, float]:
    """``fit`` on an array of some gigabytes."""
    x, y = array_of(max(int(float(size) * 2**30 / (4 * COLUMNS)), 64 * BATCH))
    return one_fit(keras, x, y)


def file(keras: Any, path: str, source: str, shuffle: str) -> dict[str, float]:
    """``fit`` from a file, or from memory that the same file was read into."""
    import h5py

    with h5py.File(path) as stored:
        x, y = stored["x"], stored["y"]
        if source == "memory":
            x, y = x[:], y[:]
        elif source == "few":
            x, y = x[: 64 * BATCH], y[: 64 * BATCH]
        return one_fit(keras, x, y, {"yes": True, "no": False, "batch": "batch"}[shuffle], 2)


def work(repeats: int) -> np.ndarray:
    """Some milliseconds of NumPy."""
    numbers = np.random.default_rng(0).random(20_000)
    for _ in range(repeats):
        numbers = np.sort(np.sin(numbers * 1e4))
    return numbers


def make_batches(base: Any, repeats: int, **options: Any) -> Any:
    """100 batches that cost some work each."""

    class Batches(base):  # type: ignore[misc]
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> Any:
            work(repeats)
            rng = np.random.default_rng(index)
            return rng.random((32, COLUMNS), np.float32), rng.integers(0, 10, 32)

    return Batches(**options)


def workers(keras: Any, repeats: str, kind: str) -> dict[str, float]:
    """Seconds a batch made by two threads or processes, best epoch after the first."""
    options = {"workers": 2, "use_multiprocessing": kind == "processes", "max_queue_size": 10}
    to_fit = not hasattr(keras.utils, "PyDataset")
    base = keras.utils.Sequence if to_fit else keras.utils.PyDataset
    batches = make_batches(base, int(repeats), **({} if to_fit else options))
    model, ends = network(keras), []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
    )
    given = options if to_fit else {}
    model.fit(batches, epochs=4, shuffle=False, verbose=0, callbacks=[clock], **given)
    best = min(after - before for before, after in pairwise(ends))
    return {"seconds": best / len(batches)}


# ---------------------------------------------------------------- the tables


def run(framework: str, job: str, *arguments: Any) -> dict[str, float] | None:
    """What a job gives in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.feeding", "--job", framework, job]
    command += map(str, arguments)
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        print(f"{framework} {job}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {framework} {job} {' '.join(map(str, arguments))}: {result}", file=sys.stderr)
    return result


def several(rounds: int, *job: Any) -> dict[str, float]:
    """The medians of some processes."""
    found = [result for result in (run(*job) for _ in range(rounds)) if result]
    return {key: statistics.median(r[key] for r in found) for key in (found[0] if found else {})}


def memory_table(gigabytes: float, rounds: int) -> Iterator[tuple[str, float, str]]:
    """Peaks above those of few rows, as shares of the array."""
    for framework in PEERS:
        few, many = (several(rounds, framework, "memory", size) for size in (0, gigabytes))
        if few and many:
            share = (many["peak"] - few["peak"]) / (gigabytes * 2**30)
            asked = "array" if framework == "nbkeras" else ""
            yield f"{framework}: peak memory, of the array", share, asked


def file_table(gigabytes: float, rounds: int) -> Iterator[tuple[str, float, str]]:
    """Time from a file beside the time from memory, and memory."""
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.h5"
        rows, part = int(gigabytes * 2**30 / (4 * COLUMNS)), 2**15
        with h5py.File(path, "w") as stored:
            x = stored.create_dataset("x", (rows, COLUMNS), "f4")
            y = stored.create_dataset("y", (rows,), "f4")
            some_x, some_y = array_of(part)
            for first in range(0, rows, part):
                count = min(part, rows - first)
                x[first : first + count], y[first : first + count] = some_x[:count], some_y[:count]
        few = several(rounds, "nbkeras", "file", path, "few", "no")
        for shuffle in ("no", "yes", "batch"):
            held, read = (
                several(rounds, "nbkeras", "file", path, source, shuffle)
                for source in ("memory", "file")
            )
            ratio = read["seconds"] / held["seconds"]
            megabytes = (read["peak"] - few["peak"]) / 2**20
            yield f"file, shuffle {shuffle}: time of the same in memory", ratio, "time of memory"
            yield f"file, shuffle {shuffle}: megabytes above few rows", megabytes, "megabytes"


def workers_table(gigabytes: float, rounds: int) -> Iterator[tuple[str, float, str]]:
    """Time a batch beside the fastest peer's."""
    work(1)
    times = []
    for _ in range(20):
        began = time.process_time()
        work(4)
        times.append((time.process_time() - began) / 4)
    repeats = max(round(WORK_SECONDS / min(times)), 1)
    for kind in ("threads", "processes"):
        found = {name: several(rounds, name, "workers", repeats, kind) for name in PEERS}
        found = {name: result for name, result in found.items() if result}
        for name, result in found.items():
            yield f"{name}, {kind}: milliseconds a batch", result["seconds"] * 1e3, ""
        fastest = min(r["seconds"] for name, r in found.items() if name != "nbkeras")
        ratio = found["nbkeras"]["seconds"] / fastest
        yield f"nbkeras, {kind}: time of the fastest peer", ratio, "fastest peer"


TABLES = {"memory": memory_table, "file": file_table, "workers": workers_table}
JOBS = {"memory": memory, "file": file, "workers": workers}


def main() -> int:
    """Print the tables; 1 if a ceiling is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="table", help=", ".join(TABLES))
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.tables) - set(TABLES):
        parser.error(f"no table {sorted(unknown)[0]!r}; there are {', '.join(TABLES)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, {options.gigabytes:g} GB of data.\n")
    print("| measure | value | at most |\n| --- | ---: | ---: |")
    missed = []
    for table in options.tables or TABLES:
        for told, value, ceiling in TABLES[table](options.gigabytes, options.rounds):
            asked = CEILINGS.get(ceiling)
            print(f"| {told} | {value:.2f} | {'' if asked is None else asked} |", flush=True)
            if asked is not None and value > asked:
                missed.append(f"{told}: {value:.2f}, asked {asked}")
    print(*(f"Missed: {line}" for line in missed), sep="\n")
    return 1 if missed else 0


def job(framework: str, name: str, *arguments: str) -> None:
    """Do one job in this process and print its result."""
    module, environment = FRAMEWORKS[framework]
    os.environ.update(environment, TF_CPP_MIN_LOG_LEVEL="3")
    print(json.dumps(JOBS[name](importlib.import_module(module), *arguments)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        job(*sys.argv[2:])
    else:
        sys.exit(main())
