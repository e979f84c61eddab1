"""Models, and how they come back from data and files (Keras 2 manual, chapters 3 and 4)."""

from __future__ import annotations

from ..engine.input_layer import Input
from ..engine.saving import (
    load_model,
    model_from_config,
    model_from_json,
    model_from_yaml,
    save_model,
)
from .clone import clone_model
from .model import Model
from .sequential import Sequential

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
