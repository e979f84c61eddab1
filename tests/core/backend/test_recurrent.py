"""K.rnn against a loop that anyone can read, in Python, in a graph and under XLA."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.backend.symbolic import Call, call_scope

SAMPLES, TIME, FEATURES, UNITS = 3, 5, 2, 4


def weights(dtype="float32"):
    generator = np.random.default_rng(1)
    return (
        generator.normal(size=(FEATURES, UNITS)).astype(dtype),
        generator.normal(size=(UNITS, UNITS)).astype(dtype) / 2,
    )


def series(dtype="float32"):
    return np.random.default_rng(2).normal(size=(SAMPLES, TIME, FEATURES)).astype(dtype)


def start(dtype="float32"):
    return np.random.default_rng(3).normal(size=(SAMPLES, UNITS)).astype(dtype)


MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 0], [1, 0, 1, 0, 1]], bool)


def step(w, u):
    """Two states, and an output that is neither of them."""

    def compute(x, states):
        hidden = tf.tanh(tf.matmul(x, w) + tf.matmul(states[0], u))
        return 2.0 * hidden, [hidden, states[1] + tf.reduce_sum(hidden, 1, keepdims=True)]

    return compute


def plain_loop(x, w, u, h0, mask=None, go_backwards=False, zero_output=False):
    """The definition, one sample and one step at a time."""
    outputs = np.zeros((SAMPLES, TIME, UNITS), x.dtype)
    states = [np.array(h0), np.zeros((SAMPLES, 1), x.dtype)]
    for n in range(SAMPLES):
        h, total, previous = h0[n], np.zeros(1, x.dtype), np.zeros(UNITS, x.dtype)
        order = range(TIME)[::-1] if go_backwards else range(TIME)
        for place, t in enumerate(order):
            if mask is None or mask[n, t]:
                h = np.tanh(x[n, t] @ w + h @ u)
                total = total + h.sum(keepdims=True)
                y = 2.0 * h
            else:
                y = np.zeros_like(previous) if zero_output else previous
            outputs[n, place] = previous = y
        states[0][n], states[1][n] = h, total
    return outputs[:, -1], outputs, states


def initial(dtype="float32"):
    return [tf.constant(start(dtype)), tf.zeros((SAMPLES, 1), dtype)]


def check(result, expected, tolerance=1e-5):
    last, outputs, states = result
    np.testing.assert_allclose(last, expected[0], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(outputs, expected[1], rtol=tolerance, atol=tolerance)
    assert isinstance(states, list)
    for state, value in zip(states, expected[2], strict=True):
        np.testing.assert_allclose(state, value, rtol=tolerance, atol=tolerance)


def eager(call):
    return call()


def graph(call):
    return tf.function(call, autograph=False)()


def compiled(call):
    return tf.function(call, autograph=False, jit_compile=True)()


@pytest.mark.parametrize("how", [eager, graph, compiled])
@pytest.mark.parametrize(
    ("masked", "go_backwards", "unroll"), list(itertools.product((False, True), repeat=3))
)
def test_equals_a_plain_loop(masked, go_backwards, unroll, how):
    x, (w, u), mask = series(), weights(), MASK if masked else None
    result = how(
        lambda: K.rnn(
            step(w, u),
            tf.constant(x),
            initial(),
            go_backwards=go_backwards,
            mask=mask,
            unroll=unroll,
        )
    )
    check(result, plain_loop(x, w, u, start(), mask, go_backwards))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_types(dtype):
    x, (w, u) = series(dtype), weights(dtype)
    result = graph(lambda: K.rnn(step(w, u), tf.constant(x), initial(dtype), mask=MASK))
    assert result[0].dtype == dtype
    expected = plain_loop(x, w, u, start(dtype), MASK)
    check(result, expected, 2e-2 if dtype == "float16" else 1e-12)


@pytest.mark.parametrize("mask", [MASK, MASK[..., None], MASK.astype("float32")])
def test_masks_of_every_form(mask):
    x, (w, u) = series(), weights()
    check(
        graph(lambda: K.rnn(step(w, u), tf.constant(x), initial(), mask=mask)),
        plain_loop(x, w, u, start(), MASK),
    )


def test_zero_output_for_mask():
    x, (w, u) = series(), weights()
    for how in (eager, graph):
        check(
            how(
                lambda: K.rnn(
                    step(w, u), tf.constant(x), initial(), mask=MASK, zero_output_for_mask=True
                )
            ),
            plain_loop(x, w, u, start(), MASK, zero_output=True),
        )


def test_lengths_are_a_mask():
    x, (w, u) = series(), weights()
    mask = np.arange(TIME) < np.array([[5], [2], [3]])
    for go_backwards in (False, True):
        result = graph(
            lambda back=go_backwards: K.rnn(
                step(w, u),
                tf.constant(x),
                initial(),
                go_backwards=back,
                input_length=tf.constant([5, 2, 3]),
            )
        )
        check(result, plain_loop(x, w, u, start(), mask, go_backwards))


def test_a_number_of_steps_as_input_length_changes_nothing():
    x, (w, u) = series(), weights()
    check(
        graph(lambda: K.rnn(step(w, u), tf.constant(x), initial(), input_length=TIME)),
        plain_loop(x, w, u, start()),
    )


def test_time_major():
    x, (w, u) = series(), weights()
    last, outputs, states = graph(
        lambda: K.rnn(
            step(w, u),
            tf.constant(np.swapaxes(x, 0, 1)),
            initial(),
            mask=MASK.T,
            time_major=True,
        )
    )
    check((last, np.swapaxes(outputs, 0, 1), states), plain_loop(x, w, u, start(), MASK))


def test_constants_follow_the_states():
    seen = []

    def compute(x, states):
        seen.append(len(states))
        return x + states[1], [states[0]]

    last, _, states = K.rnn(
        compute, tf.ones((1, 2, 1)), [tf.zeros((1, 1))], constants=[tf.constant(10.0)]
    )
    assert set(seen) == {2}
    assert float(last[0, 0]) == 11.0
    assert len(states) == 1


def test_last_output_only():
    x, (w, u) = series(), weights()
    for how in (eager, graph):
        last, outputs, _ = how(
            lambda: K.rnn(step(w, u), tf.constant(x), initial(), return_all_outputs=False)
        )
        expected = plain_loop(x, w, u, start())
        np.testing.assert_allclose(last, expected[0], rtol=1e-5, atol=1e-5)
        assert outputs.shape == (SAMPLES, 1, UNITS)


def test_images_over_time():
    """Steps of any rank, as convolutional recurrent layers have them, with a mask."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4, 1)).astype("float32")
    mask = np.array([[True, False, True], [True, True, False]])

    def compute(x, states):
        return states[0] + x, [states[0] + x]

    _, outputs, (state,) = graph(
        lambda: K.rnn(compute, tf.constant(x), [tf.zeros((2, 4, 4, 1))], mask=mask)
    )
    expected = np.cumsum(x * mask[:, :, None, None, None], axis=1)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(state, expected[:, -1], rtol=1e-5, atol=1e-6)


def test_nested_inputs_and_outputs():
    def compute(x, states):
        return {"sum": x["a"] + x["b"]}, [states[0] + x["a"]]

    inputs = {"a": tf.ones((2, 3, 1)), "b": 2 * tf.ones((2, 3, 1))}
    for how in (eager, graph):
        last, outputs, (state,) = how(lambda: K.rnn(compute, inputs, [tf.zeros((2, 1))], mask=None))
        assert float(last["sum"][0, 0]) == 3.0
        assert outputs["sum"].shape == (2, 3, 1)
        assert float(state[0, 0]) == 3.0


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_equal_those_of_unrolled_steps(masked, jit):
    x, mask = tf.constant(series()), MASK if masked else None
    w, u = (tf.Variable(value) for value in weights())

    def slopes(unroll):
        with tf.GradientTape() as tape:
            tape.watch(x)
            last, outputs, _ = K.rnn(step(w, u), x, initial(), mask=mask, unroll=unroll)
            loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(last)
        return tape.gradient(loss, [x, w, u])

    looped = tf.function(lambda: slopes(False), autograph=False, jit_compile=jit)()
    for a, b in zip(looped, slopes(True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_shapes_are_kept():
    """With a batch and a time that are not known until values come."""
    w, u = weights()

    @tf.function(
        autograph=False,
        input_signature=[tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((None, UNITS))],
    )
    def run(x, h):
        last, outputs, states = K.rnn(step(w, u), x, [h, h[:, :1] * 0], mask=x[:, :, 0] > -9)
        assert last.shape.as_list() == [None, UNITS]
        assert outputs.shape.as_list() == [None, None, UNITS]
        assert [state.shape.as_list() for state in states] == [[None, UNITS], [None, 1]]
        return last, outputs, states

    check(run(series(), start()), plain_loop(series(), w, u, start()))


def test_recorded_on_symbolic_tensors():
    w, u = weights()
    x, h = K.placeholder((None, TIME, FEATURES)), K.placeholder((None, UNITS))
    last, outputs, states = K.rnn(step(w, u), x, [h, h[:, :1] * 0.0])
    assert K.int_shape(last) == (None, UNITS)
    assert K.int_shape(outputs) == (None, TIME, UNITS)
    run = K.function([x, h], [last, outputs, *states])
    result = run([series(), start()])
    check((result[0], result[1], result[2:]), plain_loop(series(), w, u, start()))


def test_every_step_has_noise_of_its_own():
    def noisy(x, states):
        return K.random_uniform((1, 4)), [states[0]]

    @tf.function(autograph=False)
    def run(number):
        with call_scope(Call(training=True, seed=(tf.constant(3), number))):
            return K.rnn(noisy, tf.ones((1, 6, 1)), [tf.zeros((1, 1))])[1][0]

    first, again, second = run(0), run(0), run(1)
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(np.concatenate([first, second]))) == 6 * 4 * 2


def test_bad_calls_say_what_to_write():
    w, u = weights()
    with pytest.raises(ValueError, match="three axes or more"):
        K.rnn(step(w, u), tf.ones((3, 2)), initial())
    with pytest.raises(ValueError, match="keeps its states"):
        K.rnn(lambda x, s: (x, []), tf.ones((3, 5, 2)), [], mask=MASK)
    with pytest.raises(ValueError, match="no time steps"):
        K.rnn(step(w, u), tf.ones((3, 0, 2)), initial())
    with pytest.raises(ValueError, match="must be known"):
        K.rnn(step(w, u), K.placeholder((3, None, 2)), initial(), unroll=True)
