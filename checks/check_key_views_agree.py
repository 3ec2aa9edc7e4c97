"""CMEK-13: the key list and the regional lookup of each region agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import MANAGE, Card, Quote
from checks.engine.context import gap_text
from checks.engine.finding import (
    fails,
    inconclusive,
    locations_of,
    not_applicable,
    organization_subject,
    passes,
    scope_subject,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, gap_action
from checks.shared.remedies import for_scope
from checks.shared.verdicts import population_gap, with_databases_of
from inventory.index.organization_index import has_no_customer_keys
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.actions import Action
    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import Located, SourceLocation
    from inventory.model.gaps import Gap
    from inventory.model.key import KeyScope, RegionView
    from inventory.model.organization import Organization

CARD = Card(
    id="CMEK-13",
    check="check_key_views_agree",
    title="The key list and the regional lookup of each region agree",
    basis="derived",
    severity="high",
    subject="key scope with a key or a database",
    causes={
        "differ:LISTED,SHOWN": "The key list and the regional lookup show different keys.",
    },
    rationale=(
        "Astra shows registered keys in two ways. If they differ, one of them is wrong, and so is "
        "every conclusion drawn from it."
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
        "Re-collect both. If they still differ, open a case with IBM Support and deploy nothing "
        "there before it is answered."
    ),
    no_subject="The inventory holds neither a key nor a database.",
    roles=("key-views", "which-key"),
)

_RECOLLECT_BOTH = ActionKind(
    code="recollect-key-views",
    sentence="Re-collect the key list and the regional lookup for {scope}",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Re-collect the key list and the regional lookups for {number} key scopes: {scopes}"
    ),
    steps=(
        "Collect the key list and the regional lookup again, in one run.",
        "If they still differ, open a case with IBM Support.",
        "Deploy nothing there before they answer.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Compare both in each key scope that either of them, or a database, names."""
    organization = index.organization
    views = dict(index.views())
    scopes = [
        scope
        for scope in dict.fromkeys([*index.keys, *index.scopes, *views])
        if scope.type != "unknown" and (scope in views or not has_no_customer_keys(scope))
    ]
    for scope in scopes:
        finding = _judge_scope(index, scope, views.get(scope))
        yield with_databases_of(finding, index, [scope])
    gap = population_gap(index)
    is_seen = any(
        scope in index.keys or scope in views or _is_in_use(index, scope) for scope in scopes
    )
    was_asked = organization.region_views is not None or "region-views" in index.gaps
    if gap and was_asked and not is_seen:
        yield _nothing_to_compare(organization, gap)


def _is_in_use(index: OrganizationIndex, scope: KeyScope) -> bool:
    """Return whether a database exists in the scope; a planned one does not count."""
    return len(index.scopes.get(scope, ())) > index.planned[scope]


def _nothing_to_compare(organization: Organization, gap: Gap) -> Finding:
    message = f"Neither a key nor a database is recorded, and more may exist: {gap_text(gap)}."
    action = gap_action(gap, organization)
    subject, where = organization_subject(organization.id), locations_of([organization])
    return inconclusive(CARD, subject, cause_of_gap(gap), message, where, action)


def _judge_scope(index: OrganizationIndex, scope: KeyScope, view: RegionView | None) -> Finding:
    subject = scope_subject(scope)
    keys = index.keys.get(scope, [])
    seen: list[Located] = [*keys, view] if view else [*keys]
    where = locations_of(seen or [index.organization])
    again = for_scope(_RECOLLECT_BOTH, index, scope)
    gap = index.gaps.get("region-views")
    if view is None and gap:
        message = f"The regional lookup was not read: {gap_text(gap)}."
        action = gap_action(gap, index.organization)
        return inconclusive(CARD, subject, cause_of_gap(gap), message, where, action)
    if index.organization.region_views is None:
        message = "The record has no regional lookups, so there is nothing to compare."
        return not_applicable(CARD, subject, message, where, "one-view-only")
    if view is None:
        message = "The regional lookup of this region is missing from the record."
        return inconclusive(CARD, subject, "not-recorded", message, where, again)
    if unread := index.keys_gap(scope.type):
        message = f"The key list may be incomplete: {gap_text(unread)}."
        action = gap_action(unread, index.organization)
        return inconclusive(CARD, subject, cause_of_gap(unread), message, where, action)
    return _compare(scope, {key.key_id for key in keys}, view, where, again)


def _compare(
    scope: KeyScope,
    listed: set[str],
    view: RegionView,
    where: tuple[SourceLocation, ...],
    again: Action,
) -> Finding:
    shown = {view.key_id} if view.key_id else set()
    same = set(map(canonical, listed))
    if same == set(map(canonical, shown)):
        message = f"Both show {view.key_id}." if view.key_id else "Both show no key."
        return passes(CARD, scope_subject(scope), message, where)
    keys = ", ".join(sorted(listed)) or "no key"
    message = f"The key list shows {keys}; the regional lookup shows {view.key_id or 'no key'}."
    cause = cause_of("differ", " ".join(sorted(same)), *map(canonical, sorted(shown)))
    return fails(CARD, scope_subject(scope), cause, message, where, again)


def check_key_views_agree(group: FindingGroup) -> None:
    """The key list and the regional lookup of each region agree."""
    report_outcome(group)
