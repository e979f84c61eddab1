"""The loaders beside those of tf_keras, on files of the right format that are made here."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbkeras.core import config, datasets
from nbkeras.core.datasets import (
    boston_housing,
    cifar,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

RANDOM = np.random.RandomState(7)


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def texts(count: int) -> np.ndarray:
    """Lists of word ranks, some of them short."""
    array = np.empty(count, object)
    array[:] = [RANDOM.randint(1, 60, RANDOM.randint(2, 30)).tolist() for _ in range(count)]
    return array


def images(count: int, *shape: int) -> np.ndarray:
    return RANDOM.randint(0, 256, (count, *shape)).astype(np.uint8)


def labels(count: int, classes: int = 10) -> np.ndarray:
    return RANDOM.randint(0, classes, count)


def tar(folder: str, **files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def batch(count: int, keys: tuple[str, ...] = ("labels",), protocol: int = 2) -> bytes:
    """A batch of CIFAR: keys are bytes, as unpickling what Python 2 wrote gives them."""
    made: dict[bytes, Any] = {key.encode(): labels(count).tolist() for key in keys}
    made[b"data"] = images(count, 3072)
    made[b"batch_label"] = b"training batch"
    made[b"filenames"] = [b"a.png"] * count
    return pickle.dumps(made, protocol=protocol)


def idx(array: np.ndarray) -> bytes:
    header = np.array([0x800 + array.ndim, *array.shape], ">i4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes())


BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
MADE: dict[Any, bytes] = {
    mnist: npz(
        x_train=images(9, 28, 28),
        y_train=labels(9).astype(np.uint8),
        x_test=images(4, 28, 28),
        y_test=labels(4).astype(np.uint8),
    ),
    imdb: npz(x_train=texts(40), y_train=labels(40, 2), x_test=texts(30), y_test=labels(30, 2)),
    reuters: npz(x=texts(60), y=labels(60, 46)),
    boston_housing: npz(x=RANDOM.rand(50, 13), y=RANDOM.rand(50)),
    cifar10: tar("cifar-10-batches-py", **{n: batch(5) for n in (*BATCHES, "test_batch")}),
    cifar100: tar(
        "cifar-100-python",
        train=batch(8, ("fine_labels", "coarse_labels")),
        test=batch(3, ("fine_labels", "coarse_labels")),
    ),
}
FASHION = {
    "train-labels-idx1-ubyte.gz": labels(8),
    "train-images-idx3-ubyte.gz": images(8, 28, 28),
    "t10k-labels-idx1-ubyte.gz": labels(3),
    "t10k-images-idx3-ubyte.gz": images(3, 28, 28),
}


@pytest.fixture
def oracle(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """A module of tf_keras, that reads the files of our cache."""

    def get_file(fname: str, origin: str, untar: bool = False, **options: Any) -> str:
        folder = "fashion-mnist" if "ubyte" in fname else "."
        return str(home / folder / fname)

    def oracle(module: Any) -> Any:
        name = f"tf_keras.src.datasets.{module.__name__.rpartition('.')[2]}"
        other = importlib.import_module(name)
        monkeypatch.setattr(other, "get_file", get_file)
        return other

    return oracle


def assert_same(ours: Any, theirs: Any) -> None:
    for our_pair, their_pair in zip(ours, theirs, strict=True):
        for our, their in zip(our_pair, their_pair, strict=True):
            assert our.dtype == their.dtype
            assert our.shape == their.shape
            assert our.tolist() == their.tolist()


# ---------------------------------------------------------------- the same data


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (mnist, {}),
        (boston_housing, {}),
        (boston_housing, {"test_split": 0.35, "seed": 3}),
        (boston_housing, {"test_split": 0}),
        (cifar100, {}),
        (cifar100, {"label_mode": "coarse"}),
        *(
            (module, options)
            for module in (imdb, reuters)
            for options in (
                {},
                {"num_words": 30},
                {"num_words": 30, "skip_top": 5, "oov_char": 9},
                {"num_words": 30, "oov_char": None},
                {"skip_top": 20, "maxlen": 15, "seed": 1},
                {"start_char": None, "index_from": 7},
                {"start_char": 4, "index_from": 0, "maxlen": 20, "num_words": 40},
            )
        ),
        (reuters, {"test_split": 0.37, "maxlen": 20}),
        (reuters, {"start_char": None, "index_from": 0}),
    ],
)
def test_the_same_data_as_keras(
    serve: Callable[..., None], oracle: Callable[[Any], Any], module: Any, options: dict[str, Any]
) -> None:
    serve(module, MADE[module])
    ours = module.load_data(**options)
    assert_same(ours, oracle(module).load_data(**options))


def test_fashion_mnist(
    server: Any, home: Path, oracle: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "ORIGIN", f"{server.root}/")
    server.files = {f"/{name}": idx(array) for name, array in FASHION.items()}
    ours = fashion_mnist.load_data()
    assert_same(ours, oracle(fashion_mnist).load_data())
    assert sorted(path.name for path in (home / "fashion-mnist").iterdir()) == sorted(FASHION)
    fashion_mnist.load_data()
    assert len(server.asked) == len(FASHION)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_cifar10_and_its_batches(
    serve: Callable[..., None],
    home: Path,
    oracle: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
) -> None:
    # The loader of tf_keras takes batches of 10,000 only; its reader of one batch, any.
    monkeypatch.setattr(config, "_image_data_format", layout)
    serve(cifar10, MADE[cifar10])
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    files = [home / "cifar-10-batches-py" / name for name in (*BATCHES, "test_batch")]
    parts = [oracle(cifar10).load_batch(str(file)) for file in files]
    axes = (0, 2, 3, 1) if layout == "channels_last" else (0, 1, 2, 3)
    np.testing.assert_array_equal(
        x_train, np.concatenate([x for x, _ in parts[:5]]).transpose(axes)
    )
    np.testing.assert_array_equal(x_test, parts[5][0].transpose(axes))
    assert y_train.tolist() == [[label] for _, ys in parts[:5] for label in ys]
    assert y_test.tolist() == [[label] for label in parts[5][1]]
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    for file, (x, y) in zip(files, parts, strict=True):
        ours = cifar.load_batch(file)
        np.testing.assert_array_equal(ours[0], x)
        assert ours[1] == y


def test_cifar100_channels_first(
    serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(cifar100, MADE[cifar100])
    (last, _), _ = cifar100.load_data()
    monkeypatch.setattr(config, "_image_data_format", "channels_first")
    (first, _), (x_test, _) = cifar100.load_data()
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)
    assert x_test.shape == (3, 3, 32, 32)


def test_ranks_as_they_are(serve: Callable[..., None]) -> None:
    """tf_keras cannot do this: it adds the texts of both parts, word by word."""
    serve(imdb, MADE[imdb])
    plain = imdb.load_data(num_words=1000, start_char=None, index_from=0)
    moved = imdb.load_data(num_words=1007, start_char=None, index_from=7)
    for (x, _), (y, _) in zip(plain, moved, strict=True):
        assert [[word + 7 for word in text] for text in x] == y.tolist()


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(serve: Callable[..., None], home: Path, module: Any) -> None:
    serve(module, json.dumps({"the": 1, "größe": 2}).encode(), "WORDS_")
    assert module.get_word_index() == {"the": 1, "größe": 2}
    assert [path.name for path in home.iterdir()] == [module.WORDS_ORIGIN.rpartition("/")[2]]


def test_texts_of_one_length_are_lists_too(serve: Callable[..., None]) -> None:
    same = np.empty(4, object)
    same[:] = [[1, 2], [3, 4], [5, 6], [7, 8]]
    serve(reuters, npz(x=same, y=labels(4)))
    (x_train, _), _ = reuters.load_data()
    assert x_train.shape == (3,)
    assert isinstance(x_train[0], list)


# ---------------------------------------------------------------- the cache


@pytest.mark.parametrize("module", MADE)
def test_files_are_fetched_once(
    server: Any, serve: Callable[..., None], home: Path, module: Any
) -> None:
    serve(module, MADE[module])
    first, again = module.load_data(), module.load_data()
    assert_same(first, again)
    assert len(server.asked) == 1
    archive = {cifar10: "cifar-10-batches-py", cifar100: "cifar-100-python"}.get(module)
    names = {archive, f"{archive}.tar.gz"} if archive else {server.asked[0][1:]}
    assert {path.name for path in home.iterdir()} == names


def test_a_path_of_ones_own(server: Any, serve: Callable[..., None], tmp_path: Path) -> None:
    serve(mnist, MADE[mnist])
    mine = tmp_path / "digits.npz"
    mine.write_bytes(MADE[mnist])
    mnist.load_data(path=mine)
    assert server.asked == []


def test_a_folder_that_was_put_there_is_enough(server: Any, home: Path) -> None:
    """Nobody who carries the batches into a room without a network needs the archive."""
    with tarfile.open(fileobj=io.BytesIO(MADE[cifar100])) as archive:
        archive.extractall(home, filter="data")
    (x_train, _), _ = cifar100.load_data()
    assert len(x_train) == 8


@pytest.mark.parametrize(
    ("load", "file"),
    [
        (mnist.load_data, "mnist.npz"),
        (fashion_mnist.load_data, "train-labels-idx1-ubyte.gz"),
        (cifar10.load_data, "cifar-10-batches-py.tar.gz"),
        (imdb.get_word_index, "imdb_word_index.json"),
    ],
)
def test_without_a_network(
    home: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[[], Any], file: str
) -> None:
    def unreachable(*args: Any, **options: Any) -> Any:
        raise OSError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(OSError, match="cannot be downloaded") as error:
        load()
    said = str(error.value)
    for part in ("https://", "Name or service", file, str(home), "by hand"):
        assert part in said
    for offline in ("digits.load_data()", "make_shapes()", "make_sequences()"):
        assert offline in said


# ---------------------------------------------------------------- bad files


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def test_a_malicious_npz_is_refused(serve: Callable[..., None], tmp_path: Path) -> None:
    evil = np.empty(2, object)
    evil[:] = [[1, 2], Evil(tmp_path / "run")]
    serve(reuters, npz(x=evil, y=labels(2)))
    with pytest.raises(
        ValueError, match=r"reuters\.npz.* is not read\. It asks to run \w*io\.open"
    ):
        reuters.load_data()
    assert not (tmp_path / "run").exists()


def test_a_malicious_batch_is_refused(serve: Callable[..., None], tmp_path: Path) -> None:
    evil = pickle.dumps({b"data": Evil(tmp_path / "run"), b"fine_labels": []}, protocol=2)
    serve(cifar100, tar("cifar-100-python", train=evil, test=evil))
    with pytest.raises(ValueError, match="asks to run"):
        cifar100.load_data()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        batch(3)[:-40],
        pickle.dumps([1, 2]),
        pickle.dumps({b"data": images(2, 3072), b"labels": [1]}),
        pickle.dumps({b"data": images(2, 3000), b"labels": [1, 2]}),
        pickle.dumps({b"data": images(2, 3072).astype(float), b"labels": [1, 2]}),
        pickle.dumps({b"data": images(2, 3072), b"labels": ["a", "b"]}),
        pickle.dumps({b"data": images(2, 3072)}),
    ],
)
def test_damaged_batches(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(ValueError, match=r"batch.*Delete it"):
        cifar.load_batch(tmp_path / "batch")


@pytest.mark.parametrize(
    "content",
    [
        b"no zip",
        MADE[boston_housing][:-200],
        npz(x=RANDOM.rand(3, 13)),
        MADE[boston_housing].replace(b"(50, 13)", b"(99, 13)"),
    ],
)
def test_damaged_npz(serve: Callable[..., None], content: bytes) -> None:
    serve(boston_housing, content)
    with pytest.raises(ValueError, match=r"boston_housing\.npz' cannot be read: .*Delete it"):
        boston_housing.load_data()


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        idx(FASHION["train-images-idx3-ubyte.gz"])[:-30],
        idx(labels(8)),
        idx(images(8, 28, 27)),
        gzip.compress(np.array([0x803, 9, 28, 28], ">i4").tobytes() + bytes(8 * 784)),
        gzip.compress(np.array([0x803, 1 << 30, 28, 28], ">i4").tobytes() + bytes(8 * 784)),
        gzip.compress(b"\0\0"),
    ],
)
def test_damaged_idx(
    server: Any, home: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(fashion_mnist, "ORIGIN", f"{server.root}/")
    server.files = {f"/{name}": idx(array) for name, array in FASHION.items()}
    server.files["/train-images-idx3-ubyte.gz"] = content
    with pytest.raises(ValueError, match=r"train-images.*cannot be read: .*Delete it"):
        fashion_mnist.load_data()


def test_a_word_index_that_is_none(serve: Callable[..., None]) -> None:
    for content in (b"[1]", b"{"):
        serve(imdb, content, "WORDS_")
        with pytest.raises(ValueError, match="cannot be read"):
            imdb.get_word_index()


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize("module", [imdb, reuters])
def test_older_and_unknown_names(serve: Callable[..., None], module: Any) -> None:
    serve(module, MADE[module])
    with pytest.warns(DeprecationWarning, match="nb_words is now num_words"):
        older = module.load_data(nb_words=20)
    assert_same(older, module.load_data(num_words=20))
    with pytest.raises(TypeError, match=r"no argument 'num_word'.*'num_words'"):
        module.load_data(num_word=20)


def test_bad_arguments(serve: Callable[..., None]) -> None:
    for module in (imdb, reuters):
        serve(module, MADE[module])
        with pytest.raises(ValueError, match="No text has less than maxlen=2 words"):
            module.load_data(maxlen=2)
    for load in (boston_housing.load_data, reuters.load_data, datasets.digits.load_data):
        for share in (1, -0.1, "half", float("nan")):
            with pytest.raises(ValueError, match="test_split is a share"):
                load(test_split=share)
    with pytest.raises(ValueError, match="'fine' or 'coarse'"):
        cifar100.load_data("medium")
