"""Adadelta: steps in the weight's own units."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.hyper import Hyperparameter

__all__ = ["Adadelta", "adadelta"]


def adadelta(
    parameter: Any, gradient: Any, squares: Any, steps: Any, lr: Any, rho: Any, epsilon: float
) -> tuple[Any, Any, Any]:
    """`a' = rho a + (1 - rho) g^2`, `u = g sqrt(d + eps) / sqrt(a' + eps)`, `p' = p - lr u`,
    `d' = rho d + (1 - rho) u^2`.
    """
    squares = rho * squares + (1.0 - rho) * tf.square(gradient)
    step = gradient * tf.sqrt(steps + epsilon) / tf.sqrt(squares + epsilon)
    steps = rho * steps + (1.0 - rho) * tf.square(step)
    return parameter - lr * step, squares, steps


@registry.register("optimizer", aliases=("adadelta",))
class Adadelta(Optimizer):
    """Adadelta: a step is the gradient times the ratio of recent steps to recent gradients.

    `a' = rho * a + (1 - rho) * g^2`, `u = g * sqrt(d + epsilon) / sqrt(a' + epsilon)`,
    `p' = p - lr * u`, `d' = rho * d + (1 - rho) * u^2`.

    Args:
        lr: learning rate, 0 or more; 1 is the paper's.
        rho: how much of both averages is kept, from 0 to below 1.
        epsilon: keeps the quotient finite and lets the first step be made; `K.epsilon()` if
            `None`.
        decay: the learning rate of update `t` is `lr / (1 + decay * t)`.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> Adadelta(rho=0.75, epsilon=0.01).apply_gradients([(tf.constant([2.0]), w)])
        >>> print(w.numpy().round(2))
        [0.8]

    Source: Keras 2 manual, 9.2.4; Zeiler 2012, arXiv:1212.5701.
    """

    rho = Hyperparameter(below=1.0)
    slot_names = ("accum_grad", "accum_var")

    def __init__(
        self,
        lr: float = 1.0,
        rho: float = 0.95,
        epsilon: float | None = None,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.rho = rho
        self.epsilon = config.epsilon() if epsilon is None else epsilon

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        parameter, squares, steps = adadelta(
            parameter,
            gradient,
            slots["accum_grad"],
            slots["accum_var"],
            numbers["lr"],
            numbers["rho"],
            self.epsilon,
        )
        return parameter, {"accum_grad": squares, "accum_var": steps}

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        tf.raw_ops.ResourceApplyAdadelta(
            var=variable.handle,
            accum=slots["accum_grad"].handle,
            accum_update=slots["accum_var"].handle,
            lr=numbers["lr"],
            rho=numbers["rho"],
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )
        return True
