"""The layer table: what a model is made of, as HTML and text.

A plain HTML table with ``details`` for sub-models does all that is asked of it, in
every notebook, saved or live, with or without JavaScript; so this view has no widget.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nbkeras.events import Connection, LayerInfo, ModelBuilt
from nbkeras.text import bytes_, count, escape, plain, shape
from nbkeras.widgets.markup import Cell, Fold, Row, details, styled, table

__all__ = ["LayerTable"]

MOST_OPEN = 60  # layers; a longer table starts folded
COLUMNS = ("Layer", "Type", "Output shape", "Parameters", "Trainable", "Connected to")


class LayerTable:
    """Name, type, output shape, parameters, trainable and connections of each layer.

    It is shown when it is the value of a cell, or by ``show()``; ``str()`` is the same
    as text.

    Args:
        model: the event that describes the model.

    >>> from nbkeras.events import LayerInfo, ModelBuilt
    >>> dense = LayerInfo("dense", "Dense", (None, 4), (None, 2), 10, 10, True, 40)
    >>> print(LayerTable(ModelBuilt("net", "Sequential", (dense,), (), (), 10, 10, 40)))
    net (Sequential)
    Layer  Type   Output shape  Parameters  Trainable  Connected to
    ───────────────────────────────────────────────────────────────
    dense  Dense  (None, 2)             10  yes
    ───────────────────────────────────────────────────────────────
    Trainable: 10 parameters (40...B). In total: 10 (40...B).
    """

    def __init__(self, model: ModelBuilt) -> None:
        if not isinstance(model, ModelBuilt):
            raise TypeError(
                "LayerTable takes the ModelBuilt event of a model, not "
                f"{type(model).__name__}; %summary NAME shows the table of a model."
            )
        self.model = model

    def show(self) -> None:
        """Show the table in the cell that runs."""
        from IPython.display import display

        display(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}

    def __repr__(self) -> str:
        return f"<LayerTable of {plain(self.model.name)}>"

    # ------------------------------------------------------------ HTML

    def html(self) -> str:
        """The table as HTML."""
        model = self.model
        title = f"<strong>{escape(model.name)}</strong> ({escape(model.kind)})"
        body = _table(model.layers, _totals(model))
        if len(model.layers) > MOST_OPEN:
            body = details(f"{count(len(model.layers))} layers", body)
            body += f"<p>{escape(_sum(model))}</p>"
        return styled(f"<p>{title}</p>", body)

    # ------------------------------------------------------------ text

    def __str__(self) -> str:
        rows = [COLUMNS, *_text_rows(self.model.layers)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
        rule = "\u2500" * (sum(widths) + 2 * (len(widths) - 1))
        head, *body = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
        title = f"{plain(self.model.name)} ({plain(self.model.kind)})"
        return "\n".join([title, head, rule, *body, rule, _sum(self.model)])


def _table(layers: Sequence[LayerInfo], foot: Sequence[Row] = ()) -> str:
    head = [Cell(name, name == "Parameters") for name in COLUMNS]
    return table(head, _rows(layers), foot)


def _rows(layers: Sequence[LayerInfo]) -> Iterator[Row]:
    for layer in layers:
        yield [Cell(text, index == 3) for index, text in enumerate(_cells(layer))]
        if layer.layers:
            number = len(layer.layers)
            title = f"{number} layer{'s' * (number != 1)} of {layer.name}"
            yield Fold(title, _table(layer.layers))


def _text_rows(layers: Sequence[LayerInfo], depth: int = 0) -> Iterator[tuple[str, ...]]:
    for layer in layers:
        name, *rest = _cells(layer)
        yield ("  " * depth + name, *rest)
        yield from _text_rows(layer.layers, depth + 1)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        text.rjust(width) if index == 3 else text.ljust(width)
        for index, (text, width) in enumerate(zip(row, widths, strict=True))
    ]


def _cells(layer: LayerInfo) -> tuple[str, ...]:
    return (
        plain(layer.name, 80),
        plain(layer.kind, 60),
        shape(layer.output_shape),
        count(layer.parameters),
        _trainable(layer),
        _sources(layer.connected_to),
    )


def _trainable(layer: LayerInfo) -> str:
    if not layer.parameters:
        return ""
    if not layer.trainable or not layer.trainable_parameters:
        return "no"
    if layer.trainable_parameters < layer.parameters:
        return count(layer.trainable_parameters)
    return "yes"


def _sources(connections: Sequence[Connection]) -> str:
    """The layers each call takes its inputs from: ``a, b``; calls are parted by ``|``."""
    calls: dict[int, list[str]] = {}
    for link in connections:
        source = plain(link.source, 80) + (f"[{link.tensor}]" if link.tensor else "")
        calls.setdefault(link.call, []).append(source)
    return plain(" | ".join(", ".join(sources) for _, sources in sorted(calls.items())))


def _shares(model: ModelBuilt) -> list[tuple[str, int, float]]:
    """Parameters and bytes: trainable, not trainable, and in total."""
    trainable = model.trainable_parameters
    part = model.bytes * trainable / model.parameters if model.parameters else 0.0
    return [
        ("Trainable", trainable, part),
        ("Not trainable", model.parameters - trainable, model.bytes - part),
        ("In total", model.parameters, model.bytes),
    ]


def _totals(model: ModelBuilt) -> list[Row]:
    return [
        [Cell(label), Cell(""), Cell(""), Cell(count(number), True), Cell(bytes_(size)), Cell("")]
        for label, number, size in _shares(model)
        if number or label == "In total"
    ]


def _sum(model: ModelBuilt) -> str:
    trainable, fixed, total = _shares(model)
    said = f"Trainable: {count(trainable[1])} parameters ({bytes_(trainable[2])})."
    if fixed[1]:
        said += f" Not trainable: {count(fixed[1])} ({bytes_(fixed[2])})."
    return f"{said} In total: {count(total[1])} ({bytes_(total[2])})."
