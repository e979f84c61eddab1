"""Going over time: the layer around any recurrent cell (Keras 2 manual, chapter 5.6.1)."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import tensorflow as tf

from ... import backend as K
from ... import registry
from ...backend import recurrences
from ...backend.variables import make_variable
from ...engine.layer import InputSpec, Layer
from .stacked import StackedRNNCells

__all__ = ["RNN", "Recurrent"]

WRITTEN_OUT = 8
"""Up to how many time steps are written one by one where nothing is trained.

Without a loop XLA needs a quarter less for small layers, and no trace takes longer; at 16
steps the trace takes twice as long and small layers gain nothing.
"""


class Recurrent(Layer):
    """The base of recurrent layers: options that all have. It is not called itself.

    Args:
        weights: arrays to start from.
        return_sequences: whether to return the outputs of all time steps, or the last.
        go_backwards: whether to begin at the last time step; outputs come in that order.
        stateful: whether the states after a batch are those before the next, sample by sample.
        unroll: whether to write the time steps one after the other instead of as a loop.
        consume_less: without effect; ``implementation`` took its place.
        input_dim: number of features of a time step.
        input_length: number of time steps.
        return_state: whether to return the last states behind the output.

    Source: Keras 2 manual, chapter 5.6.
    """

    supports_masking = True
    sequence_input = True
    loops_over_time = True

    def __init__(
        self,
        weights: Any = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        consume_less: str = "cpu",
        input_dim: int | None = None,
        input_length: int | None = None,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        if type(self) is Recurrent:
            raise TypeError(
                "Recurrent is the base of the recurrent layers and computes nothing itself. Write "
                "SimpleRNN(32), GRU(32), LSTM(32), or RNN(cell) for a cell of your own."
            )
        super().__init__(weights=weights, input_dim=input_dim, input_length=input_length, **kwargs)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_where_masked = False
        self._constants = 0

    def _base_config(self) -> dict[str, Any]:
        config = super()._base_config()
        if self._constants:
            config["num_constants"] = self._constants
        return config


@registry.register("layer")
class RNN(Recurrent):
    """Goes over the time steps of a sequence with a cell.

    A cell is a layer with ``call(inputs, states)``, which takes one time step ``(batch, ...)``
    and the list of states, and returns an output and the new states; and with ``state_size``:
    the size of its state, or a list of sizes (or shapes) of several. It may name
    ``output_size``, take ``constants`` and ``training`` in ``call``, and write
    ``get_initial_state(inputs, batch_size, dtype)``. A list of cells is a stack.

    Args:
        cell: the cell, or a list of cells.
        return_sequences: whether to return the outputs of all time steps, or the last.
        return_state: whether to return the last states behind the output.
        go_backwards: whether to begin at the last time step; outputs come in that order.
        stateful: whether the states after a batch are those before the next, sample by
            sample; the batch size must be known then (``batch_input_shape``), and
            ``fit(shuffle=False)``.
        unroll: whether to write the time steps one after the other instead of as a loop:
            faster for a few of them, and larger.

    Call arguments:
        inputs: ``(batch, steps, ...)``.
        mask: ``(batch, steps)``; at a step that is masked, states and output stay as before.
        initial_state: the states before the first step, a tensor or a list.
        constants: tensors that each step is given.

    Shapes: ``(batch, steps, features)`` to ``(batch, units)``, or ``(batch, steps, units)``.

    Raises:
        TypeError: the cell lacks ``call`` or ``state_size``.
        ValueError: a stateful layer does not know its batch size.

    >>> from nbkeras.core.layers import Input, LSTMCell
    >>> RNN([LSTMCell(32), LSTMCell(64)])(Input((None, 5))).shape
    TensorShape([None, 64])

    Source: Keras 2 manual, chapters 5.6.1 and 3.3.15.
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        # Files say how many of a call's inputs are constants.
        constants = int(kwargs.pop("num_constants", None) or 0)
        super().__init__(
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self._constants = constants
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        if isinstance(cell, dict):
            cell = registry.deserialize("cell", cell)
        if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
            raise TypeError(
                "RNN takes a cell: a layer with call(inputs, states) and a state_size, such as "
                f"RNN(LSTMCell(32)); got {cell!r:.80}."
            )
        self.cell = cell
        self.input_spec = InputSpec(min_ndim=3)
        self._states: list[Any] | None = None

    # ---------------------------------------------------------------- building

    def prepare(self, input_shape: Any, inputs: Any) -> None:
        # A call's inputs may be a list: the sequence, initial states, constants.
        if isinstance(inputs, list | tuple):
            input_shape, inputs = input_shape[0], inputs[0]
        super().prepare(input_shape, inputs)

    def build(self, input_shape: Any) -> None:
        step_shape = (input_shape[0], *input_shape[2:])
        if hasattr(self.cell, "build") and not getattr(self.cell, "built", False):
            self.cell.build(step_shape)
            self.cell.built = True
        if self.stateful:
            self._make_states(input_shape)
        self.input_spec = InputSpec(
            ndim=len(input_shape), axes=dict(enumerate(input_shape[2:], start=2))
        )
        super().build(input_shape)

    def _sizes(self) -> list[tuple[int, ...]]:
        """The sizes of each state, without the batch's."""
        return [
            (int(size),) if isinstance(size, int | np.integer) else tuple(size)
            for size in _flat(self.cell.state_size)
        ]

    # ---------------------------------------------------------------- states

    def _make_states(self, input_shape: Any) -> None:
        if input_shape[0] is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) is stateful: it keeps a state for "
                "each sample of a batch, so it needs to know the batch size. Write "
                "batch_input_shape=(32, 10, 16) in the first layer, or Input(batch_shape=...)."
            )
        self._states = [
            make_variable(
                tf.zeros((input_shape[0], *sizes), self.dtype), f"state_{i}", trainable=False
            )
            for i, sizes in enumerate(self._sizes())
        ]

    @property
    def states(self) -> list[Any]:
        """The states that a stateful layer keeps; ``None`` for each where there is none yet."""
        return self._states or [None] * len(_flat(self.cell.state_size))

    def reset_states(self, states: Any = None) -> None:
        """Forget the states a stateful layer keeps, or set them.

        Args:
            states: an array, or a list of arrays; zeros by default.

        Raises:
            AttributeError: the layer is not stateful.
            ValueError: it is not built yet, or number or shape of the arrays do not fit;
                nothing is changed then.
        """
        if not self.stateful:
            raise AttributeError(
                f"Layer {self.name!r} keeps no states to reset: make it with stateful=True."
            )
        if self._states is None:
            raise ValueError(
                f"Layer {self.name!r} has no states yet: it is built when it is called on an input."
            )
        if states is None:
            states = [np.zeros(tuple(state.shape)) for state in self._states]
        arrays = [np.asarray(s) for s in (states if isinstance(states, list | tuple) else [states])]
        expected = [tuple(state.shape) for state in self._states]
        if [array.shape for array in arrays] != expected:
            raise ValueError(
                f"Layer {self.name!r} has states of the shapes {expected}; got "
                f"{[array.shape for array in arrays]}. Pass a list with an array for each."
            )
        for state, array in zip(self._states, arrays, strict=True):
            state.assign(tf.cast(array, state.dtype))

    # ---------------------------------------------------------------- calling

    def __call__(
        self,
        inputs: Any,
        *args: Any,
        initial_state: Any = None,
        constants: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Call the layer; see the class for the arguments."""
        states, constants = _listed(initial_state), _listed(constants)
        if constants:
            self._constants = len(constants)
        if states or constants:
            # Keras 2 writes them to files as further inputs.
            inputs = [*_listed(inputs), *states, *constants]
        return super().__call__(inputs, *args, **kwargs)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        initial_state: Any = None,
        constants: Any = None,
    ) -> Any:
        inputs, states, constants = self._parts(inputs, _listed(initial_state), _listed(constants))
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        states = self._first_states(inputs, states)
        # Time first: one transposition of the inputs instead of one of the wider projection.
        series = _time_first(inputs)
        mask = None if mask is None else tf.transpose(mask)
        last, outputs, states = self._go(series, states, mask, constants, training)
        for kept, state in zip(self._states or (), states, strict=False):
            kept.assign(tf.cast(state, kept.dtype))
        output = tf.nest.map_structure(_time_first, outputs) if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def _go(self, series: Any, states: Any, mask: Any, constants: list[Any], training: Any) -> Any:
        """The last output, all outputs and the last states; time comes first."""
        steps, unroll = series, self.unroll
        if hasattr(self.cell, "project"):
            if constants:
                raise ValueError(_takes_no_constants(self))
            fixed = self.cell.fix(tf.shape(series)[1:], states, training)
            steps = self.cell.project(series, fixed)
            trains = _trains(training)
            own = self._own_gradient(fixed) if trains else None
            if own is not None:
                return self._recur(own, steps, states, mask)
            unroll = unroll or (trains is False and _few(steps))

            def step(x: Any, states: Any) -> Any:
                return self.cell.step(x, states, fixed)
        else:
            step = self._foreign_step(constants, training)
        return K.rnn(
            step,
            steps,
            states,
            go_backwards=self.go_backwards,
            mask=mask,
            unroll=unroll,
            time_major=True,
            zero_output_for_mask=self.zero_where_masked and self.return_sequences,
            return_all_outputs=self.return_sequences,
        )

    def _own_gradient(self, fixed: Any) -> Any:
        """The cell's recurrence with its own gradient, of use in training.

        Elsewhere keeping what only a gradient needs would cost time.
        """
        recurrence = getattr(self.cell, "recurrence", None)
        return recurrence(fixed) if recurrence and not self.unroll else None

    def _recur(self, own: Any, steps: Any, states: Any, mask: Any) -> Any:
        mask = None if mask is None else tf.cast(mask, tf.bool)
        if self.go_backwards:
            steps = tf.reverse(steps, (0,))
            mask = None if mask is None else tf.reverse(mask, (0,))
        recurrence, weights = own
        outputs, states = recurrences.recur(
            recurrence, steps, weights, states, mask, self.return_sequences
        )
        if mask is None:
            return states[0], outputs, states
        # Outputs are states, but for zeros before the first step that is not passed over.
        if self.return_sequences:
            begun = mask if self.zero_where_masked else tf.cumsum(tf.cast(mask, tf.int32)) > 0
            outputs = tf.where(begun[..., None], outputs, tf.zeros_like(outputs))
        last = tf.where(tf.reduce_any(mask, 0)[:, None], states[0], tf.zeros_like(states[0]))
        return last, outputs, states

    def _parts(self, inputs: Any, states: list[Any], constants: list[Any]) -> Any:
        """The sequence, initial states and constants of a call."""
        if not isinstance(inputs, list | tuple):
            return inputs, states, constants
        sequence, *rest = inputs
        if self._constants and not constants:
            rest, constants = rest[: -self._constants], rest[-self._constants :]
        return sequence, states or rest, constants

    def _first_states(self, inputs: Any, states: list[Any]) -> list[Any]:
        sizes = self._sizes()
        if states:
            fits = len(states) == len(sizes) and all(
                state.shape.is_compatible_with((None, *size))
                for state, size in zip(states, sizes, strict=False)
            )
            if not fits:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) has states of the shapes "
                    f"{[(None, *size) for size in sizes]}; got initial_state "
                    f"{[tuple(state.shape) for state in states]}. Pass a list with one tensor for "
                    "each, as in layer(x, initial_state=[h, c])."
                )
            return [tf.cast(state, self.dtype) for state in states]
        if self._states is not None:
            return [tf.convert_to_tensor(state) for state in self._states]
        batch = inputs.shape[0] or tf.shape(inputs)[0]
        start = getattr(self.cell, "get_initial_state", None)
        if start is not None:
            made = start(inputs=inputs, batch_size=batch, dtype=inputs.dtype)
            return _flat(made)
        return [tf.zeros((batch, *size), self.dtype) for size in sizes]

    def _foreign_step(self, constants: list[Any], training: Any) -> Any:
        """One step of a cell that a user wrote."""
        takes = inspect.signature(self.cell.call).parameters
        extra: dict[str, Any] = {}
        if constants:
            if "constants" not in takes:
                raise ValueError(_takes_no_constants(self))
            extra["constants"] = constants
        if "training" in takes:
            extra["training"] = K.learning_phase() if training is None else training
        structure = self.cell.state_size

        def step(x: Any, states: Any) -> Any:
            packed = list(states)
            if tf.nest.is_nested(structure):
                packed = tf.nest.pack_sequence_as(structure, packed)
            output, new = self.cell.call(x, packed, **extra)
            return output, _flat(new)

        return step

    # ---------------------------------------------------------------- shapes and masks

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        output = mask if self.return_sequences else None
        return [output, *(None for _ in self._sizes())] if self.return_state else output

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        sizes = self._sizes()
        size = getattr(self.cell, "output_size", None)
        output = sizes[0] if size is None else (size,) if isinstance(size, int) else tuple(size)
        batch, steps = input_shape[:2]
        shape = (batch, steps, *output) if self.return_sequences else (batch, *output)
        return [shape, *((batch, *size) for size in sizes)] if self.return_state else shape


def _takes_no_constants(layer: Any) -> str:
    kind = type(layer.cell).__name__
    return (
        f"Layer {layer.name!r} was given constants, which its cell {kind} does not take. Write "
        "call(self, inputs, states, constants) in a cell of your own."
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _flat(structure: Any) -> list[Any]:
    """The leaves of nested states or sizes; a TensorShape is one."""
    return list(tf.nest.flatten(structure))


def _time_first(x: Any) -> Any:
    """(batch, time, ...) to (time, batch, ...), and back."""
    return tf.transpose(x, (1, 0, *range(2, x.shape.rank)))


def _trains(training: Any) -> bool | None:
    """Whether a call trains; ``None`` where only the graph knows."""
    phase = K.learning_phase() if training is None else training
    return bool(phase) if isinstance(phase, bool | int) else None


def _few(steps: Any) -> bool:
    """Whether the time steps of some tensors are few enough to be written one by one."""
    known = tf.nest.flatten(steps)[0].shape[0]
    return known is not None and known <= WRITTEN_OUT
