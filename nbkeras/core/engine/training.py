"""The module name of Keras 2 for ``Model``, which lives in ``keras.models``."""

from __future__ import annotations

from . import __getattr__ as __getattr__
