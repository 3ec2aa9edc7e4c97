"""The README of a package: what it says is true, and its commands work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmek_audit.packages.contents import gather
from cmek_audit.packages.readme import VERIFY, render_readme
from inventory.errors import RecordError
from reports.record.layout import SIGNATURE
from tests.cmek_audit.helpers import command

if TYPE_CHECKING:
    from tests.cmek_audit.signing.signed import KeyPair

NEEDS_OPENSSL = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl is missing here"
)


@pytest.fixture
def unpacked(signed: Path, keys: KeyPair, tmp_path: Path) -> Path:
    """Pack the report, and unpack it by another tool into a folder with the public key."""
    assert command("package", signed).exit_code == 0
    folder = tmp_path / "auditor"
    shutil.unpack_archive("audit-package.zip", folder)
    shutil.copy(keys.public, folder / "PUBLIC.pem")
    return folder


def by_hand(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of the README, as an auditor would."""
    return subprocess.run(
        ["sh", "-e"], input=VERIFY, cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_readme_has_the_commands(signed: Path) -> None:
    """A signed package explains how its signature is checked; an unsigned one says that it is."""
    text = render_readme(gather(signed)).decode()
    assert VERIFY in text
    assert max(map(len, text.splitlines())) < 1_000
    (signed / SIGNATURE).unlink()
    text = render_readme(gather(signed)).decode()
    assert "The report is not signed: nothing here shows who made it." in text
    assert "openssl" not in text


@NEEDS_OPENSSL
def test_the_commands_check_a_package_without_any_tool(unpacked: Path) -> None:
    """With a shell, sha256sum and OpenSSL alone the package is found to be whole and signed."""
    [sums] = re.findall("^sha256sum .*$", (unpacked / "README.txt").read_text(), re.MULTILINE)
    words = ["sh", "-c", sums]
    done = subprocess.run(words, cwd=unpacked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")
    done = by_hand(unpacked)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (0, "Signature Verified Successfully")
    assert lines[1:7] == [f"{name}: OK" for name in sorted(_files(unpacked))]
    assert lines[7].strip() == lines[8].strip() == "6"


def _files(folder: Path) -> set[str]:
    return {entry.name for entry in (folder / "report").iterdir()} - {SIGNATURE}


@NEEDS_OPENSSL
def test_the_commands_find_a_change(unpacked: Path, other_keys: KeyPair) -> None:
    """A changed file, an added file and another key are found by hand, too."""
    page = unpacked / "report" / "summary.md"
    page.write_text("compliant")
    done = by_hand(unpacked)
    assert (done.returncode, "summary.md: FAILED" in done.stdout) == (1, True)
    (unpacked / "report" / "notes.txt").write_text("x")
    (unpacked / "report" / "summary.md").unlink()
    shutil.copy(other_keys.public, unpacked / "PUBLIC.pem")
    done = by_hand(unpacked)
    assert (done.returncode, done.stdout) == (1, "Signature Verification Failure\n")


@NEEDS_OPENSSL
@pytest.mark.parametrize("name", [f"csv/{SIGNATURE}", ".hidden", "link"])
def test_the_commands_count_whatever_was_added(unpacked: Path, name: str) -> None:
    """No name and no kind of file keeps what was added from being counted."""
    added = unpacked / "report" / name
    added.parent.mkdir(exist_ok=True)
    if name == "link":
        added.symlink_to("audit.html")
    else:
        added.write_text("x")
    done = by_hand(unpacked)
    assert [line.strip() for line in done.stdout.splitlines()[-2:]] == ["6", "7"]


def test_every_source_is_accounted_for(signed: Path) -> None:
    """The README says that all sources are there, or names those that are not."""
    text = render_readme(gather(signed)).decode()
    assert "Every source that the record names is here." in text
    Path("waivers.json").unlink()
    (signed / "notes.txt").write_text("x")
    text = render_readme(gather(signed)).decode()
    assert "1 source that the record names:\n- waivers.json (waivers): missing" in text
    assert "Also in the folder of the report, and not packed: notes.txt" in text


def test_a_record_that_no_audit_writes_is_refused(signed: Path) -> None:
    """A head of which something is missing gives no README."""
    contents = gather(signed)
    del contents.record.head["verdict"]["text"]  # type: ignore[misc]
    with pytest.raises(RecordError):
        render_readme(contents)
