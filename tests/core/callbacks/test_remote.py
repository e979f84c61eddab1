"""RemoteMonitor, with a server of the test's own."""

from __future__ import annotations

import json
import socket
import warnings
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from nbkeras.core.callbacks import RemoteMonitor
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


def train(monitor: RemoteMonitor, epochs: int = 3) -> dict[str, list[float]]:
    net = Sequential([Dense(1, input_shape=(3,))])
    net.compile("sgd", "mse", jit_compile=False)
    return net.fit(X, X[:, :1], epochs=epochs, verbose=0, callbacks=[monitor]).history


def test_a_form(server: Any) -> None:
    losses = train(RemoteMonitor(server.root, field="what", headers={"X-Run": "7"}))["loss"]
    assert [path for path, _, _ in server.posted] == ["/publish/epoch/end/"] * 3
    assert all(headers["X-Run"] == "7" for _, headers, _ in server.posted)
    sent = [json.loads(parse_qs(body)["what"][0]) for _, _, body in server.posted]
    assert sent == [{"epoch": n, "loss": loss} for n, loss in enumerate(losses)]


def test_json(server: Any) -> None:
    losses = train(RemoteMonitor(server.root, "/here", send_as_json=True))["loss"]
    for number, (path, headers, body) in enumerate(server.posted):
        assert path == "/here"
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body) == {"epoch": number, "loss": losses[number]}


def test_what_json_has_no_word_for(server: Any) -> None:
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
    (request,) = server.posted
    assert json.loads(request[2]) == {"epoch": 0, "a": 0.5, "b": None, "c": [1.0, None], "d": 3}


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_server_that_is_away_is_told_once() -> None:
    with pytest.warns(RuntimeWarning, match="cannot send") as told:
        train(RemoteMonitor(f"http://127.0.0.1:{unused_port()}"), epochs=5)
    assert len([w for w in told if "RemoteMonitor" in str(w.message)]) == 1


def test_a_server_that_refuses_is_told(server: Any) -> None:
    server.status = 500
    with pytest.warns(RuntimeWarning, match="500"):
        train(RemoteMonitor(server.root))
    assert len(server.posted) == 3


def test_a_server_that_never_answers_does_not_hold_up_training() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        root = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.warns(RuntimeWarning, match="RemoteMonitor"):
            assert len(train(RemoteMonitor(root, timeout=0.3), epochs=30)["loss"]) == 30


def test_nothing_is_warned_of_when_all_goes_well(server: Any) -> None:
    monitor = RemoteMonitor(server.root)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        train(monitor)
        train(monitor)
    assert len(server.posted) == 6
    with pytest.raises(ValueError, match="timeout"):
        RemoteMonitor(timeout=0)
