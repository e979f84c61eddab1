"""DenseNet (Keras 2 manual, chapter 13.3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..layers import Activation, AveragePooling2D, Concatenate, Conv2D, MaxPooling2D, ZeroPadding2D
from ..models import Model
from .frame import (
    Frame,
    application,
    channel_axis,
    channels_of,
    classifier,
    normalize,
    usual_files,
)
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_torch as preprocess_input

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
"""Steps of the dense blocks: Huang et al. 2016, table 1."""

GROWTH = 32
"""Channels that each step adds."""

FILES = {
    name: usual_files(
        "https://github.com/keras-team/keras-applications/releases/download/densenet/",
        name,
        *digests,
    )
    for name, digests in {
        "densenet121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
        "densenet169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
        "densenet201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    }.items()
}

_documented = partial(application, 224, 32, "Huang et al. 2016, arXiv:1608.06993")


@_documented()
def DenseNet121(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of 121 layers, each of which sees the output of all before it in its block.

    >>> DenseNet121(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1024)
    """
    return _densenet("DenseNet121", locals(), 121)


@_documented()
def DenseNet169(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of 169 layers, each of which sees the output of all before it in its block."""
    return _densenet("DenseNet169", locals(), 169)


@_documented()
def DenseNet201(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of 201 layers, each of which sees the output of all before it in its block."""
    return _densenet("DenseNet201", locals(), 201)


def _densenet(network: str, said: Mapping[str, Any], depth: int) -> Model:
    frame = Frame(network, said, size=224, smallest=32)
    frame.fetch(FILES[network.lower()])
    x = ZeroPadding2D(3)(frame.image)
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = ZeroPadding2D(1)(_active(x, "conv1/bn", "conv1/relu"))
    x = MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, steps in enumerate(BLOCKS[depth], 2):
        if stage > 2:
            x = _halve(x, f"pool{stage - 1}")
        for step in range(1, steps + 1):
            x = _grow(x, f"conv{stage}_block{step}")
    x = _active(x, "bn", "relu")
    return frame.model(x, network.lower(), classifier("fc1000"), ("avg_pool", "max_pool"))


def _grow(x: Any, name: str) -> Any:
    """Some more channels, seen by a 3x3 convolution of all that there are."""
    y = _active(x, f"{name}_0_bn", f"{name}_0_relu")
    y = Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _active(y, f"{name}_1_bn", f"{name}_1_relu")
    y = Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _halve(x: Any, name: str) -> Any:
    """Half of the channels, rows and columns."""
    x = _active(x, f"{name}_bn", f"{name}_relu")
    x = Conv2D(channels_of(x) // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return AveragePooling2D(2, name=f"{name}_pool")(x)


def _active(x: Any, norm: str, activation: str) -> Any:
    return Activation("relu", name=activation)(normalize(x, norm, epsilon=1.001e-5))
