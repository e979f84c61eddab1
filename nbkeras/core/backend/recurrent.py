"""The loop over time that recurrent layers are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ._typing import Tensor
from .control import noise_of
from .symbolic import operation

__all__ = ["rnn"]

Step = Callable[[Any, tuple[Tensor, ...]], tuple[Any, Sequence[Tensor]]]


@operation
def rnn(
    step_function: Step,
    inputs: Any,
    initial_states: Sequence[Tensor],
    go_backwards: bool = False,
    mask: Tensor = None,
    constants: Sequence[Tensor] | None = None,
    unroll: bool = False,
    input_length: Tensor = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Tensor]]:
    """(yₜ, sₜ) = step(xₜ, sₜ₋₁), for t from the first time step to the last.

    Where a sample is masked its states stay as they are, and its output is that
    of the step before (zeros at the first).

    Args:
        step_function: takes the inputs of a step (samples, …) and a tuple of the
            states followed by the constants; returns an output (samples, …) and
            the new states.
        inputs: (samples, time, …), or a nest of such tensors.
        initial_states: the states before the first step.
        go_backwards: go from the last step to the first; outputs come in that order.
        mask: (samples, time) or (samples, time, 1), false or zero where a step is
            passed over.
        constants: further tensors that every step is given.
        unroll: write the steps one after the other instead of as a loop: quicker
            for a few steps, and larger.
        input_length: (samples,) how many steps each sample has; used as a mask
            where none is given. A number is accepted and without effect.
        time_major: inputs, mask and outputs are (time, samples, …).
        zero_output_for_mask: zeros in place of the output of the step before.
        return_all_outputs: otherwise ``outputs`` holds the last step only.

    Returns:
        The last output (samples, …), all outputs (samples, time, …), and the
        list of the last states.

    Raises:
        ValueError: inputs of fewer than three axes, ``unroll`` with a number of
            steps that is not known, or a mask where there are no states.

    >>> def total(x, states):
    ...     return states[0] + x, [states[0] + x]
    >>> last, outputs, states = rnn(total, tf.ones((1, 3, 1)), [tf.zeros((1, 1))])
    >>> outputs.numpy().ravel()
    array([1., 2., 3.], dtype=float32)

    Source: Keras 2 manual, chapter 14.
    """
    inputs = tf.nest.map_structure(lambda x: _time_first(x, time_major), inputs)
    states = [tf.convert_to_tensor(state) for state in initial_states]
    steps = _number_of_steps(inputs, unroll)
    mask = _mask_by_time(mask, input_length, steps, time_major)
    if mask is not None and not states:
        raise ValueError(
            "A masked step keeps its states, so K.rnn with a mask needs some: "
            "K.rnn(step, inputs, initial_states=[K.zeros((samples, units))], mask=mask)."
        )
    if go_backwards:
        inputs = tf.nest.map_structure(lambda x: tf.reverse(x, (0,)), inputs)
        mask = None if mask is None else tf.reverse(mask, (0,))

    fixed = tuple(constants or ())

    def step(x: Any, states: Sequence[Tensor]) -> tuple[Any, list[Tensor]]:
        output, new_states = step_function(x, (*states, *fixed))
        return output, list(new_states)

    in_python = unroll or (tf.executing_eagerly() and isinstance(steps, int))
    run = _one_after_the_other if in_python else _in_a_loop
    outputs, states = run(
        step, inputs, states, mask, steps, zero_output_for_mask, return_all_outputs
    )
    last = tf.nest.map_structure(lambda y: y[-1], outputs)
    if not time_major:
        outputs = tf.nest.map_structure(_swap, outputs)
    return last, outputs, states


# ---------------------------------------------------------------- the two ways to go


def _one_after_the_other(
    step: Callable[..., Any],
    inputs: Any,
    states: list[Tensor],
    mask: Tensor,
    steps: int,
    zero_where_masked: bool,
    keep_all: bool,
) -> tuple[Any, list[Tensor]]:
    by_step = [tf.unstack(x, steps) for x in tf.nest.flatten(inputs)]
    masks = [None] * steps if mask is None else tf.unstack(mask, steps)
    outputs: list[Any] = []
    previous = None
    for t in range(steps):
        x = tf.nest.pack_sequence_as(inputs, [series[t] for series in by_step])
        output, new_states = step(x, states)
        if mask is not None:
            if previous is None or zero_where_masked:
                previous = tf.nest.map_structure(tf.zeros_like, output)
            output = _where(masks[t], output, previous)
            new_states = _where(masks[t], new_states, states)
        states, previous = new_states, output
        outputs = [*outputs, output] if keep_all else [output]
    return tf.nest.map_structure(lambda *series: tf.stack(series), *outputs), states


def _in_a_loop(
    step: Callable[..., Any],
    inputs: Any,
    states: list[Tensor],
    mask: Tensor,
    steps: int | Tensor,
    zero_where_masked: bool,
    keep_all: bool,
) -> tuple[Any, list[Tensor]]:
    # Only types and shapes of this output are used; the graph drops its computation.
    sample, _ = step(tf.nest.map_structure(lambda x: x[0], inputs), states)
    zeros = tf.nest.map_structure(tf.zeros_like, sample)
    flat_zeros = tf.nest.flatten(zeros)
    series = [
        tf.TensorArray(x.dtype, steps, element_shape=x.shape[1:]).unstack(x)
        for x in tf.nest.flatten(inputs)
    ]
    gathered = [
        tf.TensorArray(y.dtype, steps if keep_all else 1, element_shape=y.shape) for y in flat_zeros
    ]
    if mask is not None:
        masks = tf.TensorArray(tf.bool, steps, element_shape=mask.shape[1:]).unstack(mask)

    def body(t: Tensor, here: Any, gathered: Any, previous: Any, states: Any) -> tuple[Any, ...]:
        x = tf.nest.pack_sequence_as(inputs, here)
        with noise_of(t):
            output, new_states = step(x, states)
        if mask is not None:
            kept = zeros if zero_where_masked else tf.nest.pack_sequence_as(zeros, previous)
            output = _where(masks.read(t), output, kept)
            new_states = _where(masks.read(t), new_states, states)
        flat = tf.nest.flatten(output)
        gathered = [
            array.write(t if keep_all else 0, y) for array, y in zip(gathered, flat, strict=True)
        ]
        later = tf.minimum(t + 1, steps - 1)
        return (
            t + 1,
            _shaped_as(here, [array.read(later) for array in series]),
            gathered,
            _shaped_as(previous, flat) if previous else previous,
            _shaped_as(states, new_states),
        )

    # Only a mask looks back at the output before. The bound on the number of
    # steps is what lets XLA compile the gradient.
    previous = flat_zeros if mask is not None else []
    # A step is given its inputs by the one before: read in place, at an index, they would
    # keep XLA from computing several elements at once.
    first = [x[0] for x in tf.nest.flatten(inputs)]
    _, _, gathered, _, states = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (tf.constant(0), first, gathered, previous, states),
        maximum_iterations=steps,
        parallel_iterations=32,
    )
    outputs = []
    for array, y in zip(gathered, flat_zeros, strict=True):
        stacked = array.stack()
        known = (steps if isinstance(steps, int) else None) if keep_all else 1
        outputs.append(tf.ensure_shape(stacked, tf.TensorShape([known]).concatenate(y.shape)))
    return tf.nest.pack_sequence_as(zeros, outputs), list(states)


def _where(mask: Tensor, new: Any, old: Any) -> Any:
    """New tensors for the samples of the mask, old ones for the others."""

    def choose(a: Tensor, b: Tensor) -> Tensor:
        return tf.where(tf.reshape(mask, (-1, *(1,) * (a.shape.rank - 1))), a, b)

    return tf.nest.map_structure(choose, new, old)


def _shaped_as(old: Sequence[Tensor], new: Sequence[Tensor]) -> list[Tensor]:
    """What a loop carries keeps its shape."""
    for before, after in zip(old, new, strict=True):
        after.set_shape(before.shape)
    return list(new)


# ---------------------------------------------------------------- time


def _swap(x: Tensor) -> Tensor:
    return tf.transpose(x, (1, 0, *range(2, x.shape.rank)))


def _time_first(x: Tensor, time_major: bool) -> Tensor:
    x = tf.convert_to_tensor(x)
    if x.shape.rank is None or x.shape.rank < 3:
        raise ValueError(
            f"K.rnn goes over inputs of shape (samples, time, ...), three axes or more; "
            f"got {x.shape}. K.expand_dims(x) adds one."
        )
    return x if time_major else _swap(x)


def _number_of_steps(inputs: Any, unroll: bool) -> int | Tensor:
    first = tf.nest.flatten(inputs)[0]
    steps = first.shape[0]
    if steps == 0:
        raise ValueError("K.rnn was given inputs of no time steps; one at least is needed.")
    if steps is None and unroll:
        raise ValueError(
            "unroll=True writes every time step out, so their number must be known: "
            "Input(shape=(10, 3)) instead of Input(shape=(None, 3)), or unroll=False."
        )
    return tf.shape(first)[0] if steps is None else int(steps)


def _mask_by_time(
    mask: Tensor, input_length: Tensor, steps: int | Tensor, time_major: bool
) -> Tensor:
    """The mask as booleans (time, samples), or ``None``."""
    if mask is None:
        lengths = None if input_length is None else tf.convert_to_tensor(input_length)
        if lengths is None or lengths.shape.rank == 0:
            return None
        return tf.transpose(tf.sequence_mask(tf.reshape(lengths, (-1,)), steps))
    mask = tf.cast(mask, tf.bool)
    if mask.shape.rank == 3:
        mask = tf.squeeze(mask, 2)
    return mask if time_major else tf.transpose(mask)
