"""Names for what backend functions take; for readers, since TensorFlow has no stubs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

__all__ = ["Axis", "DType", "Shape", "Tensor"]

Tensor: TypeAlias = Any
"""A tensor, a variable, an array, a number or a symbolic tensor."""

Shape: TypeAlias = Any
"""Sizes: whole numbers, or tensors of them, in a tuple or list, or one tensor."""

Axis: TypeAlias = int | Sequence[int] | None
"""One axis, several, or ``None`` for all."""

DType: TypeAlias = Any
"""``'float32'``, ``tf.float32`` or ``np.float32``; ``None`` for :func:`floatx`."""
