"""CMEK-13: the list of keys and the view of each region agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import MANAGE, Card, Quote
from checks.engine.context import because, words
from checks.engine.finding import (
    fails,
    inconclusive,
    not_applicable,
    of_organization,
    of_scope,
    passes,
    places,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import settle
from checks.engine.reasons import cause_of_gap, settling
from checks.shared.verdicts import concerning_scopes, population_gap
from inventory.model.key_ids import canonical
from inventory.model.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import Group
    from inventory.model.base import Located, Place
    from inventory.model.gaps import Gap
    from inventory.model.key import KeyScope, RegionView
    from inventory.model.organization import Organization
    from inventory.model.organization_index import Estate

CARD = Card(
    id="CMEK-13",
    check="check_key_views_agree",
    title="The list of keys and the view of each region agree",
    force="derived",
    severity="high",
    subject="key scope with a key or a database",
    causes={
        "differ:LISTED,SHOWN": "The list and the view of the region show different keys.",
    },
    rationale=(
        "Astra shows registered keys in two ways. If they differ, one of them is wrong, and with "
        "it every conclusion that was drawn from it."
    ),
    quotes=(
        Quote(
            sentence=(
                "You can use the DevOps API to get registered encryption keys for a specific "
                "region."
            ),
            page=MANAGE,
            heading="Get encryption keys for one region with the DevOps API",
        ),
        Quote(
            sentence=(
                "You can use the DevOps API to get all registered customer keys for an "
                "organization."
            ),
            page=MANAGE,
            heading="Get all Astra Managed Clusters encryption keys with the DevOps API",
        ),
    ),
    remediation=(
        "Record both views again. If they still differ, open a case with IBM Support and deploy "
        "nothing there before it is answered."
    ),
    no_subject="The inventory holds neither a key nor a database.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Compare both views in each key scope that either of them, or a database, names."""
    organization = estate.organization
    views = dict(estate.views())
    scopes = [
        scope
        for scope in dict.fromkeys([*estate.keys, *estate.scopes, *views])
        if scope.type != "unknown" and (scope in views or not has_no_customer_keys(scope))
    ]
    for scope in scopes:
        finding = _judge_scope(estate, scope, views.get(scope))
        yield concerning_scopes(finding, estate, [scope])
    gap = population_gap(estate)
    is_seen = any(
        scope in estate.keys or scope in views or _is_in_use(estate, scope) for scope in scopes
    )
    was_asked = organization.region_views is not None or "region-views" in estate.gaps
    if gap and was_asked and not is_seen:
        yield _nothing_to_compare(organization, gap)


def _is_in_use(estate: Estate, scope: KeyScope) -> bool:
    """Say whether a database exists in the scope; what is planned shows nothing of what is."""
    return len(estate.scopes.get(scope, ())) > estate.planned[scope]


def _nothing_to_compare(organization: Organization, gap: Gap) -> Finding:
    says = f"Neither a key nor a database is recorded, and they may not be all: {because(gap)}."
    action = settling(gap, organization)
    subject, where = of_organization(organization.id), places([organization])
    return inconclusive(CARD, subject, cause_of_gap(gap), says, where, action)


def _judge_scope(estate: Estate, scope: KeyScope, view: RegionView | None) -> Finding:
    subject = of_scope(scope)
    keys = estate.keys.get(scope, [])
    seen: list[Located] = [*keys, view] if view else [*keys]
    where = places(seen or [estate.organization])
    again = f"Record both views of {words(estate.organization, scope)} again"
    gap = estate.gaps.get("region-views")
    if view is None and gap:
        says = f"The view of the region was not read: {because(gap)}."
        action = settling(gap, estate.organization)
        return inconclusive(CARD, subject, cause_of_gap(gap), says, where, action)
    if estate.organization.region_views is None:
        says = "The inventory was not recorded with both views."
        return not_applicable(CARD, subject, says, where, "one-view-only")
    if view is None:
        says = "The view of this region is missing among those that were recorded."
        return inconclusive(CARD, subject, "not-recorded", says, where, again)
    if unread := estate.keys_gap(scope.type):
        says = f"The list of keys may not be whole: {because(unread)}."
        action = settling(unread, estate.organization)
        return inconclusive(CARD, subject, cause_of_gap(unread), says, where, action)
    return _compare(scope, {key.key_id for key in keys}, view, where, again)


def _compare(
    scope: KeyScope,
    listed: set[str],
    view: RegionView,
    where: tuple[Place, ...],
    again: str,
) -> Finding:
    shown = {view.key_id} if view.key_id else set()
    same = set(map(canonical, listed))
    if same == set(map(canonical, shown)):
        says = f"Both show {view.key_id}." if view.key_id else "Both show no key."
        return passes(CARD, of_scope(scope), says, where)
    named = ", ".join(sorted(listed)) or "no key"
    says = f"The list shows {named}, the view of the region {view.key_id or 'no key'}."
    cause = cause_of("differ", " ".join(sorted(same)), *map(canonical, sorted(shown)))
    return fails(CARD, of_scope(scope), cause, says, where, again)


def check_key_views_agree(group: Group) -> None:
    """The list of keys and the view of each region agree."""
    settle(group)
