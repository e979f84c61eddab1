"""What all networks share: their arguments, input, last layers and weights."""

from __future__ import annotations

import inspect
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .. import backend as K
from ..backend.symbolic import KerasTensor
from ..config import image_data_format
from ..layers import BatchNormalization, Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from ..models import Model
from ..utils.downloads import get_file
from ..utils.layer_utils import get_source_inputs
from .imagenet_utils import CLASSES, check_keywords

__all__ = [
    "File",
    "Frame",
    "Published",
    "application",
    "channel_axis",
    "channels_of",
    "classifier",
    "halving_pad",
    "normalize",
    "usual_files",
]

F = TypeVar("F", bound=Callable[..., Any])

_ARGUMENTS = """
Args:
{extra}    include_top: whether with the layers that tell ImageNet's classes.
    weights: ``'imagenet'`` for the published weights, which are downloaded once; ``None`` for
        random ones; or the path of a weights file.
    input_tensor: a symbolic tensor to build on, such as an ``Input``; a new one by default.
    input_shape: shape of a picture of at least {smallest} rows and columns; by default {size},
        or of any size without the top.
    pooling: without the top, ``'avg'`` or ``'max'`` over rows and columns, or ``None`` for the
        whole feature map.
    classes: how many classes the top tells, where the weights are not ImageNet's.
    **kwargs: what keras-applications takes beside (backend, layers, models, utils); ignored.

Returns:
    A :class:`Model`.

Raises:
    ValueError: arguments that do not fit each other, the network, or the weights.
    OSError: the weights cannot be downloaded.

Source: {source}; Keras 2 manual, chapter 13.3.
"""


def application(size: int, smallest: int, source: str, extra: str = "") -> Callable[[F], F]:
    """Give a network's docstring what is the same for all: arguments, results, errors."""

    def document(function: F) -> F:
        shared = _ARGUMENTS.format(
            size=f"({size}, {size}, 3)", smallest=smallest, source=source, extra=extra
        )
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n{shared}"
        return function

    return document


# ---------------------------------------------------------------- published weights


class File(NamedTuple):
    """A file of weights: where it is, its MD5 where one is published, its name in the cache."""

    address: str
    digest: str | None
    name: str


class Published(NamedTuple):
    """A network's weights, with its top and without."""

    top: File
    notop: File


def usual_files(folder: str, stem: str, top: str, notop: str) -> Published:
    """The two files under their usual names, with their MD5."""
    ending = "_weights_tf_dim_ordering_tf_kernels"
    names = (f"{stem}{ending}.h5", f"{stem}{ending}_notop.h5")
    return Published(*(File(folder + n, d, n) for n, d in zip(names, (top, notop), strict=True)))


# ---------------------------------------------------------------- pieces


def channel_axis() -> int:
    """The axis of the channels, as ``keras.json`` has it."""
    return 1 if image_data_format() == "channels_first" else -1


def channels_of(x: Any) -> int:
    """How many channels a tensor has."""
    return int(x.shape[channel_axis()])


def normalize(x: Any, name: str | None = None, **arguments: Any) -> Any:
    """Batch normalization of the channels."""
    return BatchNormalization(axis=channel_axis(), name=name, **arguments)(x)


def halving_pad(x: Any, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The zeros that let a window of stride 2 halve a picture as padding ``'same'`` would."""
    rows, columns = _spatial(tuple(x.shape)[1:])
    half = kernel_size // 2
    # An odd size needs as much on both sides, an even (or unknown) one less before.
    before = [half if size is not None and size % 2 else half - 1 for size in (rows, columns)]
    return (before[0], half), (before[1], half)


def classifier(name: str, pool: str | None = "avg_pool") -> Callable[[Any, int], Any]:
    """The usual top: the mean of each channel, then one dense layer."""

    def top(x: Any, classes: int) -> Any:
        x = GlobalAveragePooling2D(name=pool)(x)
        return Dense(classes, activation="softmax", name=name)(x)

    return top


# ---------------------------------------------------------------- one call


class Frame:
    """One call of a network: its arguments, checked, and the input that they ask for.

    Args:
        network: its name, for errors.
        said: its arguments, ``locals()``.
        size: rows and columns it was trained on.
        smallest: rows and columns that it needs.
        sizes: further sizes that weights were published for.
        static: rows and columns must be known.
        flattens: the top depends on rows and columns.

    Attributes:
        image: the symbolic tensor to build on.
        rows: its rows, as networks are named after them.
        trained: rows and columns whose published weights fit.
    """

    def __init__(
        self,
        network: str,
        said: Mapping[str, Any],
        size: int = 224,
        smallest: int = 32,
        sizes: Sequence[int] = (),
        static: bool = False,
        flattens: bool = False,
    ) -> None:
        check_keywords(network, said.get("kwargs", {}))
        self.network = network
        self.include_top, self.classes = bool(said["include_top"]), said["classes"]
        self.pooling, self.weights = said["pooling"], said["weights"]
        self.imagenet = isinstance(self.weights, str) and self.weights == "imagenet"
        self._check_choices()
        tensor = said["input_tensor"]
        shape = None if said["input_shape"] is None else self._listed(said["input_shape"])
        if tensor is not None:
            tensor = self._symbolic(tensor, shape)
            shape = tuple(tensor.shape)[1:]
        rows, columns = _spatial(shape) if shape else (size, size)
        self.trained: int = rows if rows in sizes and rows == columns else size  # type: ignore[assignment]
        # What a given tensor may be, its layers will say; a shape is checked here.
        exact = self.include_top and (tensor is None or flattens)
        usual = _laid_out(self.trained, 3)
        if shape is None:
            shape = usual if self.include_top or static else _laid_out(None, 3)
        self._check_shape(shape, usual, smallest, exact, static)
        self.rows = self.trained if self.imagenet else _spatial(shape)[0]
        self.image = Input(shape=shape) if tensor is None else tensor
        sources = get_source_inputs(self.image)
        self._inputs = sources[0] if len(sources) == 1 else sources
        self._file = None if self.weights is None or self.imagenet else os.fspath(self.weights)

    # ---- checks

    def _check_choices(self) -> None:
        who, weights = self.network, self.weights
        known = weights is None or self.imagenet
        if not known and not (isinstance(weights, str | os.PathLike) and os.path.isfile(weights)):
            raise ValueError(
                f"{who}: weights is None, 'imagenet', or the path of a weights file; there is no "
                f"file {weights!r}. Write {who}(weights=None) for random weights."
            )
        if self.pooling not in (None, "avg", "max"):
            raise ValueError(
                f"{who}: pooling is None, 'avg' or 'max', as in {who}(include_top=False, "
                f"pooling='avg'); got {self.pooling!r}."
            )
        classes = self.classes
        if isinstance(classes, bool) or not isinstance(classes, int | np.integer) or classes < 1:
            raise ValueError(
                f"{who}: classes is a whole number of 1 or more, as in {who}(weights=None, "
                f"classes=10); got {classes!r}."
            )
        if self.imagenet and self.include_top and classes != CLASSES:
            raise ValueError(
                f"{who}: the published weights tell {CLASSES} classes; got classes={classes}. "
                f"Write {who}(weights=None, classes={classes}), or keep the weights and add layers "
                f"of your own to {who}(include_top=False, pooling='avg')."
            )

    def _listed(self, shape: Any) -> tuple[int | None, ...]:
        example = f"{self.network}(include_top=False, input_shape={_laid_out(256, 3)})"
        try:
            listed = tuple(None if size is None else operator.index(size) for size in shape)
        except (TypeError, ValueError):
            listed = ()
        if len(listed) != 3:
            raise ValueError(
                f"{self.network}: input_shape has three sizes, without the batch's, as in "
                f"{example}; got {shape!r}."
            )
        return listed

    def _symbolic(self, tensor: Any, shape: Any) -> KerasTensor:
        example = f"{self.network}(input_tensor=Input({_laid_out(256, 3)}))"
        if isinstance(tensor, np.ndarray):
            tensor = K.constant(tensor)
        if not K.is_tensor(tensor):
            raise ValueError(
                f"{self.network}: input_tensor is a tensor, as in {example}; got {tensor!r:.80}."
            )
        if not isinstance(tensor, KerasTensor):
            tensor = Input(tensor=tensor)
        if tensor.shape.rank != 4:
            raise ValueError(
                f"{self.network}: input_tensor is a batch of pictures, as in {example}; got shape "
                f"{tuple(tensor.shape)}."
            )
        if shape is not None and not tensor.shape[1:].is_compatible_with(shape):
            raise ValueError(
                f"{self.network}: input_tensor has the shape {tuple(tensor.shape)[1:]}, "
                f"input_shape is {shape}. One of them is enough: {self.network}(input_tensor=x)."
            )
        return tensor

    def _check_shape(
        self, shape: Any, usual: Any, smallest: int, exact: bool, static: bool
    ) -> None:
        who, channels = self.network, 0 if channel_axis() == 1 else -1
        got = f"got {shape}, with channels {'last' if channels else 'first'}"
        if any(size is not None and size < smallest for size in _spatial(shape)):
            raise ValueError(
                f"{who} takes pictures of at least {smallest} rows and columns, as in "
                f"{who}(include_top=False, input_shape={_laid_out(smallest, 3)}); {got}."
            )
        if None in shape and (exact or static):
            raise ValueError(
                f"{who} needs all sizes of a picture here, as in {who}(input_shape={usual}); {got}."
            )
        if self.imagenet and shape[channels] != 3:
            raise ValueError(
                f"{who}: the published weights take pictures of 3 channels; {got}. Write "
                f"{who}(weights=None, input_shape={shape}) for random weights."
            )
        if self.imagenet and exact and shape != usual:
            raise ValueError(
                f"{who}: with its top, the published weights take pictures of shape {usual}; "
                f"{got}. Write {who}(include_top=False, input_shape={shape}), or have random "
                f"weights: {who}(weights=None, input_shape={shape})."
            )

    # ---- what a network calls

    def fetch(self, published: Published) -> None:
        """Bring the published weights, if they are asked for: before the network is built."""
        if self.imagenet:
            file = published.top if self.include_top else published.notop
            self._file = get_file(
                file.name, file.address, cache_subdir="models", file_hash=file.digest
            )

    def model(
        self,
        x: Any,
        name: str,
        top: Callable[[Any, int], Any],
        pools: tuple[str | None, str | None] = (None, None),
    ) -> Model:
        """The network from its features, with its top or pooling, and its weights.

        Args:
            x: the features.
            name: the model's name.
            top: makes the output for a number of classes.
            pools: names of the layers that pool, by mean and by maximum.
        """
        if self.include_top:
            x = top(x, int(self.classes))
        elif self.pooling == "avg":
            x = GlobalAveragePooling2D(name=pools[0])(x)
        elif self.pooling == "max":
            x = GlobalMaxPooling2D(name=pools[1])(x)
        model = Model(self._inputs, x, name=name)
        if self._file is not None:
            model.load_weights(self._file)
        return model


def _laid_out(size: int | None, channels: int) -> tuple[int | None, ...]:
    if channel_axis() == 1:
        return (channels, size, size)
    return (size, size, channels)


def _spatial(shape: Any) -> tuple[int | None, ...]:
    """Rows and columns of a picture's shape."""
    return tuple(shape[1:] if channel_axis() == 1 else shape[:-1])
