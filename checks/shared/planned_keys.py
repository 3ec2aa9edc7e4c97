"""Findings about planned keys: what several rules find about a key that a plan would change.

A wrong registration cannot be undone with Terraform, so a planned key is judged as a registered
one. It has its own causes, as what is planned can still be prevented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import (
    Finding,
    inconclusive,
    locations_of,
    planned_key_subject,
    undetermined_key_subject,
)
from checks.engine.identity import PLANNED
from checks.shared.remedies import determine
from checks.shared.verdicts import with_databases_of
from inventory.index.organization_index import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.card import Card
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.key import KeyScope
    from inventory.model.planned_keys import PlannedKey, UndeterminedKey

NO_ID = "key-id-not-determined"
"""The reason of a finding about a planned key whose id the plan does not show."""


def planned_keys(index: OrganizationIndex) -> Iterator[tuple[KeyScope, PlannedKey]]:
    """Yield each key that a plan would register, with its key scope."""
    for scope, keys in index.planned_keys.items():
        for key in keys:
            yield scope, key


def changed_keys(index: OrganizationIndex) -> Iterator[tuple[KeyScope, PlannedKey]]:
    """Yield each key that a plan would replace or remove, with its key scope, each change once."""
    seen = set()
    for key in index.organization.managed.planned_keys:
        scope = scope_of(index.organization.id, key)
        change = (key.change, planned_key_subject(scope, key).path)
        if key.change != "register" and change not in seen:
            seen.add(change)
            yield scope, key


def as_planned(finding: Finding, card: Card, index: OrganizationIndex, key: PlannedKey) -> Finding:
    """Make a finding one about the planned ``key``: subject, place, cause, severity, databases."""
    scope = scope_of(index.organization.id, key)
    cause = finding.cause
    finding = finding._replace(
        subject=planned_key_subject(scope, key),
        cause=f"{PLANNED}{cause}" if cause else "",
        severity=card.severity_planned or card.severity,
        name=key.resource,
        evidence=tuple(dict.fromkeys((key.location, *finding.evidence))),
    )
    return with_databases_of(finding, index, [scope])


def without_id(card: Card, index: OrganizationIndex, key: PlannedKey) -> Finding:
    """Return the finding about a planned key whose id the plan does not show."""
    subject = planned_key_subject(scope_of(index.organization.id, key), key)
    message = f"The plan does not show the id of {key.resource}: {key.missing}."
    finding = inconclusive(card, subject, NO_ID, message, (), determine([key]))
    return as_planned(finding, card, index, key)


def undetermined_keys(
    card: Card, index: OrganizationIndex, *, is_registered: bool = True
) -> Iterator[Finding]:
    """Yield a finding for each planned key whose key scope the plan does not show.

    ``is_registered`` selects those that a plan would register; else those that it would replace or
    remove.
    """
    for key in index.organization.managed.undetermined_keys:
        if (key.change == "register") is is_registered:
            yield _undetermined(card, index, key)


def _undetermined(card: Card, index: OrganizationIndex, key: UndeterminedKey) -> Finding:
    subject = undetermined_key_subject(index.organization.id, key)
    message = f"The plan does not show the key scope of {key.name}: {key.missing}."
    cause, severity = f"{PLANNED}not-determined", card.severity_planned or card.severity
    finding = inconclusive(card, subject, cause, message, locations_of([key]), determine([key]))
    return finding._replace(severity=severity, name=key.name)
