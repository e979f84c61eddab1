"""What can be asked of, and done to, a model's layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.describe import print_summary
from ..engine.topology import get_source_inputs
from .conv_utils import convert_kernel

__all__ = [
    "convert_all_kernels_in_model",
    "convert_dense_weights_data_format",
    "count_params",
    "get_source_inputs",
    "print_summary",
]

_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose")


def count_params(weights: Iterable[Any]) -> int:
    """How many numbers some weights hold, each counted once.

    >>> count_params([np.zeros((2, 3)), np.zeros(3)])
    9
    """
    return sum(int(np.prod(w.shape)) for w in {id(w): w for w in weights}.values())


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn all kernels of convolutions around, as between Theano's and TensorFlow's.

    Args:
        model: the model; those within it are turned too.

    >>> from nbkeras.core.layers import Conv1D
    >>> from nbkeras.core.models import Sequential
    >>> model = Sequential([Conv1D(1, 2, input_shape=(4, 1))])
    >>> model.set_weights([np.reshape([1.0, 2.0], (2, 1, 1)), [0.0]])
    >>> convert_all_kernels_in_model(model)
    >>> model.get_weights()[0].ravel().tolist()
    [2.0, 1.0]
    """
    kernels = {id(layer.kernel): layer.kernel for layer in _convolutions(model)}
    for kernel in kernels.values():  # a shared one once
        kernel.assign(convert_kernel(kernel.numpy()))


def _convolutions(layer: Any) -> Iterable[Any]:
    for part in getattr(layer, "_sublayers", ()):
        if type(part).__name__ in _CONVOLUTIONS:
            yield part
        yield from _convolutions(part)


def convert_dense_weights_data_format(
    dense: Any,
    previous_feature_map_shape: tuple[int, ...],
    target_data_format: str = "channels_first",
) -> None:
    """Reorder a ``Dense`` layer's rows for images flattened in the other layout.

    Args:
        dense: the layer after ``Flatten``.
        previous_feature_map_shape: the shape before ``Flatten``, without the rows, in the
            target's layout.
        target_data_format: the layout the layer is to be fed with.

    Raises:
        ValueError: the shape does not fit the layer; nothing is changed then.
    """
    kernel, *rest = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if len(shape) != 3 or int(np.prod(shape)) != kernel.shape[0]:
        raise ValueError(
            f"{dense.name!r} has {kernel.shape[0]} inputs; a feature map of three sizes with as "
            f"many numbers is expected, got {shape}."
        )
    if target_data_format == "channels_first":
        channels, height, width = shape
        source, axes = (height, width, channels), (2, 0, 1)
    elif target_data_format == "channels_last":
        height, width, channels = shape
        source, axes = (channels, height, width), (1, 2, 0)
    else:
        raise ValueError(
            "target_data_format is 'channels_first' or 'channels_last'; got "
            f"{target_data_format!r}."
        )
    moved = kernel.reshape(*source, -1).transpose(*axes, 3).reshape(kernel.shape)
    dense.set_weights([moved, *rest])
