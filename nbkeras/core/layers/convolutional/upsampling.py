"""Making sequences, images and volumes larger (Keras 2 manual, chapter 5.3)."""

from __future__ import annotations

from typing import Any

from ... import backend as K
from ... import registry
from ...engine.layer import InputSpec, Layer
from ..arguments import check_choice, numbers

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class UpSampling(Layer):
    """What repeating along one, two and three axes shares."""

    rank: int
    declares_output = True

    def __init__(self, size: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size: Any = numbers(self, "size", size, self.rank)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        factors = (self.size,) if self.rank == 1 else self.size
        first = self.data_format == "channels_first"
        factors = (1, 1, *factors) if first else (1, *factors, 1)
        return tuple(
            None if size is None else size * factor
            for size, factor in zip(input_shape, factors, strict=True)
        )


@registry.register("layer")
class UpSampling1D(UpSampling):
    """Repeats every time step.

    Args:
        size: how often.

    Shapes: ``(batch, steps, channels)`` to ``(batch, steps * size, channels)``.

    Raises:
        ValueError: the argument is no whole number.

    >>> from nbkeras.core.layers import Input
    >>> UpSampling1D(2)(Input((10, 3))).shape
    TensorShape([None, 20, 3])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 1

    def __init__(self, size: Any = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)
        self.size = self.size[0]

    def call(self, inputs: Any) -> Any:
        return K.repeat_elements(inputs, self.size, axis=1)


@registry.register("layer")
class UpSampling2D(UpSampling):
    """Makes the rows and columns of an image more.

    Args:
        size: how many for one, for rows and columns.
        data_format: where the channels are; by default as in ``keras.json``.
        interpolation: ``'nearest'`` repeats pixels, ``'bilinear'`` goes straight from one to the
            next.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> UpSampling2D((2, 3))(Input((7, 7, 4))).shape
    TensorShape([None, 14, 21, 4])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = check_choice(
            self, "interpolation", interpolation, ("nearest", "bilinear")
        )

    def call(self, inputs: Any) -> Any:
        return K.resize_images(inputs, *self.size, self.data_format, self.interpolation)


@registry.register("layer")
class UpSampling3D(UpSampling):
    """Repeats the layers, rows and columns of a volume.

    Args:
        size: how often, for each of the three.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> UpSampling3D(2)(Input((4, 4, 4, 1))).shape
    TensorShape([None, 8, 8, 8, 1])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 3

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(size, data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.resize_volumes(inputs, *self.size, self.data_format)
