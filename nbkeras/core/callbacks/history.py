"""What a run remembers of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..engine.logs import Logs
from .base import Callback

__all__ = ["BaseLogger", "History"]


class History(Callback):
    """The logs of every epoch; what ``fit`` returns.

    Attributes:
        epoch: the numbers of the epochs.
        history: for each log a list of its values; answers to ``acc`` and ``accuracy``.
        params: what the run was started with.

    Source: Keras 2 manual, chapter 11.1.5.
    """

    may_lag = True
    state_names: ClassVar = ("epoch", "history")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = Logs()

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []
        self.history = Logs()

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.history = Logs(self.history)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        if not self.epoch:
            return "<History: no epoch yet>"
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.history.items())
        return f"<History: {len(self.epoch)} epochs, the last with {last}>"


class BaseLogger(Callback):
    """The means of an epoch's batches. The loop keeps them; this stands for its name.

    Args:
        stateful_metrics: names that are not averaged.

    Source: Keras 2 manual, chapter 11.1.2.
    """

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
