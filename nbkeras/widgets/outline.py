"""A model as an outline: its layers, sub-models and repeated blocks, and what feeds what.

An outline is a tree of items whose leaves are layers. Edges join leaves only, so any
folding state of the tree is drawn by moving each end of an edge to the outermost
folded item around it (:meth:`Outline.view`). Besides the sub-models that the user
made, long models get blocks: where all data passes through one layer the list of
layers is cut, and equal pieces in a row become one item ("5 x block").

Only events and plain text helpers are used here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nbkeras.events import Connection, LayerInfo, ModelBuilt
from nbkeras.widgets.text import plain

__all__ = ["Item", "Link", "Outline", "View", "family", "shape_text"]

LONG = 40
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
SEPARATORS, DIGITS = "_-./ ", "0123456789"
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


def shape_text(shape: Any) -> str:
    """A shape, or several, as text; an unknown size reads "?".

    >>> shape_text((None, 28, 28, 1)), shape_text(((None, 4), (None, 5)))
    ('(?, 28, 28, 1)', '(?, 4), (?, 5)')
    """
    if shape is None:
        return "?"
    if not isinstance(shape, list | tuple):
        return plain(shape)
    if shape and all(isinstance(part, list | tuple) for part in shape):
        return ", ".join(shape_text(part) for part in shape)
    sizes = ["?" if size is None else plain(size) for size in shape]
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

                >>> from nbkeras.events import LayerInfo, ModelBuilt
        >>> one = LayerInfo("a", "Dense", (None, 2), (None, 3), 9, 9, True, 36)
                >>> outline = Outline.of(ModelBuilt("net", "Sequential", (one,)))
                >>> [item.title for item in outline.items]
                ['a_input', 'a']
        """
        level = _Level.of(model.layers, "", model, blocks)
        items = level.items
        parents = {
            child.id: item.id for top in items for item in top.walk() for child in item.children
        }
        return cls(plain(model.name), items, tuple(level.links), parents, model)

    def walk(self) -> Iterator[Item]:
        """All items, outermost first."""
        for item in self.items:
            yield from item.walk()

    @property
    def foldable(self) -> frozenset[str]:
        """The ids of all items that can be open or folded."""
        return frozenset(item.id for item in self.walk() if item.children)

    def opened(self, room: int = 60) -> frozenset[str]:
        """The ids to unfold at first: of each kind of block the first one, while there is room.

        ``room`` is the number of items up to which a drawing stays easy to read.
        """
        open: set[str] = set()
        seen: set[tuple[str, ...]] = set()
        used = len(self.items)
        waiting = list(self.items)
        while waiting:
            item = waiting.pop(0)
            pattern = tuple(inner.kind for inner in item.walk() if inner.layer)
            if item.layer or not item.children or pattern in seen:
                continue
            first = item.children[0]
            is_run = bool(first.children) and first.layer is None
            known = is_run and tuple(i.kind for i in first.walk() if i.layer) in seen
            if known or used + len(item.children) - 1 > room:
                continue
            open.add(item.id)
            used += len(item.children) - 1
            if not is_run:
                seen.add(pattern)
            waiting[:0] = item.children[:1] if is_run else item.children
        return frozenset(open)

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
        groups: dict[tuple[str, str], list[Link]] = {}
        for link in self.links:
            ends = stands_for[link.source], stands_for[link.target]
            if ends[0] != ends[1] or link.source == link.target == ends[0]:
                groups.setdefault(ends, []).append(link)
        links = tuple(_merged(ends, group) for ends, group in groups.items())
        parents = {child: top for child, top in self.parents.items() if child in visible}
        return View(tuple(seen), links, parents, wanted & visible)


def _merged(ends: tuple[str, str], links: list[Link]) -> Link:
    """Links between the same two items as one.

    A layer may read a tensor twice, which counts; one tensor that several layers of a
    folded item read does not.
    """
    source, target = ends
    if any(link.target != target for link in links):
        links = list({(link.source, link.shape): link for link in links}.values())
    return Link(
        source,
        target,
        "; ".join(dict.fromkeys(link.shape for link in links)),
        tuple(sorted({call for link in links for call in link.calls})),
        len(links),
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
    def of(
        cls, layers: tuple[LayerInfo, ...], path: str, model: ModelBuilt | None, blocks: bool
    ) -> _Level:
        inner = [
            cls.of(layer.layers, f"{path}{position}.", None, blocks) if layer.layers else None
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
                calls = (connection.call,) if items[position].calls > 1 else ()
                links += [
                    Link(a, b, shape_text(connection.shape), calls)
                    for a in _exits(items[source], inner[source], connection.tensor)
                    for b in _entries(items[position], inner[position], slot)
                ]
        given = [position for position, item in enumerate(items) if item.family == "input"]
        starts = given or [position for position in range(len(items)) if position not in fed]
        ends = [position for position in range(len(items)) if position not in consumed]
        if model is not None:
            shown = cls._implied_inputs(items, links, inner, fed, layers, model) + tuple(items)
            return cls(_with_blocks(shown, links) if blocks else shown, links, [], [], False)
        shown = tuple(items)
        return cls(
            _with_blocks(shown, links) if blocks else shown,
            links,
            [_entries(items[p], inner[p], 0) for p in starts or [0]],
            [_exits(items[p], inner[p], 0) for p in ends or [len(items) - 1]],
            parallel=not fed and not given and len(items) > 1,
        )

    @classmethod
    def _implied_inputs(
        cls,
        items: list[Item],
        links: list[Link],
        inner: list[_Level | None],
        fed: set[int],
        layers: tuple[LayerInfo, ...],
        model: ModelBuilt,
    ) -> tuple[Item, ...]:
        """Inputs to be drawn before first layers that have no input layer; links them."""
        known = {layer.name for layer in layers}
        names = iter([name for name in model.inputs if name not in known])
        implied = []
        for position, layer in enumerate(layers):
            if position in fed or items[position].family == "input":
                continue
            name = plain(next(names, f"{layer.name}_input"))
            shape = layer.input_shape
            implied.append(Item(f"in{position}", name, "Input", "input", None, shape, role="input"))
            links += [
                Link(f"in{position}", door, shape_text(shape))
                for door in _entries(items[position], inner[position], 0)
            ]
        return tuple(implied)


def _item(layer: LayerInfo, id: str, below: _Level | None, model: ModelBuilt | None) -> Item:
    kind = plain(layer.kind)
    group = "model" if below and family(kind) == "other" else family(kind)
    role: Literal["", "input", "output"] = ""
    if group == "input" and model is not None:
        role = "input"
    elif model is not None and layer.name in model.outputs:
        role = "output"
    return Item(
        id=id,
        title=plain(layer.name),
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


def _with_blocks(items: tuple[Item, ...], links: list[Link]) -> tuple[Item, ...]:
    """The items of a level, equal pieces in a row and long pieces folded into blocks."""
    if len(items) <= LONG:
        return items
    position_of = {inner.id: place for place, item in enumerate(items) for inner in item.walk()}
    ends = ((position_of[link.source], position_of[link.target]) for link in links)
    arrows = {(source, target) for source, target in ends if source != target}
    if any(a > b for a, b in arrows):
        return items
    pieces = _pieces(len(items), arrows)
    marks = [_signature(piece, items, arrows) for piece in pieces]
    result: list[Item] = []
    place = 0
    while place < len(pieces):
        start, period, times = _repeat(pieces, marks, place)
        result += _apart(pieces[place:start], items)
        groups = [
            [p for piece in pieces[at : at + period] for p in piece]
            for at in range(start, start + period * times, max(period, 1))
        ]
        if groups:
            result.append(_run([_block(group, items) for group in groups]))
        place = start + period * times
    return tuple(result)


def _apart(pieces: list[range], items: tuple[Item, ...]) -> Iterator[Item]:
    """Pieces that are not repeated: a long one is a block, with what only reshapes its result."""
    place = 0
    while place < len(pieces):
        piece = list(pieces[place])
        place += 1
        if len(piece) < 4:
            yield from (items[p] for p in piece)
            continue
        while place < len(pieces) and all(
            items[p].family in ("activation", "normalization", "noise") for p in pieces[place]
        ):
            piece += pieces[place]
            place += 1
        yield _block(piece, items)


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
    return [range(a, b) for a, b in itertools.pairwise(edges)]


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


def _block(group: list[int], items: tuple[Item, ...]) -> Item:
    """The items at some positions as one; a single one stays itself."""
    inside = tuple(items[p] for p in group)
    if len(inside) == 1:
        return inside[0]
    return _group(inside, _common_name([item.title for item in inside]) or "block")


def _run(blocks: list[Item]) -> Item:
    """Equal blocks in a row as one item: the first, and the others together."""
    title = _common_name([block.title for block in blocks]) or (
        "block" if blocks[0].children else blocks[0].kind
    )
    inside = tuple(blocks)
    if blocks[0].children and len(blocks) > 2:
        rest = _group(inside[1:], f"{len(blocks) - 1} more like this", "run")
        inside = (blocks[0], rest)
    return _group(inside, f"{len(blocks)} \N{MULTIPLICATION SIGN} {title}", "run")


def _group(inside: tuple[Item, ...], title: str, kind: str = "block") -> Item:
    layers = sum(item.layers for item in inside)
    weighty = [item for item in inside if item.parameters]
    families = [item.family for item in inside if item.parameters] or [inside[0].family]
    common = max(dict.fromkeys(families), key=families.count)
    ids = f"{inside[0].id.split('-')[0]}-{inside[-1].id.split('-')[-1].rstrip('+')}"
    return Item(
        # A run may cover the same layers as a block of runs: it is marked.
        id=f"{ids}+" if kind == "run" else ids,
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
    >>> _common_name(["mixed0", "mixed0_conv"]), _common_name(["mixed0", "mixed12"])
    ('mixed0', 'mixed')
    """
    first, last = min(names), max(names)
    same = sum(
        1
        for _ in itertools.takewhile(
            lambda pair: pair[0] == pair[1], zip(first, last, strict=False)
        )
    )
    stem, after, other = first[:same], first[same : same + 1], last[same : same + 1]
    if not after:
        name = stem if not other or other in SEPARATORS else stem.rstrip(DIGITS + SEPARATORS)
    elif after in DIGITS and other in DIGITS:
        name = stem.rstrip(SEPARATORS) if stem[-1:] in SEPARATORS else stem.rstrip(DIGITS)
    else:
        name = stem[: max(stem.rfind(mark) for mark in SEPARATORS) + 1].rstrip(SEPARATORS)
    return name if len(name) >= 3 else ""
