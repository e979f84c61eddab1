"""What a model is, as plain data for tables and graphs, and as printed text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ... import events
from .. import registry
from .graph import is_layer_node
from .shapes import shape_of

__all__ = ["describe", "print_summary"]


def describe(model: Any, name: str | None = None, details: bool = True) -> events.ModelBuilt:
    """A model as the event that layer tables and graphs draw.

    Args:
        model: a model, built or not.
        name: what to call it, by default its own name.
        details: whether to tell of configurations, single weights and what is inside
            sub-models too; it takes most of the time.
    """
    return events.ModelBuilt(
        name=name or model.name,
        kind=type(model).__name__,
        layers=_layers(model, details),
        inputs=tuple(model.input_names),
        outputs=tuple(model.output_names),
        **_counts(model),
    )


def _layers(model: Any, details: bool) -> tuple[events.LayerInfo, ...]:
    graph = getattr(model, "_graph", None)
    nodes = set() if graph is None else {id(node) for node in graph.nodes}
    listed = {id(layer) for layer in model.layers}
    return tuple(_layer(layer, nodes, listed, details) for layer in model.layers)


def _layer(layer: Any, nodes: set[int], listed: set[int], details: bool) -> events.LayerInfo:
    calls = [node for node in layer._inbound_nodes if id(node) in nodes]
    counts = _counts(layer)
    return events.LayerInfo(
        name=layer.name,
        kind=type(layer).__name__,
        input_shape=_common_shape([node.args[0] for node in calls if node.args]),
        output_shape=_common_shape([node.outputs for node in calls]),
        parameters=counts["parameters"],
        trainable_parameters=counts["trainable_parameters"],
        trainable=bool(layer.trainable),
        bytes=counts["bytes"],
        connected_to=tuple(
            _connection(made, tensor, call)
            for call, node in enumerate(calls)
            for tensor in node.inputs
            for made in _made_by_layers(tensor)
            if id(made.node.operation) in listed
        ),
        **(_details(layer) if details else {}),
    )


def _details(layer: Any) -> dict[str, Any]:
    """Configuration, weights, and the layers inside."""
    moving = {id(weight) for weight in layer.trainable_weights}
    found: dict[str, Any] = {
        "config": _config(layer),
        "weights": tuple(
            events.WeightInfo(w.name, tuple(w.shape), w.dtype.name, id(w) in moving)
            for w in layer.weights
        ),
    }
    inner = _model_in(layer)
    if inner is not None and inner.layers:
        found["layers"] = _layers(inner, True)
        found["inputs"] = tuple(inner.input_names)
        found["outputs"] = tuple(
            _connection(made, tensor)
            for tensor in inner.outputs
            for made in _made_by_layers(tensor)[:1]
        )
    return found


def _model_in(layer: Any) -> Any:
    """The model that a layer is, or wraps; ``None`` if there is none."""
    inner = layer if hasattr(layer, "layers") else getattr(layer, "layer", None)
    return inner if hasattr(inner, "layers") else None


def _connection(made: Any, tensor: Any, call: int = 0) -> events.Connection:
    """What a layer made, on its way: ``tensor`` is it, or what the backend made of it."""
    return events.Connection(
        source=made.node.operation.name,
        shape=_plain(shape_of(tensor)) or (),
        call=call,
        tensor=made.index,
        source_call=made.node.call_index,
    )


def _made_by_layers(tensor: Any) -> list[Any]:
    """A tensor, or those that backend functions made it from, back to layers, each once."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        here = waiting.pop()
        if here.node is None or id(here) in seen:
            continue
        seen.add(id(here))
        if is_layer_node(here.node):
            found[id(here)] = here
        else:
            waiting.extend(reversed(here.node.inputs))
    return list(found.values())


def _common_shape(structures: list[Any]) -> Any:
    """The shape that a layer has in all its calls; ``None`` if they differ, or there are none."""
    shapes = [_plain(shape_of(structure)) for structure in structures]
    return shapes[0] if shapes and all(shape == shapes[0] for shape in shapes) else None


def _plain(shape: Any) -> Any:
    return tuple(_plain(part) for part in shape) if isinstance(shape, list | tuple) else shape


def _counts(layer: Any) -> dict[str, int]:
    moving = layer.trainable_weights
    weights = {id(weight): weight for weight in [*layer.weights, *moving]}
    sizes = {key: math.prod(weight.shape) for key, weight in weights.items()}
    return {
        "parameters": sum(sizes.values()),
        "trainable_parameters": sum(sizes[id(weight)] for weight in moving),
        "bytes": sum(sizes[key] * weight.dtype.size for key, weight in weights.items()),
    }


def _config(layer: Any) -> Any:
    """A layer's configuration; a sub-model's is in its layers."""
    if hasattr(layer, "layers"):
        return {}
    try:
        config = events.to_json(registry.serialize_value(layer.get_config()))
    except (NotImplementedError, TypeError, ValueError):
        return {}
    inner = _model_in(layer)
    if inner is not None:
        config["layer"] = {"class_name": type(inner).__name__, "config": {"name": inner.name}}
    return config


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
    info = describe(model, details=False)
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
