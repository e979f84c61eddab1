"""Convolutions, pooling, normalization, merges: what they refuse, and what they keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nbkeras.core.backend.symbolic import Call, call_scope
from nbkeras.core.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dot,
    Flatten,
    Input,
    LeakyReLU,
    LocallyConnected1D,
    LocallyConnected2D,
    Masking,
    MaxPooling2D,
    PReLU,
    Subtract,
    UpSampling2D,
    ZeroPadding2D,
)
from nbkeras.core.models import Model, Sequential

ERRORS = [
    (lambda: Conv2D(0, 3), "Conv2D: filters is a whole number of 1 or more"),
    (lambda: Conv2D(3, (3, 3, 3)), r"kernel_size is a whole number, or 2 of them"),
    (lambda: Conv2D(3, 3, padding="full"), "padding is one of 'valid', 'same'"),
    (lambda: Conv2D(3, 3, padding="causal"), "padding is one of 'valid', 'same'"),
    (lambda: Conv2D(3, 3, strides=2, dilation_rate=2), "either strides or dilation_rate"),
    (lambda: Conv2D(3, 3, data_format="first"), "channels_last"),
    (
        lambda: Conv2D(3, 3)(Input((28, 28))),
        r"4 axes.*got shape \(None, 28, 28\).*x\[\.\.\., None\]",
    ),
    (lambda: Conv2D(3, 3)(Input((28, 28, None))), "how many channels"),
    (lambda: Conv2D(3, 5)(Input((4, 4, 1))), r"window of \(5, 5\) does not fit"),
    (lambda: Conv1D(3, 5, name="c")(Input((4, 1))), r"Layer 'c' \(Conv1D\): a window of"),
    (lambda: MaxPooling2D(3)(Input((2, 2, 1))), "does not fit"),
    (lambda: AveragePooling2D(0), "pool_size"),
    (lambda: DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
    (lambda: Conv2DTranspose(3, 3, strides=2, output_padding=2), "below its stride"),
    (lambda: Cropping2D(2)(Input((4, 4, 1))), "cut all away"),
    (lambda: ZeroPadding2D((1, 2, 3)), r"ZeroPadding2D\(padding=\(\(1, 2\), \(1, 2\)\)\)"),
    (lambda: UpSampling2D(interpolation="cubic"), "'nearest', 'bilinear'"),
    (lambda: LocallyConnected1D(3, 2)(Input((None, 2))), "needs to know all sizes"),
    (lambda: LocallyConnected2D(3, 2, padding="same"), "implementation=2 or 3"),
    (lambda: BatchNormalization()(Input((3, None))), "size of axis -1"),
    (lambda: BatchNormalization(axis=5)(Input((3,))), "no axis"),
    (lambda: LeakyReLU(-1), "alpha is a number of 0 or more"),
    (lambda: PReLU()(Input((None, 3))), r"shared_axes=\[1\]"),
    (lambda: Add()([Input((3,)), Input((4,))]), r"\[\(None, 3\), \(None, 4\)\]"),
    (lambda: Add()([Input((3,))]), "a list of two or more inputs"),
    (lambda: Add()(Input((3,))), "got one tensor"),
    (lambda: Subtract()([Input((3,))] * 3), "a list of 2 inputs"),
    (lambda: Concatenate()([Input((3, 2)), Input((4, 2))]), "equal but for axis -1"),
    (lambda: Concatenate(axis=1)([Input((3, 2)), Input((4,))]), "equal but for axis 1"),
    (lambda: Dot(axes=1)([Input((3,)), Input((4,))]), "of equal size"),
    (lambda: Dot(axes=0)([Input((3,)), Input((3,))]), "not the batch's"),
    (lambda: Dot(axes="last"), r"Dot\(axes=\(2, 1\)\)"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors_name_layer_expectation_and_remedy(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("size", [2, 3])
def test_a_causal_convolution_sees_nothing_that_is_yet_to_come(size: int) -> None:
    """For kernels of even and of odd length."""
    layer = Conv1D(2, size, padding="causal", dilation_rate=2)
    x = np.random.rand(1, 8, 3).astype("float32")
    before = layer(x).numpy()
    x[:, 5:] += 1
    after = layer(x).numpy()
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert not np.allclose(before[:, 5:], after[:, 5:])


def test_weights_are_named_and_ordered_as_in_keras_2() -> None:
    model = Sequential(
        [Conv2D(2, 3, input_shape=(5, 5, 1)), BatchNormalization(), Flatten(), Dense(1)]
    )
    names = [weight.name.split("/") for weight in model.weights]
    assert [kind for _, kind in names] == [
        "kernel:0",
        "bias:0",
        "gamma:0",
        "beta:0",
        "moving_mean:0",
        "moving_variance:0",
        "kernel:0",
        "bias:0",
    ]
    assert names[0][0] == model.layers[0].name


# ---------------------------------------------------------------- batch normalization


def normalized(**options: Any) -> tuple[Sequential, np.ndarray]:
    model = Sequential([BatchNormalization(input_shape=(3,), **options), Activation("linear")])
    model.compile("sgd", "mse")
    return model, np.random.default_rng(1).normal(2.0, 3.0, (50, 3)).astype("float32")


def test_moving_statistics_follow_the_batches() -> None:
    model, x = normalized(momentum=0.8)
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(3):
        model.train_on_batch(x, x)
        mean = 0.8 * mean + 0.2 * x.mean(0)
        variance = 0.8 * variance + 0.2 * x.var(0)
    layer = model.layers[0]
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-5)
    expected = (x - mean) / np.sqrt(variance + 1e-3)
    gamma, beta = layer.get_weights()[:2]
    np.testing.assert_allclose(model.predict(x), gamma * expected + beta, rtol=1e-4, atol=1e-5)


def test_a_frozen_layer_leaves_its_statistics_alone_and_normalizes_by_them() -> None:
    model, x = normalized(trainable=False)
    assert model.trainable_weights == []
    before = model.get_weights()
    loss = model.train_on_batch(x, x)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_allclose(loss, model.test_on_batch(x, x), rtol=1e-6)


def test_a_frozen_layer_may_be_thawed() -> None:
    model, x = normalized(trainable=False)
    model.train_on_batch(x, x)
    model.layers[0].trainable = True
    model.compile("sgd", "mse")
    model.train_on_batch(x, x)
    assert np.any(model.layers[0].moving_mean.numpy())


@pytest.mark.parametrize("jit", [False, True])
def test_statistics_are_the_same_in_a_compiled_loop(jit: bool) -> None:
    model, x = normalized()
    model.compile("sgd", "mse", jit_compile=jit)
    model.fit(x, x, batch_size=10, epochs=2, shuffle=False, verbose=0)
    expected = np.zeros(3)
    for batch in [*np.split(x, 5)] * 2:
        expected = 0.99 * expected + 0.01 * batch.mean(0)
    np.testing.assert_allclose(model.layers[0].moving_mean.numpy(), expected, rtol=1e-4)


# ---------------------------------------------------------------- merges


def test_masks_of_merged_tensors() -> None:
    a, b = Input((2, 3)), Input((2, 3))
    x = np.ones((1, 2, 3), "float32")
    y = x.copy()
    y[:, 1] = 0
    for merge, length in ((Add(), 2), (Concatenate(axis=1), 4), (Concatenate(), 2)):
        outputs = merge([Masking()(a), Masking()(b)])
        model = Model([a, b], outputs)
        with call_scope(Call()) as call:
            mask = call.mask_of(model([x, y]))
        assert mask.shape == (1, length)
        expected = [True, True, True, False] if length == 4 else [True, False]
        assert mask.numpy()[0].tolist() == expected
