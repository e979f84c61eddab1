"""The module name of Keras 2.3 for the callbacks, which editors write into imports."""

from __future__ import annotations

from . import *  # noqa: F403
from . import __all__ as __all__
