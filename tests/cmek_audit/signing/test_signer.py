"""Signing a whole report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cmek_audit.signing import signer
from cmek_audit.signing.report_files import list_files
from cmek_audit.signing.signer import describe_report
from inventory.errors import LeakError, RecordError, SettingError
from reports.record.layout import SIGNATURE
from tests.cmek_audit.signing.signed import payload_of, sign
from tests.reports.samples import COMPLIANT, audit

if TYPE_CHECKING:
    from pathlib import Path

    from cmek_audit.signing.statement import Statement
    from tests.cmek_audit.signing.signed import KeyPair


def test_every_file_is_a_subject(signed: Path) -> None:
    """The statement names each file of the report and no other, with the result of the audit."""
    statement = payload_of(signed)
    assert [subject["name"] for subject in statement["subject"]] == [*list_files(signed).own]
    assert statement["predicate"]["result"] == "FAILED"
    assert statement["predicate"]["url"] == "https://ci.example/1"


def test_signing_again_gives_the_same_bytes(signed: Path, keys: KeyPair) -> None:
    """The same report and the same key give the same signature."""
    before = (signed / SIGNATURE).read_bytes()
    sign(signed, keys)
    assert (signed / SIGNATURE).read_bytes() == before
    assert not [entry for entry in signed.iterdir() if entry.name.startswith(".")]


def test_nothing_beside_the_report_is_signed(signed: Path, keys: KeyPair) -> None:
    """A report beside which something else is found is not signed, and that is named."""
    (signed / "notes.txt").write_text("x")
    with pytest.raises(SettingError, match=r"notes\.txt', expected only what an audit writes"):
        sign(signed, keys)


def test_a_changed_record_is_not_signed(signed: Path, keys: KeyPair) -> None:
    """A report whose record was changed is refused, and its signature stays as it was."""
    before = (signed / SIGNATURE).read_bytes()
    with (signed / "findings.ndjson").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(RecordError, match="changed since"):
        sign(signed, keys)
    assert (signed / SIGNATURE).read_bytes() == before


def test_a_record_that_changes_meanwhile_is_not_signed(
    signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash that is signed is that of the record that was read."""
    listed = list_files

    def change(folder: Path) -> object:
        found = listed(folder)
        (folder / "audit.json").write_text("{}")
        return found

    monkeypatch.setattr(signer, "list_files", change)
    with pytest.raises(RecordError, match="changed while it was read"):
        describe_report(signed)


def test_no_secret_is_signed(
    tmp_path: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that holds what looks like a token is not written."""
    report = audit(tmp_path, COMPLIANT)
    described = describe_report

    def leak(folder: Path) -> Statement:
        statement = described(folder)
        predicate = statement.predicate.model_copy(update={"url": "AstraCS:not-a-real-token"})
        return statement.model_copy(update={"predicate": predicate})

    monkeypatch.setattr(signer, "describe_report", leak)
    with pytest.raises(LeakError):
        sign(report.folder, keys)
    assert not (report.folder / SIGNATURE).exists()


def test_a_signature_is_ascii(signed: Path) -> None:
    """The file is JSON in ASCII, one field a line, so that tools of a shell can read it."""
    text = (signed / SIGNATURE).read_text("ascii")
    assert [*json.loads(text)] == ["payload", "payloadType", "signatures"]
    assert text.splitlines()[1].startswith(' "payload": "')
