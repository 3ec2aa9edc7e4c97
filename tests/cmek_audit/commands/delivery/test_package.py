"""``package``: packs a report with its sources for an auditor."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.record.layout import SIGNATURE
from reports.record.reader import read_record
from tests.cmek_audit.helpers import command, printed_json
from tests.reports.samples import HOSTILE, Report, audit, save_inventory

if TYPE_CHECKING:
    from click.testing import Result

PACKAGE = Path("audit-package.zip")
GONE = "missing; verify where the audit was run, with all its files"


def refusal(done: Result) -> str:
    assert (done.exit_code, done.stdout) == (4, "")
    return done.stderr.strip()


# --- what is packed -------------------------------------------------------------------------------


def test_a_package_is_made_and_named(signed: Path) -> None:
    """What is packed is said in words, with the hash of the package."""
    done = command("package", signed)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Packed: 15 files, with 2 of 2 sources; the report is signed",
        "Written: audit-package.zip",
        f"SHA-256: {hashlib.sha256(PACKAGE.read_bytes()).hexdigest()}",
    ]
    with zipfile.ZipFile(PACKAGE) as package:
        assert package.namelist() == [
            *("README.txt", "index.csv", "index.html"),
            *sorted(f"report/{entry.name}" for entry in signed.iterdir()),
            *("sources.json", "sources/inventory.json", "sources/waivers.json"),
            *("work-paper.csv", "SHA256SUMS"),
        ]
        paper = package.read("work-paper.csv").decode()
    assert paper.splitlines() == command("sample", signed, "--format", "csv").stdout.splitlines()


def test_two_packages_are_equal(signed: Path) -> None:
    """The same report gives the same package, whenever it is packed, and by whatever path."""
    command("package", signed, "--output", "one.zip")
    os.utime(signed / "audit.html", (0, 0))
    command("package", signed / "audit.json", "-o", "two.zip")
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()


def test_what_is_missing_is_said_and_ends_with_1(signed: Path) -> None:
    """A package without a source is made, and what it lacks is named."""
    Path("waivers.json").unlink()
    (signed / SIGNATURE).unlink()
    (signed / "notes.txt").write_text("x")
    done = command("package", signed)
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines()[:3] == [
        "Packed: 13 files, with 1 of 2 sources; the report is not signed",
        f"  not here: waivers.json (waivers): {GONE}",
        "  not packed: notes.txt, which no audit writes",
    ]


def test_what_was_packed_as_json(signed: Path) -> None:
    """The JSON object has the package with its hash, and each source with its place."""
    (signed / "notes.txt").write_text("x")
    value = printed_json(command("package", signed, "--json"))
    raw = PACKAGE.read_bytes()
    assert value == {
        "package": "audit-package.zip",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "files": 15,
        "report": read_record(signed).head["report"],
        "signed": True,
        "sources": [
            {"path": path, "role": role, "place": f"sources/{path}", "note": ""}
            for path, role in (("inventory.json", "inventory"), ("waivers.json", "waivers"))
        ],
        "not_packed": ["notes.txt"],
    }


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.chdir(tmp_path)
    return audit(Path(), HOSTILE)


def test_hostile_names_are_packed_and_proven(hostile: Report) -> None:
    """Whatever an inventory holds, its report is packed, and judged again from the package."""
    assert command("package", hostile.folder).exit_code == 0
    assert "differs" not in command("verify", PACKAGE).stdout


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("package.tar", "another ending"),
        ("report/package.zip", "inside the report"),
        ("folder.zip", "a folder"),
        ("nowhere/package.zip", "No such file or directory"),
        ("link.zip", "one of the sources"),
    ],
)
def test_an_output_that_cannot_be_used(signed: Path, output: str, words: str) -> None:
    """A package is never written into the report, over a source, or where nothing can be."""
    Path("folder.zip").mkdir()
    Path("link.zip").symlink_to("inventory.json")
    before = Path("inventory.json").read_bytes()
    text = refusal(command("package", signed, "--output", output))
    assert text.startswith(f"--output: found {output}")
    assert words in text
    assert Path("inventory.json").read_bytes() == before


def test_no_secret_is_packed(signed: Path) -> None:
    """A file of the report that holds what looks like a token is not handed over."""
    with (signed / "summary.md").open("a") as file:
        file.write("AstraCS:not-a-real-token-0123456789")
    text = refusal(command("package", signed))
    assert text.endswith("these files must not be kept: report/summary.md")
    assert not PACKAGE.exists()


def test_no_report_is_no_package(signed: Path, tmp_path: Path) -> None:
    """What is no report, and one that was changed, is not packed."""
    save_inventory(tmp_path / "inventory.json", [])
    assert "expected a record" in refusal(command("package", tmp_path))
    (signed / "findings.ndjson").write_bytes(b"")
    assert "changed since" in refusal(command("package", signed))
    assert not PACKAGE.exists()
