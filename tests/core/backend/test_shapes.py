"""Shape functions against NumPy, over shapes that hypothesis invents."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis.extra.numpy import array_shapes

from nbkeras.core import backend as K

shapes = array_shapes(min_dims=1, max_dims=4, max_side=4)
matrices = array_shapes(min_dims=2, max_dims=4, max_side=4)


def numbered(shape):
    return np.arange(np.prod(shape)).reshape(shape).astype("float32")


def check(function, x, expected, *, batch=True):
    """Equal values now and recorded, and a static shape that knows all but the batch."""
    np.testing.assert_array_equal(function(x), expected)
    known = K.int_shape(function(K.placeholder(x.shape)))
    assert known == expected.shape
    if batch:
        symbol = K.placeholder((None, *x.shape[1:]))
        result = function(symbol)
        for size, value in zip(K.int_shape(result), expected.shape, strict=True):
            assert size in (None, value)
        np.testing.assert_array_equal(K.function([symbol], [result])([x])[0], expected)


@given(shapes, st.data())
def test_permute_dimensions(shape, data):
    order = data.draw(st.permutations(range(len(shape))))
    x = numbered(shape)
    check(lambda x: K.permute_dimensions(x, order), x, np.transpose(x, order))


@given(shapes)
def test_transpose(shape):
    check(K.transpose, numbered(shape), numbered(shape).T)


@given(shapes, st.data())
def test_reshape(shape, data):
    x = numbered(shape)
    order = data.draw(st.permutations(shape))
    free = data.draw(st.integers(0, len(order) - 1))
    target = tuple(-1 if i == free else size for i, size in enumerate(order))
    check(lambda x: K.reshape(x, target), x, x.reshape(order))


@given(matrices)
def test_flatten_and_batch_flatten(shape):
    x = numbered(shape)
    check(K.flatten, x, x.reshape(-1))
    check(K.batch_flatten, x, x.reshape(shape[0], -1))


def test_batch_flatten_of_sizes_not_known():
    x = K.placeholder((None, None, 3))
    assert K.int_shape(K.batch_flatten(x)) == (None, None)
    result = K.function([x], [K.batch_flatten(x)])([numbered((2, 4, 3))])[0]
    np.testing.assert_array_equal(result, numbered((2, 12)))
    assert K.batch_flatten(tf.zeros((0, 2, 3))).shape == (0, 6)
    assert K.batch_flatten(tf.zeros((2, 0, 3))).shape == (2, 0)


@given(shapes, st.data())
def test_expand_dims_and_squeeze(shape, data):
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    x = numbered(shape)
    wide = np.expand_dims(x, axis)
    check(lambda x: K.expand_dims(x, axis), x, wide)
    np.testing.assert_array_equal(K.squeeze(wide, axis), x)
    assert K.int_shape(K.squeeze(K.placeholder(wide.shape), axis)) == x.shape


@given(shapes, st.data())
def test_repeat_elements(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    times = data.draw(st.integers(1, 3))
    x = numbered(shape)
    check(lambda x: K.repeat_elements(x, times, axis), x, np.repeat(x, times, axis))


def test_repeat_elements_along_no_axis():
    with pytest.raises(ValueError, match="axis 2"):
        K.repeat_elements(np.zeros((2, 3)), 2, 2)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_repeat(samples, size, n):
    x = numbered((samples, size))
    check(lambda x: K.repeat(x, n), x, np.repeat(x[:, None], n, axis=1))


@given(shapes, st.data())
def test_tile(shape, data):
    n = data.draw(st.tuples(*[st.integers(1, 3)] * len(shape)))
    x = numbered(shape)
    check(lambda x: K.tile(x, n), x, np.tile(x, n))


@given(shapes, st.data())
def test_reverse(shape, data):
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1))
    x = numbered(shape)
    check(lambda x: K.reverse(x, axes), x, np.flip(x, axes))
    check(lambda x: K.reverse(x, axes[0]), x, np.flip(x, axes[0]))


@given(matrices, st.data())
def test_concatenate_and_stack(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    arrays = []
    for size in parts:
        widened = list(shape)
        widened[axis] = size
        arrays.append(numbered(widened))
    joined = np.concatenate(arrays, axis)
    np.testing.assert_array_equal(K.concatenate(arrays, axis), joined)
    symbols = [K.placeholder(array.shape) for array in arrays]
    assert K.int_shape(K.concatenate(symbols, axis)) == joined.shape
    same = [numbered(shape)] * len(parts)
    np.testing.assert_array_equal(K.stack(same, axis), np.stack(same, axis))


def test_concatenate_sparse():
    x = np.array([[0.0, 1.0], [2.0, 0.0]], "float32")
    sparse = tf.sparse.from_dense(x)
    both = K.concatenate([sparse, sparse], 1)
    assert K.is_sparse(both)
    np.testing.assert_array_equal(K.to_dense(both), np.concatenate([x, x], 1))
    mixed = K.concatenate([sparse, x], 0)
    assert not K.is_sparse(mixed)
    np.testing.assert_array_equal(mixed, np.concatenate([x, x], 0))


pads = st.tuples(st.integers(0, 2), st.integers(0, 2))
formats = st.sampled_from(["channels_last", "channels_first"])


@given(st.tuples(*[st.integers(1, 3)] * 3), pads)
def test_temporal_padding(shape, padding):
    x = numbered(shape)
    check(lambda x: K.temporal_padding(x, padding), x, np.pad(x, ((0, 0), padding, (0, 0))))


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data())
def test_spatial_padding(axes, data):
    shape = data.draw(st.tuples(*[st.integers(1, 3)] * (axes + 2)))
    padding = data.draw(st.tuples(*[pads] * axes))
    data_format = data.draw(formats)
    x = numbered(shape)
    none = ((0, 0),)
    around = (none + padding + none) if data_format == "channels_last" else (none * 2 + padding)
    pad = K.spatial_2d_padding if axes == 2 else K.spatial_3d_padding
    check(lambda x: pad(x, padding, data_format), x, np.pad(x, around))


@given(st.data())
def test_resize(data):
    shape = data.draw(st.tuples(*[st.integers(1, 3)] * 5))
    depth, height, width = data.draw(st.tuples(*[st.integers(1, 3)] * 3))
    data_format = data.draw(formats)
    first = 1 if data_format == "channels_last" else 2
    x = numbered(shape)
    expected = x.repeat(depth, first).repeat(height, first + 1).repeat(width, first + 2)
    check(lambda x: K.resize_volumes(x, depth, height, width, data_format), x, expected)
    image = numbered(shape[:4])
    expected = image.repeat(height, first).repeat(width, first + 1)
    check(lambda x: K.resize_images(x, height, width, data_format), image, expected)


def test_unknown_names_are_answered_with_the_known_ones():
    image = np.zeros((1, 2, 2, 1))
    for call in (
        lambda: K.spatial_2d_padding(image, data_format="last"),
        lambda: K.resize_images(image, 2, 2, "last"),
        lambda: K.pool2d(image, (2, 2), data_format="last"),
        lambda: K.conv2d(image, np.zeros((1, 1, 1, 1)), data_format="last"),
    ):
        with pytest.raises(ValueError, match="'channels_last', 'channels_first'"):
            call()
    with pytest.raises(ValueError, match="'nearest' or 'bilinear'"):
        K.resize_images(image, 2, 2, "channels_last", "cubic")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((4,), [0, 1, 2, 3]), ((1, 4), [1, 2, 3]), ((5, 0, -2), [5, 3, 1]), ((-3,), []), ((0,), [])],
)
def test_arange(arguments, expected):
    result = K.arange(*arguments)
    assert result.dtype == "int32"
    np.testing.assert_array_equal(result, expected)
    assert K.arange(*arguments, dtype="float64").dtype == "float64"


@given(matrices, st.integers(2, 5))
def test_one_hot_and_gather(shape, classes):
    indices = numbered(shape).astype("int32") % classes
    np.testing.assert_array_equal(K.one_hot(indices, classes), np.eye(classes)[indices])
    rows = numbered((classes, 3))
    np.testing.assert_array_equal(K.gather(rows, indices), rows[indices])
