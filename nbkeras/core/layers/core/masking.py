"""Masking (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ... import registry
from ...engine.layer import Layer

__all__ = ["Masking"]


@registry.register("layer")
class Masking(Layer):
    """Lets the layers behind it skip the time steps whose numbers all have one value.

    The mask travels with the tensor; what is skipped is also set to zero.

    Args:
        mask_value: the value.

    Shapes: ``(batch, steps, ...)``; the output is like the input.

    >>> from nbkeras.core import backend as K
    >>> layer = Masking()
    >>> layer.compute_mask(K.constant([[[1.0, 0.0], [0.0, 0.0]]])).numpy().tolist()
    [[True, False]]

    Source: Keras 2 manual, chapter 5.2.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Any) -> Any:
        return inputs * tf.cast(self._kept(inputs)[..., None], inputs.dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self._kept(inputs)

    def _kept(self, inputs: Any) -> Any:
        return tf.reduce_any(tf.not_equal(inputs, self.mask_value), -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
