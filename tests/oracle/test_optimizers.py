"""100 updates by every optimizer with every option equal those of tf_keras' legacy optimizers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tf_keras.optimizers import legacy

from nbkeras.core import optimizers

STEPS = 100

# name, options as we take them, options of tf_keras where they have other names or defaults
GRID = [
    ("SGD", {"lr": 0.1}, {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}, {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, {}),
    ("SGD", {"lr": 0.1, "nesterov": True}, {}),
    ("RMSprop", {"lr": 0.01}, {}),
    ("RMSprop", {"lr": 0.01, "rho": 0.5, "epsilon": 1e-3}, {}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.7}, {}),
    ("RMSprop", {"lr": 0.01, "centered": True, "epsilon": 1e-4}, {}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.7, "epsilon": 1e-4}, {}),
    ("Adagrad", {"lr": 0.1}, {"initial_accumulator_value": 0.0}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.1, "epsilon": 1e-2}, {}),
    ("Adadelta", {}, {"learning_rate": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "epsilon": 1e-3}, {}),
    ("Adam", {"lr": 0.01}, {}),
    ("Adam", {"lr": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}, {}),
    ("Adam", {"lr": 0.01, "amsgrad": True}, {}),
    ("Adamax", {"lr": 0.01}, {}),
    ("Adamax", {"lr": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}, {}),
    ("Nadam", {"lr": 0.01}, {}),
    ("Nadam", {"lr": 0.01, "beta_1": 0.8, "beta_2": 0.9, "schedule_decay": 0.1}, {}),
]

# What all of them take. Nadam's `decay` means something else in tf_keras.
COMMON = [{"decay": 0.05}, {"clipnorm": 0.5}, {"clipvalue": 0.3}, {"global_clipnorm": 0.7}]

FIRST = {name: (options, theirs) for name, options, theirs in reversed(GRID)}
WITH_COMMON = [
    (name, {**options, **common}, theirs)
    for name, (options, theirs) in FIRST.items()
    for common in COMMON
    if not (name == "Nadam" and "decay" in common)
]


def pair(name: str, options: dict, theirs: dict) -> tuple:
    """Our optimizer and the one of tf_keras."""
    theirs = {**options, **theirs}
    if "lr" in theirs:
        theirs["learning_rate"] = theirs.pop("lr")
    return getattr(optimizers, name)(**options), getattr(legacy, name)(**theirs)


def start(dtype: str) -> list[tf.Variable]:
    rng = np.random.default_rng(1)
    return [
        tf.Variable(rng.normal(size=shape), dtype=dtype, name=name)
        for name, shape in {"kernel": (3, 2), "bias": (2,), "scale": ()}.items()
    ]


def gradients(dtype: str) -> list[list[tf.Tensor]]:
    rng = np.random.default_rng(2)
    shapes = [(3, 2), (2,), ()]
    return [[tf.constant(rng.normal(size=s), dtype) for s in shapes] for _ in range(STEPS)]


def train(optimizer, dtype: str) -> list[np.ndarray]:
    variables = start(dtype)
    for step in gradients(dtype):
        optimizer.apply_gradients(zip(step, variables, strict=True))
    return [v.numpy() for v in variables]


@pytest.mark.parametrize(("name", "options", "theirs"), GRID + WITH_COMMON)
def test_hundred_steps(name: str, options: dict, theirs: dict) -> None:
    ours, expected = pair(name, options, theirs)
    for got, want in zip(train(ours, "float32"), train(expected, "float32"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
    assert int(ours.iterations.numpy()) == STEPS


@pytest.mark.parametrize(("name", "options", "theirs"), GRID)
def test_hundred_steps_in_double_precision(name: str, options: dict, theirs: dict) -> None:
    ours, expected = pair(name, options, theirs)
    for got, want in zip(train(ours, "float64"), train(expected, "float64"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "options", "theirs"), GRID)
def test_state_is_interchanged(name: str, options: dict, theirs: dict) -> None:
    """Their arrays fit ours, in number, order and meaning, and ours theirs."""
    steps = gradients("float32")
    ours, expected = pair(name, options, theirs)
    my_weights, their_weights = start("float32"), start("float32")
    for step in steps[:7]:
        ours.apply_gradients(zip(step, my_weights, strict=True))
        expected.apply_gradients(zip(step, their_weights, strict=True))
    for got, want in zip(ours.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)

    mine, theirs_now = ours.get_weights(), expected.get_weights()
    ours.set_weights(theirs_now)
    expected.set_weights(mine)
    for step in steps[7:14]:
        ours.apply_gradients(zip(step, my_weights, strict=True))
        expected.apply_gradients(zip(step, their_weights, strict=True))
    for got, want in zip(my_weights, their_weights, strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options", "theirs"), GRID)
def test_configuration_is_interchanged(name: str, options: dict, theirs: dict) -> None:
    _, expected = pair(name, options, theirs)
    ours = optimizers.deserialize({"class_name": name, "config": expected.get_config()})
    for got, want in zip(train(ours, "float32"), train(expected, "float32"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
