"""The functional model: graphs, names, shared layers, configuration, text."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core.callbacks import Callback
from nbkeras.core.engine.describe import describe
from nbkeras.core.layers import Activation, Dense, Dropout, Input, Layer
from nbkeras.core.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")


def shared() -> tuple[Model, Dense]:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    twice = Dense(3, name="twice")
    return Model([a, b], [twice(a), Dense(1, name="end")(twice(b))], name="net"), twice


def test_shared_layer() -> None:
    model, twice = shared()
    assert len(model.weights) == 4
    assert len(twice._inbound_nodes) == 2
    first, second = model.predict([X, 2 * X])
    kernel, bias = twice.get_weights()
    np.testing.assert_allclose(first, X @ kernel + bias, rtol=1e-5, atol=1e-6)
    assert second.shape == (30, 1)
    assert twice.get_output_shape_at(1) == (None, 3)
    assert twice.get_input_at(1).name == "b"
    assert twice.output_shape == (None, 3)
    with pytest.raises(AttributeError, match=r"called 2 times.*get_output_at"):
        twice.output  # noqa: B018
    with pytest.raises(AttributeError, match="never been called"):
        Dense(1).output  # noqa: B018


def test_names_shapes_and_layers() -> None:
    model, _ = shared()
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["twice", "end"]
    assert model.input_shape == [(None, 4), (None, 4)]
    assert model.output_shape == [(None, 3), (None, 1)]
    assert [layer.name for layer in model.layers] == ["a", "b", "twice", "end"] or [
        layer.name for layer in model.layers
    ] == ["b", "a", "twice", "end"]
    assert model.get_layer("end") is model.layers[-1] is model.get_layer(index=-1)
    with pytest.raises(ValueError, match="Did you mean 'twice'"):
        model.get_layer("twise")


def test_disconnected_graph_says_what_is_missing() -> None:
    a, b = Input((4,), name="a"), Input((4,), name="forgotten")
    with pytest.raises(ValueError, match=r"forgotten.*not among the given inputs"):
        Model(a, Dense(1)(a + b))


def test_two_layers_of_one_name() -> None:
    a = Input((4,))
    with pytest.raises(ValueError, match="Two layers of the model are called 'x'"):
        Model(a, Dense(1, name="x")(Dense(2, name="x")(a)))


def test_backend_functions_are_part_of_the_graph() -> None:
    a = Input((4,))
    model = Model(a, K.sum(K.square(a) * 2.0 - 1.0, axis=1, keepdims=True))
    np.testing.assert_allclose(
        model.predict(X), (X**2 * 2 - 1).sum(1, keepdims=True), rtol=1e-5, atol=1e-5
    )


def test_config_round_trip() -> None:
    model, _ = shared()
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert again.get_config() == model.get_config()
    for mine, other in zip(again.predict([X, X]), model.predict([X, X]), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    model, _ = shared()
    model.summary()
    text = capsys.readouterr().out
    assert "twice (Dense)" in text
    assert "b[0][0]" in text
    assert "twice[1][0]" in text
    assert "Total params: 19" in text
    lines: list[str] = []
    model.summary(line_length=60, print_fn=lines.append)
    assert max(map(len, lines)) <= 60


def test_describe() -> None:
    model, twice = shared()
    twice.trainable = False
    told = describe(model)
    layer = next(layer for layer in told.layers if layer.name == "twice")
    assert (layer.kind, layer.parameters, layer.trainable_parameters) == ("Dense", 15, 0)
    assert [(c.source, c.call) for c in layer.connected_to] == [("a", 0), ("b", 1)]
    assert [w.shape for w in layer.weights] == [(4, 3), (3,)]
    assert layer.config["units"] == 3
    assert (told.parameters, told.trainable_parameters, told.bytes) == (19, 4, 76)


def test_frozen_layers_do_not_move() -> None:
    model = Sequential([Dense(3, input_shape=(4,)), Dense(1)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, X[:, 0], verbose=0)
    after = model.get_weights()
    by_layer = [w.numpy() for layer in model.layers for w in layer.weights]
    np.testing.assert_array_equal(by_layer[0], before[0])
    assert not np.array_equal(after[2], before[2])
    model.layers[0].trainable = True
    told = r"takes effect only with the next model.compile\(model.optimizer, loss='mse'"
    with pytest.warns(UserWarning, match=told):
        model.fit(X, X[:, 0], verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before[0])


def test_a_layer_of_ones_own() -> None:
    class Scale(Layer):
        def __init__(self, start: float = 1.0, **kwargs) -> None:
            self.start = start
            super().__init__(**kwargs)

        def build(self, input_shape) -> None:
            self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")
            super().build(input_shape)

        def call(self, x):
            return x * self.factor * self.start

        def compute_output_shape(self, input_shape):
            return input_shape

    model = Sequential([Scale(2.0, input_shape=(4,))])
    np.testing.assert_allclose(model.predict(X), 2 * X)
    model.compile("sgd", "mse")
    model.fit(X, X, epochs=3, verbose=0)
    assert not np.allclose(model.get_weights()[0], 1)
    assert Scale.from_config(model.layers[0].get_config()).start == 2.0


def test_a_subclass_that_computes_in_call() -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.hidden = Dense(8, activation="relu")
            self.drop = Dropout(0.5)
            self.out = Dense(2)

        def call(self, inputs, training=None):
            return self.out(self.drop(self.hidden(inputs), training=training))

    model = Net()
    model.compile("adam", "mse")
    history = model.fit(X, X[:, :2], epochs=30, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert len(model.weights) == 4
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    with pytest.raises(NotImplementedError, match="save_weights"):
        model.get_config()


@pytest.mark.parametrize("rows", [1, 7, 30])
def test_predict_in_blocks(rows: int) -> None:
    model = Sequential([Dense(3, input_shape=(4,)), Activation("tanh")])
    kernel, bias = model.get_weights()
    expected = np.tanh(X[:rows] @ kernel + bias)
    for size in (None, 1, 4, 100):
        np.testing.assert_allclose(
            model.predict(X[:rows], batch_size=size), expected, rtol=1e-5, atol=1e-6
        )


def test_predict_from_many_threads() -> None:
    model = Sequential([Dense(3, input_shape=(4,)), Dense(2)])
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: results.extend(model.predict(X) for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 160
    expected = model.predict(X)
    assert all(np.array_equal(result, expected) for result in results)


def test_hooks_of_evaluate_and_predict() -> None:
    class Hears(Callback):
        def __init__(self) -> None:
            super().__init__()
            self.heard: list[str] = []

        def on_test_batch_end(self, batch, logs=None) -> None:
            self.heard.append(f"test {batch} {logs['size']}")

        def on_predict_batch_end(self, batch, logs=None) -> None:
            self.heard.append(f"predict {batch} {logs['size']}")

    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    hears = Hears()
    model.evaluate(X, X[:, 0], batch_size=20, callbacks=[hears])
    model.predict(X, batch_size=20, callbacks=[hears])
    assert hears.heard == ["test 0 20", "test 1 10", "predict 0 20", "predict 1 10"]


def test_compile_refuses_and_keeps_what_was() -> None:
    model = Sequential([Dense(3, input_shape=(4,))])
    model.compile("sgd", "mse")
    before = model.optimizer
    for call, said in (
        (lambda: model.compile("adm", "mse"), "Did you mean 'adam'"),
        (lambda: model.compile("adam", "categorical_crosentropy"), "categorical_crossentropy"),
        (lambda: model.compile("adam", "mse", metrics=["acuracy"]), "acuracy"),
        (lambda: model.compile("adam", ["mse", "mse"]), "the model has 1 outputs"),
        (lambda: model.compile("adam", {"nothing": "mse"}), "does not have"),
        (lambda: model.compile("adam", "mse", metrics="accuracy"), r"\['accuracy'\]"),
        (lambda: model.compile("adam", "mse", jit_compile="yes"), "True, False or 'auto'"),
        (lambda: model.compile("adam", "mse", metric=["acc"]), "Did you mean|no argument"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            call()
    assert model.optimizer is before
    model.fit(X, X[:, :3], verbose=0)


class TestFixedBatchSize:
    """A model built for batches of one size, as stateful layers need (manual, 3.3.12)."""

    X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")

    @staticmethod
    def model() -> Model:
        model = Sequential([Dense(1, batch_input_shape=(4, 3))])
        model.compile("sgd", "mse")
        return model

    def test_rows_are_a_multiple(self) -> None:
        model = self.model()
        history = model.fit(self.X, self.Y, verbose=0)
        assert history.params["batch_size"] == 4
        assert model.predict(self.X).shape == (8, 1)
        assert model.evaluate(self.X, self.Y) >= 0

    def test_another_batch_size_is_refused(self) -> None:
        for call in (
            lambda m: m.fit(self.X, self.Y, batch_size=2, verbose=0),
            lambda m: m.evaluate(self.X, self.Y, batch_size=2),
            lambda m: m.predict(self.X, batch_size=2),
        ):
            with pytest.raises(ValueError, match="batches of 4 rows; got batch_size=2"):
                call(self.model())

    def test_rows_that_leave_a_smaller_batch_are_refused(self) -> None:
        for call in (
            lambda m: m.fit(self.X[:6], self.Y[:6], verbose=0),
            lambda m: m.evaluate(self.X[:6], self.Y[:6]),
            lambda m: m.predict(self.X[:6]),
            lambda m: m.fit(self.X, self.Y, validation_split=0.25, verbose=0),
        ):
            model = self.model()
            before = model.get_weights()
            with pytest.raises(ValueError, match=r"Pass a multiple of 4: x\[:4\]|at least 4 rows"):
                call(model)
            np.testing.assert_array_equal(before[0], model.get_weights()[0])

    def test_a_single_batch_of_another_size_is_refused(self) -> None:
        for call in (
            lambda m: m.train_on_batch(self.X, self.Y),
            lambda m: m.test_on_batch(self.X, self.Y),
            lambda m: m.predict_on_batch(self.X),
            lambda m: m.fit_generator(iter([(self.X, self.Y)]), steps_per_epoch=1, verbose=0),
            lambda m: m.predict_generator(iter([self.X]), steps=1),
        ):
            with pytest.raises(ValueError, match="batches of 4 rows; got a batch of 8"):
                call(self.model())


class TestOutputsWithoutLoss:
    """An output that is only predicted needs no target."""

    X, Y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")

    @staticmethod
    def model(loss: object) -> Model:
        x = Input((3,))
        model = Model(x, [Dense(1, name="seen")(x), Dense(2, name="trained")(x)])
        model.compile("sgd", loss)
        return model

    @pytest.mark.parametrize("loss", [{"trained": "mse"}, [None, "mse"]])
    @pytest.mark.parametrize("form", ["alone", "list", "none", "dictionary", "all"])
    def test_targets(self, loss: object, form: str) -> None:
        y = {
            "alone": self.Y,
            "list": [self.Y],
            "none": [None, self.Y],
            "dictionary": {"trained": self.Y},
            "all": [self.Y[:, :1], self.Y],
        }[form]
        model = self.model(loss)
        history = model.fit(self.X, y, batch_size=4, verbose=0, validation_split=0.5)
        assert np.isfinite(history.history["loss"][0])
        expected = np.mean((model.predict(self.X)[1] - 1) ** 2)
        found = model.evaluate(self.X, y)
        assert np.ravel(found)[0] == pytest.approx(expected, rel=1e-5)

    def test_the_other_target_is_still_needed(self) -> None:
        with pytest.raises(ValueError, match="y lacks the output 'trained'"):
            self.model({"trained": "mse"}).fit(self.X, {"seen": self.Y[:, :1]}, verbose=0)
