"""Embeddings (Keras 2 manual, chapter 5.7)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import registry
from ..engine.layer import Layer
from .arguments import check_count, keep

__all__ = ["Embedding"]


@registry.register("layer")
class Embedding(Layer):
    """Turns whole numbers, such as words of a vocabulary, into vectors that are learned.

    Args:
        input_dim: how many different numbers there are: the greatest plus 1.
        output_dim: size of a vector.
        embeddings_initializer: how the vectors start.
        embeddings_regularizer: penalty on the vectors.
        activity_regularizer: penalty on the output.
        embeddings_constraint: constraint on the vectors.
        mask_zero: whether 0 is padding, which the layers behind skip; the numbers of words
            begin at 1 then.
        input_length: length of the sequences, where a ``Flatten`` and a ``Dense`` behind need
            to know it; a tuple for several axes.

    Shapes: ``(batch, steps)`` to ``(batch, steps, output_dim)``.

    Raises:
        ValueError: an argument is out of range, or the length is not the input's.

    >>> from nbkeras.core.models import Sequential
    >>> Sequential([Embedding(1000, 64, input_length=10)]).output_shape
    (None, 10, 64)

    Source: Keras 2 manual, chapter 5.7.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **kwargs: Any,
    ) -> None:
        lengths = input_length if isinstance(input_length, list | tuple) else (input_length,)
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = tuple(lengths)
        super().__init__(**kwargs)
        keep(self, locals())
        self.input_dim = check_count(self, "input_dim", input_dim)
        self.output_dim = check_count(self, "output_dim", output_dim)
        self.supports_masking = mask_zero

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        self._check_length(tuple(inputs.shape))
        if not inputs.dtype.is_integer:
            inputs = tf.cast(inputs, tf.int32)
        return tf.gather(self.embeddings, inputs)

    def _check_length(self, shape: tuple[int | None, ...]) -> None:
        wanted = self.input_length
        if wanted is None:
            return
        wanted = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
        fits = len(wanted) == len(shape) - 1 and all(
            a is None or b is None or a == b for a, b in zip(wanted, shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                f"Layer {self.name!r} (Embedding) was told that its sequences are {wanted} long; "
                f"got shape {shape}. Write input_length={shape[1:]}, or pad_sequences(x, "
                f"maxlen={wanted[0]})."
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return tf.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)
