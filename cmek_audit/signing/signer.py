"""Signs a whole report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.signing.envelope import sign_payload
from cmek_audit.signing.report_files import hash_files, list_files
from cmek_audit.signing.test_result import state_result
from inventory.errors import LeakError, RecordError, SettingError
from inventory.system.durable_files import replacing, write_durably
from inventory.text.display import describe
from inventory.text.secrets import holds_secret
from reports.record.layout import HEAD, SIGNATURE
from reports.record.reader import read_record

if TYPE_CHECKING:
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner

    from cmek_audit.signing.statement import Statement


def describe_report(folder: Path) -> Statement:
    """Return the statement on the report in ``folder``, of which every file is a subject.

    Raises RecordError if the record is none, or not as it was written, SettingError if something
    else is in the folder, and OSError.
    """
    record = read_record(folder)
    files = list_files(folder)
    if files.others:
        found = describe(str(folder / files.others[0]))
        raise SettingError(f"found {found}, expected only what an audit writes: move it elsewhere")
    hashes = hash_files(folder, files.own)
    if hashes[HEAD] != record.sha256:
        raise RecordError(f"{record.path}: changed while it was read")
    return state_result(record, hashes)


def sign_report(folder: Path, signer: CryptoSigner) -> Statement:
    """Sign the report in ``folder``, write the signature beside it, and return what was signed.

    Raises as ``describe_report``, and LeakError if a secret would be signed.
    """
    statement = describe_report(folder)
    payload = statement.payload()
    if holds_secret(payload):
        raise LeakError([folder / SIGNATURE])
    with replacing(folder / SIGNATURE) as beside:
        write_durably(beside, sign_payload(payload, signer))
    return statement
