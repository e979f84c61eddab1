"""Targets given to compile."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.layers import Dense, Input
from nbkeras.core.models import Model, Sequential

RNG = np.random.default_rng(0)
X, Y, Z = (RNG.random((12, n)).astype("float32") for n in (4, 1, 2))


def single():
    return Sequential([Dense(1, input_shape=(4,), kernel_initializer="ones")])


def double():
    x = Input((4,))
    outs = [Dense(n, name=name, kernel_initializer="ones")(x) for n, name in ((1, "a"), (2, "b"))]
    return Model(x, outs)


def reference(model, *targets):
    model.compile("sgd", "mse")
    losses = [model.train_on_batch(X, *targets), model.test_on_batch(X, *targets)]
    return losses, model.get_weights()


@pytest.mark.parametrize("form", [lambda y: y, lambda y: [y], lambda y: {"out": y}, tf.constant])
def test_one_output(form):
    x = Input((4,))

    def make():
        return Model(x, Dense(1, kernel_initializer="ones", name="out")(x))

    expected, weights = reference(make(), Y)
    model = make()
    model.compile("sgd", "mse", target_tensors=form(Y))
    assert [model.train_on_batch(X), model.test_on_batch(X)] == pytest.approx(expected)
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_fit_and_evaluate_without_y():
    plain, model = single(), single()
    plain.compile("sgd", "mse")
    model.compile("sgd", "mse", target_tensors=Y)
    a = plain.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
    b = model.fit(X, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert a == pytest.approx(b)
    assert model.evaluate(X) == pytest.approx(plain.evaluate(X, Y))
    assert model.evaluate(X, batch_size=6) == pytest.approx(plain.evaluate(X, Y))


def test_inputs_and_targets_that_are_tensors():
    x = Input(tensor=tf.constant(X))
    model = Model(x, Dense(1)(x))
    model.compile("sgd", "mse", target_tensors=tf.constant(Y))
    losses = model.fit(epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("form", [[None, Z], {"b": Z}, [K.placeholder((None, 1)), Z]])
def test_some_outputs(form):
    expected, _ = reference(double(), [Y, Z])
    model = double()
    model.compile("sgd", "mse", target_tensors=form)
    assert model.train_on_batch(X, Y) == pytest.approx(expected[0])
    assert model.test_on_batch(X, {"a": Y}) == pytest.approx(expected[1])
    with pytest.raises(ValueError, match=r"y is missing for the outputs \['a'\]"):
        model.fit(X)
    with pytest.raises(ValueError, match="'b' was given to compile"):
        model.fit(X, {"a": Y, "b": Z})


def test_what_does_not_fit():
    model = double()
    with pytest.raises(ValueError, match="1 tensors, but the model has 2 outputs"):
        model.compile("sgd", "mse", target_tensors=Y)
    with pytest.raises(ValueError, match=r"does not have\. Did you mean 'a'"):
        model.compile("sgd", "mse", target_tensors={"A": Y})
    with pytest.raises(ValueError, match=r"model\.add_loss"):
        model.compile("sgd", "mse", target_tensors=[model.output[0] * 2.0, None])
    assert model.optimizer is None
    with pytest.raises(ValueError, match="input_shape"):
        Sequential([Dense(1)]).compile("sgd", "mse", target_tensors=Y)
    model = single()
    model.compile("sgd", "mse", target_tensors=Y)
    with pytest.raises(ValueError, match=r"y has no place: fit\(x\)"):
        model.fit(X, Y)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="y is missing"):
        model.fit(X)
