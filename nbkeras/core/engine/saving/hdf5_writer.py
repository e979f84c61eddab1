"""Writing Keras 2's HDF5 layout: attributes, weights, checksums."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from ...files import atomic_write
from .layout import ATTRIBUTE_LIMIT, CHECKSUM, checksum

__all__ = ["open_writer", "write_arrays", "write_config", "write_text", "write_texts"]


@contextlib.contextmanager
def open_writer(target: Any, parts: Sequence[str] = ()) -> Iterator[h5py.Group]:
    """An empty HDF5 group that becomes the target.

    Args:
        target: a path (replaced in one step), an open `h5py.File` or group, or a
            binary file object such as `BytesIO`.
        parts: groups that an open group may already have; they are deleted.
    """
    if isinstance(target, h5py.Group):
        for part in parts:
            if part in target:
                del target[part]
        yield target
        target.file.flush()
    elif isinstance(target, (str, os.PathLike)):
        with atomic_write(target) as raw, h5py.File(raw, "w") as file:
            yield file
    elif hasattr(target, "write"):
        # Complete in memory first: an error leaves the given file as it was.
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            yield file
        if target.seekable():
            target.seek(0)
            target.truncate()
        target.write(buffer.getbuffer())
    else:
        raise TypeError(
            "Expected a path such as 'model.h5', an open h5py.File or group, or a binary file "
            f"object; got {type(target).__name__}."
        )


def write_text(group: h5py.Group, name: str, text: str, *, checked: bool = False) -> None:
    """A text as an attribute of bytes, which readers of all versions decode alike."""
    group.attrs[name] = text.encode("utf-8")
    if checked:
        group.attrs[f"{CHECKSUM}:{name}"] = np.uint32(checksum(text))


def write_config(group: h5py.Group, name: str, config: Any) -> None:
    """Plain data as a JSON attribute."""
    write_text(group, name, json.dumps(config, default=_plain), checked=True)


def write_texts(group: h5py.Group, name: str, texts: Iterable[str]) -> None:
    """A list of texts as one attribute, or as several where HDF5 has no room for one.

    Raises:
        ValueError: if a single text is too long.
    """
    for old in list(group.attrs):
        if old == name or (old.startswith(name) and old[len(name) :].isdigit()):
            del group.attrs[old]
    encoded = [text.encode("utf-8") for text in texts]
    longest = max(map(len, encoded), default=0)
    if longest > ATTRIBUTE_LIMIT:
        raise ValueError(
            f"A name of {longest:,} bytes cannot be saved; HDF5 allows {ATTRIBUTE_LIMIT:,}."
        )
    if longest * len(encoded) <= ATTRIBUTE_LIMIT:
        group.attrs[name] = np.array(encoded, f"S{max(longest, 1)}")
        return
    rows = max(ATTRIBUTE_LIMIT // longest, 1)
    for number, start in enumerate(range(0, len(encoded), rows)):
        group.attrs[f"{name}{number}"] = np.array(encoded[start : start + rows], f"S{longest}")


def write_arrays(
    group: h5py.Group, names: Sequence[str], arrays: Iterable[Any], attribute: str = "weight_names"
) -> None:
    """Arrays as data sets with checksums, and the list of their names.

    Names that HDF5 could not tell apart get a number; readers go by the list.
    """
    unique = _unique_paths(names)
    write_texts(group, attribute, unique)
    for name, array in zip(unique, arrays, strict=True):
        values = np.asarray(array)
        if values.dtype.kind not in "fiub":  # bfloat16 and its kind are unknown to HDF5
            values = values.astype(np.float32)
        dataset = group.create_dataset(name, data=values)
        dataset.attrs[CHECKSUM] = np.uint32(checksum(values))


def _unique_paths(names: Sequence[str]) -> list[str]:
    """The names, made different where one is taken, or is a folder of another."""
    leaves: set[str] = set()
    folders: set[str] = set()
    unique = []
    for name in names:
        parts = [part for part in name.split("/") if part not in ("", ".", "..")] or ["weight"]
        path, number = "/".join(parts), 0
        while path in leaves or path in folders or any(p in leaves for p in _folders(path)):
            number += 1
            path = "/".join([*parts[:-1], _numbered(parts[-1], number)])
            if any(p in leaves for p in _folders(path)):
                path = _numbered("_".join(parts), number)
        leaves.add(path)
        folders.update(_folders(path))
        unique.append(path)
    return unique


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]


def _numbered(name: str, number: int) -> str:
    stem, colon, index = name.rpartition(":")
    return f"{stem}_{number}:{index}" if colon and index.isdigit() else f"{name}_{number}"


def _plain(value: Any) -> Any:
    """What JSON does not know: numbers and arrays of NumPy, types, objects with a config."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, np.dtype) or hasattr(value, "as_numpy_dtype"):
        return value.name
    if hasattr(value, "as_list"):
        return value.as_list()
    if hasattr(value, "__name__"):
        return value.__name__
    raise TypeError(
        f"A value of type {type(value).__name__} cannot be saved in a configuration: {value!r}. "
        "Return plain data (numbers, texts, lists, dictionaries) from get_config()."
    )
