"""What a model is, as plain data for tables and graphs, and as printed text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import events
from .. import registry
from .graph import is_layer_node
from .shapes import shape_of

__all__ = ["describe", "print_summary"]


def describe(model: Any, name: str | None = None) -> events.ModelBuilt:
    """A model as the event that layer tables and graphs draw.

    Args:
        model: a model, built or not.
        name: what to call it, by default its own name.
    """
    return events.ModelBuilt(
        name=name or model.name,
        kind=type(model).__name__,
        layers=_layers(model),
        inputs=tuple(model.input_names),
        outputs=tuple(model.output_names),
        **_counts(model),
    )


def _layers(model: Any) -> tuple[events.LayerInfo, ...]:
    graph = getattr(model, "_graph", None)
    nodes = {} if graph is None else {id(node) for node in graph.nodes}
    listed = {id(layer) for layer in model.layers}
    return tuple(_layer(layer, nodes, listed) for layer in model.layers)


def _layer(layer: Any, nodes: Any, listed: set[int]) -> events.LayerInfo:
    calls = [node for node in layer._inbound_nodes if id(node) in nodes]
    counts = _counts(layer)
    return events.LayerInfo(
        name=layer.name,
        kind=type(layer).__name__,
        input_shape=_plain(shape_of(calls[0].args[0])) if calls and calls[0].args else None,
        output_shape=_plain(shape_of(calls[0].outputs)) if calls else None,
        parameters=counts["parameters"],
        trainable_parameters=counts["trainable_parameters"],
        trainable=bool(layer.trainable),
        bytes=counts["bytes"],
        connected_to=tuple(
            events.Connection(
                source=made.node.operation.name,
                shape=_plain(shape_of(tensor)) or (),
                call=call,
                tensor=made.index,
                source_call=made.node.call_index,
            )
            for call, node in enumerate(calls)
            for tensor in node.inputs
            for made in _made_by_layers(tensor)
            if id(made.node.operation) in listed
        ),
        config=_config(layer),
        weights=tuple(
            events.WeightInfo(w.name, tuple(w.shape), w.dtype.name, any(w is t for t in moving))
            for moving in [layer.trainable_weights]
            for w in layer.weights
        ),
        layers=_layers(layer) if hasattr(layer, "layers") and layer.layers else (),
    )


def _made_by_layers(tensor: Any) -> list[Any]:
    """A tensor, or those that backend functions made it from, back to layers."""
    node = tensor.node
    if node is None:
        return []
    if is_layer_node(node):
        return [tensor]
    return [made for given in node.inputs for made in _made_by_layers(given)]


def _plain(shape: Any) -> Any:
    return tuple(_plain(part) for part in shape) if isinstance(shape, list | tuple) else shape


def _counts(layer: Any) -> dict[str, int]:
    def count(weights: list[Any]) -> int:
        return sum(int(np.prod(weight.shape)) for weight in weights)

    return {
        "parameters": count(layer.weights),
        "trainable_parameters": count(layer.trainable_weights),
        "bytes": sum(int(np.prod(w.shape)) * w.dtype.size for w in layer.weights),
    }


def _config(layer: Any) -> Any:
    """A layer's configuration; a sub-model's is in its layers."""
    if hasattr(layer, "layers"):
        return {}
    try:
        return events.to_json(registry.serialize_value(layer.get_config()))
    except (NotImplementedError, TypeError, ValueError):
        return {}


# ---------------------------------------------------------------- text


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print a model's layers, output shapes, parameters and, if it branches, connections.

    Raises:
        ValueError: the model is not built yet.
    """
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} has no shapes yet: give its first layer an input_shape, or call "
            "model.build((None, ...)) or fit it once."
        )
    write = print_fn or print
    info = describe(model)
    sequential = _is_chain(info)
    width = line_length or (65 if sequential else 98)
    shares = list(positions or ([0.45, 0.85, 1.0] if sequential else [0.33, 0.55, 0.67, 1.0]))
    ends = [int(width * share) if share <= 1 else int(share) for share in shares]
    titles = ["Layer (type)", "Output Shape", "Param #", "Connected to"][: len(ends)]
    write(f'Model: "{info.name}"')
    write("_" * width)
    write(_row(titles, ends))
    write("=" * width)
    for number, layer in enumerate(info.layers):
        sources = [f"{c.source}[{c.source_call}][{c.tensor}]" for c in layer.connected_to] or [""]
        cells = [f"{layer.name} ({layer.kind})", str(layer.output_shape or "multiple")]
        write(_row([*cells, str(layer.parameters), sources[0]][: len(ends)], ends))
        if len(ends) > 3:
            for source in sources[1:]:
                write(_row(["", "", "", source], ends))
        write(("=" if number == len(info.layers) - 1 else "_") * width)
    write(f"Total params: {info.parameters:,}")
    write(f"Trainable params: {info.trainable_parameters:,}")
    write(f"Non-trainable params: {info.parameters - info.trainable_parameters:,}")
    write("_" * width)


def _is_chain(info: events.ModelBuilt) -> bool:
    before = [None, *(layer.name for layer in info.layers)]
    return all(
        len(layer.connected_to) <= 1
        and all(connection.source == before[place] for connection in layer.connected_to)
        for place, layer in enumerate(info.layers)
    )


def _row(cells: list[str], ends: list[int]) -> str:
    line = ""
    for cell, end in zip(cells, ends, strict=True):
        line = (line + cell)[: end - 1].ljust(end)
    return line.rstrip()
