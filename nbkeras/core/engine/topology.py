"""The documented name of the base classes: ``keras.engine.topology``."""

from __future__ import annotations

from ..backend.symbolic import Node
from .input_layer import Input, InputLayer
from .layer import InputSpec, Layer
from .network import Network

__all__ = ["Input", "InputLayer", "InputSpec", "Layer", "Network", "Node"]
