"""MobileNetV2 (Keras 2.3, ``keras.applications.mobilenet_v2``)."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..layers import (
    Add,
    Conv2D,
    DepthwiseConv2D,
    ReLU,
    ZeroPadding2D,
)
from ..models import Model
from .frame import (
    File,
    Frame,
    Published,
    application,
    channels_of,
    classifier,
    halving_pad,
    normalize,
)
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input
from .mobilenet import check_width

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""(expansion, filters, blocks, strides of the first): Sandler et al. 2018, table 2."""

SIZES = (96, 128, 160, 192, 224)
WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)

FOLDER = "https://github.com/JonathanCMitchell/mobilenet_v2_keras/releases/download/v1.1/"

EXTRA = """    alpha: width: how many filters a layer has, as a part of the paper's number.
"""

_normalize = partial(normalize, momentum=0.999)


@application(224, 32, "Sandler et al. 2018, arXiv:1801.04381", EXTRA)
def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A small network of inverted residuals: many channels within a block, few between blocks.

    >>> MobileNetV2(alpha=0.35, weights=None, include_top=False, pooling="avg").output_shape
    (None, 1280)
    """
    frame = Frame("MobileNetV2", locals(), size=224, smallest=32, sizes=SIZES)
    check_width("MobileNetV2", alpha, WIDTHS, frame.imagenet)
    if frame.imagenet:
        frame.fetch(_files(alpha, frame.trained))
    x = ZeroPadding2D(halving_pad(frame.image, 3), name="Conv1_pad")(frame.image)
    x = Conv2D(_eights(32 * alpha), 3, strides=2, use_bias=False, name="Conv1")(x)
    x = ReLU(6.0, name="Conv1_relu")(_normalize(x, "bn_Conv1"))
    number = 0
    for expansion, filters, blocks, first in BLOCKS:
        width = _eights(int(filters * alpha))
        for strides in (first, *(1,) * (blocks - 1)):
            name = f"block_{number}" if number else "expanded_conv"
            x = _block(x, expansion if number else 1, width, strides, name)
            number += 1
    last = _eights(1280 * alpha) if alpha > 1.0 else 1280
    x = _normalize(Conv2D(last, 1, use_bias=False, name="Conv_1")(x), "Conv_1_bn")
    x = ReLU(6.0, name="out_relu")(x)
    return frame.model(x, f"mobilenetv2_{alpha:.2f}_{frame.rows}", classifier("Logits", pool=None))


def _block(x: Any, expansion: int, filters: int, strides: int, name: str) -> Any:
    """Expanded, convolved by depth, projected; added to the input where it has the same shape."""
    y = x
    if expansion > 1:
        width = expansion * channels_of(x)
        y = Conv2D(width, 1, padding="same", use_bias=False, name=f"{name}_expand")(y)
        y = _active(y, f"{name}_expand")
    if strides == 2:
        y = ZeroPadding2D(halving_pad(y, 3), name=f"{name}_pad")(y)
    depthwise = DepthwiseConv2D(
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise",
    )
    y = _active(depthwise(y), f"{name}_depthwise")
    y = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_project")(y)
    y = _normalize(y, f"{name}_project_BN")
    same = strides == 1 and channels_of(x) == filters
    return Add(name=f"{name}_add")([x, y]) if same else y


def _active(x: Any, name: str) -> Any:
    return ReLU(6.0, name=f"{name}_relu")(_normalize(x, f"{name}_BN"))


def _eights(filters: float) -> int:
    """The nearest multiple of eight, but not less than nine tenths."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * filters else nearest + 8


def _files(alpha: float, size: int) -> Published:
    """Of these, no checksums are published."""
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}"
    names = (f"{stem}.h5", f"{stem}_no_top.h5")
    return Published(*(File(FOLDER + name, None, name) for name in names))
