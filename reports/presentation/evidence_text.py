"""On which kinds of evidence an audit rests, in words: one line of every report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import EVIDENCE_KINDS
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.engine.finding import EvidenceKind
    from reports.model.head import Head

_BY: Mapping[EvidenceKind, str] = {
    "portal": "by a look at the portal",
    "cloud": "by what the cloud shows",
    "order": "by the order of times",
    "records": "by what records state",
    "attested": "by statements of people alone",
}


def rests_on(head: Head) -> str:
    """Say by what the protected databases of an audit are proven; empty if none is.

    Records of earlier versions do not say.
    """
    recorded = head.get("evidence_kinds")
    return sentence(recorded["databases"]) if recorded else ""


def sentence(databases: Mapping[EvidenceKind, int]) -> str:
    """Say by what ``databases`` are proven; empty if none is."""
    total = sum(databases.values())
    by_kind = [(databases[kind], _BY[kind]) for kind in EVIDENCE_KINDS if databases[kind]]
    if not by_kind:
        return ""
    if len(by_kind) == 1:
        which = "The one database" if total == 1 else f"The {pluralize(total, 'database')}"
        verb = "is so" if total == 1 else "are so"
        return f"{which} that {'is' if total == 1 else 'are'} proven {verb} {by_kind[0][1]}."
    parts = ", ".join(f"{number:,} {words}" for number, words in by_kind)
    return f"Of {pluralize(total, 'database')} that are proven: {parts}."
