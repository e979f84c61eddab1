"""Adam and its variant AMSGrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.engine.buffers import on_gpu
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.hyper import Hyperparameter

__all__ = ["Adam", "adam"]

KERNEL_WORTH = 2**16
"""Up to how many weights a model is faster without TensorFlow's kernel, on a CPU."""


def adam(
    parameter: Any,
    gradient: Any,
    m: Any,
    v: Any,
    rate: Any,
    beta_1: Any,
    beta_2: Any,
    epsilon: float,
    largest: Any = None,
) -> tuple[Any, ...]:
    """`m' = b1 m + (1 - b1) g`, `v' = b2 v + (1 - b2) g^2`, `p' = p - rate m' / (sqrt(v') + eps)`.

    Given `largest`, AMSGrad: `max(largest, v')` takes the place of `v'` in the quotient.
    """
    m = beta_1 * m + (1.0 - beta_1) * gradient
    v = beta_2 * v + (1.0 - beta_2) * tf.square(gradient)
    if largest is None:
        return parameter - rate * m / (tf.sqrt(v) + epsilon), m, v
    largest = tf.maximum(largest, v)
    return parameter - rate * m / (tf.sqrt(largest) + epsilon), m, v, largest


@registry.register("optimizer", aliases=("adam",))
class Adam(Optimizer):
    """Adam: running averages of the gradient and of its square, corrected for their start.

    `m' = b1 * m + (1 - b1) * g`, `v' = b2 * v + (1 - b2) * g^2`,
    `p' = p - lr * sqrt(1 - b2^t) / (1 - b1^t) * m' / (sqrt(v') + epsilon)` in update
    `t = 1, 2, ...`: the paper's second form, with its "epsilon hat".

    Args:
        lr: learning rate, 0 or more.
        beta_1: how much of the average gradient is kept, from 0 to below 1.
        beta_2: how much of the average squared gradient is kept, from 0 to below 1.
        epsilon: keeps the quotient finite; `K.epsilon()` if `None`.
        decay: the learning rate of update `t` is `lr / (1 + decay * t)`.
        amsgrad: whether to divide by the largest average so far.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> Adam(lr=0.1).apply_gradients([(tf.constant([123.0]), w)])
        >>> print(w.numpy().round(4))
        [0.9]

    Source: Keras 2 manual, 9.2.5; Kingma and Ba 2014, arXiv:1412.6980; Reddi et al. 2018,
    "On the Convergence of Adam and Beyond".
    """

    beta_1 = Hyperparameter(below=1.0)
    beta_2 = Hyperparameter(below=1.0)

    def __init__(
        self,
        lr: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        decay: float = 0.0,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = config.epsilon() if epsilon is None else epsilon
        self.amsgrad = bool(amsgrad)
        self._counted = (0, 0)

    @property
    def slot_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("m", "v", "vhat") if self.amsgrad else ("m", "v")

    def numbers(self, hyper: Numbers, iteration: Any) -> Numbers:
        numbers = super().numbers(hyper, iteration)
        t = tf.cast(iteration, hyper["lr"].dtype) + 1.0
        power_1, power_2 = tf.pow(hyper["beta_1"], t), tf.pow(hyper["beta_2"], t)
        rate = numbers["lr"] * tf.sqrt(1.0 - power_2) / (1.0 - power_1)
        return {**numbers, "rate": rate, "beta_1_power": power_1, "beta_2_power": power_2}

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        parameter, *new = adam(
            parameter,
            gradient,
            slots["m"],
            slots["v"],
            numbers["rate"],
            numbers["beta_1"],
            numbers["beta_2"],
            self.epsilon,
            slots.get("vhat"),
        )
        return parameter, dict(zip(("m", "v", "vhat"), new, strict=False))

    @property
    def _is_small(self) -> bool:
        """Whether the kernel would cost more than it saves: it wakes threads for each variable."""
        count = len(self._variables)
        if self._counted[0] != count:  # asked for each variable, counted once for all
            sizes = (variable.shape.num_elements() for variable in self._variables)
            self._counted = count, sum(sizes)
        return self._counted[1] <= KERNEL_WORTH and not on_gpu()

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        if self.amsgrad or self._is_small:  # XLA does not know the kernel of amsgrad
            return False
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=slots["m"].handle,
            v=slots["v"].handle,
            beta1_power=numbers["beta_1_power"],
            beta2_power=numbers["beta_2_power"],
            lr=numbers["lr"],
            beta1=numbers["beta_1"],
            beta2=numbers["beta_2"],
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )
        return True

    def _layouts(self, weights: list[np.ndarray]) -> Iterable[list[np.ndarray]]:
        yield from super()._layouts(weights)
        needed = 1 + 2 * len(self._variables)
        # Without amsgrad, Keras 2 keeps an array of one zero for each weight.
        if not self.amsgrad and [w.shape for w in weights[needed:]] == [(1,)] * len(
            self._variables
        ):
            yield weights[:needed]
