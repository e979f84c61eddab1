"""CTC against every path written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K

CLASSES = 3  # two labels and the blank
BLANK = CLASSES - 1


def probabilities(samples=3, steps=4, seed=0):
    p = np.random.default_rng(seed).uniform(0.1, 1.0, (samples, steps, CLASSES))
    return (p / p.sum(-1, keepdims=True)).astype("float32")


def read(path):
    """Merge equal neighbours, then leave out blanks."""
    merged = [label for i, label in enumerate(path) if i == 0 or label != path[i - 1]]
    return tuple(label for label in merged if label != BLANK)


def likelihoods(p):
    """The probability of every reading of one sample: the sum over its paths."""
    found = {}
    for path in itertools.product(range(CLASSES), repeat=len(p)):
        chance = np.prod([p[t, label] for t, label in enumerate(path)])
        found[read(path)] = found.get(read(path), 0.0) + chance
    return found


def plain(call, *arguments):
    return call(*arguments)


def graph(call, *arguments):
    return tf.function(call, autograph=False)(*arguments)


def compiled(call, *arguments):
    return tf.function(call, autograph=False, jit_compile=True)(*arguments)


LABELS = np.array([[0, 1, 0], [1, 1, 0], [0, 0, 0]])
LABEL_LENGTHS = np.array([[3], [2], [1]])
INPUT_LENGTHS = np.array([[4], [4], [2]])


@pytest.mark.parametrize("how", [plain, graph, compiled])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_cost_is_minus_the_logarithm_of_the_sum_over_paths(dtype, how):
    p = probabilities().astype(dtype)
    cost = how(K.ctc_batch_cost, LABELS, tf.constant(p), INPUT_LENGTHS, LABEL_LENGTHS)
    assert cost.shape == (3, 1)
    assert cost.dtype == dtype
    for n in range(3):
        reading = tuple(LABELS[n, : LABEL_LENGTHS[n, 0]])
        chance = likelihoods(p[n, : INPUT_LENGTHS[n, 0]].astype("float64"))[reading]
        tolerance = 1e-2 if dtype == "float16" else 1e-5
        np.testing.assert_allclose(cost[n, 0], -np.log(chance), rtol=tolerance)


def test_no_labels_and_no_steps():
    p = probabilities(2)
    cost = K.ctc_batch_cost([[-1, -1], [-1, -1]], p, [[3], [0]], [[0], [0]])
    np.testing.assert_allclose(cost[0, 0], -np.log(p[0, :3, BLANK]).sum(), rtol=1e-5)
    np.testing.assert_allclose(cost[1, 0], 0.0, atol=1e-6)


@pytest.mark.parametrize(("labels", "length", "steps"), [([0, 1, 0], 3, 2), ([1, 1, 9], 2, 2)])
def test_labels_that_do_not_fit(labels, length, steps):
    p = tf.Variable(probabilities(1))
    arguments = [labels], p, [[steps]], [[length]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="do not fit into their time steps"):
        K.ctc_batch_cost(*arguments)

    @tf.function(autograph=False, jit_compile=True)
    def slope():
        with tf.GradientTape() as tape:
            cost = K.ctc_batch_cost(*arguments)
        return cost, tape.gradient(cost, p)

    cost, by_p = slope()
    assert np.isposinf(cost)
    np.testing.assert_array_equal(by_p, np.zeros(p.shape))


def test_gradient_of_the_cost():
    p = probabilities(1, 3)

    def cost(p):
        return K.ctc_batch_cost([[0, 1]], p, [[3]], [[2]])[0, 0]

    variable = tf.Variable(p)
    with tf.GradientTape() as tape:
        value = cost(variable)
    slope = tape.gradient(value, variable).numpy()
    # The probabilities of a step are divided by their sum inside, so steps along the rest count.
    for t, label in itertools.product(range(3), range(CLASSES)):
        ahead, behind = (p.astype("float64") for _ in range(2))
        ahead[0, t, label] += 1e-3
        behind[0, t, label] -= 1e-3
        around = [
            -np.log(likelihoods((q / q.sum(-1, keepdims=True))[0])[(0, 1)]) for q in (ahead, behind)
        ]
        np.testing.assert_allclose(slope[0, t, label], (around[0] - around[1]) / 2e-3, atol=1e-3)


@pytest.mark.parametrize("how", [plain, graph, compiled])
def test_greedy_reading(how):
    p = probabilities(6, 7, seed=3)
    lengths = np.array([7, 5, 4, 2, 1, 0])
    (reading,), scores = how(K.ctc_decode, tf.constant(p), tf.constant(lengths))
    assert reading.shape == (6, 7)
    for n, length in enumerate(lengths):
        best = p[n, :length].argmax(-1)
        expected = read(best)
        np.testing.assert_array_equal(reading[n, : len(expected)], expected)
        assert (reading[n, len(expected) :].numpy() == -1).all()
        np.testing.assert_allclose(
            scores[n, 0], -np.log(p[n, :length].max(-1)).sum(), rtol=1e-4, atol=1e-6
        )


def test_beam_search_finds_the_likeliest_readings():
    p = probabilities(3, 4, seed=5)
    lengths = np.array([4, 3, 4])
    readings, scores = K.ctc_decode(p, lengths, greedy=False, beam_width=100, top_paths=3)
    assert len(readings) == 3
    assert scores.shape == (3, 3)
    for n, length in enumerate(lengths):
        ranked = sorted(likelihoods(p[n, :length]).items(), key=lambda item: -item[1])
        for place in range(3):
            expected, chance = ranked[place]
            row = readings[place][n].numpy()
            assert tuple(row[row >= 0]) == expected
            np.testing.assert_allclose(scores[n, place], np.log(chance), rtol=1e-3)


@pytest.mark.parametrize("lengths", [[3, 0, 1], [[3], [0], [1]]])
def test_dense_labels_to_sparse(lengths):
    sparse = K.ctc_label_dense_to_sparse(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), lengths)
    np.testing.assert_array_equal(K.to_dense(sparse), [[1, 2, 3], [0, 0, 0], [7, 0, 0]])
    assert len(sparse.values) == 4


def test_recorded_on_symbolic_tensors():
    y_true, y_pred = K.placeholder((None, 3)), K.placeholder((None, 4, CLASSES))
    lengths = [K.placeholder((None, 1), dtype="int32") for _ in range(2)]
    cost = K.ctc_batch_cost(y_true, y_pred, *lengths)
    assert K.int_shape(cost) == (None, 1)
    (values,) = K.function([y_true, y_pred, *lengths], [cost])(
        [LABELS, probabilities(), INPUT_LENGTHS, LABEL_LENGTHS]
    )
    expected = K.ctc_batch_cost(LABELS, probabilities(), INPUT_LENGTHS, LABEL_LENGTHS)
    np.testing.assert_allclose(values, expected, rtol=1e-6)
