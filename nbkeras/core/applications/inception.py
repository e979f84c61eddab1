"""Inception's pieces as data: convolutions, pooling, and branches side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..layers import Activation, AveragePooling2D, Concatenate, Conv2D, MaxPooling2D
from .frame import channel_axis, normalize

__all__ = ["AVERAGE", "MAXIMUM", "Convolved", "Mixed", "Step", "run"]

Step = Callable[[Any], Any]
"""What makes a tensor from a tensor."""


def run(x: Any, steps: Iterable[Step]) -> Any:
    """One step after the other."""
    for step in steps:
        x = step(x)
    return x


@dataclass(frozen=True)
class Convolved:
    """A convolution, normalized and activated; with strides there is no padding."""

    filters: int
    size: Any = 1
    strides: int = 1
    padding: str = "same"
    name: str | None = None

    def __call__(self, x: Any) -> Any:
        padding = "valid" if self.strides > 1 else self.padding
        x = Conv2D(self.filters, self.size, self.strides, padding, use_bias=False, name=self.name)(
            x
        )
        x = normalize(x, self.name and f"{self.name}_bn", scale=False)
        return Activation("relu", name=self.name and f"{self.name}_ac")(x)


@dataclass(frozen=True)
class Mixed:
    """Branches side by side, their channels joined.

    Attributes:
        name: of the layer that joins them.
        branches: the steps of each; one without steps is the input itself.
    """

    name: str | None
    branches: Sequence[Sequence[Step]]

    def __call__(self, x: Any) -> Any:
        ends = [run(x, steps) for steps in self.branches]
        return Concatenate(axis=channel_axis(), name=self.name)(ends)


def MAXIMUM(x: Any) -> Any:
    """Halved by the maximum of 3x3 windows."""
    return MaxPooling2D(3, strides=2)(x)


def AVERAGE(x: Any) -> Any:
    """The mean of each 3x3 window."""
    return AveragePooling2D(3, strides=1, padding="same")(x)
