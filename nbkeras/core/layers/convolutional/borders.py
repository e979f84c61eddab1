"""Cutting borders off and adding zeros around (Keras 2 manual, chapter 5.3)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ... import backend as K
from ... import registry
from ...engine.layer import InputSpec, Layer
from ..arguments import is_whole

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]

Borders = tuple[tuple[int, int], ...]


def borders(layer: Any, name: str, value: Any, rank: int) -> Borders:
    """How much before and after each axis, from what a user may write.

    One number is for all; one for each axis is for both of its ends; for a single axis,
    two numbers are its ends.

    Raises:
        ValueError: it is none of these.
    """
    given = (value,) * rank if is_whole(value) else value
    if rank == 1 and isinstance(given, list | tuple) and len(given) == 2:
        given = (given,)
    ends = [
        (each, each) if is_whole(each) else tuple(each) if isinstance(each, list | tuple) else ()
        for each in (given if isinstance(given, list | tuple) else ())
    ]
    if len(ends) == rank and all(
        len(pair) == 2 and all(is_whole(n) and n >= 0 for n in pair) for pair in ends
    ):
        return tuple((int(before), int(after)) for before, after in ends)
    kind = type(layer).__name__
    example = "(1, 2)" if rank == 1 else "(" + ", ".join(["(1, 2)"] * rank) + ")"
    raise ValueError(
        f"{kind}: {name} is one whole number for all ends, or numbers for each end of each axis, "
        f"as in {kind}({name}={example}); got {value!r}."
    )


class Bordered(Layer):
    """What cropping and padding along one, two and three axes share."""

    rank: int
    argument: str
    declares_output = True

    def __init__(self, amount: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        ends = borders(self, self.argument, amount, self.rank)
        setattr(self, self.argument, ends[0] if self.rank == 1 else ends)
        self.borders = ends
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def all_borders(self) -> Borders:
        """Those of the batch's and the channels' axis, which are none, among them."""
        none = ((0, 0),)
        if self.data_format == "channels_first":
            return (*none, *none, *self.borders)
        return (*none, *self.borders, *none)


class Cropping(Bordered):
    """Cuts borders off."""

    argument = "cropping"

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(tuple(inputs.shape))
        parts = (slice(before, -after or None) for before, after in self.all_borders)
        return inputs[tuple(parts)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = [
            None if size is None else size - before - after
            for size, (before, after) in zip(input_shape, self.all_borders, strict=True)
        ]
        if any(size is not None and size < 1 for size in sizes[1:]):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) would cut all away: its input has "
                f"shape {tuple(input_shape)}, and cropping={self.cropping}. Crop less."
            )
        return tuple(sizes)


class ZeroPadding(Bordered):
    """Adds zeros around."""

    argument = "padding"

    def call(self, inputs: Any) -> Any:
        return tf.pad(inputs, self.all_borders)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(
            None if size is None else size + before + after
            for size, (before, after) in zip(input_shape, self.all_borders, strict=True)
        )


# ---------------------------------------------------------------- cropping


@registry.register("layer")
class Cropping1D(Cropping):
    """Cuts time steps off the beginning and the end.

    Args:
        cropping: how many, one number or two.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels)``.

    Raises:
        ValueError: the argument is none of these, or nothing would be left.

    >>> from nbkeras.core.layers import Input
    >>> Cropping1D((1, 2))(Input((10, 3))).shape
    TensorShape([None, 7, 3])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


@registry.register("layer")
class Cropping2D(Cropping):
    """Cuts rows and columns off an image.

    Args:
        cropping: one number for all sides, ``(rows, columns)``, or
            ``((top, bottom), (left, right))``.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: the argument is none of these, or nothing would be left.

    >>> from nbkeras.core.layers import Input
    >>> Cropping2D(((2, 2), (4, 4)))(Input((28, 28, 3))).shape
    TensorShape([None, 24, 20, 3])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@registry.register("layer")
class Cropping3D(Cropping):
    """Cuts layers, rows and columns off a volume.

    Args:
        cropping: one number for all sides, one for each axis, or two for each axis.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: the argument is none of these, or nothing would be left.

    >>> from nbkeras.core.layers import Input
    >>> Cropping3D((1, 2, 3))(Input((8, 8, 8, 1))).shape
    TensorShape([None, 6, 4, 2, 1])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


# ---------------------------------------------------------------- padding


@registry.register("layer")
class ZeroPadding1D(ZeroPadding):
    """Adds time steps of zeros at the beginning and the end.

    Args:
        padding: how many, one number or two.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels)``.

    Raises:
        ValueError: the argument is none of these.

    >>> from nbkeras.core.layers import Input
    >>> ZeroPadding1D((1, 2))(Input((10, 3))).shape
    TensorShape([None, 13, 3])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 1

    def __init__(self, padding: Any = 1, **kwargs: Any) -> None:
        super().__init__(padding, "channels_last", **kwargs)


@registry.register("layer")
class ZeroPadding2D(ZeroPadding):
    """Adds rows and columns of zeros around an image.

    Args:
        padding: one number for all sides, ``(rows, columns)``, or
            ``((top, bottom), (left, right))``.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: the argument is none of these.

    >>> from nbkeras.core.layers import Input
    >>> ZeroPadding2D((1, 2))(Input((28, 28, 3))).shape
    TensorShape([None, 30, 32, 3])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


@registry.register("layer")
class ZeroPadding3D(ZeroPadding):
    """Adds layers, rows and columns of zeros around a volume.

    Args:
        padding: one number for all sides, one for each axis, or two for each axis.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: the argument is none of these.

    >>> from nbkeras.core.layers import Input
    >>> ZeroPadding3D(1)(Input((8, 8, 8, 1))).shape
    TensorShape([None, 10, 10, 10, 1])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 3

    def __init__(
        self, padding: Any = (1, 1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)
