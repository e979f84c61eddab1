"""Inception-ResNet v2 (Keras 2 manual, chapter 13.3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import registry
from ..layers import Activation, Conv2D
from ..layers.merge import Merge
from ..models import Model
from .frame import Frame, application, channels_of, classifier, usual_files
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input
from .inception import AVERAGE, MAXIMUM, Convolved, Mixed, Step, run
from .inception_v3 import STEM

__all__ = ["InceptionResNetV2", "ScaledSum", "decode_predictions", "preprocess_input"]

FILES = usual_files(
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.7/",
    "inception_resnet_v2",
    "e693bd0210a403b3192acc6073ad2e96",
    "d19885ff4a710c122648d3b5c3b684e4",
)


@registry.register("layer")
class ScaledSum(Merge):
    r"""A tensor and a part of another, :math:`y = x_1 + s\, x_2`.

    Args:
        scale: the part, :math:`s`.

    >>> from nbkeras.core import backend as K
    >>> ScaledSum(0.5)([K.constant([1.0]), K.constant([4.0])]).numpy().tolist()
    [3.0]

    Source: Szegedy et al. 2016, arXiv:1602.07261, section 3.3.
    """

    exactly = 2

    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = float(scale)

    def merge(self, inputs: list[Any]) -> Any:
        return inputs[0] + self.scale * inputs[1]


@dataclass(frozen=True)
class Residual:
    """Branches, joined and brought to the input's channels, of which a part is added to it."""

    name: str
    scale: float
    branches: Sequence[Sequence[Step]]
    activates: bool = True

    def __call__(self, x: Any) -> Any:
        y = Mixed(f"{self.name}_mixed", self.branches)(x)
        y = Conv2D(channels_of(x), 1, padding="same", name=f"{self.name}_conv")(y)
        x = ScaledSum(self.scale, name=self.name)([x, y])
        return Activation("relu", name=f"{self.name}_ac")(x) if self.activates else x


# ---------------------------------------------------------------- Szegedy et al. 2016, figure 15

C = Convolved

BLOCK_35 = ((C(32),), (C(32), C(32, 3)), (C(32), C(48, 3), C(64, 3)))
BLOCK_17 = ((C(192),), (C(128), C(160, (1, 7)), C(192, (7, 1))))
BLOCK_8 = ((C(192),), (C(192), C(224, (1, 3)), C(256, (3, 1))))

NETWORK: tuple[Step, ...] = (
    *STEM,
    Mixed(
        "mixed_5b",
        ((C(96),), (C(48), C(64, 5)), (C(64), C(96, 3), C(96, 3)), (AVERAGE, C(64))),
    ),
    *(Residual(f"block35_{i}", 0.17, BLOCK_35) for i in range(1, 11)),
    Mixed("mixed_6a", ((C(384, 3, 2),), (C(256), C(256, 3), C(384, 3, 2)), (MAXIMUM,))),
    *(Residual(f"block17_{i}", 0.1, BLOCK_17) for i in range(1, 21)),
    Mixed(
        "mixed_7a",
        (
            (C(256), C(384, 3, 2)),
            (C(256), C(288, 3, 2)),
            (C(256), C(288, 3), C(320, 3, 2)),
            (MAXIMUM,),
        ),
    ),
    *(Residual(f"block8_{i}", 0.2, BLOCK_8) for i in range(1, 10)),
    Residual("block8_10", 1.0, BLOCK_8, activates=False),
    C(1536, name="conv_7b"),
)


@application(299, 75, "Szegedy et al. 2016, arXiv:1602.07261")
def InceptionResNetV2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A residual network of Inception's blocks.

    >>> InceptionResNetV2(weights=None, include_top=False, input_shape=(75, 75, 3)).output_shape
    (None, 1, 1, 1536)
    """
    frame = Frame("InceptionResNetV2", locals(), size=299, smallest=75)
    frame.fetch(FILES)
    x = run(frame.image, NETWORK)
    return frame.model(x, "inception_resnet_v2", classifier("predictions"))
