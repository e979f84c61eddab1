"""Regularizers: penalties, gradients, names, errors."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import regularizers

W = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("regularizer", "l1", "l2"),
    [
        (regularizers.l1(0.3), 0.3, 0.0),
        (regularizers.l2(0.2), 0.0, 0.2),
        (regularizers.l1_l2(0.3, 0.2), 0.3, 0.2),
        (regularizers.L1L2(), 0.0, 0.0),
        (regularizers.l1(), 0.01, 0.0),
        (regularizers.l2(), 0.0, 0.01),
        (regularizers.l1_l2(), 0.01, 0.01),
        (regularizers.L1(0.5), 0.5, 0.0),
        (regularizers.L2(0.5), 0.0, 0.5),
    ],
)
def test_penalty_and_gradient(regularizer, l1: float, l2: float, dtype: str) -> None:
    w = tf.Variable(W, dtype=dtype)
    with tf.GradientTape() as tape:
        penalty = regularizer(w)
    assert penalty.dtype == dtype
    tolerance = 1e-2 if dtype == "float16" else 1e-5
    expected = l1 * np.abs(W).sum() + l2 * np.square(W).sum()
    np.testing.assert_allclose(penalty.numpy(), expected, rtol=tolerance)
    gradient = tape.gradient(penalty, w)
    if gradient is not None:
        np.testing.assert_allclose(gradient.numpy(), l1 * np.sign(W) + 2 * l2 * W, rtol=tolerance)


def test_symbolic() -> None:
    x = K.placeholder((2, 3))
    penalty = regularizers.l2(0.5)(x)
    assert penalty.shape == ()
    value = K.function([x], [penalty])([np.ones((2, 3))])[0]
    assert float(value) == 3.0


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2", "L1L2", "l1l2", "L1", "L2"])
def test_names_and_configuration(name: str) -> None:
    regularizer = regularizers.get(name)
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    np.testing.assert_allclose(again(W).numpy(), regularizer(W).numpy())


def test_keras_2_saves_l1_and_l2_as_one_class() -> None:
    config = {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.1}}
    assert regularizers.serialize(regularizers.l2(0.1)) == config


def test_get() -> None:
    def largest(w):
        return K.max(K.abs(w))

    assert regularizers.get(largest) is largest
    assert regularizers.get(None) is None
    assert regularizers.get(regularizers.l1).l1 == 0.01
    with pytest.raises(ValueError, match="Did you mean 'l1_l2'"):
        regularizers.get("l1_l2_")
    with pytest.raises(ValueError, match="0 or more"):
        regularizers.l2(-1)
    with pytest.raises(ValueError, match="0 or more"):
        regularizers.l1("much")
