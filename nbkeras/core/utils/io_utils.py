"""The documented name of the utilities on files: ``keras.utils.io_utils``."""

from __future__ import annotations

from .hdf5_matrix import HDF5Matrix

__all__ = ["HDF5Matrix"]
