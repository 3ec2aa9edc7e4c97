"""CMEK-01: each combination of database type, provider and region in use has its customer key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import words
from checks.engine.finding import concerning, of_scope, passes, places
from checks.engine.outcome import settle
from checks.shared.verdicts import (
    Answer,
    keys_unread,
    no_key_wanted,
    ordered_by_plan,
    undetermined,
    unregistered_key,
)
from inventory.model.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import Group
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.organization_index import Estate, Placement

CARD = Card(
    id="CMEK-01",
    check="check_scope_has_key",
    title="Each combination of database type, provider and region in use has its customer key",
    force="required",
    severity="high",
    severity_planned="critical",
    subject="key scope with databases, existing or planned, to be encrypted by a customer key",
    needs=("databases",),
    causes={
        "without-key": "No key is registered for the combination.",
    },
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
        "provider and region before any further database is deployed there. That key encrypts "
        "what is deployed afterwards. What exists already is a finding of CMEK-05."
    ),
    no_subject="The inventory holds no database, existing or planned.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each key scope that holds a database once, however many it holds."""
    yield from undetermined(CARD, estate)
    for scope, placements in estate.scopes.items():
        yield from _judge_scope(estate, scope, placements)


def _judge_scope(estate: Estate, scope: KeyScope, placements: list[Placement]) -> Iterator[Finding]:
    """Yield one finding if the scope complies, else one for what exists and one for what does not.

    The two are different causes: what is only planned can still be prevented.
    """
    wanting = [placement for placement in placements if placement.wants_key]
    keys = estate.keys.get(scope, [])
    if not wanting or keys or has_no_customer_keys(scope):
        finding = _without_failure(scope, wanting or placements, keys)
        yield concerning(finding, CARD, len(placements), estate.planned[scope])
        return
    for is_planned in (True, False):
        alike = [placement for placement in wanting if placement.is_planned is is_planned]
        if alike:
            answer = _without_key(estate, scope, alike)
            where = tuple(placement.place for placement in alike[:3])
            finding = answer.about(CARD, of_scope(scope), where, is_planned=is_planned)
            yield concerning(finding, CARD, len(alike), len(alike) if is_planned else 0)


def _without_failure(
    scope: KeyScope, placements: list[Placement], keys: list[CustomerKey]
) -> Finding:
    """Return the finding for a scope that has a key, or needs none."""
    planned_first = sorted(placements, key=lambda placement: not placement.is_planned)
    subject, where = of_scope(scope), tuple(placement.place for placement in planned_first[:3])
    if exemption := no_key_wanted(placements[0]):
        return exemption.about(CARD, subject, where)
    says = f"The key {keys[0].key_id} is registered."
    return passes(CARD, subject, says, (*places(keys), *where))


def _without_key(estate: Estate, scope: KeyScope, placements: list[Placement]) -> Answer:
    if exemption := no_key_wanted(placements[0]):
        return exemption
    if unread := keys_unread(estate, scope.type):
        return unread
    if placements[0].is_planned and (ordered := ordered_by_plan(estate, scope)):
        return ordered
    says = f"No customer key is registered.{unregistered_key(estate, scope)}"
    action = f"Register a key for {words(estate.organization, scope)}"
    return Answer("fail", says, action=action, cause="without-key")


def check_scope_has_key(group: Group) -> None:
    """Each combination of database type, provider and region in use has its customer key."""
    settle(group)
