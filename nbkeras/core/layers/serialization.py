"""Layers as configurations, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import registry

__all__ = ["deserialize", "layer_from_config", "serialize"]


def serialize(layer: Any) -> dict[str, Any]:
    """A layer's class and configuration, without its weights.

    >>> from nbkeras.core.layers import Flatten
    >>> serialize(Flatten())["class_name"]
    'Flatten'

    Source: Keras 2 manual, chapter 5.1.
    """
    return registry.serialize(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that :func:`serialize` wrote down, with new weights.

    Args:
        config: class name and configuration.
        custom_objects: from names to classes and functions of one's own.

    Returns:
        The layer, or the model.

    Raises:
        ConfigError: the configuration is malformed, or names something unknown.

    >>> deserialize({"class_name": "Dense", "config": {"units": 3}}).units
    3

    Source: Keras 2 manual, chapter 5.1.
    """
    return registry.deserialize("layer", config, custom_objects)


layer_from_config = deserialize
