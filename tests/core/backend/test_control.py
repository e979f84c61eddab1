"""Choosing, mapping, folding, and the learning phase."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.backend import symbolic
from nbkeras.core.backend.symbolic import Call, call_scope


@pytest.fixture(autouse=True)
def _phase_is_free():
    yield
    symbolic.clear_learning_phase()


A, B = np.arange(6.0).reshape(3, 2), -np.ones((3, 2))


@pytest.mark.parametrize("condition", [True, False, 1, 0, np.bool_(True), tf.constant(False)])
@pytest.mark.parametrize("lazy", [False, True])
def test_switch_on_a_scalar(condition, lazy):
    then, other = (lambda: A, lambda: B) if lazy else (A, B)
    np.testing.assert_array_equal(K.switch(condition, then, other), A if condition else B)


def test_switch_runs_one_branch_only():
    calls = []
    K.switch(True, lambda: calls.append("then") or A, lambda: calls.append("else") or B)
    assert calls == ["then"]


@pytest.mark.parametrize(
    "condition",
    [
        np.array([True, False, True]),
        np.array([[True], [False], [True]]),
        np.array([[True, False], [False, False], [True, True]]),
        np.array([1, 0, 2]),
    ],
)
def test_switch_element_by_element(condition):
    expanded = condition.astype(bool).reshape(condition.shape + (1,) * (2 - condition.ndim))
    expected = np.where(expanded, A, B)
    np.testing.assert_array_equal(K.switch(condition, A, lambda: B), expected)
    symbol = K.placeholder(condition.shape, dtype=condition.dtype.name)
    result = K.switch(symbol, lambda: A, B)
    assert K.int_shape(result) == A.shape
    np.testing.assert_array_equal(K.function([symbol], [result])([condition])[0], expected)


def test_switch_with_too_many_axes():
    with pytest.raises(ValueError, match="more axes"):
        K.switch(np.ones((3, 2, 1), bool), A, B)


def test_switch_of_functions_that_hold_symbolic_tensors():
    x, flag = K.placeholder((2,)), K.placeholder((), dtype="bool")
    result = K.switch(flag, lambda: x * 2.0, lambda: x - 1.0)
    run = K.function([x, flag], [result])
    np.testing.assert_array_equal(run([[1.0, 2.0], True])[0], [2, 4])
    np.testing.assert_array_equal(run([[1.0, 2.0], False])[0], [0, 1])


def test_switch_passes_gradients_to_the_branch_taken():
    x = tf.Variable(3.0)
    for flag, slope in ((True, 6.0), (False, 1.0)):
        with tf.GradientTape() as tape:
            y = K.switch(tf.constant(flag), lambda: x * x, lambda: x + 0.0)
        assert float(tape.gradient(y, x)) == slope


@pytest.mark.parametrize(("training", "chosen"), [(True, "a"), (1, "a"), (False, "b"), (0, "b")])
def test_in_train_and_test_phase(training, chosen):
    a, b = tf.constant(1.0), tf.constant(2.0)
    other = {"a": b, "b": a}
    mine = {"a": a, "b": b}
    assert float(K.in_train_phase(lambda: a, b, training)) == float(mine[chosen])
    assert float(K.in_test_phase(a, lambda: b, training)) == float(other[chosen])
    assert float(K.in_train_phase(a, b, tf.constant(bool(training)))) == float(mine[chosen])


def test_phase_of_the_call_and_by_hand():
    with call_scope(Call(training=True)):
        assert K.learning_phase() == 1
        assert float(K.in_train_phase(1.0, 2.0)) == 1.0
    with call_scope(Call(training=False)):
        assert K.learning_phase() == 0
        assert float(K.in_train_phase(1.0, 2.0)) == 2.0
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    with pytest.raises(ValueError, match=r"0 \(test\) or 1 \(train\)"):
        K.set_learning_phase(2)
    assert K.learning_phase() == 1


def test_phase_as_an_input():
    x = K.placeholder((2,))
    result = K.in_train_phase(lambda: x * 10.0, x)
    run = K.function([x, K.learning_phase()], [result])
    np.testing.assert_array_equal(run([[1.0, 2.0], 1])[0], [10, 20])
    np.testing.assert_array_equal(run([[1.0, 2.0], 0])[0], [1, 2])


def plain(function, *arguments):
    return function(*arguments)


def graph(function, *arguments):
    return tf.function(function, autograph=False)(*arguments)


ELEMENTS = np.arange(1.0, 6.0).reshape(5, 1)


@pytest.mark.parametrize("how", [plain, graph])
def test_map_fn(how):
    np.testing.assert_array_equal(
        how(lambda x: K.map_fn(lambda e: e * e, x), tf.constant(ELEMENTS)), ELEMENTS**2
    )
    result = how(lambda x: K.map_fn(lambda e: e > 2, x, dtype="bool"), tf.constant(ELEMENTS))
    np.testing.assert_array_equal(result, ELEMENTS > 2)
    pair = how(
        lambda x: K.map_fn(lambda e: (e[0] + e[1], e[0]), (x, 2.0 * x)), tf.constant(ELEMENTS)
    )
    np.testing.assert_array_equal(pair[0], 3 * ELEMENTS)


@pytest.mark.parametrize("how", [plain, graph])
@pytest.mark.parametrize("start", [None, 100.0])
def test_folds(how, start):
    def fold(gathered, element):
        return gathered * 2 - element

    def reference(elements):
        gathered, rest = (elements[0], elements[1:]) if start is None else (start, elements)
        for element in rest:
            gathered = fold(gathered, element)
        return gathered

    elements = ELEMENTS.ravel()
    first = None if start is None else tf.constant(start, tf.float64)
    assert float(how(lambda x: K.foldl(fold, x, first), tf.constant(elements))) == reference(
        elements
    )
    assert float(how(lambda x: K.foldr(fold, x, first), tf.constant(elements))) == reference(
        elements[::-1]
    )


def test_loops_recorded():
    x = K.placeholder((None, 2))
    mapped = K.map_fn(lambda e: K.sum(e) * tf.ones((3,)), x)
    assert K.int_shape(mapped) == (None, 3)
    folded = K.foldl(lambda a, e: a + e, x)
    values = K.function([x], [mapped, folded])([[[1.0, 2.0], [3.0, 4.0]]])
    np.testing.assert_array_equal(values[0], [[3, 3, 3], [7, 7, 7]])
    np.testing.assert_array_equal(values[1], [4, 6])


def test_every_element_has_noise_of_its_own():
    @tf.function(autograph=False)
    def run():
        with call_scope(Call(training=True, seed=(tf.constant(3), tf.constant(0)))):
            mapped = K.map_fn(lambda e: e + K.random_uniform((2,)), tf.zeros((4, 2)))
            folded = K.foldl(lambda a, e: a + K.random_uniform((1,)) * 0 + e, tf.zeros((4, 1)))
            return mapped, folded

    assert len(np.unique(run()[0])) == 8


def test_stop_gradient():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        stopped, also = K.stop_gradient([x * x, x])
        y = stopped * x + also + K.stop_gradient(x)
    assert float(tape.gradient(y, x)) == 4.0
