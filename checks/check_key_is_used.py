"""CMEK-09: a registered key has a database to encrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import gap_text
from checks.engine.finding import (
    fails,
    inconclusive,
    key_subject,
    locations_of,
    passes,
    with_databases,
)
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, gap_action
from checks.shared.portal import current_sightings, look_in_words
from checks.shared.remedies import FIND_TYPE, attest_no_database, determine, for_scope
from checks.shared.verdicts import lists_none_unattested
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.attestations import PortalKey
    from inventory.model.key import CustomerKey, KeyScope

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
        "A key without databases costs money and is one more secret to manage; often it was "
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
        "Compare with missing keys of the same organization. An unused key can be removed by IBM "
        "Support only, and never while a database or a backup depends on it."
    ),
    no_subject="The inventory holds no customer key.",
    roles=("key-used",),
)

_EXPLAIN_UNUSED = ActionKind(
    code="explain-unused-key",
    sentence="Find out why {scope} has a key and no database",
    purpose="repair",
    who="we",
    sentence_for_several="Find out why {number} key scopes have a key and no database: {scopes}",
    steps=(
        (
            "Compare the key with the missing keys of the organization: it may be registered for "
            "the wrong type or region."
        ),
        "Ask whether a database is still to come, and record that as a plan.",
        (
            "Ask IBM Support to remove the key if it is not needed, and never while a database or "
            "a backup depends on it."
        ),
    ),
)
_FIND_USER = ActionKind(
    code="find-key-user",
    sentence="Find out which database uses the key of {scope}",
    purpose="prove",
    who="we",
    sentence_for_several="Find out which databases use the keys of {number} key scopes: {scopes}",
    steps=(
        "Look again at the key in the Astra portal, and change nothing while it is in use.",
        "Let the token see all databases of the organization, and re-collect it.",
        "Record what the portal shows now, with name and day.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by the databases in its scope, existing or planned."""
    for scope, keys in index.keys.items():
        for key in keys:
            finding = _judge_key(index, scope, key, context)
            databases = len(index.scopes.get(scope, ()))
            yield with_databases(finding, CARD, databases, index.planned[scope])


def _judge_key(
    index: OrganizationIndex, scope: KeyScope, key: CustomerKey, context: Context
) -> Finding:
    subject, where = key_subject(scope, key.key_id), locations_of([key])
    databases = len(index.scopes.get(scope, ()))
    sightings = current_sightings([key], scope, context.as_of)
    seen = "".join(f" {look_in_words(look)}" for look in sightings)
    if databases:
        message = f"{pluralize(databases, 'database')} in its key scope.{seen}"
        return passes(CARD, subject, message, where)
    return _hidden(index, scope, key, context) or _without_database(index, scope, key, sightings)


def _without_database(
    index: OrganizationIndex, scope: KeyScope, key: CustomerKey, sightings: Sequence[PortalKey]
) -> Finding:
    """Judge a key in whose scope no database is; ``looks`` at the portal may say otherwise."""
    subject, where = key_subject(scope, key.key_id), locations_of([key])
    message = "No database is in its key scope."
    if in_use := [look for look in sightings if look.status == "in-use"]:
        text = f"{message} {look_in_words(in_use[0])} The portal and the record contradict."
        action = for_scope(_FIND_USER, index, scope)
        return inconclusive(CARD, subject, "contradiction", text, where, action)
    action = for_scope(_EXPLAIN_UNUSED, index, scope)
    return fails(CARD, subject, "unused", message, where, action)


def _hidden(
    index: OrganizationIndex, scope: KeyScope, key: CustomerKey, context: Context
) -> Finding | None:
    """Return the finding for a key that databases may use which were not recorded there."""
    subject, where = key_subject(scope, key.key_id), locations_of([key])
    gap = index.gaps.get("databases")
    if gap:
        message = f"No database is recorded, and the list may be incomplete: {gap_text(gap)}."
        action = gap_action(gap, index.organization)
        return inconclusive(CARD, subject, cause_of_gap(gap), message, where, action)
    if lists_none_unattested(index.organization, context):
        message = "Astra lists no database; a token that may see none gets the same answer."
        action = attest_no_database(index.organization)
        return inconclusive(CARD, subject, "empty", message, where, action)
    if scope._replace(type="unknown") in index.scopes:
        message = "The key may or may not encrypt the databases there: their type is unknown."
        return inconclusive(CARD, subject, "unknown-type", message, where, FIND_TYPE)
    if managed := index.organization.managed.undetermined:
        message = f"A plan does not show where {managed[0].name} will be deployed; it may be here."
        return inconclusive(CARD, subject, "not-determined", message, where, determine(managed))
    return None


def check_key_is_used(group: FindingGroup) -> None:
    """A registered key has a database to encrypt."""
    report_outcome(group)
