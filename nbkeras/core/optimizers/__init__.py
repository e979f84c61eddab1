"""Optimizers (Keras 2 manual, chapter 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbkeras.core import registry
from nbkeras.core.optimizers.adadelta import Adadelta
from nbkeras.core.optimizers.adagrad import Adagrad
from nbkeras.core.optimizers.adam import Adam
from nbkeras.core.optimizers.adamax import Adamax
from nbkeras.core.optimizers.base import Optimizer
from nbkeras.core.optimizers.nadam import Nadam
from nbkeras.core.optimizers.rmsprop import RMSprop
from nbkeras.core.optimizers.sgd import SGD
from nbkeras.core.optimizers.tf_optimizer import TFOptimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "TFOptimizer",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "deserialize",
    "get",
    "nadam",
    "rmsprop",
    "serialize",
    "sgd",
]

adadelta = Adadelta
adagrad = Adagrad
adam = Adam
adamax = Adamax
nadam = Nadam
rmsprop = RMSprop
sgd = SGD


def get(identifier: Any) -> Any:
    """The optimizer that a name or configuration stands for; `None` for `None`.

    An optimizer of TensorFlow is wrapped by `TFOptimizer`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name.

    Example:
        >>> get('SGD').get_config()
        {'lr': 0.01, 'momentum': 0.0, 'decay': 0.0, 'nesterov': False}
    """
    if not isinstance(identifier, Optimizer | type) and hasattr(identifier, "apply_gradients"):
        return TFOptimizer(identifier)
    if isinstance(identifier, str) and identifier.lower() in registry.names("optimizer"):
        identifier = identifier.lower()
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
