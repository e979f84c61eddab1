"""Xception (Keras 2 manual, chapter 13.3.1)."""

from __future__ import annotations

from typing import Any

from ..layers import Activation, Conv2D, MaxPooling2D, SeparableConv2D, add
from ..models import Model
from .frame import Frame, application, classifier, normalize, usual_files
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

# Chollet 2016, figure 5: the filters of each block's separable convolutions.
ENTRY = ((128, 128), (256, 256), (728, 728))
MIDDLE = ((728, 728, 728),) * 8
EXIT = ((728, 1024),)
LAST = (1536, 2048)

FILES = usual_files(
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.4/",
    "xception",
    "0a58e3b7378bc2990ea3b43d5981f1f6",
    "b0042744bf5b25fce3cb969f33bebb97",
)


@application(299, 71, "Chollet 2016, arXiv:1610.02357")
def Xception(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network of separable convolutions.

    >>> Xception(weights=None, include_top=False, input_shape=(71, 71, 3)).output_shape
    (None, 3, 3, 2048)
    """
    frame = Frame("Xception", locals(), size=299, smallest=71)
    frame.fetch(FILES)
    x = frame.image
    for number, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{number}"
        x = Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
        x = Activation("relu", name=f"{name}_act")(normalize(x, f"{name}_bn"))
    for block, widths in enumerate((*ENTRY, *MIDDLE, *EXIT), 2):
        x = _block(x, widths, f"block{block}", halves=len(widths) == 2)
    for number, filters in enumerate(LAST, 1):
        name = f"block14_sepconv{number}"
        x = Activation("relu", name=f"{name}_act")(_separable(x, filters, name))
    return frame.model(x, "xception", classifier("predictions"))


def _block(x: Any, widths: tuple[int, ...], name: str, halves: bool) -> Any:
    """Separable convolutions, each after its activation; halved or not, added to the input."""
    y = x
    for number, filters in enumerate(widths, 1):
        part = f"{name}_sepconv{number}"
        if part != "block2_sepconv1":  # its input is active already
            y = Activation("relu", name=f"{part}_act")(y)
        y = _separable(y, filters, part)
    if halves:
        x = Conv2D(widths[-1], 1, strides=2, padding="same", use_bias=False)(x)
        x = normalize(x)
        y = MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(y)
    return add([y, x])


def _separable(x: Any, filters: int, name: str) -> Any:
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return normalize(x, f"{name}_bn")
