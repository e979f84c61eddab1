"""Data read in blocks train, test and predict as the same data in memory do, bit for bit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nbkeras.core.callbacks import Callback
from nbkeras.core.engine import blocks, buffers
from nbkeras.core.engine.blocks import Rows, View
from nbkeras.core.engine.feeds import ArrayFeed, BlockFeed, open_feed
from nbkeras.core.layers import Dense, Dropout, Input, concatenate
from nbkeras.core.models import Model, Sequential
from nbkeras.core.utils import HDF5Matrix, set_random_seed

ROWS = 1000
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 6)).astype("float32")
Y = RNG.integers(0, 3, ROWS)
W = RNG.random(ROWS)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of about 8 batches of 16 rows; nothing is too small for them."""
    monkeypatch.setattr(blocks, "MEMORY", 0)
    monkeypatch.setattr(blocks, "BLOCK", 4096)
    monkeypatch.setattr(blocks, "PIECE", 300)
    monkeypatch.setattr(blocks, "RUN", 256)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"], file["w"] = X, Y, W
        file.create_dataset("packed", data=X, chunks=(7, 4), compression="gzip")
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "data.h5"


@pytest.fixture
def sources(path: Path) -> Iterator[dict[str, tuple[Any, Any, Any]]]:
    """The same data, held in many ways."""
    with h5py.File(path) as file:
        yield {
            "h5py": (file["x"], file["y"], file["w"]),
            "HDF5Matrix": (HDF5Matrix(path, "packed"), Y, HDF5Matrix(path, "w")),
            "memory map": (np.load(path.with_name("x.npy"), mmap_mode="r"), Y, W),
            "array of doubles": (X.astype("float64"), list(Y), W),
            "list and dictionary": ([file["packed"]], {"out": file["y"]}, W),
        }


def net(jit: Any = False) -> Sequential:
    set_random_seed(5)
    model = Sequential(
        [
            Dense(16, activation="relu", input_shape=(6,)),
            Dropout(0.4),
            Dense(3, activation="softmax", name="out"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"], jit_compile=jit)
    return model


def trained(x: Any, y: Any, jit: bool = False, **options: Any) -> tuple[Any, ...]:
    model = net(jit)
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, **options).history
    return history, [weight.tobytes() for weight in model.get_weights()]


def in_memory(monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Any, ...]:
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "MEMORY", 2**40)
        return trained(X, Y, **options)


@pytest.mark.usefixtures("small")
def test_fit_is_that_of_arrays(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = in_memory(monkeypatch, shuffle=False)
    for name, (x, y, _) in sources.items():
        assert trained(x, y, shuffle=False) == expected, name


OPTIONS: list[dict[str, Any]] = [
    {"shuffle": "batch"},
    {"shuffle": False, "validation_split": 0.3},
    {"shuffle": False, "steps_per_epoch": 21},
    {"shuffle": False, "class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
    {"shuffle": False, "callbacks": "batches"},
]


class Batches(Callback):
    """Hears each batch."""

    may_lag = False

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.last = batch


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.usefixtures("small")
def test_options_do_what_they_do_for_arrays(
    options: dict[str, Any], sources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if options.get("callbacks"):
        options = {**options, "callbacks": [Batches()]}
    assert trained(*sources["h5py"][:2], **options) == in_memory(monkeypatch, **options)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_with_xla_they_agree_to_rounding(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _ = trained(*sources["h5py"][:2], shuffle=False, jit=True)
    theirs, _ = in_memory(monkeypatch, shuffle=False, jit=True)
    np.testing.assert_allclose(ours["loss"], theirs["loss"], rtol=1e-5)


@pytest.mark.usefixtures("small")
def test_sample_weights_and_validation_data(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, w = sources["h5py"]
    ours = trained(x, y, shuffle=False, sample_weight=w, validation_data=(x, y, w))
    theirs = in_memory(monkeypatch, shuffle=False, sample_weight=W, validation_data=(X, Y, W))
    assert ours == theirs


@pytest.mark.usefixtures("small")
def test_arrays_too_large_for_a_copy_are_shuffled_as_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert trained(X.astype("float64"), Y) == in_memory(monkeypatch)


@pytest.mark.usefixtures("small")
def test_evaluate_and_predict(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = net()

    def results(x: Any, y: Any, w: Any) -> Any:
        return (
            model.evaluate(x, y, sample_weight=w),
            model.evaluate(x, y, batch_size=50, steps=7),
            model.predict(x).tobytes(),
            model.predict(x, batch_size=50, steps=7).tobytes(),
        )

    ours = {name: results(*data) for name, data in sources.items()}
    monkeypatch.setattr(blocks, "MEMORY", 2**40)
    expected = results(X, Y, W)
    assert all(found == expected for found in ours.values()), ours.keys()


@pytest.mark.usefixtures("small")
def test_several_inputs_and_outputs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(x: Any, y: Any) -> Any:
        set_random_seed(1)
        a, b = Input((6,), name="a"), Input((1,), name="b")
        both = concatenate([a, b])
        model = Model([a, b], [Dense(3, "softmax", name="c")(both), Dense(1, name="d")(both)])
        model.compile("sgd", ["sparse_categorical_crossentropy", "mse"], jit_compile=False)
        history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return history.history, [part.tobytes() for part in model.predict(x)]

    with h5py.File(path) as file:
        by_name = run({"b": file["w"], "a": file["x"]}, [file["y"], file["w"]])
        by_place = run([file["x"], W], [Y, file["w"]])
    monkeypatch.setattr(blocks, "MEMORY", 2**40)
    assert by_name == by_place == run([X, W], [Y, W])


@pytest.mark.usefixtures("small")
def test_a_model_without_a_shape_learns_it_from_the_first_row(path: Path) -> None:
    model = Sequential([Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with h5py.File(path) as file:
        model.fit(file["x"], file["y"], verbose=0)
    assert model.input_shape == (None, 6)


# ---------------------------------------------------------------- orders


@pytest.mark.usefixtures("small")
def test_data_on_disk_are_shuffled_in_blocks_of_runs(path: Path) -> None:
    block, run = 128, 11  # 256 bytes
    with h5py.File(path) as file:
        rows = Rows((file["x"], None, None))
        first, second = (rows.mixed(True, 16, block) for _ in range(2))
    assert first is not None
    assert second is not None
    assert (np.sort(first) == np.arange(ROWS)).all()
    assert (first != second).any()
    parts = [first[at : at + block] for at in range(0, ROWS, block)]
    # Each block is made of runs of rows from all over the file, mixed row by row.
    assert all(len(set((part // run).tolist())) <= block // run + 3 for part in parts)
    assert all(np.ptp(part) > ROWS / 2 for part in parts[:-1])
    assert np.mean(np.diff(first) == 1) < 0.1


@pytest.mark.usefixtures("small")
def test_shuffle_on_disk_trains_on_each_row_once(path: Path) -> None:
    seen: list[float] = []

    class Ids(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"] * logs["size"])

    with h5py.File(path, "a") as file:
        file["numbers"] = np.arange(ROWS, dtype="float32")
        model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="zeros")])
        model.compile("sgd", lambda true, pred: true + 0 * pred, jit_compile=False)
        model.fit(file["numbers"], file["numbers"], epochs=2, verbose=0, callbacks=[Ids()])
    first, second = np.split(np.array(seen), 2)
    np.testing.assert_allclose([first.sum(), second.sum()], ROWS * (ROWS - 1) / 2, rtol=1e-5)
    assert not np.allclose(first, second)


@pytest.mark.parametrize("order", ["any", "batch"])
def test_any_order_of_rows_can_be_read(order: str, path: Path) -> None:
    numbers = np.sort(np.random.default_rng(2).permutation(ROWS)[:200])
    with h5py.File(path) as file:
        rows = Rows((file["packed"], {"y": file["y"]}, W), start=100)
        x, y, w = rows.read(numbers[numbers < 900], size=256)
    wanted = numbers[numbers < 900] + 100
    np.testing.assert_array_equal(x[: len(wanted)], X[wanted])
    np.testing.assert_array_equal(y["y"][: len(wanted)], Y[wanted])
    np.testing.assert_array_equal(w[: len(wanted)], W[wanted])
    assert (len(x), len(w)) == (256, 256)
    assert (x[len(wanted) :] == X[wanted[-1]]).all()


# ---------------------------------------------------------------- what is read when


def test_small_data_are_read_whole_and_large_ones_not(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = net()
    model.evaluate(X[:1], Y[:1])
    with h5py.File(path) as file:
        kinds = []
        for limit in (2**20, X.nbytes + 4 * ROWS, X.nbytes + 4 * ROWS - 1):
            monkeypatch.setattr(blocks, "MEMORY", limit)
            kinds.append(type(open_feed(model, file["x"], file["y"], batch_size=16)))
    assert kinds == [ArrayFeed, ArrayFeed, BlockFeed]


def test_arrays_lie_on_a_gpu_up_to_gigabytes(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(blocks, "MEMORY", X.nbytes - 1)
    monkeypatch.setattr(blocks, "GPU_MEMORY", 2 * X.nbytes)
    assert blocks.worth_blocks(X.astype("float64"))
    monkeypatch.setattr(buffers, "on_gpu", lambda: True)
    assert not blocks.worth_blocks(X.astype("float64"), X)
    assert blocks.worth_blocks(X, X, Y)
    with h5py.File(path) as file:  # would first be read into the program's memory
        assert blocks.worth_blocks(file["x"])


@pytest.mark.parametrize("first", [0, 11, 62])
@pytest.mark.usefixtures("small")
def test_a_pass_can_go_on_from_any_batch(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = net()
    model.evaluate(X, Y)
    program = model._trainer.program("test")  # type: ignore[union-attr]
    order = np.random.default_rng(1).permutation(ROWS)

    def logs() -> list[Any]:
        feed = open_feed(model, X.astype("float64"), Y, batch_size=16)
        executor, step, values = feed.executor(program), first, []
        executor.begin(order)
        while executor.has(step):
            count = executor.next_count(step)
            values.append(executor.run(step, count))
            assert (executor.sizes(step, count) == [16] * count).all() or step + count == 63
            step += count
        feed.close()
        return np.concatenate(values).tolist()

    ours = logs()
    monkeypatch.setattr(blocks, "MEMORY", 2**40)
    assert ours == logs()


@pytest.mark.usefixtures("small")
def test_only_a_few_blocks_are_read_ahead(path: Path) -> None:
    most: list[int] = []

    class Counting(HDF5Matrix):
        last = 0

        def __getitem__(self, key: Any) -> Any:
            if isinstance(key, slice):
                Counting.last = key.stop
            return super().__getitem__(key)

    class Lead(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            most.append(Counting.last - 16 * batch)

    feed_block = 4096 // (4 * 8) // 16 * 16
    net().fit(Counting(path, "x"), Y, batch_size=16, shuffle=False, verbose=0, callbacks=[Lead()])
    assert max(most) <= 4 * feed_block
    assert not [t for t in threading.enumerate() if t.name == "nbkeras-prefetch"]


@pytest.mark.usefixtures("small")
def test_callbacks_see_the_validation_data_as_arrays(path: Path) -> None:
    seen: list[Any] = []

    class Look(Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            seen.extend(self.validation_data)

    with h5py.File(path) as file:
        net().fit(
            X[:32], Y[:32], validation_data=(file["x"], file["y"]), verbose=0, callbacks=[Look()]
        )
        x, y, w = seen
        assert isinstance(x, View)
        assert (x.shape, y.shape, w.shape) == ((ROWS, 6), (ROWS, 1), (ROWS,))
        np.testing.assert_array_equal(np.asarray(x), X)
        np.testing.assert_array_equal(x[5:20:3], X[5:20:3])
        np.testing.assert_array_equal(x[[7, 3, 3]], X[[7, 3, 3]])
        np.testing.assert_array_equal(y[-1], [Y[-1]])
        assert len(x[5:5]) == 0


# ---------------------------------------------------------------- what does not fit


@pytest.mark.usefixtures("small")
def test_what_does_not_fit_is_refused_before_training(path: Path) -> None:
    model = net()
    before = [weight.tobytes() for weight in model.get_weights()]
    with h5py.File(path) as file:
        x, y = file["x"], file["y"]
        for arguments, options, said in (
            ((x, Y[:-1]), {}, "same number of rows"),
            ((file["w"], y), {}, r"expected shape \(rows, 6\)"),
            ((x, file["x"]), {}, "expected shape"),
            ((x, y), {"class_weight": {0: 1.0, 1: 1.0}}, r"no weight for the classes \[2\]"),
            ((x, y), {"steps_per_epoch": 64}, "at most 63 steps"),
            ((x, y), {"validation_split": 1.5}, "between 0 and 1"),
            ((x[:], y), {"sample_weight": file["w"][:5]}, "same number of rows"),
        ):
            with pytest.raises(ValueError, match=said):
                model.fit(*arguments, batch_size=16, verbose=0, **options)
        with pytest.raises(ValueError, match="expected shape"):
            model.predict(file["w"])
    assert before == [weight.tobytes() for weight in model.get_weights()]


@pytest.mark.parametrize("where", ["memory", "disk"])
@pytest.mark.usefixtures("small")
def test_data_with_nan_are_refused_by_row(where: str, tmp_path: Path) -> None:
    bad = X.astype("float64")
    bad[[700, 703], 2] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    x = bad if where == "memory" else np.load(tmp_path / "bad.npy", mmap_mode="r")
    model = net()
    with pytest.raises(ValueError, match=r"in 2 of \d+ rows, first in row 700"):
        model.fit(x, Y, batch_size=16, verbose=0, shuffle=False)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert not [t for t in threading.enumerate() if t.name == "nbkeras-prefetch"]


@pytest.mark.usefixtures("small")
def test_an_error_while_reading_ends_the_run(path: Path) -> None:
    class Broken(HDF5Matrix):
        def __getitem__(self, key: Any) -> Any:
            if isinstance(key, slice) and key.start > 500:
                raise OSError("the disk is gone")
            return super().__getitem__(key)

    with pytest.raises(OSError, match="the disk is gone"):
        net().fit(Broken(path, "x"), Y, shuffle=False, verbose=0)
    assert not [t for t in threading.enumerate() if t.name == "nbkeras-prefetch"]
