"""dot and batch_dot against plain loops and NumPy, over shapes that hypothesis invents."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from nbkeras.core import backend as K

sizes = st.integers(1, 4)


def numbers(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@st.composite
def dot_shapes(draw):
    x = draw(st.lists(sizes, min_size=1, max_size=4))
    y = draw(st.lists(sizes, min_size=1, max_size=4))
    y[max(len(y) - 2, 0)] = x[-1]
    return tuple(x), tuple(y)


@given(dot_shapes())
def test_dot_is_numpys(shapes):
    x, y = numbers(shapes[0]), numbers(shapes[1], 1)
    np.testing.assert_allclose(K.dot(x, y), np.dot(x, y), rtol=1e-10, atol=1e-10)
    symbol = K.dot(K.placeholder(shapes[0]), K.placeholder(shapes[1]))
    assert K.int_shape(symbol) == np.dot(x, y).shape


def test_dot_of_a_sparse_matrix():
    dense = np.array([[0.0, 2.0], [3.0, 0.0]], "float32")
    y = numbers((2, 3)).astype("float32")
    np.testing.assert_allclose(K.dot(tf.sparse.from_dense(dense), y), dense @ y, rtol=1e-6)


def test_dot_of_unknown_rank_says_so():
    with pytest.raises(ValueError, match="how many axes"):
        K.dot(
            K.placeholder((2, 3)),
            K.reshape(K.placeholder((6,)), K.placeholder((None,), dtype="int32")),
        )


@st.composite
def batch_dot_arguments(draw):
    x = draw(st.lists(sizes, min_size=2, max_size=4))
    y = draw(st.lists(sizes, min_size=2, max_size=4))
    y[0] = x[0]
    x_axis = draw(st.integers(1, len(x) - 1))
    y_axis = draw(st.integers(1, len(y) - 1))
    y[y_axis] = x[x_axis]
    form = draw(st.sampled_from(["pair", "negative", "list"]))
    axes = {
        "pair": (x_axis, y_axis),
        "negative": (x_axis - len(x), y_axis - len(y)),
        "list": [x_axis, y_axis],
    }[form]
    return tuple(x), tuple(y), axes


def batch_dot_loops(x, y, x_axis, y_axis):
    """The definition: every sample, every kept index of x, every kept index of y."""
    x, y = np.moveaxis(x, x_axis, -1), np.moveaxis(y, y_axis, -1)
    result = np.zeros((*x.shape[:-1], *y.shape[1:-1]))
    for n in range(x.shape[0]):
        for i in itertools.product(*(range(size) for size in x.shape[1:-1])):
            for j in itertools.product(*(range(size) for size in y.shape[1:-1])):
                for k in range(x.shape[-1]):
                    result[(n, *i, *j)] += x[(n, *i, k)] * y[(n, *j, k)]
    return result if result.ndim > 1 else result[:, None]


@given(batch_dot_arguments())
def test_batch_dot_equals_plain_loops(arguments):
    x_shape, y_shape, axes = arguments
    x, y = numbers(x_shape), numbers(y_shape, 1)
    expected = batch_dot_loops(x, y, axes[0] % x.ndim, axes[1] % y.ndim)
    np.testing.assert_allclose(K.batch_dot(x, y, axes), expected, rtol=1e-10, atol=1e-10)
    symbols = K.placeholder((None, *x_shape[1:])), K.placeholder((None, *y_shape[1:]))
    assert K.int_shape(K.batch_dot(*symbols, axes)) == (None, *expected.shape[1:])


@pytest.mark.parametrize(
    ("x_shape", "y_shape", "axes"),
    [
        ((3, 4), (3, 4), (1, 1)),
        ((3, 2, 4), (3, 4, 5), (2, 1)),
        ((3, 2, 4), (3, 4), (2, 1)),
        ((3, 4), (3, 4, 5), (1, 1)),
        ((3, 2, 4), (3, 5, 4, 2), (2, 2)),
    ],
)
def test_batch_dot_without_axes(x_shape, y_shape, axes):
    x, y = numbers(x_shape), numbers(y_shape, 1)
    expected = batch_dot_loops(x, y, *axes)
    np.testing.assert_allclose(K.batch_dot(x, y), expected, rtol=1e-10, atol=1e-10)


def test_the_manuals_examples():
    assert K.int_shape(K.batch_dot(K.ones((32, 20, 1)), K.ones((32, 30, 20)), axes=[1, 2])) == (
        32,
        1,
        30,
    )
    assert K.int_shape(K.batch_dot(K.ones((100, 20)), K.ones((100, 30, 20)), (1, 2))) == (100, 30)
    assert K.int_shape(K.dot(K.random_uniform_variable((2, 3), 0, 1), K.ones((4, 3, 5)))) == (
        2,
        4,
        5,
    )


@pytest.mark.parametrize(
    ("x_shape", "y_shape", "axes", "message"),
    [
        ((3,), (3, 4), None, "two or more axes"),
        ((3, 4), (3, 5), 1, "sizes 4 and 5"),
        ((3, 4), (2, 4), 1, "sizes 3 and 2"),
        ((3, 4), (3, 4), (0, 1), "batch axis 0"),
        ((3, 4), (3, 4), (1, 2), "not among them"),
        ((3, 4), (3, 4), ([1], [1]), "one number or two"),
    ],
)
def test_batch_dot_of_what_does_not_fit(x_shape, y_shape, axes, message):
    with pytest.raises(ValueError, match=message):
        K.batch_dot(np.zeros(x_shape), np.zeros(y_shape), axes)
