"""The warnings in large letters that limit what a report proves; every report shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from inventory.system.hosts import ADDRESS, foreign_hosts, other_hosts
from inventory.text.display import pluralize, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.model.head import Head

OUTSIDE = "pytest reported an error or a failure that is not a finding"
"""The explanation if pytest ends with another exit code than the verdict's."""

MOST_HOSTS = 3
"""How many other hosts a banner names; the rest are counted."""


def banners(head: Head) -> list[str]:
    """Return the banners of the audit with this ``head``."""
    return [*_not_evidence(head), *_stale(head), *_gate(head), *_run(head)]


def _not_evidence(head: Head) -> Iterator[str]:
    settings = head["settings"]
    if settings["left_out"]:
        yield f"PARTIAL RUN, NOT AUDIT EVIDENCE: {settings['left_out']}."
    if hosts := hosts_of(head):
        asked = _shown(hosts)
        yield f"NOT ASTRA, NOT AUDIT EVIDENCE: answers came from {asked}, not from {ADDRESS}."
    if hosts := cloud_hosts_of(head):
        yield (
            f"NOT THE CLOUD, NOT AUDIT EVIDENCE: answers about keys came from {_shown(hosts)}, not "
            "from the cloud’s own hosts."
        )
    if settings["example"]:
        default = "no inventory was given, so a bundled example was audited"
        stated = "what was audited is marked as an example"
        yield f"EXAMPLE, NOT AUDIT EVIDENCE: {default if settings['default_example'] else stated}."


def _shown(hosts: list[str]) -> str:
    shown = ", ".join(printable(host, 200) for host in hosts[:MOST_HOSTS])
    return f"{shown} and {len(hosts) - MOST_HOSTS:,} more" if len(hosts) > MOST_HOSTS else shown


def _stale(head: Head) -> Iterator[str]:
    """Yield a banner if what was judged had been recorded too long before."""
    most = timedelta(seconds=head["settings"]["max_age_seconds"])
    oldest = datetime.fromisoformat(head["settings"]["as_of"]) - most
    organizations = head["population"]["organizations"]
    recorded = [row["captured_at"] for row in organizations]
    stale = sum(datetime.fromisoformat(time) < oldest for time in recorded if time)
    if stale:
        which = f"{stale:,} of {pluralize(len(organizations), 'organization')}"
        limit = pluralize(most.days, "day") if most.days else "a day"
        yield f"STALE: the records of {which} are more than {limit} older than the audit."


def _gate(head: Head) -> Iterator[str]:
    if head["settings"]["fail_on_new"] and head["changes"]:
        baseline = head["changes"]["baseline"]
        which = f"{baseline['as_of']} (report {baseline['report'][:12]})"
        yield f"GATE ON NEW FINDINGS ONLY: findings of the baseline of {which} do not stop the run."


def _run(head: Head) -> Iterator[str]:
    if ended_outside(head):
        yield f"THE RUN ENDED WITH EXIT CODE {head['run']['exit_code']}: {OUTSIDE}."


def ended_outside(head: Head) -> bool:
    """Return whether the run ended with another exit code than the verdict's; False until then."""
    return "run" in head and head["run"]["exit_code"] not in {0, head["verdict"]["exit_code"]}


def hosts_of(head: Head) -> list[str]:
    """Return the addresses other than Astra's that answered, now or at an earlier time."""
    bundles = [source["evidence"] for source in head["population"]["sources"]]
    return other_hosts(bundle["address"] for bundle in bundles if bundle)


def cloud_hosts_of(head: Head) -> list[str]:
    """Return the addresses other than the clouds' own that answered about keys."""
    bundles = [source["evidence"] for source in head["population"]["sources"]]
    # The record of an older version has none: it asked no cloud.
    return foreign_hosts(
        address for bundle in bundles if bundle for address in bundle.get("cloud_addresses", ())
    )
