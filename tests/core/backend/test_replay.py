"""placeholder, function and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K


def test_placeholder():
    assert K.int_shape(K.placeholder(shape=(2, 4, 5))) == (2, 4, 5)
    assert K.int_shape(K.placeholder(ndim=3)) == (None, None, None)
    assert K.int_shape(K.placeholder(shape=(None, 4), ndim=3)) == (None, 4)
    assert K.dtype(K.placeholder((2,))) == "float32"
    assert K.placeholder((2,), name="images").name == "images"
    with pytest.raises(ValueError, match=r"K\.placeholder\(ndim=2\)"):
        K.placeholder()


def test_function_of_several_inputs_and_outputs():
    x, y = K.placeholder((None, 2)), K.placeholder((None, 2))
    run = K.function([x, y], [x + y, K.sum(x * y), x])
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
    for size in (2, 1):
        total, product, same = run([a[:size], b[:size]])
        np.testing.assert_array_equal(total, a[:size] + b[:size])
        assert product == (a[:size] * b[:size]).sum()
        np.testing.assert_array_equal(same, a[:size])
        assert isinstance(total, np.ndarray)


def test_function_with_updates():
    x, counter = K.placeholder(()), K.variable(10.0)
    run = K.function([x], [x + counter], updates=[(counter, x + counter)])
    assert run([1.0]) == [11.0]
    assert run([1.0]) == [12.0]
    assert K.get_value(counter) == 12.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f(1.0), TypeError, "list of inputs"),
        (lambda f: f([1.0, 2.0]), ValueError, "has 1 inputs; got 2"),
    ],
)
def test_function_called_in_another_way(call, error, message):
    x = K.placeholder(())
    with pytest.raises(error, match=message):
        call(K.function([x], [x * 2.0]))


def test_function_that_cannot_be():
    x, y = K.placeholder(()), K.placeholder((), name="forgotten")
    with pytest.raises(ValueError, match="forgotten"):
        K.function([x], [x * y])
    with pytest.raises(ValueError, match="options"):
        K.function([x], [x * 2.0], options=1)


def test_gradients_of_tensors_and_variables():
    x, w = K.placeholder((3,)), K.variable([1.0, 2.0, 3.0])
    loss = K.sum(K.square(x) * w)
    slopes = K.gradients(loss, [x, w])
    assert [K.int_shape(slope) for slope in slopes] == [(3,), (3,)]
    by_x, by_w = K.function([x], slopes)([[1.0, -1.0, 2.0]])
    np.testing.assert_array_equal(by_x, [2, -4, 12])
    np.testing.assert_array_equal(by_w, [1, 1, 4])
    assert len(K.gradients(loss, x)) == 1


def test_gradients_of_gradients():
    x = K.placeholder((2,))
    (first,) = K.gradients(K.sum(x**3), [x])
    (second,) = K.gradients(K.sum(first), [x])
    np.testing.assert_allclose(K.function([x], [second])([[1.0, 2.0]])[0], [6, 12])


def test_gradients_of_what_is_between():
    x = K.placeholder((2,))
    hidden = K.square(x)
    run = K.function([x], K.gradients(K.sum(hidden * hidden), [hidden]))
    np.testing.assert_array_equal(run([[1.0, 2.0]])[0], [2, 8])


def test_gradients_of_the_unconnected_and_of_rows():
    x, rows = K.placeholder((2,)), K.placeholder((2,), dtype="int32")
    other, table = K.variable([1.0, 2.0]), K.variable(np.ones((4, 2)))
    loss = K.sum(K.gather(table, rows) * x)
    run = K.function([x, rows], K.gradients(loss, [other, table]))
    unconnected, by_table = run([[5.0, 6.0], [1, 1]])
    np.testing.assert_array_equal(unconnected, [0, 0])
    np.testing.assert_array_equal(by_table, [[0, 0], [10, 12], [0, 0], [0, 0]])


def test_gradients_inside_a_graph():
    @tf.function(autograph=False)
    def slope(x):
        return K.gradients(K.sum(x**2), [x])[0]

    np.testing.assert_array_equal(slope(tf.constant([3.0])), [6])


@pytest.mark.parametrize(
    "operate",
    [
        lambda w, x: w + x,
        lambda w, x: w - x,
        lambda w, x: w * x,
        lambda w, x: w / x,
        lambda w, x: w**x,
        lambda w, x: w // x,
        lambda w, x: w % x,
        lambda w, x: K.cast(w > x, "float32"),
        lambda w, x: K.cast(w <= x, "float32"),
    ],
)
def test_a_variable_before_a_symbolic_tensor_is_read_when_it_is_needed(operate):
    x, w = K.placeholder((2,)), K.variable([1.0, 2.0])
    compute = K.function([x], [operate(w, x)])
    given = np.array([3.0, 5.0], "float32")
    for value in ([1.0, 2.0], [7.0, 4.0]):
        K.set_value(w, value)
        expected = operate(tf.constant(value), tf.constant(given))
        np.testing.assert_allclose(compute([given])[0], expected, rtol=1e-6)


def test_gradients_reach_a_variable_before_a_symbolic_tensor():
    x, w = K.placeholder((2,)), K.variable([1.0, 2.0])
    slope = K.function([x], K.gradients(K.sum(w * x), [w]))
    np.testing.assert_allclose(slope([[3.0, 5.0]])[0], [3.0, 5.0])


def test_variables_among_themselves_are_as_ever():
    a, b = K.variable([1.0, 2.0]), K.variable([3.0, 1.0])
    np.testing.assert_allclose(a + b, [4.0, 3.0])
    np.testing.assert_allclose(2.0 * a - 1, [1.0, 3.0])
    assert (a > b).numpy().tolist() == [False, True]
