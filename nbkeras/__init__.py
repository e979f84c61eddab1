"""Define, train and watch neural networks in a Jupyter notebook.

In a notebook: ``%load_ext nbkeras``, then ``%%model`` and ``%fit``.
In any program: ``from nbkeras import keras``.

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbkeras import core as keras
    from nbkeras import widgets

__all__ = ["keras", "load_ipython_extension", "unload_ipython_extension", "widgets"]

__version__ = "0.1.0"

_HOMES = {"keras": "nbkeras.core", "widgets": "nbkeras.widgets"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"nbkeras has {', '.join(__all__)}, but no {name!r}.")
    return importlib.import_module(_HOMES[name])


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext nbkeras``: the magics, their completion, and how models are shown."""
    from nbkeras import magics

    magics.register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext nbkeras``: take all of that away again."""
    from nbkeras import magics

    magics.unregister(shell)
