"""TensorFlow for programs of the Keras 2 years: where it lacks a name, TensorFlow 1's.

``tf.log`` is ``tf.compat.v1.log`` then, and ``tf.ConfigProto()`` can be written. Names that both
have are TensorFlow 2's.
"""

from __future__ import annotations

from typing import Any

import tensorflow

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    for home in (tensorflow, tensorflow.compat.v1):
        if hasattr(home, name):
            return getattr(home, name)
    raise AttributeError(f"module 'tensorflow' has no attribute {name!r}, nor had TensorFlow 1.")


def __dir__() -> list[str]:
    return dir(tensorflow)
