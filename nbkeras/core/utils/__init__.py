"""Utilities (Keras 2 manual, chapter 20)."""

from __future__ import annotations

from ..config import set_random_seed
from ..registry import CustomObjectScope, custom_object_scope, get_custom_objects
from .downloads import get_file
from .numpy import normalize, to_categorical
from .progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "custom_object_scope",
    "get_custom_objects",
    "get_file",
    "normalize",
    "set_random_seed",
    "to_categorical",
]
