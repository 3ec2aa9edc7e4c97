"""Checks a package for an auditor: the same proofs as of its report where that was made."""

from __future__ import annotations

from contextlib import chdir
from typing import TYPE_CHECKING

from cmek_audit.packages.layout import REPORT, SOURCES
from cmek_audit.packages.made_proofs import prove_made
from cmek_audit.packages.unpacking import unpacked
from cmek_audit.verification.checked import Checked, stopping
from cmek_audit.verification.proof import worst
from cmek_audit.verification.report_check import check_report
from inventory.errors import PackageError
from reports.record.layout import HEAD, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from securesystemslib.signer import SSlibKey


def check_package(path: str, key: SSlibKey | None = None) -> Checked:
    """Check the package ``path``; the signature of its report, too, if there is a ``key``.

    The record names files by their paths, from the folder where the audit was run. Here they are
    in a folder of the package, and no file outside of it is a source. Raises OSError.
    """
    try:
        with unpacked(path) as folder:
            return _check(path, folder, key)
    except PackageError as error:
        return Checked(path, [], [f"{path}: {error}"])


def _check(path: str, folder: Path, key: SSlibKey | None) -> Checked:
    if not (folder / REPORT / HEAD).is_file():
        raise PackageError(f"found no {REPORT}/{HEAD}, expected the report of an audit")
    sources = folder / SOURCES
    sources.mkdir(exist_ok=True)
    with chdir(sources):
        checked = _with_made(check_report(str(folder / REPORT), key, sources), folder)

    def renamed(texts: Iterable[str]) -> list[str]:
        # The folder has another name each time, and is gone by the time somebody reads of it.
        return [
            text.replace(str(folder / REPORT), path).replace(str(folder), path) for text in texts
        ]

    return checked._replace(
        path=path,
        lines=["unpacked: each file has the SHA-256 that the package lists", *checked.lines],
        problems=renamed(checked.problems),
        unproven=renamed(checked.unproven),
        unchecked=tuple(renamed(checked.unchecked)),
        files=tuple(
            proof._replace(name=renamed([proof.name])[0], reason=renamed([proof.reason])[0])
            for proof in checked.files
        ),
    )


def _with_made(checked: Checked, folder: Path) -> Checked:
    """Return ``checked`` with what is proven of the files that were made for the package."""
    names = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    of_record = worst(proof.status for proof in checked.files if proof.name in RECORD)
    made = prove_made(folder, names, of_record)
    return checked._replace(
        problems=[*checked.problems, *stopping(checked.path, made, "differs")],
        unproven=[*checked.unproven, *stopping(checked.path, made, "not-proven")],
        files=(*checked.files, *made),
    )
