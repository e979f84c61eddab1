"""Images: files, random transformations, batches (Keras 2 manual, 6.3)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .affine import (
    apply_affine_transform,
    apply_transform,
    transform_matrix_offset_center,
)
from .augment import (
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from .files import array_to_img, img_to_array, list_pictures, load_img, save_img
from .generator import ImageDataGenerator

if TYPE_CHECKING:
    from .dataframe import DataFrameIterator
    from .directory import DirectoryIterator
    from .iterators import Iterator, NumpyArrayIterator

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "transform_matrix_offset_center",
]

# Iterators are Sequences of the engine, which stands on TensorFlow; the rest needs none.
_LATE = {
    "DataFrameIterator": "dataframe",
    "DirectoryIterator": "directory",
    "Iterator": "iterators",
    "NumpyArrayIterator": "iterators",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(f"{__name__} has no {name!r}; it has {', '.join(__all__)}.")
