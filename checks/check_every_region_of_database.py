"""CMEK-03: each region of a multi-region database has its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import database_subject, for_database, locations_of, passes
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.remedies import missing_key_action, separate_scopes
from checks.shared.verdicts import (
    Verdict,
    database_location,
    exemption_of,
    ordered_by_plan,
    undetermined,
    unread_keys,
)
from inventory.index.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation

CARD = Card(
    id="CMEK-03",
    check="check_every_region_of_database",
    title="Each region of a multi-region database has its key",
    basis="required",
    severity="high",
    subject="database with two regions or more",
    needs=("databases",),
    causes={
        "without-key:REGION": "No key is registered for the region.",
        "shares-key:REGION": "The region shares its key with another region of the database.",
    },
    rationale=(
        "A database spread over regions holds the same data in each of them. One region without a "
        "key leaves a full copy on Astra's keys."
    ),
    quotes=(
        Quote(
            sentence="For multi-region databases, you need a separate key for each region.",
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "A planned region: register a key for it before the region is added to a database. An "
        "existing one that was added without a key stays on Astra's keys: once a key is "
        "registered for it, recreate the database and move its data."
    ),
    no_subject="The inventory holds no database with two regions or more.",
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each database of several regions as one."""
    yield from undetermined(CARD, index)
    for deployments in index.by_database(lambda regions: len(regions) > 1):
        database = deployments[0].database
        for finding in _judge_database(index, deployments):
            yield for_database(finding, CARD, database)


def _judge_database(
    index: OrganizationIndex, deployments: tuple[Deployment, ...]
) -> Iterator[Finding]:
    """Yield one finding if every region has a key of its own, else one for each that has none."""
    database = deployments[0].database
    subject, where = database_subject(index.organization.id, database), _where(deployments)
    with_key = [deployment for deployment in deployments if deployment.expects_customer_key]
    able = [deployment for deployment in with_key if not has_no_customer_keys(deployment.scope)]
    if exemption := exemption_of((able or with_key or deployments)[0]):
        yield exemption.on_subject(CARD, subject, where)
        return
    regions_of = _regions_by_key(index, able)
    failures = [
        (deployment, verdict)
        for deployment in able
        if (verdict := _judge_region(index, deployment, regions_of))
    ]
    for deployment, verdict in failures:
        yield verdict.on_subject(CARD, subject, where, is_planned=deployment.is_planned)
    if not failures:
        keys = locations_of(index.keys[deployment.scope][0] for deployment in able)
        message = (
            f"Each of {len(able)} regions has its own key.{_others(deployments, with_key, able)}"
        )
        yield passes(CARD, subject, message, where + keys)


def _where(deployments: tuple[Deployment, ...]) -> tuple[SourceLocation, ...]:
    database = deployments[0].database
    planned = (
        *dict.fromkeys(deployment.location for deployment in deployments if deployment.is_planned),
    )
    return planned if database.is_planned else planned + database_location(database)


def _regions_by_key(
    index: OrganizationIndex, deployments: list[Deployment]
) -> dict[str, list[str]]:
    """Return the regions that each key is registered for, by what is the same in its versions."""
    regions: dict[str, list[str]] = {}
    for deployment in deployments:
        for canonical in index.key_ids(deployment.scope):
            regions.setdefault(canonical, []).append(deployment.scope.region)
    return regions


def _judge_region(
    index: OrganizationIndex, deployment: Deployment, regions_of: dict[str, list[str]]
) -> Verdict | None:
    """Return why a region has no key of its own; None if it has one."""
    scope = deployment.scope
    own = index.key_ids(scope)
    if not own:
        if unread := unread_keys(index, scope.type):
            return unread._replace(cause=cause_of(unread.reason, scope.region))
        if deployment.is_planned and (ordered := ordered_by_plan(index, scope)):
            return ordered._replace(cause=cause_of(ordered.reason, scope.region))
        message = f"The region {scope.region} has no key."
        action = missing_key_action(index, deployment)
        return Verdict("fail", message, action=action, cause=cause_of("without-key", scope.region))
    if all(len(regions_of[canonical]) == 1 for canonical in own):
        return None
    shared = min(canonical for canonical in own if len(regions_of[canonical]) > 1)
    others = ", ".join(sorted({*regions_of[shared]} - {scope.region}))
    message = f"The region {scope.region} has no key of its own: it shares one with {others}."
    action = separate_scopes(shared)
    return Verdict("fail", message, action=action, cause=cause_of("shares-key", scope.region))


def _others(*counted: Sequence[Deployment]) -> str:
    """Return how many regions have no key by declaration, or cannot have one; empty if none."""
    every, with_key, able = map(len, counted)
    notes = (
        (with_key - able, "CMEK-04 judges {} more, for which Astra has no customer keys."),
        (every - with_key, "{} more are declared to use Astra's keys."),
    )
    return "".join(f" {note.format(count)}" for count, note in notes if count)


def check_every_region_of_database(group: FindingGroup) -> None:
    """Each region of a multi-region database has its key."""
    report_outcome(group)
