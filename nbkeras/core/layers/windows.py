"""Lengths of what windows leave when they slide over an axis."""

from __future__ import annotations

from typing import Any

__all__ = ["check_fit", "output_length", "transposed_length"]


def output_length(
    size: int | None, window: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """How many windows fit on an axis; ``None`` for an unknown size.

    >>> output_length(7, 3, "valid", 2), output_length(7, 3, "same", 2)
    (3, 4)
    """
    if size is None:
        return None
    if padding == "valid":
        size -= (window - 1) * dilation
    return max(0, (size + stride - 1) // stride)


def transposed_length(
    size: int | None,
    window: int,
    padding: str,
    stride: int,
    extra: int | None = None,
    dilation: int = 1,
) -> int | None:
    """The length of an axis that ``size`` windows slid over: :func:`output_length` backwards.

    Several lengths leave the same number of windows; ``extra`` picks one by what it
    adds to the least, and ``None`` picks the one that Keras 2 does.

    >>> transposed_length(3, 3, "valid", 2), transposed_length(4, 3, "same", 2)
    (7, 8)

    Source: Dumoulin, Visin 2016, arXiv:1603.07285.
    """
    if size is None:
        return None
    window = (window - 1) * dilation + 1
    if extra is None:
        return size * stride + (max(window - stride, 0) if padding == "valid" else 0)
    pad = window // 2 if padding == "same" else 0
    return (size - 1) * stride + window - 2 * pad + extra


def check_fit(layer: Any, windows: Any, input_shape: Any) -> None:
    """An error where a layer's windows do not fit into an input at all.

    Raises:
        ValueError: an axis of the output would have no places.
    """
    shape = layer.compute_output_shape(tuple(input_shape))
    if any(size == 0 for size in shape[1:]):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): a window of {windows} does not fit "
            f"into an input of shape {tuple(input_shape)}. Make it smaller, or padding='same'."
        )
