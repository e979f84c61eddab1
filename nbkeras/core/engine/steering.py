"""The numbers of a run that may be moved while it trains.

They are variables of the compiled step, so that a new value traces nothing anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ... import events
from ..backend import get_value

__all__ = ["Steering"]


class Steering:
    """A model's learning rate and its layers' rates, by name.

    Names are ``lr`` and ``<layer>.<attribute>``, such as ``dropout_1.rate``.
    """

    def __init__(self, model: Any) -> None:
        self._places: dict[str, tuple[Any, str]] = {}
        self._parameters: dict[str, events.Parameter] = {}
        rate = getattr(model.optimizer, "lr", None)
        if rate is not None:
            value = float(get_value(rate))
            limits = (min(1e-6, value), max(1.0, value)) if value > 0 else (1e-6, 1.0)
            self._add("lr", "Learning rate", model.optimizer, "lr", (*limits, "log"))
        for layer in _all_layers(model):
            for attribute, limits in layer.steerable.items():
                label = f"{layer.name} {attribute}"
                self._add(f"{layer.name}.{attribute}", label, layer, attribute, limits)
        self._known = {name: self.value(name) for name in self._places}

    def _add(self, name: str, label: str, owner: Any, attribute: str, limits: Any) -> None:
        minimum, maximum, scale = limits
        self._places[name] = (owner, attribute)
        self._parameters[name] = events.Parameter(
            name, label, float(get_value(getattr(owner, attribute))), minimum, maximum, scale
        )

    def parameters(self) -> tuple[events.Parameter, ...]:
        """What may be moved, with its value and limits."""
        return tuple(self._parameters.values())

    def value(self, name: str) -> float:
        """A parameter's value now."""
        owner, attribute = self._places[name]
        return float(get_value(getattr(owner, attribute)))

    def set(self, name: str, value: float) -> None:
        """Move a parameter, within its limits; unknown names and NaN are ignored.

        A request comes from a page that may be older than the run: it must not end it.
        """
        if name not in self._places or not math.isfinite(value):
            return
        limits = self._parameters[name]
        owner, attribute = self._places[name]
        setattr(owner, attribute, min(max(value, limits.minimum), limits.maximum))

    def changes(self) -> Iterator[tuple[str, float, float]]:
        """(name, value, previous value) of what has moved since the last look."""
        for name, previous in self._known.items():
            value = self.value(name)
            if value != previous:
                self._known[name] = value
                yield name, value, previous


def _all_layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "_sublayers", ()):
        yield layer
        yield from _all_layers(layer)
