"""What programs of the Keras 2 years do beside the documented calls."""

from __future__ import annotations

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core import layers, losses
from nbkeras.core.engine.topology import Layer
from nbkeras.core.layers import Dense, Input, Lambda
from nbkeras.core.legacy import interfaces
from nbkeras.core.models import Model, Sequential, load_model
from nbkeras.core.optimizers import SGD, Optimizer

RNG = np.random.default_rng(3)
X = RNG.random((12, 4)).astype("float32")
Y = RNG.random((12, 2)).astype("float32")


# ---------------------------------------------------------------- optimizers


class Decayed(Optimizer):
    """Gradient descent with weight decay, written for Keras 2."""

    def __init__(self, lr=0.1, weight_decay=0.0, decay=0.0, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope(type(self).__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.decay = K.variable(decay, name="decay")
            self.shrinking = K.variable(weight_decay)

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        lr *= 1.0 / (1.0 + self.decay * K.cast(self.iterations, K.floatx()))
        for p, g in zip(params, self.get_gradients(loss, params), strict=True):
            self.updates.append(K.update(p, p - lr * g - lr * self.shrinking * p))
        return self.updates

    def get_config(self):
        numbers = {"lr": self.lr, "decay": self.decay, "weight_decay": self.shrinking}
        return {name: float(K.get_value(value)) for name, value in numbers.items()}


def test_a_rate_is_multiplied_in_place():
    model = Sequential([Dense(2, input_dim=4, use_bias=False)])
    (start,) = model.get_weights()
    model.compile(Decayed(lr=0.5, weight_decay=0.2, decay=1.0), "mse")
    expected = start.copy()
    for step in range(3):
        model.train_on_batch(X, Y)
        gradient = 2 * X.T @ (X @ expected - Y) / Y.size
        rate = 0.5 / (1 + step)
        expected = expected - rate * gradient - rate * 0.2 * expected
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)
    assert K.get_value(model.optimizer.lr) == 0.5


def test_an_optimizer_with_a_weight_decay_of_its_own_is_loaded(tmp_path):
    model = Sequential([Dense(2, input_dim=4)])
    model.compile(Decayed(weight_decay=0.25), "mse")
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", custom_objects={"Decayed": Decayed})
    assert K.get_value(again.optimizer.shrinking) == 0.25


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "**"])
def test_variables_compute_in_place(operator):
    variable, value = K.variable([2.0, 5.0]), np.array([2.0, 5.0])
    names = {"variable": variable, "value": value}
    exec(f"variable {operator}= 3.0", names)
    np.testing.assert_allclose(names["variable"], eval(f"value {operator} 3.0", names))
    np.testing.assert_array_equal(K.get_value(variable), value)


def test_updates_of_keras_1():
    model = Sequential([Dense(1, input_dim=4, use_bias=False, kernel_initializer="ones")])
    updates = SGD(lr=1.0).get_updates(model.trainable_weights, [], K.sum(model.output))
    K.function([model.input], [], updates=updates)([X])
    np.testing.assert_allclose(model.get_weights()[0][:, 0], 1 - X.sum(0), rtol=1e-5)


# ---------------------------------------------------------------- losses


def test_a_loss_reads_other_tensors_of_the_model():
    x = Input((4,))
    mean, spread = Dense(2, name="mean")(x), Dense(2, name="spread")(x)
    output = Dense(4)(Lambda(lambda both: both[0] + 0 * both[1])([mean, spread]))

    def divergence(y_true, y_pred):
        return -0.5 * K.sum(1 + spread - K.square(mean) - K.exp(spread), axis=-1)

    def loss(y_true, y_pred):
        return losses.mean_squared_error(y_true, y_pred) + divergence(y_true, y_pred)

    model = Model(x, output)
    model.compile("sgd", loss, metrics=[divergence])
    m, s = Model(x, [mean, spread]).predict(X)
    expected = np.mean(-0.5 * np.sum(1 + s - m**2 - np.exp(s), axis=-1))
    fit = np.mean((model.predict(X) - X) ** 2)
    np.testing.assert_allclose(model.evaluate(X, X, verbose=0), [fit + expected, expected], 1e-5)
    before = model.get_layer("spread").get_weights()[0]
    model.fit(X, X, verbose=0)
    assert not np.array_equal(before, model.get_layer("spread").get_weights()[0])


def test_a_layer_adds_a_loss_of_other_tensors():
    x = Input((4,))
    hidden = Dense(3)(x)

    class Penalty(Layer):
        def call(self, inputs):
            self.add_loss(K.mean(K.square(hidden)), inputs=inputs)
            return inputs

    model = Model(x, Penalty()(Dense(1)(hidden)))
    model.compile("sgd", loss=None)
    expected = np.mean(Model(x, hidden).predict(X) ** 2)
    np.testing.assert_allclose(model.evaluate(X, verbose=0), expected, 1e-5)
    assert model.fit(X, epochs=3, verbose=0).history["loss"][-1] < expected


def test_a_loss_of_slopes():
    """The penalty of slopes with which Wasserstein GANs train (Gulrajani et al., 2017)."""
    x = Input((4,))
    output = Dense(1, use_bias=False)(x)

    def penalty(y_true, y_pred):
        (slopes,) = K.gradients(y_pred, x)
        return K.square(1 - K.sqrt(K.sum(K.square(slopes), axis=1)))

    model = Model(x, output)
    model.compile(SGD(0.1), penalty)
    weights = model.get_weights()[0]
    size = np.linalg.norm(weights)
    np.testing.assert_allclose(model.train_on_batch(X, Y[:, :1]), (1 - size) ** 2, 1e-4)
    expected = weights + 0.1 * 2 * (1 - size) * weights / size
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-4)


def test_a_loss_of_another_model_is_an_error():
    stranger = Dense(1)(Input((4,), name="elsewhere"))
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", lambda y_true, y_pred: K.mean(stranger) + y_pred)
    with pytest.raises(ValueError, match="elsewhere"):
        model.train_on_batch(X, Y[:, :1])


# ---------------------------------------------------------------- layers


def test_weights_whose_shape_comes_first():
    class Scaled(Layer):
        def build(self, input_shape):
            self.w = self.add_weight((input_shape[-1],), initializer="one", name=f"{self.name}_w")
            self.b = self.add_weight((input_shape[-1],), "zero")
            super().build(input_shape)

        def call(self, inputs):
            return inputs * self.w + self.b

    model = Sequential([Scaled(input_shape=(4,))])
    assert [w.shape.as_list() for w in model.weights] == [[4], [4]]
    np.testing.assert_array_equal(model.predict(X), X)


def test_a_model_is_called_on_another_shape_that_its_layers_take():
    model = Sequential([Dense(3, input_dim=4), Lambda(lambda x: 2 * x)])
    longer = RNG.random((2, 5, 4)).astype("float32")
    x = Input((5, 4))
    outer = Model(x, model(x))
    assert outer.output_shape == (None, 5, 3)
    expected = model.predict(longer.reshape(10, 4)).reshape(2, 5, 3)
    np.testing.assert_allclose(outer.predict(longer), expected, rtol=1e-5)
    np.testing.assert_allclose(model(longer), expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"expected shape \(None, 4\); got \(None, 5\)"):
        model(Input((5,)))


def test_a_list_of_one_output_is_a_tensor():
    x = Input((4,))
    inner = Model(inputs=[x], outputs=[Dense(3)(x)])
    assert inner(x).shape.as_list() == [None, 3]
    assert Dense(1)(inner(x)).shape.as_list() == [None, 1]
    assert Lambda(lambda t: [2 * t])(x).shape.as_list() == [None, 4]


@pytest.mark.parametrize(
    ("shapes", "axes"),
    [
        ([(None, 3), (None, 3)], 2),
        ([(None, 3), (5, 3)], 2),
        ([(4,), (4,)], 1),
        ([(4,), (None, 4)], (1, 2)),
        ([(2, None), (None, 6)], (2, 1)),
    ],
)
def test_dot_of_unknown_lengths(shapes, axes):
    inputs = [Input(shape) for shape in shapes]
    output = layers.Dot(axes)(inputs)
    known = [[2, *(7 if size is None else size for size in shape)] for shape in shapes]
    result = Model(inputs, output).predict([np.ones(shape) for shape in known])
    declared = output.shape.as_list()[1:]
    assert [7 if size is None else size for size in declared] == list(result.shape[1:])


def test_steps_are_rounded_up():
    model = Sequential([Dense(2, input_dim=4)])
    model.compile("sgd", "mse")
    given = []

    def batches():
        while True:
            given.append(4)
            yield X[:4], Y[:4]

    steps = len(X[:10]) / 4
    history = model.fit_generator(
        batches(), steps, epochs=2, verbose=0, validation_data=(X, Y), validation_steps=0.5
    )
    assert history.params["steps"] == 3
    assert len(given) >= 6
    assert model.predict_generator(batches(), steps).shape == (12, 2)
    with pytest.raises(ValueError, match="steps_per_epoch is a whole number"):
        model.fit_generator(batches(), -2.5)


def test_weights_of_classes_in_other_forms():
    model = Sequential([Dense(1, input_dim=4, activation="sigmoid")])
    model.compile(SGD(0.0), "binary_crossentropy")
    labels = np.arange(12) % 2

    def loss(class_weight):
        return model.fit(X, labels, class_weight=class_weight, verbose=0).history["loss"][0]

    by_class = loss({0: 1.0, 1: 3.0})
    np.testing.assert_allclose(loss(np.array([1.0, 3.0])), by_class, rtol=1e-6)
    np.testing.assert_allclose(loss([1, 3]), by_class, rtol=1e-6)
    with pytest.warns(UserWarning, match="'auto' weighs nothing"):
        np.testing.assert_allclose(loss("auto"), loss(None), rtol=1e-6)
