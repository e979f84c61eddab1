"""Long models in short: repeated and long pieces of a list of layers folded into blocks.

Where all data passes through one layer the list is cut; equal pieces in a row become
one item ("5 × block"), and a long piece that stands alone becomes a block too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from nbkeras.diagram.items import Item, Link, shape_text

__all__ = ["with_blocks"]

LONG = 40
"""A list of more layers than this is searched for blocks."""
SEPARATORS, DIGITS = "_-./ ", "0123456789"


def with_blocks(items: tuple[Item, ...], links: list[Link]) -> tuple[Item, ...]:
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
