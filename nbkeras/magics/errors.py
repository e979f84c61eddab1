"""Errors as a notebook should show them: what is wrong and where, without our own frames."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType
from typing import Any

__all__ = ["came_from", "line_in", "shorten"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = tuple(
    os.path.join(folder, "")
    for folder in {os.path.dirname(os.__file__), *filter(None, sys.path)}
    if os.path.basename(folder) in ("site-packages", "dist-packages")
    or folder == os.path.dirname(os.__file__)
)
_CORE = os.path.join(_PACKAGE, "core", "")
_OWN = os.path.join(_PACKAGE, "")


def shorten(error: BaseException, shell: Any) -> BaseException:
    """Have IPython show an error with the user's own frames only.

    With ``%xmode Verbose`` all frames are shown.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame)]
    whole = error.__traceback__

    def render() -> list[str]:
        mode = getattr(getattr(shell, "InteractiveTB", None), "mode", "")
        if mode == "Verbose":
            return shell.InteractiveTB.structured_traceback(type(error), error, whole)
        shown = ["Traceback (most recent call last):", *_lines(frames)] if frames else []
        shown += [line.rstrip() for line in traceback.format_exception_only(error)]
        if not isinstance(error, KeyboardInterrupt):
            shown.append("(Every frame: %xmode Verbose, then %tb)")
        return shown

    error._render_traceback_ = render  # type: ignore[attr-defined]
    return error


def came_from(error: BaseException) -> bool:
    """Whether nbkeras itself raised an error, and not the user's code."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and any(
        os.path.abspath(frame.filename).startswith(_CORE) for frame in frames
    )


def line_in(filename: str, tb: TracebackType | None) -> int | None:
    """The last line of a file that a traceback passes through."""
    lines = [f.lineno for f in traceback.extract_tb(tb) if f.filename == filename]
    return lines[-1] if lines else None


def _is_users(frame: traceback.FrameSummary) -> bool:
    path = os.path.abspath(frame.filename)
    if frame.filename.startswith("<"):
        return frame.filename.startswith("<ipython-input")
    return not path.startswith((_OWN, *_LIBRARIES))


def _lines(frames: list[traceback.FrameSummary]) -> list[str]:
    shown = []
    for frame in frames:
        cell = "ipykernel" in frame.filename or frame.filename.startswith("<ipython-input")
        where = "a cell" if cell else frame.filename
        shown.append(f"  {where}, line {frame.lineno}, in {frame.name}")
        if frame.line:
            shown.append(f"    {frame.line}")
    return shown
