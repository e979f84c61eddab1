"""NASNet-A (Keras 2 manual, chapter 13.3.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from ..layers import (
    Activation,
    Add,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Cropping2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)
from ..models import Model
from .frame import (
    File,
    Frame,
    Published,
    application,
    channel_axis,
    channels_of,
    classifier,
    halving_pad,
    normalize,
)
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_tf as preprocess_input

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_FOLDER = "https://github.com/titu1994/Keras-NASNet/releases/download/v1.2/"


class Kind(NamedTuple):
    """One network of the family.

    Attributes:
        size: rows and columns of its pictures.
        features: channels at its end.
        cells: normal cells of each of the three stages.
        stem: filters of the first convolution.
        skips: whether the first cell of a stage sees, beside the reduction, what the
            reduction's neighbour saw, not its input.
        files: its weights.
    """

    size: int
    features: int
    cells: int
    stem: int
    skips: bool
    files: Published


LARGE = Kind(
    *(331, 4032, 6, 96, True),
    Published(
        File(_FOLDER + "NASNet-large.h5", "11577c9a518f0070763c2b964a382f17", "nasnet_large.h5"),
        File(
            _FOLDER + "NASNet-large-no-top.h5",
            "d81d89dc07e6e56530c4e77faddd61b5",
            "nasnet_large_no_top.h5",
        ),
    ),
)
MOBILE = Kind(
    *(224, 1056, 4, 32, False),
    Published(
        File(_FOLDER + "NASNet-mobile.h5", "020fb642bf7360b370c678b08e0adf61", "nasnet_mobile.h5"),
        File(
            _FOLDER + "NASNet-mobile-no-top.h5",
            "1ed92395b5b598bdda52abe5c0dbfd63",
            "nasnet_mobile_no_top.h5",
        ),
    ),
)

_documented = partial(application, smallest=32, source="Zoph et al. 2017, arXiv:1707.07012")
_normalize = partial(normalize, momentum=0.9997)


@_documented(331)
def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A large network of two cells that a search found."""
    return _nasnet("NASNetLarge", locals(), LARGE)


@_documented(224)
def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Model:
    """A small network of two cells that a search found.

    >>> NASNetMobile(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 1056)
    """
    return _nasnet("NASNetMobile", locals(), MOBILE)


# ---------------------------------------------------------------- Zoph et al. 2017, figure 4


@dataclass(frozen=True)
class Separable:
    """Two separable convolutions, each after its activation; the first takes the strides."""

    name: str
    size: int
    of: str
    strides: int = 1

    def __call__(self, x: Any, filters: int, cell: str, block: str) -> Any:
        for number, strides in ((1, self.strides), (2, 1)):
            layer, ending = f"separable_conv_{number}", f"{cell}_{self.name}_{block}"
            x = Activation("relu")(x)
            if strides > 1:
                x = ZeroPadding2D(halving_pad(x, self.size), name=f"{layer}_pad_{ending}")(x)
            x = SeparableConv2D(
                filters,
                self.size,
                strides=strides,
                padding="same" if strides == 1 else "valid",
                use_bias=False,
                name=f"{layer}_{ending}",
            )(x)
            x = _normalize(x, f"{layer}_bn_{ending}")
        return x


@dataclass(frozen=True)
class Pooled:
    """The mean or maximum of 3x3 windows; with strides, of what is padded already."""

    name: str
    layer: type
    of: str
    strides: int = 1

    def __call__(self, x: Any, filters: int, cell: str, block: str) -> Any:
        padding = "same" if self.strides == 1 else "valid"
        name = f"{cell}_{self.name}_{block}"
        return self.layer(3, strides=self.strides, padding=padding, name=name)(x)


Term = str | Separable | Pooled
"""What is added: a tensor of the cell, or an operation of one."""

# A sum's name, and its terms: tensors, or operations of them. The cell's input is h (padded:
# "pad"), the input of the cell before it p; sums are x1, x2, ... Names are those of the files.
NORMAL: tuple[tuple[Any, Term, Term], ...] = (
    ("add_1", Separable("left1", 5, "h"), Separable("right1", 3, "p")),
    ("add_2", Separable("left2", 5, "p"), Separable("right2", 3, "p")),
    ("add_3", Pooled("left3", AveragePooling2D, "h"), "p"),
    ("add_4", Pooled("left4", AveragePooling2D, "p"), Pooled("right4", AveragePooling2D, "p")),
    ("add_5", Separable("left5", 3, "h"), "h"),
)
REDUCTION: tuple[tuple[Any, Term, Term], ...] = (
    ("add_1", Separable("left1", 5, "h", 2), Separable("right1", 7, "p", 2)),
    ("add_2", Pooled("left2", MaxPooling2D, "pad", 2), Separable("right2", 7, "p", 2)),
    ("add3", Pooled("left3", AveragePooling2D, "pad", 2), Separable("right3", 5, "p", 2)),
    (None, "x2", Pooled("left4", AveragePooling2D, "x1")),
    ("add4", Separable("left4", 3, "x1"), Pooled("right5", MaxPooling2D, "pad", 2)),
)
JOINED = {"normal": ("p", "x1", "x2", "x3", "x4", "x5"), "reduction": ("x2", "x3", "x4", "x5")}


def _nasnet(network: str, said: Mapping[str, Any], kind: Kind) -> Model:
    frame = Frame(network, said, size=kind.size, smallest=32, static=True)
    frame.fetch(kind.files)
    x = _convolved(frame.image, kind.stem, 3, "stem_conv1", "stem_bn1", strides=2)
    filters = kind.features // 24
    before = None
    for block, part in (("stem_1", 4), ("stem_2", 2)):
        x, before = _cell("reduction", x, before, filters // part, block)
    for stage in range(3):
        width, first = filters * 2**stage, stage * kind.cells
        if stage:
            x, entered = _cell("reduction", x, before, width, f"reduce_{first}")
            before = before if kind.skips else entered
            first += 1  # as the files have it: one number is left out for the first reduction
        for number in range(first, first + kind.cells):
            x, before = _cell("normal", x, before, width, str(number))
    return frame.model(Activation("relu")(x), "NASNet", classifier("predictions", pool=None))


def _cell(cell: str, x: Any, before: Any, filters: int, block: str) -> tuple[Any, Any]:
    """A cell's output, and its input for the cell after it."""
    p = x if before is None else _adjusted(before, x, filters, block)
    h = _convolved(
        Activation("relu")(x), filters, 1, f"{cell}_conv_1_{block}", f"{cell}_bn_1_{block}"
    )
    known = {"h": h, "p": p}
    if cell == "reduction":
        known["pad"] = ZeroPadding2D(halving_pad(h, 3), name=f"{cell}_pad_1_{block}")(h)
    for number, (name, *terms) in enumerate(NORMAL if cell == "normal" else REDUCTION, 1):
        ends = [
            known[t] if isinstance(t, str) else t(known[t.of], filters, cell, block) for t in terms
        ]
        known[f"x{number}"] = Add(name=name and f"{cell}_{name}_{block}")(ends)
    join = Concatenate(axis=channel_axis(), name=f"{cell}_concat_{block}")
    return join([known[name] for name in JOINED[cell]]), x


def _adjusted(p: Any, x: Any, filters: int, block: str) -> Any:
    """The input of the cell before, in this one's size and channels."""
    columns = 3 if channel_axis() == 1 else 2
    if p.shape[columns] != x.shape[columns]:
        p = Activation("relu", name=f"adjust_relu_1_{block}")(p)
        # Every second pixel, once from the first on and once from the second on.
        shifted = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(p))
        halves = []
        for number, whole in enumerate((p, shifted), 1):
            half = AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{number}_{block}")(whole)
            halves.append(_kernel(filters // 2, 1, f"adjust_conv_{number}_{block}")(half))
        return _normalize(Concatenate(axis=channel_axis())(halves), f"adjust_bn_{block}")
    if channels_of(p) != filters:
        name = f"adjust_conv_projection_{block}"
        return _convolved(Activation("relu")(p), filters, 1, name, f"adjust_bn_{block}")
    return p


def _convolved(x: Any, filters: int, size: int, name: str, norm: str, strides: int = 1) -> Any:
    return _normalize(_kernel(filters, size, name, strides)(x), norm)


def _kernel(filters: int, size: int, name: str, strides: int = 1) -> Conv2D:
    padding = "same" if strides == 1 else "valid"
    return Conv2D(
        *(filters, size, strides, padding),
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )
