"""get_file, from a server of the test's own, and archives that mean harm."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import types
import zipfile
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from nbkeras.core.utils import get_file
from nbkeras.core.utils.archives import extract_archive
from nbkeras.core.utils.downloads import validate_file

DATA = bytes(range(256)) * 1000
SHA = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture
def server(server: Any) -> Any:
    server.files["/data.bin"] = DATA
    return server


def test_a_file_is_downloaded_once(server: Any, tmp_path: Path) -> None:
    for digest in ({}, {"file_hash": SHA}, {"file_hash": MD5}, {"md5_hash": MD5}):
        path = get_file("data.bin", f"{server.root}/data.bin", cache_dir=tmp_path, **digest)
        assert Path(path) == tmp_path / "datasets" / "data.bin"
        assert Path(path).read_bytes() == DATA
    assert len(server.asked) == 1
    assert os.listdir(tmp_path / "datasets") == ["data.bin"]


def test_the_cache_is_where_keras_home_says(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    origin = f"{server.root}/data.bin"
    assert get_file("a", origin, cache_subdir="models") == str(tmp_path / "home" / "models" / "a")
    assert get_file(str(tmp_path / "b"), origin) == str(tmp_path / "b")


def test_a_wrong_hash_publishes_nothing(server: Any, tmp_path: Path) -> None:
    server.files["/data.bin"] = DATA[:-1] + b"x"
    with pytest.raises(ValueError, match=f"not {SHA}"):
        get_file("data.bin", f"{server.root}/data.bin", cache_dir=tmp_path, file_hash=SHA)
    assert os.listdir(tmp_path / "datasets") == []
    (tmp_path / "datasets" / "data.bin").write_bytes(b"mine")
    with pytest.raises(ValueError, match="thrown away"):
        get_file("data.bin", f"{server.root}/data.bin", cache_dir=tmp_path, file_hash=SHA)
    assert (tmp_path / "datasets" / "data.bin").read_bytes() == b"mine"


def test_a_damaged_cache_is_renewed(server: Any, tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "data.bin").write_bytes(DATA[:100])
    path = get_file("data.bin", f"{server.root}/data.bin", cache_dir=tmp_path, file_hash=SHA)
    assert Path(path).read_bytes() == DATA


def test_a_damaged_cache_without_a_network(server: Any, tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "x").write_bytes(DATA[:100])
    with pytest.raises(OSError, match=rf"by hand\. What is there has not the sha256 hash {SHA}"):
        get_file("x", f"{server.root}/x", cache_dir=tmp_path, file_hash=SHA)
    assert (tmp_path / "datasets" / "x").read_bytes() == DATA[:100]


def test_a_truncated_download_publishes_nothing(server: Any, tmp_path: Path) -> None:
    server.extra = 10
    with pytest.raises(OSError, match="by hand"):
        get_file("data.bin", f"{server.root}/data.bin", cache_dir=tmp_path)
    assert os.listdir(tmp_path / "datasets") == []


def test_what_is_not_there(server: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"Not Found.*by hand"):
        get_file("x", f"{server.root}/x", cache_dir=tmp_path)
    assert os.listdir(tmp_path / "datasets") == []
    for options, text in (
        ({"fname": "../x"}, "name in the cache"),
        ({"file_hash": "12ab"}, "64 hexadecimal digits"),
        ({"hash_algorithm": "sha1"}, "hash_algorithm"),
    ):
        given = {"fname": "x", "origin": f"{server.root}/data.bin", "cache_dir": tmp_path}
        with pytest.raises(ValueError, match=text):
            get_file(**{**given, **options})


def test_progress_is_shown(server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"{server.root}/data.bin"
    get_file("data.bin", address, cache_dir=tmp_path)
    out = capsys.readouterr().out
    assert f"Downloading data from {address}" in out
    assert f"{len(DATA)}/{len(DATA)} [{'=' * 30}]" in out.split("\r")[-1]
    get_file("data.bin", address, cache_dir=tmp_path)
    assert capsys.readouterr().out == ""


def test_many_callers_at_once(server: Any, tmp_path: Path) -> None:
    def call(number: int) -> bytes:
        path = get_file("data.bin", f"{server.root}/data.bin", cache_dir=tmp_path, file_hash=SHA)
        return Path(path).read_bytes()

    with futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(24))) == {DATA}
    assert len(server.asked) == 1


def test_validate_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(DATA)
    assert validate_file(path, SHA)
    assert validate_file(path, MD5.upper(), "md5")
    assert not validate_file(path, hashlib.sha256(b"").hexdigest())


# ---------------------------------------------------------------- archives


def tar_of(*members: tuple[str, Any], mode: str = "w:gz") -> bytes:
    """A tar file of (name, content) or (name, (type, link name))."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                file.addfile(info)
    return buffer.getvalue()


def zip_of(*members: tuple[str, bytes, int]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.filename = name
            info.external_attr = mode << 16
            file.writestr(info, content)
    return buffer.getvalue()


FILE = stat.S_IFREG | 0o644


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:bz2", "zip"])
def test_archives_are_unpacked(server: Any, tmp_path: Path, kind: str) -> None:
    members = (("set/a.txt", b"one"), ("set/deep/b.txt", b"two"), ("c.txt", b""))
    server.files["/a"] = (
        zip_of(*((*m, FILE) for m in members)) if kind == "zip" else tar_of(*members, mode=kind)
    )
    for _ in range(2):
        path = get_file("archive", f"{server.root}/a", cache_dir=tmp_path, extract=True)
    assert path == str(tmp_path / "datasets" / "archive")
    for name, content in members:
        assert (tmp_path / "datasets" / name).read_bytes() == content
    assert sorted(os.listdir(tmp_path / "datasets")) == ["archive", "c.txt", "set"]


def test_untar(server: Any, tmp_path: Path) -> None:
    server.files["/a"] = tar_of(("images/1.txt", b"one"))
    path = get_file("images", f"{server.root}/a", untar=True, cache_dir=tmp_path)
    assert (Path(path) / "1.txt").read_bytes() == b"one"
    assert (tmp_path / "datasets" / "images.tar.gz").exists()


HARM = {
    "dots": tar_of(("good", b"1"), ("../evil", b"2")),
    "deep dots": tar_of(("good", b"1"), ("a/../../evil", b"2")),
    "absolute": tar_of(("good", b"1"), ("/tmp/evil", b"2")),
    "prefix": tar_of(("good", b"1"), ("../target-evil/x", b"2")),
    "symbolic link": tar_of(("good", b"1"), ("evil", (tarfile.SYMTYPE, ".."))),
    "link, then through it": tar_of(("l", (tarfile.SYMTYPE, "..")), ("l/evil", b"2")),
    "hard link": tar_of(("good", b"1"), ("evil", (tarfile.LNKTYPE, "../secret"))),
    "device": tar_of(("good", b"1"), ("evil", (tarfile.CHRTYPE, ""))),
    "pipe": tar_of(("good", b"1"), ("evil", (tarfile.FIFOTYPE, ""))),
    "zip dots": zip_of(("good", b"1", FILE), ("../evil", b"2", FILE)),
    "zip backslashes": zip_of(("good", b"1", FILE), ("..\\evil", b"2", FILE)),
    "zip drive": zip_of(("good", b"1", FILE), ("C:evil", b"2", FILE)),
    "zip absolute": zip_of(("good", b"1", FILE), ("/tmp/evil", b"2", FILE)),
    "zip link": zip_of(("good", b"1", FILE), ("evil", b"..", stat.S_IFLNK | 0o777)),
    "zip device": zip_of(("good", b"1", FILE), ("evil", b"", stat.S_IFIFO | 0o600)),
}


@pytest.mark.parametrize("harm", HARM)
def test_dangerous_archives_are_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "archive").write_bytes(HARM[harm])
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="is not unpacked: its member"):
        extract_archive(tmp_path / "archive", target)
    assert os.listdir(target) == []
    assert sorted(os.listdir(tmp_path)) == ["archive", "elsewhere", "secret", "target"]
    assert os.listdir(tmp_path / "elsewhere") == []


def bomb(kind: str) -> bytes:
    """A file of some kilobytes that unpacks to 2 MB."""
    buffer, zeros = io.BytesIO(), bytes(1 << 16)
    members = [(f"{number}", zeros) for number in range(32)]
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in members:
                file.writestr(name, content)
        return buffer.getvalue()
    if kind == "tar":
        return tar_of(*members)
    if kind == "one member":
        return tar_of(("zeros", bytes(2 << 20)), mode="w:bz2")
    # No bytes at all, but a block of the disk for each.
    return tar_of(*((f"{number}", b"") for number in range(512)))


@pytest.mark.parametrize("kind", ["zip", "tar", "one member", "many"])
def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path, target = tmp_path / "archive", tmp_path / "target"
    path.write_bytes(bomb(kind))
    target.mkdir()
    monkeypatch.setattr("nbkeras.core.utils.archives.ALWAYS_FINE", 1 << 20)
    with pytest.raises(ValueError, match="fill the disk"):
        extract_archive(path, target)
    assert os.listdir(target) == []
    monkeypatch.setattr("nbkeras.core.utils.archives.ALWAYS_FINE", 1 << 21)
    assert extract_archive(path, target)


def test_a_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    """Its list of contents says 10 bytes; what is written is never more."""
    content = bytearray(zip_of(("a", b"0123456789" * 100, FILE)))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    (tmp_path / "archive").write_bytes(content)
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(zipfile.BadZipFile):
        extract_archive(tmp_path / "archive", target)
    assert os.listdir(target) == []


def test_what_packs_well_is_unpacked(tmp_path: Path) -> None:
    content = bytes(8 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("masks", content)
    (tmp_path / "archive").write_bytes(buffer.getvalue())
    assert len(content) > 500 * len(buffer.getvalue())
    assert extract_archive(tmp_path / "archive", tmp_path)
    assert (tmp_path / "masks").read_bytes() == content


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive").write_bytes(tar_of(("set/a", b"12345"), ("set/b", b"67")))
    target = tmp_path / "target"
    target.mkdir()
    free = types.SimpleNamespace(free=6)
    monkeypatch.setattr("shutil.disk_usage", lambda path: free)
    with pytest.raises(OSError, match=r"needs 7 bytes, and .* has 6 left"):
        extract_archive(tmp_path / "archive", target)
    assert os.listdir(target) == []
    free.free = 7
    assert extract_archive(tmp_path / "archive", target)
    free.free = 0  # what is there already needs none
    assert extract_archive(tmp_path / "archive", target)


def test_a_link_in_the_folder_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "set").symlink_to(tmp_path / "outside")
    (tmp_path / "archive").write_bytes(tar_of(("set/x", b"1")))
    with pytest.raises(ValueError, match="leads out"):
        extract_archive(tmp_path / "archive", tmp_path / "target")
    assert os.listdir(tmp_path / "outside") == []


def test_formats(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(tar_of(("a", b"1")))
    assert not extract_archive(path, tmp_path, "zip")
    assert not extract_archive(path, tmp_path, None)
    assert extract_archive(path, tmp_path, ["zip", "tar"])
    with pytest.raises(ValueError, match="archive_format"):
        extract_archive(path, tmp_path, "rar")
    path.write_bytes(DATA)
    with pytest.raises(ValueError, match="no archive"):
        get_file(str(path), "http://nowhere.invalid", extract=True)
