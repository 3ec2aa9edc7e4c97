"""The files of a record, and the one form in which its head is written."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.model.head import Head

SCHEMA = "cmek-audit-record/2"
HEAD = "audit.json"
FINDINGS = "findings.ndjson"
POPULATION = "population.ndjson"
RECORD = (HEAD, FINDINGS, POPULATION)
"""The files of a record: the head, and the files of lines whose hashes it holds."""


def canonical(data: object) -> str:
    """Render ``data`` as JSON in one fixed way."""
    return json.dumps(data, ensure_ascii=True, indent=1, sort_keys=False) + "\n"


def without_run(head: Head) -> Head:
    """Return ``head`` without what differs from run to run, as it was before the run ended."""
    kept = head.copy()
    kept.pop("run", None)
    return kept


def report_id(body: Mapping[str, object]) -> str:
    """Return the hash of a head without ``run`` and ``report``: it names what was found."""
    kept = {name: value for name, value in body.items() if name not in {"run", "report"}}
    return hashlib.sha256(canonical(kept).encode("ascii")).hexdigest()
