"""Every documented name is there, with its arguments and defaults.

``api.json`` holds the facts: what the manual and the later pages call a symbol, and
the signatures they print.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
from pathlib import Path
from typing import Any

import pytest

FACTS: dict[str, Any] = json.loads(
    Path(__file__).with_name("api.json").read_text(encoding="utf-8")
)

NOT_YET = (
    "keras.applications",
    "keras.datasets",
    "keras.preprocessing",
    "keras.wrappers",
)
"""What is not built yet: symbols, or all that is below a name. The table can only shrink."""


def find(name: str) -> Any:
    """What a documented name stands for: the longest module in it, then attributes."""
    parts = name.split(".")[1:]
    for depth in range(len(parts), -1, -1):
        try:
            value: Any = importlib.import_module(".".join(["nbkeras.core", *parts[:depth]]))
        except ModuleNotFoundError:
            continue
        for part in parts[depth:]:
            value = getattr(value, part)
        return value
    raise AttributeError(name)


def is_there(name: str) -> bool:
    try:
        find(name)
    except AttributeError:
        return False
    return True


def waits(name: str) -> bool:
    return any(name == later or name.startswith(f"{later}.") for later in NOT_YET)


DOCUMENTED = sorted(name for name in FACTS if not waits(name))
SIGNATURES = [
    (name, number) for name in DOCUMENTED for number in range(len(FACTS[name]["signatures"]))
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_name_is_there(name):
    value = find(name)
    if FACTS[name]["kind"] in ("function", "method", "class"):
        assert callable(value)


@pytest.mark.parametrize("later", NOT_YET)
def test_what_is_not_built_yet_is_not_there(later):
    """When it is, its line leaves the table, and its names are tested above."""
    names = [name for name in FACTS if name == later or name.startswith(f"{later}.")]
    assert names
    assert not [name for name in names if is_there(name)]


# ---------------------------------------------------------------- arguments
