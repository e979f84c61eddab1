"""Random numbers: their distributions, and that they repeat wherever they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import config
from nbkeras.core.backend.symbolic import Call, call_scope

SIZE = 20_000
DISTRIBUTIONS = {
    "uniform": (lambda **k: K.random_uniform((SIZE,), -1.0, 3.0, **k), scipy.stats.uniform(-1, 4)),
    "normal": (lambda **k: K.random_normal((SIZE,), 1.0, 2.0, **k), scipy.stats.norm(1, 2)),
    "truncated": (
        lambda **k: K.truncated_normal((SIZE,), 1.0, 2.0, **k),
        scipy.stats.truncnorm(-2, 2, 1, 2),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name, dtype):
    draw, expected = DISTRIBUTIONS[name]
    sample = draw(dtype=dtype)
    assert sample.dtype == dtype
    assert scipy.stats.kstest(sample.numpy(), expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_small_types(name, dtype):
    draw, expected = DISTRIBUTIONS[name]
    sample = draw(dtype=dtype)
    assert sample.dtype == dtype
    values = tf.cast(sample, tf.float64).numpy()
    assert np.isfinite(values).all()
    assert abs(values.mean() - expected.mean()) < 0.05
    assert abs(values.std() - expected.std()) < 0.05


def test_uniform_ends():
    """0 may be drawn, 1 never is, and a normal number is never infinite."""
    for dtype in ("float16", "bfloat16", "float32"):
        values = K.random_uniform((100_000,), dtype=dtype, seed=1)
        assert float(tf.reduce_min(values)) >= 0.0
        assert float(tf.reduce_max(values)) < 1.0


def test_whole_numbers():
    values = K.random_uniform((5000,), -2, 3, dtype="int32")
    assert values.dtype == "int32"
    assert set(values.numpy()) == {-2, -1, 0, 1, 2}


def test_binomial():
    values = K.random_binomial((SIZE,), p=0.3).numpy()
    assert set(values) == {0.0, 1.0}
    assert abs(values.mean() - 0.3) < 0.02
    assert K.random_binomial((3,), p=0.5, dtype="int32").dtype == "int32"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_seeds(name):
    draw = DISTRIBUTIONS[name][0]
    np.testing.assert_array_equal(draw(seed=5), draw(seed=5))
    assert not np.array_equal(draw(seed=5), draw(seed=6))
    assert not np.array_equal(draw(), draw())
    for seed in (np.random.seed, config.set_random_seed):
        seed(11)
        one = draw()
        seed(11)
        np.testing.assert_array_equal(draw(), one)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_numbers_compiled_and_not(dtype, jit):
    """The bits are the same; functions of them differ by rounding at most."""
    compiled = tf.function(
        lambda: [draw(dtype=dtype, seed=3) for draw, _ in DISTRIBUTIONS.values()],
        autograph=False,
        jit_compile=jit,
    )()
    for (draw, _), values in zip(DISTRIBUTIONS.values(), compiled, strict=True):
        np.testing.assert_allclose(values, draw(dtype=dtype, seed=3), rtol=1e-4, atol=1e-5)


def step(function, **options):
    """A compiled training step with the seed (7, its number)."""

    @tf.function(autograph=False, **options)
    def run(number):
        with call_scope(Call(training=True, seed=(tf.constant(7), number))):
            return function()

    return run


@pytest.mark.parametrize("seed", [None, 5])
def test_noise_is_new_at_every_step_and_operation(seed):
    def draws():
        return [K.random_normal((4,), seed=seed) for _ in range(2)]

    plain, fast = step(draws), step(draws, jit_compile=True)
    seen = [np.stack(plain(tf.constant(n))) for n in range(3)]
    assert len(np.unique(seen)) == 3 * 2 * 4
    for n in range(3):
        np.testing.assert_allclose(np.stack(fast(tf.constant(n))), seen[n], rtol=1e-4, atol=1e-5)


def test_users_own_function_draws_anew():
    draw = tf.function(lambda: K.random_uniform((4,)), autograph=False)
    assert len(np.unique([draw(), draw()])) == 8


def test_shapes_known_later():
    x = K.placeholder((None, 3))
    noise = K.random_normal((K.shape(x)[0], 2))
    assert K.int_shape(noise) == (None, 2)
    run = K.function([x], [noise])
    first, second = run([np.zeros((5, 3))])[0], run([np.zeros((5, 3))])[0]
    assert first.shape == (5, 2)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dropout(dtype):
    x = tf.ones((100, 100), dtype)
    y = K.dropout(x, 0.3)
    assert y.dtype == dtype
    in_graph = tf.function(lambda: K.dropout(x, 0.3, seed=4), autograph=False)()
    np.testing.assert_array_equal(in_graph, K.dropout(x, 0.3, seed=4))
    values = y.numpy().astype("float64")
    kept = values != 0
    assert abs(kept.mean() - 0.7) < 0.02
    tolerance = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(values[kept], 1 / 0.7, rtol=tolerance)


def test_dropout_passes_gradients_where_it_keeps():
    x = tf.Variable(tf.ones((1000,)))
    with tf.GradientTape() as tape:
        y = K.dropout(x, 0.25)
        total = tf.reduce_sum(y)
    np.testing.assert_array_equal(tape.gradient(total, x), y)


@pytest.mark.parametrize("shape", [(4, 1, 3), (None, 1, None)])
def test_dropout_of_whole_rows(shape):
    y = K.dropout(tf.ones((4, 50, 3)), 0.5, noise_shape=shape, seed=2).numpy()
    assert (y == y[:, :1]).all()
    assert set(y.ravel()) == {0.0, 2.0}


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_dropout_of_nothing_and_of_all(level):
    x = tf.constant([1.0, -2.0, 3.0])
    for value in (level, tf.constant(level)):
        np.testing.assert_array_equal(K.dropout(x, value), x * (1 - level))


def test_dropout_with_a_level_that_moves():
    level = tf.Variable(0.0)
    run = tf.function(lambda: K.dropout(tf.ones((1000,)), level), autograph=False)
    assert (run().numpy() == 1).all()
    level.assign(0.9)
    assert abs((run().numpy() == 0).mean() - 0.9) < 0.05


@pytest.mark.parametrize("level", [-0.1, 1.5])
def test_dropout_of_no_share(level):
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        K.dropout(tf.ones((2,)), level)


def test_variables():
    for make in (K.random_uniform_variable, K.random_normal_variable):
        variable = make((200, 10), 2.0, 3.0, dtype="float64", name="noise", seed=1)
        assert isinstance(variable, tf.Variable)
        assert variable.dtype == "float64"
        assert "noise" in variable.name
        np.testing.assert_array_equal(variable, make((200, 10), 2.0, 3.0, dtype="float64", seed=1))
    assert K.random_uniform_variable((100,), 2, 3).numpy().min() >= 2
    assert abs(K.random_normal_variable((10_000,), 2.0, 3.0).numpy().std() - 3) < 0.1


@pytest.mark.parametrize("apart", ["elements", "steps", "operations"])
def test_decisions_are_independent(apart):
    """Counts and pairs of decisions are as chance would have them, to 5 standard deviations."""
    steps, size, share = 64, 4096, 0.25

    @tf.function(autograph=False)
    def dropped(number):
        with call_scope(Call(training=True, seed=(tf.constant(7), number))):
            return [K.random_binomial((size,), share) for _ in range(2)]

    first, second = np.stack([np.stack(dropped(tf.constant(n))) for n in range(steps)], 1)
    a, b = {
        "elements": (first[:, :-1], first[:, 1:]),
        "steps": (first[:-1], first[1:]),
        "operations": (first, second),
    }[apart]
    for sample, expected in ((a, share), (a * b, share**2)):
        spread = np.sqrt(expected * (1 - expected) / sample.size)
        assert abs(sample.mean() - expected) < 5 * spread
    # Each position is dropped as often as the others, over the steps.
    spread = first.sum(0).var() / (steps * share * (1 - share))
    assert abs(spread - 1) < 5 * np.sqrt(2 / size)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_decisions_are_the_same_whichever_way_they_are_compiled(share):
    def draws():
        return [K.random_binomial((33, 5), share), K.random_binomial((tf.constant(7), 2), share)]

    for number in (tf.constant(0), tf.constant(3)):
        plain, fast = step(draws)(number), step(draws, jit_compile=True)(number)
        for one, other in zip(plain, fast, strict=True):
            np.testing.assert_array_equal(one, other)
        moved = step(lambda: K.random_binomial((33, 5), tf.constant(share)))(number)
        np.testing.assert_array_equal(moved, plain[0])
