"""BackupAndRestore: a killed run that goes on ends like one that was not killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbkeras import core as keras
from nbkeras.core.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from nbkeras.core.layers import BatchNormalization, Dense, Dropout
from nbkeras.core.models import Sequential
from nbkeras.core.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
Y = X[:, :1] * 2
EPOCHS, BATCHES = 6, 6


class Killed(BaseException):
    """In place of a kill: nothing of the run may catch it."""


class KillAt(Callback):
    """Ends the run after a number of batches in all, or after an epoch."""

    def __init__(self, batch: int = -1, epoch: int = -1) -> None:
        super().__init__()
        self.batch, self.epoch, self.done = batch, epoch, 0

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.done == self.batch:
            raise Killed
        self.done += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.epoch:
            raise Killed


def model() -> Any:
    net = Sequential(
        [
            Dense(6, activation="relu", input_shape=(4,)),
            BatchNormalization(),
            Dropout(0.3),
            Dense(1),
        ]
    )
    net.compile(keras.optimizers.Adam(lr=0.01), "mse", metrics=["mae"])
    return net


def callbacks() -> list[Any]:
    """Callbacks with a state, before and after the backup in the list."""
    return [
        LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        EarlyStopping("val_loss", patience=4, restore_best_weights=True),
        ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.5),
    ]


def state(net: Any) -> list[np.ndarray]:
    return [*net.get_weights(), *net.optimizer.get_weights(), np.asarray(net.optimizer.lr)]


def fit(folder: Path, *more: Any, save_freq: Any = "epoch", **options: Any) -> tuple[Any, Any, Any]:
    """A run from the beginning of a process on: seed, model, fit."""
    set_random_seed(3)
    net = model()
    chosen = callbacks()
    keep = BackupAndRestore(folder, save_freq=save_freq)
    log = CSVLogger(folder.parent / f"{folder.name}.csv")
    history = net.fit(
        X,
        Y,
        batch_size=8,
        epochs=EPOCHS,
        verbose=0,
        validation_split=0.1,
        callbacks=[chosen[0], keep, *chosen[1:], log, *more],
        **options,
    )
    return net, history, chosen


def same(ours: tuple[Any, Any, Any], theirs: tuple[Any, Any, Any]) -> None:
    for a, b in zip(state(ours[0]), state(theirs[0]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours[1].history == theirs[1].history
    assert ours[1].epoch == theirs[1].epoch
    for a, b in zip(ours[2], theirs[2], strict=True):
        for name in a.state_names:
            np.testing.assert_equal(getattr(a, name), getattr(b, name))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: Any) -> tuple[Any, Any, Any, str]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    run = fit(folder, KillAt())
    return (*run, (folder.parent / "run.csv").read_text())


@pytest.mark.parametrize("save_freq", ["epoch", 1, 3, 10])
@pytest.mark.parametrize("kill", [{"batch": 0}, {"batch": 17}, {"batch": 33}, {"epoch": 2}])
def test_a_killed_run_ends_like_a_whole_one(
    tmp_path: Path, whole: Any, save_freq: Any, kill: dict[str, int]
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        fit(folder, KillAt(**kill), save_freq=save_freq)
    np.random.rand(7)  # the next process has used its generator otherwise
    again = fit(folder, save_freq=save_freq)
    same(again, whole[:3])
    assert (tmp_path / "run.csv").read_text() == whole[3]
    assert os.listdir(folder) == []


def test_killed_again_and_again(tmp_path: Path, whole: Any) -> None:
    for batch in (5, 9, 2, 11, 0):
        with pytest.raises(Killed):
            fit(tmp_path / "run", KillAt(batch=batch), save_freq=2)
    same(fit(tmp_path / "run", save_freq=2), whole[:3])


def test_as_many_batches_as_between_two_backups_run_at_once(tmp_path: Path) -> None:
    class Counts(Callback):
        chunks: tuple[int, ...] = ()

        def on_steps_end(self, step: int, sizes: Any, values: Any, means: Any) -> None:
            self.chunks += (len(sizes),)

    heard = Counts()
    fit(tmp_path / "run", heard, save_freq=3)
    assert max(heard.chunks) == 3
    assert sum(heard.chunks) == EPOCHS * BATCHES


def test_a_run_that_had_ended_early_does_not_go_on(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

        def on_boundary(self, epoch: int, run: Any) -> None:
            if run is None and epoch == 1:
                raise Killed

    with pytest.raises(Killed):
        fit(tmp_path / "run", Stop())
    assert fit(tmp_path / "run")[1].epoch == [0, 1]


def test_after_an_interrupt_the_same_call_goes_on(tmp_path: Path, whole: Any) -> None:
    class Interrupt(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            if int(self.model.optimizer.iterations) == 17:
                os.kill(os.getpid(), signal.SIGINT)

    cut = fit(tmp_path / "run", Interrupt())
    assert len(cut[1].epoch) == 3
    same(fit(tmp_path / "run"), whole[:3])


def test_a_backup_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        fit(tmp_path / "run", KillAt(epoch=1))
    file = tmp_path / "run" / "backup.npz"
    content = file.read_bytes()
    net = Sequential([Dense(1, input_shape=(4,))])
    net.compile("adam", "mse")
    before = net.get_weights()
    with pytest.raises(ValueError, match="another model or optimizer"):
        net.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path / "run")])
    for length in np.random.default_rng(0).integers(0, len(content), 20):
        file.write_bytes(content[:length])
        with pytest.raises(ValueError, match="Delete it to begin"):
            net.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path / "run")])
    file.write_bytes(content)
    with np.load(file) as stored:
        where = content.index(stored["variable 0"].tobytes())
    for place in range(where, where + 96, 7):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="Delete it to begin"):
            net.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path / "run")])
    np.testing.assert_array_equal(net.get_weights()[0], before[0])


def test_nothing_in_a_backup_is_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    np.savez(tmp_path / "run" / "backup.npz", header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="no backup that can be read"):
        fit(tmp_path / "run")


def test_what_cannot_be(tmp_path: Path) -> None:
    for wrong in (0, -1, "batch", True, 1.5):
        with pytest.raises(ValueError, match="save_freq"):
            BackupAndRestore(tmp_path, save_freq=wrong)

    def batches() -> Any:
        while True:
            yield X[:8], Y[:8]

    with pytest.raises(ValueError, match="save_freq='epoch'"):
        model().fit(
            batches(), steps_per_epoch=2, verbose=0, callbacks=[BackupAndRestore(tmp_path, 1)]
        )


# ---------------------------------------------------------------- real processes

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import pathlib
import numpy as np
from test_backup import fit, state
folder = pathlib.Path(sys.argv[1])

class Tell:
    def handle(self, event):
        print(type(event).__name__, flush=True)

net, history, chosen = fit(folder, Tell(), save_freq={freq!r})
np.savez(folder.parent / "end.npz", *state(net), losses=history.history["val_loss"])
"""


def run_and_kill(folder: Path, freq: Any, kills: list[int]) -> dict[str, np.ndarray]:
    """Run in processes of which each but the last is killed after some events."""
    here = Path(__file__).parent
    code = SCRIPT.format(root=str(here.parents[2]), here=str(here), freq=freq)
    for kill in [*kills, None]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            for number, _ in enumerate(process.stdout):
                if number == kill:
                    process.send_signal(signal.SIGKILL)
                    break
        if kill is None:
            assert process.returncode == 0
    with np.load(folder.parent / "end.npz") as file:
        return dict(file)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_process_that_is_killed(tmp_path: Path, whole: Any) -> None:
    end = run_and_kill(tmp_path / "run", 2, [4])
    for number, array in enumerate(state(whole[0])):
        np.testing.assert_array_equal(end[f"arr_{number}"], array)
    assert end["losses"].tolist() == whole[1].history["val_loss"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("seed", range(15))
def test_processes_killed_at_random(tmp_path: Path, whole: Any, seed: int) -> None:
    draw = np.random.default_rng(seed)
    freq = ["epoch", 1, 4][seed % 3]
    end = run_and_kill(tmp_path / "run", freq, draw.integers(0, 8, 3).tolist())
    for number, array in enumerate(state(whole[0])):
        np.testing.assert_array_equal(end[f"arr_{number}"], array)
    assert end["losses"].tolist() == whole[1].history["val_loss"]
