"""Saving and loading: configurations, weights, whole models (Keras 2 manual, chapter 3.3.6).

Files are Keras 2's HDF5 (`layout`), written by one atomic writer
(`nbkeras.core.files`) and read by one checked reader (`hdf5_reader`).
"""

from .configs import model_from_config, model_from_json, model_from_yaml, to_json, to_yaml
from .layout import KERAS_VERSION, SavedFileError
from .models import from_bytes, load_model, load_weights, save_model, save_weights, to_bytes

__all__ = [
    "KERAS_VERSION",
    "SavedFileError",
    "from_bytes",
    "load_model",
    "load_weights",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
    "save_weights",
    "to_bytes",
    "to_json",
    "to_yaml",
]
