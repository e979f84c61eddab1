"""The variables of an optimizer: hyperparameters that may be moved while it trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.backend import variables

__all__ = ["Hyperparameter", "Momentum", "compute_dtype", "hyper_dtype", "make_variable"]


class Hyperparameter:
    """A number of an optimizer that may be moved while it trains.

    It lives in a variable: reading the attribute gives the variable, assigning a
    number sets its value, so that a compiled program sees it without being traced again.

    Args:
        alias: the hyperparameter that this name also stands for.
        at_least: the smallest value allowed.
        below: the value it stays below, or `None`.
    """

    def __init__(
        self, alias: str | None = None, *, at_least: float = 0.0, below: float | None = None
    ) -> None:
        self.key = alias or ""
        self.at_least = at_least
        self.below = below

    def __set_name__(self, owner: type, name: str) -> None:
        self.key = self.key or name

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        return self if optimizer is None else optimizer._hyper[self.key]

    def __set__(self, optimizer: Any, value: Any) -> None:
        value = self._checked(optimizer, value)
        variable = optimizer._hyper.get(self.key)
        if variable is None:
            optimizer._hyper[self.key] = make_variable(value, hyper_dtype(), self.key)
        else:
            variable.assign(tf.cast(value, variable.dtype))

    def _checked(self, optimizer: Any, value: Any) -> Any:
        if isinstance(value, tf.Tensor) and not hasattr(value, "numpy"):
            return value  # inside a compiled program
        try:
            number = float(np.asarray(value.numpy() if hasattr(value, "numpy") else value))
        except (TypeError, ValueError):
            number = None
        high = float("inf") if self.below is None else self.below
        if number is not None and self.at_least <= number < high:
            return number
        expected = f"a number of {self.at_least:g} or more"
        if self.below is not None:
            expected += f" and below {self.below:g}"
        example = f"{type(optimizer).__name__}({self.key}={_EXAMPLES.get(self.key, 0.9)})"
        hint = " For a schedule use the callback LearningRateScheduler." if callable(value) else ""
        raise ValueError(
            f"{self.key} is {expected}, as in {example}; got {registry._shorten(value)}.{hint}"
        )


_EXAMPLES = {"lr": 0.01, "decay": 1e-6, "schedule_decay": 0.004}


class Momentum(Hyperparameter):
    """A momentum; constructed as 0 it stays 0, and no velocities are kept for it."""

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        return self if optimizer is None else optimizer._hyper.get("momentum", 0.0)

    def __set__(self, optimizer: Any, value: Any) -> None:
        number = self._checked(optimizer, value)
        if "momentum" not in optimizer._hyper:
            if isinstance(number, float) and number == 0:
                return
            if optimizer.built:
                cls = type(optimizer).__name__
                raise ValueError(
                    f"This {cls} was made without momentum, so it keeps no velocities. Write "
                    f"{cls}(momentum={number}) and compile the model with it."
                )
        super().__set__(optimizer, number)


def make_variable(value: Any, dtype: Any, name: str) -> Any:
    """A variable of the optimizer, the same on all replicas."""
    with tf.init_scope():
        return variables.make_variable(
            value,
            name,
            dtype=dtype,
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )


def hyper_dtype() -> tf.DType:
    """The dtype of hyperparameters: half precision is too coarse for 1 - 0.999 ** t."""
    return tf.float64 if config.floatx() == "float64" else tf.float32


def compute_dtype(dtype: tf.DType) -> tf.DType:
    """The dtype in which a weight is updated: squared gradients vanish in half precision."""
    return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype
