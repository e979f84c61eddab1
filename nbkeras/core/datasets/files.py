"""The files of the data sets: where they are, and how they are read."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..config import keras_home
from ..utils.downloads import get_file
from .plain_pickle import UnsafeDataError, load_plain

__all__ = ["fetch", "fetch_folder", "read_idx", "read_npz", "read_pickle", "read_words"]

STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where the files of Keras are kept now."""

OFFLINE = (
    "Without a network there are keras.datasets.digits.load_data(), "
    "keras.datasets.make_shapes() and keras.datasets.make_sequences()."
)


def fetch(
    name: str | os.PathLike[str],
    origin: str,
    file_hash: str | None = None,
    folder: str = "datasets",
    untar: bool = False,
) -> str:
    """The path of a data set's file in the cache; downloaded if it is not there.

    Raises:
        OSError: it cannot be downloaded; the message says which file to put where, and which
            data sets need none.
    """
    try:
        return get_file(name, origin, untar=untar, file_hash=file_hash, cache_subdir=folder)
    except OSError as error:
        raise OSError(f"{error} {OFFLINE}") from error


def fetch_folder(name: str, origin: str, file_hash: str | None, files: tuple[str, ...]) -> Path:
    """The folder that a tar file unpacks to; nothing is fetched where all its files are."""
    folder = keras_home() / "datasets" / name
    if not all((folder / file).is_file() for file in files):
        fetch(name, origin, file_hash, untar=True)
    return folder


def _damaged(path: Any, why: Any) -> ValueError:
    return ValueError(
        f"{os.fspath(path)!r} cannot be read: {why}. Delete it and call load_data() again."
    )


# ---------------------------------------------------------------- .npz


def read_npz(path: str | os.PathLike[str], *names: str) -> list[np.ndarray]:
    """Arrays of an ``.npz`` file, by name; arrays of objects only if these are plain data.

    Raises:
        UnsafeDataError: an array of objects holds something else.
        ValueError: the file is damaged, or an array is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_member(archive, f"{name}.npy") for name in names]
    except UnsafeDataError as error:
        raise UnsafeDataError(f"{os.fspath(path)!r} is not read. {error}") from error
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, str(error.args[0] if error.args else error).rstrip(".")) from error


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"{name} is of the unknown version {version}")
        if dtype == np.dtype(object):
            array = load_plain(file)
            if not isinstance(array, np.ndarray) or array.shape != shape:
                raise ValueError(f"{name} does not hold the array that its header says")
            return array
        if dtype.hasobject:
            raise UnsafeDataError(f"{name} is an array of structures with objects in them.")
        # What is allocated is what the file has, not what its header says.
        content = file.read(size)
    if len(content) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} has {len(content)} bytes of data, not those of {shape} {dtype}")
    flat = np.frombuffer(content, dtype)
    return flat.reshape(shape, order="F" if fortran else "C").copy()


# ---------------------------------------------------------------- other formats


def read_pickle(path: str | os.PathLike[str]) -> Any:
    """What a pickle of plain data holds; strings of Python 2 come as bytes."""
    try:
        with open(path, "rb") as file:
            return load_plain(file, encoding="bytes")
    except UnsafeDataError as error:
        raise UnsafeDataError(f"{os.fspath(path)!r} is not read. {error}") from error
    except ValueError as error:
        raise _damaged(path, str(error).rstrip(".")) from error


def read_idx(path: str | os.PathLike[str], shape: tuple[int, ...], most: int) -> np.ndarray:
    """The bytes of a compressed IDX file, as MNIST's authors made it.

    Args:
        path: the file.
        shape: of one sample.
        most: how many samples there are at most.
    """
    try:
        with gzip.open(path, "rb") as file:
            magic, count = _numbers(file, 2)
            rank = 1 + len(shape)
            if magic != 0x800 + rank or _numbers(file, rank - 1) != shape or count > most:
                raise ValueError(f"its header is not that of bytes of the shape (n, *{shape})")
            size = count * prod(shape)
            content = file.read(size)
            if len(content) != size or file.read(1):
                raise ValueError(f"it does not hold the {count} samples that its header says")
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, error) from error
    return np.frombuffer(content, np.uint8).reshape(count, *shape).copy()


def _numbers(file: IO[bytes] | gzip.GzipFile, count: int) -> tuple[int, ...]:
    content = file.read(4 * count)
    if len(content) != 4 * count:
        raise ValueError("its header is cut off")
    return tuple(int(number) for number in np.frombuffer(content, ">i4"))


def read_words(path: str | os.PathLike[str]) -> dict[str, int]:
    """The dictionary of a word index."""
    try:
        with open(path, encoding="utf-8") as file:
            words = json.load(file)
        if not isinstance(words, dict):
            raise ValueError(f"it holds a {type(words).__name__}, not a dictionary")
    except ValueError as error:
        raise _damaged(path, error) from error
    return words
