"""BackupAndRestore of runs over sequences: orders of their own, image iterators, workers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbkeras import core as keras
from nbkeras.core.callbacks import BackupAndRestore, EarlyStopping, LearningRateScheduler
from nbkeras.core.layers import BatchNormalization, Dense, Dropout, Flatten
from nbkeras.core.models import Sequential
from nbkeras.core.preprocessing.image import ImageDataGenerator
from nbkeras.core.utils import Sequence, set_random_seed
from tests.core.callbacks.test_backup import KillAt, Killed

X = np.random.default_rng(0).normal(size=(26, 3, 4, 1)).astype("float32")
Y = X.sum((1, 2)) * 2
EPOCHS, BATCHES = 4, 7


class Plain(Sequence):
    """The same batches in each pass."""

    def __len__(self) -> int:
        return BATCHES

    def __getitem__(self, index: int) -> Any:
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


class Shuffled(Plain):
    """As such classes are usually written: an order of rows, drawn anew after each pass."""

    state_names = ("indexes", "passes")

    def __init__(self) -> None:
        self.indexes = np.arange(len(X))
        self.passes = -1
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        self.passes += 1
        np.random.shuffle(self.indexes)

    def __getitem__(self, index: int) -> Any:
        rows = self.indexes[4 * index : 4 * index + 4]
        return X[rows] * (1 + self.passes), Y[rows]


def images() -> Any:
    changes = ImageDataGenerator(rotation_range=30, horizontal_flip=True)
    return changes.flow(X, Y, batch_size=4, seed=5)


def fit(folder: Path, make: Callable[[], Any], *more: Any, save_freq: Any, **options: Any) -> Any:
    """A run from the beginning of a process on."""
    set_random_seed(3)
    net = Sequential(
        [Flatten(input_shape=(3, 4, 1)), Dense(5), BatchNormalization(), Dropout(0.3), Dense(1)]
    )
    net.compile(keras.optimizers.Adam(lr=0.01), "mse", metrics=["mae"])
    stops = EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    keep = BackupAndRestore(folder, save_freq=save_freq)
    slower = LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    history = net.fit(
        make(),
        epochs=EPOCHS,
        verbose=0,
        validation_data=make(),
        callbacks=[keep, slower, stops, *more],
        **options,
    )
    return net, history.history


def same(ours: Any, theirs: Any) -> None:
    arrays = [[*net.get_weights(), *net.optimizer.get_weights()] for net, _ in (ours, theirs)]
    for a, b in zip(*arrays, strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours[1] == theirs[1]


@pytest.mark.parametrize(
    ("make", "shuffle", "save_freq"),
    [
        (Plain, True, "epoch"),
        (Plain, True, 3),
        (Shuffled, False, 3),
        (Shuffled, True, "epoch"),
        (images, False, "epoch"),
        (images, True, 3),
    ],
)
def test_a_killed_run_ends_like_a_whole_one(
    tmp_path: Path, make: Callable[[], Any], shuffle: bool, save_freq: Any
) -> None:
    options = {"shuffle": shuffle, "save_freq": save_freq}
    whole = fit(tmp_path / "whole", make, KillAt(), **options)
    for batch in (10, 5):
        with pytest.raises(Killed):
            fit(tmp_path / "run", make, KillAt(batch=batch), **options)
        np.random.rand(7)
    same(fit(tmp_path / "run", make, **options), whole)
    assert os.listdir(tmp_path / "run") == []


@pytest.mark.parametrize("steps", [4, 10])
def test_epochs_that_are_no_passes(tmp_path: Path, steps: int) -> None:
    options = {"steps_per_epoch": steps, "save_freq": 3}
    whole = fit(tmp_path / "whole", Shuffled, KillAt(), **options)
    for batch in (8, 3):
        with pytest.raises(Killed):
            fit(tmp_path / "run", Shuffled, KillAt(batch=batch), **options)
    same(fit(tmp_path / "run", Shuffled, **options), whole)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [True, False])
@pytest.mark.parametrize("save_freq", ["epoch", 3])
def test_with_workers(tmp_path: Path, processes: bool, save_freq: Any) -> None:
    """Image iterators: their processes start fast, and what they draw depends on who asks."""
    options = {"workers": 2, "use_multiprocessing": processes, "save_freq": save_freq}
    whole = fit(tmp_path / "whole", images, KillAt(), **options)
    with pytest.raises(Killed):
        fit(tmp_path / "run", images, KillAt(batch=17), **options)
    same(fit(tmp_path / "run", images, **options), whole)


def test_a_sequence_that_hides_what_it_changes(tmp_path: Path) -> None:
    class Hiding(Shuffled):
        state_names = ()

    with pytest.warns(RuntimeWarning, match="state_names"):
        fit(tmp_path, Hiding, save_freq="epoch")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        fit(tmp_path, Shuffled, save_freq="epoch")
        fit(tmp_path, images, save_freq="epoch")
