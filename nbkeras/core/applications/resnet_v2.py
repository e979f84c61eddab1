"""Residual networks, second version (Keras 2.3, ``keras.applications.resnet_v2``)."""

from __future__ import annotations

from typing import Any

from ..models import Model
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input
from .resnet_common import documented, resnet_v2

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


@documented("He et al. 2016, arXiv:1603.05027")
def ResNet50V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network, second version, of 50 layers.

    >>> ResNet50V2(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 2048)
    """
    return resnet_v2("ResNet50V2", locals(), 50)


@documented("He et al. 2016, arXiv:1603.05027")
def ResNet101V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network, second version, of 101 layers."""
    return resnet_v2("ResNet101V2", locals(), 101)


@documented("He et al. 2016, arXiv:1603.05027")
def ResNet152V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network, second version, of 152 layers."""
    return resnet_v2("ResNet152V2", locals(), 152)
