"""A shell of its own for each test; an error in a cell is an error of the test."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


class Notebook:
    """Cells one after another."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def run(self, cell: str) -> Any:
        """Run a cell; its value. Its error is raised."""
        with contextlib.redirect_stderr(io.StringIO()):
            result = self.shell.run_cell(cell, store_history=True)
        result.raise_error()
        return result.result

    def shown(self, cell: str) -> str:
        """Run a cell; what it prints and shows, an error too, as text."""
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            self.shell.run_cell(cell, store_history=True)
        return text.getvalue()

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.shell.user_ns[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns


@pytest.fixture
def bare() -> Iterator[Notebook]:
    """A notebook without the extension."""
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.builtin_trap.activate()
    try:
        yield Notebook(shell)
    finally:
        shell.builtin_trap.deactivate()
        if "nbkeras" in shell.extension_manager.loaded:
            shell.extension_manager.unload_extension("nbkeras")
        shell.history_manager.end_session()
        InteractiveShell.clear_instance()


@pytest.fixture
def notebook(bare: Notebook) -> Notebook:
    """A notebook with the extension and some data."""
    bare.run("%load_ext nbkeras")
    rng = np.random.RandomState(0)
    bare["x"] = rng.rand(64, 8).astype("float32")
    bare["y"] = bare["x"].sum(1, keepdims=True)
    return bare


NET = """%%model net --input x --loss mse --metrics mae --seed 0 --show none
Dense(4, activation='relu')
Dense(1)
"""


@pytest.fixture
def trained(notebook: Notebook) -> Notebook:
    """The same with a model."""
    notebook.run(NET)
    return notebook
