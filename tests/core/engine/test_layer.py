"""The layer: weights, freezing, calling, masks, losses, errors (manual, chapters 5.1 and 5.13)."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import layers as L
from nbkeras.core.backend.symbolic import Call, call_scope
from nbkeras.core.layers import Dense, Input, InputSpec, Layer
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


class MyLayer(Layer):
    """The layer of manual 5.13, as it stands there."""

    def __init__(self, output_dim: int, **kwargs: Any) -> None:
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[1], self.output_dim),
            initializer="uniform",
            trainable=True,
        )
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return K.dot(x, self.kernel)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.output_dim)


class TwoWays(Layer):
    """Two inputs, two outputs, as the older manual's second example in 5.13 has them."""

    def __init__(self, output_dim: int, **kwargs: Any) -> None:
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        assert isinstance(input_shape, list)
        self.kernel = self.add_weight("kernel", (input_shape[0][1], self.output_dim))
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        assert isinstance(x, list)
        a, b = x
        return [K.dot(a, self.kernel) + b, K.mean(b, axis=-1)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape_a, shape_b = input_shape
        return [(shape_a[0], self.output_dim), shape_b[:-1]]


# ---------------------------------------------------------------- one's own layers


class TestOwnLayers:
    def test_in_a_sequential(self):
        model = Sequential([MyLayer(2, input_shape=(3,)), Dense(1)])
        assert model.output_shape == (None, 1)
        model.compile("sgd", "mse")
        before = model.layers[0].get_weights()[0]
        model.train_on_batch(X, np.ones((4, 1)))
        assert np.any(before != model.layers[0].get_weights()[0])

    def test_computes_what_call_says(self):
        layer = MyLayer(2)
        np.testing.assert_allclose(layer(tf.constant(X)), X @ layer.get_weights()[0], rtol=1e-6)

    def test_configuration_comes_from_the_constructor(self):
        config = MyLayer(2, name="mine").get_config()
        assert config["output_dim"] == 2
        assert MyLayer.from_config(config).get_config() == config

    def test_several_inputs_and_outputs(self):
        a, b = Input((3,)), Input((2,))
        layer = TwoWays(2)
        first, second = layer([a, b])
        assert layer.input_shape == [(None, 3), (None, 2)]
        assert layer.output_shape == [(None, 2), (None,)]
        model = Model([a, b], [first, second])
        y = np.ones((4, 2), "float32")
        found = model.predict([X, y])
        np.testing.assert_allclose(found[0], X @ layer.get_weights()[0] + y, rtol=1e-5)
        np.testing.assert_allclose(found[1], [1.0] * 4)
        again = Model.from_config(model.get_config(), custom_objects={"TwoWays": TwoWays})
        again.set_weights(model.get_weights())
        np.testing.assert_allclose(again.predict([X, y])[0], found[0])

    def test_compute_output_shape_says_what_running_it_leaves_open(self):
        class Open(Layer):
            def call(self, x: Any) -> Any:
                return tf.boolean_mask(x, [True, False, True], axis=1)

            def compute_output_shape(self, input_shape: Any) -> Any:
                return (input_shape[0], 2)

        assert tuple(Open()(Input((3,))).shape) == (None, 2)

    def test_attributes_and_weights_before_super_init(self):
        class Early(Layer):
            def __init__(self, **kwargs: Any) -> None:
                self.inner = Dense(2)
                super().__init__(**kwargs)

            def call(self, x: Any) -> Any:
                return self.inner(x)

        layer = Early(name="early")
        layer(tf.constant(X))
        assert [w.shape for w in layer.get_weights()] == [(3, 2), (2,)]

    def test_layers_in_lists_are_its_own(self):
        class Stack(Layer):
            def __init__(self) -> None:
                super().__init__()
                self.parts = [Dense(2), Dense(1)]

            def call(self, x: Any) -> Any:
                for part in self.parts:
                    x = part(x)
                return x

        layer = Stack()
        layer(tf.constant(X))
        assert len(layer.trainable_weights) == 4
        layer.trainable = False
        assert not layer.trainable_weights
        assert not layer.parts[0].trainable_weights

    def test_the_learning_phase_as_an_argument(self):
        class Phase(Layer):
            def call(self, x: Any, training: Any = None) -> Any:
                return x + (1.0 if training else 0.0)

        model = Sequential([Phase(input_shape=(3,)), L.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mae")
        y = np.full((4, 1), -100.0)
        assert model.test_on_batch(X, y) + 3 == pytest.approx(model.train_on_batch(X, y), rel=1e-5)


# ---------------------------------------------------------------- weights


class TestWeights:
    def test_set_weights_by_what_get_weights_gave(self):
        first, second = Dense(2, input_shape=(3,)), Dense(2, input_shape=(3,))
        for layer in (first, second):
            layer(tf.constant(X))
        second.set_weights(first.get_weights())
        np.testing.assert_array_equal(first(tf.constant(X)), second(tf.constant(X)))

    @pytest.mark.parametrize(
        "arrays", [[], [np.zeros((3, 2))], [np.zeros((2, 3)), np.zeros(2)], [np.zeros(())] * 3]
    )
    def test_arrays_that_do_not_fit_change_nothing(self, arrays):
        layer = Dense(2, name="dense")
        layer(tf.constant(X))
        before = layer.get_weights()
        with pytest.raises(ValueError, match=r"'dense' has 2 weights of the shapes .*\(3, 2\)"):
            layer.set_weights(arrays)
        np.testing.assert_array_equal(before[0], layer.get_weights()[0])

    def test_before_it_is_built(self):
        layer = Dense(2)
        assert layer.get_weights() == []
        with pytest.raises(ValueError, match="not built yet"):
            layer.set_weights([np.zeros((3, 2)), np.zeros(2)])
        with pytest.raises(RuntimeError, match="no weights to count yet"):
            layer.count_params()

    def test_weights_as_an_argument(self):
        start = [np.full((3, 2), 0.5, "float32"), np.ones(2, "float32")]
        layer = Dense(2, weights=start)
        layer(Input((3,)))
        np.testing.assert_array_equal(layer.get_weights()[0], start[0])
        with pytest.raises(ValueError, match="2 weights"):
            Dense(2, weights=start[:1])(Input((3,)))

    def test_sizes_must_be_known(self):
        class Bad(Layer):
            def build(self, input_shape: Any) -> None:
                self.add_weight("w", (input_shape[-1], 2))

        with pytest.raises(ValueError, match=r"'bad'.*weight 'w'.*\(None, 2\)"):
            Bad(name="bad")(Input((None,)))
        layer = Layer(name="plain")
        with pytest.raises(ValueError, match="every size must be known"):
            layer.add_weight("w", (-1, 2))
        with pytest.raises(ValueError, match="Did you mean 'glorot_uniform'"):
            layer.add_weight("w", (1,), initializer="glorot_unifrm")
        assert layer.weights == []

    def test_what_add_weight_takes(self):
        layer = Layer()
        weight = layer.add_weight(
            name="w",
            shape=(2, 3),
            dtype="float64",
            initializer="ones",
            regularizer="l2",
            constraint="non_neg",
            trainable=False,
        )
        assert weight.dtype == tf.float64
        assert layer.trainable_weights == []
        assert layer.non_trainable_weights == [weight]
        np.testing.assert_allclose(layer.losses, [0.01 * 6])
        np.testing.assert_allclose(layer.add_weight(shape=(), initializer="zeros"), 0.0)

    def test_count_params(self):
        layer = Dense(2)
        layer(Input((3,)))
        assert layer.count_params() == 8


class TestTrainable:
    def test_freezing_a_layer_moves_its_weights(self):
        layer = Dense(2)
        layer(Input((3,)))
        weights = layer.weights
        layer.trainable = False
        assert layer.trainable_weights == []
        assert layer.non_trainable_weights == weights
        layer.trainable = True
        assert layer.trainable_weights == weights

    def test_a_model_freezes_all_that_is_in_it(self):
        inner = Sequential([Dense(2, input_shape=(3,)), Dense(2)])
        model = Sequential([inner, Dense(1)])
        inner.trainable = False
        assert len(model.trainable_weights) == 2
        assert len(model.non_trainable_weights) == 4
        model.trainable = False
        assert model.trainable_weights == []
        model.trainable = True
        assert len(model.trainable_weights) == 6

    def test_one_layer_of_a_frozen_model_thaws(self):
        model = Sequential([Dense(2, input_shape=(3,)), Dense(2)])
        model.layers[0].trainable = False
        assert [w.shape for w in model.trainable_weights] == [(2, 2), (2,)]

    def test_it_takes_effect_with_compile(self):
        """Manual 3.3.14: one layer, frozen in one model and trained in another."""
        x = Input((3,))
        layer = Dense(2)
        layer.trainable = False
        y = layer(x)
        frozen = Model(x, y)
        frozen.compile("sgd", "mse")
        layer.trainable = True
        thawed = Model(x, y)
        thawed.compile("sgd", "mse")
        before = layer.get_weights()[0]
        frozen.train_on_batch(X, np.ones((4, 2)))
        np.testing.assert_array_equal(before, layer.get_weights()[0])
        thawed.train_on_batch(X, np.ones((4, 2)))
        assert np.any(before != layer.get_weights()[0])

    def test_a_frozen_argument(self):
        layer = Dense(2, trainable=False)
        layer(Input((3,)))
        assert layer.trainable_weights == []


# ---------------------------------------------------------------- errors


class TestErrors:
    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            (InputSpec(ndim=3), "an input with 3 axes"),
            (InputSpec(min_ndim=3), "an input with at least 3 axes"),
            (InputSpec(max_ndim=1), "an input with at most 1 axes"),
            (InputSpec(axes={-1: 5}), "size 5 on axis -1"),
            (InputSpec(shape=(None, 5)), r"an input of shape \(None, 5\)"),
            (InputSpec(dtype="int32"), "an input of dtype int32"),
        ],
    )
    def test_input_spec(self, spec, expected):
        layer = Layer(name="mine")
        layer.input_spec = spec
        for given in (Input((3,)), tf.constant(X)):
            with pytest.raises(ValueError, match=rf"'mine'.*expected {expected}.*got shape \("):
                layer(given)
        assert layer._inbound_nodes == []

    def test_a_spec_that_is_met(self):
        layer = Layer()
        layer.input_spec = [InputSpec(ndim=2, axes={1: 3}), None]
        layer([Input((3,)), Input((5, 5))])
        with pytest.raises(ValueError, match="expected 2 inputs; got 1"):
            layer(Input((3,)))

    @pytest.mark.parametrize(
        ("layer", "given", "advice"),
        [
            (lambda: L.Conv2D(2, 3), (8, 8), "Add a channel axis"),
            (lambda: L.LSTM(2), (6,), "Reshape"),
            (lambda: L.RepeatVector(2), (3, 4), r"Flatten\(\)"),
        ],
    )
    def test_what_to_write(self, layer, given, advice):
        with pytest.raises(ValueError, match=advice):
            layer()(Input(given))

    def test_another_size_than_it_was_built_for(self):
        layer = Dense(2)
        layer(Input((3,)))
        with pytest.raises(ValueError, match=r"size 3 on axis -1.*call a new layer"):
            layer(Input((4,)))

    def test_an_unknown_argument(self):
        with pytest.raises(TypeError, match=r"Dense has no argument 'activaton'.*'activation'"):
            Dense(2, activaton="relu")

    def test_an_error_in_call_leaves_no_node(self):
        class Broken(Layer):
            def call(self, x: Any) -> Any:
                raise ZeroDivisionError("mine")

        layer, x = Broken(), Input((3,))
        with pytest.raises(ZeroDivisionError, match="mine"):
            layer(x)
        with pytest.raises(AttributeError, match="never been called"):
            _ = layer.output


# ---------------------------------------------------------------- shapes of a first layer


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"input_shape": (3,)}, (None, 3)),
        ({"input_shape": 3}, (None, 3)),
        ({"input_dim": 3}, (None, 3)),
        ({"input_shape": (3,), "batch_size": 2}, (2, 3)),
        ({"batch_input_shape": (2, 3)}, (2, 3)),
        ({"input_dim": 3, "input_length": 5}, (None, 5, 3)),
    ],
)
def test_ways_to_say_the_input_shape(options, shape):
    model = Sequential([Dense(1, **options)])
    assert model.input_shape == shape
    assert Sequential.from_config(model.get_config()).input_shape == shape


def test_sequences_leave_their_length_open():
    assert Sequential([L.LSTM(2, input_dim=3)]).input_shape == (None, None, 3)
    assert Sequential([L.LSTM(2, input_dim=3, input_length=7)]).input_shape == (None, 7, 3)
    assert Sequential([L.Embedding(9, 2, input_length=7)]).input_shape == (None, 7)


# ---------------------------------------------------------------- losses


class TestLosses:
    def test_penalties_of_weights(self):
        model = Sequential([Dense(2, kernel_regularizer="l2", input_shape=(3,)), Dense(1)])
        kernel = model.layers[0].get_weights()[0]
        assert float(model.losses[0]) == pytest.approx(0.01 * np.sum(kernel**2), rel=1e-5)
        model.compile("sgd", "mse")
        plain = np.mean((model.predict(X) - 1) ** 2)
        expected = plain + 0.01 * np.sum(kernel**2)
        assert model.test_on_batch(X, np.ones((4, 1))) == pytest.approx(expected, rel=1e-5)

    def test_penalties_of_outputs(self):
        model = Sequential([Dense(2, activity_regularizer="l1", input_shape=(3,))])
        model.compile("sgd", "mse")
        y = model.predict(X)
        expected = np.mean((y - 1) ** 2) + 0.01 * np.abs(y).sum() / 4
        assert model.test_on_batch(X, np.ones((4, 2))) == pytest.approx(expected, rel=1e-5)

    def test_add_loss_in_call(self):
        class Penalty(Layer):
            def call(self, x: Any) -> Any:
                self.add_loss(0.5 * K.mean(K.square(x)))
                return x

        model = Sequential([Dense(2, input_shape=(3,)), Penalty()])
        model.compile("sgd", "mse")
        y = model.predict(X)
        expected = np.mean((y - 1) ** 2) + 0.5 * np.mean(y**2)
        assert model.test_on_batch(X, np.ones((4, 2))) == pytest.approx(expected, rel=1e-5)
        kernel = model.layers[0].get_weights()[0]
        model.train_on_batch(X, y)
        assert np.any(kernel != model.layers[0].get_weights()[0])

    def test_a_shared_layer_is_penalized_once_for_its_weights_and_each_time_for_outputs(self):
        x = Input((3,))
        layer = Dense(3, kernel_regularizer="l2", activity_regularizer="l1")
        model = Model(x, layer(layer(x)))
        model.compile("sgd", "mse")
        y = model.predict(X)
        inner = Model(x, layer.get_output_at(0)).predict(X)
        expected = (
            np.mean((y - 1) ** 2)
            + 0.01 * np.sum(layer.get_weights()[0] ** 2)
            + 0.01 * (np.abs(y).sum() + np.abs(inner).sum()) / 4
        )
        assert model.test_on_batch(X, np.ones((4, 3))) == pytest.approx(expected, rel=1e-5)

    def test_frozen_weights_still_count(self):
        layer = Dense(2, kernel_regularizer="l2")
        layer(Input((3,)))
        before = float(layer.losses[0])
        layer.trainable = False
        assert [float(loss) for loss in layer.losses] == [before]

    def test_outside_of_call(self):
        with pytest.raises(RuntimeError, match=r"add_loss belongs into call\(\)"):
            Dense(2).add_loss(1.0)


# ---------------------------------------------------------------- masks


def mask_after(model: Any, x: np.ndarray) -> Any:
    with call_scope(Call(training=False, seed=(0, 0))) as call:
        return call.mask_of(model(tf.constant(x)))


class TestMasks:
    X = np.array([[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]], "float32")
    MASK = ((True, True, False), (True, False, False))

    def test_through_layers_that_support_it(self):
        model = Sequential([L.Masking(input_shape=(3, 1)), L.Activation("tanh"), L.Dropout(0.5)])
        np.testing.assert_array_equal(mask_after(model, self.X), self.MASK)

    def test_through_nested_models(self):
        inner = Sequential([L.Activation("tanh", input_shape=(3, 1)), L.Dropout(0.5)])
        x = Input((3, 1))
        model = Model(x, inner(L.Masking()(x)))
        np.testing.assert_array_equal(mask_after(model, self.X), self.MASK)
        maker = Sequential([L.Masking(input_shape=(3, 1))])
        outer = Model(x, L.Activation("tanh")(maker(x)))
        np.testing.assert_array_equal(mask_after(outer, self.X), self.MASK)

    def test_from_an_embedding_into_a_recurrent_layer(self):
        model = Sequential([L.Embedding(5, 2, mask_zero=True), L.LSTM(3)])
        short = model.predict(np.array([[1, 2, 0, 0]]))
        np.testing.assert_allclose(short, model.predict(np.array([[1, 2]])), rtol=1e-5)

    def test_where_it_is_not_supported(self):
        x = L.Masking()(Input((4, 4, 1)))
        with pytest.raises(TypeError, match="'conv' does not support masking"):
            L.Conv2D(2, 3, name="conv")(x)

        class Mine(Layer):
            def call(self, inputs: Any) -> Any:
                return inputs

        with pytest.raises(TypeError, match="supports_masking = True"):
            Mine()(x)

    def test_a_layer_that_takes_and_makes_masks(self):
        class Mean(Layer):
            supports_masking = True

            def call(self, x: Any, mask: Any = None) -> Any:
                weights = tf.cast(mask, x.dtype)[..., None]
                return tf.reduce_sum(x * weights, 1) / tf.reduce_sum(weights, 1)

            def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
                return None

        model = Sequential([L.Masking(input_shape=(3, 1)), Mean()])
        np.testing.assert_allclose(model.predict(self.X), [[1.5], [3.0]])
        assert mask_after(model, self.X) is None

    def test_in_the_loss(self):
        model = Sequential([L.Masking(input_shape=(3, 1)), L.Activation("linear")])
        model.compile("sgd", "mse")
        y = np.zeros_like(self.X)
        # Keras 2 takes the mean over what is not masked.
        assert model.test_on_batch(self.X, y) == pytest.approx((1 + 4 + 9) / 3)


# ---------------------------------------------------------------- names


def test_names_are_counted_by_class():
    K.clear_session()
    assert [Dense(1).name, Dense(1).name, L.MaxPooling2D().name, Dense(1).name] == [
        "dense_1",
        "dense_2",
        "max_pooling2d_1",
        "dense_3",
    ]


def test_names_are_unique_among_threads():
    names: list[str] = []

    def make() -> None:
        names.extend([Dense(1).name for _ in range(200)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == len(names) == 1600


def test_models_are_built_in_threads():
    shapes: list[Any] = []

    def make(units: int) -> None:
        x = Input((3,))
        model = Model(x, Dense(units)(Dense(units, activation="relu")(x)))
        shapes.append((units, model.predict(X).shape))

    threads = [threading.Thread(target=make, args=(units,)) for units in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shapes) == [(units, (4, units)) for units in range(1, 7)]
