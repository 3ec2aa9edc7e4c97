"""CMEK-03: each region of a multi-region database has its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.common import keys_unread, no_key_wanted, place_of, undetermined
from checks.context import words
from checks.finding import about, fails, of_database, passes, places
from checks.group import settle
from inventory.estate import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.context import Context
    from checks.finding import Finding
    from checks.group import Group
    from inventory.estate import Estate, Placement

CARD = Card(
    id="CMEK-03",
    check="check_every_region_of_database",
    title="Each region of a multi-region database has its key",
    force="required",
    severity="high",
    subject="database with two regions or more",
    needs=("databases",),
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
        "Register a key for each region before the region is added to a database. A region that "
        "was added without one stays on Astra's keys: create the database anew and move its data."
    ),
    no_subject="The inventory holds no database with two regions or more.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each database of several regions as one."""
    yield from undetermined(CARD, estate)
    for placements in estate.placements:
        if len(placements) > 1:
            finding = _judge_database(estate, placements)
            database = placements[0].database
            yield about(finding, CARD, database)


def _judge_database(estate: Estate, placements: tuple[Placement, ...]) -> Finding:
    database = placements[0].database
    subject = of_database(estate.organization.id, database)
    where = (*dict.fromkeys(each.place for each in placements if each.is_planned),)
    where = where if database.is_planned else where + place_of(database)
    wanting = [each for each in placements if each.wants_key]
    able = [each for each in wanting if not has_no_customer_keys(each.scope)]
    if aside := no_key_wanted((able or wanting or placements)[0]):
        return aside.about(CARD, subject, where)
    missing = [each.scope for each in able if each.scope not in estate.keys]
    if not missing:
        keys = places(estate.keys[each.scope][0] for each in able)
        says = f"Each of {len(able)} regions has its key.{_others(placements, wanting, able)}"
        return passes(CARD, subject, says, where + keys)
    if unread := keys_unread(estate, database.type):
        return unread.about(CARD, subject, where)
    named = ", ".join(scope.region for scope in missing)
    says = f"{len(missing)} of {len(able)} regions have no key: {named}."
    action = f"Register a key for {words(estate.organization, missing[0])}"
    return fails(CARD, subject, says, where, action)


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
