"""Layers, graphs, models at work: what every member of the library stands on.

Keras 2 shows its base classes here too: ``from keras.engine import Layer, InputSpec``.
"""

from __future__ import annotations

import importlib
from typing import Any

_SHOWN = {
    **dict.fromkeys(
        (
            "Container",
            "Input",
            "InputLayer",
            "InputSpec",
            "Layer",
            "Network",
            "Node",
            "get_source_inputs",
        ),
        "engine.topology",
    ),
    # Models stand on the engine, so they are looked for at first use.
    **dict.fromkeys(("Model", "Sequential"), "models"),
}


def __getattr__(name: str) -> Any:
    if name in _SHOWN:
        module = importlib.import_module(f"{__name__.rpartition('.')[0]}.{_SHOWN[name]}")
        return getattr(module, name)
    raise AttributeError(f"keras.engine has no {name!r}; it has {', '.join(sorted(_SHOWN))}.")
