"""RemoteMonitor, with a server of the test's own."""

from __future__ import annotations

import json
import socket
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from nbkeras.core.callbacks import RemoteMonitor
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


class Server:
    """Keeps what is posted; answers with a status."""

    def __init__(self, status: int = 200) -> None:
        self.requests: list[tuple[str, Any, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.requests.append((self.path, self.headers, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def train(monitor: RemoteMonitor, epochs: int = 3) -> dict[str, list[float]]:
    net = Sequential([Dense(1, input_shape=(3,))])
    net.compile("sgd", "mse", jit_compile=False)
    return net.fit(X, X[:, :1], epochs=epochs, verbose=0, callbacks=[monitor]).history


def test_a_form(server: Server) -> None:
    losses = train(RemoteMonitor(server.root, field="what", headers={"X-Run": "7"}))["loss"]
    assert [path for path, _, _ in server.requests] == ["/publish/epoch/end/"] * 3
    assert all(headers["X-Run"] == "7" for _, headers, _ in server.requests)
    sent = [json.loads(parse_qs(body)["what"][0]) for _, _, body in server.requests]
    assert sent == [{"epoch": n, "loss": loss} for n, loss in enumerate(losses)]


def test_json(server: Server) -> None:
    losses = train(RemoteMonitor(server.root, "/here", send_as_json=True))["loss"]
    for number, (path, headers, body) in enumerate(server.requests):
        assert path == "/here"
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body) == {"epoch": number, "loss": losses[number]}


def test_what_json_has_no_word_for(server: Server) -> None:
    monitor = RemoteMonitor(server.root, send_as_json=True)
    values = {
        "a": np.float32(0.5),
        "b": float("nan"),
        "c": np.array([1.0, np.inf]),
        "d": np.int64(3),
    }
    monitor.on_train_begin()
    monitor.on_epoch_end(0, values)
    monitor.on_train_end()
    (request,) = server.requests
    assert json.loads(request[2]) == {"epoch": 0, "a": 0.5, "b": None, "c": [1.0, None], "d": 3}


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_server_that_is_away_is_told_once() -> None:
    with pytest.warns(RuntimeWarning, match="cannot send") as told:
        train(RemoteMonitor(f"http://127.0.0.1:{unused_port()}"), epochs=5)
    assert len([w for w in told if "RemoteMonitor" in str(w.message)]) == 1


def test_a_server_that_refuses_is_told() -> None:
    server = Server(status=500)
    try:
        with pytest.warns(RuntimeWarning, match="500"):
            train(RemoteMonitor(server.root))
    finally:
        server.close()
    assert len(server.requests) == 3


def test_a_server_that_never_answers_does_not_hold_up_training() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        root = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.warns(RuntimeWarning, match="RemoteMonitor"):
            assert len(train(RemoteMonitor(root, timeout=0.3), epochs=30)["loss"]) == 30


def test_nothing_is_warned_of_when_all_goes_well(server: Server) -> None:
    monitor = RemoteMonitor(server.root)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        train(monitor)
        train(monitor)
    assert len(server.requests) == 6
    with pytest.raises(ValueError, match="timeout"):
        RemoteMonitor(timeout=0)
