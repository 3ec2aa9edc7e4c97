"""Verdicts that several rules reach alike, so that they give them in the same words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import gap_text, utc
from checks.engine.finding import (
    OPEN,
    Finding,
    Status,
    concerning,
    inconclusive,
    locations_of,
    not_applicable,
    planned_database_subject,
)
from checks.engine.identity import PLANNED
from checks.engine.reasons import cause_of_gap, gap_action
from inventory.model.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.engine.card import Card
    from checks.engine.context import Context
    from checks.engine.finding import Subject
    from inventory.model.attestations import Attestation
    from inventory.model.base import SourceLocation
    from inventory.model.database import Database
    from inventory.model.gaps import Fact, Gap
    from inventory.model.key import CustomerKey, KeyScope, KmsFacts
    from inventory.model.organization import Organization
    from inventory.model.organization_index import Deployment, OrganizationIndex
    from inventory.model.terraform_managed import UndeterminedDatabase
    from inventory.model.vocabulary import DatabaseType
from checks.shared.remedies import FIND_TYPE, determine

POPULATION: frozenset[Fact] = frozenset({"databases", "serverless-keys", "managed-clusters-keys"})
"""The facts without which there may be keys or databases beyond those recorded."""


def undetermined(card: Card, index: OrganizationIndex) -> Iterator[Finding]:
    """Yield a finding for each planned database of which a plan does not tell where it will lie."""
    for each in index.organization.managed.undetermined:
        subject = planned_database_subject(index.organization.id, each)
        finding = _undetermined(card, index, subject, each)
        yield concerning(finding._replace(name=each.name), card, 1, 1)


def _undetermined(
    card: Card, index: OrganizationIndex, subject: Subject, database: UndeterminedDatabase
) -> Finding:
    expected, where = index.organization.policy.of("serverless"), locations_of([database])
    if expected.encryption == "astra-provided":
        message = f"To be encrypted by Astra's keys: {expected.reason}"
        return not_applicable(card, subject, message, where, "astra-provided")
    message = f"The plan does not tell where {database.resource} will lie: {database.missing}."
    action = determine([database])
    return inconclusive(card, subject, "planned-not-determined", message, where, action)


def unregistered_key(index: OrganizationIndex, scope: KeyScope) -> str:
    """Say of a scope without a key why one that is planned or managed does not help; else nothing.

    An order that the plan does not show may exist all the same, so the sentence does not deny it.
    """
    for planned in index.planned_keys.get(scope, ()):
        named = planned.resource or planned.key_id
        return f" A plan registers one ({named}), but does not show that it does so first."
    managed = index.managed_keys.get(scope)
    if managed is not None:
        return f" That {managed.resource} is in Terraform's state does not prove one."
    near = scope._replace(region=scope.region.lower())
    if near != scope and near in index.keys:
        return f" One is for {near.region}: regions are compared as they are written."
    return ""


def ordered_by_plan(index: OrganizationIndex, scope: KeyScope) -> Verdict | None:
    """Answer for a planned database that the plan creates after the key; None if it does not."""
    key = index.ordered.get(scope)
    if key is None:
        return None
    message = (
        f"No key is registered. The plan creates each planned database there after {key.resource}, "
        "but the documentation does not say that a new key takes effect at once."
    )
    name = index.organization.name
    action = f"Apply {key.resource} alone first, record {name} again, and plan again"
    return Verdict("inconclusive", message, "ordered-by-plan", action)


def concerning_scopes(
    finding: Finding, index: OrganizationIndex, scopes: Iterable[KeyScope]
) -> Finding:
    """Add to a finding about a key how many databases rest on it: those of its ``scopes``.

    The severity stays, as a key that is registered is no longer planned.
    """
    deployments = [deployment for scope in scopes for deployment in index.scopes.get(scope, ())]
    planned = sum(deployment.is_planned for deployment in deployments)
    return finding._replace(databases=len(deployments), existing=len(deployments) - planned)


def database_location(database: Database) -> tuple[SourceLocation, ...]:
    """Return where ``database`` was read, as evidence."""
    return (database.location,)


class Verdict(NamedTuple):
    """A status with its words, before it is said of a subject.

    Attributes:
        status: what was found.
        says: the condition, in a sentence.
        reason: why it could not be judged or does not apply, as a code.
        action: what would resolve it.
        cause: why it does not comply; empty if it does, or if the reason says all.
        attested_by: of a pass, those without whose word it would be none.
    """

    status: Status
    message: str
    reason: str = ""
    action: str = ""
    cause: str = ""
    attested_by: tuple[str, ...] = ()

    def cause_for(self, *, is_planned: bool = False) -> str:
        """Return the cause of a finding with this status; empty if that is not open.

        What is only planned has causes of its own: once it is deployed, nothing can prevent them.
        """
        cause = (self.cause or self.reason) if self.status in OPEN else ""
        return f"{PLANNED}{cause}" if cause and is_planned else cause

    def about(
        self,
        card: Card,
        subject: Subject,
        where: tuple[SourceLocation, ...],
        *,
        is_planned: bool = False,
    ) -> Finding:
        """Return the finding about ``subject`` by the rule of ``card``."""
        cause, severity = self.cause_for(is_planned=is_planned), card.severity
        status, message, reason, action = self[:4]
        return Finding(
            status, card.id, severity, subject, cause, message, reason, action, evidence=where
        )


def no_key_wanted(deployment: Deployment) -> Verdict | None:
    """Answer for a database that needs no key, or of which that is not known; else None."""
    scope = deployment.scope
    if not deployment.expects_customer_key:
        message = f"To be encrypted by Astra's keys: {deployment.expectation.reason}"
        return Verdict("not-applicable", message, "astra-provided")
    if has_no_customer_keys(scope):
        message = "Managed Clusters on Azure have no customer keys; CMEK-04 judges them."
        return Verdict("not-applicable", message, "unsupported-combination")
    if scope.type == "unknown":
        message = f"The tier {deployment.database.tier!r} tells no database type."
        return Verdict("inconclusive", message, "unknown-type", FIND_TYPE)
    return None


def keys_unread(index: OrganizationIndex, database_type: DatabaseType) -> Verdict | None:
    """Answer for a key that is not recorded while the keys may not be all; None if they are."""
    gap = index.keys_gap(database_type)
    if gap is None:
        return None
    message = f"No key is recorded, and the {database_type} keys may not be all: {gap_text(gap)}."
    action = gap_action(gap, index.organization)
    return Verdict("inconclusive", message, gap.reason, action, cause_of_gap(gap))


def lists_none_unattested(organization: Organization, context: Context) -> bool:
    """Say whether Astra listed no database, and nobody attests that there is none.

    It lists none to a token that may see none, either.
    """
    living = any(
        not (database.is_planned or database.is_terminated)
        for database in organization.databases or ()
    )
    return bool(organization.readings) and not living and not attests_none(organization, context)


def is_bare(organization: Organization) -> bool:
    """Say whether neither a key nor an existing database was recorded, though both lists were.

    What is only planned does not show that anybody looked.
    """
    databases = organization.databases
    return (
        organization.keys == ()
        and databases is not None
        and all(database.is_planned for database in databases)
    )


def attests_none(organization: Organization, context: Context) -> bool:
    """Say whether somebody attests that the organization has no database."""
    attested = organization.no_databases
    return attested is not None and attested.is_current(context.as_of)


def population_gap(index: OrganizationIndex) -> Gap | None:
    """Return why there may be keys or databases beyond those recorded; None if there are not."""
    return next((gap for fact, gap in index.gaps.items() if fact in POPULATION), None)


def not_current(attestation: Attestation, context: Context, action: str) -> Verdict | None:
    """Answer for an attestation that does not count now; None if it does."""
    if attestation.is_current(context.as_of):
        return None
    days = f"{attestation.on} to {attestation.last_day()}"
    message = f"{attestation.by} attested it, but that counts from {days} only."
    return Verdict("inconclusive", message, "attestation-not-current", action)


def facts_too_old(
    card: Card, subject: Subject, key: CustomerKey, kms: KmsFacts, context: Context
) -> Finding | None:
    """Return the finding for facts of the cloud that are older than the audit allows."""
    if timedelta() <= context.as_of - kms.observed_at <= context.max_age:
        return None
    message = f"The cloud's facts are of {utc(kms.observed_at)}, the audit of {utc(context.as_of)}."
    action = f"Record the cloud's facts about {key.key_id} again"
    return inconclusive(card, subject, "facts-not-current", message, locations_of([key]), action)


def without_kms_facts(
    card: Card, subject: Subject, key: CustomerKey, context: Context, fact: str
) -> Finding:
    """Return the finding for a key of which neither the cloud nor an attestation says ``fact``."""
    if context.kms == "none":
        message = "The audit was told to leave the clouds' key management out."
        return not_applicable(card, subject, message, locations_of([key]), "clouds-left-out")
    message = f"Neither the cloud nor an attestation says: {fact}."
    action = f"Record the cloud's facts about {key.key_id}, or attest them"
    return inconclusive(card, subject, "not-recorded", message, locations_of([key]), action)
