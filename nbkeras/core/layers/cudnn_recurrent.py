"""cuDNN's recurrent layers (Keras 2 manual, chapters 5.6.10 and 5.6.11).

They are the plain layers with the options that cuDNN has, and with weights as it lays
them out, which is how files of Keras 2 hold them: each gate's kernel transposed, and two
biases. The computation is TensorFlow's own, so they run on every device.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import registry
from .arguments import passed
from .recurrent.cells import Cell, GRUCell, LSTMCell
from .recurrent.layers import CellLayer

__all__ = ["CuDNNGRU", "CuDNNLSTM"]


def _plain_kernel(kernel: Any, gates: int) -> Any:
    """cuDNN's input kernels, stored row by row the other way round, as a plain kernel."""
    features, units = kernel.shape[0], kernel.shape[1] // gates
    parts = tf.split(kernel, gates, axis=1)
    turned = [tf.transpose(tf.reshape(part, (units, features))) for part in parts]
    return tf.concat(turned, axis=1)


def _plain_recurrent_kernel(kernel: Any, gates: int) -> Any:
    return tf.concat([tf.transpose(part) for part in tf.split(kernel, gates, axis=1)], axis=1)


class CuDNNWeights(Cell):
    """Weights in cuDNN's layout: what its two cells share."""

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2 * self.gates * self.units,)

    def read_weights(self) -> tuple[Any, Any, Any]:
        kernel, recurrent_kernel, bias = super().read_weights()
        return (
            _plain_kernel(kernel, self.gates),
            _plain_recurrent_kernel(recurrent_kernel, self.gates),
            tf.reshape(bias, (2, -1)),
        )


@registry.register("cell")
class CuDNNGRUCell(CuDNNWeights, GRUCell):
    """One step of :class:`CuDNNGRU`."""


@registry.register("cell")
class CuDNNLSTMCell(CuDNNWeights, LSTMCell):
    """One step of :class:`CuDNNLSTM`."""

    @property
    def bias_start(self) -> Any:
        return _forget_bias(self.bias_initializer) if self.unit_forget_bias else None

    def add_bias(self, x: Any, bias: Any) -> Any:
        return tf.nn.bias_add(x, bias[0] + bias[1])


def _forget_bias(start: Any) -> Any:
    """An initializer of eight biases by another, but for ones in the forget gate's first."""

    def initialize(shape: Any, dtype: Any = None) -> Any:
        part = shape[0] // 8
        first, last = start((part,), dtype=dtype), start((6 * part,), dtype=dtype)
        return tf.concat([first, tf.ones((part,), dtype), last], 0)

    return initialize


class CuDNNLayer(CellLayer):
    """What both layers share: options that cuDNN has not are fixed."""

    _fixed: dict[str, Any] = {}  # noqa: RUF012

    def _with_cell(self, kind: type[Cell], arguments: dict[str, Any]) -> dict[str, Any]:
        return super()._with_cell(kind, {**arguments, **self._fixed})


@registry.register("layer")
class CuDNNGRU(CuDNNLayer):
    """:class:`GRU` as cuDNN computes it: ``reset_after``, sigmoid gates, weights in its layout.

    Args:
        units: size of the state and of the output.
        kernel_initializer: how the kernel of the inputs starts.
        recurrent_initializer: how the kernel of the state starts.
        bias_initializer: how the biases start.
        kernel_regularizer: penalty on the kernel of the inputs.
        recurrent_regularizer: penalty on the kernel of the state.
        bias_regularizer: penalty on the biases.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernel of the inputs.
        recurrent_constraint: constraint on the kernel of the state.
        bias_constraint: constraint on the biases.
        return_sequences: whether to return the outputs of all time steps, or the last.
        return_state: whether to return the last state behind the output.
        stateful: whether the state after a batch is that before the next; see :class:`RNN`.
        go_backwards: whether to begin at the last time step.

    Shapes: ``(batch, steps, features)`` to ``(batch, units)``, or ``(batch, steps, units)``.
    Weights: kernel, recurrent_kernel, bias of ``6 * units``.

    >>> from nbkeras.core.layers import Input
    >>> CuDNNGRU(32)(Input((None, 8))).shape
    TensorShape([None, 32])

    Source: Keras 2 manual, chapter 5.6.
    """

    _fixed = {"recurrent_activation": "sigmoid", "reset_after": True}  # noqa: RUF012

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**self._with_cell(CuDNNGRUCell, passed(locals())))


@registry.register("layer")
class CuDNNLSTM(CuDNNLayer):
    """:class:`LSTM` as cuDNN computes it: sigmoid gates, two biases, weights in its layout.

    Args:
        units: size of each state and of the output.
        kernel_initializer: how the kernel of the inputs starts.
        recurrent_initializer: how the kernel of the state starts.
        bias_initializer: how the biases start.
        unit_forget_bias: whether the first bias of the forget gate starts at 1.
        kernel_regularizer: penalty on the kernel of the inputs.
        recurrent_regularizer: penalty on the kernel of the state.
        bias_regularizer: penalty on the biases.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on the kernel of the inputs.
        recurrent_constraint: constraint on the kernel of the state.
        bias_constraint: constraint on the biases.
        return_sequences: whether to return the outputs of all time steps, or the last.
        return_state: whether to return the last states behind the output.
        stateful: whether the states after a batch are those before the next; see :class:`RNN`.
        go_backwards: whether to begin at the last time step.

    Shapes: ``(batch, steps, features)`` to ``(batch, units)``, or ``(batch, steps, units)``.
    Weights: kernel, recurrent_kernel, bias of ``8 * units``.

    >>> from nbkeras.core.layers import Input
    >>> CuDNNLSTM(32)(Input((None, 8))).shape
    TensorShape([None, 32])

    Source: Keras 2 manual, chapter 5.6.
    """

    _fixed = {"recurrent_activation": "sigmoid"}  # noqa: RUF012

    def __init__(
        self,
        units: int,
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
        return_state: bool = False,
        stateful: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**self._with_cell(CuDNNLSTMCell, passed(locals())))
