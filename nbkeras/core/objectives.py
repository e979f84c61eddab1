"""The name that ``keras.losses`` had in Keras 1."""

from __future__ import annotations

from . import losses
from .losses import *  # noqa: F403

__all__ = losses.__all__
