"""Pooling (Keras 2 manual, chapter 5.4)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import backend as K
from .. import registry
from ..engine.layer import InputSpec, Layer
from .arguments import check_choice, numbers, passed
from .windows import check_fit, output_length

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


# ---------------------------------------------------------------- the n-dimensional layers


class Pooling(Layer):
    """One number for each window: what pooling along one, two and three axes shares."""

    rank: int
    declares_output = True
    mode: str

    def __init__(
        self, pool_size: Any, strides: Any, padding: str, data_format: str | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = numbers(self, "pool_size", pool_size, self.rank)
        strides = pool_size if strides is None else strides
        self.strides = numbers(self, "strides", strides, self.rank)
        self.padding = check_choice(self, "padding", padding, ("valid", "same"))
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        check_fit(self, self.pool_size, inputs.shape)
        function = K.pool3d if self.rank == 3 else K.pool2d
        window = (self.pool_size, self.strides)
        if self.rank == 1:  # an image of one row
            axis = 1 if self.data_format == "channels_last" else 2
            inputs = tf.expand_dims(inputs, axis)
            window = ((1, *self.pool_size), (1, *self.strides))
        outputs = function(inputs, *window, self.padding, self.data_format, self.mode)
        return tf.squeeze(outputs, axis) if self.rank == 1 else outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        first = self.data_format == "channels_first"
        spatial = input_shape[2:] if first else input_shape[1:-1]
        sizes = [
            output_length(size, window, self.padding, stride)
            for size, window, stride in zip(spatial, self.pool_size, self.strides, strict=True)
        ]
        if first:
            return (*input_shape[:2], *sizes)
        return (input_shape[0], *sizes, input_shape[-1])


class GlobalPooling(Layer):
    """One number for each channel: what global pooling along one, two and three axes shares."""

    rank: int
    declares_output = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def axes(self) -> list[int]:
        """The axes that are pooled."""
        first = 1 if self.data_format == "channels_last" else 2
        return list(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: Any) -> Any:
        last = self.data_format == "channels_last"
        return (input_shape[0], input_shape[-1 if last else 1])


class GlobalMaxPooling(GlobalPooling):
    """The greatest number of each channel."""

    def call(self, inputs: Any) -> Any:
        return tf.reduce_max(inputs, self.axes)


class GlobalAveragePooling(GlobalPooling):
    """The mean of each channel."""

    def call(self, inputs: Any) -> Any:
        return tf.reduce_mean(inputs, self.axes)


# ---------------------------------------------------------------- windows: the greatest


@registry.register("layer", aliases=("MaxPool1D",))
class MaxPooling1D(Pooling):
    """The greatest number of every window along time.

    Args:
        pool_size: steps in a window.
        strides: steps from window to window; by default the window's.
        padding: ``'valid'`` leaves out an incomplete last window, ``'same'`` keeps it.
        data_format: where the channels are.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels)``.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> MaxPooling1D(2)(Input((10, 3))).shape
    TensorShape([None, 5, 3])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 1
    mode = "max"

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str = "channels_last",
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("MaxPool2D",))
class MaxPooling2D(Pooling):
    """The greatest number of every window of an image.

    Args:
        pool_size: rows and columns of a window, or one number for both.
        strides: steps from window to window; by default the window's.
        padding: ``'valid'`` leaves out incomplete windows, ``'same'`` keeps them.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> MaxPooling2D((2, 2))(Input((28, 28, 32))).shape
    TensorShape([None, 14, 14, 32])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 2
    mode = "max"

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("MaxPool3D",))
class MaxPooling3D(Pooling):
    """The greatest number of every window of a volume.

    Args:
        pool_size: depth, rows and columns of a window, or one number for all.
        strides: steps from window to window; by default the window's.
        padding: ``'valid'`` leaves out incomplete windows, ``'same'`` keeps them.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> MaxPooling3D(2)(Input((8, 8, 8, 1))).shape
    TensorShape([None, 4, 4, 4, 1])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 3
    mode = "max"

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


# ---------------------------------------------------------------- windows: the mean


@registry.register("layer", aliases=("AvgPool1D",))
class AveragePooling1D(Pooling):
    """The mean of every window along time; padding is not counted.

    Args:
        pool_size: steps in a window.
        strides: steps from window to window; by default the window's.
        padding: ``'valid'`` leaves out an incomplete last window, ``'same'`` keeps it.
        data_format: where the channels are.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, channels)``.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> AveragePooling1D(2, padding="same")(Input((5, 3))).shape
    TensorShape([None, 3, 3])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 1
    mode = "avg"

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str = "channels_last",
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("AvgPool2D",))
class AveragePooling2D(Pooling):
    """The mean of every window of an image; padding is not counted.

    Args:
        pool_size: rows and columns of a window, or one number for both.
        strides: steps from window to window; by default the window's.
        padding: ``'valid'`` leaves out incomplete windows, ``'same'`` keeps them.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> AveragePooling2D(strides=1)(Input((7, 7, 32))).shape
    TensorShape([None, 6, 6, 32])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 2
    mode = "avg"

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("AvgPool3D",))
class AveragePooling3D(Pooling):
    """The mean of every window of a volume; padding is not counted.

    Args:
        pool_size: depth, rows and columns of a window, or one number for all.
        strides: steps from window to window; by default the window's.
        padding: ``'valid'`` leaves out incomplete windows, ``'same'`` keeps them.
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first; so is the output.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> AveragePooling3D(2)(Input((8, 8, 8, 1))).shape
    TensorShape([None, 4, 4, 4, 1])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 3
    mode = "avg"

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


# ---------------------------------------------------------------- the whole input


@registry.register("layer", aliases=("GlobalMaxPool1D",))
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The greatest number of each channel over time.

    Args:
        data_format: where the channels are.

    Shapes: ``(batch, steps, channels)`` to ``(batch, channels)``.

    >>> from nbkeras.core.layers import Input
    >>> GlobalMaxPooling1D()(Input((None, 8))).shape
    TensorShape([None, 8])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 1

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("GlobalMaxPool2D",))
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The greatest number of each channel of an image.

    Args:
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first, to ``(batch, channels)``.

    >>> from nbkeras.core.layers import Input
    >>> GlobalMaxPooling2D()(Input((7, 7, 8))).shape
    TensorShape([None, 8])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 2


@registry.register("layer", aliases=("GlobalMaxPool3D",))
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The greatest number of each channel of a volume.

    Args:
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first, to
    ``(batch, channels)``.

    >>> from nbkeras.core.layers import Input
    >>> GlobalMaxPooling3D()(Input((7, 7, 7, 8))).shape
    TensorShape([None, 8])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 3


@registry.register("layer", aliases=("GlobalAvgPool1D",))
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel over time, masked steps left out.

    Args:
        data_format: where the channels are.

    Shapes: ``(batch, steps, channels)`` to ``(batch, channels)``.

    >>> from nbkeras.core.layers import Input
    >>> GlobalAveragePooling1D()(Input((None, 8))).shape
    TensorShape([None, 8])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 1
    supports_masking = True

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**passed(locals()))

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        weights = tf.expand_dims(tf.cast(mask, inputs.dtype), -1 if self.axes == [1] else 1)
        return tf.reduce_sum(inputs * weights, self.axes) / tf.reduce_sum(weights, self.axes)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


@registry.register("layer", aliases=("GlobalAvgPool2D",))
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of an image.

    Args:
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first, to ``(batch, channels)``.

    >>> from nbkeras.core.layers import Input
    >>> GlobalAveragePooling2D()(Input((7, 7, 8))).shape
    TensorShape([None, 8])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 2


@registry.register("layer", aliases=("GlobalAvgPool3D",))
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of a volume.

    Args:
        data_format: where the channels are; by default as in ``keras.json``.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first, to
    ``(batch, channels)``.

    >>> from nbkeras.core.layers import Input
    >>> GlobalAveragePooling3D()(Input((7, 7, 7, 8))).shape
    TensorShape([None, 8])

    Source: Keras 2 manual, chapter 5.4.
    """

    rank = 3


# ---------------------------------------------------------------- short names, as in Keras 2

MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
