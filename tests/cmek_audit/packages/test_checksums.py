"""The list of hashes: in the form of sha256sum, and in no other."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.packages.checksums import read_sums, render_sums
from cmek_audit.signing.statement import is_safe_name
from inventory.errors import PackageError

ZEROS = "0" * 64
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Zl", "Zp"]), min_size=1, max_size=20)
HASHES = st.dictionaries(
    TEXTS.filter(is_safe_name), st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=5
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sums") / "SHA256SUMS"


@given(hashes=HASHES)
def test_hashes_come_back(path: Path, hashes: dict[str, str]) -> None:
    """What is listed is read back, whatever names files have."""
    path.write_bytes(render_sums(hashes))
    assert read_sums(path) == hashes


def test_sha256sum_reads_it(tmp_path: Path) -> None:
    """The tool that everybody has accepts the list, and notices a change."""
    (tmp_path / "a b").write_bytes(b"x")
    hashes = {"a b": hashlib.sha256(b"x").hexdigest()}
    (tmp_path / "SHA256SUMS").write_bytes(render_sums(hashes))
    words = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(words, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "a b").write_bytes(b"y")
    assert subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"no hash",
        f"{ZEROS} *a\n".encode(),
        f"{ZEROS}  a".encode(),
        f"{ZEROS}  b\n{ZEROS}  a\n".encode(),
        f"{ZEROS}  a\n{ZEROS}  a\n".encode(),
        f"{ZEROS}  ../a\n".encode(),
        f"{ZEROS}  a\r\n".encode(),
        f"{ZEROS}  a\n\n".encode(),
    ],
)
def test_another_form_is_refused(path: Path, raw: bytes) -> None:
    """Lines of another form, in another order, twice, or of files elsewhere are refused."""
    path.write_bytes(raw)
    with pytest.raises(PackageError, match="found other lines, expected hashes in order of names"):
        read_sums(path)


def test_a_missing_list_is_refused(tmp_path: Path, path: Path) -> None:
    """Without a list, or with one that is no text, nothing is proven."""
    path.write_bytes(b"\xff")
    for file in (tmp_path / "SHA256SUMS", path):
        with pytest.raises(PackageError, match="SHA256SUMS: missing or unreadable"):
            read_sums(file)
