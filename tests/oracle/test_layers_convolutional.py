"""Convolutions, padding and pooling equal tf_keras over a grid of their options."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, check, identify

FIRST = {"data_format": "channels_first"}
LAST = {"data_format": "channels_last"}
C1 = {"filters": 4, "kernel_size": 3}
C2 = {"filters": 4, "kernel_size": (2, 3)}
C3 = {"filters": 2, "kernel_size": (2, 1, 3)}
X1, X2, X3 = (2, 7, 3), (2, 6, 5, 3), (2, 4, 3, 5, 2)
X2_FIRST, X3_FIRST = (2, 3, 6, 5), (2, 2, 4, 3, 5)
OPEN2 = (0, 1, 2)


def first(name: str, options: dict, shape: tuple) -> Case:
    """A row with channels first, compared with channels last of what is turned around."""
    return Case(name, {**options, **FIRST}, shape, LAST, turn=1)


WEIGHTED = {
    "use_bias": True,
    "activation": "tanh",
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
}

QUICK = [
    Case("Conv1D", C1, X1),
    Case("Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal"}, X1, unknown=(0, 1)),
    Case("Conv2D", {**C2, "activation": "relu"}, X2),
    Case("Conv2D", {**C2, "padding": "same", "strides": 2}, X2, unknown=OPEN2),
    first("Conv2D", {**C2, "padding": "same"}, X2_FIRST),
    Case("Conv3D", C3, X3),
    Case("SeparableConv1D", {**C1, "padding": "causal"}, X1),
    Case("SeparableConv2D", {**C2, "depth_multiplier": 2}, X2),
    Case("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, X2),
    Case("Conv2DTranspose", {**C2, "strides": 2, "padding": "same"}, X2, unknown=OPEN2),
    first("Conv2DTranspose", {**C2, "strides": 2}, X2_FIRST),
    Case("Conv3DTranspose", {**C3, "strides": 2}, X3),
    Case("Cropping1D", {"cropping": (1, 2)}, X1),
    Case("Cropping2D", {"cropping": ((1, 0), (2, 1))}, X2),
    Case("Cropping3D", {}, (2, 4, 3, 5, 2)),
    Case("ZeroPadding1D", {"padding": 2}, X1),
    first("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}, X2_FIRST),
    Case("ZeroPadding3D", {"padding": (1, 0, 2)}, X3),
    Case("UpSampling1D", {"size": 3}, X1),
    Case("UpSampling2D", {"size": (2, 3)}, X2),
    Case("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, X2),
    Case("UpSampling3D", {"size": (1, 2, 3)}, X3),
    Case("MaxPooling1D", {}, X1),
    Case("MaxPooling2D", {}, X2, unknown=OPEN2),
    first("MaxPooling2D", {}, X2_FIRST),
    Case("AveragePooling2D", {"padding": "same"}, X2),
    Case("MaxPooling3D", {}, X3),
    Case("GlobalAveragePooling1D", {}, X1, masked=(2, 0)),
    Case("GlobalMaxPooling2D", {}, X2),
]

SLOW = [
    *(
        Case("Conv1D", {**C1, **options}, X1)
        for options in (
            {"padding": "same"},
            {"strides": 2},
            {"dilation_rate": 2, "padding": "causal"},
            {"strides": 2, "padding": "causal"},
            {"use_bias": False},
            WEIGHTED,
        )
    ),
    first("Conv1D", C1, (2, 3, 7)),
    *(
        Case("Conv2D", {**C2, **options}, X2)
        for options in (
            {"strides": (2, 1)},
            {"dilation_rate": (1, 2), "padding": "same"},
            {"use_bias": False},
            WEIGHTED,
            {"kernel_constraint": "max_norm", "activation": "softmax"},
        )
    ),
    first("Conv2D", {**C2, "strides": 2, "activation": "elu"}, X2_FIRST),
    first("Conv2D", {**C2, "dilation_rate": 2}, X2_FIRST),
    Case("Conv3D", {**C3, "padding": "same", "strides": 2}, X3, unknown=(0, 1, 2, 3)),
    Case("Conv3D", {**C3, "dilation_rate": (2, 1, 1)}, X3),
    first("Conv3D", {**C3, "padding": "same"}, X3_FIRST),
    Case("SeparableConv1D", {**C1, "padding": "same", "dilation_rate": 2}, X1),
    Case("SeparableConv1D", {**C1, "strides": 2, "depth_multiplier": 3}, X1, unknown=(0, 1)),
    Case("SeparableConv2D", {**C2, "strides": 2, "padding": "same"}, X2),
    Case("SeparableConv2D", {**C2, "dilation_rate": 2, "activation": "relu"}, X2),
    first("SeparableConv2D", {**C2, "use_bias": False}, X2_FIRST),
    Case("DepthwiseConv2D", {"kernel_size": 2, "strides": 2, "padding": "same"}, X2, unknown=OPEN2),
    Case("DepthwiseConv2D", {"kernel_size": 2, "activation": "tanh", "use_bias": False}, X2),
    first("DepthwiseConv2D", {"kernel_size": (2, 3)}, X2_FIRST),
    Case("Conv2DTranspose", C2, X2),
    Case("Conv2DTranspose", {**C2, "strides": (3, 2), "output_padding": (2, 1)}, X2),
    Case("Conv2DTranspose", {**C2, "strides": 3, "padding": "same", "output_padding": 1}, X2),
    Case("Conv2DTranspose", {**C2, "activation": "relu", "use_bias": False}, X2),
    Case("Conv3DTranspose", {**C3, "padding": "same", "strides": 2}, X3, unknown=(0, 1, 2, 3)),
    Case("Conv3DTranspose", {**C3, "strides": 2, "output_padding": 1}, X3),
    first("Conv3DTranspose", C3, X3_FIRST),
    Case("Cropping2D", {"cropping": 1}, X2, unknown=OPEN2),
    first("Cropping2D", {"cropping": (1, 2)}, X2_FIRST),
    Case("ZeroPadding2D", {"padding": 1}, X2, unknown=OPEN2),
    first("ZeroPadding3D", {"padding": ((1, 0), (0, 2), (1, 1))}, X3_FIRST),
    first("UpSampling2D", {"size": (2, 3)}, X2_FIRST),
    first("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, X2_FIRST),
    first("UpSampling3D", {"size": 2}, X3_FIRST),
    Case("UpSampling2D", {}, X2, unknown=OPEN2),
    *(
        Case(f"{kind}Pooling{rank}D", options, shape)
        for kind in ("Max", "Average")
        for rank, shape in ((1, X1), (2, X2), (3, X3))
        for options in (
            {"pool_size": 2, "strides": 1},
            {"pool_size": 3, "strides": 2, "padding": "same"},
        )
    ),
    first("AveragePooling2D", {"pool_size": (2, 3), "strides": 1}, X2_FIRST),
    first("AveragePooling3D", {"padding": "same"}, X3_FIRST),
    first("MaxPooling1D", {}, (2, 3, 7)),
    *(
        Case(f"Global{kind}Pooling{rank}D", {}, shape, unknown=(0, 1))
        for kind in ("Max", "Average")
        for rank, shape in ((1, X1), (2, X2), (3, X3))
    ),
    first("GlobalAveragePooling2D", {}, X2_FIRST),
    first("GlobalMaxPooling3D", {}, X3_FIRST),
    first("GlobalMaxPooling1D", {}, (2, 3, 7)),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=identify)
def test_more_options_equal_tf_keras(case: Case) -> None:
    check(case)
