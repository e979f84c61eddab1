"""Adamax: Adam with the infinity norm."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.hyper import Hyperparameter

__all__ = ["Adamax", "adamax"]


def adamax(
    parameter: Any,
    gradient: Any,
    m: Any,
    u: Any,
    rate: Any,
    beta_1: Any,
    beta_2: Any,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    """`m' = b1 m + (1 - b1) g`, `u' = max(b2 u, |g|)`, `p' = p - rate m' / (u' + epsilon)`."""
    m = beta_1 * m + (1.0 - beta_1) * gradient
    u = tf.maximum(beta_2 * u, tf.abs(gradient))
    return parameter - rate * m / (u + epsilon), m, u


@registry.register("optimizer", aliases=("adamax",))
class Adamax(Optimizer):
    """Adamax: a variant of Adam that divides by the largest recent gradient.

    `m' = b1 * m + (1 - b1) * g`, `u' = max(b2 * u, |g|)`,
    `p' = p - lr / (1 - b1^t) * m' / (u' + epsilon)` in update `t = 1, 2, ...`.

    Args:
        lr: learning rate, 0 or more.
        beta_1: how much of the average gradient is kept, from 0 to below 1.
        beta_2: how slowly the largest gradient is forgotten, from 0 to below 1.
        epsilon: keeps the quotient finite; `K.epsilon()` if `None`.
        decay: the learning rate of update `t` is `lr / (1 + decay * t)`.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> Adamax(lr=0.1).apply_gradients([(tf.constant([5.0]), w)])
        >>> print(w.numpy().round(4))
        [0.9]

    Source: Keras 2 manual, 9.2.6; Kingma and Ba 2014, section 7, arXiv:1412.6980.
    """

    beta_1 = Hyperparameter(below=1.0)
    beta_2 = Hyperparameter(below=1.0)
    slot_names = ("m", "v")

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = config.epsilon() if epsilon is None else epsilon

    def numbers(self, hyper: Numbers, iteration: Any) -> Numbers:
        numbers = super().numbers(hyper, iteration)
        power = tf.pow(hyper["beta_1"], tf.cast(iteration, hyper["lr"].dtype) + 1.0)
        return {**numbers, "rate": numbers["lr"] / (1.0 - power), "beta_1_power": power}

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        parameter, m, u = adamax(
            parameter,
            gradient,
            slots["m"],
            slots["v"],
            numbers["rate"],
            numbers["beta_1"],
            numbers["beta_2"],
            self.epsilon,
        )
        return parameter, {"m": m, "v": u}

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        tf.raw_ops.ResourceApplyAdaMax(
            var=variable.handle,
            m=slots["m"].handle,
            v=slots["v"].handle,
            beta1_power=numbers["beta_1_power"],
            lr=numbers["lr"],
            beta1=numbers["beta_1"],
            beta2=numbers["beta_2"],
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )
        return True
