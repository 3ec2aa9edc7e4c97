"""CMEK-09: a registered key has a database to encrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import gap_text, scope_label
from checks.engine.finding import concerning, fails, inconclusive, key_subject, locations_of, passes
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, gap_action
from checks.shared.remedies import FIND_TYPE, attest_none, determine
from checks.shared.verdicts import lists_none_unattested

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.organization_index import OrganizationIndex

CARD = Card(
    id="CMEK-09",
    check="check_key_is_used",
    title="A registered key has a database to encrypt",
    basis="derived",
    severity="advisory",
    subject="key",
    needs=("keys",),
    causes={
        "unused": "No database is deployed or planned where the key could encrypt it.",
    },
    rationale=(
        "A key without databases costs money and is one more secret to look after; often it was "
        "registered for the wrong region or type, and the right one is missing."
    ),
    quotes=(
        Quote(
            sentence=("Additionally, customer keys incur billed charges in your cloud provider."),
            page=OVERVIEW,
            heading="Billed charges for premium runtime and cloud provider services",
        ),
    ),
    remediation=(
        "Compare with missing keys of the same organization. A key that is really idle can be "
        "removed by IBM Support only, and never while a database, or a backup, rests on it."
    ),
    no_subject="The inventory holds no customer key.",
    roles=("key-used",),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by the databases in its scope, existing or planned."""
    for scope, keys in index.keys.items():
        for key in keys:
            finding = _judge_key(index, scope, key, context)
            databases = len(index.scopes.get(scope, ()))
            yield concerning(finding, CARD, databases, index.planned[scope])


def _judge_key(
    index: OrganizationIndex, scope: KeyScope, key: CustomerKey, context: Context
) -> Finding:
    subject, where = key_subject(scope, key.key_id), locations_of([key])
    databases = len(index.scopes.get(scope, ()))
    if databases:
        count = "1 database lies" if databases == 1 else f"{databases:,} databases lie"
        return passes(CARD, subject, f"{count} in its scope.", where)
    gap = index.gaps.get("databases")
    if gap:
        message = f"No database is recorded, and they may not be all: {gap_text(gap)}."
        action = gap_action(gap, index.organization)
        return inconclusive(CARD, subject, cause_of_gap(gap), message, where, action)
    if lists_none_unattested(index.organization, context):
        message = "Astra lists no database at all, as it does to a token that may see none."
        action = attest_none(index.organization)
        return inconclusive(CARD, subject, "empty", message, where, action)
    if scope._replace(type="unknown") in index.scopes:
        message = "Only databases of unknown type lie there, which it may or may not encrypt."
        return inconclusive(CARD, subject, "unknown-type", message, where, FIND_TYPE)
    if managed := index.organization.managed.undetermined:
        message = f"A plan does not tell where {managed[0].name} will lie, which may be here."
        return inconclusive(CARD, subject, "not-determined", message, where, determine(managed))
    action = f"Find out why {scope_label(index.organization, scope)} has a key and no database"
    return fails(CARD, subject, "unused", "No database lies in its scope.", where, action)


def check_key_is_used(group: FindingGroup) -> None:
    """A registered key has a database to encrypt."""
    report_outcome(group)
