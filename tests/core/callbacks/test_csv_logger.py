"""CSVLogger beside tf_keras', and what it does to files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from nbkeras.core.callbacks import Callback, CSVLogger
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
LOGS = [{"loss": 0.5, "val_loss": 0.25}, {"loss": 0.125, "val_loss": 1.0}]


def model() -> Any:
    net = Sequential([Dense(1, input_shape=(3,))])
    net.compile("sgd", "mse")
    return net


def written(logger: Any, epochs: list[dict[str, Any]]) -> None:
    logger.set_params({})
    logger.set_model(type("M", (), {"stop_training": False})())
    logger.on_train_begin()
    for epoch, logs in enumerate(epochs):
        logger.on_epoch_end(epoch, logs)
    logger.on_train_end()


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_file_is_tf_keras(tmp_path: Path, separator: str, append: bool) -> None:
    for name, kind in (("ours", CSVLogger), ("theirs", tf_keras.callbacks.CSVLogger)):
        path = str(tmp_path / name)
        written(kind(path, separator), LOGS)
        written(kind(path, separator, append=append), LOGS[::-1])
    ours, theirs = ((tmp_path / name).read_text().splitlines() for name in ("ours", "theirs"))
    assert ours == theirs
    assert len(ours) == (5 if append else 3)


def test_validation_that_begins_late_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    net = model()
    history = net.fit(
        X,
        X[:, :1],
        epochs=4,
        verbose=0,
        validation_split=0.25,
        validation_freq=2,
        callbacks=[CSVLogger(path)],
    ).history
    rows = list(csv.DictReader(path.open()))
    assert [row["val_loss"] == "NA" for row in rows] == [True, False, True, False]
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]


def test_values_that_are_lists(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    values = {"a": np.array([1.5, 2.0]), "b": [1, 2], "c": "x,y", "d": np.float32(0.5), "e": True}
    written(CSVLogger(path), [values])
    (row,) = csv.DictReader(path.open())
    assert list(row.values()) == ["0", "[1.5, 2.0]", "[1, 2]", "x,y", "0.5", "True"]


def test_appending_keeps_the_columns_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    written(CSVLogger(path), [{"loss": 1.0, "old": 2.0}])
    with pytest.warns(RuntimeWarning, match="no column for new"):
        written(CSVLogger(path, append=True), [{"loss": 3.0, "new": 4.0}])
    assert path.read_text() == "epoch,loss,old\n0,1.0,2.0\n0,3.0,NA\n"


def test_a_file_of_another_kind_is_not_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("name,age\n")
    net = model()
    before = net.get_weights()
    with pytest.raises(ValueError, match=r"'name,age'.*append=False"):
        net.fit(X, X[:, :1], verbose=0, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text() == "name,age\n"
    np.testing.assert_array_equal(net.get_weights()[0], before[0])


def test_an_empty_file_gets_a_header(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.touch()
    written(CSVLogger(path, append=True), [{"loss": 1.0}])
    assert path.read_text() == "epoch,loss\n0,1.0\n"


def test_the_file_is_closed_when_training_fails(tmp_path: Path) -> None:
    class Fails(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            opened.append(logger._file)
            raise RuntimeError("on purpose")

    opened: list[Any] = []
    logger = CSVLogger(tmp_path / "log.csv")
    with pytest.raises(RuntimeError, match="on purpose"):
        model().fit(X, X[:, :1], verbose=0, callbacks=[logger, Fails()])
    assert opened[0].closed
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="one character"):
        CSVLogger("log.csv", separator="--")
    with pytest.raises(FileNotFoundError, match="makedirs"):
        model().fit(X, X[:, :1], verbose=0, callbacks=[CSVLogger("no/such/folder/log.csv")])
