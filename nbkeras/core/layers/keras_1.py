"""What the layers' arguments were called in Keras 1: one table.

Source: the specification's file 002 and the Keras 1.2 documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.spelling import Dropped, Joined, Renamed, declare
from . import (
    advanced_activations,
    convolutional,
    core,
    embeddings,
    merge,
    noise,
    normalization,
    pooling,
    recurrent,
)

__all__: list[str] = []

# ---------------------------------------------------------------- parts of the table

PADDING = {"border_mode": "padding"}
FORMAT = {
    "dim_ordering": Renamed(
        "data_format", {"tf": "channels_last", "th": "channels_first", "default": None}
    )
}
STARTS = {"init": "kernel_initializer"}
PENALTIES = {
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
RATE = {"p": "rate"}
DENSE = {"output_dim": "units", **STARTS, **PENALTIES}
CONVOLUTION_ALONE = {
    "nb_filter": "filters",
    "subsample": "strides",
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
    **PADDING,
    **FORMAT,
}
CONVOLUTION = {**CONVOLUTION_ALONE, **STARTS, **PENALTIES}
ROWS = Joined("kernel_size", ("nb_row", "nb_col"))
BLOCKS = Joined("kernel_size", ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
POOLING = {**PADDING, **FORMAT}
RECURRENT = {
    "output_dim": "units",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
}
GATED = {
    "inner_activation": "recurrent_activation",
    "consume_less": Renamed("implementation", {"cpu": 1, "mem": 1, "gpu": 2}),
}
NO_IMPLEMENTATION = {
    "consume_less": Dropped(("cpu", "mem", "gpu"), "It chose how to compute, not what.")
}


def _ones(start: Any) -> bool:
    """Whether Keras 1's initializer of the forget gate's bias was one of ones."""
    return start in ("one", "ones")


# ---------------------------------------------------------------- the table

KERAS_1: dict[type, Mapping[str, Any]] = {
    core.Dense: DENSE,
    core.Dropout: RATE,
    core.SpatialDropout1D: RATE,
    core.SpatialDropout2D: {**RATE, **FORMAT},
    core.SpatialDropout3D: {**RATE, **FORMAT},
    convolutional.Conv1D: {
        **CONVOLUTION,
        "filter_length": "kernel_size",
        "subsample_length": "strides",
    },
    convolutional.Conv2D: {**CONVOLUTION, "nb_row": ROWS, "nb_col": ROWS},
    convolutional.SeparableConv2D: {
        **CONVOLUTION_ALONE,
        "nb_row": ROWS,
        "nb_col": ROWS,
        "init": "depthwise_initializer",
        "b_regularizer": "bias_regularizer",
        "b_constraint": "bias_constraint",
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    },
    convolutional.Conv2DTranspose: {
        **CONVOLUTION,
        "nb_row": ROWS,
        "nb_col": ROWS,
        "output_shape": Dropped((None,), "Strides, padding and output_padding decide on it."),
    },
    convolutional.Conv3D: {**CONVOLUTION, **dict.fromkeys(BLOCKS.parts, BLOCKS)},
    convolutional.UpSampling1D: {"length": "size"},
    convolutional.UpSampling2D: FORMAT,
    convolutional.UpSampling3D: FORMAT,
    convolutional.Cropping2D: FORMAT,
    convolutional.Cropping3D: FORMAT,
    convolutional.ZeroPadding2D: FORMAT,
    convolutional.ZeroPadding3D: FORMAT,
    **{
        kind: {**PADDING, "pool_length": "pool_size", "stride": "strides"}
        for kind in (pooling.MaxPooling1D, pooling.AveragePooling1D)
    },
    **dict.fromkeys(
        (
            pooling.MaxPooling2D,
            pooling.MaxPooling3D,
            pooling.AveragePooling2D,
            pooling.AveragePooling3D,
        ),
        POOLING,
    ),
    **dict.fromkeys(
        (
            pooling.GlobalMaxPooling2D,
            pooling.GlobalMaxPooling3D,
            pooling.GlobalAveragePooling2D,
            pooling.GlobalAveragePooling3D,
        ),
        FORMAT,
    ),
    recurrent.SimpleRNN: {**RECURRENT, **NO_IMPLEMENTATION},
    recurrent.GRU: {**RECURRENT, **GATED},
    recurrent.LSTM: {
        **RECURRENT,
        **GATED,
        "forget_bias_init": Renamed("unit_forget_bias", _ones),
    },
    embeddings.Embedding: {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
        "dropout": Dropped((0, 0.0), "Put SpatialDropout1D(rate) behind the Embedding."),
    },
    merge.Concatenate: {"concat_axis": "axis"},
    merge.Dot: {"dot_axes": "axes"},
    advanced_activations.PReLU: {"init": "alpha_initializer"},
    normalization.BatchNormalization: {
        "beta_init": "beta_initializer",
        "gamma_init": "gamma_initializer",
        "mode": Dropped((0,), "Only mode 0, statistics of each feature, is left."),
    },
    noise.GaussianNoise: {"sigma": "stddev"},
    noise.GaussianDropout: RATE,
}

# Conv2D(64, 3, 3, border_mode='same') had the sizes of its kernel one by one.
POSITIONAL = {
    convolutional.Conv1D: None,
    convolutional.Conv2D: ROWS,
    convolutional.SeparableConv2D: ROWS,
    convolutional.Conv2DTranspose: ROWS,
    convolutional.Conv3D: BLOCKS,
}

_cls: Any
for _cls, _rules in KERAS_1.items():
    declare(_cls, _rules, POSITIONAL.get(_cls))
