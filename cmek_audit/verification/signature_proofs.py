"""What is proven of a report by its signature: that its files are those that a key has signed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from cmek_audit.signing.envelope import open_envelope
from cmek_audit.signing.report_files import hash_files, list_files
from cmek_audit.signing.statement import parse_statement
from cmek_audit.signing.test_result import state_result
from cmek_audit.verification.loaded_report import irregular
from cmek_audit.verification.proof import Proof, unprovable
from inventory.errors import RecordError, SignatureError
from inventory.text.display import pluralize, printable
from reports.record.layout import HEAD, SIGNATURE
from reports.record.reader import read_record
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from securesystemslib.signer import SSlibKey

    from cmek_audit.signing.statement import Statement, TestResult

_MOST_BYTES = 256 * 1_024 * 1_024
_MOST_NAMED = 50
_SHOWN = 12
UNCHECKED = "there, and not checked: give the public key as --key"


def prove_signature(folder: Path, key: SSlibKey | None) -> list[Proof]:
    """Return what the signature of the report in ``folder`` proves, if it was made by ``key``.

    Without a key a signature is only named; with one, a missing signature is a difference. Files
    and record are compared with what was signed, and never with what was not verified.
    """
    if key is None:
        is_there = (folder / SIGNATURE).exists()
        return [unprovable(SIGNATURE, UNCHECKED)] if is_there else []
    try:
        statement = _read(folder / SIGNATURE, key)
    except SignatureError as error:
        return [Proof(SIGNATURE, "differs", printable(str(error)))]
    try:
        differing = list(_differing_files(folder, statement))
        names = {proof.name for proof in differing}
        differing += _contradictions(folder, statement, has_signed_head=HEAD not in names)
    except OSError as error:
        name = error.filename or folder
        return [Proof(SIGNATURE, "not-proven", f"{name} cannot be read: {error.strerror}")]
    if differing:
        return _shortened(differing)
    files = pluralize(len(statement.subject), "file")
    by = f"signed by the key {key.keyid[:_SHOWN]}: {files}, and no other"
    return [Proof(SIGNATURE, "proven", f"{by}; result: {statement.predicate.result}")]


def _read(file: Path, key: SSlibKey) -> Statement:
    """Return the statement that ``key`` has signed; raise SignatureError if there is none."""
    if found := irregular(file):
        raise SignatureError(f"found {found.lower()}, expected a signature by the key of --key")
    with open_regular(file) as opened:
        raw = opened.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise SignatureError(f"found more than {_MOST_BYTES:,} bytes, expected a signature")
    return parse_statement(open_envelope(raw, key))


def _differing_files(folder: Path, statement: Statement) -> Iterator[Proof]:
    """Compare the files that are there with those that were signed."""
    signed = {subject.name: subject.digest.sha256 for subject in statement.subject}
    there = list_files(folder)
    hashes = hash_files(folder, there.own)
    for name, sha256 in signed.items():
        if name in there.others:
            yield Proof(name, "differs", "changed since it was signed: it is no regular file")
        elif name not in hashes:
            yield Proof(name, "differs", "removed: the signature is of it, too")
        elif hashes[name] != sha256:
            reason = f"changed since it was signed: SHA-256 {hashes[name]}, signed {sha256}"
            yield Proof(name, "differs", reason)
    for name in (*hashes, *there.others):
        if name not in signed:
            yield Proof(name, "differs", "added: the signature is not of it")


def _contradictions(
    folder: Path, statement: Statement, *, has_signed_head: bool
) -> Iterator[Proof]:
    """Compare what was signed about the record with the record; a damaged one has its own proof."""
    try:
        record = read_record(folder)
        expected = state_result(record, {}).predicate
    except RecordError:
        return
    signed = {one.digest.sha256 for one in statement.subject if one.name == HEAD}
    if has_signed_head and record.sha256 not in signed:
        yield Proof(HEAD, "differs", "exchanged since its hash was compared with the signed one")
    if differing := list(_differing_fields(statement.predicate, expected)):
        reason = f"it does not state what the record gives: {', '.join(differing)}"
        yield Proof(SIGNATURE, "differs", reason)


def _differing_fields(signed: TestResult, expected: TestResult) -> Iterator[str]:
    for field, info in type(signed).model_fields.items():
        if getattr(signed, field) != getattr(expected, field):
            yield info.alias or field


def _shortened(proofs: list[Proof]) -> list[Proof]:
    """Return the first of ``proofs``, and the number of the others."""
    shown = list(islice(proofs, _MOST_NAMED))
    if more := len(proofs) - len(shown):
        shown.append(
            Proof(SIGNATURE, "differs", f"{more:,} more files are not as they were signed")
        )
    return [
        proof._replace(name=printable(proof.name), reason=printable(proof.reason))
        for proof in shown
    ]
