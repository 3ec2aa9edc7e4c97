"""CMEK-03: each region of a multi-region database has its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import about, of_database, passes, places
from checks.engine.identity import cause_of
from checks.engine.outcome import settle
from checks.shared.remedies import missing_key_action
from checks.shared.verdicts import (
    Answer,
    keys_unread,
    no_key_wanted,
    ordered_by_plan,
    place_of,
    undetermined,
)
from inventory.model.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import Group
    from inventory.model.base import Place
    from inventory.model.organization_index import Estate, Placement

CARD = Card(
    id="CMEK-03",
    check="check_every_region_of_database",
    title="Each region of a multi-region database has its key",
    force="required",
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


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each database of several regions as one."""
    yield from undetermined(CARD, estate)
    for placements in estate.placements:
        if len(placements) > 1:
            database = placements[0].database
            for finding in _judge_database(estate, placements):
                yield about(finding, CARD, database)


def _judge_database(estate: Estate, placements: tuple[Placement, ...]) -> Iterator[Finding]:
    """Yield one finding if every region has a key of its own, else one for each that has none."""
    database = placements[0].database
    subject, where = of_database(estate.organization.id, database), _where(placements)
    wanting = [placement for placement in placements if placement.wants_key]
    able = [placement for placement in wanting if not has_no_customer_keys(placement.scope)]
    if exemption := no_key_wanted((able or wanting or placements)[0]):
        yield exemption.about(CARD, subject, where)
        return
    regions_of = _regions_by_key(estate, able)
    failures = [
        (placement, answer)
        for placement in able
        if (answer := _judge_region(estate, placement, regions_of))
    ]
    for placement, answer in failures:
        yield answer.about(CARD, subject, where, is_planned=placement.is_planned)
    if not failures:
        keys = places(estate.keys[placement.scope][0] for placement in able)
        says = f"Each of {len(able)} regions has its own key.{_others(placements, wanting, able)}"
        yield passes(CARD, subject, says, where + keys)


def _where(placements: tuple[Placement, ...]) -> tuple[Place, ...]:
    database = placements[0].database
    planned = (*dict.fromkeys(each.place for each in placements if each.is_planned),)
    return planned if database.is_planned else planned + place_of(database)


def _regions_by_key(estate: Estate, placements: list[Placement]) -> dict[str, list[str]]:
    """Return the regions that each key is registered for, by what is the same in its versions."""
    regions: dict[str, list[str]] = {}
    for placement in placements:
        for canonical in estate.key_ids(placement.scope):
            regions.setdefault(canonical, []).append(placement.scope.region)
    return regions


def _judge_region(
    estate: Estate, placement: Placement, regions_of: dict[str, list[str]]
) -> Answer | None:
    """Return why a region has no key of its own; None if it has one."""
    scope = placement.scope
    own = estate.key_ids(scope)
    if not own:
        if unread := keys_unread(estate, scope.type):
            return unread._replace(cause=cause_of(unread.reason, scope.region))
        if placement.is_planned and (ordered := ordered_by_plan(estate, scope)):
            return ordered._replace(cause=cause_of(ordered.reason, scope.region))
        says = f"The region {scope.region} has no key."
        action = missing_key_action(estate, placement)
        return Answer("fail", says, action=action, cause=cause_of("without-key", scope.region))
    if all(len(regions_of[canonical]) == 1 for canonical in own):
        return None
    shared = min(canonical for canonical in own if len(regions_of[canonical]) > 1)
    others = ", ".join(sorted({*regions_of[shared]} - {scope.region}))
    says = f"The region {scope.region} has no key of its own: it shares one with {others}."
    action = f"Give each scope a key of its own instead of {shared}"
    return Answer("fail", says, action=action, cause=cause_of("shares-key", scope.region))


def _others(*counted: Sequence[Placement]) -> str:
    """Say how many regions are to have no key, or cannot have one."""
    every, wanting, able = map(len, counted)
    notes = (
        (wanting - able, "CMEK-04 judges {} more, where Astra has no customer keys."),
        (every - wanting, "{} more to be encrypted by Astra's keys."),
    )
    return "".join(f" {note.format(count)}" for count, note in notes if count)


def check_every_region_of_database(group: Group) -> None:
    """Each region of a multi-region database has its key."""
    settle(group)
