"""Writing files that a user would not want to lose: the one atomic writer.

What is written goes to a temporary file in the target's folder. Only when it
is complete and on the disk does it take the target's name, in one step. A
reader, or a machine that fails in between, finds the old file or the new one,
never a part.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["atomic_write", "write_bytes", "write_text"]

_LEFTOVER = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-(?P<token>[0-9a-f]{8})\.tmp")
_LEFTOVER_SECONDS = 60.0


@contextlib.contextmanager
def atomic_write(
    path: str | os.PathLike[str], mode: str = "wb", encoding: str | None = None
) -> Iterator[IO[Any]]:
    """An open file that takes the place of `path` when the `with` block ends well.

    A symbolic link stays and its target is replaced; the permissions of the old
    file are kept. If the block or the writing fails, the old file stays as it is
    and nothing else is left in the folder.

    Args:
        path: the file to write.
        mode: `"wb"` or `"w"`; the file can be read and sought as well.
        encoding: of text, `"utf-8"` by default.

    Yields:
        The open file. An error of the disk (full, quota) is remembered and raised
        at the end of the block, so that libraries that write through it can close
        in peace.

    Raises:
        OSError: if the folder does not exist or is not writable, the disk is full,
            or `path` is a folder, a device or a file that may not be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with atomic_write(folder / 'notes.txt', 'w') as file:
        ...     _ = file.write('kept')
        >>> [p.name for p in folder.iterdir()], (folder / 'notes.txt').read_text()
        (['notes.txt'], 'kept')
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"Expected mode 'w' or 'wb'; got {mode!r}.")
    target, permissions = _check_target(Path(path))
    _remove_leftovers(target)
    temporary = target.with_name(_temporary_name(target.name))
    # O_EXCL: nobody else's file; 0o666 is narrowed by the umask as for any new file.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        raw = _Patient(descriptor)
        with raw:
            if mode == "wb":
                yield cast("IO[Any]", raw)
            else:
                # newline='': text arrives on the disk as it was given.
                text = io.TextIOWrapper(cast(Any, raw), encoding=encoding or "utf-8", newline="")
                yield text
                text.flush()
                text.detach()
            raw.settle()
            if permissions is not None:
                _keep_permissions(descriptor, temporary, permissions)
            _sync(descriptor)
        _replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Replaces a file's content in one step."""
    with atomic_write(path) as file:
        file.write(data)


def write_text(path: str | os.PathLike[str], text: str, encoding: str = "utf-8") -> None:
    """Replaces a text file's content in one step.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / 'model.json'
        >>> write_text(path, '{}')
        >>> path.read_text()
        '{}'
    """
    with atomic_write(path, "w", encoding) as file:
        file.write(text)


# ---------------------------------------------------------------- the file being written


class _Patient(io.RawIOBase):
    """A file that remembers the first error of the disk instead of raising it.

    HDF5 cannot close a file whose last writes fail: it keeps the handle and may
    crash when the process ends. So after an error writes are accepted and
    dropped, and `settle` raises what happened.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._error: OSError | None = None
        self._open = True

    def settle(self) -> None:
        """Raises the first error of writing, if there was one."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        total = len(view)
        while view and self._error is None:
            try:
                view = view[os.write(self._descriptor, view) :]
            except OSError as error:
                self._error = error
        return total

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        if self._error is None:
            try:
                os.ftruncate(self._descriptor, size)
            except OSError as error:
                self._error = error
        return size

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = os.read(self._descriptor, len(view))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._descriptor, offset, whence)

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)
        super().close()


# ---------------------------------------------------------------- the target


def _check_target(path: Path) -> tuple[Path, os.stat_result | None]:
    """The file that will be replaced, links followed, and its state if it exists."""
    target = Path(os.path.realpath(path))
    try:
        state = os.stat(target)
    except FileNotFoundError:
        state = None
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"The folder of {str(path)!r} does not exist. Make it first: "
            f"os.makedirs({str(target.parent)!r}, exist_ok=True)."
        )
    if state is None:
        return target, None
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(
            f"Expected the name of a file; {str(path)!r} is a folder. "
            f"Write {os.path.join(str(path), 'model.h5')!r}, for example."
        )
    if not stat.S_ISREG(state.st_mode):
        raise OSError(f"Expected a regular file; {str(path)!r} is a device, pipe or socket.")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"The file {str(path)!r} is write-protected.")
    return target, state


def _temporary_name(name: str) -> str:
    # Names may have 255 bytes; the process is noted so that its leftovers can be told.
    kept = os.fsencode(name)[:200].decode("utf-8", "ignore")
    return f".{kept}.{os.getpid()}-{secrets.token_hex(4)}.tmp"


def _remove_leftovers(target: Path) -> None:
    """Deletes what a process that was killed while writing this very file left behind."""
    if sys.platform == "win32":  # there, os.kill(pid, 0) is not a question
        return
    kept = os.fsencode(target.name)[:200].decode("utf-8", "ignore")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            match = _LEFTOVER.fullmatch(entry.name)
            if match is None or match["name"] != kept or _is_alive(int(match["pid"])):
                continue
            # Another machine with the same folder may know the process: give it time.
            with contextlib.suppress(OSError):
                if time.time() - entry.stat().st_mtime > _LEFTOVER_SECONDS:
                    os.unlink(entry.path)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _keep_permissions(descriptor: int, temporary: Path, old: os.stat_result) -> None:
    """Gives the new file the owner and mode of the old one, as far as this user may."""
    if hasattr(os, "fchown"):
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.chmod(temporary, stat.S_IMODE(old.st_mode))


# ---------------------------------------------------------------- the disk


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # there, fsync stops at the drive's own cache
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Puts the new name on the disk; some systems cannot open a folder, and need not."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace(temporary: Path, target: Path) -> None:
    attempts = 10 if sys.platform == "win32" else 1
    for attempt in range(attempts):
        try:
            os.replace(temporary, target)
            return
        except PermissionError:  # Windows: a virus scanner holds the file for a moment
            if attempt + 1 == attempts:
                raise
            time.sleep(0.05 * (attempt + 1))
