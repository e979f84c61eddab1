"""Variables are made without leaving anything in TensorFlow."""

from __future__ import annotations

import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.backend.variables import make_variable
from nbkeras.core.layers import BatchNormalization, Dense
from nbkeras.core.models import Sequential


@pytest.fixture
def told():
    """What TensorFlow is told of each new variable: its name, and the scope it is made in."""
    seen = []

    def creator(create, **kwargs):
        with tf.name_scope("x") as scope:
            seen.append((kwargs["name"], scope))
        return create(**kwargs)

    with tf.variable_creator_scope(creator):
        yield seen


def test_names_are_ours_alone(told):
    model = Sequential([Dense(3, input_shape=(2,)), BatchNormalization(name="norm")])
    model.compile("adam", "mse")
    model.train_on_batch([[1.0, 2.0]], [[0.0, 0.0, 0.0]])
    assert len(told) > 6 + 2 * 4
    assert len({where for where in told if where[0] == "variable"}) == 1
    assert {name for name, _ in told} <= {"variable", "rng"}
    assert model.layers[1].gamma.name == "norm/gamma:0"


def test_scopes():
    with tf.name_scope("outer"):
        assert make_variable(1.0, "inner").name == "outer/inner:0"
    assert make_variable(1.0).name == "Variable:0"
    assert K.variable(1.0, name="mine").name == "mine:0"


def test_what_tensorflow_takes():
    variable = make_variable([1, 2], "v", dtype="float64", trainable=False)
    assert (variable.dtype.name, variable.trainable) == ("float64", False)


def test_copies_on_replicas():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope(), tf.name_scope("layer"):
        variable = make_variable(1.0, "kernel")
    assert variable.name == "layer/kernel:0"
    assert [copy.name for copy in variable.values] == ["layer/kernel:0"]
