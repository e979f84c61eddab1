"""RMSprop: gradients divided by a running average of their recent magnitude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.hyper import Hyperparameter, Momentum

__all__ = ["RMSprop", "rmsprop"]


def rmsprop(gradient: Any, rms: Any, lr: Any, rho: Any, epsilon: float) -> tuple[Any, Any]:
    """`a' = rho a + (1 - rho) g^2`; what is taken off, `lr g / (sqrt(a') + epsilon)`, and `a'`."""
    rms = rho * rms + (1.0 - rho) * tf.square(gradient)
    return lr * gradient / (tf.sqrt(rms) + epsilon), rms


@registry.register("optimizer", aliases=("rmsprop",))
class RMSprop(Optimizer):
    """RMSprop, a good choice for recurrent networks.

    `a' = rho * a + (1 - rho) * g^2`, `p' = p - lr * g / (sqrt(a') + epsilon)`.

    Args:
        lr: learning rate, 0 or more.
        rho: how much of the average of squared gradients is kept, from 0 to below 1.
        epsilon: keeps the quotient finite; `K.epsilon()` if `None`.
        decay: the learning rate of update `t` is `lr / (1 + decay * t)`.
        momentum: an addition of tf_keras: `v' = momentum * v + lr * g / sqrt(a' + epsilon)`,
            `p' = p - v'`.
        centered: an addition of tf_keras: `a'` less the square of the average gradient.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> RMSprop(lr=0.1, rho=0.75).apply_gradients([(tf.constant([4.0]), w)])
        >>> print(w.numpy().round(4))
        [0.8]

    Source: Keras 2 manual, 9.2.2; Tieleman and Hinton 2012, lecture 6e.
    """

    rho = Hyperparameter(below=1.0)
    momentum = Momentum()
    additions: ClassVar[Mapping[str, Any]] = {"momentum": 0.0, "centered": False}

    def __init__(
        self,
        lr: float = 0.001,
        rho: float = 0.9,
        epsilon: float | None = None,
        decay: float = 0.0,
        *,
        momentum: float = 0.0,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.rho = rho
        self.epsilon = config.epsilon() if epsilon is None else epsilon
        self.momentum = momentum
        self.centered = bool(centered)

    @property
    def slot_names(self) -> tuple[str, ...]:  # type: ignore[override]
        names = ["rms"]
        if "momentum" in self._hyper:
            names.append("momentum")
        if self.centered:
            names.append("mg")
        return tuple(names)

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        lr, rho = numbers["lr"], numbers["rho"]
        if len(slots) == 1:
            less, rms = rmsprop(gradient, slots["rms"], lr, rho, self.epsilon)
            return parameter - less, {"rms": rms}
        new = {"rms": rho * slots["rms"] + (1.0 - rho) * tf.square(gradient)}
        variance = new["rms"]
        if self.centered:
            new["mg"] = rho * slots["mg"] + (1.0 - rho) * gradient
            variance -= tf.square(new["mg"])
        if "momentum" not in slots:
            return parameter - lr * gradient / (tf.sqrt(variance) + self.epsilon), new
        scaled = lr * gradient / tf.sqrt(variance + self.epsilon)
        new["momentum"] = numbers["momentum"] * slots["momentum"] + scaled
        return parameter - new["momentum"], new

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        if len(slots) > 1:
            return False
        # No kernel has epsilon where Keras 2 has it; but nothing needs to be copied.
        kept, lr, rho = slots["rms"], numbers["lr"], numbers["rho"]
        less, rms = rmsprop(gradient, tf.convert_to_tensor(kept), lr, rho, self.epsilon)
        kept.assign(rms)
        variable.assign_sub(less)
        return True
