"""The model graph: a model drawn as its layers and what flows between them.

The drawing is made in Python (:mod:`nbkeras.diagram`), so that the page, the
saved notebook, the SVG and the PNG show the same. The page asks for another one when a
person folds, unfolds or turns it.
"""

from __future__ import annotations

import base64
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets

from nbkeras.diagram import (
    FORMATS,
    Direction,
    Drawing,
    Outline,
    describe,
    lay_out,
    png,
    render,
    svg,
)
from nbkeras.diagram.items import Item, shape_text
from nbkeras.events import ModelBuilt
from nbkeras.text import count, escape, plain
from nbkeras.widgets import live
from nbkeras.widgets.base import Display, Widget, in_kernel, is_built
from nbkeras.widgets.markup import styled

__all__ = ["ModelGraph", "summary"]

log = logging.getLogger(__name__)

Inspect = Callable[..., Mapping[str, Any]]
"""Called with a layer's name (below a sub-model: with the names on the way to it);
returns the values of its weights by name."""

TURNS: tuple[Direction, ...] = ("TB", "LR")  # what the page offers
SPARED = 150  # items; larger drawings are made on demand only
BINS = 24
MARK = "nbk-graph-saved"

# The picture stands for the view where there is none. Where a trusted notebook is opened
# without its kernel, it also covers for what JupyterLab says in the live view's place.
COVER = (
    f"<style>.jp-OutputArea-child:has(.{MARK})+.jp-OutputArea-child"
    ":has(>.jp-OutputArea-output.jupyter-widgets){display:none}</style>"
)


class GraphWidget(Widget):
    """The live form of the graph.

    ``drawing`` is what is shown; ``spare`` holds others, by direction and by what is
    unfolded, for when no kernel answers. ``layers`` tells more of each item.
    """

    view = "graph"

    drawing = traitlets.Dict().tag(sync=True, echo_update=False)
    spare = traitlets.Dict().tag(sync=True, echo_update=False)
    layers = traitlets.Dict().tag(sync=True, echo_update=False)
    about = traitlets.Dict().tag(sync=True, echo_update=False)


class ModelGraph:
    """The layers of a model and their connections, to look at and to walk through.

    It is shown when it is the value of a cell, or by ``show()``. Sub-models and, in
    models of more than 40 layers, repeated blocks fold and unfold.

    Args:
        model: the event that describes the model.
        direction: "TB" draws from top to bottom, "LR" from left to right, "BT" and "RL"
            the other way round.
        inspect: gives the values of a layer's weights for the panel beside the graph:
            called with the layer's name (with several where it is inside sub-models),
            returns arrays by the weights' names. None shows names and shapes only.
        blocks: whether repeated layers of long models become blocks.

    Raises:
        TypeError: ``model`` is no ModelBuilt event.
        ValueError: no such direction.

    >>> from nbkeras.events import LayerInfo, ModelBuilt
    >>> dense = LayerInfo("dense", "Dense", (None, 4), (None, 2), 10, 10, True, 40)
    >>> graph = ModelGraph(ModelBuilt("net", "Sequential", (dense,)))
    >>> graph
    <ModelGraph of net: 2 nodes>
    >>> graph.svg()[:4]
    '<svg'
    """

    # Views answer their pages; the oldest are closed, and their pictures come back.
    _shown: ClassVar[deque[GraphWidget]] = deque()
    _most_shown = 16

    def __init__(
        self,
        model: ModelBuilt,
        direction: Direction = "TB",
        inspect: Inspect | None = None,
        blocks: bool = True,
    ) -> None:
        if not isinstance(model, ModelBuilt):
            raise TypeError(
                "ModelGraph takes the ModelBuilt event of a model, not "
                f"{type(model).__name__}; %summary NAME --show graph draws a model."
            )
        self.model = model
        self.outline = Outline.of(model, blocks)
        self.drawing = lay_out(self.outline, direction=direction)
        self._inspect = inspect
        self._items = {item.id: item for item in self.outline.walk()}
        self._widget: GraphWidget | None = None

    # ------------------------------------------------------------ as a picture

    def fold(
        self, open: Iterable[str] | None = None, direction: Direction | None = None
    ) -> ModelGraph:
        """Draw it anew: unfold the items with these ids, fold all others. Returns the graph.

        ``open=()`` folds everything, ``open=graph.outline.foldable`` nothing.
        """
        shown = self.drawing.open if open is None else open
        self.drawing = lay_out(self.outline, shown, direction or self.drawing.direction)
        if self._widget is not None:
            self._widget.drawing = self.drawing.to_json()
        return self

    def svg(self) -> str:
        """The drawing as an SVG document."""
        return svg(self.drawing)

    def png(self, scale: float = 2.0) -> bytes:
        """The drawing as a PNG image of ``scale`` pixels a unit."""
        return png(self.drawing, scale)

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a file that ends in ``.svg``, ``.png`` or ``.pdf``.

        Returns:
            The path.

        Raises:
            ValueError: the name has another ending; no file is written.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            raise ValueError(
                f"The name of the file says its format, .svg, .png or .pdf, "
                f"as in graph.save('model.svg'); got {plain(path.name)!r}."
            )
        path.write_bytes(render(self.drawing, kind, 96 if kind == "svg" else 192))
        return path

    def html(self) -> str:
        """The picture as HTML, for a notebook that is saved."""
        code = base64.b64encode(self.svg().encode("utf-8")).decode("ascii")
        width = round(self.drawing.width)
        return styled(
            f'<p><strong class="{MARK}">{escape(self.model.name)}</strong></p>',
            f'<p><img src="data:image/svg+xml;base64,{code}" width="{width}" '
            f'alt="{escape(describe(self.drawing), 4000)}"></p>',
            COVER,
        )

    def __repr__(self) -> str:
        shown = sum(node.state != "open" for node in self.drawing.nodes)
        return f"<ModelGraph of {plain(self.model.name)}: {shown} nodes>"

    def __str__(self) -> str:
        return describe(self.drawing)

    # ------------------------------------------------------------ in a notebook

    def show(self) -> None:
        """Show it in the cell that runs: the picture, and the live view, which hides it."""
        if not in_kernel():
            print(self)
            return
        Display().add(self._repr_mimebundle_())
        if is_built(GraphWidget.view):
            Display().add(*self._open().bundle(""))

    _ipython_display_ = show

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}

    def _open(self) -> GraphWidget:
        if self._widget is None or self._widget.comm is None:  # it was closed
            self._widget = GraphWidget(
                drawing=self.drawing.to_json(),
                spare=self._spare(),
                layers={item.id: _details(item) for item in self._items.values()},
                about={
                    "name": plain(self.model.name),
                    "kind": plain(self.model.kind),
                    "layers": len(self.model.layers),
                    "parameters": self.model.parameters,
                    "inspect": self._inspect is not None,
                },
            )
            self._widget.on_msg(self._receive)
            live.pin(self._widget.comm)
            self._shown.append(self._widget)
            while len(self._shown) > self._most_shown:
                self._shown.popleft().close()
        return self._widget

    def _spare(self) -> dict[str, Any]:
        """Drawings for a page that no kernel answers, by direction and what is open."""
        opened: dict[str, Iterable[str]] = {"first": self.outline.opened(), "folded": ()}
        opened["unfolded"] = self.outline.foldable
        opened = {
            name: ids for name, ids in opened.items() if len(self.outline.view(ids).items) <= SPARED
        }
        made: dict[tuple[Direction, frozenset[str]], Drawing] = {}
        for direction in TURNS:
            for ids in opened.values():
                key = (direction, frozenset(ids))
                made.setdefault(key, lay_out(self.outline, ids, direction))
        return {
            direction: {
                name: made[direction, frozenset(ids)].to_json() for name, ids in opened.items()
            }
            for direction in TURNS
        }

    # ------------------------------------------------------------ from the page

    def _receive(self, widget: GraphWidget, content: Any, _buffers: Any) -> None:
        """A message of the page. What is not expected is refused, and changes nothing."""
        try:
            widget.send(self._answer(content))
        except ValueError as error:
            widget.send({"type": "Refused", "reason": plain(error)})

    def _answer(self, content: Any) -> dict[str, Any]:
        kind = content.get("type") if isinstance(content, Mapping) else None
        if kind == "LayOut" and set(content) == {"type", "direction", "open"}:
            direction, open_ = content["direction"], content["open"]
            if direction not in TURNS:
                raise ValueError(f"A direction is TB or LR; got {direction!r:.80}.")
            known = self.outline.foldable
            if not isinstance(open_, list) or not all(
                isinstance(id, str) and id in known for id in open_
            ):
                raise ValueError(f"What is unfolded is a list of ids; got {open_!r:.200}.")
            self.fold(open_, direction)
            return {"type": "LaidOut"}
        if kind == "Inspect" and set(content) == {"type", "id"}:
            id = content["id"]
            item = self._items.get(id) if isinstance(id, str) else None
            if item is None or item.layer is None or self._inspect is None:
                raise ValueError(f"There is nothing to inspect at {id!r:.80}.")
            return {"type": "Weights", "id": id, **self._weights(item)}
        raise ValueError(f"Expected a message LayOut or Inspect; got {content!r:.200}.")

    def _weights(self, item: Item) -> dict[str, Any]:
        """The summaries of a layer's weights, or why there are none."""
        assert self._inspect is not None
        try:
            values = self._inspect(*self._names(item.id))
            return {"weights": {plain(name): summary(value) for name, value in values.items()}}
        except Exception as error:  # a person's callable, or a model that is gone
            log.debug("The weights of %s could not be read.", item.id, exc_info=True)
            return {"weights": {}, "reason": plain(f"{type(error).__name__}: {error}")}

    def _names(self, id: str) -> list[str]:
        """The names of the sub-models around a layer, and its own."""
        names: list[str] = []
        while id:
            layer = self._items[id].layer
            if layer is not None:
                names.insert(0, layer.name)
            id = self.outline.parents.get(id, "")
        return names


def summary(values: Any) -> dict[str, Any]:
    """What the numbers of an array are like: count, least, mean, greatest, spread, histogram.

    Numbers that are not finite are counted apart and left out of all else.

    >>> summary([0.0, 1.0])["mean"]
    0.5
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    finite = array[np.isfinite(array)]
    result: dict[str, Any] = {"count": int(array.size), "bad": int(array.size - finite.size)}
    if not finite.size:
        return result
    # Numbers near the end of what float64 holds have no sums, and no bins.
    with np.errstate(all="ignore"), suppress(ValueError, FloatingPointError):
        numbers = {"min": finite.min(), "mean": finite.mean(), "max": finite.max()}
        numbers["std"] = finite.std()
        result |= {name: float(value) for name, value in numbers.items() if np.isfinite(value)}
        bars, edges = np.histogram(finite, bins=BINS)
        if np.isfinite(edges).all():
            result |= {"bars": bars.tolist(), "from": float(edges[0]), "to": float(edges[-1])}
    return result


def _details(item: Item) -> dict[str, Any]:
    """What the panel beside the graph, and the table behind it, say of an item."""
    facts = [["Type", item.kind]]
    if item.input_shape is not None:
        facts.append(["Input", shape_text(item.input_shape)])
    facts.append(["Output", shape_text(item.output_shape)])
    if item.layers > 1:
        facts.append(["Layers", count(item.layers)])
    facts.append(["Parameters", count(item.parameters)])
    layer = item.layer
    if layer is not None and layer.parameters:
        facts.append(["Trainable", count(layer.trainable_parameters)])
    if item.calls > 1:
        facts.append(["Calls", count(item.calls)])
    if item.role:
        facts.append(["Role", f"{item.role} of the model"])
    return {
        "name": item.title,
        "facts": facts,
        "config": [
            [plain(key, 60), _value(value)]
            for key, value in (layer.config if layer is not None else {}).items()
            if key != "name"
        ],
        "weights": [
            {
                "name": plain(weight.name),
                "shape": shape_text(weight.shape),
                "dtype": plain(weight.dtype, 40),
                "trainable": weight.trainable,
            }
            for weight in (layer.weights if layer is not None else ())
        ],
    }


def _value(value: Any, depth: int = 0) -> str:
    """A value of a configuration on one line.

    >>> _value({"class_name": "Zeros", "config": {}}), _value((3, 3)), _value(0.001)
    ('Zeros()', '(3, 3)', '0.001')
    """
    if isinstance(value, Mapping) and depth < 3:
        inner = value.get("config") if set(value) == {"class_name", "config"} else value
        inner = inner if isinstance(inner, Mapping) else {}
        listed = ", ".join(f"{plain(k)}={_value(v, depth + 1)}" for k, v in inner.items())
        name = plain(value["class_name"]) if inner is not value else ""
        return plain(f"{name}({listed})", 400)
    if isinstance(value, list | tuple) and depth < 3:
        listed = ", ".join(_value(one, depth + 1) for one in value)
        return plain(f"({listed},)" if len(value) == 1 else f"({listed})", 400)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(value, 400)
    return f"{value:g}" if isinstance(value, float) else str(value)
