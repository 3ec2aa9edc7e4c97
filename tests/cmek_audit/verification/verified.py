"""Changes to a report before it is verified, and looks at what verifying it found."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmek_audit.verification.verify_report import Verified
from reports.formats.registry import RENDERED, encode
from reports.record.layout import canonical, report_id
from reports.record.reader import read_record
from tests.reports.samples import (
    Report,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Head = dict[str, Any]


def rewrite(report: Report, change: Callable[[Head], object]) -> None:
    """Change the head of ``report``, and write it as a record is written."""
    head = json.loads((report.folder / "audit.json").read_text())
    change(head)
    head["report"] = report_id(head)
    (report.folder / "audit.json").write_text(canonical(head))


RECORD = ("audit.json", "findings.ndjson", "population.ndjson")
DIFFER = "judged again from its sources, these differ:"
WRITTEN = tuple(row for row in RENDERED if row.is_default)
PAGES = tuple(row.file for row in WRITTEN)
UNJUDGED = dict.fromkeys((*RECORD, *PAGES), "not-proven")
"""What stops if the record is not judged again: itself, and whatever is rendered from it."""


ONLY_PAGE = {name: status for name, status in UNJUDGED.items() if name in {*RECORD, PAGES[0]}}
"""The same of an audit that wrote no more than its page."""


def render_pages(report: Report) -> None:
    """Render the record again, as a forger would who has the suite."""
    record = read_record(report.folder)
    for rendered in WRITTEN:
        raw = encode(rendered.render(record.head, record.lines(), record.population_lines()))
        (report.folder / rendered.file).write_bytes(raw)


def refuse_opening(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the machine refuse to open a file of that name."""
    opened = os.open

    def refuse(path: str, *arguments: Any, **more: Any) -> int:  # noqa: ANN401 (as the original)
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **more)

    monkeypatch.setattr("reports.record.stored_lines.os.open", refuse)


def about(verified: Verified, words: str) -> list[str]:
    """Return every line, of proofs and others, that contains ``words``."""
    return [line for line in (*map(str, verified.proofs), *verified.lines) if words in line]


def stopping(verified: Verified) -> dict[str, str]:
    """Return the status of whatever keeps a report from being proven; empty if nothing does."""
    return {proof.name: proof.status for proof in verified.proofs if proof.stops}


def reason_of(verified: Verified, name: str) -> str:
    [reason] = [proof.reason for proof in verified.proofs if proof.name == name]
    return reason


def source_of(report: Report, place: int = 0) -> Path:
    return Path(report.head["population"]["sources"][place]["path"])


def rewrite_findings(report: Report, old: bytes, new: bytes) -> None:
    """Change the first ``old`` in the findings, and what the head says of them."""
    raw = b"".join(report.lines).replace(old, new, 1)
    (report.folder / "findings.ndjson").write_bytes(raw)
    measured = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    rewrite(report, lambda head: head["findings"].update(measured))
