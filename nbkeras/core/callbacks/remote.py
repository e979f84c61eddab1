"""Logs sent to a server."""

from __future__ import annotations

import contextlib
import json
import math
import queue
import threading
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .base import Callback

__all__ = ["RemoteMonitor"]

WAITING = 1000
"""How many epochs may wait for a slow server; what comes on top is dropped."""


class RemoteMonitor(Callback):
    """Sends each epoch's number and logs to a server by HTTP POST.

    A thread of its own sends them, in order, so that a server that is slow, silent
    or away never holds up training. A failure is warned of once. When training ends,
    what still waits has ``timeout`` seconds to leave.

    Args:
        root: the server's address.
        path: where on the server, after its address.
        field: the form's field that holds the JSON.
        headers: HTTP headers to add.
        send_as_json: whether the body is the JSON itself, not a form.
        timeout: seconds the server has to take the connection, and to answer.

    >>> RemoteMonitor(root="http://localhost:9000").path
    '/publish/epoch/end/'

    Source: Keras 2 manual, chapter 11.1.8; ``send_as_json`` is of Keras 2.2.
    """

    chief_only = True

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
        timeout: float = 5.0,
    ) -> None:
        super().__init__()
        if not timeout > 0:
            raise ValueError(f"timeout is a number of seconds above 0; got {timeout!r}.")
        self.root = root
        self.path = path
        self.field = field
        self.headers = None if headers is None else dict(headers)
        self.send_as_json = send_as_json
        self.timeout = timeout
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._failure: str | None = None
        self._warned = False

    def on_train_begin(self, logs: Any = None) -> None:
        self._failure, self._warned = None, False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._thread is None:
            self._messages = queue.Queue(WAITING)
            self._thread = threading.Thread(
                target=self._send_all, args=(self._messages,), daemon=True, name="nbkeras-remote"
            )
            self._thread.start()
        message = {"epoch": epoch, **{name: _plain(v) for name, v in (logs or {}).items()}}
        try:
            self._messages.put_nowait(message)
        except queue.Full:
            self._failure = self._failure or f"more than {WAITING} epochs wait to be sent"
        self._warn()

    def on_train_end(self, logs: Any = None) -> None:
        self._finish()

    def on_train_failed(self, error: BaseException) -> None:
        self._finish()

    def _finish(self) -> None:
        """Give what waits a bounded time; a thread that hangs on is left to end by itself."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        deadline = time.monotonic() + self.timeout
        with contextlib.suppress(queue.Full):
            self._messages.put(None, timeout=self.timeout)
        thread.join(max(deadline - time.monotonic(), 0.0))
        if thread.is_alive():
            self._failure = self._failure or f"it has not answered within {self.timeout:g} s"
            _empty(self._messages)
        self._warn()

    def _warn(self) -> None:
        """Say on the training thread, once, what failed on the other."""
        if self._failure is not None and not self._warned:
            self._warned = True
            warnings.warn(
                f"RemoteMonitor cannot send to {self.root + self.path}: {self._failure}. "
                "Training goes on; check that the server runs and that root and path are right.",
                RuntimeWarning,
                stacklevel=3,
            )

    # ---------------------------------------------------------------- on the other thread

    def _send_all(self, messages: queue.Queue[dict[str, Any] | None]) -> None:
        import requests  # here, because it takes long to import

        with requests.Session() as session:
            while (message := messages.get()) is not None:
                try:
                    self._send(session, message).raise_for_status()
                except Exception as error:  # whatever it is, training must not feel it
                    self._failure = self._failure or f"{type(error).__name__}: {error}"

    def _send(self, session: Any, message: dict[str, Any]) -> Any:
        text = json.dumps(message)
        headers = dict(self.headers or {})
        data: Any = {self.field: text}
        if self.send_as_json:
            data = text.encode()
            headers.setdefault("Content-Type", "application/json")
        return session.post(self.root + self.path, data=data, headers=headers, timeout=self.timeout)


def _empty(messages: queue.Queue[Any]) -> None:
    """Drop what waits, and let the thread end after what it is at."""
    try:
        while True:
            messages.get_nowait()
    except queue.Empty:
        messages.put(None)


def _plain(value: Any) -> Any:
    """A value as JSON has it; NaN and infinity, which it has not, are null."""
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | bool | None):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
