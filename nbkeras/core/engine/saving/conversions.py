"""Older and other layouts of a layer's weights, turned into the layer's own.

Each entry of the table is a function `(layer, arrays, origin) -> arrays` for some
layer classes, tried in order; it returns the arrays unchanged where it has
nothing to do. A new layout is one more entry.

What changed over time: Keras 1 kept convolution kernels in Theano's order and a
weight per gate of a recurrent layer; Theano flips kernels; cuDNN's recurrent
layers transpose the kernel of each gate and have two biases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Origin", "convert", "converter"]

Arrays = list[np.ndarray]
Converter = Callable[[Any, Arrays, "Origin"], Arrays]


@dataclass(frozen=True)
class Origin:
    """Who wrote a file.

    Attributes:
        version: of Keras, `"1"` where the file does not say.
        backend: `"tensorflow"`, `"theano"`, `"cntk"` or `None`.
    """

    version: str
    backend: str | None

    @property
    def is_keras_1(self) -> bool:
        return self.version.split(".")[0] == "1"


_CONVERTERS: list[tuple[frozenset[str], Converter]] = []


def converter(*class_names: str) -> Callable[[Converter], Converter]:
    """Adds a conversion for the layers of some classes, by class name."""

    def add(function: Converter) -> Converter:
        _CONVERTERS.append((frozenset(class_names), function))
        return function

    return add


def convert(layer: Any, arrays: Sequence[np.ndarray], origin: Origin) -> Arrays:
    """A layer's arrays as a file has them, in the layout that the layer has here."""
    converted = list(arrays)
    names = {cls.__name__ for cls in type(layer).__mro__}
    for classes, function in _CONVERTERS:
        if classes & names:
            converted = function(layer, converted, origin)
    return converted


# ---------------------------------------------------------------- layers around layers


@converter("Bidirectional")
def _bidirectional(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    half = len(arrays) // 2
    forward = convert(layer.forward_layer, arrays[:half], origin)
    return forward + convert(layer.backward_layer, arrays[half:], origin)


@converter("TimeDistributed")
def _time_distributed(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    return convert(layer.layer, arrays, origin)


@converter("Network")
def _nested_model(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """All weights that train come first, then all others; each layer converts its own."""
    split = len(layer.trainable_weights)
    if len(arrays) != split + len(layer.non_trainable_weights):
        return arrays
    trains, others = arrays[:split], arrays[split:]
    new_trains: Arrays = []
    new_others: Arrays = []
    seen: set[int] = set()
    for inner in layer.layers:
        mine = [w for w in inner.trainable_weights if id(w) not in seen]
        still = [w for w in inner.non_trainable_weights if id(w) not in seen]
        seen.update(map(id, mine + still))
        part = convert(inner, trains[: len(mine)] + others[: len(still)], origin)
        trains, others = trains[len(mine) :], others[len(still) :]
        new_trains += part[: len(mine)]
        new_others += part[len(mine) :]
    return new_trains + trains + new_others + others


# ---------------------------------------------------------------- convolutions

_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


@converter("Conv1D")
def _keras_1_conv1d(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """Keras 1 ran it as a 2D convolution over a picture of width 1."""
    if not origin.is_keras_1 or not arrays or arrays[0].ndim != 4:
        return arrays
    kernel = arrays[0]
    if kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters:
        kernel = kernel.transpose(2, 3, 1, 0)  # Keras 1.1: (filters, channels, length, 1)
    return [kernel[:, 0, :, :], *arrays[1:]]


@converter("Conv2D", "Conv3D")
def _keras_1_convolution(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    if not origin.is_keras_1 or layer.data_format != "channels_first" or not arrays:
        return arrays
    return [_from_theano_order(arrays[0]), *arrays[1:]]


@converter("Conv2DTranspose")
def _keras_1_transposed(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    if not origin.is_keras_1 or not arrays or arrays[0].ndim != 4:
        return arrays
    axes = (2, 3, 0, 1) if layer.data_format == "channels_first" else (0, 1, 3, 2)
    return [arrays[0].transpose(axes), *arrays[1:]]


@converter(*_CONVOLUTIONS)
def _theano_convolution(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """Theano turned kernels around where TensorFlow does not."""
    if origin.backend != "theano" or not arrays:
        return arrays
    kernels = 2 if type(layer).__name__ == "ConvLSTM2D" else 1
    return [_flip(a) if i < kernels else a for i, a in enumerate(arrays)]


@converter(*_CONVOLUTIONS)
def _kernel_order(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """Kernels that a file still has with filters and channels in front."""
    kernels = 2 if type(layer).__name__ == "ConvLSTM2D" else 1
    expected = [tuple(weight.shape) for weight in layer.weights]
    if len(arrays) != len(expected) or arrays[0].shape == expected[0]:
        return arrays
    moved = [_from_theano_order(a) if i < kernels else a for i, a in enumerate(arrays)]
    return moved if [a.shape for a in moved] == expected else arrays


def _from_theano_order(kernel: np.ndarray) -> np.ndarray:
    """(filters, channels, *sizes) -> (*sizes, channels, filters)."""
    return kernel.transpose(*range(2, kernel.ndim), 1, 0)


def _flip(kernel: np.ndarray) -> np.ndarray:
    """Turned around along each spatial axis."""
    return kernel[(slice(None, None, -1),) * (kernel.ndim - 2)]


# ---------------------------------------------------------------- recurrent layers


@converter("GRU", "LSTM", "ConvLSTM2D")
def _gates(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """Keras 1 had a kernel, a recurrent kernel and a bias for each gate."""
    # The order in the file: GRU z, r, h; LSTM i, c, f, o, which became i, f, c, o.
    order = {9: (0, 1, 2), 12: (0, 2, 1, 3)}.get(len(arrays))
    if order is None:
        return arrays
    merged = [
        np.concatenate([arrays[3 * gate + kind] for gate in order], axis=-1) for kind in range(3)
    ]
    if merged[0].ndim == 4 and layer.data_format == "channels_first":
        merged[:2] = [_from_theano_order(kernel) for kernel in merged[:2]]
    return merged


@converter("LSTM", "CuDNNLSTM")
def _cudnn_lstm(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """cuDNN adds two biases where the plain layer has one."""
    if len(arrays) != 3 or arrays[2].ndim != 1:
        return arrays
    units = arrays[1].shape[0]
    from_cudnn = arrays[2].shape == (8 * units,)
    to_cudnn = "CuDNN" in type(layer).__name__
    if from_cudnn == to_cudnn:
        return arrays
    kernels = _transpose_gates(arrays, 4, from_cudnn)
    bias = arrays[2]
    # Any two biases with the right sum will do; halves keep both in the same range.
    bias = bias.reshape(2, -1).sum(axis=0) if from_cudnn else np.tile(bias / 2, 2)
    return [*kernels, bias.astype(arrays[2].dtype)]


@converter("GRU", "CuDNNGRU")
def _cudnn_gru(layer: Any, arrays: Arrays, origin: Origin) -> Arrays:
    """cuDNN's two biases are one behind the other; `GRU(reset_after=True)` has two rows."""
    if len(arrays) != 3:
        return arrays
    units = arrays[1].shape[0]
    from_cudnn = arrays[2].shape == (6 * units,)
    to_cudnn = "CuDNN" in type(layer).__name__
    # GRU(reset_after=False) is another computation: its single bias fits neither.
    if from_cudnn == to_cudnn or (to_cudnn and arrays[2].shape != (2, 3 * units)):
        return arrays
    kernels = _transpose_gates(arrays, 3, from_cudnn)
    return [*kernels, arrays[2].reshape((2, -1) if from_cudnn else (-1,))]


def _transpose_gates(arrays: Arrays, gates: int, from_cudnn: bool) -> Arrays:
    """Kernel and recurrent kernel with each gate's matrix in the other library's order.

    cuDNN stores a gate's kernel column by column but with the plain kernel's shape.
    """

    def other_order(kernel: np.ndarray) -> np.ndarray:
        return kernel.T.reshape(kernel.shape, order="F" if from_cudnn else "C")

    kernel, recurrent = (np.split(array, gates, axis=1) for array in arrays[:2])
    return [
        np.concatenate([other_order(gate) for gate in kernel], axis=1),
        np.concatenate([gate.T for gate in recurrent], axis=1),
    ]
