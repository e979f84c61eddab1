"""A run that was killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.steering import Steering
from ..files import atomic_write
from .base import Callback, CallbackList

__all__ = ["BackupAndRestore"]

FORMAT = "nbkeras backup 2"
FILE = "backup.npz"


class BackupAndRestore(Callback):
    """Keeps a backup of a run, from which the same call of ``fit`` goes on after a kill.

    The backup is one file that is replaced in one step, so that there is a whole one at
    any moment. It holds weights and states of layers, the optimizer, rates that were
    moved, the random generators of NumPy, Python and the model, the history, and the
    state of the other callbacks (``state_names``). The run that goes on ends with the
    weights that an uninterrupted one has, bit for bit.

    For that no measured time may choose how a step is compiled: with the default
    ``jit_compile="auto"`` the run stays without XLA; ``compile(jit_compile=True)`` is as
    exact, with XLA. A ``Sequence`` goes on where it was; what its ``on_epoch_end`` changes
    is kept if its ``state_names`` say so, and image iterators with a seed are exact too.
    Generators and data sets begin anew.

    When training ends, the backup is deleted; after an interrupt it stays.

    Args:
        backup_dir: a folder of this run's own; it is made if need be.
        save_freq: ``"epoch"``, or after how many batches to save (of arrays or a ``Sequence``).
        delete_checkpoint: whether to delete the backup when training ends.

    Raises:
        ValueError: the backup is damaged or of another model; nothing is changed then.

    >>> BackupAndRestore("backup", save_freq=100).save_freq
    100

    Source: Keras 2.15, ``keras.callbacks.BackupAndRestore``.
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | str = "epoch",
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not whole:
            raise ValueError(
                f"save_freq is 'epoch' or a whole number of batches such as 100; got {save_freq!r}."
            )
        self.backup_dir = Path(backup_dir)
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self._callbacks: CallbackList | None = None
        self._pending: _Backup | None = None
        self._since = 0

    @property
    def path(self) -> Path:
        """The file of the backup."""
        return self.backup_dir / FILE

    # ---------------------------------------------------------------- going on

    def begin_at(self, epoch: int, callbacks: CallbackList) -> int:
        self._callbacks = callbacks
        self._since = 0
        self._pending = None
        self._check_feeds(callbacks.feeds)
        self._allow()
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        self.model._trainer.program("train").pin()
        if not self.path.exists():
            return epoch
        backup = _Backup(self.path)
        backup.check(self.model)
        if backup.header["run"] is None:
            self._restore(backup)
        else:
            # Inside an epoch: its first hooks are called again, then all is put back.
            self._pending = backup
        return max(int(backup.header["epoch"]), epoch)

    def _check_feeds(self, feeds: tuple[Any, ...]) -> None:
        if self.save_freq != "epoch" and not feeds[0].resumable:
            raise ValueError(
                f"BackupAndRestore(save_freq={self.save_freq}): a generator or data set cannot be "
                "put back within an epoch. Write save_freq='epoch', or make it a Sequence."
            )
        for feed in feeds:
            if not feed.remembers:
                warnings.warn(
                    "BackupAndRestore: what on_epoch_end() changes in a Sequence is not kept. Name "
                    "it in the class, as in state_names = ('indexes',), so that a run that goes "
                    "on has the same batches.",
                    RuntimeWarning,
                    stacklevel=2,
                )

    def on_pass_begin(self, run: Any) -> None:
        backup, self._pending = self._pending, None
        if backup is not None:
            state = backup.header["run"]
            run.order, run.step = state["order"], state["step"]
            run.means.set_state(state["means"])
            self._restore(backup)

    def _restore(self, backup: _Backup) -> None:
        header = backup.header
        backup.assign(self.model)
        for name, callback in _named(self._others()):
            if name in header["callbacks"]:
                callback.set_state(header["callbacks"][name])
        assert self._callbacks is not None
        for feed, state in zip(self._callbacks.feeds, header["feeds"], strict=False):
            feed.set_state(state)
        self.model.stop_training = header["stop_training"]
        self._since = 0
        _set_generators(header["generators"])

    def _others(self) -> list[Any]:
        assert self._callbacks is not None
        return [c for c in self._callbacks.callbacks if c is not self]

    # ---------------------------------------------------------------- saving

    def on_steps_end(self, step: int, sizes: Any, values: dict[str, Any], means: Any) -> None:
        self._since += len(sizes)

    def on_boundary(self, epoch: int, run: Any) -> None:
        if run is None:
            if not self._interrupted:
                self._save(epoch + 1, None)
        elif self.save_freq != "epoch" and self._since >= int(self.save_freq):
            self._since = 0
            if run.steps is None or run.step < run.steps:  # else the epoch's end is near
                order = None if run.order is None else np.asarray(run.order)
                means = run.means.get_state()
                self._save(epoch, {"order": order, "step": run.step, "means": means})
        self._allow()

    def _allow(self) -> None:
        """Let as many batches run as there are up to the next backup."""
        if self.save_freq != "epoch":
            self.steps_allowed = max(int(self.save_freq) - self._since, 1)

    @property
    def _interrupted(self) -> bool:
        return any(getattr(c, "reason", None) == "interrupted" for c in self._others())

    def _save(self, epoch: int, run: Any) -> None:
        assert self._callbacks is not None
        header = {
            "format": FORMAT,
            "epoch": epoch,
            "run": run,
            "callbacks": {name: c.get_state() for name, c in _named(self._others())},
            "feeds": [feed.get_state() for feed in self._callbacks.feeds],
            "generators": _generators(),
            "stop_training": bool(self.model.stop_training),
            "rates": _rates(self.model),
        }
        arrays: dict[str, np.ndarray] = {}
        header["variables"] = [name for name, _ in _variables(self.model)]
        for number, (_, variable) in enumerate(_variables(self.model)):
            arrays[f"variable {number}"] = variable.numpy()
        tree = _folded(header, arrays)
        with atomic_write(self.path) as file:
            np.savez(file, **{"header": np.array(json.dumps(tree)), **arrays})  # type: ignore[arg-type]

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and not self._interrupted:
            self.path.unlink(missing_ok=True)


class _Backup:
    """The content of a file that :class:`BackupAndRestore` wrote, read whole and checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Only arrays: nothing in the file is run.
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            self.header = _unfolded(json.loads(str(arrays["header"][()])), arrays)
            if self.header["format"] != FORMAT:
                raise ValueError(f"its format is {self.header['format']!r}")
            self.values = [arrays[f"variable {n}"] for n in range(len(self.header["variables"]))]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{str(path)!r} is no backup that can be read ({error}). Delete it to begin "
                "training anew."
            ) from error

    def check(self, model: Any) -> None:
        """Refuse a backup of another model or optimizer."""
        found = [tuple(value.shape) for value in self.values]
        expected = [tuple(variable.shape) for _, variable in _variables(model)]
        if found != expected:
            raise ValueError(
                f"{str(self.path)!r} is the backup of another model or optimizer: it holds "
                f"{len(found)} variables of shapes {found[:6]}, this run has {len(expected)} of "
                f"{expected[:6]}. Give this run a folder of its own, or delete the file."
            )

    def assign(self, model: Any) -> None:
        """Give the model what was kept of it."""
        for (_, variable), value in zip(_variables(model), self.values, strict=True):
            variable.assign(value.astype(variable.dtype.as_numpy_dtype, copy=False))
        for layer, attribute, value in _rate_places(model, self.header["rates"]):
            setattr(layer, attribute, value)


# ---------------------------------------------------------------- what a run consists of


def _variables(model: Any) -> list[tuple[str, Any]]:
    """Everything of a model that training changes, in a fixed order."""
    optimizer, trainer = model.optimizer, model._trainer
    found = [(f"weight {v.name}", v) for v in model.weights]
    for layer in _layers(model):
        found += [(f"state {layer.name}", v) for v in getattr(layer, "_states", None) or ()]
    found += [(f"optimizer {v.name}", v) for v in optimizer.variables]
    shared = {id(v) for v in optimizer.variables}
    found += [(f"hyper {k}", v) for k, v in sorted(optimizer._hyper.items()) if id(v) not in shared]
    for metric in model.objective.stateful_metrics:
        found += [(f"metric {v.name}", v) for v in metric.variables]
    return [*found, *trainer.state]


def _layers(layer: Any) -> Iterator[Any]:
    for part in getattr(layer, "_sublayers", ()):
        yield part
        yield from _layers(part)


def _rates(model: Any) -> dict[str, float]:
    """Rates of layers that may have been moved; the learning rate is a variable already."""
    steering = Steering(model)
    return {p.name: steering.value(p.name) for p in steering.parameters() if p.name != "lr"}


def _rate_places(model: Any, rates: Mapping[str, float]) -> Iterator[tuple[Any, str, float]]:
    places = Steering(model)._places
    for name, value in rates.items():
        if name in places:
            yield (*places[name], value)


def _named(callbacks: list[Any]) -> Iterator[tuple[str, Any]]:
    """Callbacks by class, and number within the class: a bar more or less moves no name."""
    counts: dict[str, int] = {}
    for callback in callbacks:
        kind = type(callback).__name__
        counts[kind] = counts.get(kind, -1) + 1
        yield f"{kind} {counts[kind]}", callback


def _generators() -> dict[str, Any]:
    version, words, gauss = random.getstate()
    return {
        "numpy": list(np.random.get_state()),
        "python": [version, np.array(words, np.int64), gauss],
    }


def _set_generators(state: Mapping[str, Any]) -> None:
    np.random.set_state(tuple(state["numpy"]))
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))


# ---------------------------------------------------------------- a tree as JSON and arrays


def _folded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A tree as JSON has it; its arrays go to ``arrays``."""
    if isinstance(value, Mapping):
        return {"dict": [[_folded(k, arrays), _folded(v, arrays)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_folded(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float):
        return value
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(
            "A callback's state is made of numbers, text, arrays, lists and dictionaries; "
            f"got a {type(value).__name__}. Leave it out of state_names, or write get_state."
        )
    name = f"array {len(arrays)}"
    arrays[name] = array
    return {"array": name}


def _unfolded(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unfolded(item, arrays) for item in value]
    if isinstance(value, dict):
        if "array" in value:
            return arrays[value["array"]]
        return {_unfolded(k, arrays): _unfolded(v, arrays) for k, v in value["dict"]}
    return value
