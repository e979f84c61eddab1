"""The atomic writer: the old file or the new one, never a part, and nothing left behind."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest

from nbkeras.core import files
from nbkeras.core.files import atomic_write, write_bytes, write_text


def listing(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_new_file_appears_complete(tmp_path):
    path = tmp_path / "a.bin"
    with atomic_write(path) as file:
        file.write(b"one")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"onetwo"
    assert listing(tmp_path) == ["a.bin"]


def test_text_is_utf_8_and_unchanged(tmp_path):
    write_text(tmp_path / "a.txt", "größer\r\n\n")
    assert (tmp_path / "a.txt").read_bytes() == "größer\r\n\n".encode()


def test_the_old_file_stays_until_the_end(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def write():
        with atomic_write(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, mode):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    real = os.write

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    def write():
        with atomic_write(path, mode) as file:
            file.write(b"1" * 10 if mode == "wb" else "1" * 10)
            file.flush()
            monkeypatch.setattr(os, "write", full)
            file.write(b"2" * 100_000 if mode == "wb" else "2" * 100_000)

    with pytest.raises(OSError, match="No space left") as caught:
        write()
    monkeypatch.setattr(os, "write", real)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["a.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
@pytest.mark.parametrize("limit", [1_000, 5_000, 60_000, 400_000])
def test_hdf5_on_a_full_disk_closes_in_peace(tmp_path, limit):
    path = tmp_path / "a.h5"
    path.write_bytes(b"old")
    script = f"""
        import resource, h5py, numpy as np
        from nbkeras.core.files import atomic_write
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        try:
            with atomic_write({str(path)!r}) as raw, h5py.File(raw, "w") as file:
                for i in range(10):
                    file[str(i)] = np.ones(10_000, "float32")
        except OSError as error:
            print(error.errno)
    """
    done = _run(script)
    assert (done.returncode, done.stdout.strip()) == (0, str(errno.EFBIG)), done.stderr
    assert path.read_bytes() == b"old"
    assert listing(tmp_path) == ["a.h5"]


def test_hdf5_through_the_writer_equals_hdf5_by_name(tmp_path):
    values = np.random.default_rng(0).normal(size=(300, 200))
    with atomic_write(tmp_path / "a.h5") as raw, h5py.File(raw, "w") as file:
        file["group/x"] = values
        file.attrs["text"] = "x" * 100_000
    with h5py.File(tmp_path / "a.h5", "r") as file:
        np.testing.assert_array_equal(file["group/x"], values)
        assert len(file.attrs["text"]) == 100_000


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_permissions_are_kept_and_new_files_follow_the_umask(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"")
    old.chmod(0o640)
    write_bytes(old, b"x")
    assert old.stat().st_mode & 0o777 == 0o640
    previous = os.umask(0o027)
    try:
        write_bytes(new, b"x")
    finally:
        os.umask(previous)
    assert new.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "real"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert listing(tmp_path / "folder") == ["real"]


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="folder"):
        write_bytes(tmp_path, b"")
    with pytest.raises(FileNotFoundError, match="makedirs"):
        write_bytes(tmp_path / "missing" / "a", b"")
    with pytest.raises(ValueError, match="mode"), atomic_write(tmp_path / "a", "a"):
        pass
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="pipe"):
            write_bytes(tmp_path / "pipe", b"")


def test_a_write_protected_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    # Whoever runs as root may write anything, so the answer of the system is given here.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="write-protected"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("ü" * 127)
    write_bytes(path, b"x")
    assert listing(tmp_path) == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="asks whether a process lives")
def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = tmp_path / "a.h5"
    names = {
        "old of the dead": f".a.h5.{dead.pid}-00000001.tmp",
        "fresh": f".a.h5.{dead.pid}-00000002.tmp",
        "living": f".a.h5.{os.getpid()}-00000003.tmp",
        "another file": f".b.h5.{dead.pid}-00000004.tmp",
        "not ours": ".a.h5.tmp",
    }
    for key, name in names.items():
        (tmp_path / name).write_bytes(b"part")
        if key != "fresh":
            os.utime(tmp_path / name, (0, 0))
    write_bytes(path, b"new")
    assert set(listing(tmp_path)) == {"a.h5", *names.values()} - {names["old of the dead"]}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("moment", [0, 1, 2, 3])
def test_a_kill_leaves_one_of_the_two_files(tmp_path, moment):
    """Killed while writing, before the sync, before and after the replacement."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"o" * 1000)
    step = ["os.write", "os.fsync", "os.replace", "files._sync_folder"][moment]
    script = f"""
        import os, signal
        from nbkeras.core import files
        def kill(*_):
            os.kill(os.getpid(), signal.SIGKILL)
        {step} = kill
        files.write_bytes({str(path)!r}, b"n" * 2000)
    """
    assert _run(script).returncode == -9
    assert path.read_bytes() == (b"n" * 2000 if moment == 3 else b"o" * 1000)
    write_bytes(path, b"again")
    assert path.read_bytes() == b"again"


def _run(script):
    root = Path(files.__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=root,
        check=False,
    )
