"""A server with files of the data sets' formats, and the addresses turned to it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class Server:
    """Serves ``files``, and remembers what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path[1:])
                content = outer.files.get(self.path[1:])
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}/"
        run = {"poll_interval": 0.01}
        threading.Thread(target=self._server.serve_forever, kwargs=run, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras" / "datasets"


@pytest.fixture
def serve(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Serves a file under the name that a module's address has, with its hash put right."""

    def serve(module: Any, content: bytes, prefix: str = "") -> None:
        name = getattr(module, f"{prefix}ORIGIN").rpartition("/")[2]
        server.files[name] = content
        monkeypatch.setattr(module, f"{prefix}ORIGIN", server.root + name)
        monkeypatch.setattr(module, f"{prefix}HASH", hashlib.sha256(content).hexdigest())

    return serve
