"""``cmek-audit sign``: signs a report, or makes a key for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.signing.key_files import make_key, read_signing_key, refuse_key_inside
from cmek_audit.signing.signer import describe_report, sign_report
from inventory.errors import RecordError, SettingError
from inventory.files.evidence_layout import is_folder
from inventory.system.folder_lock import FolderLock, writing_to
from inventory.text.display import pluralize
from reports.record.layout import HEAD, SIGNATURE

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from cmek_audit.signing.statement import Statement

_SHOWN = 12


@click.command(context_settings=parameters.SETTINGS)
@parameters.report
@click.option("--key", metavar="PRIVATE.pem", default=None, help="The private key to sign with.")
@click.option(
    "--new-key",
    metavar="PRIVATE.pem",
    default=None,
    help="Make this private key and its public one beside it, and sign nothing.",
)
@click.option(
    "--statement", is_flag=True, help="Print what would be signed, for other tools; sign nothing."
)
@click.option("--replace", is_flag=True, help="Replace a signature that is there already.")
@parameters.as_json
@interruptible("nothing was signed")
def sign(
    report: str,
    *,
    key: str | None,
    new_key: str | None,
    statement: bool,
    replace: bool,
    as_json: bool,
) -> ExitCode:
    """Sign a report, its result, and the hashes of its sources.

    REPORT is a report folder; without it, audit-report. Its record is checked before it is signed.
    The signature is written beside it. The key is an Ed25519 key in PEM. If it is encrypted, its
    passphrase is in CMEK_SIGN_PASSPHRASE, or in the file that CMEK_SIGN_PASSPHRASE_FILE names.

    \b
    Exit codes:
      0  signed, or the key was made, or the statement is printed
      2  interrupted; nothing was signed
      3  internal error
      4  nothing was signed: an unusable key or report, or a signature that is there already
    """
    given = [
        option
        for option, is_given in (
            ("--key", key),
            ("--new-key", new_key),
            ("--statement", statement),
        )
        if is_given
    ]
    if len(given) != 1:
        found = " and ".join(given) or "nothing"
        raise SettingError(f"--key: found {found}, expected --key, --new-key or --statement")
    if new_key:
        _make_key(new_key, as_json=as_json)
    elif key:
        _sign(_folder(report), key, replace=replace, as_json=as_json)
    else:
        click.echo(describe_report(_folder(report)).payload())
    return ExitCode.DONE


def _make_key(path: str, *, as_json: bool) -> None:
    public = make_key(path, "--new-key")
    if as_json:
        write_json({"private_key": path, "public_key": str(public)})
    else:
        write_lines(f"Private key: {path} (keep it secret)")
        write_lines(f"Public key: {public} (give it to whoever verifies)")


def _folder(report: str) -> Path:
    """Return the folder of a report; its record may be given in its place."""
    if is_folder(report):
        return Path(report)
    if Path(report).name != HEAD:
        raise RecordError(f"{report}: found no report folder, expected one")
    return Path(report).parent


def _sign(folder: Path, key: str, *, replace: bool, as_json: bool) -> None:
    refuse_key_inside(key, folder, "--key")
    signer = read_signing_key(key, "--key")
    with writing_to(folder, "REPORT"), FolderLock(folder, "REPORT"):
        if (folder / SIGNATURE).exists() and not replace:
            found = f"{folder / SIGNATURE} (a signature)"
            raise SettingError(f"REPORT: found {found}, expected none, or --replace")
        statement = sign_report(folder, signer)
    _print(folder, statement, signer, as_json=as_json)


def _print(folder: Path, statement: Statement, signer: CryptoSigner, *, as_json: bool) -> None:
    predicate, key_id = statement.predicate, signer.public_key.keyid
    if as_json:
        write_json(
            {
                "signature": str(folder / SIGNATURE),
                "key_id": key_id,
                "result": predicate.result,
                "files": [subject.name for subject in statement.subject],
                "sources": len(predicate.configuration),
            }
        )
        return
    files = pluralize(len(statement.subject), "file")
    sources = pluralize(len(predicate.configuration), "source")
    write_lines(f"Signed: {files} and the hashes of {sources}, by the key {key_id[:_SHOWN]}")
    write_lines(f"Result: {predicate.result}")
    write_lines(f"Written: {folder / SIGNATURE}")
