"""The end of a run whose loss is no number any more."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.logs import Logs
from .base import Callback

__all__ = ["TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """Ends training when a batch's loss is NaN or infinite.

    No batch after that one is trained: the weights, the number that is printed, the
    optimizer's ``iterations`` and the epoch's mean all end there.

    Source: Keras 2 manual, chapter 11.1.3.
    """

    # The compiled loop itself ends there: batches after the bad one would still move the
    # weights, since an infinite loss can have finite gradients.
    halts_on_nan = True

    def on_steps_end(self, step: int, sizes: Any, values: dict[str, Any], means: Logs) -> None:
        losses = np.asarray(values.get("loss", ()))
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            print(f"Batch {step + bad[0]}: the loss is {losses[bad[0]]}, so training ends.")
            self.model.stop_training = True
