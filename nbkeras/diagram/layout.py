"""Where everything of a model's drawing goes: an outline laid out in layers.

The layered (Sugiyama) layout and the routes come from graphlay; this module gives
it sizes and reads back places. An unfolded item is a frame, laid out by itself and
then placed like any node; edges pass its border through ports. Whatever gets too
long wraps into columns, or into rows when drawn from left to right.

One result, a :class:`Drawing`, feeds the interactive view, the SVG and the PNG.
Lengths are in CSS pixels, y grows downwards. Drawings from bottom to top and from right
to left are those from top to bottom and from left to right, in a mirror.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import graphlay

from nbkeras.diagram.items import Item, Link
from nbkeras.diagram.lettering import (
    COLUMN,
    PAD,
    SMALL,
    TITLE,
    Wording,
    fit,
    numbered,
    remarks,
    size,
    text_width,
)
from nbkeras.diagram.outline import Outline, View

__all__ = ["DIRECTIONS", "Direction", "Drawing", "Edge", "Node", "lay_out", "path_data", "rounded"]

Direction = Literal["TB", "LR", "BT", "RL"]
DIRECTIONS: tuple[Direction, ...] = ("TB", "LR", "BT", "RL")
Point = tuple[float, float]

HEADER = 30.0
"""Height of the title of a frame."""
INSET = 14.0
MARGIN = 16.0
CORNER = 7.0
LABELLED = 16
"""Up to so many nodes, edges show their shapes without being asked."""
LONGEST = {"TB": 1000.0, "LR": 1250.0, "BT": 1000.0, "RL": 1250.0}
"""What is longer than this wraps."""
ASPECT = {"TB": 1.3, "LR": 1.7, "BT": 1.3, "RL": 1.7}
"""The width over the height that wrapping aims at."""


@dataclass(frozen=True)
class Node:
    """A box: ``x`` and ``y`` of its upper left corner, its size, and what is in it.

    ``state`` is "layer", "folded" or "open"; an open node is a frame around others.
    ``more`` draws it as a stack. ``parent`` is the frame it stands in, or "".
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    title: str
    lines: tuple[str, ...]
    family: str
    state: str
    parent: str
    role: str
    frozen: bool
    calls: int
    more: bool
    about: str


@dataclass(frozen=True)
class Edge:
    """A line with rounded bends from one node to another.

    An edge that crosses frames is drawn in pieces, to the frame and on inside it; only
    the last has an ``arrow``. ``points`` are its bends, ``path`` the same as SVG
    path data. ``label`` is drawn at ``at`` where there is room, else ``at`` is None;
    ``about`` says all of it.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    path: str
    arrow: bool
    label: str
    at: Point | None
    about: str


@dataclass(frozen=True)
class Drawing:
    """A laid out model. ``open`` are the unfolded items, ``foldable`` all that can be."""

    name: str
    direction: Direction
    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    open: tuple[str, ...]
    foldable: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The drawing as JSON-ready data; the raw ``points`` stay behind."""
        edges = [{k: v for k, v in vars(edge).items() if k != "points"} for edge in self.edges]
        return {**vars(self), "nodes": [dict(vars(node)) for node in self.nodes], "edges": edges}


def lay_out(
    outline: Outline,
    open: Iterable[str] | None = None,
    direction: Direction = "TB",
    wording: Wording | None = None,
) -> Drawing:
    """Place the items of an outline.

    Args:
        outline: the model.
        open: ids of the items to unfold; None unfolds what :meth:`Outline.opened` says.
        direction: "TB" from top to bottom, "LR" from left to right, "BT" and "RL" the
            other way round.
        wording: what is written; None is what the interactive graph shows.

    Returns:
        The drawing; the same one for the same arguments.

    Raises:
        ValueError: no such direction.

    >>> from nbkeras.events import LayerInfo, ModelBuilt
    >>> one = LayerInfo("a", "Dense", (None, 2), (None, 3), 9, 9, True, 36)
    >>> drawing = lay_out(Outline.of(ModelBuilt("net", "Sequential", (one,))))
    >>> [node.lines for node in drawing.nodes]
    [('Input', '(?, 2)'), ('Dense · 9 parameters', '(?, 2) → (?, 3)')]
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is 'TB' (top to bottom), LR, BT or RL, not {direction!r}.")
    view = outline.view(outline.opened() if open is None else open)
    level = _Layout(view, direction, wording or Wording()).level(outline.items, "")
    drawing = Drawing(
        outline.name,
        direction,
        _round(level.width + 2 * MARGIN),
        _round(level.height + 2 * MARGIN),
        tuple(_moved(node, MARGIN, MARGIN) for node in level.nodes),
        tuple(_shifted(edge, MARGIN, MARGIN) for edge in level.edges),
        tuple(sorted(view.open)),
        tuple(sorted(outline.foldable)),
    )
    return drawing if direction in ("TB", "LR") else _mirrored(drawing)


# ---------------------------------------------------------------- levels


@dataclass
class _Level:
    """A laid out frame: places relative to its inside, and where its ports are."""

    width: float
    height: float
    nodes: list[Node]
    edges: list[Edge]
    entries: dict[str, Point]
    exits: dict[str, Point]


@dataclass
class _Line:
    """An edge within one level, of all links that share it."""

    source: str
    target: str
    key: str
    links: list[Link]


class _Layout:
    """Lays out the levels of a view, the innermost frames first."""

    def __init__(self, view: View, direction: Direction, wording: Wording) -> None:
        self.view = view
        self.wording = wording
        self.down = direction in ("TB", "BT")
        self.direction = direction
        self.labelled = len(view.items) <= LABELLED
        self.titles = {
            item.id: wording.frame(item) if item.id in view.open else wording.title(item)
            for item in view.items
        }
        self.paths: dict[str, tuple[str, ...]] = {}
        for item in view.items:
            parent = view.parents.get(item.id, "")
            self.paths[item.id] = (*self.paths.get(parent, ()), item.id)

    def level(self, items: tuple[Item, ...], frame: str) -> _Level:
        """The inside of a frame, or the whole drawing (``frame`` is "")."""
        frames = {i.id: self.level(i.children, i.id) for i in items if i.id in self.view.open}
        lines_ = self._lines(frame)
        doors = [line.source for line in lines_ if line.source.startswith("<")]
        doors += [line.target for line in lines_ if line.target.startswith(">")]
        ids = [item.id for item in items] + list(dict.fromkeys(doors))
        sizes = {
            item.id: self._frame_size(item, frames[item.id])
            if item.id in frames
            else size(item, self.wording)
            for item in items
        }
        placed = self._place(ids, {i.id: i for i in items}, sizes, lines_, frames)
        left, top, right, bottom = _bounds(placed)
        nodes: list[Node] = []
        edges: list[Edge] = []
        centres: dict[str, Point] = {}
        insides: dict[str, Point] = {}
        for id, box in zip(ids, placed.nodes, strict=True):
            centres[id] = (box["center"]["x"] - left, box["center"]["y"] - top)
        for item in items:
            width, height = sizes[item.id]
            x, y = centres[item.id][0] - width / 2, centres[item.id][1] - height / 2
            nodes.append(self._node(item, x, y, width, height))
            if inner := frames.get(item.id):
                before, above, _, _ = self._insets(item, inner)
                insides[item.id] = (x + before, y + above)
                nodes += [_moved(node, x + before, y + above) for node in inner.nodes]
                edges += [_shifted(edge, x + before, y + above) for edge in inner.edges]
        for line, route in zip(lines_, placed.edges, strict=True):
            points = [(point["x"] - left, point["y"] - top) for point in route["points"]]
            if line.source in frames:
                port = _added(frames[line.source].exits[line.key], insides[line.source])
                points = [port, *self._from_port(port, points)]
            if line.target in frames:
                port = frames[line.target].entries[line.key]
                points.append(_added(port, insides[line.target]))
            points = self._squared(points)
            anchor = route.get("label_anchor")
            at = (anchor["x"] - left, anchor["y"] - top) if anchor else None
            edges.append(self._edge(line, points, at, frame))
        return _Level(
            right - left,
            bottom - top,
            nodes,
            edges,
            {id[1:]: centres[id] for id in ids if id.startswith("<")},
            {id[1:]: centres[id] for id in ids if id.startswith(">")},
        )

    def _from_port(self, port: Point, points: list[Point]) -> list[Point]:
        """A route that leaves a frame: straight on from the port, beside which nodes may be."""

        def beside(point: Point) -> Point:
            return (port[0], point[1]) if self.down else (point[0], port[1])

        along = 1 if self.down else 0
        bends = len(points) > 2 and abs(points[1][along] - points[2][along]) < 1
        return [beside(points[0]), beside(points[1]) if bends else points[1], *points[2:]]

    def _squared(self, points: list[Point]) -> list[Point]:
        """A line in steps along the axes: where it runs askew, it changes lanes half-way."""
        result = points[:1]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            if min(abs(x1 - x0), abs(y1 - y0)) >= 1:
                x, y = (x0 + x1) / 2, (y0 + y1) / 2
                result += [(x0, y), (x1, y)] if self.down else [(x, y0), (x, y1)]
            result.append((x1, y1))
        return result

    def _lines(self, frame: str) -> list[_Line]:
        """The edges of a level; "<x" is the port where x enters, ">x" where x leaves."""
        depth = len(self.paths[frame]) if frame else 0
        found: dict[tuple[str, str, str], _Line] = {}
        for link in self.view.links:
            source, target = self.paths[link.source], self.paths[link.target]
            inside = [not frame or frame in path for path in (source, target)]
            if not any(inside):
                continue
            start = source[depth] if inside[0] else f"<{link.source}"
            end = target[depth] if inside[1] else f">{link.source}"
            if start == end and (link.source != link.target or link.source != start):
                continue
            line = found.setdefault((start, end, link.source), _Line(start, end, link.source, []))
            line.links.append(link)
        return list(found.values())

    def _place(
        self,
        ids: list[str],
        items: dict[str, Item],
        sizes: dict[str, tuple[float, float]],
        lines_: list[_Line],
        frames: dict[str, _Level],
    ) -> graphlay.Layout:
        graph = graphlay.Graph()
        for id in ids:
            width, height = sizes.get(id, (1.0, 1.0))
            rank = {"<": {"rank": "first"}, ">": {"rank": "last"}}.get(id[0], {})
            graph.node(id, width=width, height=height, **rank)
        for line in lines_:
            fields: dict[str, Any] = {}
            if line.source in frames:
                fields["source_port"] = self._port(items[line.source], frames, line, 1)
            if line.target in frames:
                fields["target_port"] = self._port(items[line.target], frames, line, 0)
            if text := self._label(line):
                fields["label_size"] = {"width": text_width(text, SMALL) + 8, "height": SMALL + 5}
            graph.edge(line.source, line.target, **fields)
        options: dict[str, Any] = {
            "direction": "topbottom" if self.down else "leftright",
            "spacing": {"layer_gap": 34.0, "node_gap": 26.0, "dummy_gap": 20.0},
            "routing": {"style": "orthogonal"},
            "labels": {"reservation": "when_needed" if self.down else "always"},
        }
        placed = graphlay.layout(graph, options=options)
        if self._extent(placed)[0] <= LONGEST[self.direction]:
            return placed
        for edge in graph.edges:
            # graphlay 0.3.1 does not wrap at an edge that leaves its node off-centre.
            edge.pop("source_port", None)
        options["wrap"] = {"viewport_aspect": ASPECT[self.direction]}
        # Cutting where one edge passes reads best; what stays far too long is cut anywhere.
        for edges in (1, 4, 16):
            options["tuning"] = {"wrap": {"max_rows": 40, "max_cut_edges": edges}}
            placed = graphlay.layout(graph, options=options)
            length, breadth = self._extent(placed)
            if length <= 4 * LONGEST[self.direction] or length <= 3 * breadth:
                break
        return placed

    def _extent(self, placed: graphlay.Layout) -> tuple[float, float]:
        """How long a drawing is in its direction, and how wide across."""
        left, top, right, bottom = _bounds(placed)
        return (bottom - top, right - left) if self.down else (right - left, bottom - top)

    def _port(
        self, item: Item, frames: dict[str, _Level], line: _Line, side: int
    ) -> dict[str, Any]:
        """Where on a frame's border a port is, as a share of half its side."""
        level = frames[item.id]
        place = (level.exits if side else level.entries)[line.key]
        before, above, _, _ = self._insets(item, level)
        width, height = self._frame_size(item, level)
        share = (place[0] + before) / width if self.down else (place[1] + above) / height
        name = (("top", "bottom") if self.down else ("left", "right"))[side]
        return {"offset": {"side": name, "t": min(1.0, max(-1.0, 2 * share - 1))}}

    def _insets(self, item: Item, level: _Level) -> tuple[float, float, float, float]:
        """Room left, above, right and below of a frame's inside.

        Less where ports stand before all nodes, or behind them.
        """
        if self.down:
            nearest = min((node.y for node in level.nodes), default=0.0)
            furthest = level.height - max((n.y + n.height for n in level.nodes), default=0.0)
        else:
            nearest = min((node.x for node in level.nodes), default=0.0)
            furthest = level.width - max((n.x + n.width for n in level.nodes), default=0.0)
        first, last = max(2.0, INSET - nearest), max(2.0, INSET - furthest)
        if self.down:
            title = text_width(self.titles[item.id], TITLE, bold=True) + 2 * PAD + 40
            side = max(INSET, (min(title, 240.0) - level.width) / 2)
            if self.direction == "BT":  # the mirror brings the title to the top
                return side, first, side, HEADER - INSET + last
            return side, HEADER - INSET + first, side, last
        return first, HEADER, last, INSET

    def _frame_size(self, item: Item, level: _Level) -> tuple[float, float]:
        left, above, right, below = self._insets(item, level)
        return level.width + left + right, level.height + above + below

    def _node(self, item: Item, x: float, y: float, width: float, height: float) -> Node:
        title, texts = self.titles[item.id], self.wording.lines(item)
        state = "open" if item.id in self.view.open else "layer"
        if item.children and state == "layer" and self.wording.folds:
            state = "folded"
        room = width - 2 * PAD - self.wording.badges(item)
        return Node(
            id=item.id,
            x=x,
            y=y,
            width=width,
            height=height,
            title=fit(title, room, TITLE, bold=True),
            lines=() if state == "open" else tuple(_fit_line(t, width - 2 * PAD) for t in texts),
            family=item.family,
            state=state,
            parent=self.view.parents.get(item.id, ""),
            role=item.role,
            frozen=item.frozen,
            calls=item.calls,
            more=state == "folded" and item.id.endswith("+"),
            about=". ".join([title, *texts, *remarks(item)]).replace("\t", " "),
        )

    def _edge(self, line: _Line, points: list[Point], at: Point | None, frame: str) -> Edge:
        text = self._label(line) if at else ""
        shapes = "; ".join(dict.fromkeys(link.shape for link in line.links))
        targets = ", ".join(dict.fromkeys(self.titles[link.target] for link in line.links))
        arrow = "\N{RIGHTWARDS ARROW}"
        about = f"{self.titles[line.key]} {arrow} {targets}: {shapes}"
        tensors = sum(link.count for link in line.links) if len(line.links) == 1 else 1
        about += f", {tensors} tensors" if tensors > 1 else ""
        made_by = {call for link in line.links for call in link.source_calls}
        read_by = {call for link in line.links for call in link.calls}
        about += f", made by {numbered(made_by)}" if made_by else ""
        about += f", read by {numbered(read_by)}" if read_by else ""
        return Edge(
            source=frame if line.source.startswith("<") else line.source,
            target=frame if line.target.startswith(">") else line.target,
            points=tuple(points),
            path="",
            arrow=not line.target.startswith(">") and line.target not in self.view.open,
            label=text,
            at=at if text else None,
            about=about,
        )

    def _label(self, line: _Line) -> str:
        """What stands beside an edge; nothing on the way from or to a port."""
        if not self.labelled or line.source.startswith("<") or line.target.startswith(">"):
            return ""
        return self.wording.label(line.links[0])


def _bounds(placed: graphlay.Layout) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all boxes and lines."""
    xs, ys = [], []
    for box in placed.nodes:
        half = box["size"]["width"] / 2, box["size"]["height"] / 2
        xs += [box["center"]["x"] - half[0], box["center"]["x"] + half[0]]
        ys += [box["center"]["y"] - half[1], box["center"]["y"] + half[1]]
    for route in placed.edges:
        xs += [point["x"] for point in route["points"]]
        ys += [point["y"] for point in route["points"]]
    return min(xs, default=0.0), min(ys, default=0.0), max(xs, default=0.0), max(ys, default=0.0)


def _added(one: Point, other: Point) -> Point:
    return one[0] + other[0], one[1] + other[1]


def _moved(node: Node, dx: float, dy: float) -> Node:
    return replace(node, x=_round(node.x + dx), y=_round(node.y + dy))


def _shifted(edge: Edge, dx: float, dy: float) -> Edge:
    points = tuple((_round(x + dx), _round(y + dy)) for x, y in edge.points)
    at = (_round(edge.at[0] + dx), _round(edge.at[1] + dy)) if edge.at else None
    return replace(edge, points=points, path=path_data(points), at=at)


# ---------------------------------------------------------------- lines


def rounded(points: tuple[Point, ...], radius: float = CORNER) -> list[tuple[str, list[Point]]]:
    """A polyline with rounded corners, as the commands M, L and Q and their points."""
    if not points:
        return []
    commands: list[tuple[str, list[Point]]] = [("M", [points[0]])]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        bend = min(radius, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        if bend < 0.5:
            commands.append(("L", [corner]))
            continue
        commands.append(("L", [_toward(corner, before, bend)]))
        commands.append(("Q", [corner, _toward(corner, after, bend)]))
    commands.append(("L", [points[-1]]))
    return commands


def path_data(points: tuple[Point, ...]) -> str:
    """SVG path data of a polyline with rounded corners.

    >>> path_data(((0, 0), (0, 20), (30, 20)))
    'M0 0L0 13Q0 20 7 20L30 20'
    """
    return "".join(
        command + " ".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in places)
        for command, places in rounded(points)
    )


def _toward(start: Point, end: Point, way: float) -> Point:
    share = way / (math.dist(start, end) or 1.0)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _mirrored(drawing: Drawing) -> Drawing:
    """A drawing upside down, or from right to left; what is written stays upright."""
    width, height, upright = drawing.width, drawing.height, drawing.direction == "BT"

    def place(point: Point) -> Point:
        x, y = point
        return (x, _round(height - y)) if upright else (_round(width - x), y)

    def turned(node: Node) -> Node:
        far = (node.x, node.y + node.height) if upright else (node.x + node.width, node.y)
        x, y = place(far)
        return replace(node, x=x, y=y)

    def led(edge: Edge) -> Edge:
        points = tuple(place(point) for point in edge.points)
        at = place(edge.at) if edge.at else None
        return replace(edge, points=points, path=path_data(points), at=at)

    return replace(
        drawing,
        nodes=tuple(turned(node) for node in drawing.nodes),
        edges=tuple(led(edge) for edge in drawing.edges),
    )


def _fit_line(line: str, width: float) -> str:
    first, tab, second = line.partition("\t")
    return f"{first}\t{fit(second, width - COLUMN, SMALL)}" if tab else fit(line, width, SMALL)


def _round(value: float) -> float:
    return round(value, 1)
