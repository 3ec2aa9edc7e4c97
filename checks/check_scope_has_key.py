"""CMEK-01: each combination of database type, provider and region in use has its customer key."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import locations_of, passes, scope_subject, with_databases
from checks.engine.outcome import report_outcome
from checks.shared.remedies import REGISTER_KEY, for_scope
from checks.shared.verdicts import (
    Verdict,
    exemption_of,
    ordered_by_plan,
    undetermined,
    unread_keys,
    unregistered_key,
)
from inventory.index.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.deployments import Deployments
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.key import CustomerKey, KeyScope

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
        "its own keys, without notice. Keys of other combinations do not help."
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
        "provider and region before another database is deployed there. The key encrypts what is "
        "deployed afterwards. CMEK-05 judges the databases that already exist."
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
    index: OrganizationIndex, scope: KeyScope, deployments: Deployments
) -> Iterator[Finding]:
    """Yield one finding if the scope complies, else one for what exists and one for what does not.

    The two are different causes: what is only planned can still be prevented.
    """
    with_customer_key = deployments.select(attrgetter("expects_customer_key"))
    keys = index.keys.get(scope, [])
    if not with_customer_key or keys or has_no_customer_keys(scope):
        finding = _without_failure(scope, with_customer_key or deployments, keys)
        yield with_databases(finding, CARD, len(deployments), index.planned[scope])
        return
    for is_planned in (True, False):
        alike = _planned(with_customer_key) if is_planned else _existing(with_customer_key)
        if alike:
            verdict = _without_key(index, scope, alike)
            where = tuple(alike.locations[:3])
            finding = verdict.on_subject(CARD, scope_subject(scope), where, is_planned=is_planned)
            yield with_databases(finding, CARD, len(alike), len(alike) if is_planned else 0)


def _planned(deployments: Deployments) -> Deployments:
    return deployments.select(attrgetter("is_planned"))


def _existing(deployments: Deployments) -> Deployments:
    return deployments.select(lambda deployment: not deployment.is_planned)


def _without_failure(scope: KeyScope, deployments: Deployments, keys: list[CustomerKey]) -> Finding:
    """Return the finding for a scope that has a key, or needs none."""
    named = (*_planned(deployments).locations[:3], *_existing(deployments).locations[:3])
    subject, where = scope_subject(scope), named[:3]
    if exemption := exemption_of(deployments[0]):
        return exemption.on_subject(CARD, subject, where)
    message = f"The key {keys[0].key_id} is registered."
    return passes(CARD, subject, message, (*locations_of(keys), *where))


def _without_key(index: OrganizationIndex, scope: KeyScope, deployments: Deployments) -> Verdict:
    if exemption := exemption_of(deployments[0]):
        return exemption
    if unread := unread_keys(index, scope.type):
        return unread
    if deployments[0].is_planned and (ordered := ordered_by_plan(index, scope)):
        return ordered
    message = f"No customer key is registered.{unregistered_key(index, scope)}"
    action = for_scope(REGISTER_KEY, index, scope)
    return Verdict("fail", message, action=action, cause="without-key")


def check_scope_has_key(group: FindingGroup) -> None:
    """Each combination of database type, provider and region in use has its customer key."""
    report_outcome(group)
