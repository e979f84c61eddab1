"""The manual's example programs train as with tf_keras: the same losses, the same weights.

Each is written once, for either library, scaled down and without the noise of dropout,
whose numbers are nobody's to compare. Both begin with the same weights and see the same
batches for 20 steps.

Source: Keras 2 manual, chapters 3.1.5 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import tf_keras

from nbkeras import core as keras

RNG = np.random.default_rng(11)
STEPS = 20
BATCH = 8
ROWS = 4 * BATCH

HARD = {"recurrent_activation": "hard_sigmoid"}
"""Keras 2's default of LSTM, which tf_keras changed."""


class Program(NamedTuple):
    """A model, compiled, with data for it.

    Attributes:
        model: what is trained.
        x: its inputs.
        y: its targets.
    """

    model: Any
    x: Any
    y: Any


def optimizer(lib: Any, name: str, **options: Any) -> Any:
    # tf_keras' "legacy" optimizers are those with Keras 2's formulas.
    home = lib.optimizers.legacy if lib is tf_keras else lib.optimizers
    return getattr(home, name)(**options)


def rate(lib: Any, value: float) -> dict[str, float]:
    return {"learning_rate" if lib is tf_keras else "lr": value}


def numbers(*shape: int) -> np.ndarray:
    return RNG.random((ROWS, *shape)).astype("float32")


def labels(classes: int) -> np.ndarray:
    return np.eye(classes, dtype="float32")[RNG.integers(0, classes, ROWS)]


def words(length: int, vocabulary: int) -> np.ndarray:
    return RNG.integers(1, vocabulary, (ROWS, length)).astype("int32")


BITS = RNG.integers(0, 2, (ROWS, 1)).astype("float32")
VECTORS = numbers(20)
CLASSES = labels(5)
IMAGES = [numbers(12, 12, 3), numbers(12, 12, 3)]
SENTENCES = words(7, 30)
SERIES = [numbers(8, 4), numbers(8, 4)]
VIDEOS = numbers(3, 10, 10, 2)


# ---------------------------------------------------------------- sequential (3.1.5)


def mlp_for_classes(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(L.Dense(16, activation="relu", input_dim=20))
    model.add(L.Dropout(0.0))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dropout(0.0))
    model.add(L.Dense(5, activation="softmax"))
    sgd = optimizer(lib, "SGD", **rate(lib, 0.01), decay=1e-6, momentum=0.9, nesterov=True)
    model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
    return Program(model, VECTORS, CLASSES)


def mlp_for_two_classes(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(L.Dense(16, input_dim=20, activation="relu"))
    model.add(L.Dropout(0.0))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dropout(0.0))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        loss="binary_crossentropy", optimizer=optimizer(lib, "RMSprop"), metrics=["accuracy"]
    )
    return Program(model, VECTORS, BITS)


def vgg(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(L.Conv2D(4, (3, 3), activation="relu", padding="same", input_shape=(12, 12, 3)))
    model.add(L.Conv2D(4, (3, 3), activation="relu"))
    model.add(L.MaxPooling2D(pool_size=(2, 2)))
    model.add(L.Dropout(0.0))
    model.add(L.Conv2D(6, (3, 3), activation="relu", padding="same"))
    model.add(L.Conv2D(6, (3, 3), activation="relu"))
    model.add(L.MaxPooling2D(pool_size=(2, 2)))
    model.add(L.Dropout(0.0))
    model.add(L.Flatten())
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dropout(0.0))
    model.add(L.Dense(5, activation="softmax"))
    sgd = optimizer(lib, "SGD", **rate(lib, 0.01), decay=1e-6, momentum=0.9, nesterov=True)
    model.compile(loss="categorical_crossentropy", optimizer=sgd)
    return Program(model, IMAGES[0], CLASSES)


def lstm(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(L.Embedding(30, output_dim=8))
    model.add(L.LSTM(6, **HARD))
    model.add(L.Dropout(0.0))
    model.add(L.Dense(1, activation="sigmoid"))
    model.build((None, None))
    model.compile(
        loss="binary_crossentropy", optimizer=optimizer(lib, "RMSprop"), metrics=["accuracy"]
    )
    return Program(model, SENTENCES, BITS)


def conv1d(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(L.Conv1D(6, 3, activation="relu", input_shape=(20, 1)))
    model.add(L.Conv1D(6, 3, activation="relu"))
    model.add(L.MaxPooling1D(3))
    model.add(L.Conv1D(8, 3, activation="relu"))
    model.add(L.Conv1D(8, 2, activation="relu"))
    model.add(L.GlobalAveragePooling1D())
    model.add(L.Dropout(0.0))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        loss="binary_crossentropy", optimizer=optimizer(lib, "RMSprop"), metrics=["accuracy"]
    )
    return Program(model, VECTORS[..., None], BITS)


def stacked_lstm(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(L.LSTM(6, return_sequences=True, input_shape=(8, 4), **HARD))
    model.add(L.LSTM(6, return_sequences=True, **HARD))
    model.add(L.LSTM(6, **HARD))
    model.add(L.Dense(5, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy", optimizer=optimizer(lib, "RMSprop"), metrics=["accuracy"]
    )
    return Program(model, SERIES[0], CLASSES)


def stateful_stacked_lstm(lib: Any) -> Program:
    L = lib.layers
    model = lib.models.Sequential()
    model.add(
        L.LSTM(6, return_sequences=True, stateful=True, batch_input_shape=(BATCH, 8, 4), **HARD)
    )
    model.add(L.LSTM(6, return_sequences=True, stateful=True, **HARD))
    model.add(L.LSTM(6, stateful=True, **HARD))
    model.add(L.Dense(5, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy", optimizer=optimizer(lib, "RMSprop"), metrics=["accuracy"]
    )
    return Program(model, SERIES[0], CLASSES)


# ---------------------------------------------------------------- functional (3.2)


def fully_connected(lib: Any) -> Program:
    L = lib.layers
    inputs = L.Input(shape=(20,))
    x = L.Dense(16, activation="relu")(inputs)
    x = L.Dense(16, activation="relu")(x)
    predictions = L.Dense(5, activation="softmax")(x)
    model = lib.models.Model(inputs=inputs, outputs=predictions)
    model.compile(
        optimizer=optimizer(lib, "RMSprop"), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    return Program(model, VECTORS, CLASSES)


def model_for_each_step(lib: Any) -> Program:
    """A model called like a layer, on every time step (3.2.3)."""
    L = lib.layers
    inputs = L.Input(shape=(4,))
    model = lib.models.Model(inputs, L.Dense(5, activation="softmax")(L.Dense(6)(inputs)))
    sequences = L.Input(shape=(8, 4))
    outer = lib.models.Model(sequences, L.TimeDistributed(model)(sequences))
    outer.compile(optimizer=optimizer(lib, "RMSprop"), loss="mse")
    return Program(outer, SERIES[0], np.repeat(CLASSES[:, None], 8, axis=1))


def headlines(lib: Any) -> Program:
    """Several inputs and outputs (3.2.4)."""
    L = lib.layers
    main_input = L.Input(shape=(7,), dtype="int32", name="main_input")
    x = L.Embedding(output_dim=8, input_dim=30, input_length=7)(main_input)
    lstm_out = L.LSTM(6, **HARD)(x)
    auxiliary_output = L.Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
    auxiliary_input = L.Input(shape=(20,), name="aux_input")
    x = L.concatenate([lstm_out, auxiliary_input])
    x = L.Dense(8, activation="relu")(x)
    x = L.Dense(8, activation="relu")(x)
    x = L.Dense(8, activation="relu")(x)
    main_output = L.Dense(1, activation="sigmoid", name="main_output")(x)
    model = lib.models.Model(
        inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output]
    )
    model.compile(
        optimizer=optimizer(lib, "RMSprop"),
        loss={"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
        loss_weights={"main_output": 1.0, "aux_output": 0.2},
    )
    data = {"main_input": SENTENCES, "aux_input": VECTORS}
    return Program(model, data, {"main_output": BITS, "aux_output": BITS})


def tweets(lib: Any) -> Program:
    """A shared layer (3.2.5)."""
    L = lib.layers
    tweet_a, tweet_b = L.Input(shape=(8, 4)), L.Input(shape=(8, 4))
    shared_lstm = L.LSTM(6, **HARD)
    encoded_a = shared_lstm(tweet_a)
    encoded_b = shared_lstm(tweet_b)
    merged_vector = L.concatenate([encoded_a, encoded_b], axis=-1)
    predictions = L.Dense(1, activation="sigmoid")(merged_vector)
    model = lib.models.Model(inputs=[tweet_a, tweet_b], outputs=predictions)
    model.compile(
        optimizer=optimizer(lib, "RMSprop"), loss="binary_crossentropy", metrics=["accuracy"]
    )
    return Program(model, SERIES, BITS)


def inception(lib: Any) -> Program:
    L = lib.layers
    image = L.Input(shape=(12, 12, 3))
    tower_1 = L.Conv2D(4, (1, 1), padding="same", activation="relu")(image)
    tower_1 = L.Conv2D(4, (3, 3), padding="same", activation="relu")(tower_1)
    tower_2 = L.Conv2D(4, (1, 1), padding="same", activation="relu")(image)
    tower_2 = L.Conv2D(4, (5, 5), padding="same", activation="relu")(tower_2)
    tower_3 = L.MaxPooling2D((3, 3), strides=(1, 1), padding="same")(image)
    tower_3 = L.Conv2D(4, (1, 1), padding="same", activation="relu")(tower_3)
    output = L.concatenate([tower_1, tower_2, tower_3], axis=1)
    model = lib.models.Model(image, L.Dense(5, activation="softmax")(L.Flatten()(output)))
    model.compile(optimizer=optimizer(lib, "Adam"), loss="categorical_crossentropy")
    return Program(model, IMAGES[0], CLASSES)


def residual(lib: Any) -> Program:
    L = lib.layers
    x = L.Input(shape=(12, 12, 3))
    y = L.Conv2D(3, (3, 3), padding="same")(x)
    z = L.add([x, y])
    model = lib.models.Model(x, z)
    model.compile(optimizer=optimizer(lib, "Adam"), loss="mse")
    return Program(model, IMAGES[0], IMAGES[1])


def same_digit(lib: Any) -> Program:
    """A shared vision model (3.2.7.3)."""
    L, Model = lib.layers, lib.models.Model
    digit_input = L.Input(shape=(12, 12, 3))
    x = L.Conv2D(4, (3, 3))(digit_input)
    x = L.Conv2D(4, (3, 3))(x)
    x = L.MaxPooling2D((2, 2))(x)
    vision_model = Model(digit_input, L.Flatten()(x))
    digit_a, digit_b = L.Input(shape=(12, 12, 3)), L.Input(shape=(12, 12, 3))
    concatenated = L.concatenate([vision_model(digit_a), vision_model(digit_b)])
    out = L.Dense(1, activation="sigmoid")(concatenated)
    model = Model([digit_a, digit_b], out)
    model.compile(optimizer=optimizer(lib, "Adam"), loss="binary_crossentropy")
    return Program(model, IMAGES, BITS)


def vision(lib: Any, size: int, channels: int) -> Any:
    L = lib.layers
    model = lib.models.Sequential()
    shape = (size, size, channels)
    model.add(L.Conv2D(4, (3, 3), activation="relu", padding="same", input_shape=shape))
    model.add(L.Conv2D(4, (3, 3), activation="relu"))
    model.add(L.MaxPooling2D((2, 2)))
    model.add(L.Conv2D(6, (3, 3), activation="relu", padding="same"))
    model.add(L.MaxPooling2D((2, 2)))
    model.add(L.Flatten())
    return model


def visual_questions(lib: Any) -> Program:
    L = lib.layers
    image_input = L.Input(shape=(12, 12, 3))
    encoded_image = vision(lib, 12, 3)(image_input)
    question_input = L.Input(shape=(7,), dtype="int32")
    embedded = L.Embedding(input_dim=30, output_dim=8, input_length=7)(question_input)
    encoded_question = L.LSTM(6, **HARD)(embedded)
    merged = L.concatenate([encoded_question, encoded_image])
    output = L.Dense(5, activation="softmax")(merged)
    model = lib.models.Model(inputs=[image_input, question_input], outputs=output)
    model.compile(optimizer=optimizer(lib, "Adam"), loss="categorical_crossentropy")
    return Program(model, [IMAGES[0], SENTENCES], CLASSES)


def video_questions(lib: Any) -> Program:
    L, Model = lib.layers, lib.models.Model
    video_input = L.Input(shape=(3, 10, 10, 2))
    frames = L.TimeDistributed(vision(lib, 10, 2))(video_input)
    encoded_video = L.LSTM(6, **HARD)(frames)
    question_input = L.Input(shape=(7,), dtype="int32")
    embedded = L.Embedding(input_dim=30, output_dim=8, input_length=7)(question_input)
    question_encoder = Model(question_input, L.LSTM(6, **HARD)(embedded))
    video_question_input = L.Input(shape=(7,), dtype="int32")
    encoded_video_question = question_encoder(video_question_input)
    merged = L.concatenate([encoded_video, encoded_video_question])
    output = L.Dense(5, activation="softmax")(merged)
    model = Model(inputs=[video_input, video_question_input], outputs=output)
    model.compile(optimizer=optimizer(lib, "Adam"), loss="categorical_crossentropy")
    return Program(model, [VIDEOS, SENTENCES], CLASSES)


# ---------------------------------------------------------------- training

QUICK = [
    mlp_for_classes,
    mlp_for_two_classes,
    vgg,
    lstm,
    stateful_stacked_lstm,
    model_for_each_step,
    headlines,
    same_digit,
]
SLOW = [
    conv1d,
    stacked_lstm,
    fully_connected,
    tweets,
    inception,
    residual,
    visual_questions,
    video_questions,
]


def check(write: Callable[[Any], Program]) -> None:
    ours, theirs = write(keras), write(tf_keras)
    ours.model.set_weights(theirs.model.get_weights())
    losses = []
    for program in (ours, theirs):
        history = program.model.fit(
            program.x,
            program.y,
            batch_size=BATCH,
            epochs=STEPS * BATCH // ROWS,
            shuffle=False,
            verbose=0,
        )
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5, atol=1e-5)
    for mine, other in zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
    if ours.model.stateful:
        ours.model.reset_states()
        theirs.model.reset_states()
    predicted = [p.model.predict(p.x, batch_size=BATCH, verbose=0) for p in (ours, theirs)]
    for mine, other in zip(*map(listed, predicted), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("program", QUICK)
def test_program_equals_tf_keras(program):
    check(program)


@pytest.mark.slow
@pytest.mark.parametrize("program", SLOW)
def test_more_programs_equal_tf_keras(program):
    check(program)
