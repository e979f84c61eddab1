"""The manual's fragments, scaled down, do what its text says of them.

The whole programs of chapters 3.1 and 3.2 are in ``test_programs.py``.

Source: Keras 2 manual, chapters 3.3, 4, 5, 6, 11 and 20.
"""

from __future__ import annotations

import json
import math

import h5py
import numpy as np
import pytest
from PIL import Image

from nbkeras.core import backend as K
from nbkeras.core import initializers, regularizers
from nbkeras.core.callbacks import Callback, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau
from nbkeras.core.layers import (
    LSTM,
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Input,
    concatenate,
)
from nbkeras.core.models import Model, Sequential, load_model
from nbkeras.core.preprocessing.image import ImageDataGenerator
from nbkeras.core.utils import CustomObjectScope, HDF5Matrix, Sequence

RNG = np.random.default_rng(5)
X = RNG.random((24, 6)).astype("float32")
Y = np.eye(3, dtype="float32")[RNG.integers(0, 3, 24)]


def classifier():
    model = Sequential()
    model.add(Dense(5, activation="relu", input_dim=6, name="hidden"))
    model.add(Dense(3, activation="softmax", name="classes"))
    model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def same(ours, theirs):
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


# ---------------------------------------------------------------- 3.3 FAQ


def test_layers_output_in_both_phases():
    model = Sequential([Dense(4, input_dim=6, activation="relu"), Dropout(0.5)])
    read = K.function([model.layers[0].input, K.learning_phase()], [model.layers[1].output])
    in_use, in_training = read([X, 0])[0], read([X, 1])[0]
    np.testing.assert_allclose(in_use, model.predict(X), rtol=1e-5)
    kept = in_training != 0
    np.testing.assert_allclose(in_training[kept], 2 * in_use[kept], rtol=1e-5)
    assert 0 < kept.sum() < (in_use != 0).sum()


def test_weights_by_name(tmp_path):
    first = classifier()
    first.save_weights(tmp_path / "weights.h5")
    second = Sequential([Dense(5, input_dim=6, name="hidden"), Dense(10, name="new")])
    new = second.layers[1].get_weights()
    second.load_weights(tmp_path / "weights.h5", by_name=True)
    assert same(second.layers[0].get_weights(), first.layers[0].get_weights())
    assert same(second.layers[1].get_weights(), new)


def test_freezing_belongs_to_the_compiled_model():
    x = Input(shape=(6,))
    layer = Dense(3)
    layer.trainable = False
    y = layer(x)
    frozen = Model(x, y)
    frozen.compile(optimizer="rmsprop", loss="mse")
    layer.trainable = True
    trainable = Model(x, y)
    trainable.compile(optimizer="rmsprop", loss="mse")
    start = layer.get_weights()
    with pytest.warns(UserWarning, match="next"):
        frozen.fit(X, Y, verbose=0)
    assert same(start, layer.get_weights())
    trainable.fit(X, Y, verbose=0)
    assert not same(start, layer.get_weights())


def test_a_state_goes_from_batch_to_batch():
    x = RNG.random((4, 9, 3)).astype("float32")
    model = Sequential([LSTM(2, input_shape=(4, 3), batch_size=4, stateful=True)])
    whole = Sequential([LSTM(2, input_shape=(8, 3))])
    whole.set_weights(model.get_weights())
    model.predict(x[:, :4], batch_size=4)
    after = model.predict(x[:, 4:8], batch_size=4)
    np.testing.assert_allclose(after, whole.predict(x[:, :8]), rtol=1e-4)
    model.reset_states()
    first = model.predict(x[:, :4], batch_size=4)
    model.layers[0].reset_states()
    np.testing.assert_allclose(model.predict(x[:, :4], batch_size=4), first, rtol=1e-5)


def test_hdf5_as_input(tmp_path):
    model = classifier()
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x_data"], file["y_data"] = X, Y
    with h5py.File(tmp_path / "data.h5", "r") as file:
        np.testing.assert_allclose(model.predict(file["x_data"]), model.predict(X), rtol=1e-5)
    x = HDF5Matrix(tmp_path / "data.h5", "x_data", start=8)
    y = HDF5Matrix(tmp_path / "data.h5", "y_data", start=8)
    np.testing.assert_allclose(
        model.evaluate(x, y, verbose=0), model.evaluate(X[8:], Y[8:], verbose=0), rtol=1e-5
    )


# ---------------------------------------------------------------- 4 models


def lines_of(path, read):
    """The manual's generator: it reads a file line by line for ever."""
    while 1:
        with open(path) as file:
            for line in file:
                yield read(np.array(line.split(), "float32"))


@pytest.fixture
def numbers(tmp_path):
    np.savetxt(tmp_path / "numbers.txt", np.hstack([X, Y])[:5])
    return tmp_path / "numbers.txt"


def test_a_generator_that_reads_a_file(numbers):
    model, peer = classifier(), classifier()
    peer.set_weights(model.get_weights())
    batches = lines_of(numbers, lambda row: (row[None, :6], row[None, 6:]))
    model.fit_generator(batches, steps_per_epoch=10, epochs=1, verbose=0)
    for row in [*range(5), *range(5)]:
        peer.train_on_batch(X[row : row + 1], Y[row : row + 1])
    for ours, theirs in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_generator_of_named_arrays(numbers):
    inputs = [Input((3,), name="input_1"), Input((3,), name="input_2")]
    model = Model(inputs, Dense(3, name="output")(concatenate(inputs)))
    model.compile("sgd", "mse")
    batches = lines_of(
        numbers,
        lambda row: (
            {"input_1": row[None, :3], "input_2": row[None, 3:6]},
            {"output": row[None, 6:]},
        ),
    )
    expected = np.mean((model.predict([X[:5, :3], X[:5, 3:]]) - Y[:5]) ** 2)
    np.testing.assert_allclose(model.evaluate_generator(batches, steps=5), expected, rtol=1e-4)
    model.fit_generator(batches, steps_per_epoch=5, epochs=2, verbose=0)


# ---------------------------------------------------------------- 6.3 images


def test_pictures_are_augmented_while_training():
    x, y = RNG.integers(0, 255, (10, 6, 6, 3)).astype("uint8"), Y[:10]
    model = Sequential([Flatten(input_shape=(6, 6, 3)), Dense(3)])
    model.compile("sgd", "mse")
    datagen = ImageDataGenerator(
        featurewise_center=True,
        featurewise_std_normalization=True,
        rotation_range=20,
        width_shift_range=0.2,
        height_shift_range=0.2,
        horizontal_flip=True,
    )
    datagen.fit(x)
    flow = datagen.flow(x, y, batch_size=4)
    history = model.fit_generator(flow, steps_per_epoch=len(x) / 4, epochs=2, verbose=0)
    assert history.params["steps"] == 3
    sizes = []
    for x_batch, y_batch in datagen.flow(x, y, batch_size=4):
        model.fit(x_batch, y_batch, verbose=0)
        sizes.append(len(x_batch))
        if len(sizes) >= len(x) / 4:
            break
    assert sizes == [4, 4, 2]


@pytest.fixture
def pictures(tmp_path):
    for part in ("train", "validation"):
        for name in ("cats", "dogs"):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for number in range(3):
                pixels = RNG.integers(0, 255, (9, 9, 3)).astype("uint8")
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path


def test_folders_of_pictures(pictures):
    changed = ImageDataGenerator(
        rescale=1.0 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True
    )
    plain = ImageDataGenerator(rescale=1.0 / 255)
    given = {"target_size": (6, 6), "batch_size": 2, "class_mode": "binary"}
    train = changed.flow_from_directory(pictures / "train", **given)
    validation = plain.flow_from_directory(pictures / "validation", **given)
    model = Sequential([Flatten(input_shape=(6, 6, 3)), Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    history = model.fit_generator(
        train,
        steps_per_epoch=3,
        epochs=2,
        validation_data=validation,
        validation_steps=3,
        verbose=0,
    )
    assert len(history.history["val_loss"]) == 2
    assert train.class_indices == {"cats": 0, "dogs": 1}


def test_pictures_and_masks_change_alike(pictures):
    arguments = {"rotation_range": 90.0, "width_shift_range": 0.1, "zoom_range": 0.2}
    of_both = [ImageDataGenerator(**arguments) for _ in range(2)]
    flows = [
        generator.flow_from_directory(
            pictures / "train", class_mode=None, seed=1, target_size=(6, 6), batch_size=2
        )
        for generator in of_both
    ]
    pairs = zip(*flows, strict=False)
    image, mask = next(pairs)
    np.testing.assert_array_equal(image, mask)
    model = Sequential([Dense(3, input_shape=(6, 6, 3))])
    model.compile("adam", "mse")
    model.fit_generator(pairs, steps_per_epoch=2, epochs=2, verbose=0)


# ---------------------------------------------------------------- 11 callbacks


def test_losses_of_batches():
    class LossHistory(Callback):
        def on_train_begin(self, logs={}):  # noqa: B006 - as the manual writes it
            self.losses = []

        def on_batch_end(self, batch, logs={}):  # noqa: B006
            self.losses.append(logs.get("loss"))

    model = classifier()
    history = LossHistory()
    whole = model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[history]).history
    assert len(history.losses) == 6
    np.testing.assert_allclose(
        [np.mean(history.losses[:3]), np.mean(history.losses[3:])], whole["loss"], rtol=1e-5
    )


def test_callbacks_of_one_line(tmp_path, capsys):
    with open(tmp_path / "log.json", mode="w", buffering=1) as log:
        model = classifier()
        model.fit(
            X,
            Y,
            batch_size=12,
            epochs=2,
            verbose=0,
            callbacks=[
                LambdaCallback(on_batch_begin=lambda batch, logs: print(batch)),
                LambdaCallback(
                    on_epoch_end=lambda epoch, logs: log.write(
                        json.dumps({"epoch": epoch, "loss": logs["loss"]}) + "\n"
                    ),
                    on_train_end=lambda logs: log.close(),
                ),
                ReduceLROnPlateau(monitor="loss", factor=0.2, patience=5, min_lr=0.001),
            ],
        )
        assert log.closed
    assert capsys.readouterr().out.split() == ["0", "1", "0", "1"]
    lines = [json.loads(line) for line in (tmp_path / "log.json").read_text().splitlines()]
    assert [line["loss"] for line in lines] == model.history.history["loss"]


def test_the_best_model_is_kept(tmp_path):
    path = str(tmp_path / "weights.hdf5")
    model = classifier()
    keeper = ModelCheckpoint(filepath=path, verbose=0, save_best_only=True)
    history = model.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), callbacks=[keeper])
    best = load_model(path).evaluate(X, Y, verbose=0)[0]
    np.testing.assert_allclose(best, min(history.history["val_loss"]), rtol=1e-5)


# ---------------------------------------------------------------- 15, 16, 20


def test_functions_of_ones_own():
    def penalty(weights):
        return 0.01 * K.sum(K.abs(weights))

    def start(shape, dtype=None):
        return 2 * K.ones(shape, dtype=dtype)

    model = Sequential()
    model.add(Dense(2, input_dim=6, kernel_regularizer=penalty, kernel_initializer=start))
    model.add(Activation(K.tanh))
    model.add(Dense(2, kernel_initializer=initializers.random_normal(stddev=0.0)))
    model.add(BatchNormalization(gamma_regularizer=regularizers.l2(0.5)))
    model.compile("sgd", "mse", metrics=[lambda y_true, y_pred: K.mean(y_true)])
    loss, mean = model.evaluate(X, 0 * X[:, :2] + 3, verbose=0)
    np.testing.assert_allclose(loss, 9 + 0.01 * 24 + 0.5 * 2, rtol=1e-5)
    assert mean == 3
    with CustomObjectScope({"MyObject": penalty}):
        assert Dense(2, kernel_regularizer="MyObject").kernel_regularizer is penalty


def test_a_sequence_of_batches():
    class Pieces(Sequence):
        def __init__(self, x_set, y_set, batch_size):
            self.x, self.y = x_set, y_set
            self.batch_size = batch_size

        def __len__(self):
            return math.ceil(len(self.x) / self.batch_size)

        def __getitem__(self, idx):
            rows = slice(idx * self.batch_size, (idx + 1) * self.batch_size)
            return np.array(list(self.x[rows])), np.array(self.y[rows])

    model = classifier()
    pieces = Pieces(X, Y, 7)
    assert model.fit_generator(pieces, epochs=2, verbose=0).params["steps"] == 4
    np.testing.assert_allclose(model.predict_generator(pieces), model.predict(X), rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate_generator(pieces), model.evaluate(X, Y, verbose=0), rtol=1e-4
    )
