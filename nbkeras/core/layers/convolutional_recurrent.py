"""Recurrent layers over images (Keras 2 manual, chapter 5.6.5)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import backend as K
from .. import registry
from .arguments import check_choice, check_count, numbers, passed
from .recurrent.cells import Cell, Fixed, forget_bias, lstm_step
from .recurrent.layers import CellLayer, OfCell
from .windows import output_length

__all__ = ["ConvLSTM2D", "ConvLSTM2DCell"]


@registry.register("cell")
class ConvLSTM2DCell(Cell):
    r"""One step of :class:`ConvLSTM2D`: :class:`LSTMCell` with convolutions for its products.

    Args:
        filters: number of channels of the states and of the output.
        kernel_size: rows and columns of a window, or one number for both.
        strides: steps from window to window, in the convolution of the inputs.
        padding: ``'valid'`` or ``'same'``, in the convolution of the inputs; that of the state
            is always ``'same'``.
        data_format: where the channels are; by default as in ``keras.json``.
        dilation_rate: distance of a window's pixels, in the convolution of the inputs.
        activation: function of the memory and of what is written to it.
        recurrent_activation: function of the gates.
        use_bias: whether a bias is added.
        kernel_initializer: how the kernel of the inputs starts.
        recurrent_initializer: how the kernel of the state starts.
        bias_initializer: how the bias starts.
        unit_forget_bias: whether the forget gate's bias starts at 1.
        kernel_regularizer: penalty on the kernel of the inputs.
        recurrent_regularizer: penalty on the kernel of the state.
        bias_regularizer: penalty on the bias.
        kernel_constraint: constraint on the kernel of the inputs.
        recurrent_constraint: constraint on the kernel of the state.
        bias_constraint: constraint on the bias.
        dropout: share of the inputs that is dropped.
        recurrent_dropout: share of the state that is dropped.

    >>> from nbkeras.core.layers import RNN, Input
    >>> RNN(ConvLSTM2DCell(4, 3, padding="same"))(Input((5, 8, 8, 2))).shape
    TensorShape([None, 8, 8, 4])

    Source: Shi et al. 2015, arXiv:1506.04214, without peepholes; Keras 2 manual, chapter 5.6.
    """

    gates = 4
    implementation = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        arguments = passed(locals())
        for name in ("kernel_size", "strides", "padding", "data_format", "dilation_rate"):
            del arguments[name]
        super().__init__(units=check_count(self, "filters", arguments.pop("filters")), **arguments)
        self.filters = self.units
        self.kernel_size = numbers(self, "kernel_size", kernel_size, 2)
        self.strides = numbers(self, "strides", strides, 2)
        self.dilation_rate = numbers(self, "dilation_rate", dilation_rate, 2)
        self.padding = check_choice(self, "padding", padding, ("valid", "same"))
        self.data_format = K.normalize_data_format(data_format)
        self._state_shape: tuple[int | None, ...] | None = None

    # ---------------------------------------------------------------- states

    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def state_shape(self, step_shape: Any) -> tuple[int | None, ...]:
        """Shape of a state, without the batch size, for that of one time step."""
        spatial = step_shape[2:] if self._first() else step_shape[1:-1]
        sizes = [
            output_length(size, window, self.padding, stride, dilation)
            for size, window, stride, dilation in zip(
                spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        ]
        return (self.filters, *sizes) if self._first() else (*sizes, self.filters)

    @property
    def state_size(self) -> list[Any]:
        """Shapes of h and c; numbers of channels before the cell is built."""
        shape = self._state_shape
        return [self.filters, self.filters] if shape is None else [tf.TensorShape(shape)] * 2

    @property
    def output_size(self) -> Any:
        return self.state_size[0]

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> list[Any]:
        """States of zeros for a batch of sequences of images."""
        if self._state_shape is not None and None not in self._state_shape:
            zeros = tf.zeros((batch_size, *self._state_shape), dtype or self.dtype)
            return [zeros, zeros]
        # What images of zeros are turned into has the right shape.
        projected = self.convolve(tf.zeros_like(inputs[:, 0]), self.kernel)
        axis = 1 if self._first() else -1
        zeros = tf.split(projected, 4, axis=axis)[0] * 0.0
        return [zeros, zeros]

    # ---------------------------------------------------------------- weights

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 4:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) takes sequences of images, (batch, "
                f"steps, rows, columns, channels); got time steps of shape {tuple(input_shape)}."
            )
        channels = input_shape[1 if self._first() else -1]
        if channels is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know how many channels its "
                f"images have; got time steps of shape {tuple(input_shape)}. Give the first layer "
                "an input_shape such as (None, 32, 32, 3)."
            )
        width = self.gates * self.filters
        self.kernel = self._add("kernel", (*self.kernel_size, channels, width))
        self.recurrent_kernel = self._add(
            "recurrent_kernel", (*self.kernel_size, self.filters, width)
        )
        self.bias = self._add("bias", (width,), self.bias_start) if self.use_bias else None
        self._state_shape = self.state_shape(input_shape)
        self.built = True

    @property
    def bias_start(self) -> Any:
        return forget_bias(self.bias_initializer) if self.unit_forget_bias else None

    # ---------------------------------------------------------------- computation

    def convolve(self, x: Any, kernel: Any) -> Any:
        """Images by the kernel of the inputs."""
        return K.conv2d(x, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def project(self, inputs: Any, fixed: Fixed) -> Any:
        def convolve(x: Any, kernel: Any) -> Any:
            if x.shape.rank == 4:
                return self.convolve(x, kernel)
            # Time steps are as many more images.
            images = tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], 0))
            images.set_shape((None, *x.shape[2:]))
            y = self.convolve(images, kernel)
            outputs = tf.reshape(y, tf.concat([tf.shape(x)[:2], tf.shape(y)[1:]], 0))
            outputs.set_shape((*x.shape[:2], *y.shape[1:]))
            return outputs

        outputs = self._gates_of(inputs, fixed.kernel, fixed.input_factors, convolve)
        return outputs if fixed.bias is None else self.add_bias(outputs, fixed.bias)

    def add_bias(self, x: Any, bias: Any) -> Any:
        return x + tf.reshape(bias, (-1, 1, 1)) if self._first() else x + bias

    def _gates_of(self, x: Any, kernel: Any, factors: Any, convolve: Any) -> Any:
        """x by the kernels side by side, with the factors of dropout for each."""
        if factors is None:
            return convolve(x, kernel)
        parts = zip(factors, tf.split(kernel, len(factors), axis=-1), strict=True)
        axis = -3 if self._first() else -1
        return tf.concat([convolve(x * factor, part) for factor, part in parts], axis)

    def step(self, projected: Any, states: Any, fixed: Fixed) -> tuple[Any, list[Any]]:
        h, c = states

        def convolve(x: Any, kernel: Any) -> Any:
            return K.conv2d(x, kernel, (1, 1), "same", self.data_format)

        gates = projected + self._gates_of(h, fixed.recurrent_kernel, fixed.state_factors, convolve)
        axis = 1 if self._first() else -1
        return lstm_step(gates, c, self.activation, self.recurrent_activation, axis)


@registry.register("layer")
class ConvLSTM2D(CellLayer):
    """Long short-term memory over sequences of images, with convolutions for its products.

    Args:
        filters: number of channels of the states and of the output.
        kernel_size: rows and columns of a window, or one number for both.
        strides: steps from window to window, in the convolution of the inputs.
        padding: ``'valid'`` or ``'same'``, in the convolution of the inputs; that of the state
            is always ``'same'``.
        data_format: where the channels are; by default as in ``keras.json``.
        dilation_rate: distance of a window's pixels, in the convolution of the inputs.
        activation: function of the memory and of what is written to it.
        recurrent_activation: function of the gates.
        use_bias: whether a bias is added.
        kernel_initializer: how the kernel of the inputs starts.
        recurrent_initializer: how the kernel of the state starts.
        bias_initializer: how the bias starts.
        unit_forget_bias: whether the forget gate's bias starts at 1.
        kernel_regularizer: penalty on the kernel of the inputs.
        recurrent_regularizer: penalty on the kernel of the state.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernel of the inputs.
        recurrent_constraint: constraint on the kernel of the state.
        bias_constraint: constraint on the bias.
        return_sequences: whether to return the outputs of all time steps, or the last.
        go_backwards: whether to begin at the last time step; outputs come in that order.
        stateful: whether the states after a batch are those before the next; see :class:`RNN`.
        dropout: share of the inputs that is dropped, the same at every step.
        recurrent_dropout: share of the state that is dropped, the same at every step.
        return_state: whether to return the last states behind the output.

    Shapes: ``(batch, steps, rows, columns, channels)`` to ``(batch, new_rows, new_columns,
    filters)``, or with steps; or all with channels before the rows.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> ConvLSTM2D(4, 3, return_sequences=True)(Input((None, 8, 8, 2))).shape
    TensorShape([None, None, 6, 6, 4])

    Source: Shi et al. 2015, arXiv:1506.04214, without peepholes; Keras 2 manual, chapter 5.6.
    """

    sequence_input = False

    filters = OfCell("filters")
    kernel_size = OfCell("kernel_size")
    strides = OfCell("strides")
    padding = OfCell("padding")
    data_format = OfCell("data_format")
    dilation_rate = OfCell("dilation_rate")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**self._with_cell(ConvLSTM2DCell, passed(locals())))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        batch, steps, *step = input_shape
        state = (batch, *self.cell.state_shape((batch, *step)))
        output = (batch, steps, *state[1:]) if self.return_sequences else state
        return [output, state, state] if self.return_state else output
