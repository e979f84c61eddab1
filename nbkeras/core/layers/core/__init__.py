"""Core layers (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

from ...engine.input_layer import Input, InputLayer
from .dense import Activation, ActivityRegularization, Dense
from .dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from .lambda_layer import Lambda
from .masking import Masking
from .shape import Flatten, Permute, RepeatVector, Reshape

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Lambda",
    "Masking",
    "Permute",
    "RepeatVector",
    "Reshape",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
