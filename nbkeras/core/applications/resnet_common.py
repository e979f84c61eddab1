"""Residual networks and their second version, by one table: He et al. 2015 and 2016."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ..layers import Activation, Add, Conv2D, MaxPooling2D, ZeroPadding2D
from ..models import Model
from .frame import Frame, application, classifier, normalize, usual_files

DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks of the stages 2 to 5, whose filters are 64, 128, 256 and 512: He et al. 2015, table 1."""

FOLDER = "https://github.com/keras-team/keras-applications/releases/download/resnet/"
FILES = {
    name: usual_files(FOLDER, name, *digests)
    for name, digests in {
        "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
        "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
        "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
        "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
        "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
        "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
    }.items()
}

_normalize = partial(normalize, epsilon=1.001e-5)
documented = partial(application, 224, 32)


def resnet(network: str, said: Mapping[str, Any], depth: int) -> Model:
    """Activation after each convolution; a stage begins with its stride."""
    return _build(network, said, depth, _FIRST)


def resnet_v2(network: str, said: Mapping[str, Any], depth: int) -> Model:
    """Activation before each convolution; a stage ends with its stride."""
    return _build(network, said, depth, _SECOND)


def _build(network: str, said: Mapping[str, Any], depth: int, version: _Version) -> Model:
    frame = Frame(network, said, size=224, smallest=32)
    frame.fetch(FILES[network.lower()])
    x = ZeroPadding2D(3, name="conv1_pad")(frame.image)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not version.activates_before:
        x = _active(x, "conv1")
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, blocks in enumerate(DEPTHS[depth], 2):
        strides = version.strides(stage, blocks)
        for number, step in enumerate(strides, 1):
            x = version.block(x, 32 * 2 ** (stage - 1), step, f"conv{stage}_block{number}", number)
    if version.activates_before:
        x = _active(x, "post")
    return frame.model(x, network.lower(), classifier("probs"), ("avg_pool", "max_pool"))


def _block(x: Any, filters: int, strides: int, name: str, number: int) -> Any:
    """Fewer channels, a 3x3 convolution, four times the channels; added to the input."""
    shortcut = x
    if number == 1:
        shortcut = Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = _normalize(shortcut, f"{name}_0_bn")
    x = Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x)
    x = _active(x, f"{name}_1")
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _active(x, f"{name}_2")
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = _normalize(x, f"{name}_3_bn")
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([shortcut, x]))


def _block_v2(x: Any, filters: int, strides: int, name: str, number: int) -> Any:
    """The same with each activation before its convolution, so that the sum stays as it is."""
    active = _active(x, f"{name}_preact")
    shortcut = x
    if number == 1:
        shortcut = Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(active)
    elif strides > 1:
        shortcut = MaxPooling2D(1, strides=strides)(x)
    x = Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(active)
    x = ZeroPadding2D(1, name=f"{name}_2_pad")(_active(x, f"{name}_1"))
    x = Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(_active(x, f"{name}_2"))
    return Add(name=f"{name}_out")([shortcut, x])


def _active(x: Any, name: str) -> Any:
    return Activation("relu", name=f"{name}_relu")(_normalize(x, f"{name}_bn"))


class _Version(NamedTuple):
    """What tells the two versions apart."""

    block: Callable[..., Any]
    strides: Callable[[int, int], tuple[int, ...]]
    activates_before: bool


_FIRST = _Version(_block, lambda stage, n: (1 if stage == 2 else 2, *(1,) * (n - 1)), False)
_SECOND = _Version(_block_v2, lambda stage, n: (*(1,) * (n - 1), 1 if stage == 5 else 2), True)
