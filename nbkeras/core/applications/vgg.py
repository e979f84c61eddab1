"""VGG's blocks: Simonyan and Zisserman 2014, arXiv:1409.1556, table 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..layers import Conv2D, Dense, Flatten, MaxPooling2D
from ..models import Model
from .frame import Frame, Published

Stages = Sequence[tuple[int, int]]
"""(filters, convolutions) of each stage."""


def vgg(network: str, said: Mapping[str, Any], stages: Stages, files: Published) -> Model:
    """Stages of 3x3 convolutions, each halved by pooling, and three dense layers."""
    frame = Frame(network, said, size=224, smallest=32, flattens=True)
    frame.fetch(files)
    x = frame.image
    for stage, (filters, convolutions) in enumerate(stages, 1):
        for number in range(1, convolutions + 1):
            name = f"block{stage}_conv{number}"
            x = Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = MaxPooling2D(2, name=f"block{stage}_pool")(x)
    return frame.model(x, network.lower(), _top)


def _top(x: Any, classes: int) -> Any:
    x = Flatten(name="flatten")(x)
    x = Dense(4096, activation="relu", name="fc1")(x)
    x = Dense(4096, activation="relu", name="fc2")(x)
    return Dense(classes, activation="softmax", name="predictions")(x)
