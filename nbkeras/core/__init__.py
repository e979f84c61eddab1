"""The Keras 2 stack, on TensorFlow's tensors, gradients, functions and strategies.

``from nbkeras import keras`` is this package. Its modules are imported when they
are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from .importing import spare_keras

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "preprocessing",
    "regularizers",
    "utils",
    "wrappers",
]

__version__ = "2.3.1"
"""The version of Keras whose interface and files this package speaks."""

spare_keras()

_FROM_MODELS = ("Input", "Model", "Sequential")
_OLDER = ("engine", "legacy", "objectives")


def __getattr__(name: str) -> Any:
    if name in _FROM_MODELS:
        return getattr(importlib.import_module(f"{__name__}.models"), name)
    if name in __all__ or name in _OLDER:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"keras has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
