"""Unpacking: what could do harm is refused in words, and what is unpacked is what was packed."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.packages import layout, unpacking
from cmek_audit.packages.unpacking import unpacked
from cmek_audit.signing.statement import is_safe_name
from inventory.errors import PackageError
from tests.cmek_audit.packages.zips import FILE, an_entry, plain_zip, summed, write_zip
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from zipfile import ZipInfo

PARTS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
FILES = st.dictionaries(PARTS.map("d/{}".format), st.binary(max_size=200), max_size=4)


def refusal(path: str) -> str:
    with pytest.raises(PackageError) as caught, unpacked(path):
        pass
    return str(caught.value)


def refusal_of(tmp_path: Path, *entries: tuple[ZipInfo, bytes]) -> str:
    return refusal(write_zip(tmp_path / "p.zip", entries))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zips")


# --- what is unpacked -----------------------------------------------------------------------------


@examples(30)
@given(files=FILES)
def test_what_was_packed_comes_back(folder: Path, files: dict[str, bytes]) -> None:
    """Every file comes back with its content, and nothing is left in the end."""
    path = plain_zip(folder / "p.zip", summed(files))
    with unpacked(path) as where:
        read = {name: (where / name).read_bytes() for name in files}
        assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert read == files
    assert not where.exists()


@examples(20)
@given(files=FILES, name=PARTS)
def test_the_list_is_of_exactly_what_is_there(
    folder: Path, files: dict[str, bytes], name: str
) -> None:
    """A file that was added, removed or changed in the package is named."""
    sums = summed(files)["SHA256SUMS"]
    added = plain_zip(folder / "p.zip", files | {name: b"more", "SHA256SUMS": sums})
    assert refusal(added) == f"{name}: added: SHA256SUMS does not list it"
    for file, content in files.items():
        changed = files | {file: content + b"x", "SHA256SUMS": sums}
        assert refusal(plain_zip(folder / "p.zip", changed)).startswith(f"{file}: changed since")
        del changed[file]
        removed = plain_zip(folder / "p.zip", changed)
        assert refusal(removed) == f"{file}: removed: SHA256SUMS lists it"


@pytest.mark.parametrize("seed", range(3))
def test_damage_is_found(tmp_path: Path, seed: int) -> None:
    """A byte that was changed or a part that was cut off never yields other files."""
    random = Random(seed)
    files = {f"f{number}": random.randbytes(300) for number in range(3)}
    raw = Path(plain_zip(tmp_path / "whole.zip", summed(files))).read_bytes()
    broken = tmp_path / "p.zip"
    for _ in range(40):
        place = random.randrange(len(raw))
        flipped = bytes([raw[place] ^ (1 << random.randrange(8))])
        for damaged in (raw[:place] + flipped + raw[place + 1 :], raw[:place]):
            broken.write_bytes(damaged)
            try:
                with unpacked(str(broken)) as where:
                    assert {name: (where / name).read_bytes() for name in files} == files
            except PackageError as error:
                assert str(error)  # noqa: PT017 (some bytes, such as those of times, change nothing)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no ZIP file", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_package_is_refused(tmp_path: Path, raw: bytes) -> None:
    """A file that is no ZIP file, or an empty one, is no package."""
    (tmp_path / "p.zip").write_bytes(raw)
    assert refusal(str(tmp_path / "p.zip")) in {
        "it is damaged: BadZipFile",
        "SHA256SUMS: missing or unreadable, expected hashes",
    }


# --- what could do harm ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/tmp/evil",
        "a/../../evil",
        "..",
        "a\\..\\evil",
        "./evil",
        "a//b",
        "a/",
        "e\x1bvil",
    ],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    """No file is written outside of the folder, whatever names it has in the package."""
    text = refusal_of(tmp_path, (an_entry(name), b"x"))
    assert text.endswith("(a name that could lead out of the folder), expected a file")
    assert not is_safe_name(name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.zip"]


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    """A name that programs cut at different places is refused."""
    path = Path(plain_zip(tmp_path / "p.zip", {"evilXname": b"x"}))
    path.write_bytes(path.read_bytes().replace(b"evilXname", b"evil\0name"))
    assert "a name that could lead out of the folder" in refusal(str(path))


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (stat.S_IFLNK | 0o777, "a link"),
        (stat.S_IFIFO | 0o644, "no regular file"),
        (stat.S_IFCHR | 0o644, "no regular file"),
        (stat.S_IFDIR | 0o755, "no regular file"),
    ],
)
def test_only_files_are_unpacked(tmp_path: Path, mode: int, words: str) -> None:
    """Links, pipes, devices and folders are refused."""
    text = refusal_of(tmp_path, (an_entry("evil", mode), b"/etc/passwd"))
    assert text == f"found 'evil' ({words}), expected a file"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_is_there_once(tmp_path: Path) -> None:
    """Two files of one name are refused: programs differ in which one they take."""
    text = refusal_of(tmp_path, (an_entry("a"), b"x"), (an_entry("a"), b"y"))
    assert text == "found 'a' twice, expected it once"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A name that is a file and the folder of another is refused."""
    text = refusal_of(tmp_path, (an_entry("a"), b"x"), (an_entry("a/b/c"), b"y"))
    assert text == "found 'a' as a file and as a folder"


def test_names_that_are_one_on_this_system_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two names are one file, as upper and lower case on many systems, neither is taken."""
    files = summed({"report/a": b"x", "report/A": b"y"})
    path = plain_zip(tmp_path / "p.zip", files)
    with unpacked(path) as where:
        assert (where / "report/A").read_bytes() == b"y"
    real: Callable[..., object] = open

    def folding(target: Path, mode: str, opener: object) -> object:
        return real(target.with_name(target.name.lower()), mode, opener=opener)

    monkeypatch.setattr(unpacking, "open", folding, raising=False)
    assert refusal(path) == "found 'report/A' twice under names that are one here"


@pytest.mark.parametrize("more", [b"PK\x03\x04", b"#!/bin/sh\n", b"PK\x05\x06" + b"\0" * 18])
def test_bytes_before_the_first_file_are_refused(tmp_path: Path, more: bytes) -> None:
    """A program or another package before the package is seen by some programs, and has no hash."""
    path = Path(plain_zip(tmp_path / "p.zip", summed({"a": b"x"})))
    path.write_bytes(more + path.read_bytes())
    assert refusal(str(path)) == "found bytes that are of no file in it, expected none"


def test_bytes_behind_the_list_are_refused(tmp_path: Path) -> None:
    """What is behind the list of files, as a comment or not, has no hash either."""
    path = Path(plain_zip(tmp_path / "p.zip", summed({"a": b"x"})))
    whole = path.read_bytes()
    with zipfile.ZipFile(path, "a") as package:
        package.comment = b"more"
    assert refusal(str(path)) == "found bytes that are of no file in it, expected none"
    path.write_bytes(whole + b"more")
    assert refusal(str(path)) == "found bytes that are of no file in it, expected none"


def test_bytes_between_the_files_are_refused(tmp_path: Path) -> None:
    """A file that is there and not listed is found by some programs, and has no hash."""
    path = tmp_path / "p.zip"
    files = summed({"a": b"x", "z": b"y"})
    with zipfile.ZipFile(path, "w") as package:
        for name in ("SHA256SUMS", "a", "hidden", "z"):
            package.writestr(an_entry(name), files.get(name, b"evil"))
        del package.filelist[2]
    with zipfile.ZipFile(path) as package:
        assert package.namelist() == ["SHA256SUMS", "a", "z"]
    assert refusal(str(path)) == "found bytes that are of no file in it, expected none"


def test_other_compression_and_encryption_are_refused(tmp_path: Path) -> None:
    """Only the two ways are read in which packages are written."""
    entry = an_entry("a")
    entry.compress_type = zipfile.ZIP_BZIP2
    found = "found 'a' ({}), expected a file"
    assert refusal_of(tmp_path, (entry, b"x")) == found.format("compressed in another way")
    path = Path(plain_zip(tmp_path / "p.zip", {"a": b"x"}))
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert refusal(str(path)) == found.format("encrypted")


def test_very_long_names_and_very_many_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name and a number of files that no package has are refused."""
    assert "a name that is too long" in refusal_of(tmp_path, (an_entry("a" * 1_001), b"x"))
    monkeypatch.setattr(layout, "MOST_FILES", 2)
    files = dict.fromkeys("abc", b"x")
    path = plain_zip(tmp_path / "p.zip", files)
    assert refusal(path) == "found 3 files, expected at most 2"


# --- what grows -----------------------------------------------------------------------------------


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """A small package of which very much would be unpacked is refused before it is."""
    path = plain_zip(tmp_path / "p.zip", {"zeros": b"\0" * (65 * 1_024**2)})
    size = Path(path).stat().st_size
    assert refusal(path) == f"found 68,157,440 bytes in a package of {size:,}, expected fewer"


def test_more_than_fits_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than any package, or than the disk has left, is refused."""
    path = plain_zip(tmp_path / "p.zip", summed({"a": b"x" * 5_000}))
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100}))
    assert refusal(path).endswith("expected fewer than the disk has left")
    monkeypatch.setattr(layout, "MOST_BYTES", 4_000)
    assert refusal(path).endswith("bytes in it, expected at most 4,000")


@pytest.mark.parametrize("stated", [10, 100_000])
def test_a_file_has_the_stated_size(tmp_path: Path, stated: int) -> None:
    """A file that states another size than it has is never unpacked beyond it."""
    path = Path(plain_zip(tmp_path / "p.zip", summed({"a": b"x" * 50_000})))
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02")
    raw[at + 24 : at + 28] = stated.to_bytes(4, "little")
    path.write_bytes(raw)
    assert refusal(str(path)) in {
        "it is damaged: BadZipFile",
        "found 'a' of another size than the package states",
    }


def test_the_mode_of_a_file_does_not_matter(tmp_path: Path) -> None:
    """What is unpacked is for its owner alone and no program, whatever the package states."""
    entries = summed({"a": b"x"}).items()
    modes = [(an_entry(name, FILE | 0o4777), content) for name, content in entries]
    with unpacked(write_zip(tmp_path / "p.zip", modes)) as where:
        assert stat.S_IMODE((where / "a").stat().st_mode) == 0o600


def test_a_place_before_the_beginning_is_damage(tmp_path: Path) -> None:
    """An entry that begins before the file does is damage, and no error of the system."""
    path = Path(plain_zip(tmp_path / "p.zip", summed({"a": b"x"})))
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x05\x06")
    raw[at + 16 : at + 20] = (int.from_bytes(raw[at + 16 : at + 20], "little") + 50).to_bytes(
        4, "little"
    )
    path.write_bytes(raw)
    assert refusal(str(path)).startswith("it is damaged: ")


def test_what_the_system_refuses_is_no_damage(tmp_path: Path) -> None:
    """A package that is not there is an error of its own."""
    with pytest.raises(FileNotFoundError), unpacked(str(tmp_path / "nowhere.zip")):
        pass
