"""Arithmetic against NumPy, over shapes and axes that hypothesis invents."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, broadcastable_shapes, mutually_broadcastable_shapes

from nbkeras.core import backend as K

REDUCTIONS = {
    "sum": np.sum,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
    "logsumexp": scipy.special.logsumexp,
    "any": np.any,
    "all": np.all,
}


@pytest.mark.parametrize("name", REDUCTIONS)
@given(st.data())
def test_reductions(name, data):
    shape = data.draw(array_shapes(min_dims=1, max_dims=4, max_side=4))
    axes = data.draw(
        st.none() | st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple)
    )
    if axes is not None and len(axes) == 1 and data.draw(st.booleans()):
        axes = axes[0] - data.draw(st.sampled_from([0, len(shape)]))
    keepdims = data.draw(st.booleans())
    x = np.random.default_rng(0).normal(size=shape)
    if name in ("any", "all"):
        x = x > 0.5
    expected = REDUCTIONS[name](x, axis=axes, keepdims=keepdims)
    result = getattr(K, name)(x, axis=axes, keepdims=keepdims)
    np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)
    symbol = K.placeholder(shape, dtype=x.dtype.name)
    assert K.int_shape(getattr(K, name)(symbol, axes, keepdims)) == np.shape(expected)


@pytest.mark.parametrize(
    "name", ["equal", "not_equal", "greater", "greater_equal", "less", "less_equal"]
)
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_comparisons_broadcast(name, shapes):
    generator = np.random.default_rng(0)
    x, y = (generator.integers(0, 3, shape) for shape in shapes.input_shapes)
    result = getattr(K, name)(x, y)
    assert result.dtype == "bool"
    np.testing.assert_array_equal(result, getattr(np, name)(x, y))


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_extremes_broadcast(name, shapes):
    generator = np.random.default_rng(0)
    x, y = (generator.normal(size=shape) for shape in shapes.input_shapes)
    np.testing.assert_array_equal(getattr(K, name)(x, y), getattr(np, name)(x, y))


@pytest.mark.parametrize("name", ["abs", "square", "exp", "sign", "sin", "cos", "round"])
@given(array_shapes(min_dims=0, max_dims=3, max_side=3))
def test_element_by_element(name, shape):
    x = np.random.default_rng(0).normal(size=shape) * 2
    np.testing.assert_allclose(getattr(K, name)(x), getattr(np, name)(x), rtol=1e-12)


def test_round_half_to_even():
    np.testing.assert_array_equal(K.round([-1.5, -0.5, 0.5, 1.5, 2.5]), [-2, 0, 0, 2, 2])


def test_roots_of_negative_numbers_are_zero():
    np.testing.assert_array_equal(K.sqrt([-1.0, 0.0, 4.0]), [0, 0, 2])


@given(array_shapes(min_dims=1, max_dims=3, max_side=4), st.data())
def test_cumulative(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(K.cumsum(x, axis), np.cumsum(x, axis), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(K.cumprod(x, axis), np.cumprod(x, axis), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(K.argmax(x, axis), np.argmax(x, axis))
    np.testing.assert_array_equal(K.argmin(x, axis), np.argmin(x, axis))


@given(array_shapes(min_dims=1, max_dims=3, max_side=4), st.data())
def test_clip_between_tensors(shape, data):
    low = np.random.default_rng(1).uniform(
        -1, 0, data.draw(broadcastable_shapes(shape, max_dims=len(shape), max_side=1))
    )
    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_array_equal(K.clip(x, low, 0.5), np.clip(x, low, 0.5))


def test_clip_with_open_or_crossed_ends():
    x = np.array([-2.0, 0.0, 2.0])
    np.testing.assert_array_equal(K.clip(x, None, 1.0), [-2, 0, 1])
    np.testing.assert_array_equal(K.clip(x, -1.0, None), [-1, 0, 2])
    np.testing.assert_array_equal(K.clip(x, None, None), x)
    np.testing.assert_array_equal(K.clip(x, 1.0, -1.0), [1, 1, 1])
    np.testing.assert_array_equal(K.clip(np.array([-5, 5]), 0, 3), [0, 3])


def test_shares_of_booleans():
    x = np.array([[True, False], [True, True]])
    assert K.mean(x).dtype == "float32"
    assert float(K.mean(x)) == 0.75
    assert float(K.var(x)) == pytest.approx(0.1875)
    np.testing.assert_array_equal(K.any(np.array([[0, 2], [0, 0]]), axis=1), [True, False])


def test_logsumexp_of_large_numbers():
    np.testing.assert_allclose(K.logsumexp([1e4, 1e4]), 1e4 + np.log(2), rtol=1e-6)
    assert float(K.logsumexp(tf.constant([-np.inf, 0.0]))) == 0.0
