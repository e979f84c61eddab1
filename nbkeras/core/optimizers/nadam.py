"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.optimizers.base import Numbers, Optimizer, Slots
from nbkeras.core.optimizers.hyper import Hyperparameter

__all__ = ["Nadam", "nadam", "scheduled_momentum"]


def scheduled_momentum(beta_1: Any, t: Any, schedule_decay: Any) -> Any:
    """`mu_t = b1 (1 - 0.96^(t schedule_decay) / 2)`: from half of `b1` towards all of it."""
    return beta_1 * (1.0 - 0.5 * 0.96 ** (t * schedule_decay))


def nadam(
    parameter: Any, gradient: Any, m: Any, v: Any, numbers: Numbers, epsilon: float
) -> tuple[Any, Any, Any]:
    """`m' = b1 m + (1 - b1) g`, `v' = b2 v + (1 - b2) g^2`,
    `n = (1 - mu) g / (1 - P) + nu m' / (1 - P nu)`, `p' = p - lr n / (sqrt(v' / c) + epsilon)`;
    `mu`, `nu` the momenta of this and the next update, `P` the product of all up to this one,
    `c = 1 - b2^t`.
    """
    m = numbers["beta_1"] * m + (1.0 - numbers["beta_1"]) * gradient
    v = numbers["beta_2"] * v + (1.0 - numbers["beta_2"]) * tf.square(gradient)
    mu, nu, product = numbers["mu"], numbers["nu"], numbers["product"]
    ahead = (1.0 - mu) / (1.0 - product) * gradient + nu / (1.0 - product * nu) * m
    size = tf.sqrt(v / numbers["correction"]) + epsilon
    return parameter - numbers["lr"] * ahead / size, m, v


@registry.register("optimizer", aliases=("nadam",))
class Nadam(Optimizer):
    """Nadam: Adam with Nesterov's momentum, which follows a schedule.

    With `mu_t = b1 * (1 - 0.96^(t * schedule_decay) / 2)` and `P_t = mu_1 * ... * mu_t`:
    `m' = b1 * m + (1 - b1) * g`, `v' = b2 * v + (1 - b2) * g^2`,
    `n = (1 - mu_t) * g / (1 - P_t) + mu_(t+1) * m' / (1 - P_(t+1))`,
    `p' = p - lr * n / (sqrt(v' / (1 - b2^t)) + epsilon)` in update `t = 1, 2, ...`.

    Args:
        lr: learning rate, 0 or more.
        beta_1: how much of the average gradient is kept, from 0 to below 1.
        beta_2: how much of the average squared gradient is kept, from 0 to below 1.
        epsilon: keeps the quotient finite; `K.epsilon()` if `None`.
        schedule_decay: how fast the momentum grows to `beta_1`.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `name`, `learning_rate`: see
            `Optimizer`.

    Example:
        >>> w = tf.Variable([1.0])
        >>> Nadam(lr=0.1).apply_gradients([(tf.constant([5.0]), w)])
        >>> bool(w < 1)
        True

    Source: Keras 2 manual, 9.2.7; Dozat 2015, "Incorporating Nesterov Momentum into Adam".
    """

    beta_1 = Hyperparameter(below=1.0)
    beta_2 = Hyperparameter(below=1.0)
    schedule_decay = Hyperparameter()
    m_schedule = Hyperparameter()

    slot_names = ("m", "v")
    shared_names = ("m_schedule",)

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = config.epsilon() if epsilon is None else epsilon
        self.schedule_decay = schedule_decay
        self.m_schedule = 1.0

    def numbers(self, hyper: Numbers, iteration: Any) -> Numbers:
        numbers = super().numbers(hyper, iteration)
        t = tf.cast(iteration, hyper["lr"].dtype) + 1.0
        mu = scheduled_momentum(hyper["beta_1"], t, hyper["schedule_decay"])
        return {
            **numbers,
            "mu": mu,
            "nu": scheduled_momentum(hyper["beta_1"], t + 1.0, hyper["schedule_decay"]),
            "product": hyper["m_schedule"] * mu,
            "correction": 1.0 - tf.pow(hyper["beta_2"], t),
        }

    def advance(self, hyper: Numbers, iteration: Any) -> Numbers:
        return {"m_schedule": self.numbers(hyper, iteration)["product"]}

    def step(
        self, parameter: Any, gradient: Any, slots: Slots, numbers: Numbers
    ) -> tuple[Any, Slots]:
        parameter, m, v = nadam(parameter, gradient, slots["m"], slots["v"], numbers, self.epsilon)
        return parameter, {"m": m, "v": v}

    def _layouts(self, weights: list[np.ndarray]) -> Iterable[list[np.ndarray]]:
        yield from super()._layouts(weights)
        if weights:  # Keras before 2.3 does not save the product of the momenta
            t = np.arange(1.0, 1.0 + int(weights[0])) if weights[0].ndim == 0 else np.zeros(0)
            momenta = scheduled_momentum(
                float(self.beta_1.numpy()), t, float(self.schedule_decay.numpy())
            )
            yield [weights[0], np.prod(momenta), *weights[1:]]

    @classmethod
    def _adapt_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        if "decay" in config:  # tf_keras' name for it
            config.setdefault("schedule_decay", config.pop("decay"))
        return config
