"""Cells one above the other as one cell (Keras 2 manual, chapter 5.6.9)."""

from __future__ import annotations

import inspect
from typing import Any

import tensorflow as tf

from ... import backend as K
from ... import registry
from ...engine.layer import Layer

__all__ = ["StackedRNNCells"]


@registry.register("cell")
class StackedRNNCells(Layer):
    """Cells one above the other as one cell: each is fed the output of the one below.

    Args:
        cells: the cells, the lowest first.

    Its states are those of the cells, one after the other.

    Raises:
        TypeError: one is no cell.

    >>> from nbkeras.core.layers import RNN, Input, LSTMCell
    >>> RNN(StackedRNNCells([LSTMCell(32), LSTMCell(64)]))(Input((None, 5))).shape
    TensorShape([None, 64])

    Source: Keras 2 manual, chapter 5.6.
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        cells = [registry.get("cell", cell) if isinstance(cell, dict) else cell for cell in cells]
        for cell in cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise TypeError(
                    "StackedRNNCells takes cells: layers with call(inputs, states) and a "
                    f"state_size, such as [LSTMCell(32), LSTMCell(64)]; got {cell!r:.80}."
                )
        self.cells = cells

    # ---------------------------------------------------------------- states

    @property
    def state_size(self) -> list[Any]:
        """Sizes of the states of all cells."""
        return [size for cell in self.cells for size in tf.nest.flatten(cell.state_size)]

    @property
    def output_size(self) -> Any:
        return _output_size(self.cells[-1])

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> list[Any]:
        """States before the first step, of all cells."""
        batch = tf.shape(inputs)[0] if batch_size is None else batch_size
        states = []
        for cell in self.cells:
            start = getattr(cell, "get_initial_state", None)
            if start is not None:
                states += tf.nest.flatten(start(inputs=inputs, batch_size=batch, dtype=dtype))
            else:
                for size in tf.nest.flatten(cell.state_size):
                    sizes = (size,) if isinstance(size, int) else tuple(size)
                    states.append(tf.zeros((batch, *sizes), dtype or self.dtype))
        return states

    def _by_cell(self, states: Any) -> list[list[Any]]:
        """The states of each cell."""
        left, parts = list(states), []
        for cell in self.cells:
            count = len(tf.nest.flatten(cell.state_size))
            parts.append(left[:count])
            left = left[count:]
        return parts

    # ---------------------------------------------------------------- weights

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape)
        for number, cell in enumerate(self.cells):
            if hasattr(cell, "build") and not getattr(cell, "built", False):
                with tf.name_scope(f"cell_{number}"):
                    cell.build(shape)
                cell.built = True
            size = _output_size(cell)
            shape = (shape[0], size) if isinstance(size, int) else (shape[0], *size)
        super().build(input_shape)

    # ---------------------------------------------------------------- computation

    def fix(self, sizes: Any, states: Any, training: Any = None) -> list[Any]:
        """What all time steps share, for each cell."""
        fixed: list[Any] = []
        for cell, part in zip(self.cells, self._by_cell(states), strict=True):
            if hasattr(cell, "project"):
                fixed.append(cell.fix(sizes, part, training))
            else:
                fixed.append(K.learning_phase() if training is None else training)
            size = _output_size(cell)
            sizes = [sizes[0], *((size,) if isinstance(size, int) else tuple(size))]
        return fixed

    def project(self, inputs: Any, fixed: list[Any]) -> Any:
        """The lowest cell's part that needs no state."""
        lowest = self.cells[0]
        return lowest.project(inputs, fixed[0]) if hasattr(lowest, "project") else inputs

    def step(self, projected: Any, states: Any, fixed: list[Any]) -> tuple[Any, list[Any]]:
        """The output of the highest cell, and the new states of all."""
        x, new = projected, []
        parts = zip(self.cells, self._by_cell(states), fixed, strict=True)
        for number, (cell, part, shared) in enumerate(parts):
            if hasattr(cell, "project"):
                x = cell.project(x, shared) if number else x
                x, part = cell.step(x, part, shared)
            else:
                extra = {"training": shared} if "training" in _takes(cell) else {}
                if tf.nest.is_nested(cell.state_size):
                    part = tf.nest.pack_sequence_as(cell.state_size, part)
                x, part = cell.call(x, part, **extra)
            new += tf.nest.flatten(part)
        return x, new

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        """One time step through all cells."""
        states = tf.nest.flatten(states)
        fixed = self.fix(tf.shape(inputs), states, training)
        return self.step(self.project(inputs, fixed), states, fixed)


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    return tf.nest.flatten(cell.state_size)[0] if size is None else size


def _takes(cell: Any) -> Any:
    return inspect.signature(cell.call).parameters
