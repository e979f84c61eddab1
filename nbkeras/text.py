"""Text as views show it: made harmless where it is produced, numbers easy to read.

The front-end's ``format.ts`` holds the same functions; one fixture tests both. This
module imports nothing of the project.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["bytes_", "count", "duration", "escape", "number", "plain", "setting", "shape"]

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_THIN = "\u202f"
_MINUS = "\u2212"
_UNKNOWN = "\u2013"


def plain(text: object, longest: int = 200) -> str:
    r"""Text from elsewhere on one line, control and direction characters made visible.

    >>> plain("a\x1b[31mb\nc")
    'a\\u001b[31mb c'
    """
    clean = _HIDDEN.sub(_reveal, str(text))
    return clean if len(clean) <= longest else clean[: longest - 1] + "\u2026"


def escape(text: object, longest: int = 200) -> str:
    """:func:`plain` text that is safe in HTML, in attributes too.

    >>> escape("<b>")
    '&lt;b&gt;'
    """
    return html.escape(plain(text, longest), quote=True)


def number(value: float | None, digits: int = 4) -> str:
    """A measured number in about four digits.

    >>> number(0.01234567), number(12.345678), number(0.000012)
    ('0.0123', '12.346', '1.20e−5')
    """
    if value is None:
        return _UNKNOWN
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "\u221e" if value > 0 else _MINUS + "\u221e"
    size = abs(value)
    if size and not 1e-3 <= size < 1e6:
        mantissa, exponent = f"{value:.{max(1, digits - 2)}e}".split("e")
        return _minus(f"{mantissa}e{int(exponent)}")
    whole = 1 if size < 1 else math.floor(math.log10(size)) + 1
    return _minus(f"{value:.{max(0, min(digits, digits + 1 - whole))}f}")


def setting(value: float) -> str:
    """A setting, as short as four digits can say it.

    >>> setting(0.001), setting(0.0003), setting(0.25)
    ('0.001', '3e−4', '0.25')
    """
    if not math.isfinite(value):
        return number(value)
    short = float(f"{value:.3e}")
    size = abs(short)
    if size == 0 or 1e-3 <= size < 1e6:
        return _minus(f"{short:.7f}".rstrip("0").rstrip("."))
    mantissa, exponent = f"{short:.3e}".split("e")
    return _minus(f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}")


def count(value: float | None) -> str:
    """A count with its digits in groups of three, ``?`` where unknown.

    >>> count(1234567)
    '1\u202f234\u202f567'
    """
    return "?" if value is None else _minus(f"{round(value):,}".replace(",", _THIN))


def bytes_(value: float) -> str:
    """A number of bytes.

    >>> bytes_(1440)
    '1.4\u202fKB'
    """
    units = ["B", "KB", "MB", "GB", "TB", "PB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    digits = 0 if units[0] == "B" or value >= 99.95 else 1
    return f"{value:.{digits}f}{_THIN}{units[0]}"


def duration(seconds: float | None) -> str:
    """Seconds, roughly.

    >>> duration(0.25), duration(80), duration(7500)
    ('0.2 s', '1 min 20 s', '2 h 05 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return _UNKNOWN
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = math.floor(whole / 60 + 0.5)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes / 60 / 24:.0f} days"


def shape(value: Any) -> str:
    """The sizes of a tensor, or of several.

    >>> shape((None, 28, 28)), shape((None,)), shape(None)
    ('(None, 28, 28)', '(None,)', '?')
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        return "?" if value is None else plain(value)
    if any(isinstance(size, Sequence) and not isinstance(size, str) for size in value):
        return ", ".join(shape(size) for size in value)
    return f"({', '.join(plain(size) for size in value)}{',' if len(value) == 1 else ''})"


def _reveal(match: re.Match[str]) -> str:
    mark = match[0]
    return " " if mark in "\n\t" else f"\\u{ord(mark):04x}"


def _minus(text: str) -> str:
    return text.replace("-", _MINUS)
