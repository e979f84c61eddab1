"""Convolutions (Keras 2 manual, chapter 5.3)."""

from __future__ import annotations

from typing import Any

from ... import backend as K
from ... import registry
from ...engine.layer import InputSpec, Layer
from ..arguments import check_choice, check_count, keep, numbers, passed
from ..windows import check_fit, output_length

__all__ = ["Conv1D", "Conv2D", "Conv3D"]


# ---------------------------------------------------------------- the n-dimensional layer


class Convolution(Layer):
    """A convolution along ``rank`` axes: what its one-, two- and three-dimensional forms share."""

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")
    declares_output = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep(self, locals())
        self.filters = check_count(self, "filters", filters)
        self.kernel_size = numbers(self, "kernel_size", kernel_size, self.rank)
        self.strides = numbers(self, "strides", strides, self.rank)
        self.dilation_rate = numbers(self, "dilation_rate", dilation_rate, self.rank)
        self.padding = check_choice(self, "padding", padding, self.paddings)
        self.data_format = K.normalize_data_format(data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: either strides or dilation_rate may be other than 1, not "
                f"both; got strides={self.strides} and dilation_rate={self.dilation_rate}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    # ---- axes

    @property
    def channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def channels_of(self, input_shape: Any) -> int:
        """How many channels an input has; an error where that is not known."""
        channels = input_shape[self.channel_axis]
        if channels is None:
            example = (
                (*(32,) * self.rank, 3) if self.channel_axis == -1 else (3, *(32,) * self.rank)
            )
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know how many channels its "
                f"input has; got shape {tuple(input_shape)} with data_format={self.data_format!r}. "
                f"Give the first layer an input_shape such as {example}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def spatial(self, shape: Any) -> tuple[int | None, ...]:
        """The sizes of a shape along the axes of the convolution."""
        return tuple(shape[1:-1] if self.channel_axis == -1 else shape[2:])

    def shaped(self, batch: Any, spatial: Any, channels: Any) -> tuple[Any, ...]:
        """A shape in the layer's data format."""
        if self.channel_axis == -1:
            return (batch, *spatial, channels)
        return (batch, channels, *spatial)

    # ---- weights

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.filters)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=self.kernel_shape(self.channels_of(input_shape)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias()
        super().build(input_shape)

    def add_bias(self) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    # ---- computation

    def convolve(self, inputs: Any) -> Any:
        """The convolution itself, without bias and activation."""
        function = (K.conv1d, K.conv2d, K.conv3d)[self.rank - 1]
        strides = self.strides[0] if self.rank == 1 else self.strides
        dilation = self.dilation_rate[0] if self.rank == 1 else self.dilation_rate
        return function(inputs, self.kernel, strides, self.padding, self.data_format, dilation)

    def call(self, inputs: Any) -> Any:
        check_fit(self, self.kernel_size, inputs.shape)
        outputs = self.convolve(inputs)
        if self.bias is not None:
            outputs = K.bias_add(outputs, self.bias, self.data_format)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = (
            output_length(*axis)
            for axis in zip(
                self.spatial(input_shape),
                self.kernel_size,
                (self.padding,) * self.rank,
                self.strides,
                self.dilation_rate,
                strict=True,
            )
        )
        return self.shaped(input_shape[0], sizes, self.filters)


# ---------------------------------------------------------------- convolutions


@registry.register("layer", aliases=("Convolution1D",))
class Conv1D(Convolution):
    r"""A convolution along time, :math:`y_{t,o} = f(\sum_{k,c} x_{ts+kd,c}\, W_{k,c,o} + b_o)`.

    Args:
        filters: number of output channels.
        kernel_size: steps in a window.
        strides: steps from window to window, :math:`s`.
        padding: ``'valid'`` for windows within the input, ``'same'`` for zeros around it, or
            ``'causal'`` for zeros before it, so that :math:`y_t` sees nothing after :math:`t`.
        dilation_rate: distance of a window's steps, :math:`d`; with 1 for the strides.
        activation: the function :math:`f`; none by default.
        use_bias: whether there is a :math:`b`.
        kernel_initializer: how :math:`W` starts.
        bias_initializer: how :math:`b` starts.
        kernel_regularizer: penalty on :math:`W`.
        bias_regularizer: penalty on :math:`b`.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on :math:`W`.
        bias_constraint: constraint on :math:`b`.
        data_format: where the channels are.

    Shapes: ``(batch, steps, channels)`` to ``(batch, new_steps, filters)``.

    Raises:
        ValueError: an argument is out of range, or strides and dilation meet.

    >>> from nbkeras.core.layers import Input
    >>> Conv1D(64, 3, padding="causal", dilation_rate=2)(Input((10, 32))).shape
    TensorShape([None, 10, 64])

    Source: Keras 2 manual, chapter 5.3; van den Oord et al. 2016, arXiv:1609.03499 (causal).
    """

    rank = 1
    paddings = ("valid", "same", "causal")
    sequence_input = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        data_format: str = "channels_last",
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("Convolution2D",))
class Conv2D(Convolution):
    r"""A convolution along rows and columns.

    .. math:: y_{i,j,o} = f\Big(\sum_{k,l,c} x_{is+kd,\,js+ld,\,c}\, W_{k,l,c,o} + b_o\Big)

    Args:
        filters: number of output channels.
        kernel_size: rows and columns of a window, or one number for both.
        strides: steps from window to window, :math:`s`.
        padding: ``'valid'`` for windows within the image, ``'same'`` for zeros around it.
        data_format: where the channels are; by default as in ``keras.json``.
        dilation_rate: distance of a window's pixels, :math:`d`; with 1 for the strides.
        activation: the function :math:`f`; none by default.
        use_bias: whether there is a :math:`b`.
        kernel_initializer: how :math:`W` starts.
        bias_initializer: how :math:`b` starts.
        kernel_regularizer: penalty on :math:`W`.
        bias_regularizer: penalty on :math:`b`.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on :math:`W`.
        bias_constraint: constraint on :math:`b`.

    Shapes: ``(batch, rows, columns, channels)`` to ``(batch, new_rows, new_columns, filters)``,
    or both with channels first.

    Raises:
        ValueError: an argument is out of range, or strides and dilation meet.

    >>> from nbkeras.core.layers import Input
    >>> Conv2D(64, (3, 3), padding="same", strides=2)(Input((28, 28, 1))).shape
    TensorShape([None, 14, 14, 64])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))


@registry.register("layer", aliases=("Convolution3D",))
class Conv3D(Convolution):
    """A convolution along depth, rows and columns; the formula is that of :class:`Conv2D`.

    Args:
        filters: number of output channels.
        kernel_size: depth, rows and columns of a window, or one number for all.
        strides: steps from window to window.
        padding: ``'valid'`` for windows within the volume, ``'same'`` for zeros around it.
        data_format: where the channels are; by default as in ``keras.json``.
        dilation_rate: distance of a window's points; with 1 for the strides.
        activation: function of the output; none by default.
        use_bias: whether a bias is added.
        kernel_initializer: how the kernel starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernel.
        bias_constraint: constraint on the bias.

    Shapes: ``(batch, depth, rows, columns, channels)`` to the same with ``filters`` channels,
    or both with channels first.

    Raises:
        ValueError: an argument is out of range, or strides and dilation meet.

    >>> from nbkeras.core.layers import Input
    >>> Conv3D(8, 3)(Input((10, 28, 28, 1))).shape
    TensorShape([None, 8, 26, 26, 8])

    Source: Keras 2 manual, chapter 5.3.
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))
