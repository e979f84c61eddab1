"""Layers (Keras 2 manual, chapter 5)."""

from __future__ import annotations

from ..engine.input_layer import Input, InputLayer
from ..engine.layer import InputSpec, Layer
from .core import Activation, Dense, Dropout, Flatten, Reshape

__all__ = [
    "Activation",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "Reshape",
]
