"""Images: errors, edges, threads, copies in other processes, training."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from nbkeras.core.engine.streams import BatchStream, Sequence
from nbkeras.core.preprocessing.image import (
    DirectoryIterator,
    ImageDataGenerator,
    Iterator,
    NumpyArrayIterator,
    apply_affine_transform,
    array_to_img,
    img_to_array,
    load_img,
    random_brightness,
    random_zoom,
    save_img,
)

RNG = np.random.RandomState(0)
X = RNG.uniform(0, 255, (10, 6, 8, 3)).astype("float32")
Y = np.arange(10)


# ---------------------------------------------------------------- functions


def test_bilinear_blocks_and_borders() -> None:
    """The fast way beside SciPy's, for images taller than a block and for every border."""
    x = RNG.normal(size=(300, 70, 2)).astype("float32")
    angle = np.deg2rad(33)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([150.5, 35.5])
    for mode in ("nearest", "constant", "reflect", "wrap"):
        got = apply_affine_transform(x, theta=33, fill_mode=mode, cval=5)
        want = np.stack(
            [
                ndimage.affine_transform(
                    x[..., c], matrix, centre - matrix @ centre, order=1, mode=mode, cval=5
                )
                for c in range(2)
            ],
            axis=-1,
        )
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_nothing_to_do_is_no_copy() -> None:
    assert apply_affine_transform(X[0]) is X[0] or np.shares_memory(
        apply_affine_transform(X[0]), X[0]
    )


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"x\.png is no image"):
        load_img(path)
    save_img(path, np.random.uniform(size=(30, 30, 3)))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(OSError, match=r"x\.png is damaged"):
        load_img(path)
    with pytest.raises(FileNotFoundError, match=r"absent\.png"):
        load_img(tmp_path / "absent.png")


def test_transparent_jpeg(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="saved as RGB"):
        save_img(tmp_path / "x.jpg", np.random.uniform(size=(4, 5, 4)))
    assert load_img(tmp_path / "x.jpg", target_size=(2, 3)).size == (3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ImageDataGenerator(validation_split=1.5), "validation_split=0.2"),
        (lambda: ImageDataGenerator(zoom_range=(1, 2, 3)), r"zoom_range=\(0.8, 1.2\)"),
        (lambda: ImageDataGenerator(brightness_range=0.3), "brightness_range is the smallest"),
        (lambda: ImageDataGenerator(fill_mode="zero"), "fill_mode='nearest'; got 'zero'"),
        (lambda: ImageDataGenerator(data_format="last"), "data_format='channels_last'"),
        (lambda: ImageDataGenerator(preprocessing_function=3), "function from an image"),
        (lambda: ImageDataGenerator().flow(X[0]), "np.newaxis"),
        (lambda: ImageDataGenerator().flow(X, Y[:3]), "y has one entry for each of the 10"),
        (lambda: ImageDataGenerator().flow(X, batch_size=0), "batch_size is at least 1"),
        (lambda: ImageDataGenerator().flow(list(X)), r"np.stack\(x\)"),
        (lambda: ImageDataGenerator().flow(X, subset="test"), "'training' or 'validation'"),
        (lambda: ImageDataGenerator().flow(X, subset="validation"), "validation_split=0.2"),
        (
            lambda: ImageDataGenerator(validation_split=0.5).flow(X, Y, subset="training"),
            "np.random.permutation",
        ),
        (lambda: ImageDataGenerator().fit(X[0]), "np.newaxis"),
        (lambda: ImageDataGenerator().fit(X, augment=True, rounds=0), "rounds is at least 1"),
        (lambda: ImageDataGenerator().flow(X)[1], "There are 1 batches"),
        (lambda: apply_affine_transform(X[0, 0], theta=3), "three axes"),
        (lambda: random_zoom(X[0], 0.3), "zoom_range"),
        (lambda: random_brightness(X[0], [1]), "brightness_range"),
        (lambda: array_to_img(X), r"array_to_img\(x\[0\]\)"),
        (lambda: array_to_img(X[0][..., :2]), "data_format='channels_last' right"),
        (lambda: img_to_array(X), "two or three axes"),
        (lambda: load_img("x", color_mode="cmyk"), "color_mode is one of 'grayscale'"),
        (lambda: load_img("x", interpolation="area"), "interpolation is one of"),
    ],
)
def test_errors(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_failed_fit_changes_nothing() -> None:
    generator = ImageDataGenerator(featurewise_center=True)
    generator.fit(X)
    mean = generator.mean
    with pytest.raises(ValueError, match="four axes"):
        generator.fit(X[0])
    assert generator.mean is mean


def test_a_generator_that_saw_no_data_says_so() -> None:
    with pytest.warns(UserWarning, match=r"generator\.fit\(x_train\)"):
        ImageDataGenerator(featurewise_center=True).standardize(X[0].copy())


def test_brightness_of_channels_first() -> None:
    first = ImageDataGenerator(data_format="channels_first")
    got = first.apply_transform(X[0].transpose(2, 0, 1), {"brightness": 0.5})
    want = ImageDataGenerator().apply_transform(X[0], {"brightness": 0.5})
    np.testing.assert_array_equal(got.transpose(1, 2, 0), want)


def test_weights_follow_their_subset() -> None:
    generator = ImageDataGenerator(validation_split=0.3)
    options = {"sample_weight": Y, "shuffle": False}
    _, y, weights = next(generator.flow(X, Y * 0.5, subset="training", **options))
    np.testing.assert_array_equal(weights, y * 2)
    assert weights.tolist() == [3, 4, 5, 6, 7, 8, 9]


# ---------------------------------------------------------------- iterators


def test_iterators_are_sequences_and_iterators() -> None:
    flow = ImageDataGenerator().flow(X, Y, batch_size=4)
    assert isinstance(flow, Sequence)
    assert isinstance(flow, Iterator)
    assert iter(flow) is flow
    assert len(flow) == 3
    assert BatchStream(flow).steps == 3
    next(flow)
    flow.reset()
    assert len(next(flow)[0]) == 4


def test_own_iterators() -> None:
    """Classes written for keras-preprocessing, with its two hooks."""

    class Doubled(NumpyArrayIterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return 2 * super()._get_batches_of_transformed_samples(index_array)

    class Plain(Iterator):
        def next(self):
            with self.lock:
                index_array = next(self.index_generator)
            return index_array.tolist()

    doubled = Doubled(X, None, ImageDataGenerator(), batch_size=4)
    np.testing.assert_array_equal(next(doubled), 2 * X[:4])
    np.testing.assert_array_equal(doubled[2], 2 * X[8:])
    plain = Plain(5, 2, False, None)
    assert [next(plain) for _ in range(4)] == [[0, 1], [2, 3], [4], [0, 1]]


def test_own_generators_may_draw() -> None:
    """Numbers drawn in an overridden method come after those of the image's changes."""

    class Noisy(ImageDataGenerator):
        def apply_transform(self, x, transform_parameters):
            return x + np.random.uniform()

    batch = next(Noisy(rotation_range=5).flow(X, batch_size=3, shuffle=False, seed=9))
    np.random.seed(9)
    for x, got in zip(X, batch, strict=False):
        np.random.uniform(), np.random.random(), np.random.random()
        np.testing.assert_allclose(got, x + np.random.uniform(), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"preprocessing_function": lambda x: x + 0}])
def test_threads_get_every_sample_once_and_the_same_numbers(options: dict) -> None:
    generator = ImageDataGenerator(rotation_range=40, horizontal_flip=True, **options)

    def flow() -> NumpyArrayIterator:
        return generator.flow(X, Y, batch_size=2, seed=3)

    one = flow()
    want = [next(one) for _ in range(15)]
    many, disturb = flow(), threading.Event()

    def other() -> None:
        unseeded = generator.flow(X, batch_size=3)
        while not disturb.is_set():
            next(unseeded)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda _: next(many), range(15)))
    finally:
        disturb.set()
        thread.join()
    assert sorted(np.concatenate([y for _, y in got])) == sorted([*range(10)] * 3)
    assert sorted((*y, x.tobytes()) for x, y in got) == sorted((*y, x.tobytes()) for x, y in want)


def test_copies_share_the_order_and_differ_in_changes() -> None:
    generator = ImageDataGenerator(rotation_range=40)
    flow = generator.flow(X, Y, batch_size=2, seed=3)
    copies = [pickle.loads(pickle.dumps(flow)) for _ in range(2)]
    batches = [copies[index % 2][index] for index in range(5)]
    assert sorted(np.concatenate([y for _, y in batches])) == [*range(10)]
    again = pickle.loads(pickle.dumps(flow))
    for index in (4, 0, 2, 1, 3):  # whoever is asked, and in whatever order
        np.testing.assert_array_equal(again[index][0], batches[index][0])
    flow.on_epoch_end()
    second = pickle.loads(pickle.dumps(flow))
    assert not np.array_equal(second.index_array, again.index_array)
    assert second.total_batches_seen == len(flow)  # other seeds than in the first pass


def test_one_image_file_and_none(tmp_path: Path, capsys) -> None:
    with pytest.raises(NotADirectoryError, match="a folder of images for each class"):
        DirectoryIterator(tmp_path / "absent", None)
    with pytest.warns(UserWarning, match="has no images in folders of its own"):
        empty = DirectoryIterator(tmp_path, None)
    assert len(empty) == 0
    assert capsys.readouterr().out == "Found 0 images belonging to 0 classes.\n"
    (tmp_path / "a").mkdir()
    save_img(tmp_path / "a" / "1.png", X[0])
    flow = DirectoryIterator(tmp_path, None, target_size=[3, 4], dtype="uint8")
    x, y = next(flow)
    assert (x.shape, x.dtype, y.tolist()) == ((1, 3, 4, 3), np.uint8, [[1]])
    with pytest.raises(ValueError, match=r"target_size=\(64, 64\)"):
        DirectoryIterator(tmp_path, None, target_size=64)
    with pytest.raises(ValueError, match="class_mode='sparse'; got 'one'"):
        DirectoryIterator(tmp_path, None, class_mode="one")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"x_col": "file"}, ValueError, "no column 'file'"),
        ({"y_col": "kind"}, ValueError, "no column 'kind'"),
        ({"x_col": "size"}, TypeError, "names of files"),
        ({"y_col": "size"}, TypeError, r"astype\(str\)"),
        ({"weight_col": "class"}, TypeError, "sample weights"),
        ({"class_mode": "binary"}, ValueError, "needs 2 classes; there are 3"),
        ({"class_mode": "multi_output"}, TypeError, r"y_col=\['a', 'b'\]"),
        ({"class_mode": "one"}, ValueError, "class_mode is one of"),
    ],
)
def test_tables_explain_errors(options: dict, error: type, message: str) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(
        {"filename": ["a", "b", "c"], "class": ["x", "y", "z"], "size": [1.0, 2.0, 3.0]}
    )
    with pytest.raises(error, match=message):
        ImageDataGenerator().flow_from_dataframe(table, validate_filenames=False, **options)


@pytest.mark.parametrize("workers", [0, 2])
def test_training(workers: int) -> None:
    from nbkeras.core import Sequential
    from nbkeras.core.layers import Dense, Flatten

    model = Sequential([Flatten(input_shape=(6, 8, 3)), Dense(1)])
    model.compile("sgd", "mse")
    flow = ImageDataGenerator(rescale=1 / 255, rotation_range=10).flow(X, Y % 2, batch_size=4)
    history = model.fit_generator(flow, epochs=2, verbose=0, workers=workers)
    assert len(history.history["loss"]) == 2
    assert model.predict_generator(flow, workers=workers).shape == (10, 1)
