"""CMEK-14: everything in scope was looked at, and lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.common import FIND_TYPE, attest_none, attests_none, is_bare, lists_none_unattested
from checks.context import because, utc
from checks.finding import Finding, fails, inconclusive, of_organization, passes, places
from checks.gaps import recording_again, settling
from checks.group import settle
from inventory.terraform import PLAN_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from checks.context import Context, Summary
    from checks.group import Group
    from inventory.entries import Place
    from inventory.estate import Estate
    from inventory.models import Organization

CARD = Card(
    id="CMEK-14",
    check="check_population_complete",
    title="Everything in scope was looked at, and lately",
    force="derived",
    severity="critical",
    subject="organization, of this audit or of an earlier record",
    rationale=(
        "A rule over half a population proves nothing, and neither does one over last year's. "
        "This rule guards all others."
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
        "Record again what was refused, cut short, missing or too old, and state the type of "
        "databases whose tier tells none. A database that vanished without being terminated: find "
        "out whether it was deleted or is hidden from whoever recorded."
    ),
    no_subject="The inventory holds no organization.",
)

_NAMED = 5


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge whether the record of the organization is whole and fresh."""
    organization = estate.organization
    subject, where = of_organization(organization.id), places([organization])
    known = _earlier(context) if _is_only_planned(organization) else {}
    if organization.id in known:
        yield _missing(organization.id, *known[organization.id])
    elif vanished := _vanished(estate, context):
        says = f"Known elsewhere, missing here without being terminated: {_some(vanished)}."
        yield fails(CARD, subject, says, where, f"Find out what became of {_some(vanished)}")
    elif doubts := _doubts(estate, context):
        (reason, _, action), says = doubts[0], " ".join(text for _, text, _ in doubts)
        yield inconclusive(CARD, subject, says, where, reason, action)
    else:
        keys, databases = len(organization.keys or ()), len(organization.databases or ())
        says = f"Read in full: {keys:,} keys, {databases:,} databases."
        yield passes(CARD, subject, says, where)


def judge_across(organizations: Sequence[Summary], context: Context) -> Iterator[Finding]:
    """Find organizations of earlier records that this audit does not hold at all."""
    present = {each.id for each in organizations}
    for identity, known in sorted(_earlier(context).items()):
        if identity not in present:
            yield _missing(identity, *known)


def _is_only_planned(organization: Organization) -> bool:
    """Say whether a plan names the organization, and nothing was recorded of it."""
    return organization.keys is None and PLAN_ONLY in organization.gaps


def _missing(identity: str, name: str, place: Place) -> Finding:
    says = f"The organization {name} stands in an earlier record and is missing now."
    action = f"Record {name}, or find out what became of it"
    return fails(CARD, of_organization(identity), says, (place,), action)


def _earlier(context: Context) -> dict[str, tuple[str, Place]]:
    """Return name and place of each organization of the earlier records, by its id."""
    history = context.history
    recorded = {
        identity: (name, history.latest_file(identity))
        for identity, name in history.organizations().items()
    }
    return {**context.baseline, **recorded}


Doubt = tuple[str, str, str]
"""A reason code, a sentence, and what would settle it."""


def _doubts(estate: Estate, context: Context) -> list[Doubt]:
    """Return all that keeps the record from being relied on."""
    organization = estate.organization
    again = recording_again(organization)
    doubts: list[Doubt] = [
        (gap.reason, f"The {gap.fact} may not be all: {because(gap)}.", settling(gap, organization))
        for gap in organization.missing()
    ]
    doubts += _emptiness(organization, context)
    doubts += _unknown_types(estate)
    stale = _staleness(organization.captured_at, context.as_of, context.max_age)
    return [*doubts, *((reason, text, again) for reason, text in stale)]


def _emptiness(organization: Organization, context: Context) -> Iterator[Doubt]:
    """Doubt a list without entries: a token that may see nothing gets one, too."""
    if lists_none_unattested(organization, context):
        says = "Astra lists no database, as it does to a token that may see none."
        yield "empty", says, attest_none(organization)
    elif is_bare(organization) and not attests_none(organization, context):
        says = "Neither a key nor a database is recorded."
        yield "empty", says, recording_again(organization)


def _unknown_types(estate: Estate) -> Iterator[Doubt]:
    unknown = [
        placement.database
        for scope, placements in estate.scopes.items()
        if scope.type == "unknown"
        for placement in placements
    ]
    if unknown:
        tiers = ", ".join(sorted({repr(each.tier) for each in unknown}))
        count = len({each.identity for each in unknown})
        have = "1 database has" if count == 1 else f"{count:,} databases have"
        text = f"{have} a tier that tells no type: {tiers}."
        yield "unknown-type", text, FIND_TYPE


def _staleness(
    captured_at: datetime | None, as_of: datetime, max_age: timedelta
) -> list[tuple[str, str]]:
    if captured_at is None:
        return [("time-not-recorded", "The record does not say when it was made.")]
    if captured_at > as_of:
        text = f"The record is of {utc(captured_at)}, later than the audit of {utc(as_of)}."
        return [("impossible-time", text)]
    if as_of - captured_at > max_age:
        text = f"The record is of {utc(captured_at)}, more than {max_age} before {utc(as_of)}."
        return [("stale", text)]
    return []


def _vanished(estate: Estate, context: Context) -> list[str]:
    """Name databases that the present record does not list, though they should be there.

    An earlier record knew them as living, or they stand in Terraform's state.
    """
    if estate.organization.databases is None or "databases" in estate.gaps:
        return []
    present = {each.id for each in estate.organization.databases if not each.is_planned}
    known = context.history.databases(estate.organization.id).values()
    earlier = {each.id: each.name for each in known if not each.is_terminated}
    managed = {each.id: each.name for each in estate.organization.managed.databases}
    return [
        f"{name} ({identity})"
        for identity, name in (managed | earlier).items()
        if identity not in present
    ]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def check_population_complete(group: Group) -> None:
    """Everything in scope was looked at, and lately."""
    settle(group)
