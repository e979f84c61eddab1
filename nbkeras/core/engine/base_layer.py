"""The module name of Keras 2.2 and 2.3 for the base class of layers."""

from __future__ import annotations

from .topology import InputSpec, Layer, Node

__all__ = ["InputSpec", "Layer", "Node"]
