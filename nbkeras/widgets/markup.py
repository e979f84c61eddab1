"""HTML that is readable wherever a notebook is: semantic, without ids, its style optional.

A notebook that is trusted keeps the style sheet; GitHub and untrusted pages drop it and
show plain tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nbkeras.text import escape

__all__ = ["Cell", "Fold", "details", "styled", "table"]

# Not a word of colour: the page's own ink, on its own ground. The class is said twice to
# weigh more than JupyterLab's rules for tables.
_RULES = """
table{border-collapse:collapse;margin:4px 0;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:2px 14px 2px 0;text-align:left;vertical-align:top;max-width:none;border:0}
tr{background:none}
[align=right]{text-align:right}
tbody th{font-weight:600}
thead th{font-weight:400;opacity:.7;vertical-align:bottom}
thead,tfoot tr:first-child{border:solid rgba(128,128,128,.4);border-width:0 0 1px}
tfoot tr:first-child{border-width:1px 0 0}
td td,td th{padding-top:1px;padding-bottom:1px}
summary{cursor:pointer}
details>table{margin-left:16px}
p{margin:4px 0}
img{max-width:100%;height:auto}
"""


def _style() -> str:
    """The rules, each for our own part of the page only."""
    within = "div.nbk-record.nbk-record "
    rules = [rule.partition("{") for rule in _RULES.split("\n") if rule]
    text = (
        ",".join(within + s for s in names.split(",")) + brace + body
        for names, brace, body in rules
    )
    return f"<style>{''.join(text)}</style>"


STYLE = _style()


class Cell(NamedTuple):
    """Text in a table; numbers stand at the right."""

    text: str
    number: bool = False


class Fold(NamedTuple):
    """A row that opens: its summary, and HTML below it."""

    summary: str
    html: str


Row = Sequence[Cell] | Fold


def table(head: Sequence[Cell], rows: Iterable[Row], foot: Iterable[Row] = ()) -> str:
    """A table; the first cell of each row is its heading."""
    top = "".join(_cell(cell, "th", ' scope="col"') for cell in head)
    body = "".join(_row(row, len(head)) for row in rows)
    end = "".join(_row(row, len(head)) for row in foot)
    end = f"<tfoot>{end}</tfoot>" if end else ""
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody>{end}</table>"


def details(summary: str, html: str, is_open: bool = False) -> str:
    """HTML that opens below its summary."""
    return f"<details{' open' * is_open}><summary>{escape(summary)}</summary>{html}</details>"


def styled(*parts: str) -> str:
    """The parts that are not empty, one below the other, with the style sheet."""
    return f'<div class="nbk-record">{STYLE}\n' + "\n".join(filter(None, parts)) + "\n</div>"


def _row(row: Row, columns: int) -> str:
    if isinstance(row, Fold):
        return f'<tr><td colspan="{columns}">{details(row.summary, row.html)}</td></tr>'
    first, *rest = row
    cells = [_cell(first, "th", ' scope="row"'), *(_cell(cell, "td") for cell in rest)]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(cell: Cell, tag: str, attributes: str = "") -> str:
    side = "right" if cell.number else "left"
    return f'<{tag}{attributes} align="{side}">{escape(cell.text)}</{tag}>'
