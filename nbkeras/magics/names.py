"""Names that magics offer without an import."""

from __future__ import annotations

import ast
import functools
import importlib
from typing import Any

from nbkeras.magics import warm

__all__ = ["core", "for_cells", "for_options", "import_of"]

FAMILIES = (
    "regularizers",
    "initializers",
    "constraints",
    "metrics",
    "losses",
    "optimizers",
    "callbacks",
)


def core(name: str = "") -> Any:
    """A module of ``nbkeras.core``, once TensorFlow is there.

    >>> core("config").floatx()
    'float32'
    """
    warm.finish()
    return importlib.import_module("nbkeras.core" + ("." + name if name else ""))


@functools.cache
def for_cells() -> dict[str, Any]:
    """What a ``%%model`` cell sees: every layer, the models, ``keras`` and ``K``."""
    models = core("models")
    return {
        **_public("layers"),
        "Input": core("layers").Input,
        "K": core("backend"),
        "Model": models.Model,
        "Sequential": models.Sequential,
        "keras": core(),
    }


def import_of(name: str) -> ast.ImportFrom:
    """The statement by which code gets one of the names of :func:`for_cells` for itself.

    >>> ast.unparse(import_of("Dense")), ast.unparse(import_of("K"))
    ('from nbkeras.core.layers import Dense', 'from nbkeras.core import backend as K')
    """
    module, original = {
        "K": ("nbkeras.core", "backend"),
        "Model": ("nbkeras.core.models", "Model"),
        "Sequential": ("nbkeras.core.models", "Sequential"),
        "keras": ("nbkeras", "keras"),
    }.get(name, ("nbkeras.core.layers", name))
    alias = ast.alias(original, None if original == name else name)
    return ast.ImportFrom(module, [alias], level=0)


@functools.cache
def for_options() -> dict[str, Any]:
    """What the value of an option sees: callbacks, optimizers, losses, and the above."""
    offered: dict[str, Any] = {}
    for family in FAMILIES:
        offered |= _public(family)
    return {**offered, **for_cells()}


def _public(module: str) -> dict[str, Any]:
    found = core(module)
    plumbing = ("get", "serialize", "deserialize")
    return {
        name: getattr(found, name)
        for name in found.__all__
        if name not in plumbing and callable(getattr(found, name))
    }
