"""TensorFlow's import, behind the cells and in silence."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import threading
from collections.abc import Iterator

__all__ = ["begin", "finish", "is_ready"]

NOISE = re.compile(rb"WARNING: All log messages before absl::InitializeLog|[IW]\d{4} ")

_thread: threading.Thread | None = None
_lock = threading.Lock()


def begin() -> None:
    """Start to import TensorFlow in a thread, once a process.

    Only TensorFlow, and the little that says how: two threads that import modules of one
    package which import each other can see them half made.
    """
    global _thread
    with _lock:
        if _thread is None and importlib.util.find_spec("tensorflow"):
            _thread = threading.Thread(target=_import, name="nbkeras-warm-up", daemon=True)
            _thread.start()


def finish() -> None:
    """Wait for it, if it was begun."""
    if _thread is not None and _thread is not threading.current_thread():
        _thread.join()


def is_ready() -> bool:
    """Whether :func:`finish` would not wait."""
    return _thread is None or not _thread.is_alive()


def _import() -> None:
    # What TensorFlow's C++ writes would land in the cell that happens to run.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.suppress(Exception), _without_noise():
        importlib.import_module("nbkeras.core")  # says how TensorFlow is to be imported
        importlib.import_module("tensorflow")  # a failure shows where TensorFlow is used


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Keep TensorFlow's greetings from the error stream; all else passes.

    They are written by C++ before any setting of its logs counts, so that only the file
    descriptor itself is in their way.
    """
    try:
        real = os.dup(2)
    except OSError:  # there is no error stream
        yield
        return
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    filtering = threading.Thread(target=_filter, args=(reader, real), daemon=True)
    filtering.start()
    try:
        yield
    finally:
        os.dup2(real, 2)  # closes the pipe's last writer, which ends the filter
        filtering.join(timeout=1)


def _filter(reader: int, real: int) -> None:
    with os.fdopen(reader, "rb", buffering=0) as source, contextlib.suppress(OSError):
        rest = b""
        while chunk := source.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            kept = b"".join(line + b"\n" for line in lines if not NOISE.match(line))
            if kept:
                os.write(real, kept)
        if rest and not NOISE.match(rest):
            os.write(real, rest)
    os.close(real)
