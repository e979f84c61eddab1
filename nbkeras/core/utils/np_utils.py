"""The documented name of the utilities on arrays: ``keras.utils.np_utils``."""

from __future__ import annotations

from .numpy import normalize, to_categorical

__all__ = ["normalize", "to_categorical"]
