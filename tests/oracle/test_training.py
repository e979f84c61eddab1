"""Training step by step equals tf_keras: the same weights, the same batches, no shuffling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras

from nbkeras import core as keras

RNG = np.random.default_rng(7)
X = RNG.normal(size=(50, 12)).astype("float32")
LABELS = RNG.integers(0, 4, 50)
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
REAL = RNG.normal(size=(50, 4)).astype("float32")
WEIGHTS = RNG.uniform(0.1, 2, 50).astype("float32")


def mlp(lib: Any, units: int = 4, activation: str = "softmax") -> Any:
    layers = lib.layers
    return lib.models.Sequential(
        [
            layers.Dense(8, activation="relu", input_shape=(12,)),
            layers.Dense(8, activation="tanh", kernel_regularizer="l2"),
            layers.Dense(units, activation=activation),
        ]
    )


def two_heads(lib: Any) -> Any:
    """A shared layer, two inputs, two outputs (manual, 3.2.4 and 3.2.5 in small)."""
    layers = lib.layers
    first, second = layers.Input((12,), name="first"), layers.Input((12,), name="second")
    shared = layers.Dense(6, activation="tanh")
    a, b = shared(first), shared(second)
    labels = layers.Dense(4, activation="softmax", name="labels")(a)
    values = layers.Dense(4, name="values")(shared_again(layers, a, b))
    return lib.models.Model(inputs=[first, second], outputs=[labels, values])


def shared_again(layers: Any, a: Any, b: Any) -> Any:
    twice = layers.Dense(6)
    return twice(layers.Activation("relu")(twice(layers.Activation("tanh")(b))))


def optimizer(lib: Any, name: str) -> Any:
    # tf_keras' "legacy" optimizers are those with Keras 2's formulas.
    home = lib.optimizers.legacy if lib is tf_keras else lib.optimizers
    return getattr(home, name)()


LOSSES = [
    ("categorical_crossentropy", ONE_HOT, "softmax"),
    ("sparse_categorical_crossentropy", LABELS, "softmax"),
    ("binary_crossentropy", ONE_HOT, "sigmoid"),
    ("mse", REAL, "linear"),
    ("mean_absolute_error", REAL, "linear"),
]


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
@pytest.mark.parametrize(("loss", "y", "activation"), LOSSES)
def test_fit_equals_tf_keras(loss: str, y: Any, activation: str, name: str) -> None:
    ours, theirs = mlp(keras, activation=activation), mlp(tf_keras, activation=activation)
    ours.set_weights(theirs.get_weights())
    ours.compile(optimizer(keras, name), loss, metrics=["accuracy"])
    # Keras 2 takes binary crossentropy for a sign of binary labels; tf_keras looks at shapes.
    accuracy = "binary_accuracy" if loss == "binary_crossentropy" else "accuracy"
    theirs.compile(optimizer(tf_keras, name), loss, metrics=[accuracy])
    a = ours.fit(X, y, batch_size=16, epochs=6, shuffle=False, verbose=0)
    b = theirs.fit(X, y, batch_size=16, epochs=6, shuffle=False, verbose=0)
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(a.history["accuracy"], b.history[accuracy], atol=1e-6)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.evaluate(X, y), theirs.evaluate(X, y, verbose=0), rtol=1e-4)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X, verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("loss", "y", "activation"), LOSSES[:3])
def test_probabilities_at_their_ends_are_trained_as_tf_keras_does(
    loss: str, y: Any, activation: str
) -> None:
    """Far beyond the epsilon at which probabilities are cut where only they are known."""
    ours, theirs = mlp(keras, activation=activation), mlp(tf_keras, activation=activation)
    far = [40 * weight for weight in theirs.get_weights()]
    for lib, model in ((keras, ours), (tf_keras, theirs)):
        model.set_weights(far)
        model.compile(optimizer(lib, "SGD"), loss)
    a, b = (
        model.fit(X, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
        for model in (ours, theirs)
    )
    assert b.history["loss"][0] > 20
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=2e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_two_inputs_two_outputs_and_a_shared_layer() -> None:
    ours, theirs = two_heads(keras), two_heads(tf_keras)
    ours.set_weights(theirs.get_weights())
    for model, lib in ((ours, keras), (theirs, tf_keras)):
        model.compile(
            optimizer(lib, "Adam"),
            loss={"labels": "categorical_crossentropy", "values": "mse"},
            loss_weights={"labels": 1.0, "values": 0.3},
            metrics={"labels": "accuracy", "values": ["mae"]},
        )
    data = ({"first": X, "second": X[::-1]}, {"labels": ONE_HOT, "values": REAL})
    a = ours.fit(*data, batch_size=10, epochs=4, shuffle=False, verbose=0)
    b = theirs.fit(*data, batch_size=10, epochs=4, shuffle=False, verbose=0)
    for name in ("loss", "labels_loss", "values_loss", "labels_accuracy"):
        np.testing.assert_allclose(a.history[name], b.history[name], rtol=1e-5, atol=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"sample_weight": WEIGHTS},
        {"class_weight": {0: 1.0, 1: 0.5, 2: 2.0, 3: 3.0}},
        {"sample_weight": WEIGHTS, "class_weight": {0: 1.0, 1: 0.5, 2: 2.0, 3: 3.0}},
    ],
    ids=["rows", "classes", "both"],
)
def test_weights_of_rows_and_classes(options: dict[str, Any]) -> None:
    ours, theirs = mlp(keras), mlp(tf_keras)
    ours.set_weights(theirs.get_weights())
    ours.compile(optimizer(keras, "SGD"), "categorical_crossentropy")
    theirs.compile(optimizer(tf_keras, "SGD"), "categorical_crossentropy")
    a = ours.fit(X, ONE_HOT, batch_size=10, epochs=3, shuffle=False, verbose=0, **options)
    b = theirs.fit(X, ONE_HOT, batch_size=10, epochs=3, shuffle=False, verbose=0, **options)
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-5)


def test_on_batch_methods() -> None:
    ours, theirs = mlp(keras), mlp(tf_keras)
    ours.set_weights(theirs.get_weights())
    ours.compile(optimizer(keras, "Adam"), "categorical_crossentropy", metrics=["accuracy"])
    theirs.compile(optimizer(tf_keras, "Adam"), "categorical_crossentropy", metrics=["accuracy"])
    for start in range(0, 40, 10):
        rows = slice(start, start + 10)
        np.testing.assert_allclose(
            ours.train_on_batch(X[rows], ONE_HOT[rows]),
            theirs.train_on_batch(X[rows], ONE_HOT[rows]),
            rtol=1e-5,
        )
    np.testing.assert_allclose(
        ours.test_on_batch(X, ONE_HOT), theirs.test_on_batch(X, ONE_HOT), rtol=1e-5
    )
    np.testing.assert_allclose(ours.predict_on_batch(X), theirs.predict_on_batch(X), rtol=1e-5)


def test_validation_equals_tf_keras() -> None:
    ours, theirs = mlp(keras), mlp(tf_keras)
    ours.set_weights(theirs.get_weights())
    ours.compile(optimizer(keras, "SGD"), "categorical_crossentropy", metrics=["accuracy"])
    theirs.compile(optimizer(tf_keras, "SGD"), "categorical_crossentropy", metrics=["accuracy"])
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    a = ours.fit(X, ONE_HOT, validation_split=0.3, **options)
    b = theirs.fit(X, ONE_HOT, validation_split=0.3, **options)
    for name in ("loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(a.history[name], b.history[name], rtol=1e-5, atol=1e-6)
