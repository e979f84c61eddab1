"""The callback, and the list of them that a run talks to."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..engine.logs import Logs
from .sight import is_blind

__all__ = ["Callback", "CallbackList"]

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)
_EPOCH_HOOKS = (
    "on_epoch_begin",
    "on_epoch_end",
    "on_pass_begin",
    "on_steps_end",
    "on_boundary",
)
_TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
_PREDICT_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")

HEARING_SECONDS = 0.06
"""How long hooks may take behind a call of many batches: an interrupt waits for them."""


class Callback:
    """Something that hears of a run's beginning, epochs, batches and end.

    A subclass overrides the hooks it needs. A batch hook that could see or steer the
    model makes the run go batch by batch. One that only keeps or prints what is logged
    hears of the batches one by one too, but behind a compiled call of many
    (:mod:`.sight`); so the run stays at full speed, as it does with :meth:`on_steps_end`.

    Attributes:
        params: what the run was started with: ``epochs``, ``steps``, ``samples``,
            ``batch_size``, ``verbose``, ``do_validation``, ``metrics``.
        model: the model that is trained.
        validation_data: arrays that are validated on: inputs, targets, sample weights, one
            after the other; ``None`` without validation or with a stream.
        steps_allowed: how many batches at most may run before it must hear again.
        chief_only: whether it only writes down what happens: of several workers that train
            together, the chief does.
        may_lag: whether it may hear of batches and short epochs when later ones were already
            trained; ``None`` leaves it to what its hooks do.
        halts_on_nan: whether no batch may run behind one whose loss is no finite number.
        behind: whether epochs were trained that it has not heard of yet.
        state_names: the attributes that a run changes; :class:`BackupAndRestore` keeps
            them (numbers, text, arrays, and lists and dictionaries of these).

    >>> class Losses(Callback):
    ...     def on_train_begin(self, logs=None):
    ...         self.losses = []
    ...     def on_batch_end(self, batch, logs=None):
    ...         self.losses.append(logs.get("loss"))

    Source: Keras 2 manual, chapter 11.
    """

    steps_allowed: int | None = None
    may_lag: bool | None = None
    halts_on_nan = False
    behind = False
    chief_only: ClassVar[bool] = False
    state_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}
        self.validation_data: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_train_begin(self, logs: Any = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Any = None) -> None:
        """Training is over."""

    def on_train_failed(self, error: BaseException) -> None:
        """Training ended with an error: close what is open."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch is over; ``logs`` holds its means, and ``val_`` logs if validated."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch begins; ``logs`` holds its ``size``."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch is over; ``logs`` holds its own loss and metrics."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of training begins; by default :meth:`on_batch_begin`."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of training is over; by default :meth:`on_batch_end`."""
        self.on_batch_end(batch, logs)

    def on_steps_end(self, step: int, sizes: Any, values: dict[str, Any], means: Logs) -> None:
        """Batches ``step``, ``step + 1``, ... were trained in one compiled call.

        Args:
            step: the number of the first.
            sizes: how many rows each had.
            values: what each logged, an array for each name.
            means: the epoch's means so far.
        """

    # ---------------------------------------------------------------- going on after a kill

    def get_state(self) -> dict[str, Any]:
        """What a run has changed in this callback, to be given to :meth:`set_state` later."""
        return {name: getattr(self, name) for name in self.state_names if hasattr(self, name)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Be as :meth:`get_state` found it; called after :meth:`on_train_begin`."""
        for name in self.state_names:
            if name in state:
                setattr(self, name, state[name])

    def begin_at(self, epoch: int, callbacks: CallbackList) -> int:
        """The epoch to begin with, once all callbacks have heard that training begins."""
        return epoch

    def on_pass_begin(self, run: Any) -> None:
        """The order of an epoch's rows is drawn, no batch is done; ``run`` may be changed."""

    def on_boundary(self, epoch: int, run: Any) -> None:
        """All callbacks have heard of the last batches, or (``run`` is None) of ``epoch``'s end."""

    # ---------------------------------------------------------------- evaluation, prediction

    def on_test_begin(self, logs: Any = None) -> None:
        """An evaluation or validation begins."""

    def on_test_end(self, logs: Any = None) -> None:
        """An evaluation or validation is over."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of an evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of an evaluation is over."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """A prediction begins."""

    def on_predict_end(self, logs: Any = None) -> None:
        """A prediction is over."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of a prediction begins."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of a prediction is over."""


class CallbackList:
    """Callbacks as one: what a run calls at each turn.

    Args:
        callbacks: the callbacks, called in this order.
        model: the model they hear of.
        params: what the run was started with.

    Attributes:
        feeds: where the batches of training, and of validation, come from.
    """

    def __init__(
        self, callbacks: Iterable[Any] = (), model: Any = None, params: Any = None
    ) -> None:
        self.callbacks = [_checked(callback) for callback in callbacks]
        self.feeds: tuple[Any, ...] = ()
        self._heard_by: dict[tuple[str, ...], list[Any]] = {}
        self._seeing: dict[tuple[int, tuple[str, ...]], bool] = {}
        self._begun = False
        self._hearing: float | None = None
        self._testing = False
        self._run: Any = None
        if params is not None:
            self.set_params(params)
        if model is not None:
            self.set_model(model)

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        self.callbacks.append(_checked(callback))
        self._heard_by.clear()

    def set_params(self, params: dict[str, Any]) -> None:
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def set_validation_data(self, data: Any) -> None:
        for callback in self.callbacks:
            callback.validation_data = data

    # ---------------------------------------------------------------- what a run asks

    @property
    def wants_batches(self) -> bool:
        """Whether a callback must see every batch, of training or of an evaluation, in time."""
        hooks = _TEST_HOOKS if self._testing else _BATCH_HOOKS
        return any(self._must_see(c, hooks) for c in self.callbacks)

    def _must_see(self, callback: Any, hooks: tuple[str, ...]) -> bool:
        """Whether a callback must hear in some hooks before the training goes on."""
        if not _overrides(callback, hooks):
            return False
        lags = getattr(callback, "may_lag", None)
        if lags is not None:
            return not lags
        if not self._begun:
            return True  # it has not made its attributes yet
        key = id(callback), hooks
        if key not in self._seeing:
            own = [getattr(callback, hook, None) for hook in hooks if _overrides(callback, (hook,))]
            self._seeing[key] = not is_blind(callback, own)
        return self._seeing[key]

    @property
    def wants_predict_batches(self) -> bool:
        """Whether a callback must see every batch of a prediction."""
        return any(_overrides(c, _PREDICT_HOOKS) for c in self.callbacks)

    @property
    def steps_allowed(self) -> int | None:
        """How many batches may run before the callbacks must hear again."""
        allowed = [c.steps_allowed for c in self.callbacks if c.steps_allowed is not None]
        return min(allowed, default=None)

    def at_once(self, batches: int = 1) -> int | None:
        """How many times some batches may be run in one call; ``None`` for any number.

        Hooks that hear of them behind the call take their time too.
        """
        limits = [self.steps_allowed]
        if self._hearing is not None:
            limits.append(max(int(HEARING_SECONDS / max(self._hearing * batches, 1e-9)), 1))
        elif self._who_sees_batches():
            limits.append(1)  # how long they take is not known yet
        return min((limit for limit in limits if limit is not None), default=None)

    def took(self, seconds: float, batches: int) -> None:
        """Note how long the hooks took that heard of some batches behind a call."""
        self._hearing = seconds / batches

    @property
    def may_lag(self) -> bool:
        """Whether all may hear of several epochs at once, when they were trained."""
        return self.steps_allowed is None and not any(
            self._must_see(c, _EPOCH_HOOKS) or self._must_see(c, _BATCH_HOOKS)
            for c in self.callbacks
        )

    @property
    def halting(self) -> bool:
        """Whether no batch may run behind one whose loss is no finite number."""
        return any(getattr(c, "halts_on_nan", False) for c in self.callbacks)

    def set_behind(self, behind: bool) -> None:
        """Say whether epochs were trained that the callbacks are yet to hear of."""
        for callback in self.callbacks:
            callback.behind = behind

    @property
    def stopping(self) -> bool:
        """Whether the run should end at this step boundary."""
        return bool(self.model.stop_training) and not self._testing

    # ---------------------------------------------------------------- hooks

    def _who(self, *hooks: str) -> list[Any]:
        """The callbacks that do something in one of some hooks; looked up once an epoch."""
        if hooks not in self._heard_by:
            self._heard_by[hooks] = [c for c in self.callbacks if _overrides(c, hooks)]
        return self._heard_by[hooks]

    def _each(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def on_train_begin(self, logs: Any = None) -> None:
        self._each("on_train_begin", logs or {})

    def on_train_end(self, logs: Any = None) -> None:
        self._each("on_train_end", logs or {})

    def on_train_failed(self, error: BaseException) -> None:
        self._each("on_train_failed", error)

    def begin_at(self, epoch: int) -> int:
        """The epoch to begin with: the given one, unless a callback knows of a later one."""
        for callback in self.callbacks:
            epoch = callback.begin_at(epoch, self)
        return epoch

    def on_pass_begin(self, run: Any) -> None:
        self._run = run
        self._each("on_pass_begin", run)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._each("on_epoch_begin", epoch, {} if logs is None else logs)
        self._heard_by.clear()
        self._begun = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._each("on_epoch_end", epoch, {} if logs is None else logs)
        self._each("on_boundary", epoch, None)

    def on_test_begin(self, logs: Any = None) -> None:
        self._testing = True
        self._each("on_test_begin", logs or {})
        self._heard_by.clear()
        self._begun = True

    def on_test_end(self, logs: Any = None) -> None:
        self._each("on_test_end", logs or {})
        self._testing = False

    def on_predict_begin(self, logs: Any = None) -> None:
        self._each("on_predict_begin", logs or {})

    def on_predict_end(self, logs: Any = None) -> None:
        self._each("on_predict_end", logs or {})

    def on_predict_batch(self, batch: int, size: int, run: Any) -> Any:
        """Run one batch of a prediction between its two hooks."""
        logs = {"batch": batch, "size": size}
        self._each("on_predict_batch_begin", batch, logs)
        outputs = run()
        self._each("on_predict_batch_end", batch, {**logs, "outputs": outputs})
        return outputs

    def on_steps_begin(self, step: int, sizes: np.ndarray) -> None:
        """Batches are about to run; those who see every batch hear of a single one."""
        if len(sizes) == 1:
            self._batch_begin(self._who_sees_batches(), step, int(sizes[0]))

    def on_steps_end(self, step: int, sizes: np.ndarray, values: np.ndarray, means: Any) -> None:
        """Batches were run; ``values`` has a row for each and a column for each log."""
        hear = [] if self._testing else self._who("on_steps_end")
        if hear:
            columns = dict(zip(means.names, values.T, strict=True))
            so_far = means.logs()
            for callback in hear:
                callback.on_steps_end(step, sizes, columns, so_far)
        seeing = self._who_sees_batches()
        if seeing:
            began = time.perf_counter()
            rows = zip(sizes.tolist(), values.tolist(), strict=True)
            for number, (size, row) in enumerate(rows, step):
                if len(sizes) > 1:  # they hear of several, one by one, when all are over
                    self._batch_begin(seeing, number, size)
                self._batch_end(seeing, number, size, dict(zip(means.names, row, strict=True)))
            self.took(time.perf_counter() - began, len(sizes))
        if not self._testing and self._run is not None:
            for callback in self._who("on_boundary"):
                callback.on_boundary(self._run.epoch, self._run)

    def _who_sees_batches(self) -> list[Any]:
        return self._who(*(_TEST_HOOKS if self._testing else _BATCH_HOOKS))

    def _batch_begin(self, callbacks: list[Any], step: int, size: int) -> None:
        name = f"on_{self._kind}_batch_begin"
        for callback in callbacks:
            getattr(callback, name)(step, {"batch": step, "size": size})

    def _batch_end(self, callbacks: list[Any], step: int, size: int, values: Any) -> None:
        name = f"on_{self._kind}_batch_end"
        for callback in callbacks:
            getattr(callback, name)(step, Logs(values, batch=step, size=size))

    @property
    def _kind(self) -> str:
        return "test" if self._testing else "train"


def _checked(callback: Any) -> Any:
    if not inspect.isclass(callback) and hasattr(callback, "on_train_begin"):
        return callback
    kind = callback.__name__ if inspect.isclass(callback) else type(callback).__name__
    wrong = f"the class {kind}; write {kind}()" if inspect.isclass(callback) else f"a {kind}"
    raise TypeError(
        "callbacks is a list of Callback objects, such as [EarlyStopping(patience=3)]; "
        f"got {wrong}."
    )


def _overrides(callback: Any, hooks: Iterable[str]) -> bool:
    """Whether a callback does something in one of the hooks: in its class or set on it."""
    return any(
        hook in vars(callback) or getattr(type(callback), hook, None) is not getattr(Callback, hook)
        for hook in hooks
    )
