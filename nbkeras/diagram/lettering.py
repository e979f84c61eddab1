"""What is written into a model's drawing, and how much room it takes.

The sizes are estimates on the safe side, so that a layout is the same on every
machine, whatever fonts it has.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from nbkeras.diagram.items import Item, Link, shape_text
from nbkeras.text import count

__all__ = ["PAD", "SMALL", "TITLE", "fit", "label", "lines", "remarks", "size", "text_width"]

TITLE, SMALL = 13.0, 11.0
"""Font sizes of a node's name, and of all else."""
PAD = 12.0
NODE_HEIGHT = 62.0
NARROWEST, WIDEST = 132.0, 290.0


def lines(item: Item) -> tuple[str, ...]:
    """What stands under a node's name."""
    what = item.kind
    if item.parameters:
        frozen = "frozen " if item.frozen else ""
        what += f" \N{MIDDLE DOT} {count(item.parameters)} {frozen}parameters"
    into, out = _shapes(item.input_shape), _shapes(item.output_shape)
    if item.input_shape is None or into == out:
        return what, out
    if item.output_shape is None:
        return what, into
    return what, f"{into} \N{RIGHTWARDS ARROW} {out}"


def _shapes(shape: Any) -> str:
    """A shape as text; several equal ones as "2 × (?, 64)"."""
    several = isinstance(shape, list | tuple) and len(shape) > 1
    if several and isinstance(shape[0], list | tuple) and all(one == shape[0] for one in shape):
        return f"{len(shape)} \N{MULTIPLICATION SIGN} {shape_text(shape[0])}"
    return shape_text(shape)


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


def label(link: Link) -> str:
    """What is drawn on an edge; a target called several times is told which call it is."""
    if link.calls:
        return f"call {', '.join(str(call + 1) for call in link.calls)}"
    return link.shape if link.count == 1 else f"{link.count} \N{MULTIPLICATION SIGN} {link.shape}"


def size(item: Item, texts: tuple[str, ...]) -> tuple[float, float]:
    """The width and height of a node that shows an item."""
    title = text_width(item.title, TITLE, bold=True)
    title += (20 if item.children else 0) + (26 if item.calls > 1 else 0)
    wanted = max([title, *(text_width(line, SMALL) for line in texts)]) + 2 * PAD
    width = min(max(wanted, NARROWEST), WIDEST)
    # Equal widths where names differ by a letter: columns look tidy.
    return math.ceil(width / 12) * 12.0, NODE_HEIGHT


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
