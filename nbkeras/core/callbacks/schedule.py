"""Callbacks made of functions: a schedule for the learning rate, and any other."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from ..backend import get_value
from ..registry import suggestion
from .base import Callback

__all__ = ["LambdaCallback", "LearningRateScheduler"]


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch, and logs it as ``lr``.

    Args:
        schedule: a function from the epoch (0 is the first), and if it takes two
            arguments the present rate, to a new rate.
        verbose: whether to print it.

    Raises:
        ValueError: the schedule returns no positive number.

    >>> LearningRateScheduler(lambda epoch: 0.1 * 0.9**epoch).verbose
    0

    Source: Keras 2 manual, chapter 11.1.9.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "lr"):
            raise ValueError(f"The optimizer {type(optimizer).__name__} has no learning rate 'lr'.")
        rate = self._rate(epoch, float(get_value(optimizer.lr)))
        optimizer.lr = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {rate:.6g}.")

    def _rate(self, epoch: int, present: float) -> float:
        try:
            arguments = len(inspect.signature(self.schedule).parameters)
        except (TypeError, ValueError):
            arguments = 1
        rate = self.schedule(epoch, present) if arguments > 1 else self.schedule(epoch)
        try:
            number = float(rate)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise ValueError(
                f"The schedule should return a learning rate such as 0.01 for epoch {epoch}; it "
                f"returned {rate!r}."
            )
        return number

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = float(get_value(self.model.optimizer.lr))


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: called with (epoch, logs).
        on_epoch_end: called with (epoch, logs).
        on_batch_begin: called with (batch, logs).
        on_batch_end: called with (batch, logs).
        on_train_begin: called with (logs).
        on_train_end: called with (logs).

    >>> epochs = []
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    >>> callback.on_epoch_end(0, {})
    >>> epochs
    [0]

    Source: Keras 2 manual, chapter 11.1.13.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any],
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            **kwargs,
        }
        known = [name for name in dir(Callback) if name.startswith("on_")]
        for name, function in hooks.items():
            if name not in known:
                raise TypeError(
                    f"LambdaCallback has no hook {name!r}.{suggestion(name, known)} "
                    f"Hooks are {', '.join(known)}."
                )
            if function is not None:
                # On the object, so that only the hooks in use count as overridden.
                setattr(self, name, function)
