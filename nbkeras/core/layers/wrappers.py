"""Layers around layers (Keras 2 manual, chapter 5.12)."""

from __future__ import annotations

import inspect
from typing import Any

import tensorflow as tf

from .. import registry
from ..backend.symbolic import current_call
from ..engine.layer import InputSpec, Layer
from .arguments import check_choice
from .recurrent.base import RNN

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """A layer that does something with another.

    Args:
        layer: the other.

    Raises:
        TypeError: it is none.
    """

    supports_masking = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if isinstance(layer, dict):
            layer = registry.deserialize("layer", layer)
        if not isinstance(layer, Layer):
            kind = type(self).__name__
            raise TypeError(f"{kind} takes a layer, as in {kind}(Dense(8)); got {layer!r:.80}.")
        super().__init__(**kwargs)
        self.layer = layer

    @property
    def activity_regularizer(self) -> Any:
        """The inner layer applies its own."""
        return None

    @staticmethod
    def build_inner(layer: Layer, input_shape: Any) -> None:
        """Build a layer inside, for a shape; its weights go by the wrapper's name."""
        if layer.built:
            return
        layer.build(input_shape)
        layer.built = True
        if layer._initial_weights is not None:
            layer.set_weights(layer._initial_weights)
            layer._initial_weights = None


# ---------------------------------------------------------------- at every time step


@registry.register("layer")
class TimeDistributed(Wrapper):
    """Applies a layer, or a model, to every time step by itself.

    Args:
        layer: the layer.

    Shapes: ``(batch, steps, ...)`` to ``(batch, steps, ...)``, ``...`` as the layer does it.

    Raises:
        TypeError: it is no layer.

    >>> from nbkeras.core.layers import Conv2D, Input
    >>> TimeDistributed(Conv2D(64, (3, 3)))(Input((10, 29, 29, 3))).shape
    TensorShape([None, 10, 27, 27, 64])

    Source: Keras 2 manual, chapter 5.12.
    """

    sequence_input = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.input_spec = InputSpec(min_ndim=3)

    def build(self, input_shape: Any) -> None:
        self.input_spec = InputSpec(
            ndim=len(input_shape), axes=dict(enumerate(input_shape[2:], start=2))
        )
        self.build_inner(self.layer, (None, *input_shape[2:]))
        super().build(input_shape)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        call = current_call()
        sizes = tf.shape(inputs)
        steps = _together(inputs, sizes)
        if call is not None and mask is not None and mask.shape.rank > 2:
            call.set_mask(steps, _together(mask, tf.shape(mask)))
        extra = {} if training is None else _said_training(self.layer, training)
        outputs = self.layer._run(steps, **extra)
        results = tf.nest.map_structure(lambda y: _apart(y, inputs, sizes), outputs)
        if call is not None:
            for y, result in zip(tf.nest.flatten(outputs), tf.nest.flatten(results), strict=True):
                inner = call.mask_of(y)
                if inner is not None:
                    call.set_mask(result, _apart(inner, inputs, sizes))
        return results

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Whether a time step is kept: if any part of it is."""
        while mask is not None and mask.shape.rank > 2:
            mask = tf.reduce_any(mask, -1)
        return mask

    @staticmethod
    def _set_output_masks(call: Any, outputs: Any, masks: Any) -> None:
        # What the inner layer said of its outputs comes before what the inputs say.
        for output in tf.nest.flatten(outputs):
            if call.mask_of(output) is None:
                call.set_mask(output, masks)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, steps, *rest = input_shape
        inner = self.layer.compute_output_shape((batch, *rest))
        return (batch, steps, *inner[1:])


def _together(x: Any, sizes: Any) -> Any:
    """(batch, time, ...) to (batch * time, ...)."""
    known = x.shape[2:]
    rows = None if None in x.shape[:2] else x.shape[0] * x.shape[1]
    if known.is_fully_defined():
        joined = tf.reshape(x, (-1, *known))
    else:
        joined = tf.reshape(x, tf.concat([[sizes[0] * sizes[1]], sizes[2:]], 0))
    return tf.ensure_shape(joined, (rows, *known))


def _apart(x: Any, inputs: Any, sizes: Any) -> Any:
    """(batch * time, ...) to (batch, time, ...), batch and time those of the inputs."""
    known = x.shape[1:]
    batch_and_time = [sizes[i] if n is None else n for i, n in enumerate(inputs.shape[:2])]
    rest = [tf.shape(x)[i + 1] if n is None else n for i, n in enumerate(known)]
    parted = tf.reshape(x, [*batch_and_time, *rest])
    parted.set_shape((*inputs.shape[:2], *known))
    return parted


def _said_training(layer: Any, training: Any) -> dict[str, Any]:
    takes = "training" in inspect.signature(layer.call).parameters
    return {"training": training} if takes else {}


# ---------------------------------------------------------------- in both directions


@registry.register("layer")
class Bidirectional(Wrapper):
    """Goes over a sequence forwards and backwards, with two copies of a recurrent layer.

    Args:
        layer: the recurrent layer; it goes forwards, a copy backwards.
        merge_mode: how the outputs of both come together: ``'concat'``, ``'sum'``, ``'mul'``,
            ``'ave'``, or ``None`` for a list of both.
        weights: arrays to start from, those of the forward layer first.

    Call arguments:
        inputs, mask, constants: as the layer's.
        initial_state: the states of the forward layer, then those of the backward one.

    Shapes: as the layer's; twice as many features for ``'concat'``. With ``return_state`` the
    states of the forward layer follow, then those of the backward one.

    Raises:
        ValueError: the mode is unknown, or the layer is not recurrent.

    >>> from nbkeras.core.layers import LSTM, Input
    >>> Bidirectional(LSTM(10, return_sequences=True))(Input((5, 8))).shape
    TensorShape([None, 5, 20])

    Source: Schuster, Paliwal 1997, IEEE Transactions on Signal Processing 45(11); Keras 2
    manual, chapter 5.12.
    """

    sequence_input = True

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, **kwargs: Any
    ) -> None:
        constants = int(kwargs.pop("num_constants", None) or 0)
        super().__init__(layer, weights=weights, **kwargs)
        if not isinstance(self.layer, RNN):
            raise ValueError(
                "Bidirectional takes a recurrent layer, as in Bidirectional(LSTM(32)); got "
                f"{type(self.layer).__name__}."
            )
        modes = ("concat", "sum", "mul", "ave", None)
        self.merge_mode = check_choice(self, "merge_mode", merge_mode, modes)
        self._constants = constants
        self.forward_layer = self._copy("forward", self.layer.go_backwards)
        self.backward_layer = self._copy("backward", not self.layer.go_backwards)
        # The layer itself is a pattern: only its copies have weights.
        self._sublayers = [self.forward_layer, self.backward_layer]
        self.input_spec = InputSpec(min_ndim=3)

    def _copy(self, prefix: str, go_backwards: bool) -> Any:
        config = self.layer.get_config()
        config.update(name=f"{prefix}_{self.layer.name}", go_backwards=go_backwards)
        config.pop("batch_input_shape", None)
        copy = type(self.layer).from_config(config)
        # Outputs of masked steps are zeros: repeated ones would come from the other end.
        copy.zero_where_masked = True
        return copy

    @property
    def return_sequences(self) -> bool:
        return self.layer.return_sequences

    @property
    def return_state(self) -> bool:
        return self.layer.return_state

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        return self.layer.stateful

    def reset_states(self, states: Any = None) -> None:
        """Forget the states of both layers, or set them: the forward layer's first."""
        if states is None:
            self.forward_layer.reset_states()
            self.backward_layer.reset_states()
            return
        half = len(states) // 2
        self.forward_layer.reset_states(states[:half])
        self.backward_layer.reset_states(states[half:])

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
        given = [_listed(initial_state), _listed(constants)]
        if given[1]:
            self._constants = len(given[1])
        if any(given):
            inputs = [*_listed(inputs), *given[0], *given[1]]
        return super().__call__(inputs, *args, **kwargs)

    def prepare(self, input_shape: Any, inputs: Any) -> None:
        if isinstance(inputs, list | tuple):
            input_shape, inputs = input_shape[0], inputs[0]
        super().prepare(input_shape, inputs)

    def build(self, input_shape: Any) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            with tf.name_scope(layer.name):
                self.build_inner(layer, input_shape)
        super().build(input_shape)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        sequence, *rest = _listed(inputs)
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        split = len(rest) - self._constants
        states, constants = rest[:split], rest[split:]
        if len(states) % 2:
            raise ValueError(
                f"Layer {self.name!r} (Bidirectional) has two layers, so initial_state is an even "
                f"number of states, the forward layer's first; got {len(states)}."
            )
        half = len(states) // 2
        call = current_call()
        if call is not None and mask is not None:
            call.set_mask(sequence, mask)
        forward, *forward_states = self._run_one(
            self.forward_layer, sequence, states[:half], constants, training
        )
        backward, *backward_states = self._run_one(
            self.backward_layer, sequence, states[half:], constants, training
        )
        if self.return_sequences:
            backward = tf.reverse(backward, [1])
        outputs = self._merge(forward, backward)
        if self.return_state:
            return [*_listed(outputs), *forward_states, *backward_states]
        return outputs

    @staticmethod
    def _run_one(layer: Any, x: Any, states: Any, constants: Any, training: Any) -> list[Any]:
        return _listed(layer(x, initial_state=states, constants=constants, training=training))

    def _merge(self, forward: Any, backward: Any) -> Any:
        if self.merge_mode is None:
            return [forward, backward]
        if self.merge_mode == "concat":
            return tf.concat([forward, backward], -1)
        if self.merge_mode == "mul":
            return forward * backward
        total = forward + backward
        return total / 2 if self.merge_mode == "ave" else total

    # ---------------------------------------------------------------- shapes and masks

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        output = mask if self.return_sequences else None
        outputs = [output, output] if self.merge_mode is None else [output]
        if self.return_state:
            outputs += [None] * 2 * len(self.forward_layer.states)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        inner = self.forward_layer.compute_output_shape(input_shape)
        output, *states = inner if self.return_state else [inner]
        if self.merge_mode == "concat":
            output = (*output[:-1], output[-1] * 2)
        outputs = [output, output] if self.merge_mode is None else [output]
        outputs += states + states
        return outputs[0] if len(outputs) == 1 else outputs

    def get_config(self) -> dict[str, Any]:
        """The arguments, and how many of a call's inputs are constants."""
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        return {**config, "num_constants": self._constants} if self._constants else config


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
