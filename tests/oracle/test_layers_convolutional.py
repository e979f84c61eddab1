"""Convolutions, padding and pooling equal tf_keras over a grid of their options."""

from __future__ import annotations

import pytest
from tests.oracle.layer_oracle import Case, check, identify

FIRST = {"data_format": "channels_first"}
LAST = {"data_format": "channels_last"}

QUICK = [
    Case("Conv1D", {"filters": 4, "kernel_size": 3}, (2, 7, 3)),
    Case("Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal"}, (2, 7, 3)),
    Case("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}, (2, 6, 5, 3)),
    Case(
        "Conv2D",
        {"filters": 4, "kernel_size": (2, 3), "padding": "same", **FIRST},
        (2, 3, 6, 5),
        LAST,
        turn=True,
    ),
    Case("Conv3D", {"filters": 2, "kernel_size": 2}, (2, 4, 3, 4, 2)),
    Case("MaxPooling1D", {}, (2, 7, 3)),
    Case("MaxPooling2D", {}, (2, 7, 6, 3)),
    Case("MaxPooling2D", {**FIRST}, (2, 3, 7, 6), LAST, turn=True),
    Case("AveragePooling2D", {"padding": "same"}, (2, 7, 6, 3)),
    Case("MaxPooling3D", {}, (2, 5, 4, 4, 2)),
    Case("GlobalAveragePooling1D", {}, (2, 5, 3), masked=(2, 0)),
    Case("GlobalMaxPooling2D", {}, (2, 5, 4, 3)),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)
