"""Constraints: values against NumPy, axes, names."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import constraints

W = 3 * np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32")
EPS = 1e-7
AXES = [0, 1, -1, [0, 1, 2]]


def norms(axis) -> np.ndarray:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.sqrt(np.sum(W**2, axis=axis, keepdims=True))


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_norms(axis) -> None:
    n = norms(axis)
    cases = [
        (constraints.MaxNorm(2.5, axis), W * np.clip(n, 0, 2.5) / (EPS + n)),
        (constraints.UnitNorm(axis), W / (EPS + n)),
        (constraints.MinMaxNorm(2.0, 4.0, 1.0, axis), W * np.clip(n, 2, 4) / (EPS + n)),
        (
            constraints.MinMaxNorm(2.0, 4.0, 0.3, axis),
            W * (0.3 * np.clip(n, 2, 4) + 0.7 * n) / (EPS + n),
        ),
    ]
    for constraint, expected in cases:
        np.testing.assert_allclose(constraint(W).numpy(), expected, rtol=1e-5)
        again = constraints.deserialize(constraints.serialize(constraint))
        np.testing.assert_allclose(again(W).numpy(), expected, rtol=1e-5)


def test_non_neg() -> None:
    np.testing.assert_array_equal(constraints.NonNeg()(W).numpy(), np.maximum(W, 0))


@pytest.mark.parametrize(
    "constraint", [constraints.max_norm(), constraints.unit_norm(), constraints.min_max_norm()]
)
def test_zeros_stay_zeros(constraint) -> None:
    np.testing.assert_array_equal(constraint(np.zeros((3, 2), "float32")).numpy(), 0)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_dtype_stays(dtype: str) -> None:
    w = tf.constant(W, dtype)
    for name in ("max_norm", "non_neg", "unit_norm", "min_max_norm"):
        assert constraints.get(name)(w).dtype == dtype


def test_symbolic() -> None:
    x = K.placeholder((2, 1))
    y = constraints.unit_norm()(x)
    value = K.function([x], [y])([np.array([[3.0], [4.0]])])[0]
    np.testing.assert_allclose(value, [[0.6], [0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    ("names", "config"),
    [
        ("MaxNorm max_norm maxnorm", {"max_value": 2, "axis": 0}),
        ("NonNeg non_neg nonneg", {}),
        ("UnitNorm unit_norm unitnorm", {"axis": 0}),
        (
            "MinMaxNorm min_max_norm",
            {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
        ),
    ],
)
def test_names_and_documented_defaults(names: str, config: dict) -> None:
    for name in names.split():
        assert constraints.get(name).get_config() == config
        assert getattr(constraints, name)().get_config() == config


def test_get() -> None:
    def halved(w):
        return w / 2

    assert constraints.get(halved) is halved
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="Did you mean 'max_norm'"):
        constraints.get("max_nrm")
