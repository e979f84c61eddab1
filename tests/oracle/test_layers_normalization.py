"""Batch normalization equals tf_keras over a grid of its options."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, check, identify

QUICK = [
    Case("BatchNormalization", {}, (6, 4)),
    Case("BatchNormalization", {}, (3, 5, 4, 3)),
    Case("BatchNormalization", {"axis": 1}, (3, 3, 5, 4), {"axis": -1}, turn=1),
    Case("BatchNormalization", {}, (3, 5, 4)),
    Case("BatchNormalization", {"axis": 1}, (3, 5, 4)),
    Case("BatchNormalization", {"axis": 2}, (3, 5, 4, 3)),
    Case("BatchNormalization", {}, (2, 3, 2, 4, 3)),
    Case("BatchNormalization", {"center": False}, (3, 5, 4, 3)),
    Case("BatchNormalization", {"scale": False, "momentum": 0.5, "epsilon": 0.1}, (6, 4)),
    Case("BatchNormalization", {"trainable": False}, (3, 5, 4, 3)),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)
