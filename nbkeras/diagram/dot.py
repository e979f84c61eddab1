"""An outline in DOT, the language of graphviz.

Names come from anywhere, so no text of a model is ever written as it is: identifiers are
made from places in the outline, labels are escaped twice, for the fields of a record and
for DOT's quotes. What is written holds no other attribute than those named here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbkeras.diagram.drawing import COLOURS, GREY, INK, SOFT, tint
from nbkeras.diagram.items import Item
from nbkeras.diagram.layout import Direction
from nbkeras.diagram.lettering import Plain
from nbkeras.diagram.outline import View
from nbkeras.text import plain

__all__ = ["Graph", "graph", "quoted"]

FONT = "Helvetica"
_RECORD = re.compile(r"[\\{}|<>]")
_NONCHARACTERS = re.compile("[\ufffe\uffff]")


@dataclass(frozen=True)
class Graph:
    """A graph of DOT, or a cluster in one. Values of attributes are quoted where they must be.

    Attributes:
        name: its identifier.
        attributes: of the graph itself.
        nodes: their attributes by their identifiers.
        clusters: graphs drawn as frames.
        edges: pairs of identifiers.
        defaults: the attributes of all nodes ("node") and edges ("edge").
    """

    name: str
    attributes: Mapping[str, str]
    nodes: Mapping[str, Mapping[str, str]]
    clusters: tuple[Graph, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def text(self) -> str:
        """The graph as the content of a DOT file."""
        return f"digraph {self.name} {{\n{self._body()}}}\n"

    def _body(self) -> str:
        lines = [f"{key}={value};\n" for key, value in self.attributes.items()]
        lines += [f"{kind} [{_listed(found)}];\n" for kind, found in self.defaults.items()]
        lines += [f"{id} [{_listed(found)}];\n" for id, found in self.nodes.items()]
        for cluster in self.clusters:
            lines.append(f"subgraph {cluster.name} {{\n{cluster._body()}}}\n")
        lines += [f"{source} -> {target};\n" for source, target in self.edges]
        return "".join(lines)


def graph(
    name: str,
    view: View,
    wording: Plain,
    direction: Direction = "TB",
    dpi: float = 96,
    clustered: bool = False,
) -> Graph:
    """What is seen of a model as a DOT graph.

    Args:
        name: of the model.
        view: its items; open ones become clusters.
        wording: what nodes show.
        direction: as ``rankdir`` of graphviz.
        dpi: pixels an inch.
        clustered: whether the graph is to be a part of another one: it has a label and a
            frame then, and neither a direction nor a resolution.

    >>> from nbkeras.diagram import Outline
    >>> from nbkeras.events import LayerInfo, ModelBuilt
    >>> one = LayerInfo('a"b', "Dense", (None, 2), (None, 3), 9, 9, True, 36)
    >>> built = ModelBuilt("net", "Sequential", (one,))
    >>> print(graph("net", Outline.of(built).view(), Plain()).text())
    digraph net {
    ...
    net_0 [label="a\\"b: Dense", ...];
    net_in0 -> net_0;
    }
    """
    prefix = re.sub(r"\W", "_", plain(name), flags=re.ASCII) or "model"
    prefix = (
        prefix if prefix[0].isalpha() and prefix.lower() not in _KEYWORDS else f"model_{prefix}"
    )
    level = _Level(prefix, view, wording, direction in ("LR", "RL"))
    nodes, clusters = level.inside("")
    edges = tuple((level.ids[link.source], level.ids[link.target]) for link in view.links)
    if clustered:
        frame = _frame(plain(name))
        return Graph(f"cluster_{prefix}", frame, nodes, clusters, edges, _DEFAULTS)
    attributes = {"rankdir": direction, "concentrate": "true", "dpi": f"{dpi:g}"}
    return Graph(prefix, attributes, nodes, clusters, edges, _DEFAULTS)


_KEYWORDS = ("node", "edge", "graph", "digraph", "subgraph", "strict")
_DEFAULTS = {
    "node": {
        "shape": "record",
        "style": '"rounded,filled"',
        "fontname": FONT,
        "fontcolor": f'"{INK}"',
        "fontsize": "12",
    },
    "edge": {"color": f'"{GREY}"', "arrowsize": "0.8"},
}


class _Level:
    """Turns the items of a view into nodes and clusters."""

    def __init__(self, prefix: str, view: View, wording: Plain, sideways: bool) -> None:
        self.view, self.wording, self.sideways = view, wording, sideways
        self.ids = {item.id: f"{prefix}_{re.sub('[^0-9a-z]', '_', item.id)}" for item in view.items}

    def inside(self, frame: str) -> tuple[dict[str, dict[str, str]], tuple[Graph, ...]]:
        nodes: dict[str, dict[str, str]] = {}
        clusters: list[Graph] = []
        for item in self.view.items:
            if self.view.parents.get(item.id, "") != frame:
                continue
            if item.id in self.view.open:
                name = f"cluster_{self.ids[item.id]}"
                clusters.append(
                    Graph(name, _frame(self.wording.frame(item)), *self.inside(item.id))
                )
            else:
                nodes[self.ids[item.id]] = self._node(item)
        return nodes, tuple(clusters)

    def _node(self, item: Item) -> dict[str, str]:
        colour = COLOURS.get(item.family, SOFT)
        return {
            "label": quoted(self._label(item)),
            "color": f'"{colour}"',
            "fillcolor": f'"{tint(colour)}"',
        }

    def _label(self, item: Item) -> str:
        """The fields of a record: the name, and beside it the table of shapes."""
        name, kind = self.wording.parts(item)
        text = _field(f"{name}: {kind}" if self.wording.names else kind)
        if self.wording.shapes:
            (first, into), (second, out) = self.wording.table(item)
            text += f"|{{{first}|{second}}}|{{{_field(into)}|{_field(out)}}}"
            # Where ranks go sideways graphviz turns the fields of a record, too.
            text = f"{{{text}}}" if self.sideways else text
        return text


def quoted(text: str) -> str:
    r"""Text between DOT's quotes, in which a backslash is one already escaped, or a command.

    >>> print(quoted('a"b'))
    "a\"b"
    """
    return '"' + text.replace('"', '\\"') + '"'


def _field(text: str) -> str:
    r"""Text for a field of a record, where nothing of it is a command or an entity.

    >>> print(_field(r"{a|<b>} \N &lt;"))
    \{a\|\<b\>\} \\N &amp;lt;
    """
    text = _NONCHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text).replace("&", "&amp;")
    return _RECORD.sub(lambda mark: f"\\{mark[0]}", text)


def _frame(title: str) -> dict[str, str]:
    text = _NONCHARACTERS.sub("\N{REPLACEMENT CHARACTER}", title).replace("&", "&amp;")
    return {
        "label": quoted(text.replace("\\", "\\\\")),
        "labeljust": "l",
        "style": '"rounded,dashed"',
        "color": f'"{GREY}"',
        "fontname": FONT,
        "fontcolor": f'"{INK}"',
        "fontsize": "12",
    }


def _listed(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in attributes.items())
