"""Constraints that weights obey after every update (Keras 2 manual, chapter 17).

A constraint is a function from a weight to a weight of the same shape. `axis` is
the axis along which a norm is taken: 0 for the incoming weights of each unit of a
`Dense` kernel `(inputs, units)`, `[0, 1, 2]` for each filter of a `Conv2D` kernel
`(rows, columns, channels, filters)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from nbkeras.core import config, registry
from nbkeras.core.backend.symbolic import operation

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "maxnorm",
    "min_max_norm",
    "min_maxnorm",
    "non_neg",
    "nonneg",
    "serialize",
    "unit_norm",
    "unitnorm",
]

Axis = int | Sequence[int]


@operation
def scale_to_norm(w: Any, low: float, high: float, rate: float, axis: Axis) -> Any:
    """`w * (r clip(n, low, high) + (1 - r) n) / (eps + n)`: `n` the norms, `r` the rate."""
    w = tf.convert_to_tensor(w)
    norms = tf.sqrt(tf.reduce_sum(tf.square(w), axis=axis, keepdims=True))
    desired = tf.clip_by_value(norms, tf.cast(low, w.dtype), tf.cast(high, w.dtype))
    if rate != 1:
        desired = rate * desired + (1 - rate) * norms
    return w * (desired / (config.epsilon() + norms))


@operation
def drop_negative(w: Any) -> Any:
    """`w` where it is 0 or more, else 0."""
    return tf.nn.relu(w)


@operation
def divide_by_norm(w: Any, axis: Axis) -> Any:
    """`w / (epsilon + |w|)`, norms along `axis`."""
    w = tf.convert_to_tensor(w)
    norms = tf.sqrt(tf.reduce_sum(tf.square(w), axis=axis, keepdims=True))
    return w / (config.epsilon() + norms)


@registry.base("constraint")
class Constraint(registry.Configurable):
    """Base class: override `__call__(w)`, which returns the weight as it should be.

    Example:
        >>> class Centred(Constraint):
        ...     def __call__(self, w):
        ...         return w - tf.reduce_mean(w)
        >>> Centred()(tf.constant([1., 3.])).numpy().tolist()
        [-1.0, 1.0]
    """

    def __call__(self, w: Any) -> Any:
        """The weight as it should be; in the base class as it is."""
        return w


@registry.register("constraint", aliases=("max_norm", "maxnorm"))
class MaxNorm(Constraint):
    """Norms of at most `max_value`.

    Args:
        max_value: the largest norm.
        axis: the axis or axes along which norms are taken.

    Example:
        >>> print(MaxNorm(1.)(tf.constant([[3.], [4.]])).numpy().round(4))
        [[0.6]
         [0.8]]

    Source: Srivastava et al. 2014, "Dropout".
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return scale_to_norm(w, 0.0, self.max_value, 1.0, self.axis)


@registry.register("constraint", aliases=("non_neg", "nonneg"))
class NonNeg(Constraint):
    """No weight below 0.

    Example:
        >>> NonNeg()(tf.constant([-1., 2.])).numpy().tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return drop_negative(w)


@registry.register("constraint", aliases=("unit_norm", "unitnorm"))
class UnitNorm(Constraint):
    """Norms of 1.

    Args:
        axis: the axis or axes along which norms are taken.

    Example:
        >>> print(UnitNorm()(tf.constant([[3.], [4.]])).numpy().round(4))
        [[0.6]
         [0.8]]
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return divide_by_norm(w, self.axis)


@registry.register("constraint", aliases=("min_max_norm", "min_maxnorm"))
class MinMaxNorm(Constraint):
    """Norms between two values, approached at a rate.

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: 1 corrects a norm at once; less moves it that part of the way at each update.
        axis: the axis or axes along which norms are taken.

    Example:
        >>> print(MinMaxNorm(1., 2.)(tf.constant([[0.3], [0.4]])).numpy().round(4))
        [[0.6]
         [0.8]]
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axis = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return scale_to_norm(w, self.min_value, self.max_value, self.rate, self.axis)


max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = min_maxnorm = MinMaxNorm


def get(identifier: Any) -> Any:
    """The constraint that a name, function or configuration stands for; `None` for `None`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name.

    Example:
        >>> get('max_norm').get_config()
        {'max_value': 2, 'axis': 0}
    """
    return registry.get("constraint", identifier)


def serialize(constraint: Any) -> Any:
    """The configuration of a constraint.

    Example:
        >>> serialize(non_neg())
        {'class_name': 'NonNeg', 'config': {}}
    """
    return registry.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that `serialize` wrote down.

    Example:
        >>> deserialize({'class_name': 'NonNeg', 'config': {}})(1.).numpy().item()
        1.0
    """
    return registry.deserialize("constraint", config, custom_objects)
