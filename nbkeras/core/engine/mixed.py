"""Training in mixed precision: which type products are computed in, and the loss scale.

With float16, gradients of small losses would round to zero. They are computed of a
loss times a scale, and divided by it after. A step whose gradients overflow is left
out and the scale halved; after many good steps in a row it is doubled. bfloat16 has
float32's range and needs none of this.

Source: Micikevicius et al. 2018, arXiv:1710.03740.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ..backend.precision import TYPES

__all__ = ["LossScale", "precision_of"]

START = 2.0**15
GROWTH_STEPS = 2000


def precision_of(name: Any) -> str | None:
    """The type that products are computed in, from what ``compile`` was given.

    Raises:
        ValueError: it is none of them.
    """
    if name is None or name == "float32":
        return None
    plain = str(name).removeprefix("mixed_")
    if plain not in TYPES:
        raise ValueError(
            f"mixed_precision is 'bfloat16', 'float16' or None; got {name!r}. "
            "Write compile(..., mixed_precision='bfloat16')."
        )
    return plain


class LossScale:
    """Keeps gradients of float16 products from vanishing and overflowing."""

    def __init__(self) -> None:
        self.scale = tf.Variable(START, trainable=False, name="loss_scale")
        self.good_steps = tf.Variable(0, trainable=False, name="good_steps")

    @property
    def variables(self) -> list[tf.Variable]:
        """What a run that goes on elsewhere needs of it."""
        return [self.scale, self.good_steps]

    def scaled(self, loss: Any) -> Any:
        """What gradients are taken of."""
        return loss * tf.cast(self.scale, loss.dtype)

    def unscaled(self, gradient: Any) -> Any:
        """A gradient of the loss itself."""
        if gradient is None:
            return None
        if isinstance(gradient, tf.IndexedSlices):
            values = self.unscaled(gradient.values)
            return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
        return gradient / tf.cast(self.scale, gradient.dtype)

    def update(self, gradients: list[Any], apply: Callable[[], Any]) -> None:
        """Apply gradients where all are finite, and move the scale."""
        values = [
            gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
            for gradient in gradients
            if gradient is not None
        ]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values])

        def step() -> Any:
            apply()
            grown = self.good_steps + 1 >= GROWTH_STEPS
            self.scale.assign(tf.where(grown, self.scale * 2, self.scale))
            self.good_steps.assign(tf.where(grown, 0, self.good_steps + 1))
            return tf.constant(True)

        def leave_out() -> Any:
            self.scale.assign(tf.maximum(self.scale / 2, 1.0))
            self.good_steps.assign(0)
            return tf.constant(False)

        tf.cond(finite, step, leave_out)
