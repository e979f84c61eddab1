"""Batches of images in files; of those in a folder with a folder for each class."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .files import check_color_mode, check_interpolation, images_in, img_to_array, load_img
from .generator import ImageDataGenerator
from .iterators import ImageIterator, check_subset

__all__ = ["DirectoryIterator"]

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


class FileIterator(ImageIterator):
    """What the iterators of image files share: they read the file of a number.

    A subclass sets `_filepaths`, `class_mode`, and, where `class_mode` needs them,
    `classes`, `class_indices`, `labels` and `sample_weight`.
    """

    saved_names = 10_000_000
    class_mode: str | None
    class_indices: dict[str, int]
    classes: Any
    _filepaths: list[str]

    def _read_as(
        self,
        generator: ImageDataGenerator | None,
        target_size: tuple[int, int],
        color_mode: str,
        data_format: str,
        interpolation: str,
        subset: str | None,
        dtype: Any,
    ) -> None:
        """Keep how files are read."""
        self.image_data_generator = generator
        self.target_size = _size(target_size)
        self.color_mode = check_color_mode(color_mode)
        self.data_format = data_format
        self.interpolation = check_interpolation(interpolation)
        self.subset = subset
        self.split = check_subset(subset, generator)
        self.dtype = dtype
        channels = (CHANNELS[color_mode],)
        last = data_format == "channels_last"
        self.image_shape = self.target_size + channels if last else channels + self.target_size

    @property
    def filepaths(self) -> list[str]:
        """The files, one for each sample."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The classes, one for each sample."""
        return self.classes

    @property
    def sample_weight(self) -> np.ndarray | None:
        """The weights of the samples."""
        return None

    def _split(self, items: Any) -> Any:
        """The part of items that belongs to the subset."""
        if self.split is None:
            return items
        first, last = (int(fraction * len(items)) for fraction in self.split)
        return items[first:last]

    def _image(self, number: int) -> np.ndarray:
        image = load_img(
            self._filepaths[number],
            color_mode=self.color_mode,
            target_size=self.target_size,
            interpolation=self.interpolation,
        )
        x = img_to_array(image, self.data_format, self.dtype)
        return x if x.flags.writeable else x.copy()

    def _targets(self, batch: np.ndarray, indices: np.ndarray) -> Any:
        y = self._labels_of(batch, indices)
        if y is None:
            return batch
        weights = self.sample_weight
        return (batch, y) if weights is None else (batch, y, weights[indices])

    def _labels_of(self, batch: np.ndarray, indices: np.ndarray) -> Any:
        if self.class_mode is None:
            return None
        if self.class_mode == "input":
            return batch.copy()
        if self.class_mode == "multi_output":
            return [column[indices] for column in self.labels]
        if self.class_mode == "raw":
            return self.labels[indices]
        if self.class_mode == "categorical":
            y = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
            for row, index in zip(y, indices, strict=True):
                row[self.classes[index]] = 1  # one class or several
            return y
        return np.array([self.classes[index] for index in indices], dtype=self.dtype)


class DirectoryIterator(FileIterator):
    """Batches of the images in a folder; see :meth:`ImageDataGenerator.flow_from_directory`.

    Attributes:
        class_indices: the number of each class.
        classes: the class of each sample.
        filenames, filepaths: the file of each sample, relative to the folder and not.
        samples, num_classes: how many there are.

    Source: keras-preprocessing 1.1.2.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: str,
        image_data_generator: ImageDataGenerator | None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = "float32",
    ) -> None:
        self._read_as(
            image_data_generator,
            target_size,
            color_mode,
            data_format,
            interpolation,
            subset,
            dtype,
        )
        self.class_mode = check_class_mode(class_mode, self.allowed_class_modes)
        self.directory = os.fspath(directory)
        if not os.path.isdir(self.directory):
            raise NotADirectoryError(
                f"{self.directory} is no folder; flow_from_directory takes one with a folder of "
                "images for each class."
            )
        names = list(classes) if classes else _folders(self.directory)
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.filenames: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            folder = os.path.join(self.directory, name)
            # Each class is split by itself, so that all are in both subsets.
            found = self._split(list(images_in(folder, self.white_list_formats, follow_links)))
            self.filenames += [os.path.join(os.path.basename(folder), file) for file in found]
            numbers += [number] * len(found)
        self.classes = np.array(numbers, dtype="int32")
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        if not self.samples:
            warnings.warn(
                f"{self.directory} has no images in folders of its own, such as "
                f"{os.path.join(self.directory, 'cats', '1.png')}.",
                stacklevel=3,
            )
        self._save_as(save_to_dir, save_prefix, save_format)
        super().__init__(self.samples, batch_size, shuffle, seed)


def check_class_mode(class_mode: Any, allowed: tuple[str | None, ...]) -> str | None:
    """A class mode that exists."""
    if class_mode not in allowed:
        raise ValueError(
            f"class_mode is one of {', '.join(map(repr, allowed))}, as in class_mode='sparse'; "
            f"got {class_mode!r}."
        )
    return class_mode


def _folders(directory: str) -> list[str]:
    with os.scandir(directory) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def _size(target_size: Any) -> tuple[int, int]:
    if not isinstance(target_size, Sequence | np.ndarray) or len(target_size) != 2:
        raise ValueError(
            "target_size is the height and width that images are resized to, as in "
            f"target_size=(64, 64); got {target_size!r}."
        )
    return int(target_size[0]), int(target_size[1])
