"""Recurrent layers equal tf_keras over a grid of their options."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, check, identify

X = (3, 5, 4)
HARD = {"recurrent_activation": "hard_sigmoid"}
SIGMOID = {"recurrent_activation": "sigmoid"}
OPEN = (0, 1)
MASKED = (2, 0, 4)
PENALTIES = {
    "kernel_regularizer": "l2",
    "recurrent_regularizer": "l1",
    "bias_regularizer": "l2",
    "activity_regularizer": "l2",
    "kernel_constraint": "max_norm",
    "recurrent_constraint": "non_neg",
}


def rows(name: str, base: dict, theirs: dict, options: list[tuple]) -> list[Case]:
    return [
        Case(name, {"units": 3, **base, **more}, X, theirs, unknown=unknown, masked=masked)
        for more, unknown, masked in options
    ]


FEW = [
    ({}, (0,), ()),
    ({"return_sequences": True}, OPEN, MASKED),
    ({"return_state": True, "go_backwards": True}, (), MASKED),
    ({"unroll": True, "return_sequences": True}, (0,), MASKED),
]
MORE = [
    ({"return_sequences": True}, (0,), ()),
    ({}, OPEN, ()),
    ({}, OPEN, MASKED),
    ({"go_backwards": True, "return_sequences": True}, OPEN, ()),
    ({"unroll": True}, (0,), ()),
    ({"use_bias": False, "return_state": True, "return_sequences": True}, (0,), MASKED),
    ({"activation": "relu"}, (0,), ()),
    (PENALTIES, (0,), ()),
    ({"stateful": True}, (), ()),
    ({"stateful": True, "return_sequences": True}, (), MASKED),
]

QUICK = [
    *rows("SimpleRNN", {}, {}, FEW),
    *rows("GRU", {}, {**HARD, "reset_after": False}, FEW),
    *rows("GRU", {"reset_after": True, **SIGMOID}, {}, FEW[:2]),
    *rows("LSTM", {}, HARD, FEW),
    *rows("LSTM", {"implementation": 2, **SIGMOID}, {}, FEW[:2]),
]

SLOW = [
    *rows("SimpleRNN", {}, {}, MORE),
    *rows("GRU", {}, {**HARD, "reset_after": False}, MORE),
    *rows("GRU", {"reset_after": True, "implementation": 2}, HARD, MORE),
    *rows("LSTM", {}, HARD, MORE),
    *rows("LSTM", {"implementation": 2, "unit_forget_bias": False}, HARD, MORE),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=identify)
def test_more_options_equal_tf_keras(case: Case) -> None:
    check(case)
