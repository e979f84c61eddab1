"""MobileNet (Keras 2 manual, chapter 13.3.7)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..layers import (
    Activation,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from ..models import Model
from .frame import File, Frame, Published, application, channel_axis, normalize
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input

__all__ = ["DepthwiseConv2D", "MobileNet", "decode_predictions", "preprocess_input", "relu6"]

BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
"""(filters, strides) of the separable convolutions: Howard et al. 2017, table 1."""

SIZES = (128, 160, 192, 224)
WIDTHS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
"""The widths that weights are published for, as their files are called."""

FOLDER = "https://github.com/fchollet/deep-learning-models/releases/download/v0.6/"

EXTRA = """    alpha: width: how many filters a layer has, as a part of the paper's number.
    depth_multiplier: output channels of the depthwise convolutions for each of their input.
    dropout: part of the features that training drops before the last layer.
"""


def relu6(x: Any) -> Any:
    """:math:`\\min(\\max(x, 0), 6)`, by the name it has in files of Keras 2.1.

    >>> relu6(K.constant([-1.0, 5.0, 7.0])).numpy().tolist()
    [0.0, 5.0, 6.0]

    Source: Keras 2 manual, chapter 13.3.7.
    """
    return K.relu(x, max_value=6.0)


@application(224, 32, "Howard et al. 2017, arXiv:1704.04861", EXTRA)
def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A small network of depthwise convolutions, each followed by one of a single pixel.

    >>> MobileNet(alpha=0.25, weights=None, include_top=False, pooling="avg").output_shape
    (None, 256)
    """
    frame = Frame("MobileNet", locals(), size=224, smallest=32, sizes=SIZES)
    check_width("MobileNet", alpha, tuple(WIDTHS), frame.imagenet)
    if frame.imagenet:
        if depth_multiplier != 1:
            raise ValueError(
                "MobileNet: weights are published for depth_multiplier=1; got "
                f"{depth_multiplier!r}. Write MobileNet(weights=None, "
                f"depth_multiplier={depth_multiplier!r}) for random weights."
            )
        frame.fetch(_files(alpha, frame.trained))
    x = ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(frame.image)
    x = Conv2D(int(32 * alpha), 3, strides=2, use_bias=False, name="conv1")(x)
    x = _active(x, "conv1")
    for number, (filters, strides) in enumerate(BLOCKS, 1):
        if strides == 2:
            x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
        x = DepthwiseConv2D(
            3,
            strides=strides,
            padding="same" if strides == 1 else "valid",
            depth_multiplier=depth_multiplier,
            use_bias=False,
            name=f"conv_dw_{number}",
        )(x)
        x = _active(x, f"conv_dw_{number}")
        pointwise = Conv2D(
            int(filters * alpha), 1, padding="same", use_bias=False, name=f"conv_pw_{number}"
        )
        x = _active(pointwise(x), f"conv_pw_{number}")

    def top(x: Any, classes: int) -> Any:
        channels = int(BLOCKS[-1][0] * alpha)
        x = GlobalAveragePooling2D()(x)
        shape = (channels, 1, 1) if channel_axis() == 1 else (1, 1, channels)
        x = Dropout(dropout, name="dropout")(Reshape(shape, name="reshape_1")(x))
        x = Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = Reshape((classes,), name="reshape_2")(x)
        return Activation("softmax", name="act_softmax")(x)

    return frame.model(x, f"mobilenet_{alpha:.2f}_{frame.rows}", top)


def _active(x: Any, name: str) -> Any:
    return ReLU(6.0, name=f"{name}_relu")(normalize(x, f"{name}_bn"))


def check_width(network: str, alpha: Any, widths: tuple[float, ...], published: bool) -> None:
    """Whether there can be a network of a width, and published weights for it.

    Raises:
        ValueError: there cannot.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not alpha > 0:
        raise ValueError(
            f"{network}: alpha is a number above 0, as in {network}(alpha=0.5, weights=None); "
            f"got {alpha!r}."
        )
    if published and alpha not in widths:
        raise ValueError(
            f"{network}: weights are published for alpha {', '.join(map(str, widths))}; got "
            f"{alpha!r}. Write {network}(alpha={alpha!r}, weights=None) for random weights."
        )


def _files(alpha: float, size: int) -> Published:
    """Of these, no checksums are published."""
    stem = f"mobilenet_{WIDTHS[alpha]}_{size}_tf"
    names = (f"{stem}.h5", f"{stem}_no_top.h5")
    return Published(*(File(FOLDER + name, None, name) for name in names))
