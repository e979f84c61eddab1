"""Views of models and of training: a layer table, a model graph, a live panel.

Each is imported when it is first asked for, so that ``import nbkeras`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbkeras.widgets.graph import ModelGraph
    from nbkeras.widgets.layers import LayerTable
    from nbkeras.widgets.training import TrainingPanel

__all__ = ["LayerTable", "ModelGraph", "TrainingPanel"]

_HOMES = {"LayerTable": "layers", "ModelGraph": "graph", "TrainingPanel": "training"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"nbkeras.widgets has {', '.join(__all__)}, but no {name!r}.")
    return getattr(importlib.import_module(f"nbkeras.widgets.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
