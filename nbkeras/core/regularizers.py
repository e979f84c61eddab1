"""Penalties on weights and outputs (Keras 2 manual, chapter 16).

A regularizer is a function from a tensor to a scalar that joins the loss. Any
function of that kind may stand where the name of a regularizer is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from nbkeras.core import registry
from nbkeras.core.backend.symbolic import operation

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "serialize",
]


@operation
def l1_l2_penalty(x: Any, l1: float, l2: float) -> Any:
    """`l1 * sum |x| + l2 * sum x^2`, a scalar; a term whose factor is zero is left out."""
    x = tf.convert_to_tensor(x)
    penalty = tf.zeros((), x.dtype)
    if l1:
        penalty += tf.cast(l1, x.dtype) * tf.reduce_sum(tf.abs(x))
    if l2:
        penalty += tf.cast(l2, x.dtype) * tf.reduce_sum(tf.square(x))
    return penalty


@registry.base("regularizer")
class Regularizer(registry.Configurable):
    """Base class: override `__call__(x)`, which returns the penalty of a tensor.

    Example:
        >>> class Range(Regularizer):
        ...     def __call__(self, x):
        ...         return tf.reduce_max(x) - tf.reduce_min(x)
        >>> Range()(tf.constant([1., 4.])).numpy().item()
        3.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of a tensor; 0 in the base class."""
        return 0.0


@registry.register("regularizer")
class L1L2(Regularizer):
    """`l1 * sum |x| + l2 * sum x^2`.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Example:
        >>> L1L2(l1=1., l2=10.)(tf.constant([[1., -2.]])).numpy().item()
        53.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("l1", l1)
        self.l2 = _factor("l2", l2)

    def __call__(self, x: Any) -> Any:
        return l1_l2_penalty(x, self.l1, self.l2)


# Keras 2 saves l1() and l2() as L1L2; tf_keras has a class for each.
@registry.register("regularizer")
class L1(L1L2):
    """`l1 * sum |x|`.

    Example:
        >>> L1(0.5)(tf.constant([1., -2.])).numpy().item()
        1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


@registry.register("regularizer")
class L2(L1L2):
    """`l2 * sum x^2`.

    Example:
        >>> L2(0.5)(tf.constant([1., -2.])).numpy().item()
        2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


@registry.register("regularizer", factory=True)
def l1(l: float = 0.01) -> L1L2:  # noqa: E741 - the documented name
    """The penalty `l * sum |x|`.

    Example:
        >>> l1(0.1).get_config()
        {'l1': 0.1, 'l2': 0.0}
    """
    return L1L2(l1=l)


@registry.register("regularizer", factory=True)
def l2(l: float = 0.01) -> L1L2:  # noqa: E741 - the documented name
    """The penalty `l * sum x^2`.

    Example:
        >>> l2(0.1).get_config()
        {'l1': 0.0, 'l2': 0.1}
    """
    return L1L2(l2=l)


@registry.register("regularizer", factory=True, aliases=("l1l2",))
def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """The penalty `l1 * sum |x| + l2 * sum x^2`.

    Example:
        >>> l1_l2(0.1, 0.2).get_config()
        {'l1': 0.1, 'l2': 0.2}
    """
    return L1L2(l1=l1, l2=l2)


def _factor(name: str, value: Any) -> float:
    try:
        factor = float(value)
    except (TypeError, ValueError):
        factor = -1.0
    if not factor >= 0:
        raise ValueError(
            f"The factor {name} of a penalty is a number of 0 or more, as in "
            f"regularizers.{name}(0.01); got {value!r}."
        )
    return factor


def get(identifier: Any) -> Any:
    """The regularizer that a name, function or configuration stands for; `None` for `None`.

    Raises:
        ConfigError: a `ValueError` that shows the closest name.

    Example:
        >>> get('l2').get_config()
        {'l1': 0.0, 'l2': 0.01}
    """
    if identifier is l1 or identifier is l2 or identifier is l1_l2:
        return identifier()
    return registry.get("regularizer", identifier)


def serialize(regularizer: Any) -> Any:
    """The configuration of a regularizer.

    Example:
        >>> serialize(l2(0.1))
        {'class_name': 'L1L2', 'config': {'l1': 0.0, 'l2': 0.1}}
    """
    return registry.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` wrote down.

    Example:
        >>> deserialize({'class_name': 'L1L2', 'config': {'l1': 0.0, 'l2': 0.1}}).l2
        0.1
    """
    return registry.deserialize("regularizer", config, custom_objects)
