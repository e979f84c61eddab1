"""Pictures on the way into a network trained on ImageNet, and what it says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend as K
from ..config import floatx
from ..utils.downloads import get_file

__all__ = ["decode_predictions", "preprocess_input"]

CLASSES = 1000
CLASS_INDEX_PATH = (
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
)
CLASS_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"

INJECTED = frozenset(("backend", "layers", "models", "utils"))
"""Arguments by which keras-applications is told what Keras is; here there is only one."""

# Of ImageNet's pictures, in the order in which each mode has the channels.
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_DEVIATION = (0.229, 0.224, 0.225)


# ---------------------------------------------------------------- in


def preprocess_input(
    x: Any, data_format: str | None = None, mode: str = "caffe", **kwargs: Any
) -> Any:
    """Pixels from 0 to 255 as a network was trained on them.

    ======== =====================================================
    mode     what is done
    ======== =====================================================
    `caffe`  RGB becomes BGR, ImageNet's mean colour is subtracted
    `tf`     from 0 ... 255 to -1 ... 1
    `torch`  to 0 ... 1, then ImageNet's mean and deviation to 0, 1
    ======== =====================================================

    Each module of ``keras.applications`` has a ``preprocess_input`` with the mode of its weights.

    Args:
        x: a picture or a batch of them, RGB: an array, a tensor, or a symbolic tensor.
        data_format: where the channels are; by default as in ``keras.json``.
        mode: ``'caffe'``, ``'tf'`` or ``'torch'``.
        **kwargs: what keras-applications takes beside; ignored.

    Returns:
        The same as floating-point numbers; ``x`` itself stays as it is.

    Raises:
        ValueError: a mode, a data format or a shape that there is not.

    >>> preprocess_input(np.full((1, 1, 3), 255), mode="tf").tolist()
    [[[1.0, 1.0, 1.0]]]

    Source: Keras 2 manual, chapter 13.2.
    """
    check_keywords("preprocess_input", kwargs)
    modes = {"caffe": _caffe, "tf": _tf, "torch": _torch}
    if mode not in modes:
        raise ValueError(
            f"preprocess_input: mode is 'caffe', 'tf' or 'torch'; got {mode!r}. The "
            "preprocess_input of the network's own module knows it: "
            "from keras.applications.vgg16 import preprocess_input."
        )
    first = K.normalize_data_format(data_format) == "channels_first"
    x = _floating(x)
    _check_colours(tuple(x.shape), first)
    return modes[mode](x, first)


def preprocess_caffe(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """:func:`preprocess_input` with the mode ``'caffe'``: BGR, less ImageNet's mean colour."""
    return preprocess_input(x, data_format, "caffe", **kwargs)


def preprocess_tf(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """:func:`preprocess_input` with the mode ``'tf'``: from -1 to 1."""
    return preprocess_input(x, data_format, "tf", **kwargs)


def preprocess_torch(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
    """:func:`preprocess_input` with the mode ``'torch'``: ImageNet's mean and deviation to 0, 1."""
    return preprocess_input(x, data_format, "torch", **kwargs)


def _caffe(x: Any, first: bool) -> Any:
    return (x[..., ::-1, :, :] if first else x[..., ::-1]) - _colour(_CAFFE_MEAN, x, first)


def _tf(x: Any, first: bool) -> Any:
    return x / 127.5 - 1.0


def _torch(x: Any, first: bool) -> Any:
    return (x / 255.0 - _colour(_TORCH_MEAN, x, first)) / _colour(_TORCH_DEVIATION, x, first)


def _colour(numbers: tuple[float, ...], x: Any, first: bool) -> np.ndarray:
    """A number for each channel, in x's type and layout."""
    name = x.dtype.name
    return np.asarray(numbers, "float32" if name == "bfloat16" else name).reshape(
        (-1, 1, 1) if first else (-1,)
    )


def _floating(x: Any) -> Any:
    if not K.is_tensor(x):
        x = np.asarray(x)
        return x if np.issubdtype(x.dtype, np.floating) else x.astype(floatx())
    return x if x.dtype.is_floating else K.cast(x, floatx())


def _check_colours(shape: tuple[int | None, ...], first: bool) -> None:
    where = -3 if first else -1
    if len(shape) not in (3, 4) or shape[where] not in (3, None):
        example = "(3, rows, columns)" if first else "(rows, columns, 3)"
        layout = "channels_first" if first else "channels_last"
        other = "channels_last" if first else "channels_first"
        raise ValueError(
            f"preprocess_input takes one RGB picture of shape {example} or a batch of them, with "
            f"data_format={layout!r}; got shape {shape}. For the other layout: "
            f"preprocess_input(x, data_format={other!r})."
        )


def check_keywords(who: str, kwargs: dict[str, Any]) -> None:
    """Only what keras-applications is injected with may be among further arguments."""
    unknown = sorted(set(kwargs) - INJECTED)
    if unknown:
        raise TypeError(f"{who} has no argument {unknown[0]!r}.")


# ---------------------------------------------------------------- out

_index: dict[str, list[tuple[str, str]]] = {}
"""(WordNet id, name) of each class, by the address it came from."""


def decode_predictions(preds: Any, top: int = 5, **kwargs: Any) -> list[list[Any]]:
    """The likeliest classes by name, for the output of a network with its ImageNet top.

    Args:
        preds: probabilities, of shape ``(samples, 1000)``.
        top: how many classes of each sample.
        **kwargs: what keras-applications takes beside; ignored.

    Returns:
        For each sample a list of (WordNet id, name, probability), the likeliest first.

    Raises:
        ValueError: another shape; ``top`` is no count.
        OSError: the list of classes is not in the cache and cannot be downloaded.

    Source: Keras 2 manual, chapter 13.2.
    """
    check_keywords("decode_predictions", kwargs)
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != CLASSES:
        raise ValueError(
            f"decode_predictions takes a batch of probabilities of ImageNet's {CLASSES} classes, "
            f"of shape (samples, {CLASSES}), as in decode_predictions(model.predict(x)); got shape "
            f"{preds.shape}."
        )
    if isinstance(top, bool) or not isinstance(top, int | np.integer) or top < 1:
        raise ValueError(
            f"decode_predictions: top is a whole number of 1 or more, as in top=5; got {top!r}."
        )
    classes = _classes()
    return [[(*classes[i], row[i]) for i in np.argsort(-row, kind="stable")[:top]] for row in preds]


def _classes() -> list[tuple[str, str]]:
    if CLASS_INDEX_PATH not in _index:
        path = get_file(
            "imagenet_class_index.json",
            CLASS_INDEX_PATH,
            cache_subdir="models",
            file_hash=CLASS_INDEX_HASH,
        )
        table = json.loads(Path(path).read_text(encoding="utf-8"))
        pairs = [table[str(i)] for i in range(CLASSES)]
        _index[CLASS_INDEX_PATH] = [(identity, name) for identity, name in pairs]
    return _index[CLASS_INDEX_PATH]


# ---------------------------------------------------------------- for networks of one's own


def _obtain_input_shape(
    input_shape: Any,
    default_size: int,
    min_size: int,
    data_format: str,
    require_flatten: bool | None = None,
    weights: str | None = None,
    include_top: bool | None = None,
) -> tuple[int | None, ...]:
    """The input shape of a network written as those of Keras 2: checked, or the usual one.

    Args:
        input_shape: what was asked for, or ``None``.
        default_size: rows and columns that the network is meant for.
        min_size: the fewest that it can work on.
        data_format: ``channels_last`` or ``channels_first``.
        require_flatten: whether the top needs to know them; ``include_top`` up to Keras 2.1.
        weights: ``imagenet`` for weights of pictures of three channels.

    Raises:
        ValueError: the shape does not fit.

    >>> _obtain_input_shape(None, 224, 32, "channels_last", require_flatten=True)
    (224, 224, 3)
    >>> _obtain_input_shape((64, 64, 1), 224, 32, "channels_last", require_flatten=False)
    (64, 64, 1)
    """
    first = data_format == "channels_first"
    needed = bool(require_flatten or include_top)

    def laid_out(size: int | None, channels: int) -> tuple[int | None, ...]:
        return (channels, size, size) if first else (size, size, channels)

    usual = laid_out(default_size, 3)
    if input_shape is None:
        return usual if needed else laid_out(None, 3)
    shape = tuple(input_shape)
    problem = None
    if len(shape) != 3:
        problem = "has three sizes, without the batch's"
    elif any(n is not None and n < min_size for n in (shape[1:] if first else shape[:2])):
        problem = f"has at least {min_size} rows and columns"
    elif needed and None in shape:
        problem = "is known whole where the network has a top"
    elif weights == "imagenet" and (shape != usual if needed else shape[-3 if first else -1] != 3):
        problem = "is the one that the published weights were trained on"
    if problem:
        raise ValueError(f"input_shape {problem}, as in input_shape={usual}; got {input_shape!r}.")
    return shape
