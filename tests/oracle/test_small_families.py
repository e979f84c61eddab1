"""Activations, initializers, regularizers, constraints: values and configurations of tf_keras."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from nbkeras.core import activations, constraints, initializers, optimizers, regularizers

W = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32") * 3

INITIALIZERS = [
    ("Zeros", {}),
    ("Ones", {}),
    ("Constant", {"value": 3}),
    ("Identity", {"gain": 2.0}),
    ("RandomNormal", {"stddev": 0.2, "seed": 3}),
    ("RandomUniform", {"minval": -1, "seed": 3}),
    ("TruncatedNormal", {"mean": 1.0, "seed": 3}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": 3}),
    ("VarianceScaling", {"distribution": "truncated_normal", "seed": 3}),
    ("VarianceScaling", {"distribution": "untruncated_normal", "seed": 3}),
    ("Orthogonal", {"gain": 2.0, "seed": 3}),
    *((name, {"seed": 3}) for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal")),
    *((name, {"seed": 3}) for name in ("LecunUniform", "LecunNormal")),
]


@pytest.mark.parametrize("legacy_format", [False, True])
@pytest.mark.parametrize(("name", "options"), INITIALIZERS)
def test_initializer(name: str, options: dict, legacy_format: bool) -> None:
    """Through either file format an initializer comes back with its distribution."""
    theirs = getattr(tf_keras.initializers, name)(**options)
    config = tf_keras.initializers.serialize(theirs, use_legacy_format=legacy_format)
    ours = initializers.deserialize(config)
    back = tf_keras.initializers.deserialize(initializers.serialize(ours), use_legacy_format=True)
    shape = (60, 60)
    want = np.sort(theirs(shape).numpy().ravel())
    for values in (ours(shape).numpy(), back(shape).numpy()):
        got = np.sort(values.ravel())
        spread = max(float(want.std()), 1e-6)
        assert abs(got.mean() - want.mean()) < 0.1 * spread + 1e-6
        assert got.std() == pytest.approx(want.std(), rel=0.05, abs=1e-6)
        assert got[[0, -1]] == pytest.approx(want[[0, -1]], abs=1.5 * spread + 1e-6)


@pytest.mark.parametrize(
    ("module", "theirs"),
    [
        (regularizers, tf_keras.regularizers.L1(0.1)),
        (regularizers, tf_keras.regularizers.L2(0.1)),
        (regularizers, tf_keras.regularizers.L1L2(0.1, 0.2)),
        (constraints, tf_keras.constraints.MaxNorm(1.5, axis=[0, 1, 2])),
        (constraints, tf_keras.constraints.MinMaxNorm(1.0, 2.0, 0.5, axis=1)),
        (constraints, tf_keras.constraints.UnitNorm(axis=0)),
        (constraints, tf_keras.constraints.NonNeg()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_functions_of_a_weight(module, theirs) -> None:
    family = getattr(tf_keras, module.__name__.rpartition(".")[2])
    ours = module.deserialize(family.serialize(theirs, use_legacy_format=True))
    back = family.deserialize(module.serialize(ours), use_legacy_format=True)
    want = theirs(tf.constant(W)).numpy()
    np.testing.assert_allclose(ours(W).numpy(), want, rtol=1e-5)
    np.testing.assert_allclose(back(tf.constant(W)).numpy(), want, rtol=1e-5)


@pytest.mark.parametrize(
    "name",
    [name for name in activations.__all__ if name not in ("get", "serialize", "deserialize")],
)
def test_activation(name: str) -> None:
    x = tf.Variable(W)
    got = []
    for function in (activations.get(name), tf_keras.activations.get(name)):
        with tf.GradientTape() as tape:
            y = function(x)
        got.append((y.numpy(), tape.gradient(y, x).numpy()))
    for mine, theirs in zip(*got, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"]
)
def test_tf_keras_reads_our_optimizers(name: str) -> None:
    config = optimizers.serialize(getattr(optimizers, name)(lr=0.03))
    theirs = tf_keras.optimizers.deserialize(config)
    assert type(theirs).__name__ == name
    assert float(theirs.learning_rate.numpy()) == pytest.approx(0.03)
