"""The recurrent layers (Keras 2 manual, chapter 5.6)."""

from __future__ import annotations

import inspect
from typing import Any

from ... import registry
from ..arguments import keep, passed
from .base import RNN
from .cells import CELL_ARGUMENTS, Cell, GRUCell, LSTMCell, SimpleRNNCell

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class OfCell:
    """An attribute of a layer that is its cell's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        return self if layer is None else getattr(layer.cell, self.name)

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer.cell, self.name, value)


class CellLayer(RNN):
    """A recurrent layer that makes its own cell, and answers for the cell's arguments."""

    units = OfCell("units")

    def _with_cell(self, kind: type[Cell], arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments of :class:`RNN` from a layer's own: those of the cell become the cell."""
        keep(self, {"activity_regularizer": arguments.pop("activity_regularizer", None)})
        names = inspect.signature(kind.__init__).parameters
        own = {name: arguments.pop(name) for name in list(arguments) if name in names}
        # A cell's steerable rates go by its name, which is the layer's.
        name = arguments.get("name") or self.name
        return {"cell": kind(**own, dtype=arguments.get("dtype"), name=name), **arguments}


for _name in sorted(CELL_ARGUMENTS):
    setattr(CellLayer, _name, OfCell(_name))


@registry.register("layer")
class SimpleRNN(CellLayer):
    r"""A recurrent layer, :math:`h_t = f(x_t W + h_{t-1} U + b)`, whose output is its state.

    Args:
        units: size of the state and of the output.
        activation: the function :math:`f`.
        use_bias: whether there is a :math:`b`.
        kernel_initializer: how :math:`W` starts.
        recurrent_initializer: how :math:`U` starts.
        bias_initializer: how :math:`b` starts.
        kernel_regularizer: penalty on :math:`W`.
        recurrent_regularizer: penalty on :math:`U`.
        bias_regularizer: penalty on :math:`b`.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on :math:`W`.
        recurrent_constraint: constraint on :math:`U`.
        bias_constraint: constraint on :math:`b`.
        dropout: share of the inputs that is dropped, the same at every step. A rate above 0 may
            be moved while training.
        recurrent_dropout: share of the state that is dropped, the same at every step.
        return_sequences: whether to return the outputs of all time steps, or the last.
        return_state: whether to return the last states behind the output.
        go_backwards: whether to begin at the last time step; outputs come in that order.
        stateful: whether the states after a batch are those before the next; see :class:`RNN`.
        unroll: whether to write the time steps one after the other instead of as a loop.

    Shapes: ``(batch, steps, features)`` to ``(batch, units)``, or ``(batch, steps, units)``.
    Weights: kernel, recurrent_kernel, bias.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> SimpleRNN(32)(Input((None, 8))).shape
    TensorShape([None, 32])

    Source: Keras 2 manual, chapter 5.6; Gal, Ghahramani 2016, arXiv:1512.05287 (dropout).
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**self._with_cell(SimpleRNNCell, passed(locals())))


@registry.register("layer")
class GRU(CellLayer):
    r"""Gated recurrent units: a state that a gate keeps or replaces.

    .. math::
        z &= g(x_t W_z + h U_z + b_z), \quad r = g(x_t W_r + h U_r + b_r) \\
        \tilde h &= f(x_t W_h + (r \odot h) U_h + b_h) \\
        h_t &= z \odot h + (1 - z) \odot \tilde h, \quad h = h_{t-1}

    Args:
        units: size of the state and of the output.
        activation: the function :math:`f`.
        recurrent_activation: the function :math:`g`.
        use_bias: whether there is a :math:`b`.
        kernel_initializer: how :math:`W` starts.
        recurrent_initializer: how :math:`U` starts.
        bias_initializer: how :math:`b` starts.
        kernel_regularizer: penalty on :math:`W`.
        recurrent_regularizer: penalty on :math:`U`.
        bias_regularizer: penalty on :math:`b`.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on :math:`W`.
        recurrent_constraint: constraint on :math:`U`.
        bias_constraint: constraint on :math:`b`.
        dropout: share of the inputs that is dropped, the same at every step. A rate above 0 may
            be moved while training.
        recurrent_dropout: share of the state that is dropped, the same at every step.
        implementation: 1 draws dropout for each gate by itself, 2 once for all; without
            dropout both are the same.
        return_sequences: whether to return the outputs of all time steps, or the last.
        return_state: whether to return the last states behind the output.
        go_backwards: whether to begin at the last time step; outputs come in that order.
        stateful: whether the states after a batch are those before the next; see :class:`RNN`.
        unroll: whether to write the time steps one after the other instead of as a loop.
        reset_after: whether the reset gate works on :math:`h U_h + b'_h`, as cuDNN does; the
            bias then has two rows, one for the inputs and one for the state.

    Shapes: ``(batch, steps, features)`` to ``(batch, units)``, or ``(batch, steps, units)``.
    Weights: kernel, recurrent_kernel, bias.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> GRU(32, return_sequences=True)(Input((10, 8))).shape
    TensorShape([None, 10, 32])

    Source: Cho et al. 2014, arXiv:1406.1078; Keras 2 manual, chapter 5.6; Gal, Ghahramani 2016,
    arXiv:1512.05287 (dropout).
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**self._with_cell(GRUCell, passed(locals())))


@registry.register("layer")
class LSTM(CellLayer):
    r"""Long short-term memory: a memory that gates write, keep and read.

    .. math::
        i &= g(x_t W_i + h U_i + b_i), \quad f = g(x_t W_f + h U_f + b_f) \\
        c_t &= f \odot c + i \odot a(x_t W_c + h U_c + b_c) \\
        h_t &= g(x_t W_o + h U_o + b_o) \odot a(c_t), \quad h = h_{t-1},\ c = c_{t-1}

    Args:
        units: size of the state and of the output.
        activation: the function :math:`a`.
        recurrent_activation: the function :math:`g`.
        use_bias: whether there is a :math:`b`.
        kernel_initializer: how :math:`W` starts.
        recurrent_initializer: how :math:`U` starts.
        bias_initializer: how :math:`b` starts.
        unit_forget_bias: whether :math:`b_f` starts at 1.
        kernel_regularizer: penalty on :math:`W`.
        recurrent_regularizer: penalty on :math:`U`.
        bias_regularizer: penalty on :math:`b`.
        activity_regularizer: penalty on the output.
        kernel_constraint: constraint on :math:`W`.
        recurrent_constraint: constraint on :math:`U`.
        bias_constraint: constraint on :math:`b`.
        dropout: share of the inputs that is dropped, the same at every step. A rate above 0 may
            be moved while training.
        recurrent_dropout: share of the state that is dropped, the same at every step.
        implementation: 1 draws dropout for each gate by itself, 2 once for all; without
            dropout both are the same.
        return_sequences: whether to return the outputs of all time steps, or the last.
        return_state: whether to return the last states behind the output.
        go_backwards: whether to begin at the last time step; outputs come in that order.
        stateful: whether the states after a batch are those before the next; see :class:`RNN`.
        unroll: whether to write the time steps one after the other instead of as a loop.

    Shapes: ``(batch, steps, features)`` to ``(batch, units)``, or ``(batch, steps, units)``.
    The states are h and c. Weights: kernel, recurrent_kernel, bias.

    Raises:
        ValueError: an argument is out of range.

    >>> from nbkeras.core.layers import Input
    >>> LSTM(32)(Input((None, 8))).shape
    TensorShape([None, 32])

    Source: Hochreiter, Schmidhuber 1997, Neural Computation 9(8); Gers et al. 2000 (forgetting);
    Keras 2 manual, chapter 5.6; Gal, Ghahramani 2016, arXiv:1512.05287 (dropout).
    """

    def __init__(
        self,
        units: int,
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
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**self._with_cell(LSTMCell, passed(locals())))
