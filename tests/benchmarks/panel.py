"""What the panel costs: the same training in a real kernel, with it and without.

    python -m tests.benchmarks.panel [--rounds 3] [--seconds 10]

Prints the ratio of the times, the messages a second and the size of the saved cell.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from typing import Any

import nbclient
import nbformat

SETUP = """
%load_ext nbkeras
import json, time
from nbkeras import keras
from tests.benchmarks.workloads import mlp_small

net, x, y = mlp_small(keras)
net.fit(x, y, batch_size=32, epochs=150, verbose=0)
began = time.perf_counter()
net.fit(x, y, batch_size=32, epochs=50, verbose=0)
epochs = int({seconds} * 50 / (time.perf_counter() - began)) + 1

def clock(run):
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({{"wall": wall, "cpu": cpu, "epochs": epochs}}))
"""
PLAIN = "clock(lambda: net.fit(x, y, batch_size=32, epochs=epochs, verbose=0))"
PANEL = (
    "clock(lambda: get_ipython().run_line_magic("
    "'fit', f'net x y --batch-size 32 --epochs {epochs}'))"
)


class Client(nbclient.NotebookClient):
    """Counts what a kernel publishes while each cell runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.published: dict[int, Counter[str]] = {}

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        self.published.setdefault(cell_index, Counter())[msg["msg_type"]] += 1
        return super().process_message(msg, cell, cell_index)


def main() -> int:
    """Run the rounds and print a line for each thing asked; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    sources = [SETUP.format(seconds=options.seconds), *[PLAIN, PANEL] * options.rounds]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    client = Client(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": "."}}
    )
    client.store_widget_state = False
    client.execute()
    times = [_printed(cell) for cell in notebook.cells]
    pairs = list(zip(times[1::2], times[2::2], strict=True))
    walls = statistics.median(panel["wall"] / plain["wall"] for plain, panel in pairs)
    cpus = statistics.median(panel["cpu"] / plain["cpu"] for plain, panel in pairs)
    rates = [
        sum(n for kind, n in client.published[place].items() if kind not in ("status", "stream"))
        / times[place]["wall"]
        for place in range(2, len(sources), 2)
    ]
    sizes = [len(json.dumps(notebook.cells[place].outputs)) for place in range(2, len(sources), 2)]
    epochs, seconds = times[1]["epochs"], pairs[0][0]["wall"]
    print(f"{epochs} epochs of 313 steps, {seconds:.1f} s; medians of {options.rounds} pairs.")
    missed = [
        _told("wall time with the panel / without", walls, 1.05),
        _told("CPU time with the panel / without", cpus, 1.05),
        _told("messages a second", max(rates), 10),
        _told("bytes of the saved output", max(sizes), 100_000),
    ]
    return int(any(missed))


def _printed(cell: Any) -> Any:
    lines = "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")
    found = [line for line in lines.splitlines() if line.startswith("{")]
    return json.loads(found[-1]) if found else None


def _told(what: str, value: float, most: float) -> bool:
    print(f"{what}: {value:.3g} (asked: at most {most:g})")
    return value > most


if __name__ == "__main__":
    sys.exit(main())
