"""Models in the clothes of other libraries (Keras 2 manual, chapter 19)."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["scikit_learn"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # at first use: scikit-learn is not needed by anything else
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"keras.wrappers has no {name!r}; it has {', '.join(__all__)}.")
