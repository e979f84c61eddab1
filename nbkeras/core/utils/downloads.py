"""Files from the network, kept in a cache."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..config import keras_home
from ..files import atomic_write
from .archives import extract_archive
from .progbar import Progbar

__all__ = ["get_file", "validate_file"]

CHUNK = 1 << 16
TIMEOUT = 30.0
"""Seconds in which a server has to send something."""

_locks: dict[str, threading.Lock] = {}
_locks_guard = threading.Lock()


def get_file(
    fname: str | os.PathLike[str],
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Iterable[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
) -> str:
    """The path of a file in the cache, downloaded if it is not there yet.

    What arrives has the file's name only when it is whole and its hash is right: other
    callers, or an interrupt, never see a part of it. A file in the cache whose hash is
    wrong is downloaded again.

    Args:
        fname: its name in the cache, or an absolute path.
        origin: where it is: an ``http``, ``https``, ``ftp`` or ``file`` address.
        untar: older form of ``extract``: the download is ``fname.tar.gz``, and the path
            of what is unpacked, ``fname``, is returned.
        md5_hash: older form of ``file_hash``.
        file_hash: the SHA-256 or MD5 that it must have.
        cache_subdir: the folder in the cache.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` by the length of the hash.
        extract: whether to unpack it, a tar or zip file, where it lies.
        archive_format: ``"auto"``, ``"tar"``, ``"zip"``, a list, or ``None``.
        cache_dir: the cache, by default ``$KERAS_HOME`` or ``~/.keras``.

    Returns:
        The path.

    Raises:
        ValueError: the hash is wrong or the archive is dangerous; what was in the cache
            stays as it was.
        OSError: the download fails.

    >>> import pathlib, tempfile
    >>> here = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (here / "source.txt").write_text("data")
    >>> path = get_file("copy.txt", (here / "source.txt").as_uri(), cache_dir=here)
    Downloading data from file:...
    >>> pathlib.Path(path).read_text()
    'data'

    Source: Keras 2 manual, chapter 20.6.
    """
    expected = _expected(
        file_hash or md5_hash, "md5" if md5_hash and not file_hash else hash_algorithm
    )
    name = f"{os.fspath(fname)}.tar.gz" if untar else os.fspath(fname)
    if ".." in Path(name).parts:
        raise ValueError(f"fname is a name in the cache, or an absolute path; got {name!r}.")
    folder = Path(cache_dir or keras_home()).expanduser() / cache_subdir
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock_of(path):
        if not path.exists() or (expected and not _matches(path, expected)):
            _download(origin, path, expected)
        if (extract or untar) and not extract_archive(
            path, path.parent, "tar" if untar else archive_format
        ):
            raise ValueError(
                f"{str(path)!r} is no archive of the format {archive_format!r}: call get_file "
                "without extract=True."
            )
    return str(folder / os.fspath(fname)) if untar else str(path)


def validate_file(
    fpath: Any, file_hash: str, algorithm: str = "auto", chunk_size: int = CHUNK
) -> bool:
    """Whether a file has a hash.

    Args:
        fpath: the file.
        file_hash: SHA-256 or MD5, as hexadecimal digits.
        algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` by the length of the hash.
        chunk_size: how many bytes are read at once.

    >>> import hashlib, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a"
    >>> _ = path.write_bytes(b"data")
    >>> validate_file(path, hashlib.sha256(b"data").hexdigest())
    True
    """
    expected = _expected(file_hash, algorithm)
    return expected is not None and _matches(Path(fpath), expected, chunk_size)


def _expected(digest: str | None, algorithm: str) -> tuple[str, str] | None:
    """(algorithm, digest) that a file must have."""
    if algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(f"hash_algorithm is 'auto', 'sha256' or 'md5'; got {algorithm!r}.")
    if not digest:
        return None
    if algorithm == "auto":
        algorithm = "md5" if len(digest) == 32 else "sha256"
    length = {"md5": 32, "sha256": 64}[algorithm]
    digest = digest.lower()
    if len(digest) != length or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"A {algorithm} hash has {length} hexadecimal digits; got {digest!r}.")
    return algorithm, digest


def _matches(path: Path, expected: tuple[str, str], chunk_size: int = CHUNK) -> bool:
    algorithm, digest = expected
    found = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(chunk_size):
            found.update(chunk)
    return hmac.compare_digest(found.hexdigest(), digest)


def _lock_of(path: Path) -> threading.Lock:
    """Threads that want one file wait for the first; processes each publish a whole one."""
    with _locks_guard:
        return _locks.setdefault(os.path.abspath(path), threading.Lock())


def _download(origin: str, path: Path, expected: tuple[str, str] | None) -> None:
    """Bring a file under its name once it is whole and right."""
    print(f"Downloading data from {origin}")
    algorithm = expected[0] if expected else "sha256"
    found = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with atomic_write(path) as file, urllib.request.urlopen(origin, timeout=TIMEOUT) as source:
            length = source.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
            bar, done = Progbar(total), 0
            while chunk := source.read(CHUNK):
                file.write(chunk)
                found.update(chunk)
                done += len(chunk)
                bar.show(done, {}, final=done == total)
            if total is not None and done != total:
                raise OSError(f"only {done} of {total} bytes came")
            if expected and not hmac.compare_digest(found.hexdigest(), expected[1]):
                raise ValueError(
                    f"What {origin} sends is not the file that was expected: its {algorithm} hash "
                    f"is {found.hexdigest()}, not {expected[1]}. It was thrown away."
                )
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        there = f" What is there has not the {algorithm} hash {expected[1]}." if expected else ""
        raise OSError(
            f"{origin} cannot be downloaded: {reason}. Try again later, or put the file at "
            f"{str(path)!r} by hand.{there if path.exists() else ''}"
        ) from error
