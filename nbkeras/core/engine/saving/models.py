"""Whole models and their weights as files."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping
from typing import Any

import h5py

from ... import registry
from . import configs, hdf5_writer, training, weights
from .hdf5_reader import Reader, open_reader
from .layout import (
    BACKEND,
    CHECKSUM,
    KERAS_VERSION,
    MODEL_WEIGHTS,
    OPTIMIZER_WEIGHTS,
    SavedFileError,
)

__all__ = ["from_bytes", "load_model", "load_weights", "save_model", "save_weights", "to_bytes"]

_SPARE_PARAMETERS = 2**24
"""Parameters that a model in a file may have beyond the numbers that the file holds."""


# ---------------------------------------------------------------- models


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True
) -> None:
    """Saves structure, weights, training configuration and optimizer state in one HDF5 file.

    A file of that name is replaced in one step: whatever happens, the old or the new
    one is there, complete.

    Args:
        model: the model.
        filepath: a path, an open `h5py.File` or group, or a binary file object such as
            `BytesIO`.
        overwrite: whether to replace an existing file without asking.
        include_optimizer: whether to save the training configuration and the optimizer.

    Raises:
        FileExistsError: if the file exists, `overwrite` is false and nobody can be asked.
        NotImplementedError: if the model is a subclass that computes in Python.
        ValueError: if the model is not built.

    Example:
        >>> import io
        >>> from nbkeras.core.layers import Dense
        >>> from nbkeras.core.models import Sequential
        >>> file = io.BytesIO()
        >>> save_model(Sequential([Dense(2, input_shape=(3,))]), file)
        >>> load_model(file, compile=False).count_params()
        8

    Source: Keras 2 manual, chapter 3.3.6.1.
    """
    if not _may_write(filepath, overwrite):
        return
    # Everything that may be refused is done before a file is touched.
    config = configs.model_config(model)
    training_config = training.training_config(model) if include_optimizer else None
    with hdf5_writer.open_writer(filepath, (MODEL_WEIGHTS, OPTIMIZER_WEIGHTS)) as file:
        for name in ("training_config", f"{CHECKSUM}:training_config"):
            if name in file.attrs:
                del file.attrs[name]
        hdf5_writer.write_text(file, "keras_version", KERAS_VERSION)
        hdf5_writer.write_text(file, "backend", BACKEND)
        hdf5_writer.write_config(file, "model_config", config)
        weights.write_weights(file.create_group(MODEL_WEIGHTS), model)
        if training_config is not None:
            hdf5_writer.write_config(file, "training_config", training_config)
            training.write_optimizer(file, model.optimizer)


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """A model from a file that nbkeras, Keras 2 or tf_keras saved.

    Args:
        filepath: a path, an open `h5py.File` or group, or a binary file object.
        custom_objects: dictionary from name to class or function, for what is not
            part of nbkeras.
        compile: whether to compile the model as it was saved, with the state of its
            optimizer, so that training goes on as if it had not been interrupted.
        safe_mode: refuse stored Python code (`Lambda`), and models much larger than
            their file.

    Raises:
        FileNotFoundError: if there is no such file.
        SavedFileError: if the file is damaged, unsafe or does not fit its own model.
        ConfigError: if its configuration names something unknown; pass `custom_objects`,
            or for losses and metrics `compile=False`.

    Source: Keras 2 manual, chapter 3.3.6.
    """
    with open_reader(filepath) as file:
        text = file.text("model_config")
        if text is None:
            raise SavedFileError(
                f"{file.where} has no model configuration; perhaps it holds weights only. Build "
                "the model and call model.load_weights(path)."
            )
        config = configs.parse_json(text)
        stored = file.group(MODEL_WEIGHTS)
        limit = stored.stored_bytes() + _SPARE_PARAMETERS
        with configs._limits(safe_mode, limit):
            model = configs.build_model(config, custom_objects)
        if not hasattr(model, "layers"):
            raise SavedFileError(f"{file.where} holds a {type(model).__name__}, which is no model.")
        weights.assign(weights.plan(stored, model))
        if compile:
            _compile(file, model, custom_objects)
    return model


def to_bytes(model: Any) -> bytes:
    """What `save_model` writes, as bytes: the state of a pickled model."""
    buffer = io.BytesIO()
    save_model(model, buffer)
    return buffer.getvalue()


def from_bytes(data: bytes) -> Any:
    """The model in bytes of `to_bytes`; it is as untrusted as a file."""
    with open_reader(io.BytesIO(data)) as file:
        compiled = file.text("training_config") is not None
    return load_model(io.BytesIO(data), compile=compiled)


def _compile(file: Reader, model: Any, custom_objects: Mapping[str, Any] | None) -> None:
    text = file.text("training_config")
    if text is None:
        warnings.warn(
            f"{file.where} has no training configuration, so the model is not compiled. Call "
            "model.compile(...) before training, or load with compile=False.",
            stacklevel=3,
        )
        return
    with registry.CustomObjectScope(custom_objects):
        model.compile(**training.compile_arguments(configs.modern(configs.parse_json(text))))
    training.restore_optimizer(file, model)


# ---------------------------------------------------------------- weights


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Saves a model's weights as HDF5, in one step.

    Args:
        model: the model.
        filepath: a path, an open `h5py.File` or group, or a binary file object.
        overwrite: whether to replace an existing file without asking.

    Raises:
        ValueError: if the model is not built.

    Source: Keras 2 manual, chapter 3.3.6.3.
    """
    if _may_write(filepath, overwrite):
        names = [layer.name for layer in model.layers]
        with hdf5_writer.open_writer(filepath, names) as file:
            weights.write_weights(file, model)


def load_weights(
    model: Any,
    filepath: Any,
    by_name: bool = False,
    skip_mismatch: bool = False,
    reshape: bool = False,
) -> None:
    """Loads weights into a model: all of them, or, after an error, none.

    Args:
        model: the model.
        filepath: a path, an open `h5py.File` or group, or a binary file object, of
            `save_weights` or of `save`.
        by_name: load into the layers of the same name, instead of layer by layer.
        skip_mismatch: with `by_name`, leave out what does not fit, with a warning.
        reshape: bring arrays of the right size but another shape into shape.

    Raises:
        SavedFileError: if the file is damaged, or does not fit; it lists what fits and
            what does not.

    Source: Keras 2 manual, chapter 3.3.6.3.
    """
    if skip_mismatch and not by_name:
        raise ValueError(
            "skip_mismatch needs the layers' names: load_weights(path, by_name=True, "
            "skip_mismatch=True)."
        )
    with open_reader(filepath) as file:
        if MODEL_WEIGHTS in file and file.texts("layer_names") is None:
            file = file.group(MODEL_WEIGHTS)
        planned = weights.plan(file, model, by_name, skip_mismatch, reshape)
    weights.assign(planned)


def _may_write(filepath: Any, overwrite: bool) -> bool:
    """Whether to write; asks on the terminal where a file would be replaced."""
    if overwrite:
        return True
    if isinstance(filepath, h5py.Group):
        exists = bool(len(filepath))
        where = filepath.name
    elif isinstance(filepath, (str, os.PathLike)):
        exists, where = os.path.exists(filepath), os.fspath(filepath)
    else:
        return True
    if not exists:
        return True
    try:
        answer = input(f"{where!r} exists. Replace it? [y/n] ")
        while answer.strip().lower() not in ("y", "n", "yes", "no"):
            answer = input("Please answer y (replace it) or n (leave it): ")
    except (EOFError, RuntimeError, OSError):  # nobody there; IPython raises a RuntimeError
        raise FileExistsError(
            f"{where!r} exists. Choose another name, or replace it: overwrite=True."
        ) from None
    return answer.strip().lower().startswith("y")
