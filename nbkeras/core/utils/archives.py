"""Unpacking archives that somebody else made.

Nothing of an archive is trusted: all members are looked at before the first is
written, only folders and regular files are made, and only inside the target. A small file
that would fill the disk is not unpacked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

__all__ = ["extract_archive"]

FORMATS = ("tar", "zip")
MOST_TIMES = 100
"""How many times its own size an archive may unpack to. Texts and images reach ten to twenty; a
bomb, thousands."""
ALWAYS_FINE = 1 << 28
"""What any archive may unpack to, in bytes: masks and zeros pack well, and do no harm."""
BLOCK = 4096
"""What a member takes at least on a disk, in bytes, empty or not."""


@dataclass
class Member:
    """A file or folder of an archive: its name, size, what it is and how to read it."""

    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes] | None]


def extract_archive(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    archive_format: str | Iterable[str] | None = "auto",
) -> bool:
    """Unpack a tar file (also compressed) or a zip file into a folder.

    Each file takes its name only when it is whole; what is there already in the right
    size is left.

    Args:
        path: the archive.
        folder: where to; it exists.
        archive_format: ``"tar"``, ``"zip"``, a list of these, ``"auto"`` for both, or
            ``None`` for neither.

    Returns:
        Whether the file was an archive of these formats.

    Raises:
        ValueError: a member would leave the folder, or is a link or a device; or the archive
            unpacks to more than a hundred times its size, and more than 256 MiB. Nothing is
            unpacked then.
        OSError: the disk has not the room for it; nothing is unpacked then.

    >>> import io, pathlib, tempfile, zipfile
    >>> here = pathlib.Path(tempfile.mkdtemp())
    >>> with zipfile.ZipFile(here / "a.zip", "w") as file:
    ...     file.writestr("notes/one.txt", "1")
    >>> extract_archive(here / "a.zip", here), (here / "notes/one.txt").read_text()
    (True, '1')
    """
    with _opened(path, _formats(archive_format)) as found:
        if found is None:
            return False
        members = _checked(found, path)
        root = Path(os.path.realpath(folder))
        missing = [
            m for m in members if m.kind == "file" and not _is_there(_target(m, root), m.size)
        ]
        _require_room(sum(member.size for member in missing), root, path)
        for member in members:
            _write(member, root)
    return True


def _formats(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    formats = FORMATS if given == "auto" else (given,) if isinstance(given, str) else tuple(given)
    for name in formats:
        if name not in FORMATS:
            raise ValueError(f"archive_format is 'auto', 'tar', 'zip' or None; got {name!r}.")
    return formats


@contextlib.contextmanager
def _opened(path: Any, formats: tuple[str, ...]) -> Iterator[Iterator[Member] | None]:
    """The members of an archive, one by one; ``None`` if it is of no format asked for."""
    if "tar" in formats and tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            yield (_of_tar(tar, info) for info in tar)
    elif "zip" in formats and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            yield (_of_zip(file, info) for info in file.infolist())
    else:
        yield None


def _of_tar(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    kind = "file" if info.isreg() else "folder" if info.isdir() else "device"
    if info.issym() or info.islnk():
        kind = "link"
    return Member(info.name, info.size, kind, lambda: tar.extractfile(info))


def _of_zip(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = stat.S_IFMT(info.external_attr >> 16)
    kind = "folder" if info.is_dir() else "file"
    if mode == stat.S_IFLNK:
        kind = "link"
    elif mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "device"
    return Member(info.filename, info.file_size, kind, lambda: file.open(info))


def _checked(found: Iterable[Member], path: Any) -> list[Member]:
    """The members, all of them harmless."""
    packed = os.path.getsize(path)
    most = max(MOST_TIMES * packed, ALWAYS_FINE)
    members, total = [], 0
    for member in found:
        # A tar file is unpacked to get to its next member: a bomb is met before it goes off.
        total += max(member.size, BLOCK)
        if total > most:
            raise _refused(
                path,
                f"it has {packed} bytes, and its members would have more than {most}: "
                f"{member.name!r} alone {member.size}",
                "It may be made to fill the disk.",
            )
        if member.kind in ("link", "device"):
            wrong = f"is a {member.kind}"
        elif not _stays(member.name):
            wrong = "leads out of the folder"
        else:
            members.append(member)
            continue
        raise _refused(
            path,
            f"its member {member.name!r} {wrong}",
            "Only plain files and folders below the target are.",
        )
    return members


def _refused(path: Any, why: str, rule: str) -> ValueError:
    return ValueError(
        f"{os.fspath(path)!r} is not unpacked: {why}. {rule} If you trust the archive, unpack it "
        "by hand."
    )


def _require_room(size: int, root: Path, path: Any) -> None:
    free = shutil.disk_usage(root).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"{os.fspath(path)!r} is not unpacked: it needs {size} bytes, and {str(root)!r} has "
            f"{free} left",
        )


def _stays(name: str) -> bool:
    """Whether a name is below the folder, on any system."""
    windows = PureWindowsPath(name)  # parts at both kinds of slashes
    if not name or "\0" in name or windows.drive or windows.root or PurePosixPath(name).root:
        return False
    return ".." not in windows.parts and not any(":" in part for part in windows.parts)


def _target(member: Member, root: Path) -> Path:
    return root.joinpath(*PurePosixPath(member.name).parts)


def _write(member: Member, root: Path) -> None:
    target = _target(member, root)
    parent = target if member.kind == "folder" else target.parent
    # A link that was in the folder before must not lead the member out of it.
    if not Path(os.path.realpath(parent)).is_relative_to(root):
        raise ValueError(f"{str(parent)!r} is a link that leads out of {str(root)!r}: remove it.")
    parent.mkdir(parents=True, exist_ok=True)
    if member.kind == "folder" or _is_there(target, member.size):
        return
    source = member.open()
    if source is None:
        raise ValueError(f"The member {member.name!r} of the archive cannot be read.")
    descriptor, temporary = tempfile.mkstemp(dir=parent, prefix=".unpacking-")
    try:
        with source, os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(source, file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _is_there(target: Path, size: int) -> bool:
    return target.is_file() and not target.is_symlink() and target.stat().st_size == size
