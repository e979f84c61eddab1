"""What every optimizer, loss, metric, initializer, regularizer, constraint and callback can do."""

from __future__ import annotations

import functools
import importlib
import io
import pickle
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import layers, models, registry
from tests.conformance.catalog import (
    CALLBACKS,
    CONSTRAINTS,
    INITIALIZERS,
    LOSSES,
    METRICS,
    OF_VALUES,
    OPTIMIZERS,
    REGULARIZERS,
    SPARSE,
)
from tests.conformance.test_layers import EachBatch, plain

FAMILIES = {
    "optimizer": OPTIMIZERS,
    "loss": LOSSES,
    "metric": METRICS,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "constraint": CONSTRAINTS,
}
PLURALS = {
    "optimizer": "optimizers",
    "loss": "losses",
    "metric": "metrics",
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}
EVERY = [(family, name) for family, rows in FAMILIES.items() for name in rows]
CUSTOM = {"mean_squared_error": importlib.import_module("nbkeras.core.losses").mean_squared_error}

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[RNG.integers(0, 3, 12)]
LABELS = ONE_HOT.argmax(-1).astype("float32")[:, None]
PREDICTED = RNG.dirichlet([1.0, 1.0, 1.0], 12).astype("float32")


def targets_for(name: str) -> np.ndarray:
    return LABELS if name in SPARSE else ONE_HOT


def network(**options: Any) -> Any:
    """A small classifier whose weights are always the same."""
    model = models.Sequential(
        [
            layers.Dense(4, activation="tanh", input_shape=(4,), **options),
            layers.Dense(3, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(scale=0.5, size=w.shape) for w in model.get_weights()])
    return model


def fitted(optimizer: Any, loss: Any = "mse", y: Any = ONE_HOT, **options: Any) -> Any:
    """Losses of three epochs and the weights after them."""
    callbacks = options.pop("callbacks", [])
    metrics = options.pop("metrics", None)
    model = network(**options.pop("dense", {}))
    model.compile(optimizer, loss, metrics=metrics, **options)
    history = model.fit(X, y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
    return history.history, model.get_weights()


def assert_alike(first: Any, second: Any, tolerance: float = 1e-5) -> None:
    for key, values in first[0].items():
        np.testing.assert_allclose(values, second[0][key], rtol=tolerance, atol=tolerance)
    for mine, theirs in zip(first[1], second[1], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


# ---------------------------------------------------------------- configurations


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_config_round_trip(family, name):
    member = FAMILIES[family][name]()
    config = member.get_config()
    again = registry.deserialize(family, registry.serialize(member), CUSTOM)
    assert type(again) is type(member)
    assert plain(again.get_config()) == plain(config)
    with registry.CustomObjectScope(CUSTOM):
        assert plain(type(member).from_config(plain(config)).get_config()) == plain(config)
    assert registry.serialize(member)["class_name"] == name


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_the_packages_functions_do_the_same(family, name):
    package = importlib.import_module(f"nbkeras.core.{PLURALS[family]}")
    member = FAMILIES[family][name]()
    assert package.get(member) is member
    with registry.CustomObjectScope(CUSTOM):
        again = package.deserialize(plain(package.serialize(member)))
    assert plain(again.get_config()) == plain(member.get_config())


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_pickle(family, name):
    member = FAMILIES[family][name]()
    again = pickle.loads(pickle.dumps(member))
    assert plain(again.get_config()) == plain(member.get_config())


# ---------------------------------------------------------------- optimizers


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_steps_one_by_one_and_many_in_one_call_are_alike(name):
    one_by_one = fitted(OPTIMIZERS[name](), callbacks=[EachBatch()], jit_compile=False)
    assert_alike(one_by_one, fitted(OPTIMIZERS[name](), jit_compile=False))
    assert one_by_one[0]["loss"][2] < one_by_one[0]["loss"][0]


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_optimizer_under_xla(name):
    without = fitted(OPTIMIZERS[name](), jit_compile=False)
    assert_alike(without, fitted(OPTIMIZERS[name](), jit_compile=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"Adam", "SGD"}))
def test_other_optimizers_under_xla(name):
    without = fitted(OPTIMIZERS[name](), jit_compile=False)
    assert_alike(without, fitted(OPTIMIZERS[name](), jit_compile=True))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_a_file(name):
    model = network()
    model.compile(OPTIMIZERS[name](), "mse")
    for _ in range(3):
        model.train_on_batch(X, ONE_HOT)
    file = io.BytesIO()
    model.save(file)
    again = models.load_model(file)
    assert plain(again.optimizer.get_config()) == plain(model.optimizer.get_config())
    for _ in range(2):
        assert again.train_on_batch(X, ONE_HOT) == model.train_on_batch(X, ONE_HOT)
    for mine, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


# ---------------------------------------------------------------- losses and metrics


@pytest.mark.parametrize("name", LOSSES)
def test_loss_in_a_saved_model(name):
    y = targets_for(name)
    model = network()
    model.compile("sgd", LOSSES[name]())
    file = io.BytesIO()
    model.save(file)
    again = models.load_model(file)
    assert again.test_on_batch(X, y) == model.test_on_batch(X, y)
    assert again.train_on_batch(X, y) == model.train_on_batch(X, y)
    assert np.isfinite(model.test_on_batch(X, y))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_in_other_precisions(name, dtype):
    loss = LOSSES[name]()
    # Away from 0, where a share of the target is no number for 16 bits.
    y = LABELS if name in SPARSE else 0.2 + 0.6 * ONE_HOT
    expected = float(loss(y, PREDICTED))
    found = loss(y.astype(dtype), PREDICTED.astype(dtype))
    assert float(found) == pytest.approx(expected, rel=1e-2 if dtype == "float16" else 1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_its_slope_under_xla(name):
    y, loss = targets_for(name), LOSSES[name]()

    def slope(p: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(p)
            value = loss(y, p)
        return value, tape.gradient(value, p)

    p = tf.constant(PREDICTED)
    for mine, theirs in zip(slope(p), tf.function(slope, jit_compile=True)(p), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_metric_adds_up_and_begins_anew(name):
    """Two batches give what both in one give; after a reset nothing of them is left."""
    y = targets_for(name)

    def update(metric: Any, rows: slice) -> None:
        if name in OF_VALUES:
            metric.update_state(PREDICTED[rows].sum(0))
        else:
            metric.update_state(y[rows], PREDICTED[rows])

    metric, whole = METRICS[name](), METRICS[name]()
    update(metric, slice(0, 6))
    update(metric, slice(6, 12))
    update(whole, slice(0, 12))
    if name not in OF_VALUES:
        np.testing.assert_allclose(metric.result(), whole.result(), rtol=1e-5)
    once = np.asarray(metric.result())
    metric.reset_states()
    update(metric, slice(0, 6))
    update(metric, slice(6, 12))
    np.testing.assert_array_equal(once, metric.result())


@pytest.mark.parametrize("name", sorted(set(METRICS) - OF_VALUES))
def test_metric_in_a_saved_model(name):
    if np.ndim(METRICS[name]().result()) > 0:
        pytest.skip("a vector is no number for a log")
    y = targets_for(name)
    model = network()
    loss = "sparse_categorical_crossentropy" if name in SPARSE else "mae"
    model.compile("sgd", loss, metrics=[METRICS[name]()])
    file = io.BytesIO()
    model.save(file)
    again = models.load_model(file, custom_objects=CUSTOM)
    assert again.metrics_names == model.metrics_names
    assert again.test_on_batch(X, y) == model.test_on_batch(X, y)


# ---------------------------------------------------------------- parts of weights


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializer_in_a_model(name):
    model = models.Sequential(
        [layers.Dense(4, kernel_initializer=INITIALIZERS[name](), input_shape=(4,))]
    )
    again = models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config()
    assert again.layers[0].get_weights()[0].shape == (4, 4)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializer_in_every_precision(name, dtype):
    values = INITIALIZERS[name]()((5, 5), dtype=dtype)
    assert values.dtype.name == dtype
    assert tuple(values.shape) == (5, 5)
    assert np.all(np.isfinite(values))


PARTS = [
    *(("kernel_regularizer", name, make) for name, make in REGULARIZERS.items()),
    *(("kernel_constraint", name, make) for name, make in CONSTRAINTS.items()),
]


@functools.cache
def plainly_fitted() -> Any:
    return fitted("sgd", jit_compile=False)


@pytest.mark.parametrize(("argument", "name", "make"), PARTS)
def test_regularizers_and_constraints_in_training(argument, name, make):
    found = fitted("sgd", dense={argument: make()}, jit_compile=False)
    if argument == "kernel_regularizer":
        assert found[0]["loss"][0] > plainly_fitted()[0]["loss"][0]
    elif name != "MinMaxNorm":  # it goes half of the way at each step
        kernel = found[1][0]
        np.testing.assert_allclose(make()(tf.constant(kernel)), kernel, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("argument", "name", "make"), PARTS)
def test_regularizers_and_constraints_by_every_executor(argument, name, make):
    without = fitted("sgd", dense={argument: make()}, jit_compile=False)
    for options in ({"callbacks": [EachBatch()]}, {"jit_compile": True}):
        assert_alike(without, fitted("sgd", dense={argument: make()}, **options))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize(
    ("family", "name"), [row for row in EVERY if row[0] in ("regularizer", "constraint")]
)
def test_regularizers_and_constraints_in_other_precisions(family, name, dtype):
    weights = RNG.normal(size=(4, 3))
    member = FAMILIES[family][name]()
    found = member(tf.constant(weights, dtype))
    assert found.dtype.name == dtype
    np.testing.assert_allclose(found, member(tf.constant(weights)), rtol=1e-2, atol=1e-3)


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize("name", CALLBACKS)
def test_callback_hears_a_run_and_leaves_it_alone(name, tmp_path, capsys):
    made = CALLBACKS[name](tmp_path)
    with_it = fitted("sgd", callbacks=[made], jit_compile=False)
    assert isinstance(made.model, models.Model)
    assert made.params["epochs"] == 3
    if name != "LearningRateScheduler":
        for mine, theirs in zip(with_it[1], plainly_fitted()[1], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
