"""What is exported from the record, such as a table: it is exported again and compared."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.verification.loaded_report import proofs_without_file, unequal
from cmek_audit.verification.proof import Proof
from cmek_audit.verification.record_proofs import equal_to_record
from inventory.errors import InventoryError
from reports.formats.registry import EXPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.verification.loaded_report import LoadedReport
    from cmek_audit.verification.proof import Status
    from reports.formats.registry import Format


def prove_exported(report: LoadedReport, of_record: Status) -> Iterator[Proof]:
    """Export the record again; what is equal is proven no further than the record is."""
    for exported in EXPORTED:
        absent = proofs_without_file(report, exported)
        yield from [_prove_table(report, exported, of_record)] if absent is None else absent


def _prove_table(report: LoadedReport, exported: Format, of_record: Status) -> Proof:
    name = exported.file
    if not exported.is_installed:
        reason = f"it cannot be read without {exported.library}: {exported.install}"
        return Proof(name, "not-proven", reason)
    try:
        is_equal = _is_exported(report, exported)
    except InventoryError:
        is_equal = False
    if not is_equal:
        return unequal(name, f"not the {exported.noun} that the record is exported to", report)
    return equal_to_record(name, of_record, "exported")


def _is_exported(report: LoadedReport, exported: Format) -> bool:
    with tempfile.TemporaryDirectory(prefix="cmek-audit-") as folder:
        again = Path(folder) / exported.file
        exported.export(report.record.head, report.location, again)
        return exported.holds_the_same(report.location / exported.file, again)
