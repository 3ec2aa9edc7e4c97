"""One report checked by its sources and by its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.signing.key_files import read_public_key
from cmek_audit.verification.report_check import check_report
from reports.record.layout import SIGNATURE

if TYPE_CHECKING:
    from pathlib import Path

    from cmek_audit.verification.checked import Checked
    from tests.cmek_audit.signing.signed import KeyPair


def check(report: Path, keys: KeyPair | None = None, below: Path | None = None) -> Checked:
    key = read_public_key(str(keys.public), "--key") if keys else None
    return check_report(str(report), key, below)


def test_a_report_with_sources_and_signature_is_proven(signed: Path, keys: KeyPair) -> None:
    """What its sources give again, and its key has signed, is proven and checked as a whole."""
    checked = check(signed, keys)
    assert (checked.problems, checked.unchecked) == ([], ())
    assert checked.files[-1].name == SIGNATURE
    assert checked.files[-1].status == "proven"


def test_an_unchecked_signature_is_listed(signed: Path) -> None:
    """Without a key the signature is listed as what was not looked at."""
    checked = check(signed)
    assert checked.unchecked == ("the signature of report: no public key is given (--key)",)
    (signed / SIGNATURE).unlink()
    assert check(signed).unchecked == ()


def test_a_damaged_record_and_its_signature_are_both_named(signed: Path, keys: KeyPair) -> None:
    """A record that cannot be read does not hide what the signature shows."""
    (signed / "findings.ndjson").write_bytes(b"")
    first, second = check(signed, keys).problems
    assert "findings.ndjson: changed since: SHA-256" in first
    assert second.startswith("report: findings.ndjson: differs (changed since it was signed")


def test_a_strange_file_is_named_once(signed: Path, keys: KeyPair) -> None:
    """With a key, a strange file is no mere name any more: it differs."""
    (signed / "notes.txt").write_text("x")
    assert [proof.status for proof in check(signed).files if proof.name == "notes.txt"] == [
        "not-proven"
    ]
    checked = check(signed, keys)
    assert [proof.status for proof in checked.files if proof.name == "notes.txt"] == ["differs"]


def test_nothing_outside_of_a_folder_is_a_source(signed: Path, tmp_path: Path) -> None:
    """If sources are to be in a folder, one elsewhere is not even opened."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    unproven = check(signed, below=elsewhere).unproven
    assert "report: inventory.json: not proven (the record names it by a path outside" in "".join(
        unproven
    )
    here = signed.resolve().parent
    assert not [line for line in check(signed, below=here).unproven if "inventory.json" in line]
