"""Callbacks that watch one number: does it still get better?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from .base import Callback

__all__ = ["EarlyStopping", "ModelCheckpoint", "Monitor"]


class Monitor(Callback):
    """A callback that compares a logged number with the best so far.

    Args:
        monitor: the name of the number.
        mode: ``min`` or ``max`` says what is better; ``auto`` tells it by the name:
            accuracies, and what ends in ``auc``, ``precision``, ``recall`` or starts
            with ``fmeasure`` should grow, all else fall.
        min_delta: by how much it must get better to count.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode is 'auto', 'min' or 'max'; got {mode!r}.")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        words = monitor.lower().removeprefix("val_")
        grows = "acc" in words or words.startswith("fmeasure")
        grows = grows or words.endswith(("auc", "precision", "recall"))
        self._sign = 1.0 if mode == "max" or (mode == "auto" and grows) else -1.0

    @property
    def worst(self) -> float:
        """What any value is better than."""
        return -self._sign * np.inf

    def improves(self, value: float, best: float) -> bool:
        """Whether a value is better than the best so far; NaN never is."""
        return bool(self._sign * (value - best) > self.min_delta) or (
            bool(np.isinf(best)) and bool(self._sign * value > self._sign * best)
        )

    def current(self, logs: Any) -> float | None:
        """The monitored number, or ``None`` with one warning that says what there is."""
        logs = logs or {}
        if self.monitor in logs:
            return float(logs[self.monitor])
        if not getattr(self.model, "stop_training", False):
            warnings.warn(
                f"{type(self).__name__} monitors {self.monitor!r}, which is not logged. "
                f"Logged are: {', '.join(logs)}."
                + (
                    " Pass validation_split=0.2 or validation_data=(x, y) to fit."
                    if self.monitor.startswith("val_")
                    else ""
                ),
                RuntimeWarning,
                stacklevel=2,
            )
        return None


class EarlyStopping(Monitor):
    """Ends training when a number no longer gets better.

    Args:
        monitor: the name of the number.
        min_delta: by how much it must get better to count.
        patience: how many epochs without getting better are borne.
        verbose: whether to print why training ended.
        mode: ``auto``, ``min`` or ``max``: what is better.
        baseline: a value that must be beaten from the start.
        restore_best_weights: whether to go back to the best epoch's weights.

    Attributes:
        stopped_epoch: the epoch in which it ended training, or 0.

    >>> EarlyStopping(monitor="val_loss", patience=3).patience
    3

    Source: Keras 2 manual, chapter 11.1.7; the last two arguments are of Keras 2.2.
    """

    state_names: ClassVar = ("best", "wait", "stopped_epoch", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch: int | None = None
        self.best_weights: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = None
        self.best_weights = None
        self.best = self.worst if self.baseline is None else self.baseline

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self.current(logs)
        if value is None:
            return
        if self.improves(value, self.best):
            self.best, self.best_epoch, self.wait = value, epoch, 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.best_weights is not None:
                self.model.set_weights(self.best_weights)
                if self.verbose:
                    print(f"Weights restored from epoch {(self.best_epoch or 0) + 1}.")

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(
                f"Epoch {self.stopped_epoch + 1}: early stopping, "
                f"{self.monitor} was {self.best:.5g}."
            )


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or after each that is the best so far.

    Args:
        filepath: where; fields such as ``{epoch:02d}`` and ``{val_loss:.2f}`` are filled in.
        monitor: the name of the number that says what is best.
        verbose: whether to print what was saved.
        save_best_only: whether only a better model replaces the file.
        save_weights_only: whether to save weights alone.
        mode: ``auto``, ``min`` or ``max``: what is better.
        period: every how many epochs.

    Raises:
        KeyError: the path names a log that there is not.

    >>> ModelCheckpoint("weights.{epoch:02d}-{val_loss:.2f}.hdf5").period
    1

    Source: Keras 2 manual, chapter 11.1.6.
    """

    chief_only = True
    state_names: ClassVar = ("best", "epochs_since_last_save")

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        self.epochs_since_last_save = 0
        self.best = self.worst

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save < self.period:
            return
        self.epochs_since_last_save = 0
        if self.save_best_only:
            value = self.current(logs)
            if value is None or not self.improves(value, self.best):
                return
            self.best = value
        path = self._path(epoch, logs or {})
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {path}.")

    def _path(self, epoch: int, logs: Mapping[str, Any]) -> str:
        try:
            return self.filepath.format_map(_Fields(epoch + 1, logs))
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint's path {self.filepath!r} names {error}, but there are only: "
                f"epoch, {', '.join(logs)}."
            ) from None


class _Fields(dict[str, Any]):
    """What a checkpoint's path may name: the epoch (from 1 on) and the logs."""

    def __init__(self, epoch: int, logs: Mapping[str, Any]) -> None:
        super().__init__(epoch=epoch)
        self._logs = logs

    def __missing__(self, key: str) -> Any:
        return self._logs[key]
