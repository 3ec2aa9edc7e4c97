"""CMEK-04: no customer key is planned, expected or registered for Managed Clusters on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import (
    about,
    fails,
    inconclusive,
    of_database,
    of_key,
    of_planned_key,
    passes,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import settle
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.remedies import FIND_TYPE
from checks.shared.verdicts import Answer, concerning_scopes, place_of
from inventory.model.key_ids import parse_key_id
from inventory.model.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import Group
    from inventory.model.base import Place
    from inventory.model.key import KeyScope
    from inventory.model.organization_index import Estate, Placement
    from inventory.model.planned_keys import PlannedKey

CARD = Card(
    id="CMEK-04",
    check="check_azure_managed_clusters",
    title="No customer key is planned, expected or registered for Managed Clusters on Azure",
    force="required",
    severity="high",
    subject="database or key of Managed Clusters on Azure",
    needs=("keys", "databases"),
    causes={
        "key-expected:REGION": "The database is expected to have a customer key there.",
        "key-registered": "A customer key is shown where there can be none.",
    },
    rationale=(
        "Customer keys do not exist there. Whoever expects one for such a database believes in a "
        "protection that it cannot have."
    ),
    quotes=(
        Quote(
            sentence=(
                "Astra Managed Clusters databases don’t support customer key encryption in "
                "Microsoft Azure regions."
            ),
            page=OVERVIEW,
            heading="Configure customer key encryption",
        ),
    ),
    remediation=(
        "Deploy the database to AWS or Google Cloud, or as Serverless, if it must be encrypted by "
        "a customer key; else declare it astra-provided, with the reason."
    ),
    no_subject="The inventory holds neither a database nor a key of Managed Clusters on Azure.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each database and each key of that kind, and each that may be of it."""
    for placements in estate.placements if any(map(_may_be_of_the_kind, estate.scopes)) else ():
        there = [placement for placement in placements if _may_be_of_the_kind(placement.scope)]
        for finding in _judge_database(estate, there) if there else ():
            yield about(finding, CARD, there[0].database)
    for scope, key_id, place in _keys(estate):
        yield concerning_scopes(_judge_key(scope, key_id, place), estate, [scope])
    for scope, key in planned_keys(estate):
        if has_no_customer_keys(scope):
            yield _judge_planned(estate, scope, key)


def _keys(estate: Estate) -> Iterator[tuple[KeyScope, str, Place]]:
    """Yield each key that the list, or else the view of one region, shows where there is none."""
    seen: set[tuple[KeyScope, str]] = set()
    listed = [(scope, key.key_id, key.place) for scope, keys in estate.keys.items() for key in keys]
    shown = [(scope, view.key_id, view.place) for scope, view in estate.views()]
    for scope, key_id, place in (*listed, *shown):
        canonical = parse_key_id(key_id).canonical if key_id else ""
        if key_id and has_no_customer_keys(scope) and (scope, canonical) not in seen:
            seen.add((scope, canonical))
            yield scope, key_id, place


def _may_be_of_the_kind(scope: KeyScope) -> bool:
    return has_no_customer_keys(scope) or (scope.provider == "azure" and scope.type == "unknown")


def _judge_database(estate: Estate, placements: list[Placement]) -> Iterator[Finding]:
    """Yield one finding for each region in which a key is expected; one pass if there is none."""
    database = placements[0].database
    subject, where = of_database(estate.organization.id, database), place_of(database)
    wanting = [placement for placement in placements if placement.wants_key]
    if not wanting:
        says = f"The database is declared to use Astra's keys: {placements[0].expectation.reason}"
        yield passes(CARD, subject, says, where)
    elif database.type == "unknown":
        says = f"The tier {database.tier!r} does not tell whether it is of Managed Clusters."
        yield inconclusive(CARD, subject, "unknown-type", says, where, FIND_TYPE)
    else:
        for placement in wanting:
            answer, (_, _, provider, region) = _expected(estate, placement), placement.scope
            there = subject._replace(provider=provider, region=region)
            yield answer.about(CARD, there, where, is_planned=placement.is_planned)


def _expected(estate: Estate, placement: Placement) -> Answer:
    region = placement.scope.region
    says = f"A customer key is expected in {region}, where Astra has none: it uses Astra's keys."
    action = (
        f"Move the Managed Clusters of {estate.organization.name} on Azure elsewhere, or declare "
        "them astra-provided"
    )
    return Answer("fail", says, action=action, cause=cause_of("key-expected", region))


def _judge_key(scope: KeyScope, key_id: str, place: Place) -> Finding:
    says = "The record shows a customer key where Astra has none."
    action = f"Find out what the key {key_id} was registered for"
    return fails(CARD, of_key(scope, key_id), "key-registered", says, (place,), action)


def _judge_planned(estate: Estate, scope: KeyScope, key: PlannedKey) -> Finding:
    says = "The plan registers a customer key where Astra has none."
    action = f"Take the key {key.key_id} out of the plan"
    finding = fails(CARD, of_planned_key(scope, key), "key-registered", says, (), action)
    return as_planned(finding, CARD, estate, key)


def check_azure_managed_clusters(group: Group) -> None:
    """No customer key is planned, expected or registered for Managed Clusters on Azure."""
    settle(group)
