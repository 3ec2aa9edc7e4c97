"""CMEK-01: each combination of database type, provider and region in use has its customer key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.common import keys_unread, managed_key, no_key_wanted, undetermined
from checks.context import words
from checks.finding import concerning, fails, of_scope, passes, places
from checks.group import settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.context import Context
    from checks.finding import Finding
    from checks.group import Group
    from inventory.estate import Estate, Placement
    from inventory.models import KeyScope

CARD = Card(
    id="CMEK-01",
    check="check_scope_has_key",
    title="Each combination of database type, provider and region in use has its customer key",
    force="required",
    severity="high",
    severity_planned="critical",
    subject="key scope with databases, existing or planned, to be encrypted by a customer key",
    needs=("databases",),
    rationale=(
        "Without a key registered for exactly this combination, Astra encrypts its databases with "
        "keys of its own, and tells nobody. Other combinations' keys do not help."
    ),
    quotes=(
        Quote(
            sentence=(
                "In summary, you need one customer key for each combination of database type, "
                "cloud provider, and region."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Create a key with the provider, in that region, and register it in Astra for that type, "
        "provider and region before any further database is deployed there. Databases that exist "
        "already stay on Astra's keys: create them anew afterwards and move their data."
    ),
    no_subject="The inventory holds no database, existing or planned.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each key scope that holds a database once, however many it holds."""
    yield from undetermined(CARD, estate)
    for scope, placements in estate.scopes.items():
        finding = _judge_scope(estate, scope, placements)
        count, planned = len(placements), estate.planned[scope]
        if finding.status == "fail":
            states = [each.is_planned for each in placements if each.wants_key]
            count, planned = len(states), sum(states)
        yield concerning(finding, CARD, count, planned)


def _judge_scope(estate: Estate, scope: KeyScope, placements: list[Placement]) -> Finding:
    if estate.planned[scope]:
        placements = sorted(placements, key=lambda each: not each.is_planned)
    subject, where = of_scope(scope), tuple([each.place for each in placements[:3]])
    example = next((each for each in placements if each.wants_key), placements[0])
    if aside := no_key_wanted(example):
        return aside.about(CARD, subject, where)
    if keys := estate.keys.get(scope):
        says = f"The key {keys[0].key_id} is registered."
        return passes(CARD, subject, says, (*places(keys), *where))
    if unread := keys_unread(estate, scope.type):
        return unread.about(CARD, subject, where)
    action = f"Register a key for {words(estate.organization, scope)}"
    says = f"No customer key is registered.{managed_key(estate, scope)}"
    return fails(CARD, subject, says, where, action)


def check_scope_has_key(group: Group) -> None:
    """Each combination of database type, provider and region in use has its customer key."""
    settle(group)
