"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.hyper import Momentum

__all__ = ["SGD", "sgd"]


def sgd(
    parameter: Any, gradient: Any, velocity: Any, lr: Any, momentum: Any, nesterov: bool
) -> tuple[Any, Any]:
    """`v' = momentum v - lr g`, `p' = p + v'`; Nesterov: `p' = p + momentum v' - lr g`."""
    velocity = momentum * velocity - lr * gradient
    if nesterov:
        return parameter + momentum * velocity - lr * gradient, velocity
    return parameter + velocity, velocity


@registry.register("optimizer", aliases=("sgd",))
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's momentum.

    `v' = momentum * v - lr * g`, `p' = p + v'` (Nesterov: `p' = p + momentum * v' - lr * g`).
    Without momentum no velocities are kept, and a gradient of some rows of an
    embedding touches only those rows.

    Args:
        lr: learning rate, 0 or more.
        momentum: how much of the last step is kept, 0 or more.
        decay: the learning rate of update `t` is `lr / (1 + decay * t)`.
        nesterov: whether to use Nesterov's momentum.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> SGD(lr=0.5).apply_gradients([(tf.constant([1.0]), w)])
        >>> w.numpy().tolist()
        [0.5]

    Source: Keras 2 manual, 9.2.1; Sutskever et al. 2013, "On the importance of
    initialization and momentum in deep learning".
    """

    momentum = Momentum()

    def __init__(
        self,
        lr: float = 0.01,
        momentum: float = 0.0,
        decay: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.momentum = momentum
        self.nesterov = bool(nesterov)

    @property
    def slot_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("momentum",) if "momentum" in self._hyper else ()

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        lr = numbers["lr"]
        if not slots:
            return parameter - lr * gradient, {}
        parameter, velocity = sgd(
            parameter, gradient, slots["momentum"], lr, numbers["momentum"], self.nesterov
        )
        return parameter, {"momentum": velocity}

    def fused(self, variable: Any, gradient: Any, slots: Slots, numbers: Numbers) -> bool:
        lr = numbers["lr"]
        if not slots:
            tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=lr, delta=gradient)
        else:
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=slots["momentum"].handle,
                lr=lr,
                grad=gradient,
                momentum=numbers["momentum"],
                use_nesterov=self.nesterov,
            )
        return True

    def rows(
        self, variable: Any, gradient: tf.IndexedSlices, slots: Slots, numbers: Numbers
    ) -> bool:
        if slots:  # velocities move the rows without a gradient too
            return False
        variable.scatter_sub(tf.IndexedSlices(numbers["lr"] * gradient.values, gradient.indices))
        return True

    def _layouts(self, weights: list[np.ndarray]) -> Iterable[list[np.ndarray]]:
        yield from super()._layouts(weights)
        # Keras 2 keeps velocities even where there is no momentum.
        velocities = [tuple(v.shape) for v in self._variables]
        if not self.slot_names and [w.shape for w in weights[1:]] == velocities:
            yield weights[:1]
