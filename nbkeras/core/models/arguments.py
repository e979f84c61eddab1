"""Checks of what is passed to fit, evaluate and predict, and what surrounds a run."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import events
from ..callbacks import Callback, CallbackList
from ..engine.spelling import rename_old

__all__ = [
    "OLD_GENERATOR_NAMES",
    "check_counts",
    "count_of_steps",
    "failures_to",
    "interrupts_to",
    "rename_old",
    "split_callbacks",
]

OLD_GENERATOR_NAMES = {
    "max_q_size": "max_queue_size",
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps",
    "nb_worker": "workers",
    "pickle_safe": "use_multiprocessing",
    "samples_per_epoch": "steps_per_epoch",
    "val_samples": "steps",
}
"""What Keras 1 called the arguments of ``fit_generator`` and its kin; steps count batches now."""


def split_callbacks(callbacks: Any) -> tuple[list[Any], list[Any]]:
    """Listeners of events, and callbacks, of what was given as ``callbacks``."""
    given = [] if callbacks is None else callbacks
    if isinstance(given, CallbackList):
        given = given.callbacks
    given = list(given) if isinstance(given, list | tuple) else [given]
    listeners = [c for c in given if not isinstance(c, Callback | type) and hasattr(c, "handle")]
    return listeners, [c for c in given if all(c is not heard for heard in listeners)]


def check_counts(**counts: Any) -> None:
    """Refuse counts that are no whole numbers of 1 or more; ``epochs`` may be 0."""
    for name, value in counts.items():
        least = 0 if name == "epochs" else 1
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise ValueError(f"{name} is a whole number, {least} or more; got {value!r}.")


def count_of_steps(**steps: Any) -> Any:
    """A number of batches, ``None`` if it is not said; as in Keras 2, one begun is counted.

    >>> count_of_steps(steps_per_epoch=100 / 32)
    4
    """
    (value,) = steps.values()
    if isinstance(value, float | np.floating) and 0 < value < math.inf:
        return math.ceil(value)
    check_counts(**steps)
    return value


@contextlib.contextmanager
def interrupts_to(mailbox: events.Mailbox) -> Iterator[None]:
    """While a run is on the main thread, an interrupt asks it to stop; a second one forces it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        mailbox.post(events.Stop("interrupted"))

    try:
        signal.signal(signal.SIGINT, ask)
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def failures_to(callbacks: CallbackList) -> Iterator[None]:
    """If a run fails, its callbacks hear of it before the error goes on."""
    try:
        yield
    except BaseException as error:
        callbacks.on_train_failed(error)
        raise
