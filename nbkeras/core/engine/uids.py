"""Names that are unique in a session: dense_1, dense_2, ..."""

from __future__ import annotations

import re

from .. import backend as K

__all__ = ["snake_case", "unique_name"]


def snake_case(name: str) -> str:
    """A class name as Keras 2 writes it in layer names.

    >>> snake_case("MaxPooling2D"), snake_case("LSTM"), snake_case("_Private")
    ('max_pooling2d', 'lstm', 'private__private')
    """
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name))
    return "private" + words.lower() if words.startswith("_") else words.lower()


def unique_name(class_name: str) -> str:
    """The next free name for a class: ``dense_1``, then ``dense_2``."""
    prefix = snake_case(class_name)
    return f"{prefix}_{K.get_uid(prefix)}"
