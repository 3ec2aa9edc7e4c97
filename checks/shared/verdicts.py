"""Verdicts that several rules share, so that they give them in the same words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.actions import ActionKind
from checks.engine.context import gap_text, utc
from checks.engine.finding import (
    OPEN,
    Finding,
    Status,
    deployment_subject,
    inconclusive,
    locations_of,
    not_applicable,
    planned_database_subject,
    with_databases,
)
from checks.engine.identity import PLANNED
from checks.engine.reasons import cause_of_gap, gap_action
from checks.shared.remedies import FIND_TYPE, determine
from inventory.database_lines.database_list import count_kinds
from inventory.index.organization_index import has_no_customer_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.engine.actions import Action
    from checks.engine.card import Card
    from checks.engine.context import Context
    from checks.engine.finding import RestsOn, Subject
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.attestations import Attestation
    from inventory.model.base import SourceLocation
    from inventory.model.database import Database
    from inventory.model.gaps import Fact, Gap
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.kms import KmsFacts
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey
    from inventory.model.terraform_managed import UndeterminedDatabase
    from inventory.model.vocabulary import DatabaseType

POPULATION: frozenset[Fact] = frozenset({"databases", "serverless-keys", "managed-clusters-keys"})
"""The facts without which there may be keys or databases beyond those recorded."""

_APPLY_KEY_FIRST = ActionKind(
    code="apply-key-first",
    sentence="Apply {resource} alone first, re-collect {name}, and plan again",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Apply {number} planned keys alone first, re-collect {name}, and plan again"
    ),
    steps=(
        "Apply the planned key alone, without the databases.",
        "Re-collect the organization, and check that the key is listed.",
        "Write a new plan as JSON, and audit it before you apply it.",
    ),
)
COLLECT_KMS = ActionKind(
    code="collect-kms",
    sentence="Re-collect the KMS data of {key}",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several="Re-collect the KMS data of {number} keys",
    steps=(
        "Read the key's present state in its cloud.",
        "Record it in the inventory with the day it was read.",
        "Run the audit again.",
    ),
)
COLLECT_OR_ATTEST_KMS = ActionKind(
    code="collect-or-attest-kms",
    sentence="Collect the KMS data of {key}, or attest it",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several="Collect the KMS data of {number} keys, or attest it",
    steps=(
        "Read the key's state in its cloud: whether it is enabled, granted to Astra, and rotates.",
        "Record it in the inventory with the day it was read, or attest it with name and day.",
        "Run the audit again.",
    ),
)


def undetermined(card: Card, index: OrganizationIndex) -> Iterator[Finding]:
    """Yield a finding for each planned database whose regions the plan does not show."""
    for database in index.organization.managed.undetermined:
        subject = planned_database_subject(index.organization.id, database)
        finding = _undetermined(card, index, subject, database)
        yield with_databases(finding._replace(name=database.name), card, 1, 1)


def _undetermined(
    card: Card, index: OrganizationIndex, subject: Subject, database: UndeterminedDatabase
) -> Finding:
    expected, where = index.organization.policy.of("serverless"), locations_of([database])
    if expected.encryption == "astra-provided":
        message = f"Declared to use Astra's keys: {expected.reason}"
        return not_applicable(card, subject, message, where, "astra-provided")
    message = (
        f"The plan does not show where {database.resource} will be deployed: {database.missing}."
    )
    action = determine([database])
    return inconclusive(card, subject, "planned-not-determined", message, where, action)


def unregistered_key(index: OrganizationIndex, scope: KeyScope) -> str:
    """Return why a planned or managed key does not help a scope without one; empty if none is.

    An order that the plan does not show may exist all the same, so the sentence does not deny it.
    """
    for planned in index.planned_keys.get(scope, ()):
        key = planned.resource or planned.key_id
        return f" A plan registers a key ({key}), but does not show that it does so first."
    managed = index.managed_keys.get(scope)
    if managed is not None:
        return f" {managed.resource} is in Terraform's state, which does not prove a registration."
    near = scope._replace(region=scope.region.lower())
    if near != scope and near in index.keys:
        return f" A key exists for {near.region}: region names are compared as they are written."
    return ""


def ordered_by_plan(index: OrganizationIndex, scope: KeyScope) -> Verdict | None:
    """Return the verdict on a planned database that is created after its key; else None."""
    key = index.ordered.get(scope)
    if key is None:
        return None
    message = (
        f"No key is registered. The plan creates each planned database here after {key.resource}, "
        "but the documentation does not say that a new key takes effect at once."
    )
    name = index.organization.name
    action = _APPLY_KEY_FIRST.on(key.resource, resource=key.resource, name=name)
    return Verdict("inconclusive", message, "ordered-by-plan", action)


def with_databases_of(
    finding: Finding, index: OrganizationIndex, scopes: Iterable[KeyScope]
) -> Finding:
    """Add to a finding about a key how many databases depend on it: those of its ``scopes``.

    The severity stays, as a key that is registered is no longer planned.
    """
    there = list(scopes)
    databases = sum(len(index.scopes.get(scope, ())) for scope in there)
    planned = sum(index.planned[scope] for scope in there)
    return finding._replace(databases=databases, existing=databases - planned)


def database_location(database: Database) -> tuple[SourceLocation, ...]:
    """Return where ``database`` was read, as evidence."""
    return (database.location,)


class Verdict(NamedTuple):
    """What was found, before it becomes a finding about a subject.

    Attributes:
        status: what was found.
        message: the condition, in a sentence.
        reason: why it could not be judged or does not apply, as a code.
        action: what resolves it; None if nothing has to be done.
        cause: why it does not comply; empty if it does, or if the reason is enough.
        attested_by: of a pass, the people on whose attestation it depends.
        rests_on: of a pass, the kind of evidence on which it rests.
    """

    status: Status
    message: str
    reason: str = ""
    action: Action | None = None
    cause: str = ""
    attested_by: tuple[str, ...] = ()
    rests_on: RestsOn = ""

    def cause_for(self, *, is_planned: bool = False) -> str:
        """Return the cause of a finding with this status; empty if that is not open.

        What is only planned has its own causes: once it is deployed, nothing can prevent them.
        """
        cause = (self.cause or self.reason) if self.status in OPEN else ""
        return f"{PLANNED}{cause}" if cause and is_planned else cause

    def on_subject(
        self,
        card: Card,
        subject: Subject,
        where: tuple[SourceLocation, ...],
        *,
        is_planned: bool = False,
        name: str = "",
    ) -> Finding:
        """Return the finding about ``subject`` by the rule of ``card``."""
        action = self.action
        return Finding(
            self.status,
            card.id,
            card.severity,
            subject,
            self.cause_for(is_planned=is_planned),
            self.message,
            self.reason,
            action.sentence if action else "",
            action.id_in(subject.organization) if action else "",
            name=name,
            evidence=where,
            attested_by=self.attested_by,
            rests_on=self.rests_on,
        )

    def on_deployment(
        self, card: Card, deployment: Deployment, where: tuple[SourceLocation, ...]
    ) -> Finding:
        """Return the finding about a database in one region by the rule of ``card``."""
        # Built at once, as there can be one for each database of a fleet.
        action, planned = self.action, deployment.is_planned
        return Finding(
            self.status,
            card.id,
            (planned and card.severity_planned) or card.severity,
            deployment_subject(deployment),
            self.cause_for(is_planned=planned),
            self.message,
            self.reason,
            action.sentence if action else "",
            action.id_in(deployment.scope.organization) if action else "",
            deployment.database.name,
            1,
            0 if planned else 1,
            where,
            attested_by=self.attested_by,
            rests_on=self.rests_on,
        )


def exemption_of(deployment: Deployment) -> Verdict | None:
    """Return the verdict on a database that needs no key, or may need none; else None."""
    scope = deployment.scope
    if not deployment.expects_customer_key:
        message = f"Declared to use Astra's keys: {deployment.expectation.reason}"
        return Verdict("not-applicable", message, "astra-provided")
    if has_no_customer_keys(scope):
        message = "Managed Clusters on Azure have no customer keys; CMEK-04 judges them."
        return Verdict("not-applicable", message, "unsupported-combination")
    if scope.type == "unknown":
        message = f"Tier {deployment.database.tier!r} does not identify the database type."
        return Verdict("inconclusive", message, "unknown-type", FIND_TYPE)
    return None


def unread_keys(index: OrganizationIndex, database_type: DatabaseType) -> Verdict | None:
    """Return the verdict on a missing key while the list may be incomplete; None if it is not."""
    gap = index.keys_gap(database_type)
    if gap is None:
        return None
    incomplete = f"the list of {database_type} keys may be incomplete: {gap_text(gap)}"
    message = f"No key is recorded, and {incomplete}."
    action = gap_action(gap, index.organization)
    return Verdict("inconclusive", message, gap.reason, action, cause_of_gap(gap))


def lists_none_unattested(organization: Organization, context: Context) -> bool:
    """Return whether Astra listed no database, and nobody attests that there is none.

    To a token that may see no database, Astra lists none either.
    """
    living = any(
        not (database.is_planned or database.is_terminated)
        for database, _ in count_kinds(organization.databases)
    )
    return (
        bool(organization.readings_of_astra)
        and not living
        and not attests_none(organization, context)
    )


def is_bare(organization: Organization) -> bool:
    """Return whether neither a key nor an existing database was recorded, though both lists were.

    What is only planned does not show that anybody looked.
    """
    databases = organization.databases
    return (
        organization.keys == ()
        and databases is not None
        and all(database.is_planned for database, _ in count_kinds(databases))
    )


def attests_none(organization: Organization, context: Context) -> bool:
    """Return whether somebody attests that the organization has no database."""
    attested = organization.no_databases
    return attested is not None and attested.is_current(context.as_of)


def population_gap(index: OrganizationIndex) -> Gap | None:
    """Return why there may be keys or databases beyond those recorded; None if there are not."""
    return next((gap for fact, gap in index.gaps.items() if fact in POPULATION), None)


def not_current(attestation: Attestation, context: Context, action: Action) -> Verdict | None:
    """Return the verdict on an attestation that does not count now; None if it does."""
    if attestation.is_current(context.as_of):
        return None
    days = f"{attestation.on} to {attestation.last_day()}"
    message = f"{attestation.by} attested it, but the attestation is valid from {days} only."
    return Verdict("inconclusive", message, "attestation-not-current", action)


def facts_too_old(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts, context: Context
) -> Finding | None:
    """Return the finding for KMS data that is older than the audit allows; else None."""
    if timedelta() <= context.as_of - kms.observed_at <= context.max_age:
        return None
    message = f"The KMS data is of {utc(kms.observed_at)}, the audit of {utc(context.as_of)}."
    key_id = key.key_id or ""
    action = COLLECT_KMS.on(key_id, key=key_id)
    return inconclusive(card, subject, "facts-not-current", message, locations_of([key]), action)


def without_kms_facts(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, context: Context, fact: str
) -> Finding:
    """Return the finding for a key without KMS data or attestation on ``fact``."""
    if context.kms == "none":
        message = "This audit leaves KMS data out."
        return not_applicable(card, subject, message, locations_of([key]), "clouds-left-out")
    message = f"No KMS data or attestation on {fact}."
    key_id = key.key_id or ""
    action = COLLECT_OR_ATTEST_KMS.on(key_id, key=key_id)
    return inconclusive(card, subject, "not-recorded", message, locations_of([key]), action)
