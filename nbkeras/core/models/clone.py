"""Models with the structure of another and new weights."""

from __future__ import annotations

from typing import Any

from .. import registry
from ..backend.symbolic import KerasTensor, Node, flatten
from ..engine.graph import is_layer_node
from ..engine.input_layer import Input
from ..engine.shapes import shape_of
from .model import Model
from .sequential import Sequential

__all__ = ["clone_model"]


def clone_model(model: Any, input_tensors: Any = None) -> Any:
    """A new model of the same structure, with new layers and newly drawn weights.

    Args:
        model: a functional or sequential model.
        input_tensors: tensors to build the new model on, symbolic or real: one, a list
            of them, or a dictionary by input name. By default new inputs like the model's.

    Returns:
        The new model; it is not compiled.

    Raises:
        ValueError: it is no model, it computes in Python code, or the tensors do not fit
            its inputs.

    >>> from nbkeras.core.layers import Dense
    >>> from nbkeras.core.models import Sequential
    >>> model = Sequential([Dense(2, input_shape=(3,))])
    >>> twin = clone_model(model)
    >>> twin.set_weights(model.get_weights())

    Source: the function of that name of Keras 2.
    """
    if not isinstance(model, Model):
        raise ValueError(
            f"clone_model takes a model; got {type(model).__name__}. A layer is copied by its "
            "configuration: type(layer).from_config(layer.get_config())."
        )
    with registry.sharing():
        if isinstance(model, Sequential):
            return _sequential(model, input_tensors)
        return _functional(model, input_tensors)


def _sequential(model: Sequential, given: Any) -> Any:
    twin = type(model)([_copy(layer) for layer in model.layers], name=model.name)
    if not model.inputs:
        return twin
    if given is None and twin.inputs:
        return twin
    twin = type(model)(name=model.name)
    twin.add(_inputs(model, given)[0])
    for layer in model.layers:
        twin.add(_copy(layer))
    return twin


def _functional(model: Model, given: Any) -> Any:
    if model._graph is None:
        raise ValueError(
            f"{model.name!r} is a {type(model).__name__}, which computes in Python code: make "
            f"another {type(model).__name__}(...) and give it model.get_weights()."
        )
    inputs = _inputs(model, given)
    made = {id(old): new for old, new in zip(model.inputs, inputs, strict=True)}
    layers: dict[int, Any] = {}
    for node in model._graph.plan.nodes:
        operation = node.operation
        if is_layer_node(node):
            if id(operation) not in layers:
                layers[id(operation)] = _copy(operation)
            operation = layers[id(operation)]
        results = Node(operation, node.args, node.kwargs).run(lambda t: made.get(id(t), t))
        new = [tensor for tensor in flatten(results) if isinstance(tensor, KerasTensor)]
        made.update((id(old), tensor) for old, tensor in zip(node.flat_outputs, new, strict=True))
    outputs = [made[id(tensor)] for tensor in model.outputs]
    return type(model)(
        inputs=inputs[0] if model._single_input else inputs,
        outputs=outputs[0] if model._single_output else outputs,
        name=model.name,
    )


def _copy(layer: Any) -> Any:
    """A layer like another, without its weights."""
    if isinstance(layer, Model):
        return clone_model(layer)
    return registry.deserialize("layer", registry.serialize(layer))


def _inputs(model: Model, given: Any) -> list[KerasTensor]:
    """The symbolic tensors to build a copy on."""
    if given is None:
        return [
            tensor.node.operation.from_config(tensor.node.operation.get_config()).output
            if tensor.node is not None and tensor.value is None
            else tensor
            for tensor in model.inputs
        ]
    if isinstance(given, dict):
        given = [given[name] for name in model.input_names if name in given]
    tensors = [
        tensor if isinstance(tensor, KerasTensor) else Input(tensor=tensor)
        for tensor in flatten(list(given) if isinstance(given, list | tuple) else [given])
    ]
    expected = [shape_of(tensor) for tensor in model.inputs]
    if len(tensors) != len(expected):
        raise ValueError(
            f"{model.name!r} has {len(expected)} inputs, {model.input_names}: "
            f"clone_model(model, input_tensors=[...]) takes as many tensors; got {len(tensors)}."
        )
    return tensors
