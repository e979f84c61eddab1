"""VGG19 (Keras 2 manual, chapter 13.3.3)."""

from __future__ import annotations

from typing import Any

from ..models import Model
from .frame import application, usual_files
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_caffe as preprocess_input
from .vgg import vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

FILES = usual_files(
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/",
    "vgg19",
    "cbe5617147190e668d6c5d5026f83318",
    "253f8cb515780f3b799900260a226db6",
)
STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


@application(224, 32, "Simonyan and Zisserman 2014, arXiv:1409.1556")
def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of 19 layers with weights: 3x3 convolutions, and three dense layers.

    >>> VGG19(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 512)
    """
    return vgg("VGG19", locals(), STAGES, FILES)
