"""A web server of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Server:
    """Gives files and keeps what is posted.

    Attributes:
        root: its address, without a slash at the end.
        files: contents by path, as in ``{"/data.bin": b"..."}``.
        asked: the paths that were asked for.
        extra: how many bytes more are promised than sent.
        posted: path, headers and body of what was posted.
        status: what a post is answered with.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.extra = 0
        self.posted: list[tuple[str, Any, str]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                if content is None:
                    self.send_error(404)
                else:
                    self.answer(200, content, outer.extra)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.posted.append((self.path, self.headers, body))
                self.answer(outer.status)

            def answer(self, status: int, content: bytes = b"", extra: int = 0) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) + extra))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}"
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
