"""Utilities (Keras 2 manual, chapter 20)."""

from __future__ import annotations

import importlib
from typing import Any

from ..config import set_random_seed
from ..engine.describe import print_summary
from ..engine.streams import Sequence
from ..registry import CustomObjectScope, custom_object_scope, get_custom_objects
from ..registry import serialize as serialize_keras_object
from .downloads import get_file
from .enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer
from .generic_utils import deserialize_keras_object
from .hdf5_matrix import HDF5Matrix
from .numpy import normalize, to_categorical
from .progbar import Progbar

__all__ = [
    "CustomObjectScope",
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "SequenceEnqueuer",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_source_inputs",
    "model_to_dot",
    "multi_gpu_model",
    "normalize",
    "plot_model",
    "print_summary",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]

# What works on layers imports them, and they may import utilities: at first use only.
_MODULES = (
    "conv_utils",
    "data_utils",
    "generic_utils",
    "io_utils",
    "layer_utils",
    "multi_gpu_utils",
    "np_utils",
    "training_utils",
    "vis_utils",
)
_OF_LAYERS = {
    "convert_all_kernels_in_model": "layer_utils",
    "get_source_inputs": "layer_utils",
    "model_to_dot": "vis_utils",
    "multi_gpu_model": "multi_gpu_utils",
    "plot_model": "vis_utils",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _OF_LAYERS:
        return getattr(importlib.import_module(f"{__name__}.{_OF_LAYERS[name]}"), name)
    raise AttributeError(f"keras.utils has no {name!r}; it has {', '.join(__all__)}.")
