"""Numbers of a layer that may be moved while it trains."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

__all__ = ["Rate"]


class Rate:
    """An attribute that reads as a float and computes as a variable.

    A compiled step reads the variable (:meth:`tensor`), so assigning another number
    takes effect at the next step and traces nothing anew.

    Args:
        below: the value it stays below.
    """

    def __init__(self, below: float = 1.0) -> None:
        self.below = below

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        return self if layer is None else vars(layer)[f"_{self.name}_held"][0]

    def __set__(self, layer: Any, value: Any) -> None:
        number = float(value)
        if not 0 <= number < self.below:
            raise ValueError(
                f"{type(layer).__name__}: {self.name} is at least 0 and below {self.below:g}; got "
                f"{number}. Write {type(layer).__name__}(0.5)."
            )
        held = vars(layer).get(f"_{self.name}_held")
        if held is None:
            with tf.init_scope():
                variable = tf.Variable(number, trainable=False, dtype=tf.float32, name=self.name)
        else:
            variable = held[1]
            variable.assign(number)
        vars(layer)[f"_{self.name}_held"] = (number, variable)

    @staticmethod
    def tensor(layer: Any, name: str) -> tf.Variable:
        """The variable behind an attribute, for use in a computation."""
        return vars(layer)[f"_{name}_held"][1]
