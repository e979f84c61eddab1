"""What is written into a model's drawing, and how much room it takes.

The sizes are estimates on the safe side, so that a layout is the same on every
machine, whatever fonts it has.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbkeras.diagram.items import Item, Link, shape_text, wrapped
from nbkeras.text import count

__all__ = [
    "COLUMN",
    "PAD",
    "SMALL",
    "TITLE",
    "Plain",
    "Wording",
    "fit",
    "numbered",
    "remarks",
    "size",
    "text_width",
]

TITLE, SMALL = 13.0, 11.0
"""Font sizes of a node's name, and of all else."""
PAD = 12.0
LINE = 16.0
BARE = 30.0
"""Height of a node that shows its name only; each line under it adds ``LINE``."""
NARROWEST, WIDEST = 132.0, 290.0
COLUMN = 44.0
"""Where the second column of a line begins: what stands after a tab."""


class Wording:
    """What is written into nodes and beside edges: as the interactive graph has it."""

    widest = WIDEST
    folds = True
    """Whether a folded item has a sign that it can be unfolded."""

    def badges(self, item: Item) -> float:
        """The room that the signs beside a name take."""
        return (24.0 if item.children and self.folds else 0.0) + (26.0 if item.calls > 1 else 0.0)

    def title(self, item: Item) -> str:
        """A node's name."""
        return item.title

    def frame(self, item: Item) -> str:
        """The name of an item whose inside is shown."""
        return item.title

    def lines(self, item: Item) -> tuple[str, ...]:
        """What stands under a node's name; a tab parts two columns."""
        what = _kind(item)
        if item.parameters:
            frozen = "frozen " if item.frozen else ""
            what += f" \N{MIDDLE DOT} {count(item.parameters)} {frozen}parameters"
        into, out = _shapes(item.input_shape), _shapes(item.output_shape)
        if item.input_shape is None or into == out:
            return what, out
        if item.output_shape is None:
            return what, into
        return what, f"{into} \N{RIGHTWARDS ARROW} {out}"

    def label(self, link: Link) -> str:
        """What is drawn on an edge; of layers called several times it says which call it is."""
        if link.calls:
            return numbered(link.calls)
        if link.source_calls and len(link.source_calls) == link.count == 1:
            return f"of {numbered(link.source_calls)}"
        return (
            link.shape if link.count == 1 else f"{link.count} \N{MULTIPLICATION SIGN} {link.shape}"
        )


@dataclass(frozen=True)
class Plain(Wording):
    """Names, classes and shapes as ``plot_model`` of Keras 2 has them; nothing beside edges.

    Attributes:
        names: whether layers' names are shown, and not their classes only.
        shapes: whether a node has a table of its input's and output's shapes.
    """

    names: bool = True
    shapes: bool = False
    widest = 420.0
    folds = False

    def title(self, item: Item) -> str:
        name, kind = self.parts(item)
        return name if self.names else kind

    def frame(self, item: Item) -> str:
        return self.parts(item)[0]

    def lines(self, item: Item) -> tuple[str, ...]:
        kinds = (self.parts(item)[1],) if self.names else ()
        table = self.table(item) if self.shapes else ()
        return (*kinds, *(f"{end}\t{text}" for end, text in table))

    def label(self, link: Link) -> str:
        return ""

    def parts(self, item: Item) -> tuple[str, str]:
        """Name and class; of a wrapper also those of the layer in it, in brackets."""
        kind = "InputLayer" if item.kind == "Input" and item.family == "input" else item.kind
        inner = wrapped(item.layer)
        if inner is None:
            return item.title, kind
        return f"{item.title}({inner[0]})", f"{kind}({inner[1]})"

    def table(self, item: Item) -> tuple[tuple[str, str], tuple[str, str]]:
        """The rows of the table of shapes; what an input layer gives is what it is given."""
        into = item.output_shape if item.family == "input" else item.input_shape
        return ("input:", _listed(into)), ("output:", _listed(item.output_shape))


def _kind(item: Item) -> str:
    inner = wrapped(item.layer)
    return item.kind if inner is None else f"{item.kind}({inner[1]})"


def numbered(calls: Iterable[int]) -> str:
    """Which calls of a layer, counted from one.

    >>> numbered({0}), numbered({2, 1})
    ('call 1', 'calls 2, 3')
    """
    numbers = [str(call + 1) for call in sorted(calls)]
    return f"call{'s' * (len(numbers) > 1)} {', '.join(numbers)}"


def _shapes(shape: Any) -> str:
    """A shape as text; several equal ones as "2 × (?, 64)"."""
    if _are_several(shape) and all(one == shape[0] for one in shape):
        return f"{len(shape)} \N{MULTIPLICATION SIGN} {shape_text(shape[0])}"
    return shape_text(shape)


def _listed(shape: Any) -> str:
    """A shape, or several as a list, as Keras 2 prints them."""
    text = shape_text(shape, "None")
    return f"[{text}]" if _are_several(shape) else text


def _are_several(shape: Any) -> bool:
    several = isinstance(shape, list | tuple) and len(shape) > 1
    return several and isinstance(shape[0], list | tuple)


def remarks(item: Item) -> list[str]:
    """What is told besides when a node is pointed at."""
    found = []
    if item.role:
        found.append(f"{item.role.capitalize()} of the model")
    if item.frozen:
        found.append("Training leaves its weights as they are")
    if item.calls > 1:
        found.append(f"Shared, called {item.calls} times")
    return found


def size(item: Item, wording: Wording) -> tuple[float, float]:
    """The width and height of a node that shows an item."""
    texts = wording.lines(item)
    title = text_width(wording.title(item), TITLE, bold=True) + wording.badges(item)
    wanted = max([title, *(_line_width(line) for line in texts)]) + 2 * PAD
    width = min(max(wanted, NARROWEST), wording.widest)
    # Equal widths where names differ by a letter: columns look tidy.
    return math.ceil(width / 12) * 12.0, BARE + LINE * len(texts)


def _line_width(line: str) -> float:
    first, tab, second = line.partition("\t")
    return COLUMN + text_width(second, SMALL) if tab else text_width(first, SMALL)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """About how wide text is in a usual sans-serif face, on the safe side."""
    width = 0.0
    for character in text:
        if unicodedata.east_asian_width(character) in "WF":
            width += 1.0
        elif character in "iljftrI.,:;'|!()[]· \u202f":
            width += 0.36
        elif character in "mwMW@%→":
            width += 0.92
        elif character.isupper():
            width += 0.70
        else:
            width += 0.60
    return width * size * (1.06 if bold else 1.0)


def fit(text: str, width: float, size: float, bold: bool = False) -> str:
    """Text cut in its middle so that it is no wider than ``width``.

    >>> fit("a_very_long_name_of_a_layer_1", 80, 13)
    'a_ver…yer_1'
    """
    if text_width(text, size, bold) <= width:
        return text
    keep = len(text)
    while keep > 1:
        keep -= 1
        head, tail = keep // 2, keep - keep // 2
        cut = f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - tail :]}"
        if text_width(cut, size, bold) <= width:
            return cut
    return "\N{HORIZONTAL ELLIPSIS}"
