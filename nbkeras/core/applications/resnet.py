"""Residual networks (Keras 2.3, ``keras.applications.resnet``)."""

from __future__ import annotations

from typing import Any

from ..models import Model
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_caffe as preprocess_input
from .resnet_common import documented, resnet

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


@documented("He et al. 2015, arXiv:1512.03385")
def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network of 50 layers.

    >>> ResNet50(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 2048)
    """
    return resnet("ResNet50", locals(), 50)


@documented("He et al. 2015, arXiv:1512.03385")
def ResNet101(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network of 101 layers."""
    return resnet("ResNet101", locals(), 101)


@documented("He et al. 2015, arXiv:1512.03385")
def ResNet152(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network of 152 layers."""
    return resnet("ResNet152", locals(), 152)
