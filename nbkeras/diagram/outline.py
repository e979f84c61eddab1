"""A model as an outline: its layers, sub-models and repeated blocks, and what feeds what.

An outline is a tree of items whose leaves are layers. Edges join leaves only, so any
folding state of the tree is drawn by moving each end of an edge to the outermost
folded item around it (:meth:`Outline.view`). Besides the sub-models that the user
made, long models get blocks: where all data passes through one layer the list of
layers is cut, and equal pieces in a row become one item ("5 x block").

Only events and plain text helpers are used here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nbkeras.diagram.blocks import with_blocks
from nbkeras.diagram.items import Item, Link, family, shape_text
from nbkeras.events import Connection, LayerInfo, ModelBuilt
from nbkeras.text import plain

__all__ = ["Outline", "View"]


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

    @property
    def wired(self) -> frozenset[str]:
        """The ids of the foldable items of whose inside it is known what feeds what.

        Not those whose ``call`` is Python code, of which only the layers are known.
        """
        linked = {self._around(link.source, link.target) for link in self.links}
        return frozenset(
            item.id
            for item in self.walk()
            if item.id in linked or (item.layer is not None and item.layer.outputs)
        )

    def _around(self, *ids: str) -> str:
        """The innermost item around some others, "" for the model."""
        paths = []
        for id in ids:
            path = [id]
            while path[-1]:
                path.append(self.parents.get(path[-1], ""))
            paths.append(path[1:])
        return next(id for id in paths[0] if all(id in path for path in paths))

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
        tuple(sorted({call for link in links for call in link.source_calls})),
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
        cls, layers: tuple[LayerInfo, ...], path: str, around: ModelBuilt | LayerInfo, blocks: bool
    ) -> _Level:
        model = around if isinstance(around, ModelBuilt) else None
        inner = [
            cls.of(layer.layers, f"{path}{position}.", layer, blocks) if layer.layers else None
            for position, layer in enumerate(layers)
        ]
        items = [
            _item(layer, f"{path}{position}", below, model)
            for position, (layer, below) in enumerate(zip(layers, inner, strict=True))
        ]
        position_of = {layer.name: position for position, layer in enumerate(layers)}
        calls_of = _calls_of(layers)
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
                made = calls_of[connection.source]
                made_by = (made.index(connection.source_call),) if items[source].calls > 1 else ()
                links += [
                    Link(a, b, shape_text(connection.shape), calls, 1, made_by)
                    for a in _exits(items[source], inner[source], connection.tensor)
                    for b in _entries(items[position], inner[position], slot)
                ]
        if isinstance(around, ModelBuilt):
            shown = cls._implied_inputs(items, links, inner, fed, layers, around) + tuple(items)
            return cls(with_blocks(shown, links) if blocks else shown, links, [], [], False)
        given = [position for position, item in enumerate(items) if item.family == "input"]
        named = [position_of[name] for name in around.inputs if name in position_of]
        starts = named or given or [p for p in range(len(items)) if p not in fed]
        ends = [
            (position_of[made.source], made.tensor)
            for made in around.outputs
            if made.source in position_of
        ] or [(p, 0) for p in range(len(items)) if p not in consumed]
        shown = tuple(items)
        return cls(
            with_blocks(shown, links) if blocks else shown,
            links,
            [_entries(items[p], inner[p], 0) for p in starts or [0]],
            [_exits(items[p], inner[p], tensor) for p, tensor in ends or [(len(items) - 1, 0)]],
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
            if layer.input_shape is None and not model.inputs:
                continue  # its model computes in Python code: nobody knows what it reads
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


def _calls_of(layers: tuple[LayerInfo, ...]) -> dict[str, list[int]]:
    """The numbers by which each layer's calls are known where its outputs are read, in order.

    A layer may have been called before, outside of this model; its calls are counted in it.
    """
    seen: dict[str, set[int]] = {layer.name: set() for layer in layers}
    for layer in layers:
        for connection in layer.connected_to:
            seen.setdefault(connection.source, set()).add(connection.source_call)
    for layer in layers:
        here = {connection.call for connection in layer.connected_to}
        if max(seen[layer.name], default=0) <= max(here, default=0):
            seen[layer.name] |= here
    return {name: sorted(calls) for name, calls in seen.items()}


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
