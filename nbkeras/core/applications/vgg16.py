"""VGG16 (Keras 2 manual, chapter 13.3.2)."""

from __future__ import annotations

from typing import Any

from ..models import Model
from .frame import application, usual_files
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_caffe as preprocess_input
from .vgg import vgg

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

FILES = usual_files(
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/",
    "vgg16",
    "64373286793e3c8b2b4e3219cbf3544b",
    "6d6bbae143d832006294945121d1f1fc",
)
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


@application(224, 32, "Simonyan and Zisserman 2014, arXiv:1409.1556")
def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of 16 layers with weights: 3x3 convolutions, and three dense layers.

    >>> VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 512)
    """
    return vgg("VGG16", locals(), STAGES, FILES)
