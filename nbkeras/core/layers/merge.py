"""Layers of several inputs (Keras 2 manual, chapter 5.8)."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from .. import backend as K
from .. import registry
from ..engine.layer import Layer
from .arguments import is_whole

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

Shapes = Sequence[tuple[Any, ...]]


class Merge(Layer):
    """What the layers of several inputs share.

    An input of fewer axes than the others gets axes of size 1 behind the batch's, and sizes of
    1 stretch to those of the others.
    """

    supports_masking = True
    declares_output = True
    exactly: int | None = None

    def build(self, input_shape: Any) -> None:
        kind = type(self).__name__
        several = isinstance(input_shape, list | tuple) and all(
            isinstance(shape, tuple | list) for shape in input_shape
        )
        count = len(input_shape) if several else 1
        if count != self.exactly if self.exactly else count < 2:
            wanted = f"{self.exactly}" if self.exactly else "two or more"
            given = "one tensor" if not several else f"a list of {count}"
            raise ValueError(
                f"Layer {self.name!r} ({kind}) takes a list of {wanted} inputs, as in "
                f"{kind}(...)([a, b]); got {given}."
            )
        self.check_shapes([tuple(shape) for shape in input_shape])
        super().build(input_shape)

    def check_shapes(self, shapes: Shapes) -> None:
        """Raise an error where the inputs' shapes do not fit together."""
        rank = max(len(shape) for shape in shapes)
        padded = [(shape[0], *(1,) * (rank - len(shape)), *shape[1:]) for shape in shapes]
        for axis, sizes in enumerate(zip(*padded, strict=True)):
            if len({size for size in sizes if size not in (None, 1)}) > 1:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) goes element by element, so its "
                    f"inputs have equal sizes, or 1, on every axis; got {list(shapes)}, which "
                    f"differ on axis {axis}. Bring them to one size first, as with Dense(n), or "
                    "write Concatenate()."
                )

    def call(self, inputs: Any) -> Any:
        rank = max(x.shape.rank for x in inputs)
        return self.merge([_with_axes(x, rank) for x in inputs])

    def merge(self, inputs: list[Any]) -> Any:
        """The inputs, of the same number of axes, as one tensor."""
        return self._merge_function(inputs)

    def _merge_function(self, inputs: list[Any]) -> Any:
        """What :meth:`merge` was called in Keras 2, where layers of one's own define it."""
        raise NotImplementedError(f"{type(self).__name__} needs merge(self, inputs).")

    def compute_output_shape(self, input_shape: Any) -> Any:
        rank = max(len(shape) for shape in input_shape)
        padded = [(shape[0], *(1,) * (rank - len(shape)), *shape[1:]) for shape in input_shape]
        return tuple(_stretched(sizes) for sizes in zip(*padded, strict=True))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where all inputs that have a mask are kept."""
        masks = [m for m in mask or () if m is not None]
        return functools.reduce(tf.logical_and, masks) if masks else None


_Merge = Merge  # the name that layers written for Keras 2 derive from


def _with_axes(x: Any, rank: int) -> Any:
    for _ in range(rank - x.shape.rank):
        x = tf.expand_dims(x, 1)
    return x


def _stretched(sizes: Sequence[int | None]) -> int | None:
    """What sizes of one axis become beside each other; ``None`` where that is not known."""
    known = [size for size in sizes if size not in (None, 1)]
    return known[0] if known else None if None in sizes else 1


# ---------------------------------------------------------------- element by element


@registry.register("layer")
class Add(Merge):
    """The sum of its inputs, element by element.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Add()([K.constant([1.0, 2.0]), K.constant([3.0, 4.0])])).tolist()
    [4.0, 6.0]

    Source: Keras 2 manual, chapter 5.8.
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(operator.add, inputs)


@registry.register("layer")
class Subtract(Merge):
    """Its first input minus its second, element by element.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Subtract()([K.constant([3.0]), K.constant([1.0])])).tolist()
    [2.0]

    Source: Keras 2 manual, chapter 5.8.
    """

    exactly = 2

    def merge(self, inputs: list[Any]) -> Any:
        return inputs[0] - inputs[1]


@registry.register("layer")
class Multiply(Merge):
    """The product of its inputs, element by element.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Multiply()([K.constant([3.0]), K.constant([2.0])])).tolist()
    [6.0]

    Source: Keras 2 manual, chapter 5.8.
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(operator.mul, inputs)


@registry.register("layer")
class Average(Merge):
    """The mean of its inputs, element by element.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Average()([K.constant([3.0]), K.constant([2.0])])).tolist()
    [2.5]

    Source: Keras 2 manual, chapter 5.8.
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(operator.add, inputs) / len(inputs)


@registry.register("layer")
class Maximum(Merge):
    """The greatest of its inputs, element by element.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Maximum()([K.constant([3.0]), K.constant([2.0])])).tolist()
    [3.0]

    Source: Keras 2 manual, chapter 5.8.
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(tf.maximum, inputs)


@registry.register("layer")
class Minimum(Merge):
    """The least of its inputs, element by element.

    >>> from nbkeras.core import backend as K
    >>> K.get_value(Minimum()([K.constant([3.0]), K.constant([2.0])])).tolist()
    [2.0]
    """

    def merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(tf.minimum, inputs)


# ---------------------------------------------------------------- along an axis


@registry.register("layer")
class Concatenate(Merge):
    """Its inputs one behind the other along an axis.

    Args:
        axis: the axis.

    Shapes: equal but for the axis.

    Raises:
        ValueError: the shapes differ elsewhere.

    >>> from nbkeras.core.layers import Input
    >>> Concatenate()([Input((3, 4)), Input((3, 5))]).shape
    TensorShape([None, 3, 9])

    Source: Keras 2 manual, chapter 5.8.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def check_shapes(self, shapes: Shapes) -> None:
        ranks = {len(shape) for shape in shapes}
        fits = len(ranks) == 1 and -min(ranks) <= self.axis < min(ranks)
        if fits:
            rest = [list(shape) for shape in shapes]
            for sizes in rest:
                del sizes[self.axis]
            fits = all(
                len({size for size in sizes if size is not None}) < 2
                for sizes in zip(*rest, strict=True)
            )
        if not fits:
            raise ValueError(
                f"Layer {self.name!r} (Concatenate) takes inputs whose shapes are equal but for "
                f"axis {self.axis}; got {list(shapes)}. Choose another axis, as in "
                "Concatenate(axis=1), or bring the inputs to one shape first."
            )

    def merge(self, inputs: list[Any]) -> Any:
        return tf.concat(inputs, self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        columns = [list(sizes) for sizes in zip(*input_shape, strict=True)]
        joined = columns[self.axis]
        shape = [next((size for size in sizes if size is not None), None) for sizes in columns]
        shape[self.axis] = None if None in joined else sum(joined)
        return tuple(shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks one behind the other; an input without one is kept whole."""
        if mask is None or all(m is None for m in mask):
            return None
        rank = inputs[0].shape.rank
        # Along the features a step is kept if every input keeps it.
        least = max(m.shape.rank for m in mask if m is not None)
        wide = [self._spread(m, x, least) for m, x in zip(mask, inputs, strict=True)]
        if self.axis % rank >= least:
            return functools.reduce(tf.logical_and, wide)
        return tf.concat(wide, self.axis % rank)

    @staticmethod
    def _spread(mask: Any, x: Any, rank: int) -> Any:
        """A mask over the first axes of an input."""
        sizes = tf.shape(x)[:rank]
        if mask is None:
            return tf.ones(sizes, tf.bool)
        for _ in range(rank - mask.shape.rank):
            mask = tf.expand_dims(mask, -1)
        return tf.broadcast_to(mask, sizes)


@registry.register("layer")
class Dot(Merge):
    """A dot product of two inputs, sample by sample.

    Args:
        axes: the axis of each that is summed over, or one number for both.
        normalize: whether to bring both to length 1 along it first; the product is the cosine
            of the angle between them then.

    Shapes: the first's without its axis, then the second's without batch and axis.

    Raises:
        ValueError: the axes are none of theirs, or differ in size.

    >>> from nbkeras.core import backend as K
    >>> one = K.constant([[3.0, 4.0]])
    >>> K.get_value(Dot(axes=1, normalize=True)([one, 2 * one])).round(3).tolist()
    [[1.0]]

    Source: Keras 2 manual, chapter 5.8.
    """

    exactly = 2
    declares_output = False

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = (axes, axes) if is_whole(axes) else axes
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(is_whole(axis) for axis in pair)
        ):
            raise ValueError(
                "Dot: axes is one axis for both inputs, or one for each, as in Dot(axes=1) or "
                f"Dot(axes=(2, 1)); got {axes!r}."
            )
        self.axes = axes
        self.normalize = normalize

    def _axes(self, ranks: Sequence[int]) -> list[int]:
        pair = (self.axes, self.axes) if is_whole(self.axes) else self.axes
        return [axis % rank for axis, rank in zip(pair, ranks, strict=True)]

    def check_shapes(self, shapes: Shapes) -> None:
        pair = (self.axes, self.axes) if is_whole(self.axes) else self.axes
        sizes = []
        for axis, shape in zip(pair, shapes, strict=True):
            fits = -len(shape) <= axis < len(shape) and axis % len(shape) != 0
            sizes.append(shape[axis] if fits else "none")
        if "none" in sizes or (None not in sizes and sizes[0] != sizes[1]):
            raise ValueError(
                f"Layer {self.name!r} (Dot) sums over axes {tuple(pair)} of its inputs, which must "
                f"be of equal size, and not the batch's; got shapes {list(shapes)}. Say which, as "
                "in Dot(axes=(2, 1))."
            )

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        axes = self._axes([x.shape.rank, y.shape.rank])
        if self.normalize:
            x, y = K.l2_normalize(x, axes[0]), K.l2_normalize(y, axes[1])
        return K.batch_dot(x, y, tuple(axes))

    def compute_output_shape(self, input_shape: Any) -> Any:
        x, y = (list(shape) for shape in input_shape)
        x_axis, y_axis = self._axes([len(x), len(y)])
        batch = x[0] if y[0] is None else y[0]
        left = [size for axis, size in enumerate(x) if axis not in (0, x_axis)]
        right = [size for axis, size in enumerate(y) if axis not in (0, y_axis)]
        return (batch, *((left + right) or [1]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


# ---------------------------------------------------------------- as functions


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of a list of tensors: ``Add(**kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> add([Input((3,)), Input((3,))]).shape
    TensorShape([None, 3])
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The difference of two tensors: ``Subtract(**kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> subtract([Input((3,)), Input((3,))]).shape
    TensorShape([None, 3])
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of a list of tensors: ``Multiply(**kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> multiply([Input((4, 3)), Input((3,))]).shape
    TensorShape([None, 4, 3])
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of a list of tensors: ``Average(**kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> average([Input((3,)), Input((3,))]).shape
    TensorShape([None, 3])
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The greatest of a list of tensors: ``Maximum(**kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> maximum([Input((3,)), Input((3,))]).shape
    TensorShape([None, 3])
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The least of a list of tensors: ``Minimum(**kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> minimum([Input((3,)), Input((3,))]).shape
    TensorShape([None, 3])
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors one behind the other: ``Concatenate(axis, **kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> concatenate([Input((3,)), Input((4,))]).shape
    TensorShape([None, 7])
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any, normalize: bool = False, **kwargs: Any) -> Any:
    """The dot product of two tensors: ``Dot(axes, normalize, **kwargs)(inputs)``.

    >>> from nbkeras.core.layers import Input
    >>> dot([Input((3,)), Input((3,))], axes=1).shape
    TensorShape([None, 1])
    """
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
