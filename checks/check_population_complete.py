"""CMEK-14: the inventory is complete and current."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.engine.actions import Action, ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import fact_label, gap_text, shared_databases, utc
from checks.engine.finding import (
    Finding,
    database_id_subject,
    fails,
    inconclusive,
    locations_of,
    organization_subject,
    passes,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, gap_action, recollect_action
from checks.shared.comparisons import compare, missing_regions, unshown
from checks.shared.missing import ORGANIZATION_MISSING, UNSEEN, VANISHED
from checks.shared.remedies import FIND_TYPE, REVEAL_STATE, attest_no_database
from checks.shared.verdicts import attests_none, is_bare, lists_none_unattested
from inventory.terraform.plan import PLAN_ONLY
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.engine.context import Context, Summary
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.organization import Organization

CARD = Card(
    id="CMEK-14",
    check="check_population_complete",
    title="The inventory is complete and current",
    basis="derived",
    severity="critical",
    subject="organization, of this audit or of an earlier record; database of several of them",
    causes={
        "vanished:DATABASE": "A known database is missing without being terminated.",
        "region-missing:DATABASE,PLACE": "Terraform's state has the database in a further region.",
        "organization-missing": "A known organization is missing altogether.",
        "listed-by:ORGANIZATION": "The organization is one of several that list the database.",
    },
    rationale=(
        "A rule that sees half of an inventory, or last year's, proves nothing. This rule guards "
        "all others."
    ),
    quotes=(
        Quote(
            sentence=(
                "Databases that aren’t encrypted by customer keys use Astra-provided encryption "
                "keys."
            ),
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
    ),
    remediation=(
        "Re-collect what was refused, cut short, missing or too old, and state the type of "
        "databases whose tier does not identify it. A database that vanished without being "
        "terminated: find out whether it was deleted or is hidden from the token."
    ),
    no_subject="The inventory holds no organization.",
    roles=("population",),
)

_JUDGED_HERE = frozenset({"databases", "vendor-accounts"})
"""The comparisons whose differences have no other finding of this rule."""

_FIND_DATABASE = ActionKind(
    code="find-database",
    sentence="Find out what happened to {database}",
    purpose="prove",
    who="we",
    sentence_for_several="Find out what happened to {number} databases",
    steps=(
        "Look for the database in the Astra portal, the terminated ones included.",
        "If it exists, give the token the permission to list it, and re-collect.",
        "If it was deleted, find out who did it and when, and keep the proof.",
    ),
)
_FIND_REGION = ActionKind(
    code="find-region",
    sentence="Find out whether the database exists: {database}",
    purpose="prove",
    who="we",
    sentence_for_several="Find out whether {number} databases or regions exist",
    steps=(
        (
            "Look in the Astra portal whether the database has the region that Terraform's state "
            "shows."
        ),
        "If it has, give the token the permission to see it, and re-collect.",
        "If it has not, refresh Terraform's state, and audit the new one.",
    ),
)
_FIND_OWNER = ActionKind(
    code="find-owner",
    sentence="Find out which organization owns the database {database}",
    purpose="prove",
    who="we",
    sentence_for_several="Find out which organizations own {number} databases",
    steps=(
        "Look for the database in the Astra portal of each organization that lists it.",
        "Correct the record of the organization that does not have it.",
        "Run the audit again.",
    ),
)
_COLLECT_ORGANIZATION = ActionKind(
    code="collect-organization",
    sentence="Collect {name}, or find out what happened to it",
    purpose="prove",
    who="we",
    sentence_for_several="Collect {number} organizations, or find out what happened to them",
    steps=(
        "Add the organization to the organizations file, with a token of its own.",
        "Collect it, and run the audit again.",
        "If it no longer exists, find out who closed it and when, and keep the proof.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge whether the record of the organization is whole and fresh."""
    organization = index.organization
    subject, where = organization_subject(organization.id), locations_of([organization])
    known = _earlier(context) if _is_only_planned(organization) else {}
    if organization.id in known:
        yield _missing(organization.id, *known[organization.id])
        return
    lost, doubts = list(_lost(index, context)), list(_doubts(index, context))
    parts = list(missing_regions(organization))
    is_whole = not index.gaps.get("databases")
    for identity, named in lost if is_whole else ():
        message = f"A known database is missing without being terminated: {named}."
        cause = cause_of(VANISHED, identity)
        action = _FIND_DATABASE.on(identity, database=named)
        yield fails(CARD, subject, cause, message, where, action)
    for part in parts if is_whole else ():
        cause = cause_of("region-missing", part.database.id, part.location)
        action = _FIND_REGION.on(part.database.id, part.location, database=part.named)
        message = f"Terraform's state has {part.named}; the record does not."
        yield fails(CARD, subject, cause, message, (*where, part.database.location), action)
    for cause, message, action in doubts:
        yield inconclusive(CARD, subject, cause, message, where, action)
    if not (lost or parts or doubts):
        keys = pluralize(len(organization.keys or ()), "key")
        databases = pluralize(len(organization.databases or ()), "database")
        message = f"Read in full: {keys}, {databases}."
        attested_by = _attesters(organization, context)
        yield passes(CARD, subject, message, where, attested_by=attested_by)


def judge_across(organizations: Sequence[Summary], context: Context) -> Iterator[Finding]:
    """Judge what only all organizations together show.

    That is: organizations of earlier records that this audit does not hold at all, and databases
    that several organizations list.
    """
    present = {organization.id for organization in organizations}
    for identity, known in sorted(_earlier(context).items()):
        if identity not in present:
            yield _missing(identity, *known)
    yield from _shared_databases(organizations)


def _shared_databases(organizations: Sequence[Summary]) -> Iterator[Finding]:
    """Yield a finding for each organization that lists a database which another lists as well.

    Whose it is decides which key encrypts it, so it is a subject across organizations.
    """
    for identity, owners in shared_databases(organizations).items():
        names = ", ".join(owner.name for owner in owners)
        action = _FIND_OWNER.on(identity, database=identity)
        for owner in owners:
            message = f"{owner.name} is one of {len(owners)} organizations that list it: {names}."
            cause = cause_of("listed-by", owner.id)
            subject = database_id_subject(owner.id, identity)
            yield fails(CARD, subject, cause, message, (owner.location,), action)


def _is_only_planned(organization: Organization) -> bool:
    """Return whether a plan names the organization, and nothing of it was recorded."""
    return organization.keys is None and PLAN_ONLY in organization.gaps


def _missing(identity: str, name: str, place: SourceLocation) -> Finding:
    message = f"The organization {name} is in an earlier record and is missing now."
    action = _COLLECT_ORGANIZATION.on(name=name)
    return fails(
        CARD, organization_subject(identity), ORGANIZATION_MISSING, message, (place,), action
    )


def _earlier(context: Context) -> dict[str, tuple[str, SourceLocation]]:
    """Return name and place of each organization of the earlier records, by its id."""
    history = context.history
    recorded = {
        identity: (name, history.latest_file(identity))
        for identity, name in history.organizations().items()
    }
    known = {identity: (known.name, known.location) for identity, known in context.baseline.items()}
    return {**known, **recorded}


Doubt = tuple[str, str, Action]
"""A cause, a sentence, and what resolves it."""


def _doubts(index: OrganizationIndex, context: Context) -> Iterator[Doubt]:
    """Yield each cause that keeps the record from being relied on."""
    organization = index.organization
    yield from _gaps(organization)
    yield from _unseen(index, context)
    yield from _unshown(organization)
    yield from _emptiness(organization, context)
    yield from _unknown_types(index)
    yield from _differences(index)
    yield from _views(organization, context)
    again = recollect_action(organization)
    for cause, text in _staleness(organization.captured_at, context.as_of, context.max_age):
        yield cause, text, again
    for cause, text in _regress(organization, context):
        yield cause, text, again


def _gaps(organization: Organization) -> Iterator[Doubt]:
    """Doubt what could not be read; several gaps of one kind are counted, so a further is new."""
    times: Counter[str] = Counter()
    for gap in organization.missing():
        cause = cause_of_gap(gap)
        times[cause] += 1
        number = f",{times[cause]}" if times[cause] > 1 else ""
        message = f"The list of {fact_label(gap)} may be incomplete: {gap_text(gap)}."
        yield f"{cause}{number}", message, gap_action(gap, organization)


def _unseen(index: OrganizationIndex, context: Context) -> Iterator[Doubt]:
    """Doubt databases that a list which may not be whole does not show."""
    is_partial = "databases" in index.gaps and index.organization.databases is not None
    again = recollect_action(index.organization)
    for identity, named in _lost(index, context) if is_partial else ():
        message = f"A known database is not among those that could be read: {named}."
        yield cause_of(UNSEEN, identity), message, again
    for part in missing_regions(index.organization) if is_partial else ():
        message = f"Terraform's state has {part.named}, which could not be read."
        yield cause_of("region-unseen", part.database.id, part.location), message, again


def _unshown(organization: Organization) -> Iterator[Doubt]:
    """Doubt databases of which Terraform's state does not show all regions: they may be more."""
    for database in unshown(organization):
        message = f"Terraform's state does not show where {database.name} is: {database.missing}."
        yield cause_of("state-not-shown", database.id), message, REVEAL_STATE


def _views(organization: Organization, context: Context) -> Iterator[Doubt]:
    """Doubt a record without the views of single regions, where the baseline was made with them."""
    known = context.baseline.get(organization.id)
    is_gap = any(gap.fact == "region-views" for gap in organization.gaps)
    if known and known.has_views and organization.region_views is None and not is_gap:
        message = "The regional lookups are not recorded, though they were for the baseline."
        yield "views-not-recorded", message, recollect_action(organization)


def _differences(index: OrganizationIndex) -> Iterator[Doubt]:
    """Doubt counts by independent routes that differ, but for those that have other findings."""
    again = recollect_action(index.organization)
    for comparison in compare(index):
        if comparison.what in _JUDGED_HERE and not comparison.gaps:
            for thing, text in comparison.differences:
                yield cause_of("differ", comparison.what, thing), f"Counts differ: {text}.", again


def _emptiness(organization: Organization, context: Context) -> Iterator[Doubt]:
    """Doubt a list without entries: a token that may see nothing gets one, too."""
    if lists_none_unattested(organization, context):
        message = "Astra lists no database; a token that may see none gets the same answer."
        yield "empty", message, attest_no_database(organization)
    elif is_bare(organization) and not attests_none(organization, context):
        message = "Neither a key nor a database is recorded."
        yield "empty", message, recollect_action(organization)


def _attesters(organization: Organization, context: Context) -> tuple[str, ...]:
    """Return who attests that an empty list is complete; nobody if it is so without."""
    attested = organization.no_databases
    unattested = organization.model_copy(update={"no_databases": None})
    return (attested.by,) if attested and any(_emptiness(unattested, context)) else ()


def _unknown_types(index: OrganizationIndex) -> Iterator[Doubt]:
    unknown: dict[str, set[str]] = {}
    for scope, deployments in index.scopes.items():
        for deployment in deployments if scope.type == "unknown" else ():
            database = deployment.database
            unknown.setdefault(str(database.tier), set()).add(database.identity)
    for tier, databases in sorted(unknown.items()):
        count = pluralize(len(databases), "database")
        text = f"Tier {tier!r} does not identify the database type ({count})."
        yield cause_of("unknown-type", tier), text, FIND_TYPE


def _staleness(
    captured_at: datetime | None, as_of: datetime, max_age: timedelta
) -> list[tuple[str, str]]:
    if captured_at is None:
        return [("time-not-recorded", "The record does not show when it was made.")]
    if captured_at > as_of:
        text = f"The record is of {utc(captured_at)}, later than the audit of {utc(as_of)}."
        return [("impossible-time", text)]
    if as_of - captured_at > max_age:
        text = f"The record is of {utc(captured_at)}, more than {_span(max_age)} before "
        return [("stale", f"{text}{utc(as_of)}.")]
    return []


def _span(age: timedelta) -> str:
    hours = age / timedelta(hours=1)
    return f"{hours:g} hours" if hours % 24 else pluralize(age.days, "day")


def _regress(organization: Organization, context: Context) -> Iterator[tuple[str, str]]:
    """Doubt a record that is older than the one of the baseline: what came after it is unseen."""
    known, own = context.baseline.get(organization.id), organization.captured_at
    before = known.captured_at if known else None
    if before is not None and own is not None and own < before:
        text = f"The record is of {utc(own)}, older than that of the baseline, {utc(before)}."
        yield "older-than-baseline", text


def _lost(index: OrganizationIndex, context: Context) -> Iterator[tuple[str, str]]:
    """Yield id and name of each database that the record does not list, though it should.

    An earlier record or the baseline knew it as living, or it is in Terraform's state.
    """
    organization = index.organization
    earlier = context.history.databases(organization.id)
    terminated = {identity for identity, known in earlier.items() if known.is_terminated}
    known = context.baseline.get(organization.id)
    names = {
        **{database.id: database.name for database in organization.managed.databases},
        **(known.databases if known else {}),
        **{identity: known.name for identity, known in earlier.items()},
    }
    databases = organization.databases or () if names else ()
    present = {database.id for database in databases if not database.is_planned}
    for identity, name in sorted(names.items()):
        if identity not in present and identity not in terminated:
            yield identity, f"{name} ({identity})"


def check_population_complete(group: FindingGroup) -> None:
    """The inventory is complete and current."""
    report_outcome(group)
