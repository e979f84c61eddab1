"""One of two workers that train together, as a program: worker.py FOLDER [dies]."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from nbkeras.core import metrics
from nbkeras.core.callbacks import Callback, CSVLogger, ModelCheckpoint
from nbkeras.core.layers import BatchNormalization, Dense, Dropout, Embedding, Flatten
from nbkeras.core.models import Sequential, load_model


def data() -> Any:
    rng = np.random.default_rng(0)
    return rng.integers(0, 9, (37, 5)), rng.integers(0, 3, 37)


def make() -> Any:
    model = Sequential([Embedding(9, 4, input_length=5), Flatten()])
    model.add(Dense(3, activation="softmax"))
    known = metrics.SparseCategoricalAccuracy()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["acc", known])
    return model


def train(model: Any, seed: int, **options: Any) -> dict[str, list[Any]]:
    """Two shuffled epochs, then a validated one with weights; one row is left for two workers."""
    x, y = data()
    weights = np.linspace(0.5, 2, 37).astype("float32")
    np.random.seed(seed)
    first = model.fit(x, y, epochs=2, batch_size=6, verbose=0, **options).history
    second = model.fit(x, y, 12, sample_weight=weights, validation_split=0.2, verbose=0).history
    return {
        "fit": [history[name] for history in (first, second) for name in sorted(history)],
        "evaluate": model.evaluate(x, y),
        "predict": model.predict(x).tolist(),
        "weights": [w.tolist() for w in model.get_weights()],
    }


class Dies(Callback):
    """Ends the process as a crash does."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        os._exit(9)


def main(folder: Path, dies: bool) -> None:
    number = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = make()
    if dies:
        x, y = data()
        model.fit(x, y, epochs=1000, verbose=0, callbacks=[Dies()] if number == 1 else [])
        return
    model.load_weights(folder / "start.h5")
    mine = folder / str(number)
    mine.mkdir()
    written = [CSVLogger(mine / "log.csv"), ModelCheckpoint(mine / "model.h5")]
    # Each worker draws orders of its own; the chief's count.
    result: dict[str, Any] = train(model, seed=number, callbacks=written)
    result["files"] = sorted(path.name for path in mine.iterdir())
    if number == 0:
        result["parameters"] = load_model(mine / "model.h5").count_params()
    with strategy.scope():
        model = Sequential([Dropout(0.5, input_shape=(5,)), BatchNormalization(), Dense(1)])
        model.compile("sgd", "mse")
    x, y = data()
    model.fit(x, y, batch_size=6, verbose=0)
    result["apart"] = [w.tolist() for w in model.get_weights()]
    (folder / f"{number}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] == ["dies"])
