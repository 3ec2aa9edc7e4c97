"""CMEK-01: each combination of database type, provider and region in use has its customer key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import scope_label
from checks.engine.finding import concerning, locations_of, passes, scope_subject
from checks.engine.outcome import report_outcome
from checks.shared.verdicts import (
    Verdict,
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
    from checks.engine.outcome import FindingGroup
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.organization_index import Deployment, OrganizationIndex

CARD = Card(
    id="CMEK-01",
    check="check_scope_has_key",
    title="Each combination of database type, provider and region in use has its customer key",
    basis="required",
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
    roles=("key-needed", "proof"),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key scope that holds a database once, however many it holds."""
    yield from undetermined(CARD, index)
    for scope, deployments in index.scopes.items():
        yield from _judge_scope(index, scope, deployments)


def _judge_scope(
    index: OrganizationIndex, scope: KeyScope, deployments: list[Deployment]
) -> Iterator[Finding]:
    """Yield one finding if the scope complies, else one for what exists and one for what does not.

    The two are different causes: what is only planned can still be prevented.
    """
    wanting = [deployment for deployment in deployments if deployment.wants_key]
    keys = index.keys.get(scope, [])
    if not wanting or keys or has_no_customer_keys(scope):
        finding = _without_failure(scope, wanting or deployments, keys)
        yield concerning(finding, CARD, len(deployments), index.planned[scope])
        return
    for is_planned in (True, False):
        alike = [deployment for deployment in wanting if deployment.is_planned is is_planned]
        if alike:
            answer = _without_key(index, scope, alike)
            where = tuple(deployment.location for deployment in alike[:3])
            finding = answer.about(CARD, scope_subject(scope), where, is_planned=is_planned)
            yield concerning(finding, CARD, len(alike), len(alike) if is_planned else 0)


def _without_failure(
    scope: KeyScope, deployments: list[Deployment], keys: list[CustomerKey]
) -> Finding:
    """Return the finding for a scope that has a key, or needs none."""
    planned_first = sorted(deployments, key=lambda deployment: not deployment.is_planned)
    subject, where = (
        scope_subject(scope),
        tuple(deployment.location for deployment in planned_first[:3]),
    )
    if exemption := no_key_wanted(deployments[0]):
        return exemption.about(CARD, subject, where)
    message = f"The key {keys[0].key_id} is registered."
    return passes(CARD, subject, message, (*locations_of(keys), *where))


def _without_key(
    index: OrganizationIndex, scope: KeyScope, deployments: list[Deployment]
) -> Verdict:
    if exemption := no_key_wanted(deployments[0]):
        return exemption
    if unread := keys_unread(index, scope.type):
        return unread
    if deployments[0].is_planned and (ordered := ordered_by_plan(index, scope)):
        return ordered
    message = f"No customer key is registered.{unregistered_key(index, scope)}"
    action = f"Register a key for {scope_label(index.organization, scope)}"
    return Verdict("fail", message, action=action, cause="without-key")


def check_scope_has_key(group: FindingGroup) -> None:
    """Each combination of database type, provider and region in use has its customer key."""
    report_outcome(group)
