"""Run a notebook without a screen, and keep it and its HTML.

    python examples/run_notebook.py NOTEBOOK [--into build] [--at-least accuracy=0.96]

Stops at the first cell that fails and shows it. ``--at-least`` asks the kernel
for a variable when all cells have run, prints it, and fails when it is smaller.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter


def main() -> int:
    options = parsed()
    options.into.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(options.notebook, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(options.into)}},  # what it saves lands there, too
        store_widget_state=False,
        timeout=600,
    )
    failure, values = None, {}
    # What the kernel itself complains of is no part of the notebook.
    log = (options.into / options.notebook.name).with_suffix(".log")
    with log.open("wb") as complaints, client.setup_kernel(stderr=complaints):
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
            values = {name: value_of(client, name) for name, _ in options.at_least}
        except CellExecutionError as error:
            failure = f"{options.notebook}: a cell failed.\n{error}"

    for path, text in exports(notebook, options.into / options.notebook.name):
        path.write_text(text, "utf-8")
        print(path)
    for name, least in options.at_least:
        if name in values:
            print(f"{name}: {values[name]:.4f}")
            if values[name] < least:
                failure = f"Expected {name} to be at least {least}; got {values[name]:.4f}."
    if failure:
        print(failure, file=sys.stderr)
    return int(failure is not None)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--into", type=Path, default=Path("build"))
    parser.add_argument("--at-least", type=bound, action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


def bound(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, as in accuracy=0.96; got {text!r}")
    return name, float(value)


def value_of(client: NotebookClient, name: str) -> float:
    """A variable of the kernel, as a number. It is asked for in a cell that does not stay."""
    cells = client.nb.cells
    cells.append(nbformat.v4.new_code_cell(f"float({name})"))
    try:
        question = client.execute_cell(cells[-1], len(cells) - 1, store_history=False)
    finally:
        cells.pop()
    return float(question.outputs[-1]["data"]["text/plain"])


def exports(notebook: nbformat.NotebookNode, path: Path) -> list[tuple[Path, str]]:
    """The executed notebook, and the same as a page."""
    page, _ = HTMLExporter().from_notebook_node(notebook)
    return [(path, nbformat.writes(notebook)), (path.with_suffix(".html"), page)]


if __name__ == "__main__":
    sys.exit(main())
