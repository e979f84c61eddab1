"""The same models and data for every framework.

A workload is a function of a framework's ``keras`` module that returns a compiled
model, its data, and the batch size. Code is Keras code that all of them run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ROWS", "WORKLOADS", "Row", "Workload"]


@dataclass(frozen=True)
class Workload:
    """A model with data, and the epochs of a call of ``fit``; a fifth of them is timed.

    For ``warm`` seconds it is trained before: all that is compiled beside is ready then.
    """

    build: Callable[[Any], tuple[Any, Any, Any]]
    batch_size: int
    epochs: int
    warm: float = 6.0


@dataclass(frozen=True)
class Row:
    """A line of the table: what is measured of which workload, and the ratio to reach."""

    measure: str
    workload: str
    at_most: float
    gpu: bool = False

    @property
    def label(self) -> str:
        return f"{self.measure} on the GPU" if self.gpu else self.measure

    @property
    def name(self) -> str:
        return f"{self.label} of {self.workload}"


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


def vgg_like(keras: Any) -> tuple[Any, Any, Any]:
    """Two blocks of two convolutions on 160 pictures of 100x100x3 (manual, 3.1.5)."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Input((100, 100, 3)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.25),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("sgd", loss="categorical_crossentropy")
    return model, _random(160, 100, 100, 3), _labels(160, 10)


def embedding_lstm(keras: Any) -> tuple[Any, Any, Any]:
    """20,000 words, embedding 128, LSTM 128 over 80 steps, on 1,600 reviews."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Input((80,)),
            layers.Embedding(20_000, 128),
            layers.LSTM(128),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    words = np.random.default_rng(0).integers(0, 20_000, (1_600, 80)).astype("float32")
    return model, words, np.random.default_rng(1).integers(0, 2, (1_600, 1)).astype("float32")


def stacked_lstm(keras: Any) -> tuple[Any, Any, Any]:
    """Three LSTM 32 over 8 steps on 1,000 rows (manual, 3.1.5)."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Input((8, 16)),
            layers.LSTM(32, return_sequences=True),
            layers.LSTM(32, return_sequences=True),
            layers.LSTM(32),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, _random(1_000, 8, 16), _labels(1_000, 10)


def shared_lstm(keras: Any) -> tuple[Any, Any, Any]:
    """Two inputs through one LSTM, two outputs, on 1,600 rows (manual, 3.2.4 and 3.2.5)."""
    layers = keras.layers
    first, second = layers.Input((20, 32)), layers.Input((20, 32))
    shared = layers.LSTM(64)
    both = layers.concatenate([shared(first), shared(second)])
    main = layers.Dense(1, activation="sigmoid", name="main")(both)
    side = layers.Dense(10, activation="softmax", name="side")(both)
    model = keras.models.Model(inputs=[first, second], outputs=[main, side])
    model.compile(
        "rmsprop",
        loss={"main": "binary_crossentropy", "side": "categorical_crossentropy"},
        loss_weights={"main": 1.0, "side": 0.2},
    )
    x = [_random(1_600, 20, 32), _random(1_600, 20, 32)]
    y = [np.random.default_rng(1).integers(0, 2, (1_600, 1)).astype("float32"), _labels(1_600, 10)]
    return model, x, y


def resnet50(keras: Any) -> tuple[Any, Any, Any]:
    """ResNet50 on 64 pictures of 64x64x3."""
    model = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=10)
    model.compile("sgd", loss="categorical_crossentropy")
    return model, _random(64, 64, 64, 3), _labels(64, 10)


WORKLOADS = {
    "mlp_dropout": Workload(mlp_dropout, 128, 400),
    "mlp_small": Workload(mlp_small, 32, 60),
    "mnist_mlp": Workload(mnist_mlp, 128, 6),
    "mnist_cnn": Workload(mnist_cnn, 128, 9),
    "vgg_like": Workload(vgg_like, 32, 5),
    "resnet50": Workload(resnet50, 16, 5),
    "embedding_lstm": Workload(embedding_lstm, 32, 8),
    "stacked_lstm": Workload(stacked_lstm, 64, 60, warm=45.0),
    "shared_lstm": Workload(shared_lstm, 32, 15),
}

TRAINING = {
    "mlp_dropout": 0.25,
    "mlp_small": 0.15,
    "mnist_mlp": 1.0,
    "mnist_cnn": 1.0,
    "vgg_like": 1.0,
    "resnet50": 1.0,
    "embedding_lstm": 1.0,
    "stacked_lstm": 0.6,
    "shared_lstm": 0.8,
}

SMALL = ("mlp_dropout", "mlp_small", "stacked_lstm")
"""Where the time between the steps is most of the time."""

ROWS = [
    *(Row("train", workload, at_most) for workload, at_most in TRAINING.items()),
    *(Row("evaluate", workload, 0.5 if workload in SMALL else 1.0) for workload in WORKLOADS),
    Row("predict", "mlp_small", 0.5),
    Row("predict", "embedding_lstm", 1.0),
    Row("predict_one", "mlp_small", 0.4),
    *(Row("first_fit", workload, 1.0) for workload in WORKLOADS),
    Row("train_on_batch", "mlp_small", 0.6),
    Row("user_callback", "mlp_small", 0.8),
    Row("steering_callback", "mlp_small", 0.8),
]
"""What is asked, as a share of the fastest peer's time."""
