"""Variables, constants, static facts, values and updates."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import config

VALUE = np.array([[1, 2], [3, 4]])


def test_variable():
    variable = K.variable(VALUE, dtype="float64", name="example", constraint=K.abs)
    assert isinstance(variable, tf.Variable)
    assert K.dtype(variable) == "float64"
    assert variable.name == "example:0"
    assert variable.constraint is K.abs
    np.testing.assert_array_equal(K.eval(variable), VALUE)
    assert K.dtype(K.variable(VALUE)) == "float32"
    assert K.dtype(K.variable(tf.constant(VALUE))) == "float32"
    assert K.dtype(K.variable(3, "int64")) == "int64"


def test_variable_of_a_sparse_matrix():
    for value in (scipy.sparse.csc_matrix(VALUE), tf.sparse.from_dense(VALUE)):
        tensor = K.variable(value)
        assert K.is_sparse(tensor)
        assert K.dtype(tensor) == "float32"
        np.testing.assert_array_equal(K.eval(tensor), VALUE)


def test_variable_of_nothing_yet():
    with pytest.raises(TypeError, match="has none yet"):
        K.variable(K.placeholder((2,)))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda **k: K.zeros((2, 3), **k), np.zeros((2, 3))),
        (lambda **k: K.ones((2, 3), **k), np.ones((2, 3))),
        (lambda **k: K.eye(3, **k), np.eye(3)),
        (lambda **k: K.eye((2, 3), **k), np.eye(2, 3)),
    ],
)
def test_filled_variables(make, expected):
    variable = make(dtype="float64", name="filled")
    assert isinstance(variable, tf.Variable)
    assert variable.dtype == "float64"
    assert "filled" in variable.name
    np.testing.assert_array_equal(variable, expected)
    assert make().dtype == "float32"


def test_filled_tensors_where_no_variable_can_be():
    assert not K.is_variable(tf.function(lambda: K.zeros((2,)))())
    x = K.placeholder((None, 3))
    symbol = K.ones((K.shape(x)[0], 2))
    np.testing.assert_array_equal(K.function([x], [symbol])([np.zeros((4, 3))])[0], np.ones((4, 2)))


def test_default_type_follows_floatx():
    config.set_floatx("float16")
    try:
        assert {K.dtype(make) for make in (K.zeros((1,)), K.constant(1), K.variable(1.0))} == {
            "float16"
        }
        assert K.cast_to_floatx(np.ones(2)).dtype == np.float16
        assert K.dtype(K.random_normal((2,))) == "float16"
    finally:
        config.set_floatx("float32")


def test_constants():
    np.testing.assert_array_equal(K.constant([1, 2], "int32"), [1, 2])
    np.testing.assert_array_equal(K.constant(5.0, shape=(2, 2)), np.full((2, 2), 5.0))
    np.testing.assert_array_equal(K.zeros_like(VALUE), np.zeros((2, 2)))
    assert K.ones_like(VALUE, dtype="float16").dtype == "float16"
    assert K.cast_to_floatx(tf.constant(VALUE)).dtype == "float32"
    np.testing.assert_array_equal(K.identity(VALUE), VALUE)


@pytest.mark.parametrize(
    "x",
    [np.zeros((2, 3)), tf.zeros((2, 3)), K.zeros((2, 3)), K.placeholder((2, 3)), [[0, 0, 0]] * 2],
    ids=["array", "tensor", "variable", "symbolic", "list"],
)
def test_static_facts(x):
    assert K.int_shape(x) == (2, 3)
    assert K.ndim(x) == 2
    assert K.count_params(x) == 6


def test_static_facts_not_known():
    assert K.int_shape(K.placeholder((None, 3))) == (None, 3)
    with pytest.raises(ValueError, match="not known before"):
        K.count_params(K.placeholder((None, 3)))

    @tf.function(input_signature=[tf.TensorSpec(None)], autograph=False)
    def look(x):
        assert K.int_shape(x) is None
        assert K.ndim(x) is None
        return K.shape(x)

    np.testing.assert_array_equal(look(np.zeros((2, 3), "float32")), [2, 3])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "bool"])
def test_dtype_of_all_kinds(dtype):
    x = np.zeros((2,), dtype)
    assert {
        K.dtype(x),
        K.dtype(tf.constant(x)),
        K.dtype(K.variable(x, dtype)),
        K.dtype(K.placeholder((2,), dtype=dtype)),
    } == {dtype}


def test_shape_is_computed():
    assert K.shape(VALUE).dtype == "int32"
    np.testing.assert_array_equal(K.shape(tf.sparse.from_dense(VALUE)), [2, 2])
    x = K.placeholder((None, 3))
    np.testing.assert_array_equal(K.function([x], [K.shape(x)])([np.zeros((5, 3))])[0], [5, 3])


def test_kinds_of_tensors():
    from nbkeras.core.models import Input

    entry, waiting, real = Input((3,)), K.placeholder((2,)), tf.zeros((2,))
    assert [K.is_keras_tensor(t) for t in (entry, waiting, real, K.abs(entry))] == [
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(ValueError, match="got ndarray"):
        K.is_keras_tensor(VALUE)
    assert [K.is_placeholder(t) for t in (entry, waiting, real, K.abs(entry))] == [
        True,
        True,
        False,
        False,
    ]
    assert K.is_sparse(K.placeholder((2, 2), sparse=True))
    assert not K.is_sparse(waiting)
    assert not K.is_sparse(real)


def test_sparse_placeholders():
    x = K.placeholder((None, 2), sparse=True)
    dense = K.to_dense(x)
    assert not K.is_sparse(dense)
    run = K.function([x], [dense, K.dot(x, tf.ones((2, 1)))])
    values = run([tf.sparse.from_dense(VALUE.astype("float32"))])
    np.testing.assert_array_equal(values[0], VALUE)
    np.testing.assert_array_equal(values[1], [[3], [7]])


# ---------------------------------------------------------------- values


def test_eval_of_all_kinds():
    for x in (VALUE, tf.constant(VALUE), K.variable(VALUE), tf.sparse.from_dense(VALUE)):
        np.testing.assert_array_equal(K.eval(x), VALUE)
    symbol = K.in_train_phase(K.variable(VALUE) * 2.0, K.variable(VALUE))
    assert not isinstance(symbol, np.ndarray)
    np.testing.assert_array_equal(K.eval(symbol), VALUE)
    with pytest.raises(ValueError, match="disconnected"):
        K.eval(K.abs(K.placeholder((2,))))


def test_values_read_are_copies():
    variable = K.variable(VALUE)
    value = K.get_value(variable)
    value[:] = 0
    np.testing.assert_array_equal(K.get_value(variable), VALUE)


def test_values_written():
    a, b = K.variable(1.0), K.variable(VALUE, "float64")
    K.set_value(a, 5)
    K.batch_set_value([(b, VALUE.tolist())])
    assert [np.asarray(v).tolist() for v in K.batch_get_value([a, b])] == [5.0, VALUE.tolist()]
    K.batch_set_value([])
    assert K.batch_get_value([]) == []


def test_a_wrong_value_changes_nothing():
    a, b = K.variable(1.0), K.variable(VALUE)
    with pytest.raises(ValueError, match=r"shape \(2, 2\); a value of shape \(3,\)"):
        K.batch_set_value([(a, 7.0), (b, [1, 2, 3])])
    assert K.get_value(a) == 1.0
    with pytest.raises(ValueError, match="could not convert"):
        K.batch_set_value([(a, 7.0), (b, [["a", "b"], ["c", "d"]])])
    assert K.get_value(a) == 1.0
    with pytest.raises(TypeError, match="Only variables"):
        K.set_value(tf.constant(1.0), 2.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_updates(dtype):
    x = K.variable(1.0, dtype)
    assert float(K.update(x, 2.0)) == 2.0
    assert float(K.update_add(x, 3.0)) == 5.0
    assert float(K.update_sub(x, 1.0)) == 4.0
    np.testing.assert_allclose(
        float(K.moving_average_update(x, 10.0, 0.9)), 4.0 * 0.9 + 10.0 * 0.1, rtol=1e-6
    )
    assert float(x) == pytest.approx(4.6, rel=1e-6 if dtype == "float32" else 1e-14)


def test_updates_recorded():
    x, variable = K.placeholder((2,)), K.variable([0.0, 0.0])
    run = K.function([x], [K.sum(x)], updates=[K.update_add(variable, x)])
    assert float(run([[1.0, 2.0]])[0]) == 3.0
    run([[1.0, 2.0]])
    np.testing.assert_array_equal(variable, [2, 4])


def test_print_tensor(capfd):
    x = K.print_tensor(tf.constant([1, 2, 3]), "x is:")
    np.testing.assert_array_equal(x, [1, 2, 3])
    assert capfd.readouterr().out == "x is: [1 2 3]\n"
    symbol = K.placeholder((3,))
    run = K.function([symbol], [K.print_tensor(symbol * 2.0, "twice")])
    np.testing.assert_array_equal(run([[1.0, 2.0, 3.0]])[0], [2, 4, 6])
    assert "twice [2 4 6]" in capfd.readouterr().out
