"""The formulas of the Keras 2 manual, written again as plain loops in NumPy."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import optimizers

STEPS = 20
EPS = 1e-7


def sgd(p, gradients, lr, momentum=0.0, nesterov=False):
    v = np.zeros_like(p)
    for t, g in enumerate(gradients):
        v = momentum * v - lr(t) * g
        p = p + (momentum * v - lr(t) * g if nesterov else v)
    return p


def rmsprop(p, gradients, lr, rho=0.9, epsilon=EPS):
    a = np.zeros_like(p)
    for t, g in enumerate(gradients):
        a = rho * a + (1 - rho) * g**2
        p = p - lr(t) * g / (np.sqrt(a) + epsilon)
    return p


def adagrad(p, gradients, lr, epsilon=EPS):
    a = np.zeros_like(p)
    for t, g in enumerate(gradients):
        a = a + g**2
        p = p - lr(t) * g / (np.sqrt(a) + epsilon)
    return p


def adadelta(p, gradients, lr, rho=0.95, epsilon=EPS):
    a, d = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients):
        a = rho * a + (1 - rho) * g**2
        u = g * np.sqrt(d + epsilon) / np.sqrt(a + epsilon)
        p = p - lr(t) * u
        d = rho * d + (1 - rho) * u**2
    return p


def adam(p, gradients, lr, beta_1=0.9, beta_2=0.999, epsilon=EPS, amsgrad=False):
    m, v, largest = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        largest = np.maximum(largest, v) if amsgrad else v
        rate = lr(t) * np.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
        p = p - rate * m / (np.sqrt(largest) + epsilon)
    return p


def adamax(p, gradients, lr, beta_1=0.9, beta_2=0.999, epsilon=EPS):
    m, u = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients):
        m = beta_1 * m + (1 - beta_1) * g
        u = np.maximum(beta_2 * u, np.abs(g))
        p = p - lr(t) / (1 - beta_1 ** (t + 1)) * m / (u + epsilon)
    return p


def nadam(p, gradients, lr, beta_1=0.9, beta_2=0.999, epsilon=EPS, schedule_decay=0.004):
    m, v, product = np.zeros_like(p), np.zeros_like(p), 1.0
    for i, g in enumerate(gradients):
        t = i + 1
        now = beta_1 * (1 - 0.5 * 0.96 ** (t * schedule_decay))
        then = beta_1 * (1 - 0.5 * 0.96 ** ((t + 1) * schedule_decay))
        product = product * now
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        ahead = (1 - now) * g / (1 - product) + then * m / (1 - product * then)
        p = p - lr(i) * ahead / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
    return p


CASES = [
    ("SGD", sgd, {}, 0.01),
    ("SGD", sgd, {"momentum": 0.9}, 0.01),
    ("SGD", sgd, {"momentum": 0.9, "nesterov": True}, 0.01),
    ("RMSprop", rmsprop, {}, 0.001),
    ("RMSprop", rmsprop, {"rho": 0.5, "epsilon": 0.1}, 0.001),
    ("Adagrad", adagrad, {"epsilon": 0.1}, 0.01),
    ("Adadelta", adadelta, {}, 1.0),
    ("Adadelta", adadelta, {"rho": 0.5, "epsilon": 0.1}, 1.0),
    ("Adam", adam, {}, 0.001),
    ("Adam", adam, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}, 0.001),
    ("Adam", adam, {"amsgrad": True, "beta_2": 0.5}, 0.001),
    ("Adamax", adamax, {"epsilon": 0.1}, 0.002),
    ("Nadam", nadam, {"epsilon": 0.1}, 0.002),
    ("Nadam", nadam, {"beta_1": 0.5, "schedule_decay": 0.5}, 0.002),
]


@pytest.fixture(params=[False, True], ids=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models below and above the size from which on Adam's kernel is used."""
    module = importlib.import_module("nbkeras.core.optimizers.adam")
    monkeypatch.setattr(module, "KERNEL_WORTH", 0 if request.param else 2**16)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("name", "formula", "options", "lr", "decay"),
    # Nadam has no decay in the manual.
    [(*case, d) for case in CASES for d in (0.0, 0.1) if not (case[0] == "Nadam" and d)],
)
def test_formula_with_the_documented_learning_rate(
    name: str, formula, options: dict, lr: float, decay: float
) -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 2))
    gradients = rng.normal(size=(STEPS, 3, 2))
    w = tf.Variable(start)
    optimizer = getattr(optimizers, name)(**options, **({"decay": decay} if decay else {}))
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [w])
    expected = formula(start, gradients, lambda t: lr / (1 + decay * t), **options)
    # Hyperparameters are kept in single precision.
    np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6, atol=1e-6)
    assert np.abs(w.numpy() - start).max() > 1e-4
