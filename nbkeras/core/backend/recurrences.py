"""Loops over time whose gradients are written by hand, for the usual recurrent cells.

TensorFlow would differentiate the loop op by op: it keeps every intermediate of every
step, and sums the gradients of the weights step by step. Here the forward loop keeps a
few arrays; what the way back multiplies with is computed of them for all steps at once;
the loop back only carries the gradients of the states; and the gradients of the weights
are matrix products over all steps, after it.

The gradients are made of ordinary operations on what the forward loop computed, so that
TensorFlow can differentiate them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from ._typing import Tensor

__all__ = [
    "Activation",
    "GRURecurrence",
    "LSTMRecurrence",
    "Recurrence",
    "SimpleRecurrence",
    "recur",
]

Tensors = list[Any]


class Activation(NamedTuple):
    """A function of each element by itself, and its slope as a function of its value."""

    function: Callable[[Any], Any]
    slope: Callable[[Any], Any]


class Recurrence:
    """The mathematics of one step, and of the way back.

    Shapes: in a step (batch, units), in arrays (time, batch, units). The first of the
    states is the output.
    """

    def parts(self, weights: Tensors) -> Tensors:
        """The weights as a step multiplies with them: cut once instead of at every step."""
        return list(weights)

    def step(self, x: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        """The new states, and what of the step is kept for the way back.

        Args:
            x: the projected input.
            states: those before.
            weights: what :meth:`parts` made.
        """
        raise NotImplementedError

    def factors(self, kept: Tensors, before: Tensors, after: Tensors) -> Tensors:
        """What :meth:`back` multiplies with, for all steps at once.

        Args:
            kept: arrays of what :meth:`step` kept.
            before: arrays of the states before each step.
            after: arrays of the states after it.
        """
        raise NotImplementedError

    def back(
        self, gradients: Tensors, factors: Tensors, weights: Tensors
    ) -> tuple[Tensor, Tensors]:
        """The gradients of x and of the states before, from those of the states after.

        Args:
            gradients: those of the states after.
            factors: of this step.
            weights: what :meth:`parts` made, matrices transposed.
        """
        raise NotImplementedError

    def weight_gradients(self, dx: Tensor, kept: Tensors, before: Tensors) -> Tensors:
        """The gradients of the weights, from those of x at all steps."""
        return [_product(before[0], dx)]


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Σ leftᵀ right over steps and samples, in one matrix product."""
    left, right = (tf.reshape(x, (-1, x.shape[-1])) for x in (left, right))
    return tf.matmul(left, right, transpose_a=True)


# ---------------------------------------------------------------- the cells


class SimpleRecurrence(Recurrence):
    """h' = f(x + h U), with weights U."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation

    def step(self, x: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        return [self.activation.function(x + tf.matmul(states[0], weights[0]))], []

    def factors(self, kept: Tensors, before: Tensors, after: Tensors) -> Tensors:
        return [self.activation.slope(after[0])]

    def back(
        self, gradients: Tensors, factors: Tensors, weights: Tensors
    ) -> tuple[Tensor, Tensors]:
        dx = gradients[0] * factors[0]
        return dx, [tf.matmul(dx, weights[0])]


class LSTMRecurrence(Recurrence):
    """The step of an LSTM on the sums of its gates i, f, c, o, with weights U; states h and c."""

    def __init__(self, activation: Activation, gate: Activation) -> None:
        self.activation, self.gate = activation, gate

    def step(self, x: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        sums = x + tf.matmul(states[0], weights[0])
        i, f, new, o = self._gates(sums)
        c = f * states[1] + i * new
        # The sums, and not the gates: one array to write at each step instead of four.
        return [o * self.activation.function(c), c], [sums]

    def _gates(self, sums: Tensor) -> Tensors:
        # One operation for all: less to call and to trace, though a quarter is computed in vain.
        i, f, _, o = tf.split(self.gate.function(sums), 4, -1)
        return [i, f, self.activation.function(tf.split(sums, 4, -1)[2]), o]

    def factors(self, kept: Tensors, before: Tensors, after: Tensors) -> Tensors:
        i, f, new, o = self._gates(kept[0])
        shown = self.activation.function(after[1])
        by_c = [
            new * self.gate.slope(i),
            before[1] * self.gate.slope(f),
            i * self.activation.slope(new),
        ]
        return [
            tf.concat(by_c, -1),
            shown * self.gate.slope(o),
            o * self.activation.slope(shown),
            f,
        ]

    def back(
        self, gradients: Tensors, factors: Tensors, weights: Tensors
    ) -> tuple[Tensor, Tensors]:
        by_c, by_h, c_by_h, f = factors
        dh, dc = gradients
        dc = dc + dh * c_by_h
        parts = [dc * factor for factor in tf.split(by_c, 3, -1)]
        dx = tf.concat([*parts, dh * by_h], -1)
        return dx, [tf.matmul(dx, weights[0]), dc * f]


class GRURecurrence(Recurrence):
    """The step of a GRU on the inputs' part of z, r and the new value.

    Args:
        activation: of the new value.
        gate: of z and r.
        reset_after: whether r works on the product with U; the weights are U and, if
            ``biased``, the bias of that product. Else the only weight is U.
        biased: see there.
    """

    def __init__(
        self, activation: Activation, gate: Activation, reset_after: bool, biased: bool
    ) -> None:
        self.activation, self.gate = activation, gate
        self.reset_after, self.biased = reset_after, biased

    def parts(self, weights: Tensors) -> Tensors:
        if self.reset_after:
            return list(weights)
        units = weights[0].shape[0]
        return tf.split(weights[0], [2 * units, units], -1)

    def step(self, x: Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        h, units = states[0], states[0].shape[-1]
        x_gates, x_new = tf.split(x, [2 * units, units], -1)
        if self.reset_after:
            product = tf.matmul(h, weights[0])
            if self.biased:
                product = tf.nn.bias_add(product, weights[1])
            h_gates, h_new = tf.split(product, [2 * units, units], -1)
            z, r = tf.split(self.gate.function(x_gates + h_gates), 2, -1)
            new = self.activation.function(x_new + r * h_new)
            kept = [tf.concat([z, r, new, h_new], -1)]
        else:
            z, r = tf.split(self.gate.function(x_gates + tf.matmul(h, weights[0])), 2, -1)
            new = self.activation.function(x_new + tf.matmul(r * h, weights[1]))
            kept = [tf.concat([z, r, new], -1)]
        return [new + z * (h - new)], kept

    def factors(self, kept: Tensors, before: Tensors, after: Tensors) -> Tensors:
        z, r, new, *product = tf.split(kept[0], 4 if self.reset_after else 3, -1)
        (h,) = before
        reset = product[0] if self.reset_after else h
        return [
            z,
            r,
            (h - new) * self.gate.slope(z),
            reset * self.gate.slope(r),
            (1 - z) * self.activation.slope(new),
        ]

    def back(
        self, gradients: Tensors, factors: Tensors, weights: Tensors
    ) -> tuple[Tensor, Tensors]:
        z, r, z_by_h, by_r, new_by_h = factors
        (dh,) = gradients
        dz, dnew = dh * z_by_h, dh * new_by_h
        if self.reset_after:
            dr = dnew * by_r
            products = tf.concat([dz, dr, dnew * r], -1)
            before = dh * z + tf.matmul(products, weights[0])
        else:
            reset = tf.matmul(dnew, weights[1])
            dr = reset * by_r
            before = dh * z + reset * r + tf.matmul(tf.concat([dz, dr], -1), weights[0])
        return tf.concat([dz, dr, dnew], -1), [before]

    def weight_gradients(self, dx: Tensor, kept: Tensors, before: Tensors) -> Tensors:
        (h,) = before
        units = h.shape[-1]
        gates, new = tf.split(dx, [2 * units, units], -1)
        r = kept[0][..., units : 2 * units]
        if not self.reset_after:
            return [tf.concat([_product(h, gates), _product(r * h, new)], -1)]
        products = tf.concat([gates, new * r], -1)
        gradients = [_product(h, products)]
        return [*gradients, tf.reduce_sum(products, (0, 1))] if self.biased else gradients


# ---------------------------------------------------------------- the loops


def recur(
    recurrence: Recurrence,
    inputs: Tensor,
    weights: Sequence[Tensor],
    states: Sequence[Tensor],
    mask: Tensor = None,
    keep_all: bool = True,
) -> tuple[Tensor, Tensors]:
    """Go over the steps of projected inputs.

    Args:
        recurrence: the step and its gradient.
        inputs: (time, batch, …).
        weights: what the recurrence takes.
        states: (batch, units) each, before the first step.
        mask: (time, batch), false where a sample's states stay as they are.
        keep_all: whether the first state after every step is wanted.

    Returns:
        The first state after every step (time, batch, units), or ``None``, and the list
        of the states after the last.
    """
    count = len(weights)

    @tf.custom_gradient
    def run(inputs: Tensor, *others: Tensor) -> Any:
        weights, states = others[:count], others[count:]
        after, kept, last = _forward(recurrence, inputs, weights, states, mask)

        def gradient(*upstream: Tensor) -> Tensors:
            series, ends = (upstream[0], upstream[1:]) if keep_all else (None, upstream)
            before = [
                tf.concat([first[None], array[:-1]], 0)
                for first, array in zip(states, after, strict=True)
            ]
            factors = recurrence.factors(kept, before, after)
            dx, starts = _backward(recurrence, factors, weights, series, ends, mask)
            return [dx, *recurrence.weight_gradients(dx, kept, before), *starts]

        return ([after[0], *last] if keep_all else last), gradient

    results = run(inputs, *weights, *states)
    return (results[0], list(results[1:])) if keep_all else (None, list(results))


def _forward(
    recurrence: Recurrence, inputs: Tensor, weights: Any, states: Any, mask: Tensor
) -> tuple[Tensors, Tensors, Tensors]:
    """Arrays of the states after each step and of what is kept, and the last states."""
    steps = _steps(inputs)
    weights = recurrence.parts(weights)
    # Only types and shapes of this step are used; the graph drops its computation.
    _, sample = recurrence.step(inputs[0], states, weights)
    series = _readable(inputs, mask)
    written = [_empty(x, steps) for x in [*states, *sample]]

    def body(t: Tensor, states: Tensors, written: Tensors) -> Any:
        x, chosen = (array.read(t) if array is not None else None for array in series)
        new, kept = recurrence.step(x, states, weights)
        new = _shaped_as(states, _chosen(chosen, new, states))
        written = [a.write(t, x) for a, x in zip(written, [*new, *kept], strict=True)]
        return t + 1, new, written

    _, last, written = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (tf.constant(0), list(states), written),
        maximum_iterations=steps,
    )
    arrays = [_stacked(a, x, inputs) for a, x in zip(written, [*states, *sample], strict=True)]
    return arrays[: len(states)], arrays[len(states) :], last


def _backward(
    recurrence: Recurrence,
    factors: Tensors,
    weights: Any,
    series: Tensor,
    ends: Sequence[Tensor],
    mask: Tensor,
) -> tuple[Tensor, Tensors]:
    """The gradients of the inputs at all steps, and of the states before the first."""
    steps = _steps(factors[0])
    # Transposed here, a matrix is so once; XLA would do it at every step.
    weights = [
        tf.transpose(part) if part.shape.rank == 2 else part for part in recurrence.parts(weights)
    ]
    upstream, chosen = _readable(series, mask)
    by_step = _readable(*factors)
    sample, _ = recurrence.back(list(ends), [factor[0] for factor in factors], weights)

    def body(t: Tensor, gradients: Tensors, written: Any) -> Any:
        if upstream is not None:
            gradients = [gradients[0] + upstream.read(t), *gradients[1:]]
        dx, before = recurrence.back(gradients, [array.read(t) for array in by_step], weights)
        if chosen is not None:
            here = chosen.read(t)
            before = _chosen(here, before, gradients)
            (dx,) = _chosen(here, [dx], [tf.zeros_like(dx)])
        return t - 1, _shaped_as(gradients, before), written.write(t, dx)

    _, starts, written = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (steps - 1, list(ends), _empty(sample, steps)),
        maximum_iterations=steps,
    )
    return _stacked(written, sample, factors[0]), starts


def _steps(series: Tensor) -> Any:
    return tf.shape(series)[0] if series.shape[0] is None else tf.constant(series.shape[0])


def _readable(*series: Tensor) -> Any:
    """Arrays of which a loop reads a step; ``None`` where there is none."""
    return [
        None
        if x is None
        else tf.TensorArray(x.dtype, _steps(x), element_shape=x.shape[1:]).unstack(x)
        for x in series
    ]


def _empty(x: Tensor, steps: Any) -> Any:
    """An array to which a loop writes something like x at each step."""
    return tf.TensorArray(x.dtype, steps, element_shape=x.shape)


def _stacked(array: Any, x: Tensor, like: Tensor) -> Tensor:
    return tf.ensure_shape(array.stack(), like.shape[:1].concatenate(x.shape))


def _shaped_as(old: Tensors, new: Tensors) -> Tensors:
    """What a loop carries keeps its shape."""
    for before, after in zip(old, new, strict=True):
        after.set_shape(before.shape)
    return new


def _chosen(mask: Tensor, new: Tensors, old: Tensors) -> Tensors:
    """New tensors for the samples of the mask, old ones for the others."""
    if mask is None:
        return new
    return [tf.where(mask[:, None], a, b) for a, b in zip(new, old, strict=True)]
