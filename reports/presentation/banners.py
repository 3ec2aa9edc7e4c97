"""What every report of an audit must say in large letters, as it limits what the report proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.astra.config import ADDRESS, other_hosts
from inventory.text.display import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.model.head import Head

OUTSIDE = "pytest reports an error or a failure that is no finding"
"""What is said where pytest ends with another exit code than the verdict's."""

MOST_HOSTS = 3
"""How many hosts other than Astra's a banner names; the others are counted."""


def banners(head: Head) -> list[str]:
    """Return what every report of the audit with this ``head`` must say in large letters."""
    return [*_not_evidence(head), *_gate(head), *_run(head)]


def _not_evidence(head: Head) -> Iterator[str]:
    settings = head["settings"]
    if settings["left_out"]:
        yield f"PARTIAL RUN, NOT AUDIT EVIDENCE: {settings['left_out']}."
    if hosts := hosts_of(head):
        shown = ", ".join(printable(host, 200) for host in hosts[:MOST_HOSTS])
        more = f" and {len(hosts) - MOST_HOSTS:,} more" if len(hosts) > MOST_HOSTS else ""
        yield f"NOT ASTRA, NOT AUDIT EVIDENCE: answers came from {shown}{more}, not from {ADDRESS}."
    if settings["example"]:
        told = "no inventory was given, so " if settings["default_example"] else ""
        yield f"EXAMPLE, NOT AUDIT EVIDENCE: {told}a bundled example was audited."


def _gate(head: Head) -> Iterator[str]:
    if head["settings"]["fail_on_new"] and head["changes"]:
        before = head["changes"]["baseline"]
        named = f"{before['as_of']} (report {before['report'][:12]})"
        yield f"GATE ON NEW FINDINGS ONLY: what the baseline of {named} has does not stop."


def _run(head: Head) -> Iterator[str]:
    if ended_outside(head):
        yield f"THE RUN ENDED WITH EXIT CODE {head['run']['exit_code']}: {OUTSIDE}."


def ended_outside(head: Head) -> bool:
    """Say whether the run ended other than by the verdict; while it lasts, nobody knows."""
    return "run" in head and head["run"]["exit_code"] not in {0, head["verdict"]["exit_code"]}


def hosts_of(head: Head) -> list[str]:
    """Return the addresses other than Astra's that answered, now or at an earlier time."""
    told = [source["evidence"] for source in head["population"]["sources"]]
    return other_hosts(evidence["address"] for evidence in told if evidence)
