"""The logs of the epochs as a table in a file."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from .base import Callback

__all__ = ["CSVLogger"]

MISSING = "NA"


class CSVLogger(Callback):
    """Writes a row for each epoch to a CSV file, its header first.

    The columns are ``epoch`` and the names of the logs, sorted. A log that an epoch
    lacks is ``NA``; a one-dimensional value is written as ``[1, 2]``. Each row is on
    its way to the disk as soon as the epoch ends.

    Args:
        filename: the file.
        separator: what stands between two values.
        append: whether to go on with a file that exists; it keeps its header and columns.

    Raises:
        ValueError: the separator is not one character, or the file to append to has
            a header without ``epoch``; nothing is trained or written then.

    >>> CSVLogger("training.csv", separator=";").separator
    ';'

    Source: Keras 2 manual, chapter 11.1.12.
    """

    chief_only = True

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator is one character such as ';'; got {separator!r}.")
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: IO[str] | None = None
        self._rest: int | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()
        self._rest = None
        self.keys = self._header() if self.append else None
        if not os.path.isdir(os.path.dirname(self.filename) or "."):
            raise FileNotFoundError(
                f"The folder of {self.filename!r} does not exist. Make it first: "
                f"os.makedirs({os.path.dirname(self.filename)!r}, exist_ok=True)."
            )

    def _header(self) -> list[str] | None:
        """The columns of the file that is there, without ``epoch``."""
        path = Path(self.filename)
        if not path.exists() or path.stat().st_size == 0:
            return None
        with path.open(newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file, delimiter=self.separator), [])
        if columns[:1] != ["epoch"]:
            raise ValueError(
                f"{self.filename!r} should begin with the header that CSVLogger wrote, "
                f"'epoch{self.separator}...'; its first line is {self.separator.join(columns)!r}. "
                "Give the separator it was written with, another file name, or append=False."
            )
        return columns[1:]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self._file is None:
            self._open(logs)
        columns = self.keys or []
        extra = [name for name in logs if name not in columns]
        if extra:
            self._warn_of(extra)
        values = [_cell(logs[name]) if name in logs else MISSING for name in columns]
        self._write([epoch, *values])

    def _open(self, logs: Mapping[str, Any]) -> None:
        goes_on = self.keys is not None
        mode = "a" if goes_on else "w"  # it stays open while training lasts
        self._file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115
        if goes_on:
            if self._rest is not None:
                self._file.truncate(self._rest)
            return
        # Validation may begin in a later epoch: its columns are there from the first row.
        self.keys = sorted({*logs, *self.params.get("metrics", ())})
        self._write(["epoch", *self.keys])

    def _write(self, row: list[Any]) -> None:
        assert self._file is not None
        csv.writer(self._file, delimiter=self.separator, lineterminator="\n").writerow(row)
        self._file.flush()

    def _warn_of(self, extra: list[str]) -> None:
        warnings.warn(
            f"CSVLogger: {self.filename!r} has no column for {', '.join(extra)}, which "
            "are not written. Write to another file, or with append=False.",
            RuntimeWarning,
            stacklevel=2,
        )

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def on_train_failed(self, error: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    # ---------------------------------------------------------------- a run that goes on

    def get_state(self) -> dict[str, Any]:
        length = None if self._file is None else os.fstat(self._file.fileno()).st_size
        return {"keys": self.keys, "length": length}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on after the row that was written when the state was taken."""
        length = state["length"]
        if length is None or not os.path.exists(self.filename):
            return
        self.keys, self._rest = list(state["keys"]), min(length, os.path.getsize(self.filename))


def _cell(value: Any) -> Any:
    """A value as it stands in a cell; ``[1, 2]`` for one-dimensional ones."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Iterable):
        return f"[{', '.join(str(item) for item in np.asarray(value).tolist())}]"
    return value
