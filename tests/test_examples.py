"""The examples: clean in the repository, and doing what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_valid_and_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_opens_with_any_python_kernel(path: Path) -> None:
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"


def run(notebook: Path, into: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What ``make demo`` does."""
    return subprocess.run(
        [sys.executable, EXAMPLES / "run_notebook.py", notebook, "--into", into, *options],
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.kernel
def test_first_model_reads_96_percent_of_unseen_digits(tmp_path: Path) -> None:
    done = run(EXAMPLES / "01_first_model.ipynb", tmp_path, "--at-least", "accuracy=0.96")
    assert done.returncode == 0, done.stderr
    assert "accuracy: 0.9" in done.stdout

    executed = nbformat.read(tmp_path / "01_first_model.ipynb", as_version=4)
    text = json.dumps([cell.get("outputs", []) for cell in executed.cells])
    assert "widgets" not in executed.metadata
    assert "of 450 digits that it had never seen are read correctly" in text
    assert "<table" in text  # layers and curves, for who has no kernel
    page = (tmp_path / "01_first_model.html").read_text("utf-8")
    assert "A first model" in page


def small_notebook(path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, path)
    return path


@pytest.mark.kernel
def test_a_value_below_its_bound_is_a_failure(tmp_path: Path) -> None:
    notebook = small_notebook(tmp_path / "low.ipynb", "accuracy = 0.95")
    done = run(notebook, tmp_path / "build", "--at-least", "accuracy=0.96")
    assert done.returncode == 1
    assert done.stderr.strip() == "Expected accuracy to be at least 0.96; got 0.9500."
    assert (tmp_path / "build" / "low.ipynb").exists()


@pytest.mark.kernel
def test_a_failing_cell_is_shown_and_what_ran_is_kept(tmp_path: Path) -> None:
    notebook = small_notebook(tmp_path / "broken.ipynb", "print('before')", "1 / 0")
    done = run(notebook, tmp_path / "build", "--at-least", "accuracy=0.96")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "before" in (tmp_path / "build" / "broken.html").read_text("utf-8")
