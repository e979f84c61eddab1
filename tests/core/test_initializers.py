"""Initializers: distributions, fans, seeds, names, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from nbkeras.core import backend as K
from nbkeras.core import config, initializers, registry

SHAPE = (100, 100)
TRUNCATION = stats.truncnorm.std(-2, 2)


def truncated(stddev: float, mean: float = 0.0):
    """The normal distribution of a standard deviation, cut at two of them."""
    return stats.truncnorm(-2, 2, mean, stddev)


def scaled(variance: float):
    """The truncated normal distribution that has this variance after the cut."""
    return truncated(math.sqrt(variance) / TRUNCATION)


def uniform(limit: float):
    return stats.uniform(-limit, 2 * limit)


# a kernel of 3 x 3, 8 channels, 16 filters has 72 inputs and 144 outputs
KERNEL = (3, 3, 8, 16)

DISTRIBUTIONS = [
    ("RandomNormal", {"mean": 1.0, "stddev": 0.3}, SHAPE, stats.norm(1.0, 0.3)),
    ("RandomUniform", {"minval": -1.0, "maxval": 3.0}, SHAPE, stats.uniform(-1, 4)),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.3}, SHAPE, truncated(0.3, 1.0)),
    ("VarianceScaling", {}, SHAPE, scaled(1 / 100)),
    ("VarianceScaling", {"scale": 3.0, "mode": "fan_out"}, KERNEL, scaled(3 / 144)),
    (
        "VarianceScaling",
        {"distribution": "uniform", "mode": "fan_avg"},
        KERNEL,
        uniform(math.sqrt(3 / 108)),
    ),
    (
        "VarianceScaling",
        {"distribution": "untruncated_normal"},
        SHAPE,
        stats.norm(0, math.sqrt(1 / 100)),
    ),
    ("lecun_uniform", {}, KERNEL, uniform(math.sqrt(3 / 72))),
    ("lecun_normal", {}, KERNEL, scaled(1 / 72)),
    ("glorot_uniform", {}, KERNEL, uniform(math.sqrt(6 / 216))),
    ("glorot_normal", {}, KERNEL, scaled(2 / 216)),
    ("he_uniform", {}, KERNEL, uniform(math.sqrt(6 / 72))),
    ("he_normal", {}, KERNEL, scaled(2 / 72)),
    ("glorot_uniform", {}, (1024,), uniform(math.sqrt(6 / 64))),
]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("name", "options", "shape", "expected"), DISTRIBUTIONS)
def test_distribution(name: str, options: dict, shape: tuple, expected, dtype: str) -> None:
    values = getattr(initializers, name)(**options, seed=7)(shape, dtype)
    assert values.shape == shape
    assert values.dtype == dtype
    sample = values.numpy().astype("float64").ravel()
    if dtype == "float16":
        # Rounding makes ties, which the test does not expect: the moments must do.
        assert abs(sample.mean() - expected.mean()) < 5 * expected.std() / math.sqrt(sample.size)
        assert sample.std() == pytest.approx(expected.std(), rel=0.1)
    else:
        assert stats.kstest(sample, expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((5, 7), (5, 7)),
        ((3, 4, 5), (12, 15)),
        ((3, 3, 4, 5), (36, 45)),
        ((2, 3, 3, 4, 5), (72, 90)),
        ((16,), (4, 4)),
    ],
)
def test_fans(shape: tuple, fans: tuple) -> None:
    assert initializers.compute_fans(shape) == fans


@pytest.mark.parametrize(
    ("name", "options"), sorted({n: o for n, o, _, _ in DISTRIBUTIONS}.items()), ids=str
)
def test_seeds(name: str, options: dict) -> None:
    make = getattr(initializers, name)
    first, second = make(**options, seed=3), make(**options, seed=3)
    np.testing.assert_array_equal(first((20, 20)), first((20, 20)))
    np.testing.assert_array_equal(first((20, 20)), second((20, 20)))
    assert np.any(make(**options, seed=4)((20, 20)) != first((20, 20)))

    free = make(**options)
    np.random.seed(1)
    drawn = [free((20, 20)).numpy() for _ in range(2)]
    assert np.any(drawn[0] != drawn[1])
    config.set_random_seed(1)
    again = [free((20, 20)).numpy() for _ in range(2)]
    config.set_random_seed(1)
    np.testing.assert_array_equal([free((20, 20)).numpy() for _ in range(2)], again)
    np.random.seed(1)
    np.testing.assert_array_equal([free((20, 20)).numpy() for _ in range(2)], drawn)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (2, 3, 4)], ids=str)
def test_orthogonal(shape: tuple, dtype: str) -> None:
    matrix = initializers.Orthogonal(gain=2.0)(shape, dtype).numpy().reshape(-1, shape[-1]) / 2
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_orthogonal_is_uniform() -> None:
    """The trace of a uniform random rotation or reflection of the plane has mean 0, variance 1."""
    traces = [np.trace(initializers.Orthogonal(seed=s)((2, 2)).numpy()) for s in range(400)]
    assert abs(np.mean(traces)) < 0.2
    assert np.var(traces) == pytest.approx(1.0, abs=0.15)


def test_orthogonal_is_the_same_in_a_graph() -> None:
    draw = initializers.Orthogonal(seed=5)
    graph = tf.function(lambda: draw((7, 4)))
    np.testing.assert_allclose(graph().numpy(), draw((7, 4)).numpy(), atol=1e-5)


def test_constants() -> None:
    assert initializers.Zeros()((2, 3)).numpy().tolist() == [[0] * 3] * 2
    assert initializers.Ones()((2,), "int32").numpy().tolist() == [1, 1]
    assert initializers.Constant(2.5)((2,)).numpy().tolist() == [2.5, 2.5]
    table = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(initializers.Constant(table)((2, 3)).numpy(), table)
    np.testing.assert_array_equal(initializers.Identity(3)((2, 2)).numpy(), 3 * np.eye(2))


def test_dtype_is_floatx_unless_said() -> None:
    config.set_floatx("float64")
    try:
        for name in ("zeros", "random_normal", "orthogonal", "identity", "he_normal"):
            assert initializers.get(name)((3, 3)).dtype == "float64"
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.Identity()((2, 3)), "square"),
        (lambda: initializers.Orthogonal()((3,)), "2 or more dimensions"),
        (lambda: initializers.Constant([1, 2])((3,)), "shape (2,)"),
        (lambda: initializers.VarianceScaling(scale=0), "above 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "'fan_in'"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "'uniform'"),
        (lambda: initializers.RandomNormal()((2,), "int32"), "int32"),
        (lambda: initializers.Zeros()((None, 2)), "known sizes"),
        (lambda: initializers.get("glorot_unifrom"), "Did you mean 'glorot_uniform'"),
        (lambda: initializers.get(3), "got 3"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared below
        call()
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        ("zero zeros Zeros", "Zeros"),
        ("one ones Ones", "Ones"),
        ("constant Constant", "Constant"),
        ("uniform random_uniform RandomUniform", "RandomUniform"),
        ("normal random_normal RandomNormal", "RandomNormal"),
        ("truncated_normal TruncatedNormal", "TruncatedNormal"),
        ("identity Identity", "Identity"),
        ("orthogonal Orthogonal", "Orthogonal"),
        ("VarianceScaling glorot_uniform GlorotUniform glorot_normal", "VarianceScaling"),
        ("he_normal HeNormal he_uniform lecun_normal lecun_uniform", "VarianceScaling"),
    ],
)
def test_names(names: str, cls: str) -> None:
    for name in names.split():
        initializer = initializers.get(name)
        assert type(initializer) is getattr(initializers, cls)
        again = initializers.deserialize(initializers.serialize(initializer))
        assert again.get_config() == initializer.get_config()


def test_get_takes_functions_and_classes() -> None:
    def halves(shape, dtype=None):
        return K.ones(shape, dtype) / 2

    assert initializers.get(halves) is halves
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    assert initializers.get(initializers.he_normal).scale == 2.0
    with registry.CustomObjectScope({"halves": halves}):
        assert initializers.get("halves")((2,)).numpy().tolist() == [0.5, 0.5]


def test_documented_defaults() -> None:
    assert initializers.RandomNormal().get_config() == {"mean": 0.0, "stddev": 0.05, "seed": None}
    assert initializers.RandomUniform().get_config() == {
        "minval": -0.05,
        "maxval": 0.05,
        "seed": None,
    }
    assert initializers.VarianceScaling().get_config() == {
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "normal",
        "seed": None,
    }
