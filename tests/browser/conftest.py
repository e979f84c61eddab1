"""A real JupyterLab, and a real Chromium that looks at it.

Chromium is looked for, never downloaded. Where there is none the tests are
skipped, and one line at the end says so; with ``NBKERAS_REQUIRE_BROWSER`` set
that is an error instead.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.notebook import Notebook

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "nbkeras" / "widgets" / "static"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_CHROMIUM = "no Chromium was found (install one, or name it in CHROMIUM)"
NO_BUNDLE = "the front-end is not built (run make test, which builds it where Node.js is)"

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]

SCREENSHOTS = ROOT / "build" / "screenshots"
FAILED = pytest.StashKey[bool]()

SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": (
        '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
    ),
}


def chromium() -> str | None:
    """Where a Chromium is."""
    return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)


def missing() -> str | None:
    """What these tests lack, if anything."""
    if chromium() is None:
        return NO_CHROMIUM
    return None if any(BUNDLE.glob("*.js")) else NO_BUNDLE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    reason = missing()
    if here and reason and os.environ.get("NBKERAS_REQUIRE_BROWSER"):
        raise pytest.UsageError(f"The browser tests must run here, but {reason}.")
    for item in here:
        item.add_marker("browser")
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if any(
        reason in str(r.longrepr)
        for r in terminalreporter.stats.get("skipped", ())
        for reason in (NO_CHROMIUM, NO_BUNDLE)
    ):
        terminalreporter.write_line(f"The browser tests were skipped: {missing()}.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, and the folder that it shows."""

    url: str
    folder: Path


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a free port, over a copy of the examples, with settings of its own."""
    base = tmp_path_factory.mktemp("lab")
    folder = base / "notebooks"
    shutil.copytree(ROOT / "examples", folder)
    for name, text in SETTINGS.items():
        path = base / "settings" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": "True",
        "LabApp.user_settings_dir": base / "settings",
        "LabApp.workspaces_dir": base / "workspaces",
        "ServerApp.allow_root": "True",
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": "False",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
    }
    environment = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    environment.pop("MPLBACKEND", None)  # a notebook shows its figures
    log = base / "lab.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, server, log)
        yield Lab(url, folder)
    finally:
        server.send_signal(signal.SIGTERM)  # which ends its kernels, too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; fail with its log when it does not."""
    end = time.monotonic() + 90
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not start:\n" + log.read_text("utf-8", "replace")[-3000:])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def open_notebook(
    lab: Lab, context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Opens a notebook in a page of its own. A failed test leaves a picture of each."""
    opener = OpenNotebook(lab, context)
    yield opener
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(context.pages):
            page.screenshot(path=SCREENSHOTS / f"failed-{request.node.name}-{number}.png")
    opener.close()


@pytest.fixture
def screenshots() -> Path:
    """Where pictures for people go."""
    return SCREENSHOTS


class OpenNotebook:
    """``open_notebook(path)`` or ``open_notebook(path, cells=[...])`` to write it first."""

    def __init__(self, lab: Lab, context: BrowserContext) -> None:
        self._lab, self._context, self._opened = lab, context, []

    def __call__(self, path: str, cells: list[str] | None = None) -> Notebook:
        if cells is not None:
            write_notebook(self._lab.folder / path, cells)
        notebook = Notebook(self._context.new_page(), self._lab.url, self._lab.folder / path)
        self._opened.append(notebook)
        return notebook

    def close(self) -> None:
        for notebook in self._opened:
            notebook.shut_down()


def write_notebook(path: Path, cells: list[str]) -> None:
    """A notebook of code cells, without outputs."""
    import nbformat.v4

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    path.write_text(nbformat.writes(notebook), "utf-8")
