"""A notebook in a page of JupyterLab, as a person works with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

TRAINING = 60_000
"""Milliseconds for what waits on TensorFlow or on a training."""


class Notebook:
    """What a test does with an open notebook.

    The chrome of JupyterLab (run, save, theme) is driven by its commands, which
    stay the same from version to version; what belongs to nbkeras is driven by
    mouse and keyboard.
    """

    def __init__(self, page: Page, url: str, path: Path) -> None:
        self.page, self.path = page, path
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        page.goto(f"{url}/lab/workspaces/{path.stem}/tree/{path.name}")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when the notebook is shown and its kernel is idle."""
        self.page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for()
        self.page.wait_for_function(
            """() => {
                const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
                const kernel = session?.isReady && session.session?.kernel;
                return Boolean(kernel && kernel.connectionStatus === 'connected');
            }""",
            timeout=TRAINING,
        )

    def reload(self) -> None:
        """Load the page anew, as a person who pressed F5."""
        self.page.reload()
        self.wait_until_ready()

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of JupyterLab to its end."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
            [name, arguments],
        )

    def start(self, name: str, **arguments: Any) -> None:
        """Run a command of JupyterLab without waiting for it."""
        self.page.evaluate(
            "([name, args]) => { window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def select(self, index: int) -> None:
        """Make a cell the active one."""
        self.page.evaluate(
            """index => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.deselectAll();
                notebook.activeCellIndex = index;
            }""",
            index,
        )

    def cell(self, index: int) -> Locator:
        """A cell, by its place."""
        return self.page.locator(".jp-NotebookPanel:visible .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """All that a cell shows below its source."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def run(self, index: int, timeout: float = TRAINING) -> None:
        """Run a cell and wait for its end."""
        self.start_cell(index)
        self.wait_for_cell(index, timeout)

    def start_cell(self, index: int) -> None:
        """Run a cell."""
        self.select(index)
        self.start("notebook:run-cell")

    def wait_for_cell(self, index: int, timeout: float = TRAINING) -> None:
        """Return when a cell has been run, which its number tells."""
        expect(self.cell(index).locator(".jp-InputPrompt").first).to_have_text(
            re.compile(r"\[\d+\]:"), timeout=timeout
        )

    def is_running(self, index: int) -> bool:
        """Whether a cell waits or runs, which its star tells."""
        return "*" in self.cell(index).locator(".jp-InputPrompt").first.inner_text()

    def interrupt(self) -> None:
        """Press the square button."""
        self.start("notebook:interrupt-kernel")

    def theme(self, name: str) -> None:
        """Change between light and dark."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name}")
        self.page.locator(f"body[data-jp-theme-light='{str(name == 'Light').lower()}']").wait_for(
            state="attached"
        )
        # JupyterLab takes its splash screen away a moment later, and stumbles over itself
        # where another change of theme comes in between.
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def save(self) -> dict[str, Any]:
        """Save, and read what lies on the disk then."""
        self.command("docmanager:save")
        return json.loads(self.path.read_text("utf-8"))

    def shut_down(self) -> None:
        """End the kernel, so that the next test has the processor for itself."""
        self.page.evaluate(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()"
            "?.then(() => null)"
        )
        self.page.close()
