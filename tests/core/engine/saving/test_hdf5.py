"""The checked reader and the writer on their own: what is refused, what is written."""

import io

import h5py
import numpy as np
import pytest

from nbkeras.core.engine.saving import SavedFileError, hdf5_writer
from nbkeras.core.engine.saving.hdf5_reader import open_reader


@pytest.fixture
def path(tmp_path):
    """A weights file with one layer of one weight."""
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"dense"])
        file.create_group("dense").attrs["weight_names"] = np.array([b"dense/kernel:0"])
        file["dense/dense/kernel:0"] = np.arange(6.0).reshape(2, 3)
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.zeros((2, 3))
        file.create_group("group/dense")["kernel:0"] = np.zeros((2, 3))
    return path


def read(source, name="dense/kernel:0"):
    with open_reader(source) as file:
        group = file.group(file.texts("layer_names")[0])
        return group.stored(name).read()


def test_a_good_file(path):
    assert read(path).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read(str(path)).shape == read(io.BytesIO(path.read_bytes())).shape == (2, 3)
    with h5py.File(path) as file:
        assert read(file).shape == (2, 3)
    with pytest.raises(SavedFileError, match="closed"), open_reader(file):
        pass


# ---------------------------------------------------------------- other files, other places


def replace_weight(file, value):
    del file["dense/dense/kernel:0"]
    file["dense/dense/kernel:0"] = value


def replace_folder(file, value):
    del file["dense/dense"]
    file["dense/dense"] = value


def replace_layer(file, value):
    del file["dense"]
    file["dense"] = value


def add_beside(file, value):
    file["beside"] = value


@pytest.mark.parametrize("where", [replace_weight, replace_folder, replace_layer, add_beside])
@pytest.mark.parametrize(
    ("link", "what"),
    [
        (h5py.ExternalLink("secret.h5", "/group"), "external link"),
        (h5py.ExternalLink("/etc/passwd", "/"), "external link"),
        (h5py.SoftLink("/dense"), "soft link"),
        (h5py.SoftLink("/nowhere"), "soft link"),
    ],
)
def test_links_are_refused_at_every_component(path, where, link, what):
    with h5py.File(path, "r+") as file:
        where(file, link)
    for source in (path, io.BytesIO(path.read_bytes())):
        with pytest.raises(SavedFileError, match=what):
            read(source)
    with h5py.File(path) as file, pytest.raises(SavedFileError, match=what):
        read(file)


def test_cycles_of_hard_links_are_refused(path):
    with h5py.File(path, "r+") as file:
        file["dense/again"] = file["dense"]
    with pytest.raises(SavedFileError, match="second link"):
        read(path)


def test_a_link_to_the_root_is_refused(path):
    with h5py.File(path, "r+") as file:
        file["dense/root"] = file["/"]
    with pytest.raises(SavedFileError, match="second link"):
        read(path)


def test_diamonds_of_hard_links_are_refused(path):
    """Each group twice in the one before: a path for each of 2 ** 40 ways."""
    with h5py.File(path, "r+") as file:
        group = file["dense"]
        for _ in range(40):
            below = group.create_group("left")
            group["right"] = below
            group = below
    with pytest.raises(SavedFileError, match="second link"):
        read(path)


def test_external_storage_is_refused(path, tmp_path):
    (tmp_path / "raw").write_bytes(bytes(48))
    with h5py.File(path, "r+") as file:
        del file["dense/dense/kernel:0"]
        file.create_dataset(
            "dense/dense/kernel:0", (2, 3), "f8", external=[(str(tmp_path / "raw"), 0, 48)]
        )
    with pytest.raises(SavedFileError, match="another file"):
        read(path)


def test_virtual_data_sets_are_refused(path, tmp_path):
    layout = h5py.VirtualLayout((2, 3), "f8")
    layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "x", (2, 3))
    with h5py.File(path, "r+") as file:
        del file["dense/dense/kernel:0"]
        file.create_virtual_dataset("dense/dense/kernel:0", layout)
    with pytest.raises(SavedFileError, match="virtual"):
        read(path)


@pytest.mark.parametrize(
    "value",
    [
        np.array([b"text"]),
        np.array([("a", 1)], dtype=[("x", "S1"), ("y", "i4")]),
        np.array([1 + 2j]),
        h5py.Empty("f4"),
    ],
)
def test_only_numbers_are_read(path, value):
    with h5py.File(path, "r+") as file:
        replace_weight(file, value)
    with pytest.raises(SavedFileError, match="expected numbers"):
        read(path)


def test_references_are_not_followed(path):
    with h5py.File(path, "r+") as file:
        reference = file["dense"].ref
        del file["dense/dense/kernel:0"]
        file.create_dataset("dense/dense/kernel:0", data=reference, dtype=h5py.ref_dtype)
    with pytest.raises(SavedFileError, match="expected numbers"):
        read(path)


@pytest.mark.parametrize(
    "name",
    ["/dense/dense/kernel:0", "../dense", "dense/../dense/kernel:0", "", ".", "./dense/kernel:0",
     "dense//kernel:0", "missing", "dense/kernel:0/deeper", "dense", "dense/\0"],
)  # fmt: skip
def test_names_stay_below_their_group(path, name):
    with pytest.raises(SavedFileError):
        read(path, name)


def test_what_is_declared_is_not_what_is_stored(path):
    with h5py.File(path, "r+") as file:
        del file["dense/dense/kernel:0"]
        file.create_dataset("dense/dense/kernel:0", (10**6, 10**6), "f8", chunks=(10, 10))
    with open_reader(path) as file:
        assert file.stored_bytes() == 0
        assert file.group("dense").stored("dense/kernel:0").size == 10**12


def test_attributes_that_are_no_text(path):
    with h5py.File(path, "r+") as file:
        file.attrs["layer_names"] = np.arange(5)
    with pytest.raises(SavedFileError, match="no text"):
        read(path)
    with h5py.File(path, "r+") as file:
        file.attrs["layer_names"] = np.array([b"\xff\xfe"])
    with pytest.raises(SavedFileError):
        read(path)


def test_compressed_data_are_read(path):
    with h5py.File(path, "r+") as file:
        del file["dense/dense/kernel:0"]
        file.create_dataset(
            "dense/dense/kernel:0", data=np.ones((20, 30)), compression="gzip", shuffle=True
        )
    assert read(path).sum() == 600


# ---------------------------------------------------------------- the writer


def written(write):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(file)
    return buffer


def test_lists_of_names_of_every_length():
    for count, width in ((0, 0), (1, 1), (10, 64_000), (5000, 64), (100_000, 3), (3, 64_512)):
        names = [str(i).rjust(width, "n") for i in range(count)]
        buffer = written(lambda file, names=names: hdf5_writer.write_texts(file, "names", names))
        with open_reader(buffer) as file:
            assert file.texts("names") == names
            assert file.texts("name") is None


def test_a_shorter_list_replaces_a_longer_one():
    def write(file):
        hdf5_writer.write_texts(file, "names", ["n" * 64] * 5000)
        hdf5_writer.write_texts(file, "names", ["a"])
        hdf5_writer.write_texts(file, "others", ["b"])
        hdf5_writer.write_texts(file, "others", ["n" * 64] * 5000)

    with open_reader(written(write)) as file:
        assert file.texts("names") == ["a"]
        assert len(file.texts("others")) == 5000


def test_a_name_that_is_too_long():
    with pytest.raises(ValueError, match="cannot be saved"):
        written(lambda file: hdf5_writer.write_texts(file, "names", ["x" * 64_513]))


def test_weight_names_that_collide():
    names = ["w:0", "w:0", "a", "a/b", "a/b/c", "x/y", "x", "w_1:0", "/abs", "..", "", "é"]
    arrays = [np.full((2,), i, "f4") for i in range(len(names))]
    buffer = written(lambda file: hdf5_writer.write_arrays(file, names, arrays))
    with open_reader(buffer) as file:
        stored = file.texts("weight_names")
        assert stored[0] == "w:0"
        assert len(set(stored)) == len(names)
        assert [file.stored(name).read()[0] for name in stored] == list(range(len(names)))


def test_long_texts_fit_into_an_attribute():
    text = "größer" * 50_000
    buffer = written(lambda file: hdf5_writer.write_text(file, "config", text, checked=True))
    with open_reader(buffer) as file:
        assert file.text("config") == text
        assert file.text("other") is None


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", "u1", "?", ">f4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_arrays_of_every_kind(dtype, shape):
    array = np.arange(6)[: int(np.prod(shape))].reshape(shape).astype(dtype)
    buffer = written(lambda file: hdf5_writer.write_arrays(file, ["x"], [array]))
    with open_reader(buffer) as file:
        found = file.stored("x").read()
    np.testing.assert_array_equal(found, array)
    assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
