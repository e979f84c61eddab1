"""The module name of Keras 2.0 and 2.1 for ``multi_gpu_model``."""

from __future__ import annotations

from .multi_gpu_utils import __getattr__ as __getattr__
