"""The IPython magics: ``%%model``, ``%fit``, ``%evaluate``, ``%predict``, ``%summary``."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["register", "unregister"]

_installed: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def register(shell: InteractiveShell) -> None:
    """Add the magics to a shell, once, and begin to import TensorFlow behind it."""
    if shell in _installed:
        return
    from nbkeras.magics import warm
    from nbkeras.magics.install import Installation

    _installed[shell] = Installation(shell)
    warm.begin()


def unregister(shell: InteractiveShell) -> None:
    """Take everything away again that :func:`register` added."""
    installation = _installed.pop(shell, None)
    if installation is not None:
        installation.remove()
    live = sys.modules.get("nbkeras.widgets.live")
    if live is not None and not _installed:
        live.release()
