"""The module name of Keras 2 for ``multi_gpu_model``, which lives beside the models it copies."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name == "multi_gpu_model":
        # Utilities lie below models, so it is found at first use.
        return importlib.import_module("nbkeras.core.models.parallel").multi_gpu_model
    raise AttributeError(f"keras.utils.multi_gpu_utils has no {name!r}; it has multi_gpu_model.")
