"""What a model's diagram shows: items, the links between them, and their families."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nbkeras.events import LayerInfo
from nbkeras.text import plain

__all__ = ["Item", "Link", "family", "shape_text", "wrapped"]

FAMILIES: dict[str, tuple[str, ...]] = {
    "input": ("input",),
    "recurrent": ("lstm", "gru", "rnn", "bidirectional", "recurrent"),
    "convolution": ("conv", "locallyconnected"),
    "pooling": ("pool", "upsampling", "cropping", "zeropadding"),
    "normalization": ("normalization",),
    "noise": ("dropout", "noise"),
    "merge": ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"),
    "activation": ("relu", "elu", "softmax", "activation"),
    "shape": ("flatten", "reshape", "permute", "repeatvector", "masking"),
    "dense": ("dense", "embedding", "maxoutdense", "highway"),
    "model": ("model", "sequential"),
}
EXACT = {"merge"}
"""Families whose words are whole class names: "AveragePooling2D" is no merge."""


def family(kind: str) -> str:
    """The family of a layer's class name, which gives its colour.

    >>> [family(kind) for kind in ("Conv2D", "AveragePooling2D", "Average", "ConvLSTM2D")]
    ['convolution', 'pooling', 'merge', 'recurrent']
    """
    word = kind.lower().removeprefix("cudnn")
    for name, words in FAMILIES.items():
        if word in words or (name not in EXACT and any(part in word for part in words)):
            return name
    return "other"


def shape_text(shape: Any, unknown: str = "?") -> str:
    """A shape, or several, as text; an unknown size reads "?", or what is said.

    >>> shape_text((None, 28, 28, 1)), shape_text(((None, 4), (None, 5)), "None")
    ('(?, 28, 28, 1)', '(None, 4), (None, 5)')
    """
    if shape is None:
        return "?"
    if not isinstance(shape, list | tuple):
        return plain(shape)
    if shape and all(isinstance(part, list | tuple) for part in shape):
        return ", ".join(shape_text(part, unknown) for part in shape)
    sizes = [unknown if size is None else plain(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def wrapped(layer: LayerInfo | None) -> tuple[str, str] | None:
    """The name and class of the layer that a wrapper holds; None for any other layer.

    >>> inner = {"class_name": "LSTM", "config": {"name": "lstm"}}
    >>> wrapped(LayerInfo("a", "Bidirectional", None, None, 0, 0, True, 0, config={"layer": inner}))
    ('lstm', 'LSTM')
    """
    inner = layer.config.get("layer") if layer is not None else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("config"), Mapping):
        return None
    return plain(inner["config"].get("name", "")), plain(inner.get("class_name", ""))


@dataclass(frozen=True)
class Item:
    """A layer, a sub-model, or a block of layers. A layer has no ``children``.

    ``id`` is a path of positions: ``"3"`` is the fourth layer, ``"3.0"`` the first
    layer of that sub-model, ``"4-9"`` a block of layers. ``calls`` counts how often
    the layer is called, ``layers`` how many layers the item holds.
    """

    id: str
    title: str
    kind: str
    family: str
    input_shape: Any = None
    output_shape: Any = None
    parameters: int = 0
    frozen: bool = False
    calls: int = 1
    layers: int = 1
    role: Literal["", "input", "output"] = ""
    layer: LayerInfo | None = None
    children: tuple[Item, ...] = ()

    def walk(self) -> Iterator[Item]:
        """The item and all below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Link:
    """Data that flows from one item to another; ``count`` tensors, of ``shape``.

    ``calls`` are the calls of the target it belongs to, and ``source_calls`` those of the
    source that made it; empty where there is one call only.
    """

    source: str
    target: str
    shape: str
    calls: tuple[int, ...] = ()
    count: int = 1
    source_calls: tuple[int, ...] = ()
