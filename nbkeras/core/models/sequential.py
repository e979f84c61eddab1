"""The sequential model: a stack of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import registry
from ..backend.symbolic import KerasTensor, flatten
from ..engine.graph import Graph
from ..engine.input_layer import Input, InputLayer
from ..engine.layer import Layer
from ..engine.shapes import shape_of
from .model import Model

__all__ = ["Sequential"]


@registry.register("layer")
class Sequential(Model):
    """A stack of layers, each fed with what the one before returns.

    The first layer says what comes in, by ``input_shape``; without it the model is
    built when it first sees data.

    Args:
        layers: the layers.
        name: its name.

    >>> from nbkeras.core.layers import Dense
    >>> model = Sequential([Dense(32, activation="relu", input_shape=(784,)), Dense(10)])
    >>> model.output_shape
    (None, 10)

    Source: Keras 2 manual, chapters 3.1 and 4.2.
    """

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._stack: list[Any] = []
        self._names: set[str] = set()
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Any]:
        """The layers that were added; not the input layer that Sequential makes itself."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def add(self, layer: Any) -> None:
        """Put a layer on top.

        Raises:
            TypeError: it is no layer, or returns several tensors; the model is as before.
            ValueError: it does not fit the layer below.
        """
        if isinstance(layer, KerasTensor):
            made_by = getattr(layer.node, "operation", None)
            layer = made_by if isinstance(made_by, InputLayer) else layer
        if not isinstance(layer, Layer):
            given = f"the class {layer.__name__}" if isinstance(layer, type) else repr(layer)
            raise TypeError(f"add takes a layer, such as add(Dense(10)); got {given:.100}.")
        # The names of before say quickly that there is none; a layer may have been renamed since.
        if layer.name in self._names and layer.name in [other.name for other in self._stack]:
            raise ValueError(
                f"The model already has a layer called {layer.name!r}. Names in a model are "
                f"unique: give this one another, {type(layer).__name__}(..., name='...')."
            )
        tensors = self._chain([*self._stack, layer], [layer])
        self._stack.append(layer)
        self._names.add(layer.name)
        if not isinstance(layer, InputLayer):
            self._sublayers.append(layer)
        if tensors is not None:
            self._set_graph(*tensors)

    _ends: tuple[KerasTensor, KerasTensor] | None = None
    _made: Graph | None = None

    @property
    def _graph(self) -> Graph | None:
        """The graph, made when it is first needed: of many layers added it is made once."""
        if self._made is None and self._ends is not None:
            first, last = self._ends
            self._made = Graph([first], [last], self._added_losses)
        return self._made

    @_graph.setter
    def _graph(self, graph: Graph | None) -> None:
        self._made = graph
        self._ends = None if graph is None else (graph.inputs[0], graph.outputs[0])

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        self._ends, self._made = (inputs, outputs), None
        self._trainer = None
        self.built = True

    def pop(self) -> None:
        """Take the top layer away.

        Raises:
            TypeError: there is none.
        """
        if not self.layers:
            raise TypeError("The model has no layers to take away.")
        self._stack.pop()
        left = self.layers
        if self._ends is not None and left:
            first, last = self._ends
            below: Any = last.node
            self._set_graph(first, below.args[0])
        else:
            self._graph, self.built = None, False
            self._stack = [layer for layer in self._stack if not isinstance(layer, InputLayer)]
        self._sublayers = left

    def _chain(self, stack: list[Any], new: list[Any]) -> tuple[Any, Any] | None:
        """Input and output once new layers are put on; ``None`` if no shape is known yet."""
        if self._ends is not None:
            first, tensor = self._ends
        else:
            source = self._source(stack)
            if source is None:
                return None
            first = tensor = source
            new = [layer for layer in stack if not isinstance(layer, InputLayer)]
        for layer in new:
            tensor = layer(tensor)
            if len(flatten(tensor)) != 1:
                raise TypeError(
                    f"Layer {layer.name!r} returns {len(flatten(tensor))} tensors; in a Sequential "
                    "each returns one. Use the functional API: Model(inputs, outputs)."
                )
        return first, tensor

    @staticmethod
    def _source(stack: list[Any]) -> KerasTensor | None:
        """The symbolic input that the first layer asks for."""
        first = stack[0]
        if isinstance(first, InputLayer):
            return first._inbound_nodes[0].outputs
        if isinstance(first, Model) and first.inputs:
            return Input(batch_shape=shape_of(first.inputs[0]), dtype=first.inputs[0].dtype.name)
        if first._batch_input_shape is None:
            return None
        return Input(
            batch_shape=first._batch_input_shape, dtype=first.dtype, name=f"{first.name}_input"
        )

    def build(self, input_shape: Any = None) -> None:
        """Build the layers for a shape (batch size in front)."""
        if self._graph is None and self._stack and input_shape is not None:
            self._connect(Input(batch_shape=(None, *tuple(input_shape)[1:])))
        self.built = self._graph is not None

    def _connect(self, tensor: KerasTensor) -> None:
        first = tensor
        for layer in self._stack:
            tensor = layer(tensor)
        self._set_graph(first, tensor)
        self._sublayers = self.layers

    def _build_from(self, inputs: list[Any]) -> None:
        if not self._stack:
            raise ValueError("The model has no layers yet: model.add(Dense(10)).")
        self._connect(Input(shape=tuple(inputs[0].shape)[1:], dtype=inputs[0].dtype.name))

    def get_config(self) -> dict[str, Any]:
        """The layers' configurations, in order; the first one tells the shape that comes in."""
        layers = [registry.serialize(layer) for layer in self.layers]
        if self.inputs and layers and not isinstance(self.layers[0], Model):
            layers[0]["config"].setdefault("batch_input_shape", shape_of(self.inputs[0]))
        return {"name": self.name, "layers": layers}

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """A new model, with new weights, from :meth:`get_config`'s data."""
        layers = config["layers"] if isinstance(config, Mapping) else config
        name = config.get("name") if isinstance(config, Mapping) else None
        with registry.custom_object_scope(custom_objects or {}):
            return cls([registry.deserialize("layer", data) for data in layers], name=name)

    def predict_classes(self, x: Any, batch_size: int | None = 32, verbose: int = 1) -> Any:
        """The class of each row: the largest output, or 1 where a single one is over 0.5."""
        scores = self.predict(x, batch_size=batch_size, verbose=verbose)
        return scores.argmax(-1) if scores.shape[-1] > 1 else (scores > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int | None = 32, verbose: int = 1) -> Any:
        """The outputs, as probabilities of the classes."""
        return self.predict(x, batch_size=batch_size, verbose=verbose)
