"""The data sets that need no download."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits

from nbkeras.core import config, datasets, layers, models
from nbkeras.core.datasets.sequences import WAVES
from nbkeras.core.datasets.shapes import SHAPES

MAKERS = [datasets.make_shapes, datasets.make_sequences]


def flat(split: Any) -> list[np.ndarray]:
    (x_train, y_train), (x_test, y_test) = split
    return [x_train, y_train, x_test, y_test]


# ---------------------------------------------------------------- digits


def test_digits_are_those_of_scikit_learn() -> None:
    x_train, y_train, x_test, y_test = flat(datasets.digits.load_data(test_split=0.25, seed=5))
    assert x_test.shape == (450, 8, 8)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    found = {
        (a.tobytes(), int(b))
        for x, y in ((x_train, y_train), (x_test, y_test))
        for a, b in zip(x, y, strict=True)
    }
    known = load_digits()
    assert found == {
        (a.astype(np.uint8).tobytes(), int(b))
        for a, b in zip(known.images, known.target, strict=True)
    }
    other = datasets.digits.load_data(test_split=0.25, seed=6)[0][0]
    assert not np.array_equal(x_train, other)
    np.testing.assert_array_equal(x_train, datasets.digits.load_data(0.25, 5)[0][0])


def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def missing(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return load(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"pip install scikit-learn.*make_shapes"):
        datasets.digits.load_data()


# ---------------------------------------------------------------- shapes and sequences


@pytest.mark.parametrize("make", MAKERS)
def test_a_seed_makes_the_same_data(make: Any) -> None:
    np.random.seed(1)
    first = flat(make(100))
    state = np.random.get_state()[1].tolist()
    np.random.seed(1)
    assert np.random.get_state()[1].tolist() == state  # nothing was drawn from it
    for one, two, other in zip(first, flat(make(100)), flat(make(100, seed=1)), strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("make", MAKERS)
def test_classes_are_balanced_and_the_split_is_kept(make: Any) -> None:
    _, y_train, _, y_test = flat(make(90, test_split=1 / 3))
    assert (len(y_train), len(y_test)) == (60, 30)
    counts = np.bincount(np.concatenate([y_train, y_test]))
    assert counts.max() - counts.min() <= 1
    assert len(make(90, test_split=0)[1][0]) == 0


def test_shapes_look_like_themselves() -> None:
    """Area and extent of what is drawn, by geometry."""
    for number, (shape, other) in enumerate(zip(SHAPES, ["ring", *SHAPES], strict=False)):
        x, y, *_ = flat(
            datasets.make_shapes(40, 64, [shape, other], noise=0, test_split=0, seed=number)
        )
        for image in x[y == 0][:, :, :, 0].astype(float):
            covered = (image - image.min()) / (image.max() - image.min())
            assert ndimage.label(covered > 0.4, np.ones((3, 3)))[1] == 1
            holes = ndimage.label(covered < 0.5)[1] - 1
            assert holes == (shape == "ring")
            area, core = covered.sum(), covered > 0.5
            ys, xs = np.nonzero(core)
            centre = np.array([ys.mean(), xs.mean()])
            reach = np.hypot(ys - centre[0], xs - centre[1]).max() + 0.5
            share = area / (np.pi * reach**2)  # of the circle around it
            wanted = {
                "circle": 1.0,
                "square": 2 / np.pi,
                "triangle": 3 * np.sqrt(3) / 4 / np.pi,
                "ring": 1 - (0.5 / 0.9) ** 2,
                "cross": (4 * 0.28 * (2 * 0.95 - 0.28)) / (np.pi * np.hypot(0.95, 0.28) ** 2),
                "star": 5 * 0.42 * np.sin(np.pi / 5) / np.pi,
            }[shape]
            assert share == pytest.approx(wanted, rel=0.12)


def test_layouts_of_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    last = flat(datasets.make_shapes(20, 16, channels=3))[0]
    first = flat(datasets.make_shapes(20, 16, channels=3, data_format="channels_first"))[0]
    assert last.shape == (16, 16, 16, 3)
    np.testing.assert_array_equal(last.transpose(0, 3, 1, 2), first)
    monkeypatch.setattr(config, "_image_data_format", "channels_first")
    np.testing.assert_array_equal(flat(datasets.make_shapes(20, 16, channels=3))[0], first)


def test_sequences_are_waves() -> None:
    """Without noise each is periodic in shape: its values' distribution tells the form."""
    x, y, *_ = flat(datasets.make_sequences(80, 400, list(WAVES), noise=0, test_split=0))
    assert x.shape == (80, 400, 1)
    assert x.dtype == np.float32
    spread = {"sine": np.sqrt(1 / 2), "square": 1, "sawtooth": np.sqrt(1 / 3)}
    spread["triangle"] = spread["sawtooth"]
    for series, label in zip(x[..., 0], y, strict=True):
        height = np.abs(series).max()
        name = list(WAVES)[label]
        assert 0.45 <= height <= 1.001
        assert series.std() / height == pytest.approx(spread[name], rel=0.12)
        jump = np.abs(np.diff(series)).max() / height
        assert (jump > 1.5) == (name in ("square", "sawtooth"))


@pytest.mark.parametrize(
    ("make", "options", "text"),
    [
        (datasets.make_shapes, {"shapes": ["circle", "heart"]}, "'heart'"),
        (datasets.make_shapes, {"shapes": ["circle"]}, "two or more"),
        (datasets.make_shapes, {"shapes": "circle"}, "two or more"),
        (datasets.make_shapes, {"size": 4}, "8 or more"),
        (datasets.make_shapes, {"channels": 2}, "1 for gray"),
        (datasets.make_shapes, {"noise": -1}, "standard deviation"),
        (datasets.make_shapes, {"num_samples": 0}, "1 or more"),
        (datasets.make_shapes, {"test_split": 1}, "test_split"),
        (datasets.make_shapes, {"data_format": "first"}, "data_format"),
        (datasets.make_sequences, {"waves": ["sine", "sine"]}, "two or more"),
        (datasets.make_sequences, {"waves": ["sine", "noise"]}, "'noise'"),
        (datasets.make_sequences, {"length": 2.5}, "8 or more"),
        (datasets.make_sequences, {"noise": "much"}, "standard deviation"),
    ],
)
def test_bad_arguments(make: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make(**options)


# ---------------------------------------------------------------- they can be learned


def accuracy(stack: list[Any], split: Any, epochs: int) -> float:
    (x_train, y_train), (x_test, y_test) = split
    model = models.Sequential(stack)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=epochs, verbose=0)
    return model.evaluate(x_test, y_test, verbose=0)[1]


def test_digits_are_learned() -> None:
    stack = [
        layers.Lambda(lambda x: x / 16.0, input_shape=(8, 8)),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
    assert accuracy(stack, datasets.digits.load_data(), 15) > 0.9


def test_shapes_are_learned() -> None:
    stack = [
        layers.Lambda(lambda x: x / 255.0, input_shape=(16, 16, 1)),
        layers.Conv2D(12, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(24, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(4, activation="softmax"),
    ]
    assert accuracy(stack, datasets.make_shapes(1200, 16), 15) > 0.55


def test_sequences_are_learned() -> None:
    stack = [
        layers.Conv1D(12, 5, activation="relu", input_shape=(32, 1)),
        layers.GlobalAveragePooling1D(),
        layers.Dense(3, activation="softmax"),
    ]
    assert accuracy(stack, datasets.make_sequences(1000, 32), 20) > 0.7
