"""Activations: values against NumPy and SciPy, symbolic tensors, names, errors."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from nbkeras.core import activations, registry
from nbkeras.core import backend as K

X = np.random.default_rng(0).normal(size=(4, 6)) * 4
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805

FORMULAS = [
    ("softmax", {}, lambda x: special.softmax(x, axis=-1)),
    ("softmax", {"axis": 0}, lambda x: special.softmax(x, axis=0)),
    ("elu", {}, lambda x: np.where(x > 0, x, np.expm1(x))),
    ("elu", {"alpha": 0.3}, lambda x: np.where(x > 0, x, 0.3 * np.expm1(x))),
    ("selu", {}, lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(x))),
    ("softplus", {}, lambda x: np.logaddexp(0, x)),
    ("softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("relu", {}, lambda x: np.maximum(x, 0)),
    ("relu", {"alpha": 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
    ("relu", {"max_value": 2.0}, lambda x: np.clip(x, 0, 2)),
    (
        "relu",
        {"alpha": 0.1, "max_value": 2.0},
        lambda x: np.clip(np.where(x > 0, x, x / 10), None, 2),
    ),
    ("relu", {"threshold": 1.5}, lambda x: np.where(x >= 1.5, x, 0)),
    ("tanh", {}, np.tanh),
    ("sigmoid", {}, special.expit),
    ("hard_sigmoid", {}, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    ("exponential", {}, np.exp),
    ("linear", {}, lambda x: x),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("name", "options", "formula"), FORMULAS)
def test_values(name: str, options: dict, formula, dtype: str) -> None:
    x = X.astype(dtype)
    y = getattr(activations, name)(tf.constant(x), **options)
    assert y.dtype == dtype
    tolerance = 5e-3 if dtype == "float16" else 1e-5
    expected = formula(x.astype("float64"))
    np.testing.assert_allclose(y.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "options", "formula"), FORMULAS)
def test_symbolic(name: str, options: dict, formula) -> None:
    x = K.placeholder((None, 6))
    y = getattr(activations, name)(x, **options)
    assert tuple(y.shape) == (None, 6)
    value = K.function([x], [y])([X.astype("float32")])[0]
    np.testing.assert_allclose(value, formula(X), rtol=1e-5, atol=1e-5)


def test_softmax_of_images_and_of_a_vector() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype("float32")
    for axis in (1, 2, -1):
        y = activations.softmax(tf.constant(x), axis=axis)
        np.testing.assert_allclose(y.numpy(), special.softmax(x, axis=axis), rtol=1e-5)
    with pytest.raises(ValueError, match="expand_dims"):
        activations.softmax(tf.constant([1.0, 2.0]))


def test_names_and_configuration() -> None:
    for name in sorted({name for name, _, _ in FORMULAS}):
        function = activations.get(name)
        assert function is getattr(activations, name)
        assert activations.get(function) is function
        assert activations.serialize(function) == name
        assert activations.deserialize(name) is function
    assert activations.get(None) is activations.linear


def test_own_functions() -> None:
    def cube(x):
        return x**3

    assert activations.get(cube) is cube
    with registry.CustomObjectScope({"cube": cube}):
        assert activations.get("cube") is cube
    assert activations.deserialize("cube", {"cube": cube}) is cube


@pytest.mark.parametrize(
    "name", ["LeakyReLU", "leaky_relu", "PReLU", "prelu", "ELU", "ThresholdedReLU"]
)
def test_layers_are_named_as_such(name: str) -> None:
    with pytest.raises(ValueError, match=r"is a layer.*Dense\(64\), then \w+\(\)"):
        activations.get(name)


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match="Did you mean 'softmax'"):
        activations.get("sotfmax")
    with pytest.raises(ValueError, match="got 7"):
        activations.get(7)
