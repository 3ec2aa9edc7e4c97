"""The evidence of an audit: each bundle that it rests on, and the index of what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.context import utc
from inventory.errors import EvidenceError, Problem
from inventory.files.evidence_layout import MANIFEST
from reports.record.population import describe_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.evidence.reader import IndexedExchange
    from inventory.model.sources import Evidence, Source
    from reports.model.population_summary import BundleEntry, ExchangeEntry

MOST_LISTED = 5_000
"""How many exchanges of one bundle the record lists; the others are counted."""


def describe_evidence(sources: Iterable[Source]) -> list[BundleEntry]:
    """Return one entry for each bundle that was audited as the present.

    Raises EvidenceError if a bundle is no longer the one that was read.
    """
    return [
        _bundle(source.path, source.evidence)
        for source in sources
        if source.role == "inventory" and source.evidence
    ]


def _bundle(path: str, evidence: Evidence) -> BundleEntry:
    from inventory.evidence.manifest import read_manifest  # noqa: PLC0415 (as the bundle)
    from inventory.evidence.reader import index_exchanges  # noqa: PLC0415 (as the bundle)

    manifest = read_manifest(path)
    if manifest.root != evidence.root:
        expected = f"the bundle that was audited, of root {evidence.root}"
        raise EvidenceError([Problem(f"{path}/{MANIFEST}", 0, "", "another bundle", expected)])
    listed: list[IndexedExchange] = []
    first = last = None
    total = 0
    for index_exchange in index_exchanges(path, manifest):
        total += 1
        first = index_exchange.at if first is None else min(first, index_exchange.at)
        last = index_exchange.at if last is None else max(last, index_exchange.at)
        if total <= MOST_LISTED:
            listed.append(index_exchange)
    return {
        "path": path,
        **describe_manifest(evidence),
        "first_answer": utc(first) if first else None,
        "last_answer": utc(last) if last else None,
        "exchanges_total": total,
        "exchanges": list(map(_exchange, listed)),
    }


def _exchange(exchange: IndexedExchange) -> ExchangeEntry:
    entry: ExchangeEntry = {
        "path": exchange.path,
        "address": exchange.address,
        "outcome": exchange.outcome,
        "at": utc(exchange.at),
        "sha256": exchange.sha256,
        "redactions": exchange.redactions,
    }
    if exchange.line:
        entry["line"] = exchange.line
    return entry
