"""The documented modules of utilities, beside tf_keras where it has the same."""

from __future__ import annotations

import importlib
import itertools

import numpy as np
import pytest
import tf_keras
from tf_keras.src.utils import conv_utils as their_conv
from tf_keras.src.utils import layer_utils as their_layers

from nbkeras import core as keras
from nbkeras.core.layers import Add, Conv1D, Conv2D, Dense, Flatten, Input, TimeDistributed
from nbkeras.core.models import Model, Sequential
from nbkeras.core.utils import conv_utils, layer_utils
from nbkeras.core.utils.generic_utils import to_list


@pytest.mark.parametrize(
    "name", ["conv_utils", "data_utils", "generic_utils", "io_utils", "layer_utils", "np_utils"]
)
def test_modules_are_there(name: str) -> None:
    module = importlib.import_module(f"nbkeras.core.utils.{name}")
    assert getattr(keras.utils, name) is module
    for public in set(module.__all__) & set(keras.utils.__all__):
        assert getattr(module, public) is getattr(keras.utils, public)


GRID = list(itertools.product([None, 7, 10, 16], [1, 2, 3, 5], [1, 2, 3]))


@pytest.mark.parametrize("padding", ["valid", "same", "causal", "full"])
def test_lengths(padding: str) -> None:
    for length, window, stride in GRID:
        if stride == 1:
            for dilation in (1, 2):
                if padding == "full" and dilation > 1:
                    continue  # tf_keras does not dilate the border
                ours = conv_utils.conv_output_length(length, window, padding, stride, dilation)
                theirs = their_conv.conv_output_length(length, window, padding, stride, dilation)
                assert ours == (None if theirs is None else max(theirs, 0))
        ours = conv_utils.conv_output_length(length, window, padding, stride)
        assert ours == their_conv.conv_output_length(length, window, padding, stride)
        if padding != "causal":
            ours = conv_utils.conv_input_length(length, window, padding, stride)
            assert ours == their_conv.conv_input_length(length, window, padding, stride)
            ours = conv_utils.deconv_length(length, stride, window, padding)
            theirs = their_conv.deconv_output_length(length, window, padding, stride=stride)
            assert ours == theirs


def test_a_full_dilated_convolution_is_numpys() -> None:
    kernel = np.array([1.0, 0.0, 2.0, 0.0, 3.0])  # three numbers, two steps apart
    expected = len(np.convolve(np.ones(7), kernel, "full"))
    assert conv_utils.conv_output_length(7, 3, "full", 1, dilation=2) == expected


def test_normalizing() -> None:
    assert conv_utils.normalize_tuple(2, 3, "strides") == (2, 2, 2)
    assert conv_utils.normalize_padding("Valid") == "valid"
    for value in (None, (1, 2, 3), "ab", (1.5, 2)):
        with pytest.raises(ValueError, match="strides is a whole number, or 2 of them"):
            conv_utils.normalize_tuple(value, 2, "strides")
    with pytest.raises(ValueError, match="padding"):
        conv_utils.normalize_padding("around")
    with pytest.raises(ValueError, match="shape"):
        conv_utils.convert_kernel(np.zeros((2, 2)))


def test_kernels_are_turned_around_once_wherever_they_are() -> None:
    shared = Conv1D(2, 3, padding="same")
    x = Input((8, 2))
    inner = Sequential([Conv2D(2, (3, 2), input_shape=(4, 4, 1)), Flatten(), Dense(3)])
    y = Input((5, 4, 4, 1))
    model = Model([x, y], [Add()([shared(x), shared(shared(x))]), TimeDistributed(inner)(y)])
    before = model.get_weights()
    keras.utils.convert_all_kernels_in_model(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        axes = tuple(range(old.ndim - 2)) if old.ndim > 2 else ()
        np.testing.assert_array_equal(new, np.flip(old, axes))
    assert sum(weight.ndim > 2 for weight in before) == 2


@pytest.mark.parametrize("target", ["channels_first", "channels_last"])
def test_dense_rows_for_the_other_layout(target: str) -> None:
    kernel = np.random.default_rng(0).normal(size=(24, 5)).astype("float32")
    results = []
    for lib, module in ((keras, layer_utils), (tf_keras, their_layers)):
        net = lib.models.Sequential([lib.layers.Dense(5, input_shape=(24,))])
        net.set_weights([kernel, np.zeros(5)])
        module.convert_dense_weights_data_format(net.layers[0], (2, 3, 4), target)
        results.append(net.get_weights()[0])
    np.testing.assert_array_equal(*results)
    with pytest.raises(ValueError, match="24 inputs"):
        layer_utils.convert_dense_weights_data_format(net.layers[0], (2, 3, 5), target)


def test_source_inputs_and_counts() -> None:
    a, b = Input((3,)), Input((3,))
    both = Add()([Dense(3)(a), b])
    assert [id(t) for t in layer_utils.get_source_inputs(both + a)] == [id(a), id(b)]
    assert layer_utils.get_source_inputs(a) == [a]
    model = Model([a, b], both)
    assert layer_utils.count_params([*model.weights, *model.weights]) == 12


def test_to_list() -> None:
    assert to_list((1, 2)) == [(1, 2)]
    assert to_list((1, 2), allow_tuple=True) == [1, 2]
