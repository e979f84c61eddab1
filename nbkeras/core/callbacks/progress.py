"""Progress as text."""

from __future__ import annotations

import time
from typing import Any

from ...text import plain
from ..engine.logs import Logs
from ..utils.progbar import Progbar
from .base import Callback

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """Prints a progress bar for each epoch, or one line.

    Args:
        count_mode: whether the bar counts ``samples`` or ``steps``.
        stateful_metrics: names whose values are shown as they are.

    Raises:
        ValueError: the mode is another.

    Source: Keras 2 manual, chapter 11.1.4.
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Any = None) -> None:
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ValueError(f"count_mode is 'samples' or 'steps'; got {count_mode!r}.")
        self.use_steps = count_mode == "steps"
        self._bar: Progbar | None = None

    @property
    def verbose(self) -> int:
        return int(self.params.get("verbose", 1))

    def on_train_begin(self, logs: Any = None) -> None:
        samples, validation = self.params.get("samples"), self.params.get("validation_samples")
        if self.verbose and samples:
            told = f", validate on {validation} samples" if validation else ""
            print(f"Train on {samples} samples{told}")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()
        self._seen = 0
        if self.verbose:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}")
            target = self.params["steps"] if self.use_steps else self.params["samples"]
            self._bar = Progbar(target) if self.verbose == 1 else None

    def on_steps_end(self, step: int, sizes: Any, values: dict[str, Any], means: Logs) -> None:
        self._seen += len(sizes) if self.use_steps else int(sizes.sum())
        if self._bar is not None:
            self._bar.show(self._seen, means)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        shown = {k: v for k, v in (logs or {}).items() if k != "lr"}
        if self._bar is not None:
            self._bar.show(self._seen, shown, final=True)
            self._bar = None
        elif self.verbose:
            seconds = time.perf_counter() - self._began
            numbers = "".join(f" - {plain(name)}: {value:.4f}" for name, value in shown.items())
            print(f" - {seconds:.0f}s{numbers}")
