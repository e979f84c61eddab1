"""Products in fewer bits: rounded factors, the sum and everything else in float32."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.backend.precision import TYPES, computing_in

RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return RANDOM.normal(size=shape).astype("float32")


PRODUCTS = {
    "dot": (K.dot, numbers(4, 5), numbers(5, 3)),
    "dot of three axes": (K.dot, numbers(2, 4, 5), numbers(5, 3)),
    "batch_dot": (K.batch_dot, numbers(3, 2, 5), numbers(3, 5, 4)),
    "conv1d": (K.conv1d, numbers(2, 7, 3), numbers(3, 3, 4)),
    "conv2d": (K.conv2d, numbers(2, 5, 5, 3), numbers(3, 3, 3, 4)),
    "conv3d": (K.conv3d, numbers(1, 4, 4, 4, 2), numbers(2, 2, 2, 2, 3)),
    "conv2d_transpose": (
        lambda x, kernel: K.conv2d_transpose(x, kernel, (2, 6, 6, 4), (2, 2)),
        numbers(2, 3, 3, 3),
        numbers(2, 2, 4, 3),
    ),
    "depthwise_conv2d": (K.depthwise_conv2d, numbers(1, 5, 5, 3), numbers(3, 3, 3, 2)),
    "separable_conv2d": (
        K.separable_conv2d,
        numbers(1, 5, 5, 3),
        numbers(3, 3, 3, 2),
        numbers(1, 1, 6, 4),
    ),
    "local_conv1d": (
        lambda x, kernel: K.local_conv1d(x, kernel, (3,), (1,)),
        numbers(2, 5, 3),
        numbers(3, 9, 4),
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("dtype", TYPES)
def test_product_is_rounded_and_comes_back_in_float32(name, dtype):
    function, *factors = PRODUCTS[name]
    exact = function(*factors).numpy()
    with computing_in(dtype):
        rounded = function(*factors)
    assert rounded.dtype == tf.float32
    epsilon = {"float16": 2.0**-11, "bfloat16": 2.0**-8}[dtype]
    size = function(*map(np.abs, factors)).numpy()
    # Factors and product are rounded, each by at most epsilon of itself.
    assert np.all(np.abs(rounded - exact) <= 4 * len(factors) * epsilon * size + 1e-6)
    assert not np.array_equal(rounded, exact)


def test_outside_nothing_is_rounded():
    with computing_in("bfloat16"):
        pass
    assert K.dot([[1.0]], [[1.001]]).numpy() == np.float32(1.001)


def test_other_types_and_sparse_factors_are_left_alone():
    x = tf.constant([[1.001]], tf.float64)
    with computing_in("bfloat16"):
        assert K.dot(x, x).dtype == tf.float64
        assert K.dot(tf.sparse.from_dense(tf.constant([[1.001]])), tf.ones((1, 1))).numpy() == (
            np.float32(1.001)
        )


def test_gradients_are_float32():
    x = tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape, computing_in("float16"):
        y = tf.reduce_sum(K.dot(x, tf.ones((2, 2))))
    gradient = tape.gradient(y, x)
    assert gradient.dtype == tf.float32
    np.testing.assert_array_equal(gradient, [[2.0, 2.0]])
