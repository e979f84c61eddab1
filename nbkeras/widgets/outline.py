"""A model as an outline: its layers, sub-models and repeated blocks, and what feeds what.

An outline is a tree of items whose leaves are layers. Edges join leaves only, so any
folding state of the tree is drawn by moving each end of an edge to the outermost
folded item around it (:meth:`Outline.view`). Besides the sub-models that the user
made, long models get blocks: where all data passes through one layer the list of
layers is cut, and equal pieces in a row become one item ("5 x block").

Only events and the standard library are used here.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nbkeras.events import Connection, LayerInfo, ModelBuilt

__all__ = ["Item", "Link", "Outline", "View", "family", "printable", "shape_text"]

LONG = 24
"""A level with more layers than this is searched for repeated blocks."""

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


def printable(text: Any) -> str:
    r"""Text with every control, bidirectional and other invisible character spelled out.

    >>> printable("a\x1b[31m\u202eb")
    'a\\x1b[31m\\u202eb'
    """
    return "".join(
        character
        if unicodedata.category(character)[0] != "C"
        and unicodedata.category(character) not in ("Zl", "Zp")
        else character.encode("unicode_escape").decode("ascii")
        if not 0xD800 <= ord(character) <= 0xDFFF
        else f"\\u{ord(character):04x}"
        for character in str(text)
    )


def shape_text(shape: Any) -> str:
    """A shape, or several, as text; an unknown size reads "?".

    >>> shape_text((None, 28, 28, 1)), shape_text(((None, 4), (None, 5)))
    ('(?, 28, 28, 1)', '(?, 4), (?, 5)')
    """
    if shape is None:
        return "?"
    if not isinstance(shape, list | tuple):
        return printable(shape)
    if shape and all(isinstance(part, list | tuple) for part in shape):
        return ", ".join(shape_text(part) for part in shape)
    sizes = ["?" if size is None else printable(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


# ---------------------------------------------------------------- items and edges


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

    ``calls`` are the calls of the target it belongs to, empty where the target is
    called once only.
    """

    source: str
    target: str
    shape: str
    calls: tuple[int, ...] = ()
    count: int = 1


@dataclass(frozen=True)
class View:
    """What is to be drawn of an outline: ``items``, each open one before its children."""

    items: tuple[Item, ...]
    links: tuple[Link, ...]
    parents: Mapping[str, str]
    open: frozenset[str]


@dataclass(frozen=True)
class Outline:
    """All items of a model and the links between its layers."""

    name: str
    items: tuple[Item, ...]
    links: tuple[Link, ...]
    parents: Mapping[str, str] = field(repr=False)
    model: ModelBuilt = field(repr=False)

    @classmethod
    def of(cls, model: ModelBuilt, blocks: bool = True) -> Outline:
        """The outline of a model; ``blocks=False`` leaves repeated layers apart.

        >>> from nbkeras.events import Connection, LayerInfo, ModelBuilt
        >>> one = LayerInfo("a", "Dense", (None, 2), (None, 3), 9, 9, True, 36)
        >>> outline = Outline.of(ModelBuilt("net", "Sequential", (one,)))
        >>> [item.title for item in outline.items]
        ['a_input', 'a']
        """
        level = _Level.of(model.layers, "", model)
        items = _with_blocks(level) if blocks else level.items
        parents = {
            child.id: item.id for top in items for item in top.walk() for child in item.children
        }
        links = _number_calls(level.links, items)
        return cls(printable(model.name), items, links, parents, model)

    def walk(self) -> Iterator[Item]:
        """All items, outermost first."""
        for item in self.items:
            yield from item.walk()

    @property
    def foldable(self) -> frozenset[str]:
        """The ids of all items that can be open or folded."""
        return frozenset(item.id for item in self.walk() if item.children)

    def view(self, open: Iterable[str] = ()) -> View:
        """What is seen when the items ``open`` are unfolded and all others folded."""
        wanted = self.foldable.intersection(open)
        seen: list[Item] = []
        stands_for: dict[str, str] = {}

        def visit(item: Item) -> None:
            seen.append(item)
            if item.id in wanted:
                for child in item.children:
                    visit(child)
            else:
                stands_for.update((inner.id, item.id) for inner in item.walk())

        for item in self.items:
            visit(item)
        visible = {item.id for item in seen}
        links = _merged(
            replace(link, source=stands_for[link.source], target=stands_for[link.target])
            for link in self.links
            if link.source == link.target or stands_for[link.source] != stands_for[link.target]
        )
        parents = {child: top for child, top in self.parents.items() if child in visible}
        return View(tuple(seen), links, parents, wanted & visible)


def _merged(links: Iterable[Link]) -> tuple[Link, ...]:
    """Links between the same two items as one."""
    merged: dict[tuple[str, str], Link] = {}
    for link in links:
        known = merged.get((link.source, link.target))
        if known is None:
            merged[link.source, link.target] = link
            continue
        shapes = dict.fromkeys([*known.shape.split("; "), link.shape])
        merged[link.source, link.target] = replace(
            known,
            shape="; ".join(shapes),
            calls=tuple(sorted({*known.calls, *link.calls})),
            count=known.count + link.count,
        )
    return tuple(merged.values())


def _number_calls(links: Iterable[Link], items: Iterable[Item]) -> tuple[Link, ...]:
    """Links with ``calls`` only where the target is called more than once."""
    calls = {item.id: item.calls for top in items for item in top.walk()}
    return tuple(
        replace(link, calls=link.calls if calls[link.target] > 1 else ()) for link in links
    )


# ---------------------------------------------------------------- from layers to items


@dataclass
class _Level:
    """The items of a model or sub-model, with the doors through which data enters and leaves."""

    items: tuple[Item, ...]
    links: list[Link]
    entries: list[list[str]]
    exits: list[list[str]]
    parallel: bool

    @classmethod
    def of(cls, layers: tuple[LayerInfo, ...], path: str, model: ModelBuilt | None) -> _Level:
        inner = [
            cls.of(layer.layers, f"{path}{position}.", None) if layer.layers else None
            for position, layer in enumerate(layers)
        ]
        items = [
            _item(layer, f"{path}{position}", below, model)
            for position, (layer, below) in enumerate(zip(layers, inner, strict=True))
        ]
        position_of = {layer.name: position for position, layer in enumerate(layers)}
        links = [link for below in inner if below for link in below.links]
        consumed: set[int] = set()
        fed: set[int] = set()
        for position, layer in enumerate(layers):
            for slot, connection in _slots(layer.connected_to):
                source = position_of.get(connection.source)
                if source is None:
                    continue
                consumed.add(source)
                fed.add(position)
                links += [
                    Link(a, b, shape_text(connection.shape), (connection.call,))
                    for a in _exits(items[source], inner[source], connection.tensor)
                    for b in _entries(items[position], inner[position], slot)
                ]
        given = [position for position, item in enumerate(items) if item.family == "input"]
        starts = given or [position for position in range(len(items)) if position not in fed]
        ends = [position for position in range(len(items)) if position not in consumed]
        if model is not None:
            return cls._with_inputs(items, links, inner, fed, layers, model)
        return cls(
            tuple(items),
            links,
            [_entries(items[p], inner[p], 0) for p in starts or [0]],
            [_exits(items[p], inner[p], 0) for p in ends or [len(items) - 1]],
            parallel=not fed and not given and len(items) > 1,
        )

    @classmethod
    def _with_inputs(
        cls,
        items: list[Item],
        links: list[Link],
        inner: list[_Level | None],
        fed: set[int],
        layers: tuple[LayerInfo, ...],
        model: ModelBuilt,
    ) -> _Level:
        """The outermost level; a first layer without an input layer gets one to be drawn."""
        known = {layer.name for layer in layers}
        names = iter([name for name in model.inputs if name not in known])
        implied = []
        for position, layer in enumerate(layers):
            if position in fed or items[position].family == "input":
                continue
            name = printable(next(names, f"{layer.name}_input"))
            shape = layer.input_shape
            implied.append(Item(f"in{position}", name, "Input", "input", None, shape, role="input"))
            links += [
                Link(f"in{position}", door, shape_text(shape), (0,))
                for door in _entries(items[position], inner[position], 0)
            ]
        return cls((*implied, *items), links, [], [], parallel=False)


def _item(layer: LayerInfo, id: str, below: _Level | None, model: ModelBuilt | None) -> Item:
    kind = printable(layer.kind)
    group = "model" if below and family(kind) == "other" else family(kind)
    role: Literal["", "input", "output"] = ""
    if group == "input" and model is not None:
        role = "input"
    elif model is not None and layer.name in model.outputs:
        role = "output"
    return Item(
        id=id,
        title=printable(layer.name),
        kind="Input" if kind == "InputLayer" else kind,
        family=group,
        input_shape=None if group == "input" else layer.input_shape,
        output_shape=layer.output_shape,
        parameters=layer.parameters,
        frozen=layer.parameters > 0 and (not layer.trainable or layer.trainable_parameters == 0),
        calls=max(1, len({connection.call for connection in layer.connected_to})),
        layers=sum(item.layers for item in below.items) if below else 1,
        role=role,
        layer=layer,
        children=below.items if below else (),
    )


def _slots(connections: tuple[Connection, ...]) -> Iterator[tuple[int, Connection]]:
    """Each connection with its place among the inputs of its call."""
    places: dict[int, int] = {}
    for connection in connections:
        slot = places.get(connection.call, 0)
        places[connection.call] = slot + 1
        yield slot, connection


def _entries(item: Item, below: _Level | None, slot: int) -> list[str]:
    """The layers that read the input number ``slot`` of an item."""
    if below is None:
        return [item.id]
    if below.parallel:
        return [door for doors in below.entries for door in doors]
    return below.entries[min(slot, len(below.entries) - 1)]


def _exits(item: Item, below: _Level | None, tensor: int) -> list[str]:
    """The layers that make the output number ``tensor`` of an item."""
    if below is None:
        return [item.id]
    if below.parallel:
        return [door for doors in below.exits for door in doors]
    return below.exits[min(tensor, len(below.exits) - 1)]


# ---------------------------------------------------------------- blocks


def _with_blocks(level: _Level) -> tuple[Item, ...]:
    """The items of a level, equal pieces in a row and long pieces folded into blocks."""
    items = level.items
    if len(items) <= LONG:
        return items
    position_of = {inner.id: place for place, item in enumerate(items) for inner in item.walk()}
    arrows = {(position_of[link.source], position_of[link.target]) for link in level.links}
    arrows = {(a, b) for a, b in arrows if a != b}
    if any(a > b for a, b in arrows):
        return items
    pieces = _pieces(len(items), arrows)
    marks = [_signature(piece, items, arrows) for piece in pieces]
    result: list[Item] = []
    place = 0
    while place < len(pieces):
        start, period, times = _repeat(pieces, marks, place)
        result += [item for piece in pieces[place:start] for item in _folded(piece, items)]
        if times == 0:
            break
        groups = [
            [p for piece in pieces[at : at + period] for p in piece]
            for at in range(start, start + period * times, period)
        ]
        result.append(_run([_block(group, items) for group in groups]))
        place = start + period * times
    return tuple(result)


def _pieces(length: int, arrows: set[tuple[int, int]]) -> list[range]:
    """The positions cut wherever all that goes on comes from the layer just before."""
    furthest: dict[int, int] = {}
    for source, target in arrows:
        furthest[source] = max(target, furthest.get(source, 0))
    cuts, reach = [], 0
    for position in range(length):
        if reach <= position and furthest.get(position, 0) > position:
            cuts.append(position + 1)
        reach = max(reach, furthest.get(position, 0))
    edges = sorted({0, *cuts, length})
    return [range(a, b) for a, b in zip(edges, edges[1:], strict=False)]


def _signature(piece: range, items: tuple[Item, ...], arrows: set[tuple[int, int]]) -> Any:
    """What two pieces must share to be the same block: kinds, shapes, sizes and wiring."""
    wiring = sorted((a - piece.start, b - piece.start) for a, b in arrows if b in piece)
    what = [(items[p].kind, shape_text(items[p].output_shape), items[p].parameters) for p in piece]
    return repr((what, wiring))


def _repeat(pieces: list[range], marks: list[Any], place: int) -> tuple[int, int, int]:
    """The next run of equal pieces from ``place`` on: (start, pieces a period, times)."""
    for start in range(place, len(pieces)):
        best = max(
            (_candidate(pieces, marks, start, period) for period in range(1, 13)),
            default=(0, 0, 0),
        )
        covered, period, times = best[0], -best[1], best[2]
        if not covered:
            continue
        # A run may be read from several starts; a block begins with its largest piece.
        shifts = [
            shift
            for shift in range(period)
            if _candidate(pieces, marks, start + shift, period)[2] == times
        ]
        largest = max(shifts, key=lambda shift: (len(pieces[start + shift]), -shift))
        return start + largest, period, times
    return len(pieces), 0, 0


def _candidate(
    pieces: list[range], marks: list[Any], start: int, period: int
) -> tuple[int, int, int]:
    """How many layers the run covers, and its (negated) period and times; zeros if too small."""
    times = 1
    while marks[start : start + period] == marks[
        start + times * period : start + (times + 1) * period
    ] and start + (times + 1) * period <= len(marks):
        times += 1
    each = sum(len(piece) for piece in pieces[start : start + period])
    worth = times >= 4 or (times == 3 and each >= 2) or (times == 2 and each >= 4)
    return (each * times, -period, times) if worth else (0, 0, 0)


def _folded(piece: range, items: tuple[Item, ...]) -> list[Item]:
    """A piece that stands alone: a block where it is long, else its layers."""
    return [_block(list(piece), items)] if len(piece) >= 4 else [items[p] for p in piece]


def _block(group: list[int], items: tuple[Item, ...]) -> Item:
    """The items at some positions as one; a single one stays itself."""
    inside = tuple(items[p] for p in group)
    if len(inside) == 1:
        return inside[0]
    return _group(inside, _common_name([item.title for item in inside]) or "block")


def _run(blocks: list[Item]) -> Item:
    """Equal blocks in a row as one item."""
    title = _common_name([block.title for block in blocks]) or blocks[0].kind
    if blocks[0].children:
        title = _common_name([block.title for block in blocks]) or "block"
    return _group(tuple(blocks), f"{len(blocks)} \N{MULTIPLICATION SIGN} {title}")


def _group(inside: tuple[Item, ...], title: str) -> Item:
    layers = sum(item.layers for item in inside)
    weighty = [item for item in inside if item.parameters]
    families = [item.family for item in inside if item.parameters] or [inside[0].family]
    common = max(dict.fromkeys(families), key=families.count)
    ids = f"{inside[0].id.split('-')[0]}-{inside[-1].id.split('-')[-1]}"
    return Item(
        # A run and its only block could cover the same layers: the run is marked.
        id=f"{ids}" if not any("-" in item.id for item in inside) else f"{ids}+",
        title=title,
        kind=f"{layers} layers",
        family=common,
        input_shape=inside[0].input_shape,
        output_shape=inside[-1].output_shape,
        parameters=sum(item.parameters for item in inside),
        frozen=bool(weighty) and all(item.frozen for item in weighty),
        layers=layers,
        role="output" if inside[-1].role == "output" else "",
        children=inside,
    )


def _common_name(names: list[str]) -> str:
    """What the names begin with in common, up to a word's end; empty where that says little.

    >>> _common_name(["conv2_block1_1_conv", "conv2_block1_add"]), _common_name(["add", "bn"])
    ('conv2_block1', '')
    """
    first, last = min(names), max(names)
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), math.inf)
    if same == math.inf:
        return first if len(first) == len(last) else first.rstrip("_-./ 0123456789")
    stem = first[: int(same)]
    cut = max(stem.rfind(mark) for mark in "_-./ ")
    return stem[:cut] if cut >= 3 else ""
