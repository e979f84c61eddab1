"""One time step of the recurrent layers (Keras 2 manual, chapters 5.6.6 to 5.6.8).

A step is cut in two, so that a layer can do the first part for all time steps at once:
``project`` multiplies inputs by the kernel, which needs no state; ``step`` does the rest.
What stays the same for a whole sequence, as what dropout takes away, is made by ``fix``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from ... import activations, registry
from ... import backend as K
from ...backend import recurrences
from ...engine.layer import Layer
from ..arguments import check_choice, check_count, keep, passed
from ..rates import Rate

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]


class Fixed(NamedTuple):
    """What stays the same for a whole sequence: weights, and the factors of dropout.

    The factors are a list of one for all gates, or of one for each; or ``None``.
    """

    kernel: Any
    recurrent_kernel: Any
    bias: Any
    input_factors: list[Any] | None
    state_factors: list[Any] | None


SLOPES = {
    activations.tanh: lambda y: 1 - y * y,
    activations.sigmoid: lambda y: y * (1 - y),
    activations.hard_sigmoid: lambda y: 0.2 * tf.cast((y > 0) & (y < 1), y.dtype),
    activations.relu: lambda y: tf.cast(y > 0, y.dtype),
    activations.linear: tf.ones_like,
}
"""Activations whose slope is known from their value."""


class Cell(Layer):
    """What the cells share: weights for a number of gates, dropout, states of zeros.

    ``gates`` kernels lie side by side, each ``units`` wide.
    """

    gates = 1

    dropout = Rate()
    recurrent_dropout = Rate()

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**self._keep_own(kwargs))
        self.units = check_count(self, "units", units)
        if "implementation" in vars(self):
            check_choice(self, "implementation", self.implementation, (1, 2))

    def _keep_own(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Keep the arguments that the cells' constructors name; return those of all layers."""
        own = {name: arguments.pop(name) for name in list(arguments) if name in CELL_ARGUMENTS}
        keep(self, own)
        return arguments

    @property
    def steerable(self) -> dict[str, tuple[float, float, str]]:  # type: ignore[override]
        """Rates that may be moved; one of 0 takes no part in the computation."""
        rates = ("dropout", "recurrent_dropout")
        return {name: (0.0, 0.95, "linear") for name in rates if getattr(self, name)}

    # ---------------------------------------------------------------- states

    @property
    def state_size(self) -> Any:
        """Size of the state, or of each state."""
        return self.units

    @property
    def output_size(self) -> Any:
        return self.units

    # ---------------------------------------------------------------- weights

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) needs to know how many features a "
                f"time step has; got shape {tuple(input_shape)}. Give the first layer an "
                "input_shape such as (None, 16)."
            )
        width = self.gates * self.units
        self.kernel = self._add("kernel", (features, width))
        self.recurrent_kernel = self._add("recurrent_kernel", (self.units, width))
        self.bias = self._add("bias", self.bias_shape, self.bias_start) if self.use_bias else None
        super().build(input_shape)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    @property
    def bias_start(self) -> Any:
        return self.bias_initializer

    def _add(self, name: str, shape: Any, start: Any = None) -> tf.Variable:
        kind = name.removesuffix("_kernel")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=start or getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    # ---------------------------------------------------------------- computation

    def fix(self, sizes: Any, states: Any, training: Any = None) -> Fixed:
        """What all time steps share.

        Args:
            sizes: the shape of one time step, batch size in front.
            states: the states before the first.
            training: whether dropout is at work.
        """
        return Fixed(
            *self.read_weights(),
            self._factors("dropout", sizes, training),
            self._factors("recurrent_dropout", tf.shape(states[0]), training),
        )

    def read_weights(self) -> tuple[Any, Any, Any]:
        """Kernel, recurrent kernel and bias, read once instead of at every step."""
        bias = None if self.bias is None else tf.convert_to_tensor(self.bias)
        return tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.recurrent_kernel), bias

    def _factors(self, name: str, shape: Any, training: Any) -> list[Any] | None:
        phase = K.learning_phase() if training is None else training
        if not getattr(self, name) or (isinstance(phase, bool | int) and not phase):
            return None
        ones = tf.ones(shape, self.dtype)
        # Implementation 1 decides for each gate by itself, as Keras 2 does.
        count = self.gates if getattr(self, "implementation", 2) == 1 else 1

        def factor() -> Any:
            return K.in_train_phase(
                lambda: K.dropout(ones, Rate.tensor(self, name)), ones, training=phase
            )

        return [factor() for _ in range(count)]

    def project(self, inputs: Any, fixed: Fixed) -> Any:
        """Inputs by kernel, plus bias, of one time step or of many at once.

        Args:
            inputs: (batch, features), or (time, batch, features).
            fixed: what :meth:`fix` made.

        Returns:
            (..., gates * units).
        """
        outputs = self.by_gate(inputs, fixed.kernel, fixed.input_factors)
        return outputs if fixed.bias is None else self.add_bias(outputs, fixed.bias)

    def add_bias(self, x: Any, bias: Any) -> Any:
        return tf.nn.bias_add(x, bias)

    def dot(self, x: Any, kernel: Any) -> Any:
        """Inputs or state by a kernel."""
        return K.dot(x, kernel)

    def by_gate(self, x: Any, kernel: Any, factors: list[Any] | None) -> Any:
        """x by the kernels side by side, with the factors of dropout for each."""
        if factors is None:
            return self.dot(x, kernel)
        if len(factors) == 1:
            return self.dot(x * factors[0], kernel)
        parts = zip(factors, tf.split(kernel, len(factors), axis=-1), strict=True)
        return tf.concat([self.dot(x * factor, part) for factor, part in parts], -1)

    def step(self, projected: Any, states: Any, fixed: Fixed) -> tuple[Any, list[Any]]:
        """The output and the new states, from a projected input and the states before."""
        raise NotImplementedError

    def recurrence(self, fixed: Fixed) -> tuple[recurrences.Recurrence, list[Any]] | None:
        """``step`` with a gradient written by hand, and its weights; where there is one."""
        return None

    def _with_slopes(self, kind: type[Cell], fixed: Fixed) -> list[recurrences.Activation] | None:
        """The activations of a step as ``kind`` has it; ``None`` if this one is another.

        It is where a class changes a part of the step, state is dropped, or an activation's
        slope is not in the table.
        """
        changed = any(
            getattr(type(self), name) is not getattr(kind, name)
            for name in ("step", "by_gate", "dot")
        )
        used = [
            getattr(self, name)
            for name in ("activation", "recurrent_activation")
            if hasattr(self, name)
        ]
        if changed or fixed.state_factors is not None or any(f not in SLOPES for f in used):
            return None
        return [recurrences.Activation(f, SLOPES[f]) for f in used]

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        """One time step.

        Args:
            inputs: (batch, features).
            states: a list of (batch, units).
            training: whether dropout is at work.

        Returns:
            The output (batch, units) and the list of the new states.
        """
        fixed = self.fix(tf.shape(inputs), states, training)
        return self.step(self.project(inputs, fixed), states, fixed)

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> list[Any]:
        """States of zeros for a batch."""
        batch = tf.shape(inputs)[0] if batch_size is None else batch_size
        sizes = self.state_size if isinstance(self.state_size, list | tuple) else [self.state_size]
        return [tf.zeros((batch, size), dtype or self.dtype) for size in sizes]


CELL_ARGUMENTS = {
    "activation",
    "recurrent_activation",
    "use_bias",
    "unit_forget_bias",
    *(
        f"{weight}_{kind}"
        for weight in ("kernel", "recurrent", "bias")
        for kind in ("initializer", "regularizer", "constraint")
    ),
    "dropout",
    "recurrent_dropout",
    "implementation",
    "reset_after",
}


# ---------------------------------------------------------------- the cells


@registry.register("cell")
class SimpleRNNCell(Cell):
    r"""One step of :class:`SimpleRNN`, :math:`h_t = f(x_t W + h_{t-1} U + b)`.

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
        kernel_constraint: constraint on :math:`W`.
        recurrent_constraint: constraint on :math:`U`.
        bias_constraint: constraint on :math:`b`.
        dropout: share of the inputs that is dropped.
        recurrent_dropout: share of the state that is dropped.

    >>> from nbkeras.core import backend as K
    >>> output, states = SimpleRNNCell(4)(K.ones((2, 3)), [K.zeros((2, 4))])
    >>> output.shape
    TensorShape([2, 4])

    Source: Keras 2 manual, chapter 5.6.
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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))

    def step(self, projected: Any, states: Any, fixed: Fixed) -> tuple[Any, list[Any]]:
        output = projected + self.by_gate(states[0], fixed.recurrent_kernel, fixed.state_factors)
        output = self.activation(output)
        return output, [output]

    def recurrence(self, fixed: Fixed) -> tuple[recurrences.Recurrence, list[Any]] | None:
        used = self._with_slopes(SimpleRNNCell, fixed)
        if used is None:
            return None
        return recurrences.SimpleRecurrence(*used), [fixed.recurrent_kernel]


@registry.register("cell")
class GRUCell(Cell):
    r"""One step of :class:`GRU`.

    .. math::
        z &= g(x_t W_z + h U_z + b_z), \quad r = g(x_t W_r + h U_r + b_r) \\
        \tilde h &= f(x_t W_h + (r \odot h) U_h + b_h) \\
        h_t &= z \odot h + (1 - z) \odot \tilde h, \quad h = h_{t-1}

    With ``reset_after``, :math:`\tilde h = f(x_t W_h + b_h + r \odot (h U_h + b'_h))`.

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
        kernel_constraint: constraint on :math:`W`.
        recurrent_constraint: constraint on :math:`U`.
        bias_constraint: constraint on :math:`b`.
        dropout: share of the inputs that is dropped.
        recurrent_dropout: share of the state that is dropped.
        implementation: 1 draws dropout for each gate by itself, 2 once for all; without
            dropout both are the same.
        reset_after: whether the reset gate works on the product, as cuDNN does.

    The kernels lie side by side in the order z, r, h. With ``reset_after`` the bias has two
    rows, one for the inputs and one for the state.

    >>> from nbkeras.core import backend as K
    >>> output, states = GRUCell(4)(K.ones((2, 3)), [K.zeros((2, 4))])
    >>> output.shape
    TensorShape([2, 4])

    Source: Cho et al. 2014, arXiv:1406.1078 (its version 1 with ``reset_after``, version 3
    without); Keras 2 manual, chapter 5.6.
    """

    gates = 3

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))

    @property
    def bias_shape(self) -> tuple[int, ...]:
        width = self.gates * self.units
        return (2, width) if self.reset_after else (width,)

    def add_bias(self, x: Any, bias: Any) -> Any:
        return tf.nn.bias_add(x, bias[0] if self.reset_after else bias)

    def step(self, projected: Any, states: Any, fixed: Fixed) -> tuple[Any, list[Any]]:
        h = states[0]
        x_zr, x_h = tf.split(projected, [2 * self.units, self.units], axis=-1)
        if self.reset_after:
            products = self.by_gate(h, fixed.recurrent_kernel, fixed.state_factors)
            if self.use_bias:
                products = tf.nn.bias_add(products, fixed.bias[1])
            h_zr, h_h = tf.split(products, [2 * self.units, self.units], axis=-1)
            z, r = tf.split(self.recurrent_activation(x_zr + h_zr), 2, axis=-1)
            new = self.activation(x_h + r * h_h)
        else:
            kernel_zr, kernel_h = tf.split(
                fixed.recurrent_kernel, [2 * self.units, self.units], axis=-1
            )
            first = last = fixed.state_factors
            if first is not None and len(first) > 1:
                first, last = first[:2], first[2:]
            h_zr = self.by_gate(h, kernel_zr, first)
            z, r = tf.split(self.recurrent_activation(x_zr + h_zr), 2, axis=-1)
            h_h = self.by_gate(r * h, kernel_h, last)
            new = self.activation(x_h + h_h)
        output = new + z * (h - new)
        return output, [output]

    def recurrence(self, fixed: Fixed) -> tuple[recurrences.Recurrence, list[Any]] | None:
        used = self._with_slopes(GRUCell, fixed)
        if used is None:
            return None
        biased = self.reset_after and self.use_bias
        weights = [fixed.recurrent_kernel, *([fixed.bias[1]] if biased else [])]
        activation, gate = used
        return recurrences.GRURecurrence(activation, gate, self.reset_after, biased), weights


@registry.register("cell")
class LSTMCell(Cell):
    r"""One step of :class:`LSTM`.

    .. math::
        i &= g(x_t W_i + h U_i + b_i), \quad f = g(x_t W_f + h U_f + b_f) \\
        c_t &= f \odot c + i \odot a(x_t W_c + h U_c + b_c) \\
        h_t &= g(x_t W_o + h U_o + b_o) \odot a(c_t), \quad h = h_{t-1},\ c = c_{t-1}

    Args:
        units: size of each state and of the output.
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
        kernel_constraint: constraint on :math:`W`.
        recurrent_constraint: constraint on :math:`U`.
        bias_constraint: constraint on :math:`b`.
        dropout: share of the inputs that is dropped.
        recurrent_dropout: share of the state :math:`h` that is dropped.
        implementation: 1 draws dropout for each gate by itself, 2 once for all; without
            dropout both are the same.

    The kernels lie side by side in the order i, f, c, o. The states are h and c.

    >>> from nbkeras.core import backend as K
    >>> output, states = LSTMCell(4)(K.ones((2, 3)), [K.zeros((2, 4)), K.zeros((2, 4))])
    >>> len(states)
    2

    Source: Hochreiter, Schmidhuber 1997, Neural Computation 9(8); Jozefowicz et al. 2015
    (the forget bias); Keras 2 manual, chapter 5.6.
    """

    gates = 4

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**passed(locals()))

    @property
    def state_size(self) -> list[int]:
        """Sizes of h and c."""
        return [self.units, self.units]

    @property
    def bias_start(self) -> Any:
        return forget_bias(self.bias_initializer) if self.unit_forget_bias else None

    def step(self, projected: Any, states: Any, fixed: Fixed) -> tuple[Any, list[Any]]:
        h, c = states
        gates = projected + self.by_gate(h, fixed.recurrent_kernel, fixed.state_factors)
        return lstm_step(gates, c, self.activation, self.recurrent_activation)

    def recurrence(self, fixed: Fixed) -> tuple[recurrences.Recurrence, list[Any]] | None:
        used = self._with_slopes(LSTMCell, fixed)
        if used is None:
            return None
        return recurrences.LSTMRecurrence(*used), [fixed.recurrent_kernel]


def forget_bias(start: Any) -> Any:
    """An initializer of four gates' biases by another, but for ones in the second."""

    def initialize(shape: Any, dtype: Any = None) -> Any:
        part = shape[0] // 4
        first, last = start((part,), dtype=dtype), start((2 * part,), dtype=dtype)
        return tf.concat([first, tf.ones((part,), dtype), last], 0)

    return initialize


def lstm_step(
    gates: Any, c: Any, activation: Any, recurrent_activation: Any, axis: int = -1
) -> tuple[Any, list[Any]]:
    """Output and states (h, c) from the four gates' sums along an axis, and the last c."""
    i_f, candidate, o = tf.split(gates, [2 * c.shape[axis], c.shape[axis], c.shape[axis]], axis)
    i, f = tf.split(recurrent_activation(i_f), 2, axis)
    c = f * c + i * activation(candidate)
    h = recurrent_activation(o) * activation(c)
    return h, [h, c]
