"""What `compile` was given, and the optimizer's state, into a file and back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from ... import registry
from ...backend import get_value
from ...registry import ConfigError
from . import hdf5_writer
from .hdf5_reader import Reader, Stored
from .layout import OPTIMIZER_WEIGHTS, SavedFileError

__all__ = ["compile_arguments", "restore_optimizer", "training_config", "write_optimizer"]

_FAMILIES = {"loss": "loss", "metrics": "metric", "weighted_metrics": "metric"}
_PLAIN = ("sample_weight_mode", "loss_weights")


# ---------------------------------------------------------------- what compile was given


def training_config(model: Any) -> dict[str, Any] | None:
    """The arguments of `compile` as plain data; `None` if the model is not compiled.

    What cannot be written (a lambda as loss, an optimizer of TensorFlow) is told, and
    left out with the rest: the weights of a long training are worth more than its
    configuration.
    """
    arguments = getattr(model, "compile_arguments", None)
    if not arguments or getattr(model, "optimizer", None) is None:
        return None
    try:
        config = {"optimizer_config": registry.serialize(model.optimizer)}
        for key in _FAMILIES:
            config[key] = _map(registry.serialize, arguments.get(key))
    except (ConfigError, NotImplementedError) as error:
        warnings.warn(
            f"The model is saved without its training configuration: {error} "
            "After load_model it must be compiled again.",
            stacklevel=4,
        )
        return None
    for key in _PLAIN:
        config[key] = _map(registry.serialize_value, arguments.get(key))
    return config


def compile_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` from what Keras 2, tf_keras or nbkeras saved.

    Raises:
        ConfigError: if a loss, metric or optimizer is not known; it names both ways out.
    """
    if not isinstance(config, Mapping) or "optimizer_config" not in config:
        raise ConfigError("The training configuration of the file has no 'optimizer_config'.")
    try:
        arguments = {
            "optimizer": registry.deserialize(
                "optimizer", _without_package(config["optimizer_config"])
            )
        }
        for key, family in _FAMILIES.items():
            arguments[key] = _map(_restorer(family), config.get(key))
    except ConfigError as error:
        raise ConfigError(
            f"The model cannot be compiled as it was saved. {error} "
            "Or load it without: load_model(path, compile=False)."
        ) from error
    for key in _PLAIN:
        arguments[key] = config.get(key)
    return arguments


def _map(function: Callable[[Any], Any], value: Any) -> Any:
    """Applies a function to the single objects in lists and dictionaries of them."""
    if isinstance(value, Mapping) and "class_name" not in value:
        return {key: _map(function, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_map(function, item) for item in value]
    return function(value)


def _restorer(family: str) -> Callable[[Any], Any]:
    def restore(saved: Any) -> Any:
        name = _wrapped_function(family, saved)
        if name is not None:
            # A name stays one: 'accuracy' means something else for each output. But it must
            # mean something, and not only when training begins.
            if name not in ("accuracy", "acc", "crossentropy", "ce"):
                registry.lookup(family, name)
            return name
        return registry.deserialize(family, _without_package(saved))

    return restore


def _wrapped_function(family: str, saved: Any) -> str | None:
    """The name of a function, also where tf_keras has wrapped it in an object."""
    if isinstance(saved, str):
        return saved
    if not isinstance(saved, Mapping) or saved.get("class_name") != "MeanMetricWrapper":
        return None
    config = saved.get("config")
    config = config if isinstance(config, Mapping) else {}
    name, function = config.get("name"), config.get("fn")
    # tf_keras chooses the accuracy when it compiles; the user's word is in the name.
    if name in ("accuracy", "acc", "crossentropy", "ce"):
        return name
    return function if isinstance(function, str) else None


def _without_package(saved: Any) -> Any:
    """tf_keras writes its optimizers as if they were a user's: 'Custom>Adam'."""
    if not isinstance(saved, Mapping) or not isinstance(saved.get("class_name"), str):
        return saved
    package, _, name = saved["class_name"].rpartition(">")
    known = registry.get_custom_objects()
    return {**saved, "class_name": name} if package and saved["class_name"] not in known else saved


# ---------------------------------------------------------------- the optimizer's state


def write_optimizer(file: h5py.Group, optimizer: Any) -> None:
    """The optimizer's state, in its own order: `iterations`, then slot by slot.

    Before the first update there is none, and Keras 2 writes none.
    """
    variables = list(getattr(optimizer, "variables", None) or [])
    updates = int(get_value(getattr(optimizer, "iterations", 1)))
    begun = updates > 0 or any(variable.shape.rank for variable in variables)
    if variables and begun:
        arrays = (variable.numpy() for variable in variables)
        names = [variable.name for variable in variables]
        hdf5_writer.write_arrays(file.create_group(OPTIMIZER_WEIGHTS), names, arrays)


def restore_optimizer(file: Reader, model: Any) -> None:
    """Gives the compiled model's optimizer the state it was saved with.

    A state that does not fit is told and left out, as in Keras 2; a damaged one is an error.
    """
    if OPTIMIZER_WEIGHTS not in file or not hasattr(model.optimizer, "set_weights"):
        return
    group = file.group(OPTIMIZER_WEIGHTS)
    stored = [group.stored(name) for name in group.texts("weight_names") or []]
    weights = model.trainable_weights
    if hasattr(model.optimizer, "build"):
        model.optimizer.build(weights)
    # A slot is as large as its weight; with three slots for each weight, this is generous.
    limit = 8 * (sum(int(np.prod(w.shape)) for w in weights) + len(stored) + 1)
    if sum(item.size for item in stored) > limit:
        raise SavedFileError(f"{group.where}: more numbers than an optimizer of the model has.")
    arrays = [item.read() for item in _slot_by_slot(stored, len(weights))]
    try:
        model.optimizer.set_weights(arrays)
    except ValueError as error:
        warnings.warn(
            f"The optimizer's state in the file does not fit, so it starts anew: {error}",
            stacklevel=4,
        )


def _slot_by_slot(stored: Sequence[Stored], weights: int) -> list[Stored]:
    """The order of Keras 2: all first slots, all second ones.

    tf_keras's newer optimizers write 'Adam/m/dense/kernel', 'Adam/v/dense/kernel', weight by
    weight, after 'iteration' and perhaps 'learning_rate', which the configuration has too.
    """
    if not stored or stored[0].name.partition(":")[0] != "iteration":
        return list(stored)
    slots: dict[str, list[Stored]] = {}
    for item in stored[1:]:
        parts = item.name.split("/")
        if len(parts) > 2:
            slots.setdefault(parts[1], []).append(item)
    if any(len(items) != weights for items in slots.values()):
        return list(stored)
    return [stored[0], *(item for items in slots.values() for item in items)]
