"""Reading pickles as plain data."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import subprocess
from typing import Any

import numpy as np
import pytest

from nbkeras.core.datasets.plain_pickle import UnsafeDataError, load_plain


def read(content: bytes, **options: Any) -> Any:
    return load_plain(io.BytesIO(content), **options)


def objects(*items: Any) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array


ARRAYS = {
    "bytes": np.arange(12, dtype=np.uint8).reshape(3, 4),
    "big endian": np.arange(6, dtype=">i4").reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "bool": np.array([True, False]),
    "half": np.ones((2, 0), np.float16),
    "strings": np.array([b"ab", b"c"]),
    "text": np.array(["ä", "bcd"]),
    "single": np.array(3.5),
    "strided": np.arange(10)[::3],
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str, protocol: int) -> None:
    wanted = ARRAYS[name]
    found = read(pickle.dumps({"a": [wanted, (wanted, wanted)]}, protocol=protocol))
    for array in (found["a"][0], *found["a"][1]):
        assert array.dtype == wanted.dtype
        np.testing.assert_array_equal(array, wanted)
        assert type(array) is np.ndarray
        assert array.flags.writeable


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_other_plain_data(protocol: int) -> None:
    data = {
        "numbers": [1, -2, 3.5, 1 << 80, True, None],
        b"bytes": (b"\xff\0", "text", b""),
        "scalars": [np.float32(0.5), np.int64(7)],
        "deep": {"a": [({"b": []},)]},
    }
    assert read(pickle.dumps(data, protocol=protocol)) == data
    nested = read(pickle.dumps(objects([1, 2], [], np.arange(2)), protocol=protocol))
    assert nested.dtype == object
    assert nested[0] == [1, 2]
    assert nested[2].tolist() == [0, 1]


def test_what_python_2_wrote() -> None:
    """As CIFAR's batches are: strings for keys, for bytes and for the names of types."""
    content = (
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"K\x00\x85U\x01b\x87R(K\x01K\x01K\x02\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x02\xff\x07tbs."
    )
    pickletools.dis(content, io.StringIO())  # it is a pickle
    wanted = pickle.loads(content, encoding="bytes")
    found = read(content, encoding="bytes")
    assert found.keys() == wanted.keys() == {b"data"}
    assert found[b"data"].tolist() == wanted[b"data"].tolist() == [[255, 7]]


class Calls:
    def __init__(self, function: Any, *args: Any, state: Any = None) -> None:
        self.made = (function, args, *([state] if state is not None else []))

    def __reduce__(self) -> tuple[Any, ...]:
        return self.made


class Plain:
    pass


HARM = {
    "system": Calls(os.system, "true"),
    "eval": Calls(eval, "1"),
    "subprocess": Calls(subprocess.Popen, "true"),
    "getattr": Calls(getattr, "", "join"),
    "memmap": Calls(np.memmap, "a"),
    "load": Calls(np.load, "a"),
    "class": Plain(),
    "function": len,
    "type": np.ndarray,
    "dtype": np.dtype("f4"),
    "structure": np.zeros(2, "i4,f4"),
    "void": np.zeros(2, "V8"),
    "date": np.zeros(2, "M8[s]"),
    "matrix": np.asmatrix(np.eye(2)),
    "masked": np.ma.masked_array([1, 2]),
    "in an array": objects([1], Calls(os.system, "true")),
    "exception": ValueError("x"),
    "frozen array": Calls(np.ndarray, (2,)),
}


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("name", HARM)
def test_what_is_no_plain_data_is_refused(name: str, protocol: int) -> None:
    for content in (HARM[name], [{"a": HARM[name]}]):
        with pytest.raises(ValueError, match=r"plain data|in the place of data"):
            read(pickle.dumps(content, protocol=protocol))


def test_nothing_runs(tmp_path: Any) -> None:
    target = tmp_path / "made"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps([Calls(open, str(target), "w")], protocol=protocol)
        with pytest.raises(UnsafeDataError, match=r"asks to run \w*io\.open"):
            read(content)
    assert not target.exists()


def test_containers_without_end() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(UnsafeDataError, match="one in another"):
        read(pickle.dumps(ring))
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(ValueError, match="one in another"):
        read(pickle.dumps(deep))


@pytest.mark.parametrize("state", [None, (), (1, (2,), 3, False, b""), (1, (9,), "x", False, b"a")])
def test_arrays_with_a_wrong_state(state: Any) -> None:
    function, args, good = np.arange(3).__reduce__()
    bad = (*good[:1], (10**12,), *good[2:]) if state is None else state
    with pytest.raises(ValueError, match=r"plain data|type"):
        read(pickle.dumps(Calls(function, *args, state=bad)))
    with pytest.raises(ValueError, match="no content"):
        read(pickle.dumps(Calls(function, *args)))


def test_a_dtype_that_lies_about_its_objects() -> None:
    """NumPy's own state of a dtype may say that objects are none; here it says nothing."""
    function, args, state = np.dtype("f8").__reduce__()
    lie = Calls(function, "O8", *args[1:], state=(*state[:-1], 0))
    rebuild, made, _ = np.arange(1).__reduce__()
    with pytest.raises(ValueError, match="not filled by a list"):
        read(pickle.dumps(Calls(rebuild, *made, state=(1, (1,), lie, False, b"\x01" * 8))))


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_damaged(cut: int) -> None:
    content = pickle.dumps([1, 2, np.arange(3)])
    with pytest.raises(ValueError, match="no whole pickle"):
        read(content[:cut])
