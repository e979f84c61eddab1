"""ResNet-50 as it was first published, with Caffe's names (Keras 2 manual, chapter 13.3.4).

The same network under newer names, with weights of its own, is ``keras.applications.resnet``'s.
"""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from ..layers import Activation, Conv2D, MaxPooling2D, ZeroPadding2D, add
from ..models import Model
from .frame import Frame, application, classifier, normalize, usual_files
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_caffe as preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

FILES = usual_files(
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/",
    "resnet50",
    "a7b3fe01876f51b976af0dea6bc144eb",
    "a268eb855778b3df3c7506639542a6af",
)
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""(filters, blocks) of the stages 2 to 5: He et al. 2015, table 1."""


@application(224, 32, "He et al. 2015, arXiv:1512.03385")
def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of 50 layers with weights, in blocks that add to what they are given.

    >>> model = ResNet50(weights=None, include_top=False, pooling="avg")
    >>> model.output_shape, model.get_layer("res5c_branch2c").filters
    ((None, 2048), 2048)
    """
    frame = Frame("ResNet50", locals(), size=224, smallest=32)
    frame.fetch(FILES)
    x = ZeroPadding2D(3, name="conv1_pad")(frame.image)
    x = _convolved(x, 64, 7, "conv1", "bn_conv1", strides=2)
    x = ZeroPadding2D(1, name="pool1_pad")(Activation("relu")(x))
    x = MaxPooling2D(3, strides=2)(x)
    for stage, (filters, blocks) in enumerate(STAGES, 2):
        for number, letter in enumerate(ascii_lowercase[:blocks]):
            strides = 2 if stage > 2 and number == 0 else 1
            x = _block(x, filters, f"{stage}{letter}_branch", strides, widens=number == 0)
    return frame.model(x, "resnet50", classifier("fc1000"))


def _block(x: Any, filters: int, branch: str, strides: int, widens: bool) -> Any:
    """Fewer channels, a 3x3 convolution, four times the channels; added to the input."""
    y = x
    steps = (("2a", filters, 1, strides), ("2b", filters, 3, 1), ("2c", 4 * filters, 1, 1))
    for part, width, size, step in steps:
        y = _convolved(y, width, size, f"res{branch}{part}", f"bn{branch}{part}", step)
        if part != "2c":
            y = Activation("relu")(y)
    if widens:
        x = _convolved(x, 4 * filters, 1, f"res{branch}1", f"bn{branch}1", strides)
    return Activation("relu")(add([y, x]))


def _convolved(x: Any, filters: int, size: int, name: str, norm: str, strides: int) -> Any:
    padding = "same" if size == 3 else "valid"
    x = Conv2D(filters, size, strides, padding, kernel_initializer="he_normal", name=name)(x)
    return normalize(x, norm)
