"""The files of a record, and the one form in which its head is written."""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reports.model.head import Head

SCHEMA = "cmek-audit-record/2"
HEAD = "audit.json"
FINDINGS = "findings.ndjson"
POPULATION = "population.ndjson"
RECORD = (HEAD, FINDINGS, POPULATION)
"""The files of a record: the head, and the files of lines whose hashes it holds."""

SIGNATURE = "audit.intoto.dsse.json"
"""The signature of a report, beside its record."""

ORGANIZATION_LINE, KEY_LINE, DATABASE_LINE = (
    b'{"kind":"organization",',
    b'{"kind":"key",',
    b'{"kind":"database",',
)
"""How the lines of the population begin."""


_ENCODER = json.JSONEncoder(ensure_ascii=True, indent=1, sort_keys=False)
_MOST_PIECES = 4_096
"""How many names, values and signs of JSON are rendered together."""


def canonical(data: object) -> str:
    """Render ``data`` as JSON in one fixed way."""
    return _ENCODER.encode(data) + "\n"


def canonical_blocks(data: object) -> Iterator[bytes]:
    """Yield the bytes of ``canonical``, block by block."""
    # The head of a fleet takes several times its size in pieces, if all are there at once.
    pieces = _ENCODER.iterencode(data)
    while block := "".join(islice(pieces, _MOST_PIECES)):
        yield block.encode("ascii")
    yield b"\n"


def without_run(head: Head) -> Head:
    """Return ``head`` without what differs from run to run, as it was before the run ended."""
    kept = head.copy()
    kept.pop("run", None)
    return kept


def report_id(body: Mapping[str, object]) -> str:
    """Return the hash of a head without ``run`` and ``report``: it names what was found."""
    kept = {name: value for name, value in body.items() if name not in {"run", "report"}}
    digest = hashlib.sha256()
    for block in canonical_blocks(kept):
        digest.update(block)
    return digest.hexdigest()
