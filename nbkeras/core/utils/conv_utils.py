"""Sizes and kernels of convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..config import normalize_data_format
from ..layers.windows import output_length, transposed_length

__all__ = [
    "conv_input_length",
    "conv_output_length",
    "convert_kernel",
    "deconv_length",
    "normalize_data_format",
    "normalize_padding",
    "normalize_tuple",
]


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A whole number for each of ``n`` axes, from one for all or a sequence.

    Raises:
        ValueError: it is neither; ``name`` is what the error calls it.

    >>> normalize_tuple(3, 2, "kernel_size"), normalize_tuple([1, 2], 2, "strides")
    ((3, 3), (1, 2))
    """
    numbers = (value,) * n if _is_whole(value) else value
    listed = list(numbers) if isinstance(numbers, list | tuple | np.ndarray) else []
    if len(listed) != n or not all(map(_is_whole, listed)):
        raise ValueError(f"{name} is a whole number, or {n} of them; got {value!r}.")
    return tuple(map(int, listed))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def normalize_padding(value: str) -> str:
    """A checked padding, in lower case.

    >>> normalize_padding("SAME")
    'same'
    """
    lowered = value.lower() if isinstance(value, str) else value
    if lowered not in ("valid", "same", "causal", "full"):
        raise ValueError(f"padding is 'valid', 'same', 'causal' or 'full'; got {value!r}.")
    return lowered


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """How many places a kernel has along an axis.

    Args:
        input_length: the axis's length; ``None`` if unknown.
        filter_size: the kernel's.
        padding: ``"valid"``, ``"same"``, ``"causal"`` or ``"full"``.
        stride: steps between two places.
        dilation: steps between two numbers of the kernel.

    >>> conv_output_length(10, 3, "valid", 2), conv_output_length(10, 3, "full", 1)
    (4, 12)
    """
    padding = normalize_padding(padding)
    if input_length is not None and padding == "full":
        input_length += 2 * (filter_size - 1) * dilation
        padding = "valid"
    return output_length(input_length, filter_size, padding, stride, dilation)


def conv_input_length(
    output_length: int | None, filter_size: int, padding: str, stride: int
) -> int | None:
    """The least length of an axis on which a kernel has so many places.

    >>> conv_input_length(4, 3, "valid", 2)
    9
    """
    padding = normalize_padding(padding)
    if output_length is None:
        return None
    pad = {"valid": 0, "causal": 0, "same": filter_size // 2, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> int | None:
    """The length of an axis after a transposed convolution.

    >>> deconv_length(4, 2, 3, "same"), deconv_length(4, 2, 3, "valid")
    (8, 9)
    """
    padding = normalize_padding(padding)
    if dim_size is not None and padding == "full":
        return dim_size * stride_size - (stride_size + (kernel_size - 1) * dilation - 1)
    return transposed_length(dim_size, kernel_size, padding, stride_size, output_padding, dilation)


def convert_kernel(kernel: Any) -> np.ndarray:
    """A kernel (sizes, channels, filters) turned around along its sizes.

    >>> convert_kernel(np.arange(3.0).reshape(3, 1, 1)).ravel().tolist()
    [2.0, 1.0, 0.0]
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(
            f"A kernel has 1 to 3 sizes, then channels and filters; got the shape {kernel.shape}."
        )
    return kernel[(slice(None, None, -1),) * (kernel.ndim - 2)].copy()
