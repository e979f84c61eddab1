"""A real kernel and a front-end in miniature.

``NBKERAS_TEST_KERNEL_PYTHON`` names the interpreter whose ipykernel is tested; without
it, it is the one that runs the tests.
"""

from __future__ import annotations

import os
import queue
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpec

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
"""Seconds after which a test gives up. No test is faster or slower by it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kernel)


@dataclass
class Cell:
    """What a front-end knows of a cell: the messages that name it as their parent."""

    id: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether the kernel is through with it."""
        return self.reply is not None and any(
            message["content"].get("execution_state") == "idle" for message in self.of("status")
        )

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """Its messages of some kinds."""
        return [message for message in self.messages if message["header"]["msg_type"] in kinds]

    @property
    def text(self) -> str:
        """What it printed."""
        return "".join(message["content"]["text"] for message in self.of("stream"))

    @property
    def result(self) -> str | None:
        """The text of its ``Out``."""
        results = self.of("execute_result")
        return results[-1]["content"]["data"]["text/plain"] if results else None

    @property
    def error(self) -> str | None:
        """Its error as shown, without colours."""
        errors = self.of("error")
        if errors:
            return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(errors[-1]["content"]["traceback"]))
        return self.text if self.reply and self.reply["status"] == "error" else None


class Notebook:
    """A front-end without a screen: cells, widgets' messages, the interrupt button."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client
        self.cells: dict[str, Cell] = {}
        self.messages: list[dict[str, Any]] = []

    # ---- cells

    def start(self, code: str) -> Cell:
        """Send a cell and do not wait."""
        cell = Cell(self.client.execute(code))
        self.cells[cell.id] = cell
        return cell

    def finish(self, cell: Cell) -> Cell:
        """Wait for a cell's end."""
        self.until(lambda: cell.done, f"the end of a cell that printed {cell.text!r}")
        return cell

    def run(self, code: str) -> Cell:
        """Run a cell; it must succeed."""
        cell = self.finish(self.start(code))
        assert cell.reply is not None
        assert cell.reply["status"] == "ok", cell.error
        return cell

    def value(self, expression: str) -> str:
        """The ``repr`` of an expression in the kernel."""
        return self.run(f"print(repr({expression}), end='')").text

    def interrupt(self) -> None:
        """Press the button."""
        self.manager.interrupt_kernel()

    # ---- messages

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Read messages until a condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {PATIENCE:.0f} s in vain for {what}.")
            self.read(0.05)
        return found

    def read(self, timeout: float) -> None:
        """Take in what the kernel sent."""
        for channel in (self.client.iopub_channel, self.client.shell_channel):
            try:
                while True:
                    message = channel.get_msg(timeout=timeout)
                    self.messages.append(message)
                    cell = self.cells.get(message["parent_header"].get("msg_id", ""))
                    if cell is None:
                        continue
                    if message["header"]["msg_type"] == "execute_reply":
                        cell.reply = message["content"]
                    else:
                        cell.messages.append(message)
            except queue.Empty:
                timeout = 0

    def replies(self) -> set[tuple[str, str]]:
        """What was answered: the request's id and the reply's kind."""
        return {
            (message["parent_header"].get("msg_id", ""), message["header"]["msg_type"])
            for message in self.messages
        }

    # ---- widgets

    def models(self, **state: Any) -> list[str]:
        """The ids of widgets whose first state holds these values."""
        return [
            message["content"]["comm_id"]
            for message in self.messages
            if message["header"]["msg_type"] == "comm_open"
            and state.items() <= message["content"]["data"].get("state", {}).items()
        ]

    def send(self, comm: str, data: dict[str, Any]) -> str:
        """A message of the front-end to a widget, addressed to the main shell."""
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def custom(self, comm: str, content: dict[str, Any]) -> str:
        """A custom message to a widget."""
        return self.send(comm, {"method": "custom", "content": content})

    def update(self, comm: str, **state: Any) -> str:
        """The front-end's change of a trait."""
        return self.send(comm, {"method": "update", "state": state, "buffer_paths": []})

    def reload(self) -> dict[str, Any]:
        """Ask for the states of all widgets, as a page does that is loaded anew."""
        content = {"comm_id": uuid.uuid4().hex, "target_name": "jupyter.widget.control"}
        opening = {**content, "data": {"widgets": {}}}
        message = self.client.session.msg("comm_open", opening, metadata={"version": "1.0.0"})
        self.client.shell_channel.send(message)
        self.send(content["comm_id"], {"method": "request_states"})

        def states() -> dict[str, Any] | None:
            for message in self.messages:
                data = message["content"].get("data", {})
                if message["content"].get("comm_id") == content["comm_id"] and "states" in data:
                    return data["states"]
            return None

        return self.until(states, "the states of widgets")

    def answered(self, request: str) -> bool:
        """Whether the kernel is through with a message."""
        return any(
            message["parent_header"].get("msg_id") == request
            and message["content"].get("execution_state") == "idle"
            for message in self.messages
        )


def start_kernel(folder: Path, *arguments: str) -> tuple[KernelManager, BlockingKernelClient]:
    """A kernel of the chosen interpreter, in a folder."""
    python = os.path.abspath(os.environ.get("NBKERAS_TEST_KERNEL_PYTHON", sys.executable))
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}", *arguments]
    manager = KernelManager(connection_file=str(folder / "kernel.json"))
    manager._kernel_spec = KernelSpec(argv=argv, display_name="Test", language="python")
    # The kernel starts in another folder, so that relative paths would lead nowhere.
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(ROOT), *(os.path.abspath(part) for part in given if part)])
    manager.start_kernel(cwd=str(folder), env={**os.environ, "PYTHONPATH": path})
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    return manager, client


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """A notebook with a kernel of its own."""
    manager, client = start_kernel(tmp_path_factory.mktemp("kernel"))
    try:
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
