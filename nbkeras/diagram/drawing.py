"""A laid out model as a picture: SVG text, or PNG, PDF and other files by matplotlib.

Both have a light card of their own behind them, so that they read well on any page.
No style sheet, font or address from elsewhere is used.
"""

from __future__ import annotations

import functools
import html
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

from nbkeras.diagram.layout import Drawing, Edge, Node, rounded
from nbkeras.diagram.lettering import COLUMN, LINE, PAD, SMALL, TITLE, fit, text_width
from nbkeras.text import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "FORMATS", "describe", "png", "render", "svg", "tint"]

INK, SOFT, GREY, PAGE = "#1f2328", "#59636e", "#818b98", "#ffffff"
COLOURS = {
    "convolution": "#1a6ed8",
    "merge": "#c4560b",
    "activation": "#1c8458",
    "recurrent": "#a2359b",
    "normalization": "#8a7000",
    "pooling": "#0b7f95",
    "noise": "#c22f53",
    "dense": "#6650c9",
}
"""The colour of each family of layers that has one; the same hues as the views' style sheet."""
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
EASTERN = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Arial Unicode MS",
)
ROUND = 7.0
ARROW = 6.0
LARGEST = 12_000
FORMATS = ("jpeg", "jpg", "pdf", "png", "svg", "tif", "tiff", "webp")
"""What :func:`render` makes."""


def describe(drawing: Drawing) -> str:
    """The drawing in a sentence, for those who do not see it."""
    shown = [node for node in drawing.nodes if node.state != "open"]
    names = [
        f"{node.title} ({'; '.join(node.lines)})" if node.lines and len(shown) <= 12 else node.title
        for node in shown
    ]
    names = [name.replace("\t", " ") for name in names]
    if len(names) > 40:
        names = [*names[:30], f"{len(names) - 35} more", *names[-5:]]
    return (
        f"Graph of the model {drawing.name}: {len(shown)} nodes, {len(drawing.edges)} connections. "
        + ", ".join(names)
        + "."
    )


def svg(drawing: Drawing, scale: float = 1.0) -> str:
    """The drawing as one SVG document, ``scale`` CSS pixels a unit.

    >>> from nbkeras.events import LayerInfo, ModelBuilt
    >>> from nbkeras.diagram.layout import lay_out
    >>> from nbkeras.diagram.outline import Outline
    >>> one = LayerInfo("<b>", "Dense", (None, 2), (None, 3), 9, 9, True, 36)
    >>> text = svg(lay_out(Outline.of(ModelBuilt("net", "Sequential", (one,)))))
    >>> "&lt;b&gt;" in text, "<b>" in text
    (True, False)
    """
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    size = f'width="{drawing.width * scale:g}" height="{drawing.height * scale:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{_safe(describe(drawing))}">'
        f"<style>{_style()}</style>"
        f'<rect class="nbk-page" width="{width}" height="{height}" rx="10"/>'
    ]
    open_nodes = [node for node in drawing.nodes if node.state == "open"]
    parts += [_svg_node(node) for node in open_nodes]
    for edge in drawing.edges:
        tip = _arrow(edge)
        head = "L".join(f"{x:g} {y:g}" for x, y in tip)
        arrow = f'<path class="nbk-a" d="M{head}z"/>' if tip else ""
        parts.append(f'<path class="nbk-e" d="{edge.path}"/>{arrow}')
    parts += [_svg_node(node) for node in drawing.nodes if node.state != "open"]
    for edge in drawing.edges:
        if edge.at and edge.label:
            x, y = edge.at
            wide = text_width(edge.label, SMALL) + 4
            parts.append(
                f'<rect class="nbk-p" x="{x - wide / 2:g}" y="{y - 7:g}" width="{wide:g}" '
                'height="14" rx="4"/>'
                f'<text class="nbk-l" x="{x:g}" y="{y + SMALL * 0.35:g}">{_safe(edge.label)}</text>'
            )
    parts.append("</svg>")
    return "".join(parts)


def png(drawing: Drawing, scale: float = 2.0) -> bytes:
    """The drawing as a PNG of ``scale`` pixels a unit (fewer where it would be huge)."""
    return render(drawing, "png", 96 * scale)


def render(drawing: Drawing, format: str, dpi: float = 96.0) -> bytes:
    """The drawing as a file's content; a unit is 1/96 inch, in a PDF 1/72 inch.

    Args:
        drawing: what :func:`~nbkeras.diagram.layout.lay_out` made.
        format: one of ``FORMATS``.
        dpi: pixels an inch; fewer where a side would have more than 12,000. An SVG is
            ``dpi / 96`` times as large, a PDF knows no pixels.

    Raises:
        ValueError: no such format.
    """
    if format not in FORMATS:
        raise ValueError(f"A drawing is rendered as {', '.join(FORMATS)}; got {plain(format)!r}.")
    if format == "svg":
        return svg(drawing, dpi / 96).encode("utf-8")
    kind: dict[str, Any] = {"metadata": {"CreationDate": None}}
    if format != "pdf":
        dpi = min(dpi, 96 * LARGEST / max(drawing.width, drawing.height))
        # The figure has a unit a point, 1/72 inch; the file is told the true resolution.
        kind = {"dpi": 72 * dpi / 96, "pil_kwargs": {"dpi": (dpi, dpi)}}
        if format == "png":
            kind["metadata"] = {"Software": None}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that no font here has is drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        _figure(drawing).savefig(buffer, format=format, **kind)
    return buffer.getvalue()


def _figure(drawing: Drawing) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(drawing.width / 72, drawing.height / 72), dpi=72)
    figure.patch.set_facecolor(PAGE)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, drawing.width)
    axes.set_ylim(drawing.height, 0)
    order = sorted(drawing.nodes, key=lambda node: node.state != "open")
    for node in order:
        _draw_node(axes, node)
    for edge in drawing.edges:
        _draw_edge(axes, edge)
        if edge.at and edge.label:
            _write(axes, edge.at[0], edge.at[1], edge.label, SMALL, SOFT, middle=True)
    return figure


# ---------------------------------------------------------------- SVG


def _style() -> str:
    families = "".join(
        f".nbk-{family} .nbk-b{{stroke:{colour};fill:{tint(colour)}}}"
        f".nbk-{family} .nbk-s{{fill:{colour}}}"
        for family, colour in COLOURS.items()
    )
    return (
        f".nbk-page{{fill:{PAGE}}}"
        f".nbk-n text{{font:{SMALL:g}px {FONT};fill:{SOFT}}}"
        f".nbk-n .nbk-t{{font-size:{TITLE:g}px;font-weight:600;fill:{INK}}}"
        f".nbk-b{{fill:{tint(SOFT)};stroke:{SOFT};stroke-width:1.2}}.nbk-s{{fill:{SOFT}}}"
        f"{families}"
        f".nbk-n.nbk-open>.nbk-b{{fill:{INK};fill-opacity:.035;stroke:{GREY};stroke-width:1}}"
        f".nbk-open .nbk-t{{stroke:#f6f6f7;stroke-width:5px;paint-order:stroke}}"
        ".nbk-output .nbk-b{stroke-width:2.4}.nbk-frozen .nbk-b{stroke-dasharray:5 3}"
        f".nbk-e{{fill:none;stroke:{GREY};stroke-width:1.5}}.nbk-a{{fill:{GREY}}}"
        f".nbk-l{{font:{SMALL:g}px {FONT};fill:{SOFT};text-anchor:middle}}"
        f".nbk-p{{fill:{PAGE};fill-opacity:.9}}"
    )


def _svg_node(node: Node) -> str:
    classes = ["nbk-n", f"nbk-{node.family}", *(["nbk-open"] if node.state == "open" else [])]
    classes += [f"nbk-{node.role}"] if node.role else []
    classes += ["nbk-frozen"] if node.frozen else []
    x, y, width, height = node.x, node.y, node.width, node.height
    radius = _radius(node)
    box = f'width="{width:g}" height="{height:g}" rx="{radius:g}"'
    parts = [f'<g class="{" ".join(classes)}">']
    if node.about != ". ".join([node.title, *node.lines]).replace("\t", " "):
        parts.append(f"<title>{_safe(node.about)}</title>")
    if node.more:
        parts.append(f'<rect class="nbk-b" x="{x + 5:g}" y="{y + 5:g}" {box}/>')
    parts.append(f'<rect class="nbk-b" x="{x:g}" y="{y:g}" {box}/>')
    if node.state == "open":
        title = fit(_header(node), width - 2 * PAD, TITLE, bold=True)
        parts.append(f'<text class="nbk-t" x="{x + PAD:g}" y="{y + 20:g}">{_safe(title)}</text>')
    else:
        base = y + (height - _text_height(node)) / 2 + TITLE * 0.85
        parts.append(f'<text class="nbk-t" x="{x + PAD:g}" y="{base:g}">{_safe(node.title)}</text>')
        for place, line in enumerate(node.lines, 1):
            for column, text in enumerate(line.split("\t")):
                at = f'x="{x + PAD + column * COLUMN:g}" y="{base + place * LINE:g}"'
                parts.append(f"<text {at}>{_safe(text)}</text>")
        badge = _badge(node)
        if badge:
            at = f'x="{x + width - PAD:g}" y="{base:g}" text-anchor="end"'
            parts.append(f'<text class="nbk-t" {at}>{_safe(badge)}</text>')
    parts.append("</g>")
    return "".join(parts)


def _safe(text: str) -> str:
    """Text for XML, which knows no noncharacters."""
    return html.escape(re.sub("[\ufffe\uffff]", "\ufffd", text), quote=True)


# ---------------------------------------------------------------- PNG


def _draw_node(axes: Axes, node: Node) -> None:
    from matplotlib.patches import FancyBboxPatch

    colour = COLOURS.get(node.family, SOFT)
    looks: dict[str, Any] = {
        "facecolor": tint(colour),
        "edgecolor": colour,
        "linewidth": 2.4 if node.role == "output" else 1.2,
        "linestyle": (0, (5, 3)) if node.frozen else "solid",
        "zorder": 1,
    }
    if node.state == "open":
        looks = {"facecolor": "#0000000a", "edgecolor": GREY, "linewidth": 1.0, "zorder": 0.5}
    style = f"round,pad=0,rounding_size={_radius(node)}"
    for shift in (5, 0) if node.more else (0,):
        corner = (node.x + shift, node.y + shift)
        axes.add_patch(FancyBboxPatch(corner, node.width, node.height, boxstyle=style, **looks))
    left, right = node.x + PAD, node.x + node.width - PAD
    if node.state == "open":
        title = fit(_header(node), node.width - 2 * PAD, TITLE, bold=True)
        _write(axes, left, node.y + 16, title, TITLE - 1, INK, bold=True)
        return
    middle = node.y + (node.height - _text_height(node)) / 2 + TITLE * 0.5
    _write(axes, left, middle, node.title, TITLE - 1, INK, bold=True)
    for place, line in enumerate(node.lines, 1):
        for column, text in enumerate(line.split("\t")):
            x = left + column * COLUMN
            _write(axes, x, middle + place * LINE, text, SMALL - 1, SOFT)
    if badge := _badge(node):
        _write(axes, right, middle, badge, TITLE - 1, INK, bold=True, end=True)


def _draw_edge(axes: Axes, edge: Edge) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    codes = {"M": Path.MOVETO, "L": Path.LINETO, "Q": Path.CURVE3}
    steps = [(codes[name], place) for name, places in rounded(edge.points) for place in places]
    if not steps:
        return
    path = Path([place for _, place in steps], [code for code, _ in steps])
    axes.add_patch(PathPatch(path, fill=False, edgecolor=GREY, linewidth=1.5, zorder=0.9))
    if tip := _arrow(edge):
        axes.add_patch(Polygon(tip, closed=True, facecolor=GREY, linewidth=0, zorder=2))


def _write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    size: float,
    colour: str,
    bold: bool = False,
    end: bool = False,
    middle: bool = False,
) -> None:
    axes.text(
        x,
        y,
        text,
        fontsize=size,
        family=_fonts(),
        color=colour,
        weight="bold" if bold else "normal",
        ha="right" if end else "center" if middle else "left",
        va="center_baseline",
        # A name such as "$\frac" is a name, no formula.
        parse_math=False,
        backgroundcolor=PAGE if middle else "none",
        zorder=3,
    )


@functools.cache
def _fonts() -> list[str]:
    """Matplotlib's own font, and one for Chinese, Japanese and Korean if there is one."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ["DejaVu Sans", *[name for name in EASTERN if name in installed][:1]]


# ---------------------------------------------------------------- both


def _header(node: Node) -> str:
    return node.title if node.calls == 1 else f"{node.title}  {_badge(node)}"


def _badge(node: Node) -> str:
    """What stands in the upper right corner: how often a shared layer is called."""
    calls = f"\N{MULTIPLICATION SIGN}{node.calls}" if node.calls > 1 else ""
    return f"{calls} +".strip() if node.state == "folded" else calls


def _radius(node: Node) -> float:
    return min(node.height / 2.6, 24.0) if node.role == "input" and node.state == "layer" else ROUND


def _text_height(node: Node) -> float:
    return TITLE + LINE * len(node.lines)


def _arrow(edge: Edge) -> list[tuple[float, float]]:
    """The head at the end of an edge: its tip and the two corners behind."""
    ahead = [point for point in edge.points if point != edge.points[-1]]
    if not ahead or not edge.arrow:
        return []
    (x0, y0), (x1, y1) = ahead[-1], edge.points[-1]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    ux, uy = (x1 - x0) / length * ARROW, (y1 - y0) / length * ARROW
    corners = [(x1, y1), (x1 - ux - uy / 1.8, y1 - uy + ux / 1.8)]
    corners.append((x1 - ux + uy / 1.8, y1 - uy - ux / 1.8))
    return [(round(x, 1), round(y, 1)) for x, y in corners]


def tint(colour: str, share: float = 0.1) -> str:
    """A colour mixed with the page."""
    parts = [round(255 + (int(colour[at : at + 2], 16) - 255) * share) for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)
