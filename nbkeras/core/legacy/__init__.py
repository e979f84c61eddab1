"""What programs of the Keras 2 years import from ``keras.legacy``."""

from . import interfaces

__all__ = ["interfaces"]
