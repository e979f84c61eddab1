"""Layers of several inputs, embeddings, and activations equal tf_keras over a grid."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, check, identify

PAIR = [(3, 4, 2), (3, 4, 2)]
THREE = [*PAIR, (3, 4, 2)]
STRETCHED = [(3, 4, 2), (3, 1, 2)]
RANKS = [(3, 4, 2), (3, 2)]

QUICK = [
    *(Case(name, {}, THREE) for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    Case("Subtract", {}, PAIR),
    Case("Add", {}, STRETCHED, unknown=(0, 1)),
    Case("Multiply", {}, RANKS),
    Case("Add", {}, PAIR, masked=(1, 2, 0)),
    Case("Concatenate", {}, [(3, 4, 2), (3, 4, 5)], unknown=(0, 1)),
    Case("Concatenate", {"axis": 1}, [(3, 4, 2), (3, 1, 2)]),
    Case("Concatenate", {"axis": 1}, [(3, 4, 2), (3, 5, 2)], masked=(1, 2, 0)),
    Case("Dot", {"axes": 1}, [(3, 4), (3, 4)]),
    Case("Dot", {"axes": 1, "normalize": True}, [(3, 4), (3, 4)]),
    Case("Dot", {"axes": (2, 1)}, [(3, 4, 2), (3, 2, 5)]),
    Case("Dot", {"axes": -1, "normalize": True}, [(3, 4, 2), (3, 5, 2)]),
    Case("Dot", {"axes": 2}, [(3, 4, 2), (3, 5, 2)], unknown=(0, 1)),
    Case("Embedding", {"input_dim": 7, "output_dim": 3}, (4, 5), integers=7),
    Case("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, (4, 5), integers=7),
    Case(
        "Embedding",
        {"input_dim": 7, "output_dim": 3, "input_length": 5, "embeddings_regularizer": "l2"},
        (4, 5),
        integers=7,
    ),
    Case("LeakyReLU", {"alpha": 0.2}, (3, 5)),
    Case("PReLU", {}, (3, 4, 5)),
    Case("PReLU", {"shared_axes": [1, 2], "alpha_regularizer": "l2"}, (2, 4, 5, 3)),
    Case("ELU", {"alpha": 0.5}, (3, 5)),
    Case("ThresholdedReLU", {"theta": 0.5}, (3, 5)),
    Case("Softmax", {}, (3, 5)),
    Case("Softmax", {"axis": 1}, (3, 4, 5)),
    Case("ReLU", {}, (3, 5)),
    Case("ReLU", {"max_value": 0.8, "negative_slope": 0.1, "threshold": 0.2}, (3, 5)),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)
