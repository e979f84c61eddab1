"""TensorBoard: what is written, read by tensorboard's own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras import core as keras
from nbkeras.core.callbacks import Callback, TensorBoard
from nbkeras.core.layers import Conv2D, Dense, Dropout, Embedding, Flatten
from nbkeras.core.models import Sequential

accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

X = np.random.default_rng(0).normal(size=(40, 4, 4, 1)).astype("float32")
Y = X.sum((1, 2))


def model() -> Any:
    net = Sequential(
        [
            Conv2D(3, 2, name="conv", input_shape=(4, 4, 1)),
            Flatten(name="flat"),
            Dropout(0.5, name="drop"),
            Dense(1, name="out"),
        ]
    )
    net.compile(keras.optimizers.SGD(lr=0.001), "mse", metrics=["mae"], jit_compile=False)
    return net


class Log:
    """What a run's folder holds."""

    def __init__(self, folder: Path) -> None:
        sizes = dict.fromkeys(("tensors", "graph"), 0)
        self.reader = accumulators.EventAccumulator(str(folder), size_guidance=sizes).Reload()
        self.tags = self.reader.Tags()["tensors"]

    def values(self, tag: str) -> list[Any]:
        return [tf.make_ndarray(event.tensor_proto) for event in self.reader.Tensors(tag)]

    def steps(self, tag: str) -> list[int]:
        return [event.step for event in self.reader.Tensors(tag)]

    def mean_of(self, tag: str) -> float:
        """The mean that the buckets of a histogram have, to their width."""
        buckets = self.values(tag)[-1]
        return float((buckets[:, :2].mean(1) * buckets[:, 2]).sum() / buckets[:, 2].sum())


def test_scalars(tmp_path: Path) -> None:
    history = (
        model()
        .fit(
            X,
            Y,
            epochs=3,
            validation_split=0.25,
            verbose=0,
            callbacks=[TensorBoard(tmp_path, write_graph=False)],
        )
        .history
    )
    for run, prefix in (("train", ""), ("validation", "val_")):
        log = Log(tmp_path / run)
        assert sorted(log.tags) == ["epoch_loss", "epoch_mean_absolute_error"]
        assert log.steps("epoch_loss") == [0, 1, 2]
        np.testing.assert_allclose(log.values("epoch_loss"), history[f"{prefix}loss"], rtol=1e-6)


class Losses(Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(logs["loss"])


def test_batches(tmp_path: Path) -> None:
    losses = Losses()
    board = TensorBoard(tmp_path, update_freq="batch")
    model().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[board, losses])
    log = Log(tmp_path / "train")
    assert log.steps("batch_loss") == list(range(1, 11))
    np.testing.assert_allclose(log.values("batch_loss"), losses.seen, rtol=1e-6)


def test_every_so_many_samples_without_slowing_the_run(tmp_path: Path) -> None:
    chunks: list[int] = []

    class Chunks(Callback):
        def on_steps_end(self, step: int, sizes: Any, values: Any, means: Any) -> None:
            chunks.extend([len(sizes)])
            losses.extend(values["loss"].tolist())

    losses: list[float] = []
    board = TensorBoard(tmp_path, update_freq=16)
    model().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[board, Chunks()])
    log = Log(tmp_path / "train")
    assert log.steps("batch_loss") == [2, 4, 6, 8, 10]
    np.testing.assert_allclose(
        log.values("batch_loss"), np.reshape(losses, (5, 2)).mean(1), rtol=1e-6
    )
    assert max(chunks) > 1


def test_histograms_images_and_the_graph(tmp_path: Path) -> None:
    net = model()
    board = TensorBoard(tmp_path, histogram_freq=2, write_grads=True, write_images=True)
    net.fit(X, Y, epochs=3, validation_data=(X[:8], Y[:8]), verbose=0, callbacks=[board])
    log = Log(tmp_path / "train")
    weights = {"conv/kernel", "conv/bias", "out/kernel", "out/bias"}
    outputs = {"conv/output", "flat/output", "drop/output", "out/output"}
    found = {tag for tag in log.tags if not tag.startswith("epoch_")}
    assert weights | outputs | {f"{name}/gradient" for name in weights} <= found
    assert log.steps("out/kernel") == log.steps("out/output") == [0, 2]
    buckets = log.values("out/bias")[-1]
    assert buckets[:, 2].sum() == 1
    assert log.mean_of("out/bias") == pytest.approx(float(net.get_weights()[3][0]), abs=1e-6)
    values = net.predict(X[:8])
    width = float(np.ptp(values)) / 30
    assert log.mean_of("out/output") == pytest.approx(float(values.mean()), abs=width)
    # The gradient of a mean of squares by the last bias is twice the mean error.
    assert log.mean_of("out/bias/gradient") == pytest.approx(
        float(2 * (values - Y[:8]).mean()), abs=1e-4
    )
    nodes = [
        node.name
        for node in tf.compat.v1.GraphDef.FromString(log.reader.Graph().SerializeToString()).node
    ]
    assert len(nodes) > 4


def test_the_run_is_not_changed(tmp_path: Path) -> None:
    def losses(*callbacks: Any) -> Any:
        keras.utils.set_random_seed(1)
        history = model().fit(
            X, Y, epochs=3, validation_split=0.2, verbose=0, callbacks=list(callbacks)
        )
        return history.history

    board = TensorBoard(tmp_path, histogram_freq=1, write_grads=True, write_images=True)
    assert losses() == losses(board)


def test_embeddings(tmp_path: Path) -> None:
    from google.protobuf import text_format
    from tensorboard.plugins import projector

    net = Sequential([Embedding(5, 3, input_length=2, name="../words"), Flatten(), Dense(1)])
    net.compile("sgd", "mse", jit_compile=False)
    names = tmp_path / "names.tsv"
    names.write_text("a\nb\nc\nd\ne\n")
    x, y = np.array([[0, 1], [2, 3]]), np.zeros((2, 1))
    logs = tmp_path / "logs"
    board = TensorBoard(logs, embeddings_freq=1, embeddings_metadata={"../words": names})
    net.fit(x, y, epochs=2, verbose=0, callbacks=[board])
    config = projector.ProjectorConfig()
    text_format.Parse((logs / "projector_config.pbtxt").read_text(), config)
    (described,) = config.embeddings
    assert described.tensor_name == "../words"
    assert Path(described.metadata_path) == names
    table = np.loadtxt(logs / described.tensor_path, delimiter="\t", dtype="float32")
    np.testing.assert_array_equal(table, net.get_weights()[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "names.tsv"]

    board = TensorBoard(
        logs, embeddings_freq=1, embeddings_layer_names=["../words"], embeddings_data=x
    )
    net.fit(x, y, verbose=0, callbacks=[board])
    table = np.loadtxt(logs / "embedding_0.tsv", delimiter="\t", dtype="float32")
    np.testing.assert_array_equal(table, net.get_weights()[0][x].reshape(2, 6))


def test_what_cannot_be(tmp_path: Path) -> None:
    for options in ({"update_freq": "often"}, {"update_freq": 0}, {"histogram_freq": -1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            TensorBoard(tmp_path, **options)
    with pytest.warns(RuntimeWarning, match="histograms of weights only"):
        model().fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=1)])
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_layer_names=["nowhere"])
    with pytest.raises(ValueError, match="no layer 'nowhere'"):
        model().fit(X, Y, verbose=0, callbacks=[board])


def test_files_are_closed_when_training_fails(tmp_path: Path) -> None:
    class Fails(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("on purpose")

    board = TensorBoard(tmp_path)
    with pytest.raises(RuntimeError, match="on purpose"):
        model().fit(X, Y, verbose=0, callbacks=[board, Fails()])
    assert board._writers == {}
    assert "epoch_loss" in Log(tmp_path / "train").tags
