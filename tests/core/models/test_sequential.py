"""Sequential: adding, popping, building late, nesting."""

from __future__ import annotations

import numpy as np
import pytest

from nbkeras.core.layers import Activation, Dense, Flatten, Input, InputLayer
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")


def test_add_and_pop() -> None:
    model = Sequential()
    model.add(Dense(5, input_shape=(4,)))
    model.add(Activation("relu"))
    model.add(Dense(2))
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Activation", "Dense"]
    assert model.output_shape == (None, 2)
    assert model.count_params() == 4 * 5 + 5 + 5 * 2 + 2
    model.pop()
    assert model.output_shape == (None, 5)
    assert len(model.weights) == 2
    model.add(Dense(3))
    assert model.predict(X).shape == (10, 3)
    for _ in range(3):
        model.pop()
    with pytest.raises(TypeError, match="no layers"):
        model.pop()


@pytest.mark.parametrize(
    "first",
    [
        lambda: [Dense(3, input_shape=(4,))],
        lambda: [Dense(3, input_dim=4)],
        lambda: [Dense(3, batch_input_shape=(None, 4))],
        lambda: [InputLayer(input_shape=(4,)), Dense(3)],
        lambda: [Input((4,)), Dense(3)],
        lambda: [Sequential([Dense(7, input_shape=(4,))]), Dense(3)],
    ],
)
def test_ways_to_say_the_input(first) -> None:
    model = Sequential(first())
    assert model.input_shape == (None, 4)
    assert model.predict(X).shape == (10, 3)


def test_built_when_data_come() -> None:
    model = Sequential([Dense(6, activation="relu"), Dense(1)])
    assert not model.built
    assert model.weights == []
    with pytest.raises(ValueError, match="no shapes yet"):
        model.summary()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, X[:, 0], epochs=2, verbose=0)
    assert model.input_shape == (None, 4)
    assert len(model.weights) == 4
    assert set(history.history) == {"loss", "mean_absolute_error"} or "mae" in history.history


def test_a_failed_add_leaves_the_model() -> None:
    model = Sequential([Dense(3, input_shape=(4,), name="one")])
    for bad, error in ((Dense, TypeError), (Dense(3, name="one"), ValueError), (3, TypeError)):
        with pytest.raises(error):
            model.add(bad)
    assert [layer.name for layer in model.layers] == ["one"]
    assert model.predict(X).shape == (10, 3)


def test_nested_in_a_functional_model_shares_weights() -> None:
    inner = Sequential([Dense(3, input_shape=(4,))])
    x = Input((4,))
    outer = Model(x, Dense(2)(inner(x)))
    assert len(outer.weights) == 4
    outer.compile("sgd", "mse")
    before = inner.get_weights()[0]
    outer.fit(X, X[:, :2], verbose=0)
    assert not np.array_equal(before, inner.get_weights()[0])


def test_config_makes_an_equal_model() -> None:
    model = Sequential([Dense(3, input_shape=(4,), activation="tanh"), Flatten()], name="net")
    again = Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert again.name == "net"
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_predict_classes() -> None:
    model = Sequential([Dense(3, input_shape=(4,))])
    np.testing.assert_array_equal(model.predict_classes(X), model.predict(X).argmax(-1))
    single = Sequential([Dense(1, activation="sigmoid", input_shape=(4,))])
    np.testing.assert_array_equal(single.predict_classes(X), single.predict(X) > 0.5)


def test_pop_of_a_model_whose_layers_others_use() -> None:
    first = Dense(3, input_shape=(2,))
    model = Sequential([first, Dense(1)])
    Sequential([Dense(2, input_shape=(4,)), first])
    model.pop()
    assert model.output_shape == (None, 3)
    assert model.predict(np.ones((1, 2))).shape == (1, 3)
    model.add(Dense(5))
    assert model.output_shape == (None, 5)
