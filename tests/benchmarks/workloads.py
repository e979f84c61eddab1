"""The same models and data for every framework.

A workload is a function of a framework's ``keras`` module that returns a compiled
model, its data, and the batch size. Code is Keras code that all of them run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["WORKLOADS", "Workload"]


@dataclass(frozen=True)
class Workload:
    """A model with data, and how long to train it.

    ``ceilings`` are the ratios to reach: name of a peer, or ``fastest`` -> at most.
    """

    build: Callable[[Any], tuple[Any, Any, Any]]
    batch_size: int
    epochs: int
    ceilings: dict[str, float]


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _labels(rows: int, classes: int) -> np.ndarray:
    return np.eye(classes, dtype="float32")[np.random.default_rng(1).integers(0, classes, rows)]


def mlp_small(keras: Any) -> tuple[Any, Any, Any]:
    """100-32-1 on 10,000 rows (manual, 3.1.5)."""
    model = keras.models.Sequential(
        [
            keras.layers.Input((100,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    y = np.random.default_rng(1).integers(0, 2, (10_000, 1)).astype("float32")
    return model, _random(10_000, 100), y


def mlp_dropout(keras: Any) -> tuple[Any, Any, Any]:
    """20-64-64-10 with dropout on 1,000 rows (manual, 3.1)."""
    model = keras.models.Sequential(
        [
            keras.layers.Input((20,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("sgd", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, _random(1_000, 20), _labels(1_000, 10)


def mnist_mlp(keras: Any) -> tuple[Any, Any, Any]:
    """784-512-512-10 with dropout on 12,800 rows of MNIST's shape."""
    model = keras.models.Sequential(
        [
            keras.layers.Input((784,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, _random(12_800, 784), _labels(12_800, 10)


def mnist_cnn(keras: Any) -> tuple[Any, Any, Any]:
    """Conv 32, conv 64, pool, dense 128 on 1,280 rows of MNIST's shape."""
    model = keras.models.Sequential(
        [
            keras.layers.Input((28, 28, 1)),
            keras.layers.Conv2D(32, (3, 3), activation="relu"),
            keras.layers.Conv2D(64, (3, 3), activation="relu"),
            keras.layers.MaxPooling2D((2, 2)),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, _random(1_280, 28, 28, 1), _labels(1_280, 10)


WORKLOADS = {
    "mlp_small": Workload(mlp_small, 32, 60, {"keras3_tf": 0.1}),
    "mlp_dropout": Workload(mlp_dropout, 128, 400, {}),
    "mnist_mlp": Workload(mnist_mlp, 128, 6, {"fastest": 1.05}),
    "mnist_cnn": Workload(mnist_cnn, 128, 9, {"fastest": 1.05}),
}
