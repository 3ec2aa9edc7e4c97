"""Writing a package: always the same bytes, and no secret."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from pathlib import Path
from typing import IO

import pytest

from cmek_audit.packages import zip_writer
from cmek_audit.packages.unpacking import unpacked
from cmek_audit.packages.zip_writer import write_package
from inventory.errors import LeakError, PackageError
from reports.record.stored_lines import open_regular

TOKEN = b"AstraCS:not-a-real-token-0123456789"


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Path | bytes]:
    (tmp_path / "large.ndjson").write_bytes(b'{"a":1}\n' * 300_000)
    (tmp_path / "f.gz").write_bytes(os.urandom(1_000))
    return {
        "sources/large.ndjson": tmp_path / "large.ndjson",
        "README.txt": b"text",
        "sources/\u00e4/f.gz": tmp_path / "f.gz",
    }


def test_what_is_written_is_unpacked(tmp_path: Path, content: dict[str, Path | bytes]) -> None:
    """Each file is in the package with its hash, and comes back."""
    hashes = write_package(tmp_path / "p.zip", content)
    assert hashes["README.txt"] == hashlib.sha256(b"text").hexdigest()
    with unpacked(str(tmp_path / "p.zip")) as where:
        for name, origin in content.items():
            raw = origin if isinstance(origin, bytes) else origin.read_bytes()
            assert (where / name).read_bytes() == raw


def test_the_same_content_gives_the_same_bytes(
    tmp_path: Path, content: dict[str, Path | bytes]
) -> None:
    """Neither the clock, nor the order, nor modes or times of files change a package."""
    write_package(tmp_path / "one.zip", content)
    for path in content.values():
        if isinstance(path, Path):
            path.chmod(0o600)
            os.utime(path, (time.time() - 1e6,) * 2)
    write_package(tmp_path / "two.zip", dict(reversed(content.items())))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as package:
        names = ["README.txt", "sources/large.ndjson", "sources/\u00e4/f.gz", "SHA256SUMS"]
        assert package.namelist() == names
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in package.infolist()} == {0o100644}


@pytest.mark.parametrize("place", [0, 1_048_576 - 10, 2_000_000])
def test_a_secret_is_never_packed(tmp_path: Path, place: int) -> None:
    """What looks like a token is found wherever it is, and nothing is left."""
    raw = bytearray(b"x" * 2_100_000)
    raw[place : place + len(TOKEN)] = TOKEN
    (tmp_path / "plan.json").write_bytes(raw)
    with pytest.raises(LeakError, match=r"plan\.json"):
        write_package(tmp_path / "p.zip", {"plan.json": tmp_path / "plan.json"})
    with pytest.raises(LeakError, match=r"README\.txt"):
        write_package(tmp_path / "p.zip", {"README.txt": TOKEN})
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]


def test_a_name_that_leads_out_is_never_written(tmp_path: Path) -> None:
    """A package has no name that could lead out of a folder."""
    with pytest.raises(PackageError, match="expected a name that leads into the package"):
        write_package(tmp_path / "p.zip", {"../evil": b"x"})
    assert [*tmp_path.iterdir()] == []


def test_what_cannot_be_checked_is_not_packed(tmp_path: Path) -> None:
    """A package that would be refused when it is checked is not written at all."""
    with pytest.raises(PackageError, match="of at most 1,000 characters"):
        write_package(tmp_path / "p.zip", {"a" * 1_001: b"x"})
    with pytest.raises(PackageError, match=r"bytes in a package of .* nobody could check it"):
        write_package(tmp_path / "p.zip", {"zeros": bytes(65 * 1_024**2)})
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_grows_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of another size than it had when it was opened is not packed."""
    (tmp_path / "f").write_bytes(b"x")

    def grow(path: Path) -> IO[bytes]:
        file = open_regular(path)
        monkeypatch.setattr(os, "fstat", lambda _: os.stat_result((0,) * 10))
        return file

    monkeypatch.setattr(zip_writer, "open_regular", grow)
    with pytest.raises(PackageError, match="changed while it was packed"):
        write_package(tmp_path / "p.zip", {"f": tmp_path / "f"})


def test_an_older_package_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """A package that cannot be written leaves the one before as it was."""
    write_package(tmp_path / "p.zip", {"a": b"x"})
    before = (tmp_path / "p.zip").read_bytes()
    with pytest.raises(FileNotFoundError):
        write_package(tmp_path / "p.zip", {"b": b"y", "c": tmp_path / "missing"})
    assert (tmp_path / "p.zip").read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.zip"]
