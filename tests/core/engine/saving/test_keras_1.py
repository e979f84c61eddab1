"""Configurations that Keras 1 wrote."""

from __future__ import annotations

import json
import warnings

import pytest

from nbkeras.core import registry
from nbkeras.core.layers import LSTM, BatchNormalization, Conv2D, Dense, Dropout
from nbkeras.core.models import model_from_json

NOTHING = {"W_constraint": None, "b_regularizer": None, "activity_regularizer": None, "bias": True}
STACK = {
    "class_name": "Sequential",
    "keras_version": "1.2.2",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {
                "name": "convolution2d_1",
                "trainable": True,
                "batch_input_shape": [None, 28, 28, 1],
                "input_dtype": "float32",
                "nb_filter": 8,
                "nb_row": 3,
                "nb_col": 5,
                "init": "he_normal",
                "activation": "relu",
                "border_mode": "same",
                "subsample": [2, 2],
                "dim_ordering": "tf",
                "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
                "b_constraint": {"name": "NonNeg"},
                **NOTHING,
            },
        },
        {
            "class_name": "MaxPooling2D",
            "config": {
                "name": "maxpooling2d_1",
                "pool_size": [2, 2],
                "strides": [2, 2],
                "border_mode": "valid",
                "dim_ordering": "tf",
            },
        },
        {"class_name": "Dropout", "config": {"name": "dropout_1", "p": 0.25}},
        {"class_name": "Flatten", "config": {"name": "flatten_1"}},
        {
            "class_name": "Dense",
            "config": {
                "name": "dense_1",
                "output_dim": 10,
                "input_dim": None,
                "init": "glorot_uniform",
                "activation": "softmax",
                **NOTHING,
                "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0},
            },
        },
    ],
}


def test_a_stack():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a file is nobody's writing
        model = model_from_json(json.dumps(STACK))
    assert [layer.name for layer in model.layers][:2] == ["convolution2d_1", "maxpooling2d_1"]
    assert model.output_shape == (None, 10)
    conv, pool, dropout, _, dense = (layer.get_config() for layer in model.layers)
    assert (conv["filters"], conv["kernel_size"], conv["strides"]) == (8, (3, 5), (2, 2))
    assert (conv["padding"], conv["data_format"]) == ("same", "channels_last")
    assert conv["kernel_regularizer"]["config"]["l2"] == 0.5
    assert conv["bias_constraint"]["class_name"] == "NonNeg"
    assert pool["padding"] == "valid"
    assert dropout["rate"] == 0.25
    assert dense["kernel_constraint"]["config"] == {"max_value": 2, "axis": 0}


def test_a_graph():
    config = {
        "class_name": "Model",
        "config": {
            "name": "model_1",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "name": "a",
                    "config": {
                        "batch_input_shape": [None, 4],
                        "input_dtype": "float32",
                        "sparse": False,
                        "name": "a",
                    },
                    "inbound_nodes": [],
                },
                {
                    "class_name": "Dense",
                    "name": "b",
                    "config": {"name": "b", "output_dim": 3, "init": "uniform", "bias": False},
                    "inbound_nodes": [[["a", 0, 0]]],
                },
            ],
            "input_layers": [["a", 0, 0]],
            "output_layers": [["b", 0, 0]],
        },
    }
    model = model_from_json(json.dumps(config))
    assert (model.output_shape, model.count_params()) == ((None, 3), 12)


@pytest.mark.parametrize(
    ("cls", "old", "now"),
    [
        (Dense, {"output_dim": 3, "init": "uniform"}, {"units": 3}),
        (Conv2D, {"nb_filter": 3, "nb_row": 2, "nb_col": 4}, {"filters": 3, "kernel_size": (2, 4)}),
        (Dropout, {"p": 0.5}, {"rate": 0.5}),
        (
            LSTM,
            {"output_dim": 3, "inner_activation": "sigmoid", "dropout_W": 0.1, "dropout_U": 0.2},
            {"units": 3, "dropout": 0.1, "recurrent_dropout": 0.2},
        ),
        (BatchNormalization, {"mode": 0, "gamma_init": "one"}, {"axis": -1}),
    ],
)
def test_layers(cls, old, now):
    config = cls.from_config(old).get_config()
    assert {key: config[key] for key in now} == now


def test_what_has_no_meaning_any_more():
    with pytest.raises(registry.ConfigError, match="has no argument 'mode' any more; got mode=1"):
        BatchNormalization.from_config({"mode": 1})
    with pytest.raises(registry.ConfigError, match="'nb_col' is missing"):
        Conv2D.from_config({"nb_filter": 3, "nb_row": 2})
