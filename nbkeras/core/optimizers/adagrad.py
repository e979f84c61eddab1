"""Adagrad: a learning rate of its own for every number of a weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.gradients import sum_rows

__all__ = ["Adagrad", "adagrad"]


def adagrad(
    parameter: Any, gradient: Any, accumulator: Any, lr: Any, epsilon: float
) -> tuple[Any, Any]:
    """`a' = a + g^2`, `p' = p - lr g / (sqrt(a') + epsilon)`."""
    accumulator = accumulator + tf.square(gradient)
    return parameter - lr * gradient / (tf.sqrt(accumulator) + epsilon), accumulator


@registry.register("optimizer", aliases=("adagrad",))
class Adagrad(Optimizer):
    """Adagrad: what moved often moves less.

    `a' = a + g^2`, `p' = p - lr * g / (sqrt(a') + epsilon)`. A gradient of some rows of an
    embedding touches only those rows.

    Args:
        lr: learning rate, 0 or more.
        epsilon: keeps the quotient finite; `K.epsilon()` if `None`.
        decay: the learning rate of update `t` is `lr / (1 + decay * t)`.
        initial_accumulator_value: what `a` begins with: 0 in Keras 2, 0.1 in tf_keras.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> Adagrad(lr=0.1).apply_gradients([(tf.constant([7.0]), w)])
        >>> print(w.numpy().round(4))
        [0.9]

    Source: Keras 2 manual, 9.2.3; Duchi et al. 2011, "Adaptive Subgradient Methods for
    Online Learning and Stochastic Optimization".
    """

    slot_names = ("accumulator",)
    additions: ClassVar[Mapping[str, Any]] = {"initial_accumulator_value": 0.0}

    def __init__(
        self,
        lr: float = 0.01,
        epsilon: float | None = None,
        decay: float = 0.0,
        *,
        initial_accumulator_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.epsilon = config.epsilon() if epsilon is None else epsilon
        self.initial_accumulator_value = initial_accumulator_value

    def initial_slots(self, parameter: Any) -> Slots:
        zeros = super().initial_slots(parameter)["accumulator"]
        return {"accumulator": zeros + tf.cast(self.initial_accumulator_value, zeros.dtype)}

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        parameter, accumulator = adagrad(
            parameter, gradient, slots["accumulator"], numbers["lr"], self.epsilon
        )
        return parameter, {"accumulator": accumulator}

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        tf.raw_ops.ResourceApplyAdagradV2(
            var=variable.handle,
            accum=slots["accumulator"].handle,
            lr=numbers["lr"],
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )
        return True

    def rows(
        self, variable: Any, gradient: tf.IndexedSlices, slots: Slots, numbers: Numbers
    ) -> bool:
        gradient = sum_rows(gradient)
        accumulator, rows = slots["accumulator"], gradient.indices
        accumulator.scatter_add(tf.IndexedSlices(tf.square(gradient.values), rows))
        scale = numbers["lr"] / (tf.sqrt(tf.gather(accumulator, rows)) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(scale * gradient.values, rows))
        return True
