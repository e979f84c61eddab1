"""Convolutions and pooling against plain loops, in both data formats."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K


def numbers(shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def first(x):
    """Channels last to channels first."""
    return np.moveaxis(x, -1, 1)


def windows(x, size, strides, padding, dilation, fill=0.0):
    """For every place of the output, the window of x: (samples, *places, *size, channels)."""
    spatial = x.shape[1:-1]
    pads, places = [], []
    for n, k, s, d in zip(spatial, size, strides, dilation, strict=True):
        reach = (k - 1) * d + 1
        if padding == "same":
            places.append(-(-n // s))
            total = max((places[-1] - 1) * s + reach - n, 0)
            pads.append((total // 2, total - total // 2))
        elif padding == "causal":
            places.append(-(-n // s))
            pads.append((reach - 1, 0))
        else:
            places.append((n - reach) // s + 1)
            pads.append((0, 0))
    x = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    result = np.empty((x.shape[0], *places, *size, x.shape[-1]), x.dtype)
    for place in itertools.product(*(range(n) for n in places)):
        for offset in itertools.product(*(range(k) for k in size)):
            at = tuple(
                p * s + o * d for p, s, o, d in zip(place, strides, offset, dilation, strict=True)
            )
            result[(slice(None), *place, *offset)] = x[(slice(None), *at)]
    return result


def convolve(x, kernel, strides, padding, dilation):
    axes = kernel.ndim - 2
    seen = windows(x, kernel.shape[:axes], strides, padding, dilation)
    return np.tensordot(seen, kernel, axes + 1)


def depthwise(x, kernel, strides, padding, dilation):
    seen = windows(x, kernel.shape[:2], strides, padding, dilation)
    y = np.einsum("nijklc,klcm->nijcm", seen, kernel)
    return y.reshape(*y.shape[:3], -1)


def check(function, x, expected):
    """Both formats, now and recorded, and a static shape that knows all but the batch."""
    for data_format, turn in (("channels_last", lambda x: x), ("channels_first", first)):
        wanted = turn(expected)
        close = {"rtol": 1e-4, "atol": 1e-5}
        np.testing.assert_allclose(function(turn(x), data_format), wanted, **close)
        symbol = K.placeholder((None, *turn(x).shape[1:]))
        result = function(symbol, data_format)
        assert K.int_shape(result)[1:] == wanted.shape[1:]
        np.testing.assert_allclose(K.function([symbol], [result])([turn(x)])[0], wanted, **close)


PADDINGS = ("valid", "same")
MOVES = [
    {},
    {"strides": 2},
    {"dilation_rate": 2},
    {"strides": 2, "dilation_rate": 2},
]


def spread(options, axes):
    return {name: (value,) * axes for name, value in options.items()}


@pytest.mark.parametrize("options", MOVES, ids=str)
@pytest.mark.parametrize("padding", [*PADDINGS, "causal"])
def test_conv1d(padding, options):
    x, kernel = numbers((2, 9, 3)), numbers((3, 3, 4), 1)
    expected = convolve(
        x, kernel, (options.get("strides", 1),), padding, (options.get("dilation_rate", 1),)
    )
    check(lambda x, f: K.conv1d(x, kernel, padding=padding, data_format=f, **options), x, expected)


@pytest.mark.parametrize("options", MOVES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("axes", [2, 3])
def test_conv2d_and_conv3d(axes, padding, options):
    x, kernel = numbers((*(2, 6, 7, 5)[: axes + 1], 3)), numbers((*(2, 3, 2)[:axes], 3, 4), 1)
    options = spread(options, axes)
    ones = (1,) * axes
    expected = convolve(
        x, kernel, options.get("strides", ones), padding, options.get("dilation_rate", ones)
    )
    function = K.conv2d if axes == 2 else K.conv3d
    check(lambda x, f: function(x, kernel, padding=padding, data_format=f, **options), x, expected)


@pytest.mark.parametrize(
    ("strides", "dilation"),
    [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((1, 1), (2, 2)), ((2, 1), (1, 1)), ((2, 2), (1, 2))],
)
@pytest.mark.parametrize("padding", PADDINGS)
def test_depthwise_and_separable_conv2d(padding, strides, dilation):
    x, kernel, mix = numbers((2, 7, 8, 3)), numbers((3, 2, 3, 2), 1), numbers((1, 1, 6, 5), 2)
    options = {"strides": strides, "dilation_rate": dilation, "padding": padding}
    alone = depthwise(x, kernel, strides, padding, dilation)
    check(lambda x, f: K.depthwise_conv2d(x, kernel, data_format=f, **options), x, alone)
    check(
        lambda x, f: K.separable_conv2d(x, kernel, mix, data_format=f, **options),
        x,
        alone @ mix[0, 0],
    )


@pytest.mark.parametrize("options", MOVES, ids=str)
@pytest.mark.parametrize("padding", [*PADDINGS, "causal"])
def test_separable_conv1d(padding, options):
    x, kernel, mix = numbers((2, 9, 3)), numbers((3, 3, 2), 1), numbers((1, 6, 5), 2)
    seen = windows(
        x, (3,), (options.get("strides", 1),), padding, (options.get("dilation_rate", 1),)
    )
    alone = np.einsum("nikc,kcm->nicm", seen, kernel).reshape(2, -1, 6)
    check(
        lambda x, f: K.separable_conv1d(x, kernel, mix, padding=padding, data_format=f, **options),
        x,
        alone @ mix[0],
    )


def test_depthwise_with_unequal_strides_of_sizes_not_known():
    kernel = numbers((3, 2, 3, 2), 1)
    symbol = K.placeholder((None, None, None, 3))
    result = K.depthwise_conv2d(symbol, kernel, (2, 1), "same")
    x = numbers((2, 7, 8, 3))
    np.testing.assert_allclose(
        K.function([symbol], [result])([x])[0],
        depthwise(x, kernel, (2, 1), "same", (1, 1)),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("stride", [1, 2])
def test_transposed_is_the_gradient_of_the_convolution(axes, padding, stride):
    strides = (stride,) * axes
    kernel = numbers((*(3, 2, 2)[:axes], 4, 3), 1)  # channels out, channels in
    wide = numbers((*(2, 6, 5, 4)[: axes + 1], 4), 2)
    y = convolve(wide, kernel, strides, padding, (1,) * axes)
    x = numbers(y.shape, 3)
    # <conv(wide), x> = <wide, transposed(x)> for every wide: all its basis vectors as a batch.
    size = wide[0].size
    basis = np.eye(size, dtype="float32").reshape(size, *wide.shape[1:])
    images = convolve(basis, kernel, strides, padding, (1,) * axes).reshape(size, -1)
    expected = (images @ x.reshape(2, -1).T).T.reshape(wide.shape)
    function = K.conv2d_transpose if axes == 2 else K.conv3d_transpose
    for data_format, turn in (("channels_last", lambda x: x), ("channels_first", first)):
        shape = turn(wide).shape
        options = {"strides": strides, "padding": padding, "data_format": data_format}
        for output_shape in (shape, (None, *shape[1:]), tf.constant(shape)):
            result = function(turn(x), kernel, output_shape, **options)
            np.testing.assert_allclose(result, turn(expected), rtol=1e-4, atol=1e-4)
        symbol = function(
            K.placeholder((None, *turn(x).shape[1:])), kernel, (None, *shape[1:]), **options
        )
        assert K.int_shape(symbol) == (None, *shape[1:])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(
    ("size", "strides"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((2, 2, 3), (2, 1, 2))]
)
def test_pooling(size, strides, padding, mode, dtype):
    axes = len(size)
    x = numbers((*(2, 5, 6, 4)[: axes + 1], 3), dtype=dtype)
    ones = (1,) * axes
    seen = windows(x, size, strides, padding, ones, fill=np.nan).astype("float64")
    over = tuple(range(axes + 1, 2 * axes + 1))
    expected = np.nanmax(seen, over) if mode == "max" else np.nanmean(seen, over)
    function = K.pool2d if axes == 2 else K.pool3d
    for data_format, turn in (("channels_last", lambda x: x), ("channels_first", first)):
        options = {"padding": padding, "data_format": data_format, "pool_mode": mode}
        result = function(turn(x), size, strides, **options)
        assert result.dtype == dtype
        tolerance = 1e-2 if dtype == "float16" else 1e-5
        np.testing.assert_allclose(result, turn(expected), rtol=tolerance, atol=tolerance)
        symbol = K.placeholder((None, *turn(x).shape[1:]), dtype=dtype)
        assert K.int_shape(function(symbol, size, strides, **options)) == (
            None,
            *turn(expected).shape[1:],
        )


def local(x, kernel, size, strides, places, channels_first):
    """One window after another, its features in the order in which the input holds them."""
    result = np.zeros((x.shape[0], *places, kernel.shape[-1]))
    for number, place in enumerate(itertools.product(*(range(n) for n in places))):
        at = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, size, strict=True))
        window = x[(slice(None), slice(None), *at)] if channels_first else x[(slice(None), *at)]
        result[(slice(None), *place)] = window.reshape(x.shape[0], -1) @ kernel[number]
    return first(result) if channels_first else result


@pytest.mark.parametrize("channels_first", [False, True])
def test_local_convolutions(channels_first):
    data_format = "channels_first" if channels_first else "channels_last"
    turn = first if channels_first else (lambda x: x)
    x, kernel = turn(numbers((2, 7, 3))), numbers((3, 9, 4), 1)
    expected = local(x, kernel, (3,), (2,), (3,), channels_first)
    result = K.local_conv1d(x, kernel, (3,), (2,), data_format)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)

    x, kernel = turn(numbers((2, 5, 4, 3))), numbers((6, 12, 4), 1)
    expected = local(x, kernel, (2, 2), (2, 1), (2, 3), channels_first)
    result = K.local_conv2d(x, kernel, (2, 2), (2, 1), (2, 3), data_format)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
    symbol = K.placeholder((None, *x.shape[1:]))
    assert K.int_shape(K.local_conv2d(symbol, kernel, (2, 2), (2, 1), (2, 3), data_format)) == (
        None,
        *expected.shape[1:],
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv3d", "depthwise_conv2d"])
def test_gradients_of_dilated_convolutions(name, dtype):
    """They exist on the CPU, and agree with differences."""
    axes = int(name[-2])
    x = tf.constant(numbers((1, *(5,) * axes, 2), dtype=dtype))
    kernel = tf.constant(numbers((*(2,) * axes, 2, 3), 1, dtype))
    rate = 2 if axes == 1 else (2,) * axes
    step = 1e-2 if dtype == "float32" else 1e-5

    def total(x, kernel):
        return tf.reduce_sum(getattr(K, name)(x, kernel, dilation_rate=rate) ** 2)

    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        value = total(x, kernel)
    slopes = tape.gradient(value, [x, kernel])
    for number, (tensor, slope) in enumerate(zip((x, kernel), slopes, strict=True)):
        direction = tf.constant(numbers(tensor.shape, 4, dtype))
        moved = [[x, kernel], [x, kernel]]
        moved[0][number], moved[1][number] = tensor + step * direction, tensor - step * direction
        along = (total(*moved[0]) - total(*moved[1])) / (2 * step)
        np.testing.assert_allclose(tf.reduce_sum(slope * direction), along, rtol=1e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, w: K.conv2d(x, w, padding="causal"), "'valid', 'same'"),
        (lambda x, w: K.conv1d(x[0], w[0], padding="full"), "'valid', 'same', 'causal'"),
        (lambda x, w: K.pool2d(x, (2, 2), pool_mode="min"), "'max' or 'avg'"),
    ],
)
def test_unknown_words(call, message):
    with pytest.raises(ValueError, match=message):
        call(numbers((1, 4, 4, 1)), numbers((2, 2, 1, 1)))
