"""The module name of Keras 2 for the session's settings, and the order of axes in Keras 1."""

from __future__ import annotations

from ..config import (
    epsilon,
    floatx,
    image_data_format,
    normalize_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

__all__ = [
    "epsilon",
    "floatx",
    "image_data_format",
    "image_dim_ordering",
    "normalize_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
]

_FORMATS = {"tf": "channels_last", "th": "channels_first"}


def image_dim_ordering() -> str:
    """The image data format as Keras 1 called it: ``tf`` for channels last, ``th`` for first.

    >>> image_dim_ordering()
    'tf'
    """
    return next(name for name, value in _FORMATS.items() if value == image_data_format())


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Choose the image data format as in Keras 1: ``tf`` or ``th``.

    Raises:
        ValueError: it is neither; nothing is changed then.

    >>> set_image_dim_ordering("tf")
    """
    if dim_ordering not in _FORMATS:
        raise ValueError(
            "dim_ordering is 'tf' (channels last) or 'th' (channels first), as in "
            f"set_image_dim_ordering('tf'); got {dim_ordering!r}."
        )
    set_image_data_format(_FORMATS[dim_ordering])
