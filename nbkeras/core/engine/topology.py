"""The documented name of the base classes: ``keras.engine.topology``."""

from __future__ import annotations

from typing import Any

from ..backend.symbolic import Node
from .input_layer import Input, InputLayer
from .layer import InputSpec, Layer
from .network import Network

__all__ = [
    "Container",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "Network",
    "Node",
    "get_source_inputs",
]

Container = Network  # its name up to Keras 2.1


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs that a symbolic tensor is computed from, each once.

    >>> from nbkeras.core.layers import Dense, Input
    >>> x = Input((3,))
    >>> get_source_inputs(Dense(2)(Dense(4)(x))) == [x]
    True
    """
    found: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        here = waiting.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        if here.node is None or not here.node.inputs:
            found[id(here)] = here
        else:
            waiting.extend(reversed(here.node.inputs))
    return list(found.values())
