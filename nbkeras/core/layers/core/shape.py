"""Layers that arrange numbers anew (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from ... import backend as K
from ... import registry
from ...engine.layer import InputSpec, Layer
from ...engine.shapes import to_shape
from ..arguments import check_count, is_whole

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


@registry.register("layer")
class Flatten(Layer):
    """Joins all axes but the batch's.

    Args:
        data_format: ``channels_first`` moves the channels to the end first, so that
            the numbers are in the order of ``channels_last``.

    >>> from nbkeras.core.layers import Input
    >>> Flatten()(Input(shape=(28, 28))).shape
    TensorShape([None, 784])

    Source: Keras 2 manual, chapter 5.2.
    """

    declares_output = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.shape.rank > 2:
            inputs = tf.transpose(inputs, [0, *range(2, inputs.shape.rank), 1])
        return K.batch_flatten(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))


@registry.register("layer")
class Reshape(Layer):
    """Gives each sample another shape.

    Args:
        target_shape: the sizes, without the batch's; one may be -1.

    Raises:
        ValueError: the sizes do not hold as many numbers as a sample has.

    >>> from nbkeras.core.layers import Input
    >>> Reshape((-1, 2))(Input(shape=(12,))).shape
    TensorShape([None, 6, 2])

    Source: Keras 2 manual, chapter 5.2.
    """

    declares_output = True

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = to_shape(target_shape)
        if any(size is None or size < -1 for size in self.target_shape) or (
            self.target_shape.count(-1) > 1
        ):
            raise ValueError(
                "Reshape: target_shape is a tuple of sizes without the batch's; one of them may be "
                f"-1, as in Reshape((-1, 2)); got {target_shape!r}."
            )

    def call(self, inputs: Any) -> Any:
        return tf.reshape(inputs, (tf.shape(inputs)[0], *self._sizes(tuple(inputs.shape)[1:])))

    def _sizes(self, given: Any) -> Any:
        """The target's sizes, the open one computed."""
        if None in given:
            return self.target_shape
        numbers = math.prod(given)
        known = math.prod(size or 0 for size in self.target_shape if size != -1)
        if self.target_shape.count(-1) == 1 and known and numbers % known == 0:
            return tuple(numbers // known if size == -1 else size for size in self.target_shape)
        if -1 in self.target_shape or numbers != known:
            raise ValueError(
                f"Layer {self.name!r} (Reshape) cannot give {numbers} numbers of shape {given} the "
                f"shape {self.target_shape}: their products differ. Reshape((-1,)) flattens."
            )
        return self.target_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(None if s == -1 else s for s in self._sizes(input_shape[1:])))


@registry.register("layer")
class Permute(Layer):
    """Puts the axes of each sample in another order.

    Args:
        dims: the order; 1 is the first axis after the batch's.

    Raises:
        ValueError: it is no order of the axes.

    >>> from nbkeras.core.layers import Input
    >>> Permute((2, 1))(Input(shape=(10, 64))).shape
    TensorShape([None, 64, 10])

    Source: Keras 2 manual, chapter 5.2.
    """

    declares_output = True

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = dims if isinstance(dims, list | tuple) else ()
        if (
            not all(map(is_whole, given))
            or sorted(given) != list(range(1, len(given) + 1))
            or (not given)
        ):
            raise ValueError(
                "Permute: dims is an order of the axes behind the batch's, counted from 1, as in "
                f"Permute((2, 1)); got {dims!r}."
            )
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return tf.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape[axis] for axis in (0, *self.dims))


@registry.register("layer")
class RepeatVector(Layer):
    """Makes a sequence of ``n`` times the same vector.

    Args:
        n: how often.

    Shapes: ``(batch, features)`` to ``(batch, n, features)``.

    Raises:
        ValueError: the number is none.

    >>> from nbkeras.core.layers import Input
    >>> RepeatVector(3)(Input(shape=(32,))).shape
    TensorShape([None, 3, 32])

    Source: Keras 2 manual, chapter 5.2.
    """

    declares_output = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = check_count(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.n)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.n, input_shape[1])
