"""Core layers equal tf_keras over a grid of their options."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, check, identify

PENALTIES = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2"}
STARTS = {"kernel_initializer": "he_normal", "bias_initializer": "ones"}

QUICK = [
    Case("Dense", {"units": 4}, (3, 5)),
    Case("Dense", {"units": 4, "activation": "softmax", **STARTS}, (3, 2, 5), unknown=(0, 1)),
    Case("Dense", {"units": 4, **PENALTIES}, (3, 5)),
    Case("Dense", {"units": 4, "use_bias": False, "kernel_constraint": "non_neg"}, (3, 5)),
    Case("Activation", {"activation": "tanh"}, (3, 5)),
    Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (3, 5)),
    Case("Dropout", {"rate": 0.0}, (3, 5)),
    Case("Flatten", {}, (3, 2, 4)),
    Case("Flatten", {"data_format": "channels_first"}, (3, 2, 4, 3)),
    Case("Reshape", {"target_shape": (4, -1)}, (3, 2, 8)),
    Case("Reshape", {"target_shape": (-1, 2)}, (3, 5, 4), unknown=(0, 1)),
    Case("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 5)),
    Case("RepeatVector", {"n": 3}, (3, 5)),
    Case("Masking", {"mask_value": 0.0}, (3, 5, 2), masked=(1, 0, 4)),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)
