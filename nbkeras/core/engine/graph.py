"""Graphs of layers: recording calls, ordering layers, and their configuration.

The nodes are :class:`~nbkeras.core.backend.symbolic.Node`; here is what only
nodes of layers have: the list of calls each layer keeps, the order in which a
model lists its layers, and the ``inbound_nodes`` of its configuration.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from .. import registry
from ..backend.replay import Plan, real_tensors
from ..backend.symbolic import (
    KerasTensor,
    Node,
    call_scope,
    current_call,
    flatten,
    infer_outputs,
    map_structure,
    record,
    tensor_types,
)
from .shapes import Shape, shape_of

__all__ = [
    "Graph",
    "graph_config",
    "graph_from_config",
    "infer",
    "is_layer_node",
    "node_inputs",
    "node_losses",
    "record_layer",
]


# ---------------------------------------------------------------- recording


def record_layer(layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a call of a layer on symbolic tensors; returns its symbolic outputs."""
    layer.prepare(shape_of(inputs), inputs)
    structure, masks = infer(layer, inputs, args, kwargs)
    node = Node(layer, (inputs, *args), kwargs)
    node.call_index = len(layer._inbound_nodes)
    outputs = node.set_outputs(structure)
    for tensor, mask in zip(node.flat_outputs, masks, strict=True):
        tensor.mask_shape = None if mask is None else mask.shape
    layer._inbound_nodes.append(node)
    for tensor in node.inputs:
        if tensor.node is not None and is_layer_node(tensor.node):
            tensor.node.operation._outbound_nodes.append(node)
    return outputs


def infer(
    layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, list[Any]]:
    """What a layer returns for symbolic inputs, as types of tensors, and their masks.

    Most of our own layers declare it. Others are run in a scratch graph, once for each signature
    of plain inputs; ``compute_output_shape`` fills in sizes that running it leaves open.
    """
    plain = not args and not kwargs
    declared = (_declared(layer, inputs) or layer._known_outputs(inputs)) if plain else None
    if declared is not None:
        return declared
    signature = (
        tuple(
            (tuple(t.shape) if t.shape.rank is not None else None, t.dtype, t.mask_shape is None)
            for t in flatten(inputs)
        )
        if plain and all(isinstance(t, KerasTensor) for t in flatten(inputs))
        else None
    )
    if signature is not None and signature in layer._inferred:
        return layer._inferred[signature]

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        outputs = layer._run(*args, **kwargs)
        call: Any = current_call()
        return outputs, [call.mask_of(tensor) for tensor in real_tensors(outputs)]

    outputs, masks = infer_outputs(run, (inputs, *args), kwargs)
    _refine_shapes(layer, inputs, outputs)
    # The types alone are kept: a tensor would keep its whole graph.
    found = tensor_types(outputs), tensor_types(masks)
    if signature is not None:
        layer._inferred[signature] = found
    return found


def _declared(layer: Any, inputs: Any) -> tuple[Any, list[Any]] | None:
    """The output that a layer declares, and its mask; ``None`` where it has to be run."""
    kind: Any = type(layer)
    if not _may_declare(kind) or "call" in vars(layer):
        return None
    tensors = inputs if type(inputs) in (list, tuple) else [inputs]
    dtype = tf.as_dtype(layer.dtype)
    masks = []
    for tensor in tensors:
        if (
            type(tensor) is not KerasTensor
            or tensor.dtype != dtype
            or tensor.sparse
            or tensor.shape.rank is None
        ):
            return None
        if tensor.mask_shape is not None:
            masks.append(tensor.mask_shape)
    if masks and not (len(tensors) == 1 and layer.passes_mask):
        return None
    activation = vars(layer).get("activation")
    if activation is not None and registry.name_of(activation) is None:
        return None
    shape: Shape = layer.compute_output_shape(shape_of(inputs))
    if len(shape) < 2 or 0 in shape:
        return None  # running it will tell what is wrong
    mask = tf.TensorSpec(masks[0], tf.bool) if masks else None
    return tf.TensorSpec(shape, dtype), [mask]


@functools.lru_cache(maxsize=1024)
def _may_declare(cls: Any) -> bool:
    """Whether a class declares its output, and is ours: others may override anything."""
    return cls.declares_output and cls.__module__.startswith(f"{_CORE}.")


_CORE = __name__.rpartition(".engine.")[0]


def _refine_shapes(layer: Any, inputs: Any, outputs: Any) -> None:
    """Let a layer's own ``compute_output_shape`` say sizes that the graph does not know."""
    from .layer import Layer

    if type(layer).compute_output_shape is Layer.compute_output_shape:
        return
    if not isinstance(outputs, tf.Tensor) or None not in (shape_of(outputs) or (None,))[1:]:
        return
    declared = tf.TensorShape(layer.compute_output_shape(shape_of(inputs)))
    if outputs.shape.is_compatible_with(declared):
        outputs.set_shape(declared)


def node_losses(node: Node) -> list[KerasTensor]:
    """What a layer adds to the loss for the inputs of one of its calls, as symbolic tensors."""
    layer = node.operation

    def losses(*args: Any, **kwargs: Any) -> list[Any]:
        call: Any = current_call()
        alone = call.with_losses()
        with call_scope(alone):
            layer._run(*args, **kwargs)
        return [tf.reduce_mean(loss) for loss in alone.losses]

    found: list[KerasTensor] = record(losses, node.args, node.kwargs)
    return found


def is_layer_node(node: Node) -> bool:
    """Whether a node is a call of a layer, not of a backend function."""
    return hasattr(node.operation, "_inbound_nodes")


def node_inputs(node: Node) -> Any:
    """What a layer was called on; an input layer's own tensor."""
    return node.args[0] if node.args else node.outputs


# ---------------------------------------------------------------- the graph of a model


class Graph:
    """The layers between some inputs and outputs, ordered as Keras 2 lists them.

    Attributes:
        plan: runs the graph.
        layers: from the inputs on, by the longest way to an output; inputs first.
        nodes: the layer nodes of the graph, in the order they run.
    """

    def __init__(
        self,
        inputs: Sequence[KerasTensor],
        outputs: Sequence[KerasTensor],
        losses: Sequence[KerasTensor] = (),
    ) -> None:
        _check_inputs(inputs)
        self.plan = Plan(inputs, [*outputs, *losses])
        self.inputs = self.plan.inputs
        self.outputs = tuple(outputs)
        input_nodes = [tensor.node for tensor in self.inputs if tensor.node is not None]
        self.all_nodes = [*input_nodes, *self.plan.nodes]
        self.nodes = [node for node in self.all_nodes if is_layer_node(node)]
        self.layers = self._ordered_layers()
        self._check_names()

    def _ordered_layers(self) -> list[Any]:
        depth: dict[int, int] = {}
        layer_depth: dict[int, int] = {}
        for node in reversed(self.all_nodes):
            key = id(node.operation)
            # A shared layer is as deep as its deepest call, and so are all that feed it.
            mine = max(depth.get(id(node), 0), layer_depth.get(key, 0))
            layer_depth[key] = mine
            for tensor in node.inputs:
                if tensor.node is not None:
                    depth[id(tensor.node)] = max(depth.get(id(tensor.node), 0), mine + 1)
        layers = {id(layer): layer for layer in self._visited_layers()}
        return sorted(layers.values(), key=lambda layer: -layer_depth[id(layer)])

    def _visited_layers(self) -> list[Any]:
        """Layers in the order in which a walk from the outputs meets them."""
        here = {id(node) for node in self.all_nodes}
        seen: set[int] = set()
        visited: list[Any] = []
        stack = [t.node for t in reversed(self.plan.outputs)]
        while stack:
            node = stack.pop()
            if node is None or id(node) in seen or id(node) not in here:
                continue
            seen.add(id(node))
            if is_layer_node(node):
                visited.append(node.operation)
            stack.extend(t.node for t in reversed(node.inputs))
        unused = [t.node.operation for t in self.inputs if t.node and id(t.node) not in seen]
        return visited + unused

    def _check_names(self) -> None:
        names: dict[str, Any] = {}
        for layer in self.layers:
            if names.setdefault(layer.name, layer) is not layer:
                raise ValueError(
                    f"Two layers of the model are called {layer.name!r}. Names in a model are "
                    f"unique: give one of them another, {type(layer).__name__}(..., name='...')."
                )


def _check_inputs(inputs: Sequence[Any]) -> None:
    for tensor in inputs:
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                "The inputs of a Model are symbolic tensors made by Input(shape=...); got "
                f"{type(tensor).__name__}."
            )
    if len({id(tensor) for tensor in inputs}) != len(inputs):
        raise ValueError(
            f"Each input of a Model may be listed once; got {[tensor.name for tensor in inputs]}."
        )


# ---------------------------------------------------------------- configuration


def graph_config(graph: Graph) -> dict[str, Any]:
    """Layers, their connections, inputs and outputs, in the format of Keras 2."""
    places: dict[int, int] = {}
    calls: dict[str, list[Node]] = {}
    for node in sorted(graph.nodes, key=lambda node: node.call_index):
        kept = calls.setdefault(node.operation.name, [])
        # Keras counts the making of a model as its call 0, so calls within another begin at 1.
        places[id(node)] = len(kept) + _is_network(node.operation)
        kept.append(node)

    def reference(tensor: KerasTensor) -> list[Any]:
        node = tensor.node
        if node is None or not is_layer_node(node):
            made_by = "an input" if node is None else f"K.{node.operation.__name__}"
            raise ValueError(
                f"{tensor!r} is made by {made_by}, not by a layer, so the model has no "
                "configuration. Wrap it: Lambda(lambda x: ...)(tensor)."
            )
        return [node.operation.name, places[id(node)], tensor.index]

    def inbound(node: Node) -> list[Any]:
        if not node.args:
            return []
        extra = map_structure(
            lambda v: reference(v) if isinstance(v, KerasTensor) else registry.serialize_value(v),
            {**node.kwargs, **_positional(node)},
        )
        return [[*reference(tensor), extra] for tensor in flatten(node.args[0])]

    layers = [
        {
            "name": layer.name,
            **registry.serialize(layer),
            "inbound_nodes": [made for made in map(inbound, calls[layer.name]) if made],
        }
        for layer in graph.layers
    ]
    return {
        "layers": layers,
        "input_layers": [reference(tensor) for tensor in graph.inputs],
        "output_layers": [reference(tensor) for tensor in graph.outputs],
    }


def _positional(node: Node) -> dict[str, Any]:
    """Arguments given by position after the inputs, by the names that ``call`` gives them."""
    names = list(inspect.signature(node.operation.call).parameters)[1:]
    return dict(zip(names, node.args[1:], strict=False))


def graph_from_config(config: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The inputs and outputs of a graph built from :func:`graph_config`'s data.

    Raises:
        ValueError: the data names a layer or tensor that does not exist.
    """
    layers: dict[str, Any] = {}
    waiting: list[tuple[Any, list[Any]]] = []
    for data in config["layers"]:
        layer = registry.deserialize("layer", {k: data[k] for k in ("class_name", "config")})
        layers[data["name"]] = layer
        waiting += [(layer, call) for call in data["inbound_nodes"]]
    made: dict[str, list[Any]] = {
        name: [layer._inbound_nodes[0]] if layer._inbound_nodes else []
        for name, layer in layers.items()
    }
    first = _first_calls(config, layers)

    def tensor(place: Sequence[Any]) -> KerasTensor:
        name, call, index = place[0], int(place[1]), int(place[2])
        return made[name][call - first[name]].flat_outputs[index]

    def ready(call: Any) -> bool:
        return all(
            len(made[place[0]]) > place[1] - first[place[0]] for place in _places(call, layers)
        )

    while waiting:
        # A layer's calls are made in their recorded order, or its call numbers would change.
        blocked: set[int] = set()
        left = []
        for layer, call in waiting:
            if id(layer) in blocked or not ready(call):
                blocked.add(id(layer))
                left.append((layer, call))
                continue
            made[layer.name].append(_repeat_call(layer, call, tensor, layers))
        if len(left) == len(waiting):
            names = sorted({layer.name for layer, _ in left})
            raise ValueError(
                f"The configuration's layers {names} wait for inputs it does not have."
            )
        waiting = left
    return (
        [tensor(place) for place in _listed(config["input_layers"])],
        [tensor(place) for place in _listed(config["output_layers"])],
    )


def _is_network(layer: Any) -> bool:
    return hasattr(layer, "_graph")


def _first_calls(config: Mapping[str, Any], layers: Mapping[str, Any]) -> dict[str, int]:
    """The number of each layer's first call: 1 for models in Keras's files, 0 for all else."""
    calls = [call for data in config["layers"] for call in data["inbound_nodes"]]
    used = [place for call in calls for place in _places(call, layers)]
    used += [place for key in ("input_layers", "output_layers") for place in _listed(config[key])]
    least = {name: 1 for name, layer in layers.items() if _is_network(layer)}
    for place in used:
        if place[0] in least:
            least[place[0]] = min(least[place[0]], int(place[1]))
    return {name: least.get(name, 0) for name in layers}


def _listed(places: Any) -> list[Any]:
    """Places as a list; tf_keras writes a single one bare."""
    return [places] if places and isinstance(places[0], str) else list(places)


def _places(call: Any, layers: Mapping[str, Any]) -> list[Any]:
    found = [place[:3] for place in _listed(call)]
    for place in _listed(call):
        extra = place[3] if len(place) > 3 else {}
        found += [v for v in extra.values() if _is_place(v, layers)]
    unknown = [place[0] for place in found if place[0] not in layers]
    if unknown:
        raise ValueError(f"The configuration connects to a layer {unknown[0]!r} that it lacks.")
    return found


def _is_place(value: Any, layers: Mapping[str, Any]) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and value[0] in layers
        and isinstance(value[1], int)
        and isinstance(value[2], int)
    )


def _repeat_call(layer: Any, call: Any, tensor: Any, layers: Mapping[str, Any]) -> Node:
    places = _listed(call)
    inputs = [tensor(place) for place in places]
    kwargs = dict(places[0][3]) if len(places[0]) > 3 else {}

    def restore(value: Any) -> Any:
        if _is_place(value, layers):
            return tensor(value)
        return [restore(item) for item in value] if isinstance(value, list) else value

    kwargs = {key: restore(value) for key, value in kwargs.items()}
    layer(inputs[0] if len(inputs) == 1 else inputs, **kwargs)
    return layer._inbound_nodes[-1]
