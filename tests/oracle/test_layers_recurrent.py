"""Recurrent layers equal tf_keras over a grid of their options."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, Inner, check, identify

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

IMAGES = (2, 3, 5, 4, 2)
CONV = {"filters": 2, "kernel_size": (2, 3)}
CELLS = [
    Inner("LSTMCell", {"units": 3, **HARD}),
    Inner("GRUCell", {"units": 4, **SIGMOID}, {"reset_after": False}),
]

QUICK = [
    *rows("SimpleRNN", {}, {}, FEW),
    *rows("GRU", {}, {**HARD, "reset_after": False}, FEW),
    *rows("GRU", {"reset_after": True, **SIGMOID}, {}, FEW[:2]),
    *rows("LSTM", {}, HARD, FEW),
    *rows("LSTM", {"implementation": 2, **SIGMOID}, {}, FEW[:2]),
    Case("RNN", {"cell": CELLS}, X),
    Case("RNN", {"cell": CELLS, "return_sequences": True}, X, unknown=OPEN, masked=MASKED),
    Case("RNN", {"cell": Inner("SimpleRNNCell", {"units": 3}), "unroll": True}, X),
    Case("ConvLSTM2D", CONV, IMAGES),
    Case(
        "ConvLSTM2D",
        {**CONV, "return_sequences": True, "padding": "same"},
        IMAGES,
        unknown=(0, 1, 2, 3),
    ),
    Case("ConvLSTM2D", {**CONV, "return_state": True, "strides": 2}, IMAGES, unknown=OPEN),
]

SLOW = [
    *rows("SimpleRNN", {}, {}, MORE),
    *rows("GRU", {}, {**HARD, "reset_after": False}, MORE),
    *rows("GRU", {"reset_after": True, "implementation": 2}, HARD, MORE),
    *rows("LSTM", {}, HARD, MORE),
    *rows("LSTM", {"implementation": 2, "unit_forget_bias": False}, HARD, MORE),
    Case("ConvLSTM2D", {**CONV, "dilation_rate": (2, 1), "use_bias": False}, IMAGES),
    Case("ConvLSTM2D", {**CONV, "go_backwards": True, **SIGMOID, "activation": "relu"}, IMAGES),
    Case("ConvLSTM2D", {**CONV, "stateful": True, "return_sequences": True}, IMAGES, unknown=()),
    Case("ConvLSTM2D", {**CONV, **PENALTIES, "unit_forget_bias": False}, IMAGES),
    Case(
        "ConvLSTM2D",
        {**CONV, "data_format": "channels_first", "return_sequences": True},
        (2, 3, 2, 5, 4),
        {"data_format": "channels_last"},
        turn=2,
    ),
    Case(
        "ConvLSTM2D",
        {**CONV, "data_format": "channels_first", "padding": "same"},
        (2, 3, 2, 5, 4),
        {"data_format": "channels_last"},
        turn=2,
    ),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=identify)
def test_more_options_equal_tf_keras(case: Case) -> None:
    check(case)
