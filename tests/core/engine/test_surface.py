"""What Keras 2 lets one ask of layers and models: updates, losses, masks, the learning phase."""

from __future__ import annotations

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core.layers import (
    LSTM,
    ActivityRegularization,
    BatchNormalization,
    Dense,
    Dropout,
    Input,
    Layer,
    Masking,
)
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).random((6, 4)).astype("float32")


class Count(Layer):
    """Counts its batches, and sums up what it saw."""

    def build(self, input_shape):
        self.count = self.add_weight("count", (), initializer="zeros", trainable=False)
        self.total = self.add_weight("total", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        self.add_update([(self.count, self.count + 1.0)])
        self.add_update([(self.total, self.total + K.sum(inputs))], inputs)
        return inputs


def test_updates():
    x = Input((4,))
    normal, count = BatchNormalization(), Count()
    assert normal.updates == []
    model = Model(x, Dense(1)(count(normal(x))))
    moving = [normal.moving_mean, normal.moving_variance]
    assert [v for v, _ in normal.updates] == moving
    assert [v for v, _ in count.get_updates_for(None)] == [count.count]
    assert [v for v, _ in count.get_updates_for(normal.output)] == [count.total]
    assert count.get_updates_for(x) == []
    assert [v for v, _ in model.updates] == [*moving, count.count, count.total]
    assert [v for v, _ in model.get_updates_for(x)] == [*moving, count.total]
    count.trainable = False
    assert [v for v, _ in model.updates] == moving


def test_a_function_with_a_models_updates_updates_once():
    x = Input((4,))
    layer = Count()
    model = Model(x, layer(x))
    step = K.function([x, K.learning_phase()], [model.output], updates=model.updates)
    step([X, 0])
    assert float(K.get_value(layer.count)) == 0
    step([X, 1])
    step([X, 1])
    assert float(K.get_value(layer.count)) == 2
    assert float(K.get_value(layer.total)) == pytest.approx(2 * X.sum(), rel=1e-5)


def test_states_go_on_by_themselves():
    model = Sequential([LSTM(2, stateful=True, batch_input_shape=(6, 1, 4))])
    assert len(model.state_updates) == 2
    step = K.function([model.input], [model.output], updates=model.state_updates)
    alone = step([X[:, None]])[0]
    again = step([X[:, None]])[0]
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X[:, None], batch_size=6), alone)
    np.testing.assert_allclose(model.predict(X[:, None], batch_size=6), again, rtol=1e-5)
    assert Sequential([Dense(1, input_shape=(4,))]).state_updates == []


def test_a_stateful_layer_needs_no_reset():
    layer = Count(input_shape=(4,))
    layer.stateful = True
    Sequential([layer]).reset_states()


def test_losses_for_inputs():
    x = Input((4,))
    penalized = Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
    model = Model(x, ActivityRegularization(l2=0.5)(penalized(x)))
    (weights,) = model.get_losses_for(None)
    kernel = penalized.get_weights()[0]
    assert float(weights) == pytest.approx(0.01 * (kernel**2).sum(), rel=1e-5)
    active, passed = model.get_losses_for(x)
    outputs = model.predict(X)
    values = K.function([x], [active, passed])([X])
    expected = [0.01 * np.abs(outputs).sum() / 6, 0.5 * (outputs**2).sum() / 6]
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    assert len(penalized.get_losses_for(x)) == 1
    assert penalized.get_losses_for(model.output) == []
    model.add_loss(K.mean(model.output))
    assert len(model.get_losses_for(x)) == 3


def test_masks():
    x = Input((3, 2))
    masking, dense = Masking(), Dense(1)
    model = Model(x, dense(masking(x)))
    data = np.array([[[1, 1], [0, 0], [2, 2]]], "float32")
    read = K.function([x], [masking.output_mask, dense.input_mask, dense.get_output_mask_at(0)])
    for mask in read([data]):
        np.testing.assert_array_equal(mask, [[True, False, True]])
    assert masking.input_mask is None
    assert masking.get_input_mask_at(0) is None
    assert model.output.mask_shape is not None
    dense(masking(x))
    with pytest.raises(AttributeError, match="get_output_mask_at"):
        _ = dense.output_mask
    with pytest.raises(AttributeError, match="never been called"):
        _ = Dense(1).input_mask


def test_the_learning_phase():
    assert Dropout(0.5).uses_learning_phase
    assert not Dense(1).uses_learning_phase
    plain = Sequential([Dense(1, input_shape=(4,))])
    assert not plain.uses_learning_phase
    assert Sequential([plain, BatchNormalization()]).uses_learning_phase


def test_the_total_loss_as_a_tensor():
    x = Input((4,))
    hidden = Dense(3, activation="tanh", kernel_regularizer="l2")(x)
    model = Model(x, [Dense(1, name="a")(hidden), Dense(5, activation="softmax", name="b")(hidden)])
    losses = ["mse", "sparse_categorical_crossentropy"]
    model.compile("sgd", losses, loss_weights=[1.0, 0.5])
    assert [tuple(t.shape) for t in model.targets] == [(None, 1), (None, 1)]
    y = [X[:, :1], np.arange(6)[:, None] % 5]
    weights = [np.linspace(0.0, 1.0, 6), np.ones(6)]
    fed = [*model.inputs, *model.targets, *model.sample_weights]
    (value,) = K.function(fed, [model.total_loss])([X, *y, *weights])
    assert value == pytest.approx(model.test_on_batch(X, y, weights)[0], rel=1e-5)

    grads = model.optimizer.get_gradients(model.total_loss, model.trainable_weights)
    slopes = K.function([*fed, K.learning_phase()], grads)([X, *y, *weights, 1])
    before = model.get_weights()
    model.train_on_batch(X, y, weights)
    for old, new, slope in zip(before, model.get_weights(), slopes, strict=True):
        np.testing.assert_allclose(new, old - 0.01 * slope, rtol=1e-4, atol=1e-6)


def test_the_total_loss_is_of_what_was_compiled():
    model = Sequential([Dense(1, input_shape=(4,))])
    with pytest.raises(RuntimeError, match="compile it"):
        _ = model.total_loss
    model.compile("sgd", "mse")
    first = model.total_loss
    assert model.total_loss is first
    model.compile("sgd", "mae")
    assert model.total_loss is not first
