"""Names that magics offer without an import, and TensorFlow's import behind the scenes."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import threading
from typing import Any

__all__ = ["core", "for_cells", "for_options", "is_ready", "warm_up"]

_warming: threading.Thread | None = None
_lock = threading.Lock()


def warm_up() -> None:
    """Begin to import TensorFlow in a thread, once a process.

    Only TensorFlow: two threads that import modules of one package which import each
    other can see them half made.
    """
    global _warming
    with _lock:
        if _warming is None and importlib.util.find_spec("tensorflow"):
            _warming = threading.Thread(target=_import, name="nbkeras-warm-up", daemon=True)
            _warming.start()


def _import() -> None:
    import contextlib
    import os

    # What TensorFlow's C++ writes would land in the cell that happens to run.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with contextlib.suppress(Exception):  # who needs it next meets the error where it belongs
        importlib.import_module("tensorflow")


def core(name: str = "") -> Any:
    """A module of ``nbkeras.core``, once TensorFlow is there.

    >>> core("config").floatx()
    'float32'
    """
    if _warming is not None and threading.current_thread() is not _warming:
        _warming.join()
    return importlib.import_module("nbkeras.core" + ("." + name if name else ""))


@functools.cache
def for_cells() -> dict[str, Any]:
    """What a ``%%model`` cell sees: every layer, the models, ``keras`` and ``K``."""
    return {
        **_public("layers"),
        **_public("models", ("Model", "Sequential")),
        "Input": core("layers").Input,
        "K": core("backend"),
        "keras": core(),
    }


@functools.cache
def for_options() -> dict[str, Any]:
    """What the value of an option sees: callbacks, optimizers, losses, and the above."""
    families = ("regularizers", "initializers", "constraints", "metrics", "losses", "optimizers")
    offered: dict[str, Any] = {}
    for family in (*families, "callbacks"):
        offered |= _public(family)
    return {**offered, **for_cells()}


def _public(module: str, names: tuple[str, ...] = ()) -> dict[str, Any]:
    found = core(module)
    chosen = names or [
        name
        for name in getattr(found, "__all__", dir(found))
        if not name.startswith("_") and name not in ("get", "serialize", "deserialize")
    ]
    return {name: getattr(found, name) for name in chosen if callable(getattr(found, name, None))}


def is_ready() -> bool:
    """Whether asking for a name costs no long wait."""
    return _warming is None or not _warming.is_alive()
