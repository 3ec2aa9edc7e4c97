"""The files of one folder of a configuration."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from inventory.terraform import configuration_folders
from inventory.terraform.configuration_folders import (
    Program,
    SourceFile,
    files_of,
    list_folder,
    read_limited,
    read_source,
)
from tests.builders import write_text

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 'resource "astra_database" "orders" {\n}\n'
ORDERS = ("astra_database", "orders")


# --- which files ----------------------------------------------------------------------------------


def test_files_of_a_folder(tmp_path: Path) -> None:
    """Files of both programs are listed, but not what is hidden, overrides or is no file."""
    wanted = ["a.b.tf", "main.tf", "main.tf.json", "main.tofu", "override.x.tf", "x.tofu.json"]
    other = ["b_override.tf", "c.d_override.tf.json", "override.tf", "override.tofu"]
    other += [".tf", ".main.tf", "main.tf~", "#main.tf#", "main.tfvars", "a.tftest.hcl", "TF"]
    for name in (*wanted, *other):
        write_text(tmp_path / name, "")
    (tmp_path / "folder.tf").mkdir()
    assert list_folder(tmp_path) == wanted


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    """A folder that is none, or a circle of links, is an error of the system."""
    (tmp_path / "loop").symlink_to("loop")
    for name in ("gone", "loop"):
        with pytest.raises(OSError, match=name):
            list_folder(tmp_path / name)


NAMES = ["a.tf", "a.tf.json", "a.tofu", "b.tf", "b.tofu.json", "c.tf.json", "c.tofu.json", "d.tofu"]


@pytest.mark.parametrize(
    ("program", "names"),
    [
        ("terraform", ["a.tf", "a.tf.json", "b.tf", "c.tf.json"]),
        ("opentofu", ["a.tf.json", "a.tofu", "b.tf", "b.tofu.json", "c.tofu.json", "d.tofu"]),
    ],
)
def test_files_of_a_program(program: Program, names: list[str]) -> None:
    """OpenTofu reads its own file instead of Terraform's of the same name and form."""
    assert files_of(program, NAMES) == names
    assert files_of(program, ["a.tf"]) == ["a.tf"]


# --- one file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("main.tf", f"\n{BLOCK}", 2),
        ("main.tofu", BLOCK, 1),
        ("main.tf.json", '{"resource": {"astra_database":\n{"orders": {}}}}', 2),
        ("main.tofu.json", '[{"resource": [{"astra_database": [{"orders": [{}]}]}]}]', 1),
        ("again.tf.json", '{"resource": {"astra_database": {"orders": {}}},\n"resource": {}}', 1),
    ],
)
def test_files_of_any_form(tmp_path: Path, name: str, text: str, line: int) -> None:
    """The line of a resource is found in each form of a configuration."""
    path = write_text(tmp_path / name, text)
    known = hashlib.sha256(text.encode()).hexdigest()
    assert read_source(path) == SourceFile(path, {ORDERS: line}, known)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_any_byte_in_a_comment(tmp_path: Path, mark: bytes) -> None:
    """A comment may be in any encoding, as for Terraform, and the file may begin with a mark."""
    path = tmp_path / "main.tf"
    path.write_bytes(mark + "# für\n".encode("latin-1") + BLOCK.encode())
    assert read_source(str(path)).lines == {ORDERS: 2}


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("main.tf", b"a {\n  b = (\n", "main.tf:2 could not be parsed"),
        ("main.tf", b"\xff\xfe", "main.tf:1 could not be parsed"),
        ("main.tf.json", b'{"resource": {\n', "main.tf.json:2 could not be parsed"),
        ("main.tf.json", b"[" * 100_000, "main.tf.json could not be parsed"),
        ("main.tf.json", b"\xff", "main.tf.json:1 could not be parsed"),
    ],
)
def test_what_cannot_be_parsed(tmp_path: Path, name: str, raw: bytes, problem: str) -> None:
    """A broken file has no resources but its hash, and it is reported where it is broken."""
    (tmp_path / name).write_bytes(raw)
    path = str(tmp_path / name)
    known = hashlib.sha256(raw).hexdigest()
    assert read_source(path) == SourceFile(path, {}, known, f"{tmp_path}/{problem}")


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file, never ends or is huge is not read, and it is told why."""
    monkeypatch.setattr(configuration_folders, "MOST_BYTES", 4)
    os.mkfifo(tmp_path / "pipe.tf")
    (tmp_path / "loop.tf").symlink_to("loop.tf")
    (tmp_path / "gone.tf").symlink_to("nowhere")
    (tmp_path / "device.tf").symlink_to("/dev/zero")
    (tmp_path / "folder.tf").symlink_to(tmp_path)
    write_text(tmp_path / "huge.tf", "12345")
    assert read_limited(write_text(tmp_path / "fits.tf", "1234")) == b"1234"
    expected = {
        "pipe.tf": "not a regular file",
        "loop.tf": "Too many levels of symbolic links",
        "gone.tf": "No such file or directory",
        "device.tf": "not a regular file",
        "folder.tf": "not a regular file",
        "huge.tf": "more than 4 bytes",
        "a\0.tf": "embedded null byte",
    }
    for name, why in expected.items():
        path = f"{tmp_path}/{name}"
        assert read_source(path) == SourceFile(path, {}, "", f"{path} could not be read ({why})")
