"""Activations, cross-entropies and normalizations against NumPy, where it is hard for them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import config

X = np.array([-1e4, -30.0, -2.5, -1.0, 0.0, 0.5, 1.0, 2.5, 30.0, 1e4])
TOLERANCE = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-14}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (K.relu, lambda x: np.maximum(x, 0)),
        (lambda x: K.relu(x, 0.25), lambda x: np.where(x < 0, 0.25 * x, x)),
        (lambda x: K.relu(x, max_value=2), lambda x: np.clip(x, 0, 2)),
        (lambda x: K.relu(x, max_value=6), lambda x: np.clip(x, 0, 6)),
        (
            lambda x: K.relu(x, 0.25, 2.0, 1.0),
            lambda x: np.where(x < 1, 0.25 * (x - 1), np.minimum(x, 2)),
        ),
        (
            lambda x: K.relu(x, tf.constant(0.25)),
            lambda x: np.where(x < 0, 0.25 * x, x),
        ),
        (K.elu, lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x)),
        (lambda x: K.elu(x, 0.3), lambda x: np.where(x < 0, 0.3 * np.expm1(np.minimum(x, 0)), x)),
        (K.softplus, lambda x: np.logaddexp(0, x)),
        (K.softsign, lambda x: x / (1 + np.abs(x))),
        (K.sigmoid, scipy.special.expit),
        (K.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        (K.tanh, np.tanh),
        (K.softmax, scipy.special.softmax),
        (K.logsumexp, scipy.special.logsumexp),
        (K.sqrt, lambda x: np.sqrt(np.maximum(x, 0))),
    ],
)
def test_functions_of_extreme_numbers(function, formula, dtype):
    x = tf.constant(X, dtype)
    result = function(x)
    assert result.dtype == dtype
    expected = formula(x.numpy().astype("float64"))
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(result.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("from_logits", [False, True])
def test_crossentropies_are_their_formulas(from_logits, dtype):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(6, 4)).astype(dtype)
    target = scipy.special.softmax(generator.normal(size=(6, 4)), -1).astype(dtype)
    classes = generator.integers(0, 4, 6)
    wide = logits.astype("float64")
    tolerance = {"rtol": 10 * TOLERANCE[dtype], "atol": 10 * TOLERANCE[dtype]}
    # In 64 bits the fuzz of 1e-7 shows nowhere: no probability is near an end.
    p = scipy.special.softmax(wide, -1)
    output = logits if from_logits else p.astype(dtype)
    result = K.categorical_crossentropy(target, output, from_logits)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, -np.sum(target * np.log(p), -1), **tolerance)
    result = K.sparse_categorical_crossentropy(classes, output, from_logits)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, -np.log(p[np.arange(6), classes]), **tolerance)
    p = scipy.special.expit(wide)
    output = logits if from_logits else p.astype(dtype)
    result = K.binary_crossentropy(target, output, from_logits)
    assert result.dtype == dtype
    np.testing.assert_allclose(
        result, -target * np.log(p) - (1 - target) * np.log(1 - p), **tolerance
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_crossentropies_of_certain_predictions(dtype):
    """Finite, however wrong, with finite gradients."""
    target = tf.constant([[1.0, 0.0], [0.0, 1.0]], dtype)
    certain = tf.constant([[1.0, 0.0], [1.0, 0.0]], dtype)
    for loss in (K.categorical_crossentropy, K.binary_crossentropy):
        with tf.GradientTape() as tape:
            tape.watch(certain)
            values = loss(target, certain)
        assert np.isfinite(values.numpy()).all()
        assert np.isfinite(tape.gradient(values, certain).numpy()).all()
    right, wrong = K.categorical_crossentropy(target, certain).numpy()
    assert abs(right) < 1e-2
    np.testing.assert_allclose(wrong, -np.log(config.epsilon()), rtol=1e-2)
    right, wrong = K.sparse_categorical_crossentropy([0, 1], certain).numpy()
    assert abs(right) < 1e-2
    np.testing.assert_allclose(wrong, -np.log(config.epsilon()), rtol=1e-2)


def test_crossentropy_follows_epsilon():
    config.set_epsilon(1e-3)
    try:
        np.testing.assert_allclose(
            K.categorical_crossentropy([[0.0, 1.0]], [[1.0, 0.0]]), -np.log(1e-3), rtol=1e-5
        )
    finally:
        config.set_epsilon(1e-7)


def test_crossentropy_of_scores_that_are_not_divided_by_their_sum():
    np.testing.assert_allclose(
        K.categorical_crossentropy([[0.0, 1.0]], [[6.0, 2.0]]), -np.log(0.25), rtol=1e-5
    )


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 5), (3, 5, 1)])
@pytest.mark.parametrize("kind", ["int32", "int64", "float32", "uint8"])
def test_sparse_targets_of_every_form(shape, kind):
    outer = shape if shape[-1] != 1 else shape[:-1]
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 4, outer)
    p = scipy.special.softmax(generator.normal(size=(*outer, 4)), -1).astype("float32")
    expected = -np.log(np.take_along_axis(p, classes[..., None], -1))[..., 0]
    target = classes.reshape(shape).astype(kind)
    np.testing.assert_allclose(K.sparse_categorical_crossentropy(target, p), expected, rtol=1e-5)
    symbols = K.placeholder((None, *shape[1:]), dtype=kind), K.placeholder((None, *p.shape[1:]))
    result = K.sparse_categorical_crossentropy(*symbols)
    assert K.int_shape(result) == (None, *outer[1:])
    np.testing.assert_allclose(K.function(symbols, [result])([target, p])[0], expected, rtol=1e-5)


@pytest.mark.parametrize("axes", [[0], [0, 1], [0, 2], [1], [-1]])
@pytest.mark.parametrize("scaled", [False, True])
def test_normalize_batch_in_training(axes, scaled):
    x = np.random.default_rng(0).normal(2.0, 3.0, (6, 5, 4)).astype("float32")
    over = tuple(axes)
    mean, var = x.mean(over), x.var(over)
    gamma, beta = (mean * 0 + 2.0, mean * 0 + 0.5) if scaled else (None, None)
    wide = [np.expand_dims(v, [a % 3 for a in axes]) for v in (mean, var)]
    expected = (x - wide[0]) / np.sqrt(wide[1] + 1e-3) * (2.0 if scaled else 1.0)
    expected = expected + (0.5 if scaled else 0.0)
    result = K.normalize_batch_in_training(x, gamma, beta, axes)
    for value, wanted in zip(result, (expected, mean, var), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)
    symbols = K.normalize_batch_in_training(K.placeholder((None, 5, 4)), gamma, beta, axes)
    assert K.int_shape(symbols[0])[1:] == (5, 4)
    assert K.ndim(symbols[1]) == mean.ndim


@pytest.mark.parametrize("axis", [-1, 1, 2, 3])
def test_batch_normalization_along_an_axis(axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 3)).astype("float32")
    size = x.shape[axis]
    mean, var, beta, gamma = (
        np.linspace(0.5, 1.5, size, dtype="float32") * k for k in (1, 2, 3, 4)
    )
    along = [1, 1, 1, 1]
    along[axis] = size
    m, v, b, g = (t.reshape(along) for t in (mean, var, beta, gamma))
    expected = (x - m) / np.sqrt(v + 1e-3) * g + b
    for arguments in ((mean, var, beta, gamma), (m, v, b, g)):
        result = K.batch_normalization(x, *arguments, axis=axis)
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_l2_normalize_of_zeros():
    np.testing.assert_array_equal(K.l2_normalize(np.zeros((2, 3)), axis=1), np.zeros((2, 3)))


def test_bias_of_another_number_of_axes():
    with pytest.raises(ValueError, match=r"\(channels,\), or 3"):
        K.bias_add(np.zeros((2, 3, 4, 5)), np.zeros((4, 5)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_bias_along_the_channels(axes, data_format):
    x = np.zeros((2, 3, 4, 5, 6)[: axes + 2])
    axis = -1 if data_format == "channels_last" else 1
    bias = np.arange(float(x.shape[axis]))
    expected = np.moveaxis(np.moveaxis(x, axis, -1) + bias, -1, axis)
    np.testing.assert_array_equal(K.bias_add(x, bias, data_format), expected)


def test_in_top_k_counts_ties_and_takes_any_numbers():
    predictions = np.array([[0.5, 0.5, 0.1], [0.2, 0.3, 0.5]])
    np.testing.assert_array_equal(K.in_top_k(predictions, [1.0, 1.0], 1), [True, False])
    np.testing.assert_array_equal(K.in_top_k(predictions, np.array([2, 1]), 2), [False, True])


@pytest.mark.parametrize("name", ["categorical_crossentropy", "binary_crossentropy"])
def test_a_crossentropy_in_a_graph_is_one_of_the_probabilities_it_was_given(name):
    """K.gradients gives its slope by them, though a softmax or a sigmoid made them."""
    function = K.softmax if name == "categorical_crossentropy" else K.sigmoid
    x = np.random.default_rng(3).normal(size=(3, 4)).astype("float32")
    target = np.eye(4, dtype="float32")[[0, 2, 1]]
    logits, wanted = K.placeholder((None, 4)), K.placeholder((None, 4))
    p = function(logits)
    (slope,) = K.gradients(getattr(K, name)(wanted, p), [p])
    given, found = K.function([wanted, logits], [p, slope])([target, x])
    if name == "categorical_crossentropy":
        expected = -target / given + target.sum(-1, keepdims=True)  # p is divided by its sum
    else:
        expected = -target / given + (1 - target) / (1 - given)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_loss_of_ones_own_is_traced_back_too():
    from nbkeras.core.layers import Dense
    from nbkeras.core.models import Sequential

    def loss(y_true, y_pred):
        return 2 * K.categorical_crossentropy(y_true, y_pred)

    model = Sequential([Dense(3, activation="softmax", input_shape=(2,), use_bias=False)])
    model.set_weights([np.array([[100.0, 0, 0], [0, 0, 0]], "float32")])
    model.compile("sgd", loss)
    x, y = np.array([[1.0, 0.0]], "float32"), np.array([[0.0, 1.0, 0.0]], "float32")
    np.testing.assert_allclose(model.evaluate(x, y), 200, rtol=1e-6)
    assert K.eval(K.categorical_crossentropy(y, model.predict(x))) < 17
