"""Pictures of models (Keras 2 manual, chapters 18 and 20.8).

Where pydot and graphviz are installed, they draw. Where they are not, the layered layout of
the interactive graph does (:mod:`nbkeras.diagram`); both show the same boxes and arrows.
"""

from __future__ import annotations

import base64
import functools
import html
import os
import shutil
import warnings
from numbers import Real
from typing import Any, cast

from ... import diagram
from ...diagram import dot as dot_language
from ...events import LayerInfo, ModelBuilt
from ...text import plain
from ..engine.describe import describe
from ..engine.network import Network
from ..files import write_bytes

__all__ = ["Picture", "model_to_dot", "plot_model"]

GRAPHVIZ = "https://graphviz.org/download/"


class Picture:
    """A picture of a model in a file; a notebook shows it where it ends a cell.

    Attributes:
        filename: the file that holds it.
        format: of the file, such as ``"png"``.
        data: the content of the file.
    """

    def __init__(self, filename: str, format: str, data: bytes, plan: _Plan) -> None:
        self.filename, self.format, self.data = filename, format, data
        self._plan = plan

    @property
    def text(self) -> str:
        """The picture in a sentence, for those who do not see it."""
        return diagram.describe(self._plan.drawing)

    @functools.cached_property
    def _preview(self) -> bytes:
        return self._plan.render("png")

    def _repr_png_(self) -> bytes | None:
        """The picture itself; of a PDF or another file that no page shows, the same as PNG."""
        if self.format == "svg":
            return None
        return self.data if self.format == "png" else self._preview

    def _repr_svg_(self) -> str | None:
        return self.data.decode("utf-8") if self.format == "svg" else None

    def _repr_html_(self) -> str | None:
        """An SVG as an image, which is also shown where a notebook is not trusted."""
        if self.format != "svg":
            return None
        code = base64.b64encode(self.data).decode("ascii")
        alt = html.escape(self.text, quote=True)
        return f'<img src="data:image/svg+xml;base64,{code}" alt="{alt}">'

    def __repr__(self) -> str:
        return f"<Picture {plain(self.filename)!r}>"


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 96,
) -> Picture:
    """Draw a model's layers and what flows between them into a file.

    Needs neither graphviz nor pydot. Where both are installed they draw, and make every
    format that they know.

    Args:
        model: a model; if it is a Sequential, a built one.
        to_file: the file. Its ending says the format: ``.png``, ``.svg``, ``.pdf``,
            ``.dot``, ``.jpg``, ...; without an ending it is a PNG.
        show_shapes: whether the shapes of inputs and outputs are shown.
        show_layer_names: whether the layers' names are shown, and not their classes only.
        rankdir: ``"TB"`` draws from top to bottom, ``"LR"`` from left to right, ``"BT"`` and
            ``"RL"`` the other way round.
        expand_nested: whether the layers of models inside the model are shown.
        dpi: pixels an inch.

    Returns:
        The picture, which a notebook shows where it ends a cell.

    Raises:
        TypeError: ``model`` is no model.
        ValueError: the model has no shapes yet, or there is no such format or direction;
            no file is written.
        RuntimeError: graphviz fails at a format that only it knows.
        OSError: the file cannot be written.

    >>> import os, tempfile
    >>> from nbkeras.core.layers import Dense
    >>> from nbkeras.core.models import Sequential
    >>> model = Sequential([Dense(2, input_shape=(3,), name="dense")])
    >>> picture = plot_model(model, os.path.join(tempfile.mkdtemp(), "model.svg"))
    >>> "dense" in picture._repr_svg_()
    True

    Source: Keras 2 manual, chapters 18 and 20.8.
    """
    plan = _Plan(model, show_shapes, show_layer_names, rankdir, expand_nested, dpi)
    filename = os.fspath(to_file)
    ending = os.path.splitext(filename)[1]
    format = ending[1:].lower() or "png"
    filename = filename if ending else f"{filename}.png"
    data = plan.render(format)
    write_bytes(filename, data)
    return Picture(filename, format, data, plan)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 96,
    subgraph: bool = False,
) -> Any:
    """A model as a graph of pydot, to draw or to change by oneself.

    Args:
        model: a model; if it is a Sequential, a built one.
        show_shapes: whether the shapes of inputs and outputs are shown.
        show_layer_names: whether the layers' names are shown, and not their classes only.
        rankdir: ``"TB"``, ``"LR"``, ``"BT"`` or ``"RL"``, as for :func:`plot_model`.
        expand_nested: whether the layers of models inside the model become clusters.
        dpi: pixels an inch.
        subgraph: whether to return a ``pydot.Cluster``, a part of another graph.

    Returns:
        A ``pydot.Dot``.

    Raises:
        ImportError: pydot is not installed.
        TypeError: ``model`` is no model.
        ValueError: the model has no shapes yet, or there is no such direction.

    >>> from nbkeras.core.layers import Dense
    >>> from nbkeras.core.models import Sequential
    >>> model = Sequential([Dense(2, input_shape=(3,), name="dense")])
    >>> [node.get_label() for node in model_to_dot(model).get_nodes() if node.get_label()]
    ['"dense_input: InputLayer"', '"dense: Dense"']

    Source: Keras 2 manual, chapter 18.
    """
    plan = _Plan(model, show_shapes, show_layer_names, rankdir, expand_nested, dpi)
    pydot = _pydot()
    if pydot is None:
        raise ImportError(
            "model_to_dot returns a graph of pydot, which is not installed: pip install pydot. "
            "plot_model(model, 'model.dot') writes DOT without it."
        )
    return _to_pydot(pydot, plan.dot(subgraph))


# ---------------------------------------------------------------- what is drawn


class _Plan:
    """A model and how it is to be drawn, checked; renders files of all formats."""

    outline: diagram.Outline
    open: frozenset[str]
    wording: diagram.Plain
    rankdir: diagram.Direction
    dpi: float

    def __init__(
        self, model: Any, shapes: bool, names: bool, rankdir: str, expand: bool, dpi: float
    ) -> None:
        if rankdir not in diagram.DIRECTIONS:
            raise ValueError(
                "rankdir is 'TB' (top to bottom), 'LR' (left to right), 'BT' or 'RL'; got "
                f"{rankdir!r}."
            )
        if isinstance(dpi, bool) or not isinstance(dpi, Real) or not 0 < dpi < 1e5:
            raise ValueError(f"dpi is a number of pixels an inch, such as 96; got {dpi!r}.")
        self.outline = diagram.Outline.of(_described(model), blocks=False)
        self.open = self.outline.wired if expand else frozenset()
        self.wording = diagram.Plain(bool(names), bool(shapes))
        self.rankdir = cast("diagram.Direction", rankdir)
        self.dpi = float(dpi)

    @functools.cached_property
    def drawing(self) -> diagram.Drawing:
        return diagram.lay_out(self.outline, self.open, self.rankdir, self.wording)

    def dot(self, clustered: bool = False) -> dot_language.Graph:
        view = self.outline.view(self.open)
        name = self.outline.name
        return dot_language.graph(name, view, self.wording, self.rankdir, self.dpi, clustered)

    def render(self, format: str) -> bytes:
        """The content of a file: by graphviz if it is there, else by the layout of our own."""
        if format == "dot":
            return self.dot().text().encode("utf-8")
        pydot = _pydot() if shutil.which("dot") else None
        if pydot is not None:
            return self._by_graphviz(pydot, format)
        if format not in diagram.FORMATS:
            known = ", ".join(sorted({*diagram.FORMATS, "dot"}))
            raise ValueError(
                f"Without graphviz a model is drawn as {known}; got {format!r}. For other formats "
                f"install graphviz ({GRAPHVIZ}) and pydot (pip install pydot)."
            )
        return diagram.render(self.drawing, format, self.dpi)

    def _by_graphviz(self, pydot: Any, format: str) -> bytes:
        graph = _to_pydot(pydot, self.dot())
        if format not in graph.formats:
            raise ValueError(f"graphviz draws {', '.join(sorted(graph.formats))}; got {format!r}.")
        try:
            return graph.create(prog="dot", format=format)
        except Exception as error:  # a graphviz that is damaged, or built without the format
            if format not in diagram.FORMATS:
                raise RuntimeError(f"graphviz could not draw {format!r}: {error}") from error
            warnings.warn(
                f"graphviz failed ({plain(error)}); the model is drawn without it.", stacklevel=4
            )
            return diagram.render(self.drawing, format, self.dpi)


def _described(model: Any) -> ModelBuilt:
    """A model as data; one that computes in Python code, which no graph tells of, as one box.

    Raises:
        TypeError: it is no model.
        ValueError: it is a Sequential that is not built.
    """
    if not isinstance(model, Network):
        raise TypeError(
            "Expected a model, as in plot_model(Sequential([Dense(10, input_shape=(4,))])); got "
            f"{type(model).__name__}."
        )
    if getattr(model, "_graph", None) is not None:
        return describe(model)
    if hasattr(model, "_stack"):
        raise ValueError(
            f"Model {model.name!r} has no shapes yet: give its first layer an input_shape, as in "
            "Dense(10, input_shape=(4,)), or call model.build((None, 4)) before."
        )
    kind = type(model).__name__
    whole = describe(model, details=False)
    sizes = (whole.parameters, whole.trainable_parameters)
    box = LayerInfo(model.name, kind, None, None, *sizes, bool(model.trainable), whole.bytes)
    return ModelBuilt(whole.name, kind, (box,), (), (model.name,), *sizes, whole.bytes)


# ---------------------------------------------------------------- pydot


def _pydot() -> Any:
    """The module pydot, or None where it is not installed."""
    try:
        import pydot
    except ImportError:
        return None
    return pydot


def _to_pydot(pydot: Any, graph: dot_language.Graph) -> Any:
    """A graph of ours as one of pydot."""
    if graph.name.startswith("cluster_"):
        made = pydot.Cluster(graph.name.removeprefix("cluster_"), **graph.attributes)
    else:
        made = pydot.Dot(graph.name, graph_type="digraph", **graph.attributes)
    for kind, found in graph.defaults.items():
        made.add_node(pydot.Node(kind, **found))
    for id, found in graph.nodes.items():
        made.add_node(pydot.Node(id, **found))
    for cluster in graph.clusters:
        made.add_subgraph(_to_pydot(pydot, cluster))
    for source, target in graph.edges:
        made.add_edge(pydot.Edge(source, target))
    return made
