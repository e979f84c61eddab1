"""Images: the values of keras-preprocessing 1.1.2 for the same seeds, function by function."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from keras_preprocessing import image as theirs
    from keras_preprocessing.image import affine_transformations

from nbkeras.core.preprocessing import image as ours

pd = pytest.importorskip("pandas")

RNG = np.random.RandomState(0)
X = RNG.randint(0, 256, (11, 9, 12, 3)).astype("float32")
Y = np.arange(11) % 2
FIRST = X.transpose(0, 3, 1, 2)


@pytest.fixture(autouse=True)
def _new_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle looks for SciPy's functions where they no longer are."""

    class Found:
        interpolation = ndimage

    monkeypatch.setattr(affine_transformations, "ndimage", Found)


def both(function, seed: int = 5) -> tuple:
    """What a function of the module gives for either, from the same seed."""
    results = []
    for module in (ours, theirs):
        np.random.seed(seed)
        results.append(function(module))
    return tuple(results)


def equal(got, want, **tolerance) -> None:
    """Arrays, or nests of them, with equal types, shapes and values."""
    if isinstance(want, tuple | list):
        assert type(got) is type(want)
        assert len(got) == len(want)
        for one, other in zip(got, want, strict=True):
            equal(one, other, **tolerance)
        return
    assert got.dtype == want.dtype
    if tolerance:
        np.testing.assert_allclose(got, want, **tolerance)
    else:
        np.testing.assert_array_equal(got, want)


# ---------------------------------------------------------------- functions

GEOMETRY = [
    {"theta": 17.0},
    {"tx": 2, "ty": -1.25},
    {"shear": 12.0},
    {"zx": 0.7, "zy": 1.3},
    {"theta": 175.0, "tx": 0.3, "ty": 40.0, "shear": -9.0, "zx": 0.5, "zy": 1.0},
    {},
]


@pytest.mark.parametrize("fill_mode", ["nearest", "constant", "reflect", "wrap"])
@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("options", GEOMETRY)
def test_affine(options: dict, order: int, fill_mode: str) -> None:
    options = {**options, "fill_mode": fill_mode, "cval": 3.5, "order": order}
    for x in (X[0], X[0].astype("float64"), X[0].astype("uint8"), X[0][..., :1], X[0][:1]):
        equal(*both(lambda m, x=x: m.apply_affine_transform(x, **options)))
    axes = {"row_axis": 1, "col_axis": 2, "channel_axis": 0}
    equal(*both(lambda m: m.apply_affine_transform(FIRST[0], **axes, **options)))


@pytest.mark.parametrize("fill_mode", ["nearest", "constant"])
def test_affine_of_large_images(fill_mode: str) -> None:
    x = RNG.normal(size=(150, 130, 2)).astype("float32")
    options = {"theta": 30, "zx": 0.9, "zy": 1.4, "fill_mode": fill_mode}
    equal(*both(lambda m: m.apply_affine_transform(x, **options)))


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0)])
def test_random_functions(axes: tuple) -> None:
    x = X[0] if axes[2] == 2 else FIRST[0]
    options = dict(zip(("row_axis", "col_axis", "channel_axis"), axes, strict=True))
    for seed in range(5):
        for call in (
            lambda m: m.random_rotation(x, 40, **options),
            lambda m: m.random_shift(x, 0.3, 0.2, fill_mode="constant", cval=1.0, **options),
            lambda m: m.random_shear(x, 20, interpolation_order=3, **options),
            lambda m: m.random_zoom(x, (0.5, 1.5), fill_mode="wrap", **options),
            lambda m: m.random_zoom(x, (1, 1), **options),
            lambda m: m.random_channel_shift(x, 50.0, axes[2]),
            lambda m: m.apply_channel_shift(x, -20.0, axes[2]),
        ):
            equal(*both(call, seed))
    equal(*both(lambda m: m.random_brightness(X[0], (0.3, 1.7))))
    equal(*both(lambda m: m.apply_brightness_shift(X[0][..., :1], 0.5)))
    equal(*both(lambda m: m.flip_axis(x, 1)))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("scale", [True, False])
def test_arrays_and_pictures(channels: int, data_format: str, scale: bool) -> None:
    x = RNG.uniform(0, 200, (6, 5, channels))
    x = x if data_format == "channels_last" else x.transpose(2, 0, 1)
    got, want = both(lambda m: m.array_to_img(x, data_format, scale=scale))
    assert got.mode == want.mode
    equal(np.asarray(got), np.asarray(want))
    equal(*both(lambda m: m.img_to_array(got, data_format, dtype="float64")))


def test_wide_gray_values() -> None:
    x = np.arange(12.0).reshape(3, 4, 1) * 100
    got, want = both(lambda m: m.array_to_img(x, "channels_last", scale=False))
    assert got.mode == want.mode == "I"
    equal(np.asarray(got), np.asarray(want))


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.ppm", "a.jpg"])
def test_files(tmp_path: Path, name: str) -> None:
    paths = both(lambda m: tmp_path / f"{m.__name__.split('.')[0]}_{name}")
    ours.save_img(paths[0], X[0], "channels_last")
    theirs.save_img(str(paths[1]), X[0], "channels_last")
    assert paths[0].read_bytes() == paths[1].read_bytes()
    for mode in ("rgb", "rgba", "grayscale"):
        for size, way in [(None, "nearest"), ((5, 20), "bilinear"), ((5, 20), "lanczos")]:
            got, want = both(lambda m: m.load_img(str(paths[0]), False, mode, size, way))  # noqa: B023
            assert got.mode == want.mode
            equal(np.asarray(got), np.asarray(want))


# ---------------------------------------------------------------- the generator

CHANGES = [
    {},
    {"rotation_range": 30, "zoom_range": 0.3, "horizontal_flip": True},
    {"width_shift_range": 0.2, "height_shift_range": 0.3, "shear_range": 15.0},
    {"width_shift_range": 3, "height_shift_range": 2.0, "vertical_flip": True},
    {"width_shift_range": [-2, 0, 3], "height_shift_range": (0.1, 0.5), "zoom_range": (0.8, 1.1)},
    {"channel_shift_range": 40.0, "fill_mode": "constant", "cval": 9.0, "rotation_range": 90},
    {"brightness_range": (0.4, 1.5), "horizontal_flip": True, "vertical_flip": True},
    {"fill_mode": "reflect", "rotation_range": 45, "interpolation_order": 2},
    {"fill_mode": "wrap", "zoom_range": [0.5, 2], "interpolation_order": 0, "dtype": "float64"},
    {"preprocessing_function": lambda x: x + np.random.uniform(), "rotation_range": 8},
    {"rescale": 1 / 255, "samplewise_center": True, "rotation_range": 8},
    {"samplewise_center": True, "samplewise_std_normalization": True},
]


def generators(**options) -> tuple:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return both(lambda m: m.ImageDataGenerator(**options))


@pytest.mark.parametrize("options", CHANGES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_random_changes(options: dict, data_format: str) -> None:
    if "brightness_range" in options and data_format == "channels_first":
        pytest.skip("the oracle cannot")
    x = X if data_format == "channels_last" else FIRST
    mine, other = generators(data_format=data_format, **options)
    for seed in range(4):
        drawn = mine.get_random_transform(x.shape[1:], seed)
        assert drawn == other.get_random_transform(x.shape[1:], seed)
        equal(mine.apply_transform(x[0], drawn), other.apply_transform(x[0], drawn))
        equal(mine.random_transform(x[1], seed), other.random_transform(x[1], seed))
    # Means of an image depend, in the last bits, on the order in which memory is added up.
    close = {"rtol": 1e-5, "atol": 1e-4} if "samplewise_center" in options else {}
    flows = [g.flow(x, Y, batch_size=4, seed=3) for g in (mine, other)]
    for _ in range(7):
        equal(*map(next, flows), **close)
    flows = [g.flow(x, Y, batch_size=4, shuffle=False, seed=8) for g in (mine, other)]
    for _ in range(2):
        for index in (0, 1, 2):
            equal(flows[0][index], flows[1][index], **close)


def test_passes_by_number() -> None:
    """Orders of the second pass come from the state the first one left."""
    results = []
    for generator in generators(rotation_range=20):
        flow = generator.flow(X, Y, batch_size=4, seed=2)
        batches = []
        for _ in range(3):
            batches += [flow[index] for index in range(len(flow))]
            flow.on_epoch_end()
        results.append([*batches, np.random.uniform(size=1)])
    equal(*results)


def test_without_seed() -> None:
    """Numbers come from NumPy's global generator as it is."""
    mine, other = generators(rotation_range=20, horizontal_flip=True)
    results = []
    for generator in (mine, other):
        np.random.seed(1)
        flow = generator.flow(X, batch_size=5)
        results.append([next(flow) for _ in range(6)])
    equal(*results)


STATISTICS = [
    {"featurewise_center": True},
    {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 0.1},
    {"zca_whitening": True, "featurewise_center": True, "zca_epsilon": 1e-3},
    {"featurewise_std_normalization": True},
    {"zca_whitening": True, "featurewise_std_normalization": True},
]


@pytest.mark.parametrize("options", STATISTICS)
@pytest.mark.parametrize("augment", [{}, {"augment": True, "rounds": 2, "seed": 4}])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_fit(options: dict, augment: dict, data_format: str) -> None:
    x = (X if data_format == "channels_last" else FIRST)[:, :5, :5]
    changes = {"rotation_range": 15, "zoom_range": 0.1} if augment else {}
    pair = generators(data_format=data_format, **options, **changes)
    before = x.copy()
    for generator in pair:
        generator.fit(x, **augment)
    for name in ("mean", "std", "principal_components"):
        got, want = (getattr(generator, name) for generator in pair)
        assert (got is None) == (want is None)
        if want is not None:
            equal(got, want)
    batches = [next(generator.flow(x, seed=1)) for generator in pair]
    equal(*batches)
    equal(*(generator.standardize(x[0].copy()) for generator in pair))
    np.testing.assert_array_equal(x, before)


def test_images_and_masks_change_alike() -> None:
    options = {"rotation_range": 60, "width_shift_range": 0.2, "horizontal_flip": True}
    masks = (X[..., :1] > 128).astype("float32")
    results = []
    for generator in generators(**options):
        pairs = zip(
            generator.flow(X, batch_size=4, seed=1),
            generator.flow(masks, batch_size=4, seed=1),
            strict=True,
        )
        results.append(list(itertools.islice(pairs, 6)))
    equal(*results)


def test_parts_of_arrays() -> None:
    weights, further = np.arange(11.0), [np.arange(11) * 2, np.ones((11, 2))]
    mine, other = generators(validation_split=0.4)
    for options in (
        {"sample_weight": weights},
        {"subset": "training"},
        {"subset": "validation"},
    ):
        for x in (X, (X, further), (X, further[0])):
            flows = [g.flow(x, Y, batch_size=4, seed=1, **options) for g in (mine, other)]
            for _ in range(4):
                equal(*map(next, flows))


def test_saved_images(tmp_path: Path) -> None:
    for generator, name in zip(generators(rotation_range=20), ("ours", "theirs"), strict=True):
        (tmp_path / name).mkdir()
        flow = generator.flow(X, batch_size=4, seed=6, save_to_dir=tmp_path / name, save_prefix="x")
        next(flow), next(flow)
    got, want = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("ours", "theirs")
    )
    assert len(want) == 8
    assert got == want


# ---------------------------------------------------------------- files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes; one has a folder inside, one a file that is no image."""
    cats = ["cats/2.png", "cats/1.jpg", "cats/more/3.bmp"]
    dogs = ["dogs/b.png", "dogs/a.PNG", "dogs/c.png"]
    elks = ["elks/1.ppm", "elks/2.png", "elks/3.png"]
    for name, x in zip([*cats, *dogs, *elks], X, strict=False):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = path.suffix[1:].lower()
        theirs.array_to_img(x).save(path, {"jpg": "jpeg"}.get(kind, kind))
    (tmp_path / "data" / "dogs" / "notes.txt").write_text("no image")
    return tmp_path / "data"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_mode": "sparse", "color_mode": "rgba", "interpolation": "bilinear"},
        {"class_mode": "binary", "classes": ["elks", "cats"], "color_mode": "grayscale"},
        {"class_mode": "input", "subset": "training"},
        {"class_mode": None, "subset": "validation"},
        {"class_mode": "categorical", "shuffle": False, "subset": "validation"},
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_directory(folder: Path, options: dict, data_format: str, capsys) -> None:
    flows = []
    for generator in generators(
        rotation_range=30, validation_split=0.4, data_format=data_format, rescale=0.5
    ):
        flows.append(
            generator.flow_from_directory(
                str(folder), target_size=(8, 10), batch_size=3, seed=4, **options
            )
        )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]
    for name in ("filenames", "filepaths", "class_indices", "samples", "num_classes"):
        assert getattr(flows[0], name) == getattr(flows[1], name), name
    equal(flows[0].classes, flows[1].classes)
    assert flows[0].image_shape == flows[1].image_shape
    for _ in range(6):
        equal(*map(next, flows))


TABLE = {
    "filename": ["cats/2.png", "cats/1.jpg", "dogs/b.png", "elks/1.ppm", "no.png", "dogs/c.png"],
    "class": ["cat", "cat", "dog", "elk", "elk", "dog"],
    "several": [["cat", "soft"], ["cat"], ("dog", "soft"), "elk", ["elk"], ["dog"]],
    "size": [1.5, 2.0, 3.0, 4.0, 5.0, 6.0],
    "age": [1, 2, 3, 4, 5, 6],
}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_mode": "sparse", "weight_col": "size"},
        {"class_mode": "binary", "classes": ["dog", "cat"]},
        {"y_col": "several"},
        {"y_col": "several", "classes": ["soft", "elk"]},
        {"class_mode": "raw", "y_col": "size"},
        {"class_mode": "raw", "y_col": ["size", "age"], "weight_col": "age"},
        {"class_mode": "multi_output", "y_col": ["size", "age"]},
        {"class_mode": "input", "subset": "training"},
        {"class_mode": None, "subset": "validation"},
        {"class_mode": "categorical", "subset": "training", "shuffle": False},
    ],
)
def test_dataframe(folder: Path, options: dict, capsys) -> None:
    table = pd.DataFrame(TABLE)
    flows = []
    for generator in generators(zoom_range=0.2, validation_split=0.4):
        with pytest.warns(UserWarning, match=r"no image file|invalid image filename"):
            flows.append(
                generator.flow_from_dataframe(
                    table, str(folder), target_size=(8, 10), batch_size=2, seed=4, **options
                )
            )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]
    assert flows[0].filenames == flows[1].filenames
    assert getattr(flows[0], "class_indices", None) == getattr(flows[1], "class_indices", None)
    for _ in range(5):
        equal(*map(next, flows))
    pd.testing.assert_frame_equal(table, pd.DataFrame(TABLE))


def test_turned_images_and_views_of_them() -> None:
    """A function that turns or mixes what it is given, in place of a copy, meets no other image."""
    for turn in (
        lambda x: x[..., ::-1],
        lambda x: x[:, ::-1],
        lambda x: x[::-1].transpose(0, 1, 2)[..., [2, 0, 1]],
        lambda x: x.astype("float64") / 3,
    ):
        pair = generators(preprocessing_function=turn, horizontal_flip=True, vertical_flip=True)
        equal(*(list(itertools.islice(g.flow(X, Y, batch_size=4, seed=3), 7)) for g in pair))


@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8"])
def test_types_of_batches(dtype: str) -> None:
    for options in (
        {"horizontal_flip": True, "brightness_range": (0.2, 2.5)},
        {"samplewise_std_normalization": True, "samplewise_center": True, "rescale": 0.01},
    ):
        if dtype == "uint8" and "samplewise_center" in options:
            continue  # neither subtracts a mean from whole numbers
        pair = generators(dtype=dtype, **options)
        close = {"rtol": 1e-2, "atol": 1e-2} if "samplewise_center" in options else {}
        equal(*(next(g.flow(X, batch_size=11, seed=3)) for g in pair), **close)


def test_matrices() -> None:
    matrix = np.array([[0.8, 0.3, 1.5], [-0.2, 1.1, -2.0], [0, 0, 1]])
    equal(*both(lambda m: m.transform_matrix_offset_center(matrix, 9, 12)))
    angle = np.deg2rad(25)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    about = ours.transform_matrix_offset_center(np.vstack([turn, [0, 0, 1]]), 9, 12)
    got = ours.apply_transform(X[0], about, channel_axis=2, fill_mode="constant", cval=2.0)
    want = theirs.apply_affine_transform(X[0], theta=25, fill_mode="constant", cval=2.0)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)


def test_lists_of_pictures(folder: Path) -> None:
    for options in ({}, {"ext": "png"}, {"ext": ("bmp", "txt")}):
        assert ours.list_pictures(str(folder), **options) == sorted(
            theirs.list_pictures(str(folder), **options)
        )


@pytest.mark.parametrize("follow_links", [True, False])
def test_links_to_folders(folder: Path, follow_links: bool) -> None:
    (folder / "dogs" / "more").symlink_to(folder / "elks", target_is_directory=True)
    flows = [
        generator.flow_from_directory(str(folder), (8, 8), follow_links=follow_links, seed=1)
        for generator in generators()
    ]
    assert flows[0].samples == flows[1].samples == (12 if follow_links else 9)
    assert sorted(flows[0].filenames) == sorted(flows[1].filenames)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "box", "hamming"])
def test_sizes_of_files(folder: Path, interpolation: str) -> None:
    options = {"target_size": (17, 5), "interpolation": interpolation, "shuffle": False}
    equal(*(next(g.flow_from_directory(str(folder), **options)) for g in generators()))


def test_images_and_masks_in_folders(folder: Path) -> None:
    """The pairs of the manual: two generators with equal arguments and one seed."""
    options = {"rotation_range": 60, "zoom_range": 0.3, "vertical_flip": True}
    results = []
    for generator in generators(**options):
        common = {"target_size": (9, 12), "class_mode": None, "batch_size": 4, "seed": 7}
        pairs = zip(
            generator.flow_from_directory(str(folder), **common),
            generator.flow_from_directory(str(folder), color_mode="grayscale", **common),
            strict=True,
        )
        results.append(list(itertools.islice(pairs, 5)))
    equal(*results)


@pytest.mark.parametrize("kind", ["directory", "dataframe"])
def test_saved_images_of_files(folder: Path, tmp_path: Path, kind: str) -> None:
    table = pd.DataFrame({"filename": TABLE["filename"][:4], "class": ["a", "b", "a", "b"]})
    for generator, name in zip(generators(rotation_range=20), ("ours", "theirs"), strict=True):
        (tmp_path / name).mkdir()
        options = {
            "target_size": (6, 7),
            "save_to_dir": str(tmp_path / name),
            "save_prefix": "p",
            "save_format": "bmp",
            "seed": 2,
        }
        if kind == "directory":
            next(generator.flow_from_directory(str(folder), **options))
        else:
            next(generator.flow_from_dataframe(table, str(folder), **options))
    got, want = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("ours", "theirs")
    )
    assert len(want) == (9 if kind == "directory" else 4)
    assert got == want
