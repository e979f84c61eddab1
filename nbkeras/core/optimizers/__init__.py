"""Optimizers (Keras 2 manual, chapter 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbkeras.core import registry
from nbkeras.core.optimizers.adam import Adam
from nbkeras.core.optimizers.base import Optimizer
from nbkeras.core.optimizers.rmsprop import RMSprop
from nbkeras.core.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "serialize",
]


def get(identifier: Any) -> Any:
    """The optimizer that a name or configuration stands for; `None` for `None`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name.

    Example:
        >>> get('SGD').get_config()
        {'lr': 0.01, 'momentum': 0.0, 'decay': 0.0, 'nesterov': False}
    """
    return registry.get("optimizer", identifier)


def serialize(optimizer: Optimizer) -> Any:
    """The configuration of an optimizer.

    Example:
        >>> serialize(SGD(lr=0.5))['class_name']
        'SGD'
    """
    return registry.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that `serialize` wrote down.

    Example:
        >>> deserialize({'class_name': 'SGD', 'config': {'lr': 0.5}}).get_config()['lr']
        0.5
    """
    return registry.deserialize("optimizer", config, custom_objects)
