"""Mixed precision: products computed in fewer bits, all else in the floats of the weights.

Matrix products and convolutions take nearly all the time of a network, and are
what a GPU's tensor cores and a CPU's bfloat16 units speed up. Inside
:func:`computing_in` their factors are rounded to the smaller type, and the product
comes back in the type it had: weights, activations, normalization, softmax,
losses and the optimizer's sums keep all their digits.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import tensorflow as tf

__all__ = ["TYPES", "computing_in", "product"]

TYPES = ("float16", "bfloat16")
"""What products may be computed in."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

_compute: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "nbkeras_compute", default=None
)


@contextlib.contextmanager
def computing_in(dtype: str | None) -> Iterator[None]:
    """Let products be computed in a type; ``None`` for that of their factors.

    >>> from nbkeras.core import backend as K
    >>> with computing_in("bfloat16"):
    ...     product = K.dot(tf.ones((1, 3)), tf.fill((3, 1), 1.001))
    >>> product.numpy(), product.dtype
    (array([[3.]], dtype=float32), tf.float32)

    Source: Micikevicius et al. 2018, arXiv:1710.03740.
    """
    token = _compute.set(dtype)
    try:
        yield
    finally:
        _compute.reset(token)


def product(*factors: str) -> Callable[[_Function], _Function]:
    """Make a function one whose named arguments :func:`computing_in` rounds."""

    def decorate(function: _Function) -> _Function:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            dtype = _compute.get()
            if dtype is None:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            given = [bound.arguments[name] for name in factors]
            if any(isinstance(factor, tf.SparseTensor) for factor in given):
                return function(*args, **kwargs)
            given = [tf.convert_to_tensor(factor) for factor in given]
            wanted = given[0].dtype
            if wanted != tf.float32:
                return function(*args, **kwargs)
            for name, factor in zip(factors, given, strict=True):
                bound.arguments[name] = tf.cast(factor, dtype)
            return tf.cast(function(*bound.args, **bound.kwargs), wanted)

        return run  # type: ignore[return-value]

    return decorate
