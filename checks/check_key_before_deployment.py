"""CMEK-05: the key was registered before the database was deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.card import OVERVIEW, Card, Quote
from checks.common import (
    Answer,
    keys_unread,
    managed_key,
    missing_key_action,
    no_key_wanted,
    rival_keys_action,
    undetermined,
)
from checks.context import day, utc, words
from checks.finding import Finding, of_placement, places
from checks.group import settle
from checks.registration import Registration, bound, compare
from inventory.estate import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from checks.context import Context
    from checks.group import Group
    from inventory.entries import Place
    from inventory.estate import Estate, Placement
    from inventory.models import CustomerKey, KeyScope

CARD = Card(
    id="CMEK-05",
    check="check_key_before_deployment",
    title="The key was registered before the database was deployed",
    force="required",
    severity="high",
    severity_planned="critical",
    subject="database in a region",
    needs=("databases",),
    causes={
        "without-key": "No key is registered, so none came first.",
        "older-than-key": "The database was deployed before the key was registered.",
    },
    rationale=(
        "A key that comes after the database does not encrypt it: the database runs on Astra's "
        "keys for ever, while every list shows a customer key beside it."
    ),
    quotes=(
        Quote(
            sentence=(
                "You must configure customer keys before you deploy the databases that will use "
                "those keys."
            ),
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
        Quote(
            sentence="You cannot use a new customer key for an existing database.",
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
    ),
    remediation=(
        "A planned database: register the key first. An existing one that is older than its key, "
        "or has none: recreate it once the key is registered, and move its data. One whose order "
        "is not known: attest when the key was registered, or keep dated records from now on."
    ),
    no_subject="The inventory holds no database, existing or planned.",
)


class _Known(NamedTuple):
    """What is known of the keys of one scope, found out once for all its databases."""

    keys: list[CustomerKey]
    registration: Registration | None
    is_contradictory: bool
    is_special: bool
    how: str
    named: str
    evidence: tuple[Place, ...]


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each database in each of its regions."""
    yield from undetermined(CARD, estate)
    for scope, placements in estate.scopes.items():
        known = _know(estate, context, scope)
        for placement in placements:
            database = placement.database
            planned = placement.is_planned
            answer = _judge_placement(estate, placement, known, context)
            yield Finding(
                answer.status,
                CARD.id,
                "critical" if planned else "high",
                of_placement(placement),
                answer.cause_for(is_planned=planned),
                answer.says,
                answer.reason,
                answer.action,
                database.name,
                1,
                0 if planned else 1,
                (placement.place, *known.evidence),
            )


def _know(estate: Estate, context: Context, scope: KeyScope) -> _Known:
    keys = estate.keys.get(scope, [])
    named = words(estate.organization, scope)
    special = has_no_customer_keys(scope) or scope.type == "unknown"
    if len({key.key_id for key in keys}) != 1:
        return _Known(keys, None, False, special, "", named, places(keys))
    attested = keys[0].registered
    exact = attested.at if attested and attested.on <= day(context.as_of) else None
    observations = context.history.observations(scope)
    registration = bound(observations, estate.organization.captured_at, exact)
    evidence = (*places(keys), *registration.evidence)
    how, contradictory = _how(keys[0], registration), registration.is_contradictory
    return _Known(keys, registration, contradictory, special, how, named, evidence)


def _how(key: CustomerKey, registration: Registration) -> str:
    if registration.exact is not None and key.registered is not None:
        return f"at {utc(registration.exact)}, as {key.registered.by} attested"
    after = f"after {utc(registration.after)}" if registration.after else ""
    by = f"by {utc(registration.by)}" if registration.by else ""
    return " and ".join(filter(None, (after, by))) or "at an unknown time"


def _judge_placement(
    estate: Estate, placement: Placement, known: _Known, context: Context
) -> Answer:
    if (known.is_special or not placement.wants_key) and (aside := no_key_wanted(placement)):
        return aside
    if not known.keys:
        return _without_key(estate, placement, known)
    if placement.is_planned:
        return Answer("pass", f"The key is registered, the {_planned(placement)} only planned.")
    present = estate.organization.captured_at or context.as_of
    return _compare(placement, known, present)


def _without_key(estate: Estate, placement: Placement, known: _Known) -> Answer:
    if unread := keys_unread(estate, placement.scope.type):
        return unread
    says = (
        f"No key is registered, and the {_planned(placement)} is about to be deployed."
        f"{managed_key(estate, placement.scope)}"
        if placement.is_planned
        else "No key is registered: the database runs on Astra's keys."
    )
    action = missing_key_action(estate, placement)
    return Answer("fail", says, action=action, cause="without-key")


def _planned(placement: Placement) -> str:
    return "database" if placement.database.is_planned else "region"


def _compare(placement: Placement, known: _Known, present: datetime) -> Answer:
    deployed = _deployed(placement)
    if known.registration is None:
        says = "Several keys are claimed for the scope, so its registration cannot be dated."
        return Answer("inconclusive", says, "rival-keys", rival_keys_action(known.named))
    if deployed is None:
        says = "The record does not say when the region was added to the database."
        action = f"Record when the databases of {known.named} were deployed"
        return Answer("inconclusive", says, "time-not-recorded", action)
    if deployed > present:
        says = f"Deployed {utc(deployed)}, later than its own record of {utc(present)}."
        action = f"Correct the times of the databases of {known.named}"
        return Answer("inconclusive", says, "impossible-time", action)
    return _by_order(known, known.registration, deployed)


def _by_order(known: _Known, registration: Registration, deployed: datetime) -> Answer:
    if known.is_contradictory:
        says = f"The attested time {known.how} contradicts the dated records."
        action = (
            f"Correct the time at which the key of {known.named} was registered, or the records"
        )
        return Answer("inconclusive", says, "contradiction", action)
    order = compare(registration, deployed)
    facts = f"Key registered {known.how}; database deployed {utc(deployed)}."
    if order == "before":
        return Answer("pass", facts)
    if order == "after":
        action = f"Recreate the databases of {known.named} that are older than its key"
        return Answer("fail", facts, action=action, cause="older-than-key")
    reason = "equal-times" if order == "equal" else "registration-time-unknown"
    return Answer("inconclusive", facts, reason, _attest(known))


def _attest(known: _Known) -> str:
    return f"Attest when the key of {known.named} was registered, or give dated earlier records"


def _deployed(placement: Placement) -> datetime | None:
    if placement.region.added_at is not None:
        return placement.region.added_at
    return placement.database.created_at if len(placement.database.regions) == 1 else None


def check_key_before_deployment(group: Group) -> None:
    """The key was registered before the database was deployed."""
    settle(group)
