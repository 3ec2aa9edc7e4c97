"""What both documents have: their metadata, and how an audit is described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import STATUSES
from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.parties import parties, roles
from reports.formats.oscal.texts import block, line, value
from reports.presentation.banners import banners, cloud_hosts_of, hosts_of
from reports.presentation.messages import TITLE
from reports.presentation.source_notes import first_notes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.formats.oscal.json_parts import Json
    from reports.model.head import Head

OSCAL_VERSION = "1.2.3"

_PATHS = (
    "Paths of files are those that the audit was given, relative to the folder in which it was run."
)
_DATA = "Coverage, the key plan and how everything was counted are in audit.json, and not here."


def why_no_evidence(head: Head) -> str:
    """Return the banner of an audit that is no evidence; empty if it is evidence."""
    settings = head["settings"]
    is_none = settings["left_out"] or settings["example"] or hosts_of(head) or cloud_hosts_of(head)
    return banners(head)[0] if is_none else ""


def metadata(head: Head, noun: str) -> Json:
    """Return the metadata of a document of the kind ``noun``.

    It was last modified at the time of judgement: the same audit has the same bytes.
    """
    everybody = parties(head)
    return filled(
        {
            "title": line(f"{_warning(head)}{TITLE}: {noun}"),
            "last-modified": head["settings"]["as_of"],
            "version": value(head["report"]),
            "oscal-version": OSCAL_VERSION,
            "props": properties(audit_facts(head)),
            "roles": roles() if everybody else [],
            "parties": everybody,
            "remarks": "\n\n".join([describe(head), _PATHS, _DATA]),
        }
    )


def document_uuid(head: Head, noun: str) -> str:
    """Return the UUID of the document of the kind ``noun`` of an audit."""
    return identify("document", noun, head["report"])


def _warning(head: Head) -> str:
    """Return the words of the banner of an audit that is no evidence."""
    banner = why_no_evidence(head)
    return f"{banner.partition(':')[0]}: " if banner else ""


def describe(head: Head) -> str:
    """Return the banners, the verdict and the notes of an audit, each a paragraph."""
    notes, more = first_notes(head)
    texts = [*banners(head), head["verdict"]["text"], *map(str, notes)]
    left = [f"{more:,} more notes are in audit.json."] if more else []
    return "\n\n".join([block(text, 2_000) for text in (*texts, *left)])


def audit_facts(head: Head) -> Json:
    """Return the numbers of an audit."""
    settings = head["settings"]
    return {
        "report": value(head["report"]),
        "verdict": value(head["verdict"]["outcome"]),
        "evidence": "no" if why_no_evidence(head) else "yes",
        "fail-on": settings["fail_on"],
        **{f"findings-{status}": head["counts"][status] for status in STATUSES},
        **_databases(head),
        **dict(_kinds(head)),
    }


def _databases(head: Head) -> Json:
    """Return how many databases are protected; an earlier version does not record it."""
    protection = head.get("protection")
    if protection is None:
        return {}
    return {
        "databases-protected": protection["protected"],
        "databases-unprotected": protection["unprotected"],
        "databases-unproven": protection["unproven"],
        "databases-on-astra-keys": protection["astra_provided"],
    }


def _kinds(head: Head) -> Iterator[tuple[str, int]]:
    """Yield on which kinds of evidence passes rest; an earlier version does not record it."""
    kinds = head.get("evidence_kinds")
    for kind, count in kinds["passes"].items() if kinds else ():
        yield f"passes-resting-on-{kind}", count
