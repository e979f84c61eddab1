"""Batches of the images that a pandas table names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .directory import FileIterator, check_class_mode
from .files import is_image
from .generator import ImageDataGenerator

__all__ = ["DataFrameIterator"]

_WITH_CLASSES = ("binary", "categorical", "sparse")


class DataFrameIterator(FileIterator):
    """Batches of images in a table; see :meth:`ImageDataGenerator.flow_from_dataframe`.

    Attributes:
        class_indices: the number of each class.
        classes: the class of each sample, or its classes.
        filenames, filepaths: the file of each sample, as in the table and with the folder.
        samples: how many there are.

    Source: keras-preprocessing 1.1.2.
    """

    allowed_class_modes = (
        "binary",
        "categorical",
        "input",
        "multi_output",
        "raw",
        "sparse",
        None,
    )

    def __init__(
        self,
        dataframe: Any,
        directory: str | None = None,
        image_data_generator: ImageDataGenerator | None = None,
        x_col: str = "filename",
        y_col: str | Sequence[str] = "class",
        weight_col: str | None = None,
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
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = "float32",
        validate_filenames: bool = True,
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
        if class_mode == "other":
            warnings.warn("class_mode='other' is now class_mode='raw'.", stacklevel=3)
            class_mode = "raw"
        self.class_mode = check_class_mode(class_mode, self.allowed_class_modes)
        self.directory = os.fspath(directory or "")
        table = dataframe.copy()
        _check_columns(table, x_col, y_col, weight_col, self.class_mode)
        if validate_filenames:
            table = self._with_files(table, x_col)
        if self.class_mode in _WITH_CLASSES:
            names, table = _choose_classes(table, y_col, classes, self.class_mode)
            self.class_indices = {name: number for number, name in enumerate(names)}
        elif classes:
            warnings.warn(f"class_mode={class_mode!r} does not use classes.", stacklevel=3)
        table = self._split(table)
        self.filenames = table[x_col].tolist()
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self._weights = None if weight_col is None else table[weight_col].to_numpy()
        self._take_targets(table, y_col)
        belonging = (
            f" belonging to {len(self.class_indices)} classes"
            if self.class_mode in _WITH_CLASSES
            else ""
        )
        kind = "validated" if validate_filenames else "non-validated"
        print(f"Found {self.samples} {kind} image filenames{belonging}.")
        self._save_as(save_to_dir, save_prefix, save_format)
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> Any:
        """The targets: the class of each sample, or the values of the columns."""
        return self._columns if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> np.ndarray | None:
        """The weights of the samples."""
        return self._weights

    def _take_targets(self, table: Any, y_col: Any) -> None:
        if self.class_mode == "raw":
            self._columns: Any = table[y_col].to_numpy()
        elif self.class_mode == "multi_output":
            self._columns = [np.array(table[column].tolist()) for column in y_col]
        elif self.class_mode in _WITH_CLASSES:
            self.classes = [
                [self.class_indices[name] for name in label]
                if isinstance(label, list | tuple)
                else self.class_indices[label]
                for label in table[y_col]
            ]

    def _with_files(self, table: Any, x_col: str) -> Any:
        """The rows whose files exist and are named like images."""
        exists = np.array(
            [
                is_image(os.path.join(self.directory, name), self.white_list_formats)
                for name in table[x_col]
            ],
            dtype=bool,
        )
        missing = table[x_col][~exists].tolist()
        if missing:
            warnings.warn(
                f"{len(missing)} rows name no image file in column {x_col!r} and are left out, "
                f"such as {missing[0]!r}. Names are relative to directory={self.directory!r}.",
                stacklevel=4,
            )
        return table[exists]


# ---------------------------------------------------------------- columns and classes


def _check_columns(table: Any, x_col: str, y_col: Any, weight_col: Any, mode: str | None) -> None:
    """The columns exist and hold what the class mode needs."""
    if mode == "multi_output" and not isinstance(y_col, list | tuple):
        raise TypeError(
            f"class_mode='multi_output' takes a list of columns, as in y_col=['a', 'b']; got "
            f"y_col={y_col!r}."
        )
    used = [x_col, *([weight_col] if weight_col else [])]
    if mode not in ("input", None):
        used += list(y_col) if isinstance(y_col, list | tuple) else [y_col]
    absent = [column for column in used if column not in table.columns]
    if absent:
        raise ValueError(
            f"The table has no column {absent[0]!r}; it has {', '.join(map(repr, table.columns))}. "
            "Pass x_col=..., y_col=... or weight_col=...."
        )
    if not all(isinstance(name, str) for name in table[x_col]):
        raise TypeError(f"Column {x_col!r} holds the names of files: all its values are texts.")
    texts: dict[str | None, Any] = {"binary": str, "sparse": str, "categorical": (str, list, tuple)}
    if mode in texts and not all(isinstance(label, texts[mode]) for label in table[y_col]):
        raise TypeError(
            f"With class_mode={mode!r}, column {y_col!r} holds names of classes: write "
            f"table[{y_col!r}] = table[{y_col!r}].astype(str), or class_mode='raw' for numbers."
        )
    if weight_col and not issubclass(table[weight_col].dtype.type, np.number):
        raise TypeError(f"Column {weight_col!r} holds sample weights: all its values are numbers.")


def _choose_classes(
    table: Any, y_col: Any, classes: Sequence[str] | None, mode: str | None
) -> tuple[list[str], Any]:
    """The classes, sorted, and the rows that belong to one."""
    labels = table[y_col].tolist()
    several = [list(label) if isinstance(label, list | tuple) else [label] for label in labels]
    names = set(classes) if classes else {name for row in several for name in row}
    if mode == "binary" and len(names) != 2:
        raise ValueError(
            f"class_mode='binary' needs 2 classes; there are {len(names)}. Write "
            "class_mode='sparse' or 'categorical'."
        )
    if classes:
        kept = [[name for name in row if name in names] for row in several]
        table[y_col] = [
            row if isinstance(label, list | tuple) else label
            for row, label in zip(kept, labels, strict=True)
        ]
        table = table[np.array([bool(row) for row in kept], dtype=bool)]
    return sorted(names), table
