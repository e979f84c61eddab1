"""What a saved file looks like: Keras 2's HDF5 layout, in one place.

A model file has the attributes `keras_version`, `backend`, `model_config` and
`training_config` at its root, and the groups `model_weights` and
`optimizer_weights`. A weights file is what `model_weights` holds, at the root:
the attribute `layer_names`, and per layer a group with the attribute
`weight_names` and a data set for each of them.
"""

from __future__ import annotations

import zlib

import numpy as np

__all__ = [
    "ATTRIBUTE_LIMIT",
    "BACKEND",
    "CHECKSUM",
    "KERAS_VERSION",
    "OPTIMIZER_WEIGHTS",
    "OWN_WEIGHTS",
    "SavedFileError",
    "checksum",
]

KERAS_VERSION = "2.3.1"
"""The version whose layout is written; Keras 2 and tf_keras convert only what is older than 2."""

BACKEND = "tensorflow"

MODEL_WEIGHTS = "model_weights"
OPTIMIZER_WEIGHTS = "optimizer_weights"

OWN_WEIGHTS = "top_level_model_weights"
"""Group for weights of a model that belong to none of its layers, as tf_keras has it."""

ATTRIBUTE_LIMIT = 64512
"""HDF5 keeps an attribute in 64 KB with its header; longer lists are split, as Keras does."""

CHECKSUM = "nbkeras_crc32"
"""An attribute that other readers ignore: a checksum of the data set, or of an attribute."""


class SavedFileError(ValueError):
    """A saved file that is damaged, unsafe, or does not fit the model."""


def checksum(values: np.ndarray | str) -> int:
    """CRC-32 of an array with its type and shape, or of a text."""
    if isinstance(values, str):
        return zlib.crc32(values.encode("utf-8"))
    # Little-endian whatever the machine: the checksum is of the numbers.
    array = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    head = zlib.crc32(f"{array.dtype.str}{values.shape}".encode())
    return zlib.crc32(array.reshape(-1).view(np.uint8).data, head)
