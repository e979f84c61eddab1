"""Callbacks (Keras 2 manual, chapter 11)."""

from __future__ import annotations

from .backup import BackupAndRestore
from .base import Callback, CallbackList
from .csv_logger import CSVLogger
from .events import EventStream
from .history import BaseLogger, History
from .monitors import EarlyStopping, ModelCheckpoint
from .nan import TerminateOnNaN
from .plateau import ReduceLROnPlateau
from .progress import ProgbarLogger
from .remote import RemoteMonitor
from .schedule import LambdaCallback, LearningRateScheduler
from .tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "EventStream",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "TensorBoard",
    "TerminateOnNaN",
]
