"""What must hold with two replicas, as a program: devices are split before TensorFlow starts.

``test_distribution.py`` runs it and reports each function ``case_...`` as a test of its own.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import constraints, losses, metrics, optimizers
from nbkeras.core.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
)
from nbkeras.core.engine.layer import Layer
from nbkeras.core.layers import (
    LSTM,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    TimeDistributed,
)
from nbkeras.core.models import Model, Sequential, clone_model, load_model
from nbkeras.core.utils import Sequence, multi_gpu_model

rng = np.random.default_rng(0)
X = rng.normal(size=(37, 5)).astype("float32")
Y = rng.integers(0, 3, 37)
Z = rng.normal(size=(37, 1)).astype("float32")
W = rng.uniform(0, 2, 37).astype("float32")


@functools.cache
def strategy() -> Any:
    """The one of this program: TensorFlow's collective operations mix up those of a second."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def classifier(optimizer: Any = "adam", **options: Any) -> Any:
    model = Sequential([Dense(6, activation="tanh", input_shape=(5,)), Dense(3)])
    model.add(Dense(3, activation="softmax"))
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def alike(make: Any, run: Any, place: Any = None) -> Any:
    """Run the same on one device and on two replicas; weights and results must agree."""
    one = make()
    with (place or strategy()).scope():
        two = make()
    two.set_weights(one.get_weights())
    results = [run(model) for model in (one, two)]
    tf.nest.map_structure(
        lambda a, b: np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5), *results
    )
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)
    for weight in two.weights:
        copies = [copy.numpy() for copy in getattr(weight, "values", [])]
        for copy in copies:
            np.testing.assert_array_equal(copy, copies[0])
    return one, two


def fitted(*data: Any, **options: Any) -> Any:
    given = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0, **options}
    return lambda model: model.fit(*data, **given).history


# ---------------------------------------------------------------- the same numbers


def case_arrays_with_an_uneven_end() -> None:
    def make() -> Any:
        return classifier(metrics=["acc"])

    alike(make, fitted(X, Y, epochs=5, validation_split=0.3))
    # One row is left for two replicas.
    alike(make, fitted(X, Y, batch_size=36))


def case_shuffled() -> None:
    def run(model: Any) -> Any:
        np.random.seed(1)
        return model.fit(X, Y, epochs=4, batch_size=8, verbose=0).history

    alike(classifier, run)


def case_weights_of_samples_and_classes() -> None:
    def make() -> Any:
        return classifier("sgd", metrics=["acc"], weighted_metrics=["acc"])

    alike(make, fitted(X, Y, sample_weight=W))
    alike(make, fitted(X, Y, class_weight={0: 1.0, 1: 5.0, 2: 0.5}))
    alike(make, lambda model: model.evaluate(X, Y, sample_weight=W, batch_size=7))


def case_penalties_constraints_clipping() -> None:
    def make() -> Any:
        x = Input(shape=(5,))
        h = Dense(6, activation="tanh", kernel_regularizer="l2", activity_regularizer="l1")(x)
        h = Dense(4, kernel_constraint=constraints.MaxNorm(0.7), bias_regularizer="l1")(h)
        a, b = Dense(3, activation="softmax", name="a")(h), Dense(1, name="b")(h)
        model = Model(x, [a, b])
        model.add_loss(K.mean(K.square(h)) * 0.1)
        sgd = optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.05)
        goals = {"a": "sparse_categorical_crossentropy", "b": losses.MeanSquaredError("sum")}
        model.compile(sgd, goals, loss_weights={"a": 1.0, "b": 0.1}, metrics={"b": "mae"})
        return model

    alike(make, fitted(X, [Y, Z], validation_data=(X[:5], [Y[:5], Z[:5]])))


def case_embedding_masks_recurrent() -> None:
    words = rng.integers(1, 9, (19, 6))
    for row, length in enumerate(rng.integers(1, 7, 19)):
        words[row, length:] = 0
    targets = rng.integers(0, 4, (19, 6, 1))
    each = rng.uniform(0.5, 2, (19, 6)).astype("float32")

    def make() -> Any:
        model = Sequential([Embedding(9, 4, mask_zero=True, input_length=6)])
        model.add(LSTM(5, return_sequences=True))
        model.add(TimeDistributed(Dense(4, activation="softmax")))
        model.compile(
            optimizers.Adam(0.01, clipvalue=0.1),
            "sparse_categorical_crossentropy",
            metrics=["acc"],
            sample_weight_mode="temporal",
        )
        return model

    alike(make, fitted(words, targets, sample_weight=each))
    alike(make, fitted(words, targets, batch_size=6))


def case_metrics_with_state() -> None:
    def make() -> Any:
        model = Sequential([Dense(4, activation="tanh", input_shape=(5,))])
        model.add(Dense(1, activation="sigmoid"))
        kept = [metrics.AUC(), metrics.Precision(), metrics.BinaryAccuracy(), Largest()]
        model.compile("adam", "binary_crossentropy", metrics=[*kept, "mae"])
        return model

    y = (Y > 0).astype("float32")
    alike(make, fitted(X, y, validation_data=(X[:9], y[:9])))

    def by_hand(model: Any) -> Any:
        seen = [model.train_on_batch(X[:9], y[:9])]
        seen.append(model.train_on_batch(X[9:10], y[9:10], reset_metrics=False))
        seen.append(model.test_on_batch(X[10:13], y[10:13], reset_metrics=False))
        seen.append(model.test_on_batch(X[:1], y[:1]))
        seen.append(model.evaluate(X, y, batch_size=36))
        return seen

    alike(make, by_hand)


class Largest(metrics.Metric):
    """A metric of a user's own, which counts."""

    def __init__(self, name: str = "largest", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.count = self.add_weight("count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.count.assign_add(tf.reduce_sum(tf.cast(y_pred > 0.5, tf.float32)))

    def result(self) -> Any:
        return self.count * 2.0


def case_streams() -> None:
    class Batches(Sequence):
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> Any:
            rows = slice(index * 8, (index + 1) * 8)
            return X[rows], Y[rows], W[rows]

    def endless() -> Any:
        while True:
            yield from (Batches()[index] for index in range(5))

    def run(model: Any) -> Any:
        quiet: dict[str, Any] = {"shuffle": False, "verbose": 0, "epochs": 2}
        seen = [model.fit(Batches(), **quiet).history]
        seen.append(model.fit(endless(), steps_per_epoch=5, **quiet).history)
        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        seen.append(model.fit(data, validation_data=data, **quiet).history)
        seen.append(model.evaluate(Batches()))
        seen.append(model.predict(data))
        return seen

    alike(lambda: classifier(metrics=["acc"]), run)


def case_predictions() -> None:
    def make() -> Any:
        x = Input(shape=(5,))
        return Model(x, [Dense(3)(x), Dense(2)(x)])  # never compiled

    def run(model: Any) -> Any:
        parts = [model.predict(X[:rows]) for rows in (1, 2, 3, 37)]
        return [parts, model.predict(X, batch_size=5), model.predict_on_batch(X[:3])]

    alike(make, run)


def case_optimizers_of_ones_own() -> None:
    class Half(optimizers.Optimizer):
        slot_names = ("last",)

        def step(self, parameter: Any, gradient: Any, slots: Any, numbers: Any) -> Any:
            last = 0.5 * slots["last"] + gradient
            return parameter - numbers["lr"] * last, {"last": last}

    alike(lambda: classifier(Half(lr=0.1)), fitted(X, Y))
    alike(lambda: classifier(optimizers.Nadam(schedule_decay=0.01)), fitted(X, Y))
    with strategy().scope():
        descent = tf.compat.v1.train.GradientDescentOptimizer(0.1)
        model = classifier(optimizers.TFOptimizer(descent))
    with pytest.raises(NotImplementedError, match=r"optimizers\.Adam"):
        fitted(X, Y)(model)


def case_built_by_the_first_data() -> None:
    def make() -> Any:
        model = Sequential([Dense(4), Dense(1)])
        model.compile("adam", "mse", metrics=[metrics.MeanAbsoluteError()])
        return model

    def run(model: Any) -> Any:
        model.predict(X)
        model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
        return fitted(X, Z)(model)

    _, two = alike(make, run)
    assert len(two.weights[0].values) == 2


def case_one_device() -> None:
    place = tf.distribute.OneDeviceStrategy("CPU:1")
    _, two = alike(lambda: classifier(metrics=["acc"]), fitted(X, Y), place)
    assert two.weights[0].device.endswith("CPU:1")
    with place.scope():
        model = Sequential([LSTM(3, stateful=True, batch_input_shape=(2, 4, 5)), Dense(1)])
        model.compile("sgd", "mse")
    model.fit(np.ones((4, 4, 5)), np.ones((4, 1)), batch_size=2, verbose=0)


# ---------------------------------------------------------------- where replicas differ


def case_moving_statistics_are_the_mean_of_the_replicas() -> None:
    with strategy().scope():
        model = Sequential([BatchNormalization(input_shape=(5,)), Dense(1)])
        model.compile("sgd", "mse")
    model.train_on_batch(X[:7], Z[:7])
    parts = X[:4], X[4:7]
    mean = 0.01 * np.mean([part.mean(0) for part in parts], axis=0)
    variance = 0.99 + 0.01 * np.mean([part.var(0) for part in parts], axis=0)
    norm = model.layers[0]
    for weight, expected in ((norm.moving_mean, mean), (norm.moving_variance, variance)):
        for copy in weight.values:
            np.testing.assert_allclose(copy.numpy(), expected, rtol=1e-5)
    first = model.evaluate(X, Z)
    model.set_weights(model.get_weights())
    np.testing.assert_allclose(model.evaluate(X, Z), first)


def case_updates_of_a_layer_of_ones_own() -> None:
    class Follows(Layer):
        def build(self, input_shape: Any) -> None:
            self.seen = self.add_weight("seen", (), initializer="zeros", trainable=False)

        def call(self, inputs: Any) -> Any:
            self.add_update([(self.seen, self.seen + tf.reduce_mean(inputs))])
            return inputs

    alike(
        lambda: _compiled(Sequential([Follows(input_shape=(5,)), Dense(1)])), lambda m: _fit_even(m)
    )


def _compiled(model: Any) -> Any:
    model.compile("sgd", "mse")
    return model


def _fit_even(model: Any) -> Any:
    return fitted(X[:32], Z[:32])(model)


def case_noise_differs() -> None:
    for seed in (None, 7):
        with strategy().scope():
            model = Sequential([Dropout(0.5, input_shape=(50,), seed=seed)])
            model.add(Dense(1, use_bias=False, kernel_initializer="zeros"))
            model.compile(optimizers.SGD(1.0), lambda y_true, y_pred: -y_pred)
        model.train_on_batch(np.ones((2, 50)), np.ones((2, 1)))
        # Each weight's gradient is the mean of two draws of 0 or 2.
        assert {*model.get_weights()[0].ravel()} == {0.0, 1.0, 2.0}


def case_as_tf_keras_does() -> None:
    import tf_keras

    images = rng.normal(size=(32, 6, 6, 2)).astype("float32")
    labels = rng.integers(0, 3, 32)
    place = strategy()
    with place.scope():
        ours = Sequential([Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2))])
        for layer in (BatchNormalization(momentum=0.8), Flatten(), Dense(3, activation="softmax")):
            ours.add(layer)
        ours.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["acc"])
        layers = tf_keras.layers
        theirs = tf_keras.Sequential(
            [
                layers.Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2)),
                layers.BatchNormalization(momentum=0.8),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ]
        )
        adam = tf_keras.optimizers.legacy.Adam(0.01)
        theirs.compile(adam, "sparse_categorical_crossentropy", metrics=["acc"])
    theirs.set_weights(ours.get_weights())
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    first = ours.fit(images, labels, **options).history
    second = theirs.fit(images, labels, **options).history
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- around training


def case_callbacks() -> None:
    def run(model: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            heard = [
                LearningRateScheduler(lambda epoch, lr: lr * 0.7),
                ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10),
                EarlyStopping("loss", patience=3, min_delta=10, restore_best_weights=True),
                ModelCheckpoint(f"{folder}/model.h5"),
                CSVLogger(f"{folder}/log.csv"),
            ]
            history = fitted(X, Y, epochs=9, callbacks=heard)(model)
            lines = Path(f"{folder}/log.csv").read_text().splitlines()
            saved = load_model(f"{folder}/model.h5")
            return [history, len(lines), float(K.get_value(model.optimizer.lr)), saved.predict(X)]

    alike(lambda: classifier(optimizers.Adam(0.05)), run)


def case_files_and_copies() -> None:
    place = strategy()
    with place.scope():
        model = classifier()
    fitted(X, Y)(model)
    expected = model.predict(X)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.h5")
        alone = load_model(f"{folder}/model.h5")
        with place.scope():
            again = load_model(f"{folder}/model.h5")
        model.save_weights(f"{folder}/weights.h5")
        with place.scope():
            twin = clone_model(model)
        twin.load_weights(f"{folder}/weights.h5")
    for other in (alone, again, twin):
        np.testing.assert_allclose(other.predict(X), expected, rtol=1e-5, atol=1e-6)
    assert len(again.weights[0].values) == len(twin.weights[0].values) == 2
    slots = again.optimizer.slots(again.trainable_weights[0])
    assert all(len(slot.values) == 2 for slot in slots.values())
    first, second = fitted(X, Y)(alone), fitted(X, Y)(again)  # with the optimizer's state
    np.testing.assert_allclose(second["loss"], first["loss"], rtol=1e-5)
    lines: list[str] = []
    again.summary(print_fn=lines.append)
    assert any("Total params: 69" in line.replace(",", "") for line in lines), lines


def case_around_the_scope() -> None:
    """What is done inside of the scope, outside of it, or with parts of the model."""
    place = strategy()
    with place.scope():
        model = classifier()
        model.fit(X, Y, verbose=0)
        model.train_on_batch(X, Y)
        values = [
            model.predict(X),
            model(X).numpy(),
            K.function([model.input], [model.output])([X])[0],
        ]
    values += [model(X).numpy(), K.function([model.input], [model.output])([X])[0]]
    for value in values:
        np.testing.assert_allclose(value, values[0], rtol=1e-5, atol=1e-6)
    # A part of it, made elsewhere, has the strategy of its weights.
    part = Model(model.input, model.layers[0].output)
    kernel, bias = part.get_weights()
    np.testing.assert_allclose(part.predict(X), np.tanh(X @ kernel + bias), rtol=1e-5, atol=1e-6)
    part.compile("sgd", "mse")
    part.train_on_batch(X, np.ones((37, 6)))
    np.testing.assert_array_equal(model.get_weights()[0], part.get_weights()[0])
    other = classifier()
    with place.scope():
        other.predict(X)


def case_writes_for_tensorboard() -> None:
    with strategy().scope():
        model = classifier(metrics=[metrics.SparseCategoricalAccuracy()])
    with tempfile.TemporaryDirectory() as folder:
        board = TensorBoard(folder, histogram_freq=1, write_grads=True)
        fitted(X, Y, callbacks=[board], validation_data=(X[:5], Y[:5]))(model)
        assert list(Path(folder).rglob("events*"))


def case_goes_on_after_a_kill() -> None:
    class Dies(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    def make() -> Any:
        with strategy().scope():
            model = Sequential([Dropout(0.3, input_shape=(5,)), BatchNormalization(), Dense(1)])
            model.compile("adam", "mse", metrics=[metrics.MeanAbsoluteError()])
        return model

    with tempfile.TemporaryDirectory() as folder:
        whole, first, second = make(), make(), make()
        first.set_weights(whole.get_weights())
        for model, heard in (
            (whole, []),
            (first, [BackupAndRestore(folder), Dies()]),
            (second, [BackupAndRestore(folder)]),
        ):
            np.random.seed(2)
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Z, batch_size=8, epochs=4, verbose=0, callbacks=heard)
    for a, b in zip(whole.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def case_not_numbers() -> None:
    with strategy().scope():
        model = classifier()
    spoilt = X.copy()
    spoilt[20] = np.nan
    before = model.get_weights()
    with pytest.raises(ValueError, match="row 20"):
        fitted(spoilt, Y)(model)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


# ---------------------------------------------------------------- errors


def case_refused() -> None:
    place = strategy()
    outside = classifier()
    old_optimizer = outside.optimizer
    with place.scope(), pytest.raises(ValueError, match=r"outside of any scope.*with strategy"):
        outside.compile("sgd", "mse")
    assert outside.optimizer is old_optimizer
    fitted(X, Y)(outside)
    with place.scope():
        model = Sequential([Dense(1, input_shape=(5,))])
        with pytest.raises(ValueError, match=r"metric .* was made outside"):
            model.compile("adam", "mse", metrics=[OUTSIDE])
        with pytest.raises(ValueError, match="XLA"):
            model.compile("adam", "mse", jit_compile=True)
        fixed = Sequential([Dense(1, batch_input_shape=(4, 5))])
        with pytest.raises(ValueError, match=r"input_shape=\.\.\."):
            fixed.compile("adam", "mse")
    another = tf.distribute.MirroredStrategy(["CPU:0"])
    with another.scope(), pytest.raises(ValueError, match="under MirroredStrategy"):
        model.compile("adam", "mse")
    model.compile("adam", "mse")  # outside of the scope the model remembers it
    assert len(model.optimizer.iterations.values) == 2
    with pytest.raises(ValueError, match=r"Adam was made under MirroredStrategy.* under no tf"):
        outside.compile(model.optimizer, "mse")
    fitted(X, Z)(model)


def case_a_second_strategy_is_told() -> None:
    with strategy().scope(), warnings.catch_warnings():
        warnings.simplefilter("error")
        Sequential([Dense(1)])
        Sequential([Dense(1)])
    across = tf.distribute.ReductionToOneDevice()
    for options, told in (({}, True), ({"cross_device_ops": across}, False)):
        another = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], **options)
        with another.scope(), warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            Sequential([Dense(1)])
            Sequential([Dense(1)])
        assert [w.category for w in seen if "Collective" in str(w.message)] == (
            [RuntimeWarning] if told else []
        )


# ---------------------------------------------------------------- multi_gpu_model


def case_multi_gpu_model() -> None:
    def make() -> Any:
        x = Input(shape=(5,))
        inner = Sequential([Dropout(0.0, input_shape=(5,)), Dense(4, activation="tanh")])
        return Model(x, Dense(3, activation="softmax")(Dense(4)(inner(x))))

    def ready(model: Any) -> Any:
        model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["acc"])
        return model

    alone, template = make(), make()
    template.set_weights(alone.get_weights())
    np.random.seed(5)
    parallel = multi_gpu_model(template, gpus=2)
    drawn = np.random.randint(1000)
    np.random.seed(5)
    assert drawn == np.random.randint(1000)
    alone, parallel = ready(alone), ready(parallel)
    first, second = (fitted(X, Y, validation_split=0.2)(m) for m in (alone, parallel))
    np.testing.assert_allclose(second["loss"], first["loss"], rtol=1e-5)
    np.testing.assert_allclose(second["val_acc"], first["val_acc"], rtol=1e-5)
    with tempfile.TemporaryDirectory() as folder:
        template.save(f"{folder}/template.h5")
        parallel.save(f"{folder}/parallel.h5")
        kept = [
            load_model(f"{folder}/{name}.h5", compile=False) for name in ("template", "parallel")
        ]
    expected = alone.predict(X)
    for model in (template, parallel, *kept):
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    # Who gives the template other weights gives them to all devices.
    template.set_weights([np.full(w.shape, 0.1) for w in template.get_weights()])
    np.testing.assert_allclose(parallel.predict(X), template.predict(X), rtol=1e-6)
    alone.set_weights(template.get_weights())
    results = [model.train_on_batch(X, Y) for model in (alone, parallel)]
    np.testing.assert_allclose(*results, rtol=1e-5)
    # And the template may be trained by itself.
    ready(template).fit(X, Y, verbose=0)
    np.testing.assert_allclose(parallel.predict(X), template.predict(X), rtol=1e-6)


def case_multi_gpu_model_moves_statistics() -> None:
    template = Sequential([BatchNormalization(input_shape=(5,), momentum=0.5), Dense(1)])
    parallel = multi_gpu_model(template)
    parallel.compile(optimizers.SGD(0.0), "mse")
    parallel.train_on_batch(X[:8], Z[:8])
    mean = 0.5 * np.mean([X[:4].mean(0), X[4:8].mean(0)], axis=0)
    np.testing.assert_allclose(template.layers[0].moving_mean.numpy(), mean, rtol=1e-5)


def case_multi_gpu_model_refuses() -> None:
    model = Sequential([Dense(1, input_shape=(5,))])
    for gpus in (1, 0, -2, True, [0], [0, 0], [], "2", 2.0):
        with pytest.raises(ValueError, match=r"gpus=2 or more.*CPU:0, CPU:1"):
            multi_gpu_model(model, gpus)
    for gpus in (3, [0, 2], [-1, 0]):
        with pytest.raises(ValueError, match=r"no device.*This process has 2: CPU:0, CPU:1"):
            multi_gpu_model(model, gpus)
    with pytest.raises(ValueError, match="built"):
        multi_gpu_model(Sequential([Dense(1)]), 2)
    with strategy().scope(), pytest.raises(ValueError, match="divided already"):
        multi_gpu_model(Sequential([Dense(1, input_shape=(5,))]), 2)


OUTSIDE: Any = None


def main(path: str, names: list[str]) -> None:
    global OUTSIDE
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    OUTSIDE = metrics.MeanAbsoluteError()
    report = {}
    for name, case in list(globals().items()):
        if name.startswith("case_") and (not names or name in names):
            np.random.seed(0)
            try:
                case()
                report[name] = ""
            except BaseException:
                report[name] = traceback.format_exc()
    Path(path).write_text(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
