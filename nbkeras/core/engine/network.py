"""A graph of layers as one layer: what models have beside training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from .. import registry
from ..backend.replay import Plan
from ..backend.symbolic import (
    Call,
    KerasTensor,
    call_scope,
    current_call,
    flatten,
    infer_outputs,
)
from .describe import print_summary
from .graph import Graph, graph_config, graph_from_config, is_layer_node
from .layer import Layer, once
from .shapes import shape_of

__all__ = ["Network"]


class Network(Layer):
    """Layers from some inputs to some outputs; itself a layer.

    A functional network is given its symbolic inputs and outputs. A subclass may
    instead keep layers as attributes and write ``call``.

    Attributes:
        inputs: its symbolic inputs.
        outputs: its symbolic outputs.
    """

    supports_masking = True

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any
    ) -> None:
        inputs = kwargs.pop("input", inputs)
        outputs = kwargs.pop("output", outputs)
        super().__init__(name=name, **kwargs)
        self._graph: Graph | None = None
        self._added_losses: list[KerasTensor] = []
        self._single_input = self._single_output = True
        if inputs is not None or outputs is not None:
            if inputs is None or outputs is None:
                raise TypeError(
                    "A functional model needs its inputs and its outputs: "
                    "Model(inputs=x, outputs=Dense(10)(x))."
                )
            self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        if isinstance(inputs, Mapping):
            inputs = list(inputs.values())
        # As in Keras 2 a list of one is that one.
        self._single_input = len(flatten(inputs)) == 1
        self._single_output = len(flatten(outputs)) == 1
        for tensor in flatten(outputs):
            if not isinstance(tensor, KerasTensor):
                raise ValueError(
                    "The outputs of a Model are symbolic tensors, made by calling layers on "
                    f"Input(...); got {type(tensor).__name__}."
                )
        self._graph = Graph(flatten(inputs), flatten(outputs), self._added_losses)
        self._sublayers = list(self._graph.layers)
        self.built = True

    # ---------------------------------------------------------------- structure

    @property
    def layers(self) -> list[Any]:
        """The layers, from the inputs to the outputs."""
        return list(self._sublayers)

    @property
    def inputs(self) -> list[KerasTensor]:
        return list(self._graph.inputs) if self._graph else []

    @property
    def outputs(self) -> list[KerasTensor]:
        return list(self._graph.outputs) if self._graph else []

    @property
    def plan(self) -> Plan | None:
        """What runs to compute the outputs; ``None`` where ``call`` is written in Python."""
        return self._graph.plan if self._graph else None

    @property
    def input_names(self) -> list[str]:
        """The names of the input layers, by which data may be given."""
        return [
            tensor.node.operation.name if tensor.node else tensor.name for tensor in self.inputs
        ]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs."""
        names = [
            getattr(t.node.operation, "name", t.name) if t.node else t.name for t in self.outputs
        ]
        repeated = {name for name in names if names.count(name) > 1}
        seen: dict[str, int] = {}
        for place, name in enumerate(names):
            if name in repeated:
                seen[name] = seen.get(name, 0) + 1
                names[place] = name if seen[name] == 1 else f"{name}_{seen[name] - 1}"
        return names

    @property
    def input(self) -> Any:
        """The symbolic input, or the list of them."""
        return self.inputs[0] if self._single_input and self.inputs else self.inputs

    @property
    def output(self) -> Any:
        """The symbolic output, or the list of them."""
        return self.outputs[0] if self._single_output and self.outputs else self.outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input (batch size in front), or a list of shapes."""
        return shape_of(self.input)

    @property
    def output_shape(self) -> Any:
        """Shape of the output (batch size in front), or a list of shapes."""
        return shape_of(self.output)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """A layer by its name, or by its place in :attr:`layers`.

        Raises:
            ValueError: there is none.
        """
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Model {self.name!r} has {len(self.layers)} layers; there is none at {index}."
                )
            return self.layers[index]
        if name is None:
            raise ValueError("Say which layer: get_layer('dense_1') or get_layer(index=0).")
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = [layer.name for layer in self.layers]
        hint = registry.suggestion(name, known)
        raise ValueError(f"Model {self.name!r} has no layer {name!r}.{hint} It has {known}.")

    # ---------------------------------------------------------------- weights

    @property
    def weights(self) -> list[tf.Variable]:
        """All weights, layer by layer."""
        return once([weight for layer in self.layers for weight in layer.weights])

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer carries state from batch to batch."""
        return any(getattr(layer, "stateful", False) for layer in self.layers)

    def reset_states(self) -> None:
        """Forget the state that stateful layers carry."""
        for layer in self.layers:
            if getattr(layer, "stateful", False) and hasattr(layer, "reset_states"):
                layer.reset_states()

    @property
    def state_updates(self) -> list[tuple[tf.Variable, tf.Variable]]:
        """The states that stateful layers carry, as :attr:`updates` gives them."""
        states = [
            state
            for layer in self.layers
            if getattr(layer, "stateful", False)
            for state in [*(getattr(layer, "states", None) or ()), *(v for v, _ in layer.updates)]
        ]
        return [(state, state) for state in once([s for s in states if s is not None])]

    @property
    def uses_learning_phase(self) -> bool:
        """Whether a layer computes in training otherwise than in use."""
        return any(layer.uses_learning_phase for layer in self.layers)

    def _calls_on(self, inputs: Any) -> list[Any]:
        """The calls within the graph that depend on some of its tensors."""
        if self._graph is None:
            return super()._calls_on(inputs)
        reached = {id(tensor) for tensor in flatten(inputs)}
        found = []
        for node in self._graph.all_nodes:
            if reached & {id(tensor) for tensor in node.inputs}:
                reached |= {id(tensor) for tensor in node.flat_outputs}
                if is_layer_node(node):
                    found.append(node)
        return found

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """What is added to the loss because of some inputs, or with ``None`` whatever they are.

        Args:
            inputs: symbolic tensors of the model, or ``None``: the penalties of weights.

        Returns:
            A list of tensors; symbolic ones if they depend on the inputs.
        """
        if inputs is None:
            return super().get_losses_for(None)
        return super().get_losses_for(inputs) + list(self._added_losses)

    # ---------------------------------------------------------------- calling

    def prepare(self, input_shape: Any, inputs: Any) -> None:
        self._check_data(inputs)
        super().prepare(input_shape, inputs)

    def _check_data(self, inputs: Any) -> None:
        """Compare real or symbolic inputs with those the graph was built on.

        Other shapes will do where the layers take them, as in Keras 2.
        """
        if self._graph is None:
            return
        given = flatten(inputs)
        if len(given) != len(self.inputs):
            raise ValueError(
                f"Model {self.name!r} has {len(self.inputs)} inputs {self.input_names}; got "
                f"{len(given)}."
            )
        for name, expected, tensor in zip(self.input_names, self.inputs, given, strict=True):
            if not tensor.shape.is_compatible_with(expected.shape):
                stand_ins = [KerasTensor(t.shape, t.dtype) for t in given]
                try:
                    infer_outputs(self._replay, (stand_ins,), {})
                except Exception as error:
                    raise ValueError(
                        f"Model {self.name!r}, input {name!r}: expected shape "
                        f"{shape_of(expected)}; got {shape_of(tensor)}."
                    ) from error
                return

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the graph on real tensors."""
        if self._graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no graph: give Model(inputs=..., outputs=...), or "
                "write call(self, inputs) in your subclass."
            )
        call = current_call()
        if call is not None and training is not None and training is not call.training:
            with call_scope(call.with_training(training)):
                return self._replay(inputs)
        return self._replay(inputs)

    def _replay(self, inputs: Any) -> Any:
        call = current_call()
        values = []
        for expected, value in zip(self.inputs, flatten(inputs), strict=True):
            cast = value if value.dtype == expected.dtype else tf.cast(value, expected.dtype)
            if cast is not value and call is not None:
                call.set_mask(cast, call.mask_of(value))
            values.append(cast)
        results = self._graph.plan.run(values)  # type: ignore[union-attr]
        count = len(self.outputs)
        if call is not None:
            call.losses.extend(results[count:])
        return results[0] if self._single_output else results[:count]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks that the graph's outputs ended up with."""
        return mask

    @staticmethod
    def _set_output_masks(call: Call, outputs: Any, masks: Any) -> None:
        """The layers inside have said which masks travel with the outputs."""

    def _known_outputs(self, inputs: Any) -> Any:
        given = flatten(inputs)
        if (
            self._graph is None
            or type(self).call is not Network.call
            or any(tensor.mask_shape is not None for tensor in [*given, *self.inputs])
            or [_type(tensor) for tensor in given] != [_type(tensor) for tensor in self.inputs]
        ):
            return None
        types = [tensor.spec for tensor in self.outputs]
        masks = [
            None if tensor.mask_shape is None else tf.TensorSpec(tensor.mask_shape, tf.bool)
            for tensor in self.outputs
        ]
        return types[0] if self._single_output else types, masks

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._graph is not None and self._single_input and input_shape == self.input_shape:
            return self.output_shape
        return super().compute_output_shape(input_shape)

    # ---------------------------------------------------------------- losses

    @property
    def losses(self) -> list[Any]:
        """The penalties of regularized weights, and the tensors given to :meth:`add_loss`."""
        return super().losses + list(self._added_losses)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add tensors to the loss that is minimized.

        Args:
            losses: one or more: symbolic tensors that depend on the model's inputs, or
                tensors computed in ``call``; of each the mean counts.
            inputs: not needed: a tensor knows its inputs.

        >>> from nbkeras.core import backend as K
        >>> from nbkeras.core.layers import Dense, Input
        >>> from nbkeras.core.models import Model
        >>> x = Input(shape=(3,))
        >>> code = Dense(2)(x)
        >>> model = Model(x, code)
        >>> model.add_loss(K.mean(K.square(code)))
        >>> model.compile("sgd")
        >>> history = model.fit([[1.0, 2.0, 3.0]], verbose=0)

        Source: Keras 2 manual, chapter 3.
        """
        given = list(losses) if isinstance(losses, list | tuple) else [losses]
        if self._graph is None or not any(isinstance(loss, KerasTensor) for loss in given):
            super().add_loss(given)
            return
        self._added_losses += given
        inputs = self.inputs[0] if self._single_input else self.inputs
        self._set_graph(inputs, self.outputs[0] if self._single_output else self.outputs)

    # ---------------------------------------------------------------- description

    def summary(
        self, line_length: int | None = None, positions: Any = None, print_fn: Any = None
    ) -> None:
        """Print the layers with their output shapes and numbers of parameters.

        Args:
            line_length: width of the table.
            positions: where each column ends, as shares of the width.
            print_fn: called with each line instead of ``print``.

        Raises:
            ValueError: the model is not built yet.
        """
        print_summary(self, line_length=line_length, positions=positions, print_fn=print_fn)

    def get_config(self) -> dict[str, Any]:
        """The network's structure as plain data, without weights.

        Raises:
            NotImplementedError: it is a subclass that computes in Python.
        """
        if self._graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} computes in Python code, which no configuration holds. "
                "Save its weights with save_weights(), and make the model anew from its class."
            )
        return {"name": self.name, **graph_config(self._graph)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        """A new network, with new weights, from :meth:`get_config`'s data."""
        with registry.custom_object_scope(custom_objects or {}):
            inputs, outputs = graph_from_config(config)
        return cls(
            inputs=inputs[0] if len(inputs) == 1 else inputs,
            outputs=outputs[0] if len(outputs) == 1 else outputs,
            name=config.get("name"),
        )


def _type(tensor: KerasTensor) -> Any:
    """What two tensors have in common that a graph takes for the same."""
    sizes = None if tensor.shape.rank is None else tuple(tensor.shape)
    return sizes, tensor.dtype, tensor.sparse
