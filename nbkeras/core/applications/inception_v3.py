"""InceptionV3 (Keras 2 manual, chapter 13.3.5)."""

from __future__ import annotations

from typing import Any

from ..models import Model
from .frame import Frame, application, classifier, usual_files
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input
from .inception import AVERAGE, MAXIMUM, Convolved, Mixed, Step, run

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

FILES = usual_files(
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.5/",
    "inception_v3",
    "9a0d58056eeedaa3f26cb7ebd46da564",
    "bcbd6486424b2319ff4ef7d526e38f63",
)

# ---------------------------------------------------------------- Szegedy et al. 2015, table 1

C = Convolved

STEM: tuple[Step, ...] = (
    C(32, 3, strides=2),
    C(32, 3, padding="valid"),
    C(64, 3),
    MAXIMUM,
    C(80, padding="valid"),
    C(192, 3, padding="valid"),
    MAXIMUM,
)


def _fives(name: str, pooled: int) -> Mixed:
    """Windows of 5x5, and as two of 3x3 (figure 5)."""
    return Mixed(
        name, ((C(64),), (C(48), C(64, 5)), (C(64), C(96, 3), C(96, 3)), (AVERAGE, C(pooled)))
    )


def _sevens(name: str, n: int) -> Mixed:
    """Windows of 7x7, by row and by column (figure 6)."""
    row, column = (1, 7), (7, 1)
    return Mixed(
        name,
        (
            (C(192),),
            (C(n), C(n, row), C(192, column)),
            (C(n), C(n, column), C(n, row), C(n, column), C(192, row)),
            (AVERAGE, C(192)),
        ),
    )


def _threes(name: str, fork: str) -> Mixed:
    """Rows and columns of three side by side (figure 7)."""
    sides = ((C(384, (1, 3)),), (C(384, (3, 1)),))
    return Mixed(
        name,
        (
            (C(320),),
            (C(384), Mixed(fork, sides)),
            (C(448), C(384, 3), Mixed(None, sides)),
            (AVERAGE, C(192)),
        ),
    )


NETWORK: tuple[Step, ...] = (
    *STEM,
    *(_fives(f"mixed{i}", pooled) for i, pooled in enumerate((32, 64, 64))),
    Mixed("mixed3", ((C(384, 3, 2),), (C(64), C(96, 3), C(96, 3, 2)), (MAXIMUM,))),
    *(_sevens(f"mixed{i}", n) for i, n in enumerate((128, 160, 160, 192), 4)),
    Mixed(
        "mixed8",
        (
            (C(192), C(320, 3, 2)),
            (C(192), C(192, (1, 7)), C(192, (7, 1)), C(192, 3, 2)),
            (MAXIMUM,),
        ),
    ),
    *(_threes(f"mixed{9 + i}", f"mixed9_{i}") for i in range(2)),
)


@application(299, 75, "Szegedy et al. 2015, arXiv:1512.00567")
def InceptionV3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A network of blocks that look through windows of several sizes at once.

    >>> InceptionV3(weights=None, include_top=False, input_shape=(75, 75, 3)).output_shape
    (None, 1, 1, 2048)
    """
    frame = Frame("InceptionV3", locals(), size=299, smallest=75)
    frame.fetch(FILES)
    return frame.model(run(frame.image, NETWORK), "inception_v3", classifier("predictions"))
