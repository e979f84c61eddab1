"""Data sets (Keras 2 manual, chapter 12), and some that need no download.

Seven are downloaded when they are first asked for, and kept in ``~/.keras/datasets``:
``mnist``, ``fashion_mnist``, ``cifar10``, ``cifar100``, ``imdb``, ``reuters`` and
``boston_housing``, each with ``load_data()``. For a room without a network there are
``digits.load_data()``, ``make_shapes()`` and ``make_sequences()``. All return
``(x_train, y_train), (x_test, y_test)``.
"""

from __future__ import annotations

from . import (
    boston_housing,
    cifar,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from .sequences import make_sequences
from .shapes import make_shapes

__all__ = [
    "boston_housing",
    "cifar",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "make_sequences",
    "make_shapes",
    "mnist",
    "reuters",
]
