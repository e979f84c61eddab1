"""The documented name of the utilities that bring data: ``keras.utils.data_utils``."""

from __future__ import annotations

from ..engine.workers import Sequence
from .downloads import get_file, validate_file
from .enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Sequence",
    "SequenceEnqueuer",
    "get_file",
    "validate_file",
]
