"""Tokens from files, as secret stores mount them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from inventory.errors import SettingError
from inventory.system import token_files
from inventory.system.token_files import read_tokens

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "AstraCS:not-a-real-token:acme"


def file_of(folder: Path, content: bytes = TOKEN.encode(), mode: int = 0o400) -> str:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_tokens_of_variables() -> None:
    """A variable gives its token; others than those asked for are left out."""
    found = read_tokens({"A", "B"}, {"A": TOKEN, "C": "more"})
    assert dict(found) == {"A": TOKEN}


def test_own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By default the environment is that of the process."""
    monkeypatch.setenv("ACME_A", TOKEN)
    monkeypatch.setenv("ACME_B_FILE", file_of(tmp_path))
    assert dict(read_tokens({"ACME_A", "ACME_B"})) == {"ACME_A": TOKEN, "ACME_B": TOKEN}


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_token_of_a_file(tmp_path: Path, mode: int, ending: bytes) -> None:
    """A file gives its token without the end of the line, if no stranger may use it."""
    path = file_of(tmp_path, TOKEN.encode() + ending, mode)
    found = read_tokens({"A"}, {"A_FILE": path})
    assert dict(found) == {"A": TOKEN}
    assert TOKEN not in repr((found, found["A"]))


@pytest.mark.parametrize("mode", [0o404, 0o444, 0o644, 0o460, 0o402, 0o777])
def test_file_that_others_may_use(tmp_path: Path, mode: int) -> None:
    """A file that others may read, or a group may write, is refused; its content is not shown."""
    with pytest.raises(SettingError) as caught:
        read_tokens({"A"}, {"A_FILE": file_of(tmp_path, mode=mode)})
    found = f"a file with the permissions {mode:04o}"
    assert str(caught.value) == f"A_FILE: found {found}, expected 0400, or 0440 for a group"


def test_file_without_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows shows every file as one that all may use: there, that refuses none."""
    monkeypatch.setattr(token_files, "_HAS_PERMISSIONS", False)
    found = read_tokens({"A"}, {"A_FILE": file_of(tmp_path, mode=0o666)})
    assert dict(found) == {"A": TOKEN}


def test_variable_and_file(tmp_path: Path) -> None:
    """Nobody can know which of two tokens is meant, so both together are refused."""
    with pytest.raises(SettingError) as caught:
        read_tokens({"A"}, {"A": TOKEN, "A_FILE": file_of(tmp_path)})
    assert str(caught.value) == "A_FILE: found A beside it, expected one of the two"


def test_empty_variable_beside_a_file(tmp_path: Path) -> None:
    """An empty variable is none, as schedulers set it for what has no value."""
    assert dict(read_tokens({"A"}, {"A": "", "A_FILE": file_of(tmp_path)})) == {"A": TOKEN}
    assert dict(read_tokens({"A"}, {"A": TOKEN, "A_FILE": ""})) == {"A": TOKEN}


@pytest.mark.parametrize("kind", ["missing", "folder", "device", "bytes", "path"])
def test_file_without_a_token(tmp_path: Path, kind: str) -> None:
    """What is no file with a text gives no token."""
    paths = {
        "missing": str(tmp_path / "missing"),
        "folder": str(tmp_path),
        "device": os.devnull,
        "bytes": file_of(tmp_path, b"\xff\xfe"),
        "path": "a\0b",
    }
    assert dict(read_tokens({"A"}, {"A_FILE": paths[kind]})) == {}
