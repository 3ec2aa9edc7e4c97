"""What a signature proves of a report, and what is found of one that was tampered with."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.signing.key_files import read_public_key
from cmek_audit.signing.report_files import list_files
from cmek_audit.verification import signature_proofs
from cmek_audit.verification.signature_proofs import UNCHECKED, prove_signature
from reports.record.layout import SIGNATURE, canonical, report_id
from reports.record.reader import read_record
from tests.cmek_audit.signing.signed import KeyPair, forge, payload_of, put, sign
from tests.reports.samples import COMPLIANT, audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmek_audit.verification.proof import Proof


def prove(report: Path, keys: KeyPair) -> list[Proof]:
    return prove_signature(report, read_public_key(str(keys.public), "--key"))


def found(report: Path, keys: KeyPair) -> list[str]:
    """Return what differs, each as its name and its reason."""
    proofs = prove(report, keys)
    assert {proof.status for proof in proofs} == {"differs"}
    return [f"{proof.name}: {proof.reason}" for proof in proofs]


# --- what holds -----------------------------------------------------------------------------------


def test_a_signature_that_holds_is_proven(signed: Path, keys: KeyPair) -> None:
    """The one proof names the key, the number of files and the signed result."""
    [proof] = prove(signed, keys)
    assert (proof.name, proof.status) == (SIGNATURE, "proven")
    assert proof.reason.startswith("signed by the key ")
    assert proof.reason.endswith(": 6 files, and no other; result: FAILED")


def test_without_a_key_a_signature_is_only_named(signed: Path) -> None:
    """A signature that nobody checks proves nothing, and is named as unchecked."""
    [proof] = prove_signature(signed, None)
    assert (proof.name, proof.status, proof.stops) == (SIGNATURE, "not-proven", False)
    assert proof.reason == UNCHECKED
    (signed / SIGNATURE).unlink()
    assert prove_signature(signed, None) == []


def test_the_report_holds_wherever_it_is(signed: Path, keys: KeyPair, tmp_path: Path) -> None:
    """A report that was moved, as to previous/, keeps its signature."""
    shutil.move(signed, tmp_path / "elsewhere")
    assert [proof.status for proof in prove(tmp_path / "elsewhere", keys)] == ["proven"]


def test_a_record_that_is_exchanged_while_it_is_read_differs(
    signed: Path, keys: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record that is compared with the statement is the one whose hash was signed."""
    other = audit(tmp_path, COMPLIANT).folder
    monkeypatch.setattr(signature_proofs, "read_record", lambda _: read_record(other))
    assert found(signed, keys)[0] == (
        "audit.json: exchanged since its hash was compared with the signed one"
    )


# --- signatures that are none ---------------------------------------------------------------------


def test_a_missing_signature_differs(signed: Path, keys: KeyPair) -> None:
    """Who gives a key expects a signature: that somebody removed it must not pass."""
    (signed / SIGNATURE).unlink()
    expected = "found no such file or directory, expected a signature by the key of --key"
    assert found(signed, keys) == [f"{SIGNATURE}: {expected}"]


def test_what_is_no_file_is_no_signature(signed: Path, keys: KeyPair) -> None:
    """A link in the place of a signature is not followed, and a folder is none."""
    (signed / SIGNATURE).rename("elsewhere")
    (signed / SIGNATURE).symlink_to(Path("elsewhere").resolve())
    assert found(signed, keys)[0].startswith(f"{SIGNATURE}: found a link, expected a signature")
    (signed / SIGNATURE).unlink()
    (signed / SIGNATURE).mkdir()
    assert "found no regular file" in found(signed, keys)[0]


def test_a_very_large_signature_is_not_read(
    signed: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is larger than any signature is not read into memory."""
    monkeypatch.setattr("cmek_audit.verification.signature_proofs._MOST_BYTES", 100)
    assert found(signed, keys) == [f"{SIGNATURE}: found more than 100 bytes, expected a signature"]


def test_the_key_of_somebody_else_is_named(
    signed: Path, keys: KeyPair, other_keys: KeyPair
) -> None:
    """A report that somebody else has signed again is not ours."""
    sign(signed, other_keys)
    assert found(signed, keys)[0].startswith(f"{SIGNATURE}: it was made by another key: key id '")


def test_a_signature_of_another_report_differs(signed: Path, keys: KeyPair, tmp_path: Path) -> None:
    """The signature of another report by the same key names each file that is another."""
    other = audit(tmp_path, COMPLIANT).folder
    sign(other, keys)
    shutil.copy(other / SIGNATURE, signed / SIGNATURE)
    names = {line.partition(":")[0] for line in found(signed, keys)}
    assert {"audit.json", "findings.ndjson", "population.ndjson", "audit.html"} <= names


def test_a_shortened_signature_differs(signed: Path, keys: KeyPair) -> None:
    """A signature of which the end is missing is none."""
    raw = (signed / SIGNATURE).read_bytes()
    (signed / SIGNATURE).write_bytes(raw[: len(raw) // 2])
    assert found(signed, keys) == [
        f"{SIGNATURE}: found no strict JSON, expected a signature in an envelope (DSSE)"
    ]


def test_a_payload_is_not_read_before_its_signature_is_verified(
    signed: Path, keys: KeyPair
) -> None:
    """A payload that is no JSON at all is not noticed: its signature does not match first."""
    data = json.loads((signed / SIGNATURE).read_bytes())
    data["payload"] = b64encode(b"{not JSON").decode()
    (signed / SIGNATURE).write_text(json.dumps(data, indent=1) + "\n")
    expected = "it does not match: signature or statement was changed"
    assert found(signed, keys) == [f"{SIGNATURE}: {expected}"]


# --- statements that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda data: data.update(predicateType="https://slsa.dev/provenance/v1"),
            "found predicateType 'https://slsa.dev/provenance/v1', expected https://in-toto.io/",
        ),
        (
            lambda data: data["subject"].append(data["subject"][0]),
            "found the subject 'audit.html' twice, expected it once",
        ),
        (
            lambda data: data["subject"][0].update(name="../audit.html"),
            "found the subject '../audit.html', expected a path inside",
        ),
        (lambda data: data.update(subject=[]), "found no subject, expected the files of a report"),
        (
            lambda data: data["predicate"].update(result="FINE"),
            "it states what no audit states: predicate.result",
        ),
        (
            lambda data: data["predicate"].update(result="PASSED"),
            "it does not state what the record gives: result",
        ),
        (
            lambda data: data["predicate"].update(configuration=[], failedTests=[]),
            "it does not state what the record gives: configuration, failedTests",
        ),
    ],
    ids=["predicate", "twice", "outside", "nothing", "result", "better", "fewer"],
)
def test_who_has_the_key_cannot_state_anything(
    signed: Path, keys: KeyPair, change: Callable[[Any], object], words: str
) -> None:
    """A statement that was signed, and is not what an audit states of this record, differs."""
    forge(signed, keys, change)
    assert found(signed, keys)[0].startswith(f"{SIGNATURE}: {words}")


def test_another_payload_type_differs(signed: Path, keys: KeyPair) -> None:
    """The same statement, signed as something else, is none."""
    forge(signed, keys, lambda _: None, payload_type="application/json")
    assert "found the payload type 'application/json'" in found(signed, keys)[0]


def test_a_field_that_is_there_twice_differs(signed: Path, keys: KeyPair) -> None:
    """A signed payload with two results is refused: readers would differ in which one they take."""
    payload = json.dumps(payload_of(signed)).replace(
        '"result": "FAILED"', '"result": "FAILED", "result": "PASSED"'
    )
    put(signed, keys, payload.encode())
    assert found(signed, keys) == [f"{SIGNATURE}: found no strict JSON, expected a statement"]


# --- files ----------------------------------------------------------------------------------------


def test_files_that_are_not_as_signed_are_named(signed: Path, keys: KeyPair) -> None:
    """A file that was changed, removed or added is named, each with what happened to it."""
    (signed / "audit.html").write_text("<p>compliant</p>")
    (signed / "summary.md").unlink()
    (signed / "junit.xml").write_text("<testsuite/>")
    (signed / "notes.txt").write_text("x")
    (signed / "organizations").mkdir()
    (signed / "organizations" / "acme.0123456789ab.html").write_text("x")
    changed, *others = found(signed, keys)
    assert changed.startswith("audit.html: changed since it was signed: SHA-256 ")
    added = "added: the signature is not of it"
    assert others == [
        "summary.md: removed: the signature is of it, too",
        f"junit.xml: {added}",
        f"organizations/acme.0123456789ab.html: {added}",
        f"notes.txt: {added}",
    ]


def test_a_file_that_became_a_link_differs(signed: Path, keys: KeyPair) -> None:
    """A link to the very same bytes is no file of the report."""
    (signed / "summary.md").rename("elsewhere.md")
    (signed / "summary.md").symlink_to(Path("elsewhere.md").resolve())
    expected = "summary.md: changed since it was signed: it is no regular file"
    assert found(signed, keys) == [expected]


@pytest.mark.parametrize("seed", range(6))
def test_any_byte_of_any_file_counts(signed: Path, keys: KeyPair, seed: int) -> None:
    """Whichever bit of whichever file is changed, the signature does not hold."""
    random = Random(seed)
    for name in (*list_files(signed).own, SIGNATURE):
        file = signed / name
        raw = file.read_bytes()
        place = random.randrange(len(raw))
        flipped = bytes([raw[place] ^ (1 << random.randrange(8))])
        file.write_bytes(raw[:place] + flipped + raw[place + 1 :])
        assert [line.partition(":")[0] for line in found(signed, keys)] == [name], (name, place)
        file.write_bytes(raw)
    assert [proof.status for proof in prove(signed, keys)] == ["proven"]


def test_a_record_that_was_written_again_differs(signed: Path, keys: KeyPair) -> None:
    """Who can make all hashes of a record right still has no signature of it."""
    head = json.loads((signed / "audit.json").read_bytes())
    head["verdict"]["outcome"] = "compliant"
    head["report"] = report_id(head)
    (signed / "audit.json").write_text(canonical(head))
    [changed] = found(signed, keys)
    assert changed.startswith("audit.json: changed since it was signed")


def test_very_many_differences_are_counted(signed: Path, keys: KeyPair) -> None:
    """Of very many strange files the first are named, and the others are a number."""
    for number in range(60):
        (signed / f"strange-{number:02}").write_text("x")
    lines = found(signed, keys)
    assert len(lines) == 51
    assert lines[-1] == f"{SIGNATURE}: 10 more files are not as they were signed"


def test_a_file_that_cannot_be_read_is_not_proven(
    signed: Path, keys: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system refuses a file, nothing is proven, and the file is named."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "report/audit.html")

    monkeypatch.setattr("cmek_audit.verification.signature_proofs.hash_files", refuse)
    [proof] = prove(signed, keys)
    assert (proof.status, proof.reason) == (
        "not-proven",
        "report/audit.html cannot be read: Permission denied",
    )
