"""An empty cache, and the addresses of the data sets turned to the test's own server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras" / "datasets"


@pytest.fixture
def serve(server: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Serves a file under the name that a module's address has, with its hash put right."""

    def serve(module: Any, content: bytes, prefix: str = "") -> None:
        name = getattr(module, f"{prefix}ORIGIN").rpartition("/")[2]
        server.files[f"/{name}"] = content
        monkeypatch.setattr(module, f"{prefix}ORIGIN", f"{server.root}/{name}")
        monkeypatch.setattr(module, f"{prefix}HASH", hashlib.sha256(content).hexdigest())

    return serve
