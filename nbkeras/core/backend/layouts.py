"""Where the channels are, and what is padded: words that convolutions and pooling share.

TensorFlow's kernels for the CPU know channels last only, so channels first is
transposed there and back; compilers for other devices remove what they do not need.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ._typing import Tensor

__all__ = [
    "channels_first",
    "channels_last",
    "normalize_padding",
    "single",
]


def channels_last(x: Tensor) -> Tensor:
    """(samples, channels, …) → (samples, …, channels)."""
    x = tf.convert_to_tensor(x)
    return tf.transpose(x, (0, *range(2, x.shape.rank), 1))


def channels_first(x: Tensor) -> Tensor:
    """(samples, …, channels) → (samples, channels, …)."""
    rank = x.shape.rank
    return tf.transpose(x, (0, rank - 1, *range(1, rank - 1)))


def normalize_padding(padding: str, *, causal: bool = False) -> str:
    """A padding in TensorFlow's capitals.

    Raises:
        ValueError: it is not known here.
    """
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    lowered = padding.lower() if isinstance(padding, str) else padding
    if lowered not in known:
        expected = ", ".join(repr(name) for name in known)
        raise ValueError(f"padding is one of {expected}, as in padding='same'; got {padding!r}.")
    return lowered.upper()


def single(value: int | Sequence[int]) -> int:
    """The one number of a stride or rate that may be written 2 or (2,)."""
    return value if isinstance(value, int) else value[0]
