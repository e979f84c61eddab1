"""HDF5Matrix: the rows of a file as NumPy has them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential
from nbkeras.core.utils import HDF5Matrix

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = X
        file["group/y"] = X[:, 0]
    return tmp_path / "data.h5"


KEYS = [
    0,
    -1,
    np.int64(4),
    slice(None),
    slice(2, 7),
    slice(-3, None),
    slice(10, 2, -3),
    slice(5, 5),
    [3, 1, 1, 8],
    np.array([9, -1, 0]),
    np.arange(10) % 3 == 0,
    [],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("normalizer", [None, lambda part: part * 2])
def test_rows_are_those_of_the_array(path: Path, key: Any, normalizer: Any) -> None:
    x = HDF5Matrix(path, "x", start=5, end=15, normalizer=normalizer)
    expected = X[5:15] if normalizer is None else X[5:15] * 2
    key_of_numpy = np.array(key, int) if isinstance(key, list) else key
    np.testing.assert_array_equal(x[key], expected[key_of_numpy])
    np.testing.assert_array_equal(np.asarray(x), expected)
    assert (len(x), x.shape, x.ndim, x.size, x.dtype) == (10, (10, 3), 2, 30, np.float32)


def test_shape_and_type_after_a_normalizer(path: Path) -> None:
    x = HDF5Matrix(path, "group/y", normalizer=lambda part: np.stack([part, part], -1).astype(int))
    assert (x.shape, x.dtype) == ((20, 2), np.dtype(int))


def test_a_model_takes_it(path: Path) -> None:
    def history(x: Any, y: Any) -> Any:
        net = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
        net.compile("sgd", "mse", jit_compile=False)
        net.fit(x, y, epochs=2, shuffle=False, verbose=0)
        return net.predict(x)

    ours = history(HDF5Matrix(path, "x"), HDF5Matrix(path, "group/y"))
    np.testing.assert_array_equal(ours, history(X, X[:, 0]))


def test_it_travels_to_other_processes(path: Path) -> None:
    x = pickle.loads(pickle.dumps(HDF5Matrix(path, "x", start=4)))
    np.testing.assert_array_equal(x[:2], X[4:6])


def test_what_cannot_be(path: Path) -> None:
    x = HDF5Matrix(path, "x", end=10)
    for wrong in (10, -11, [0, 10], "a", 1.5, np.ones(3, bool)):
        with pytest.raises(IndexError):
            x[wrong]
    for options, text in (
        ({"dataset": "z"}, r"it holds 'group', 'x'"),
        ({"dataset": "x/z"}, "no data set"),
        ({"dataset": "group"}, "is a group"),
        ({"dataset": "x", "end": 21}, "20 rows"),
        ({"dataset": "x", "start": 5, "end": 4}, "in order"),
    ):
        with pytest.raises(ValueError, match=text):
            HDF5Matrix(path, **options)


def test_nothing_outside_the_file_is_read(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"12345678")
    with h5py.File(path, "a") as file:
        file["linked"] = h5py.ExternalLink("other.h5", "x")
        file["soft"] = h5py.SoftLink("/x")
        file.create_dataset("external", (2,), "f4", external=[(str(tmp_path / "secret"), 0, 8)])
        layout = h5py.VirtualLayout((20, 3), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", (20, 3))
        file.create_virtual_dataset("virtual", layout)
    for name in ("linked", "soft", "external", "virtual"):
        with pytest.raises(ValueError, match="elsewhere"):
            HDF5Matrix(path, name)
