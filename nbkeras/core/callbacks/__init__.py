"""Callbacks (Keras 2 manual, chapter 11)."""

from __future__ import annotations

from .base import Callback, CallbackList
from .events import EventStream
from .history import BaseLogger, History, TerminateOnNaN
from .monitors import EarlyStopping, ModelCheckpoint
from .progress import ProgbarLogger
from .schedule import LambdaCallback, LearningRateScheduler

__all__ = [
    "BaseLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "EventStream",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "TerminateOnNaN",
]
