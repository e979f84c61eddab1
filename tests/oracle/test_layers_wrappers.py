"""Wrappers and locally connected layers equal tf_keras over a grid of their options."""

from __future__ import annotations

import pytest

from tests.oracle.layer_oracle import Case, Inner, check, identify

X = (3, 5, 4)
IMAGES = (2, 3, 5, 4, 2)
OPEN = (0, 1)
MASKED = (2, 0, 4)
LSTM = {"units": 3, "recurrent_activation": "hard_sigmoid"}
GRU = {"units": 3, "recurrent_activation": "hard_sigmoid"}
MODES = ("concat", "sum", "mul", "ave", None)


def both_ways(mode: str | None, options: dict, name: str = "LSTM", **more: object) -> Case:
    theirs = {"reset_after": False} if name == "GRU" else {}
    inner = Inner(name, {**(GRU if name == "GRU" else LSTM), **options}, theirs)
    return Case("Bidirectional", {"layer": inner, "merge_mode": mode}, X, **more)


FIRST = {"data_format": "channels_first"}

QUICK = [
    Case("TimeDistributed", {"layer": Inner("Dense", {"units": 3})}, X, unknown=OPEN),
    Case("TimeDistributed", {"layer": Inner("Dense", {"units": 3})}, X, masked=MASKED),
    Case("TimeDistributed", {"layer": Inner("Conv2D", {"filters": 3, "kernel_size": 2})}, IMAGES),
    Case("TimeDistributed", {"layer": Inner("BatchNormalization")}, X),
    Case("TimeDistributed", {"layer": Inner("LSTM", LSTM)}, (2, 3, 4, 2), unknown=OPEN),
    Case("TimeDistributed", {"layer": Inner("Flatten")}, (2, 3, 4, 2)),
    *(both_ways(mode, {"return_sequences": True}) for mode in MODES),
    both_ways("concat", {}, unknown=OPEN, masked=MASKED),
    both_ways("sum", {"return_sequences": True, "return_state": True}, "GRU", masked=MASKED),
    both_ways("concat", {"return_state": True, "go_backwards": True}),
    *(
        Case("LocallyConnected1D", {"filters": 3, "kernel_size": 2, "implementation": i}, X)
        for i in (1, 2, 3)
    ),
    *(
        Case(
            "LocallyConnected2D",
            {"filters": 3, "kernel_size": (2, 3), "implementation": i, "activation": "tanh"},
            (2, 4, 5, 2),
        )
        for i in (1, 2, 3)
    ),
]

SLOW = [
    *(
        Case(
            name,
            {"filters": 3, "kernel_size": 2, "implementation": i, **options},
            shape,
        )
        for name, shape in (("LocallyConnected1D", X), ("LocallyConnected2D", (2, 4, 5, 2)))
        for i in (1, 2, 3)
        for options in ({"strides": 2}, {"use_bias": False}, FIRST, {"kernel_regularizer": "l2"})
    ),
    *(
        Case(
            "LocallyConnected2D",
            {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "implementation": i},
            (2, 4, 5, 2),
        )
        for i in (2, 3)
    ),
    *(both_ways(mode, {}, name) for mode in MODES for name in ("LSTM", "GRU")),
]


@pytest.mark.parametrize("case", QUICK, ids=identify)
def test_equals_tf_keras(case: Case) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=identify)
def test_more_options_equal_tf_keras(case: Case) -> None:
    check(case)
