"""Keras 1's spellings work, warn once, and show the call of today."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest

from nbkeras.core import layers
from nbkeras.core.engine.spelling import Dropped, Joined, Renamed
from nbkeras.core.layers.keras_1 import KERAS_1

CALLS = [
    (
        lambda: layers.Dense(output_dim=3, init="uniform"),
        "Dense(units=3, kernel_initializer='uniform')",
    ),
    (lambda: layers.Dropout(p=0.3), "Dropout(rate=0.3)"),
    (
        lambda: layers.Conv2D(64, 3, 3, border_mode="same", input_shape=(3, 32, 32)),
        "Conv2D(64, (3, 3), input_shape=(3, 32, 32), padding='same')",
    ),
    (
        lambda: layers.Conv2D(nb_filter=4, nb_row=2, nb_col=3, subsample=(2, 2), dim_ordering="th"),
        "Conv2D(filters=4, kernel_size=(2, 3), strides=(2, 2), data_format='channels_first')",
    ),
    (lambda: layers.Conv1D(4, filter_length=3), "Conv1D(4, kernel_size=3)"),
    (lambda: layers.MaxPooling1D(pool_length=3, stride=1), "MaxPooling1D(pool_size=3, strides=1)"),
    (
        lambda: layers.MaxPooling2D((2, 2), border_mode="same"),
        "MaxPooling2D((2, 2), padding='same')",
    ),
    (
        lambda: layers.GlobalAveragePooling2D(dim_ordering="default"),
        "GlobalAveragePooling2D(data_format=None)",
    ),
    (
        lambda: layers.LSTM(
            output_dim=4, inner_init="zeros", forget_bias_init="one", dropout_W=0.2
        ),
        "LSTM(units=4, recurrent_initializer='zeros', unit_forget_bias=True, dropout=0.2)",
    ),
    (lambda: layers.GRU(4, consume_less="gpu"), "GRU(4, implementation=2)"),
    (lambda: layers.SimpleRNN(4, dropout_U=0.1), "SimpleRNN(4, recurrent_dropout=0.1)"),
    (
        lambda: layers.Embedding(9, 3, W_regularizer="l2", dropout=0.0),
        "Embedding(9, 3, embeddings_regularizer='l2')",
    ),
    (lambda: layers.GaussianNoise(sigma=0.1), "GaussianNoise(stddev=0.1)"),
]


@pytest.mark.parametrize(("call", "today"), CALLS, ids=[today for _, today in CALLS])
def test_the_old_call_is_the_new_one(call: Any, today: str) -> None:
    with pytest.warns(DeprecationWarning, match="as in Keras 1") as caught:
        old = call()
    assert len(caught) == 1
    assert f"Write {today}." in str(caught[0].message)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        new = eval(today, vars(layers))
    skip = {"name", "cell"}
    assert {k: v for k, v in old.get_config().items() if k not in skip} == {
        k: v for k, v in new.get_config().items() if k not in skip
    }


def test_every_rule_leads_to_an_argument_that_exists() -> None:
    for cls, rules in KERAS_1.items():
        known = inspect.signature(cls.__init__).parameters
        for old, rule in rules.items():
            assert old not in known
            name = rule.name if isinstance(rule, Renamed | Joined) else rule
            assert isinstance(rule, Dropped) or name in known, (cls, old)


def test_three_numbers_are_todays_arguments_without_an_old_name() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layers.Conv2D(64, 3, 2).strides == (2, 2)


def test_old_and_new_together_are_refused() -> None:
    with pytest.raises(TypeError, match="both 'units' and 'output_dim'"):
        layers.Dense(units=3, output_dim=4)
    with pytest.raises(TypeError, match="'nb_col' is missing"):
        layers.Conv2D(3, nb_row=3)
    with pytest.raises(ValueError, match="SpatialDropout1D"):
        layers.Embedding(9, 3, dropout=0.5)


def test_a_subclass_with_such_an_argument_of_its_own_keeps_it() -> None:
    class Mine(layers.Dense):
        def __init__(self, output_dim: int, **kwargs: Any) -> None:
            super().__init__(output_dim, **kwargs)
            self.output_dim = output_dim

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Mine(output_dim=3).units == 3
