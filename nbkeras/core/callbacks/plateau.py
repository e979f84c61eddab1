"""A learning rate that falls when a number no longer gets better."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from ..backend import get_value
from .monitors import Monitor

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(Monitor):
    r"""Multiplies the learning rate by a factor after epochs without getting better.

    .. math:: \eta \leftarrow \max(f \, \eta, \eta_{\min})

    The rate is logged as ``lr``.

    Args:
        monitor: the name of the number.
        factor: :math:`f`, from 0 to below 1.
        patience: how many epochs without getting better are borne.
        verbose: whether to print each change.
        mode: ``auto``, ``min`` or ``max``: what is better.
        min_delta: by how much it must get better to count; ``epsilon`` is its older name.
        cooldown: how many epochs after a change nothing is counted.
        min_lr: the smallest rate, :math:`\eta_{\min}`.

    Raises:
        ValueError: the factor is not from 0 to below 1.

    >>> ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, min_lr=0.001).factor
    0.2

    Source: Keras 2 manual, chapter 11.1.11.
    """

    state_names: ClassVar = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        *,
        epsilon: float | None = None,
    ) -> None:
        if epsilon is not None:
            warnings.warn(
                f"epsilon is now min_delta: ReduceLROnPlateau(min_delta={epsilon!r}).",
                DeprecationWarning,
                stacklevel=2,
            )
            min_delta = epsilon
        super().__init__(monitor, mode, min_delta)
        if not 0 <= factor < 1:
            raise ValueError(
                "ReduceLROnPlateau lowers the rate by a factor from 0 to below 1, as in "
                f"ReduceLROnPlateau(factor=0.5); got factor={factor!r}."
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.best = self.worst
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "lr"):
            raise ValueError(f"The optimizer {type(optimizer).__name__} has no learning rate 'lr'.")

    @property
    def in_cooldown(self) -> bool:
        """Whether a change is so recent that nothing is counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = float(get_value(self.model.optimizer.lr))
        value = self.current(logs)
        if value is None:
            return
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        present = float(get_value(self.model.optimizer.lr))
        if present <= self.min_lr:
            return
        rate = max(present * self.factor, self.min_lr)
        self.model.optimizer.lr = rate
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: {self.monitor} stays, learning rate {rate:.6g}.")
