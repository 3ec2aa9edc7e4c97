"""CMEK-08: an organization with customer keys is on a paid plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import gap_text
from checks.engine.finding import (
    fails,
    inconclusive,
    locations_of,
    not_applicable,
    organization_subject,
    passes,
)
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, recollect_action
from checks.shared.verdicts import not_current, population_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex

CARD = Card(
    id="CMEK-08",
    check="check_paid_plan",
    title="An organization with customer keys is on a paid plan",
    basis="required",
    severity="medium",
    subject="organization with customer keys, or with databases to be encrypted by them",
    causes={
        "unpaid": "The plan is attested not to be a paid one.",
    },
    rationale="Customer keys are part of paid plans only; without one they cannot be relied on.",
    quotes=(
        Quote(
            sentence="Customer key encryption is a premium feature that requires a paid plan.",
            page=OVERVIEW,
            heading="Billed charges for premium runtime and cloud provider services",
        ),
    ),
    remediation=(
        "Move the organization to a paid plan, and attest that with name and date: no interface "
        "shows the plan."
    ),
    no_subject="The inventory holds no organization.",
)

_ATTEST_PLAN = ActionKind(
    code="attest-plan",
    sentence="Attest the plan of {name}",
    purpose="prove",
    who="we",
    steps=(
        "Look up the organization's plan in the contract or the Astra portal.",
        "Attest it with name and day: no interface shows it.",
    ),
)
_MOVE_TO_PAID_PLAN = ActionKind(
    code="move-to-paid-plan",
    sentence="Move {name} to a paid plan",
    purpose="repair",
    who="we",
    steps=(
        "Move the organization to a paid plan.",
        "Attest that with name and day: no interface shows it.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge the organization by the attestation of its plan."""
    yield _judge_plan(index, context)


def _judge_plan(index: OrganizationIndex, context: Context) -> Finding:
    organization, plan = index.organization, index.organization.plan
    subject, where = organization_subject(organization.id), locations_of([organization])
    uses, gap = _uses_keys(index), population_gap(index)
    if not uses and gap is None:
        message = "The organization has no customer key, and no database is expected to have one."
        return not_applicable(CARD, subject, message, where, "no-customer-keys")
    attest = _ATTEST_PLAN.on(name=organization.name)
    if plan is None:
        message = "The plan is not attested, and no interface shows it."
        return inconclusive(CARD, subject, "not-attested", message, where, attest)
    if old := not_current(plan, context, attest):
        return old.on_subject(CARD, subject, where)
    attested = f"{plan.by} attested on {plan.on}: {plan.name or 'the plan'} is "
    if plan.paid:
        return passes(CARD, subject, f"{attested}a paid plan.", where, attested_by=(plan.by,))
    if gap is not None and not uses:
        message = (
            f"{attested}not a paid plan. "
            f"It is unknown whether the organization has customer keys: {gap_text(gap)}."
        )
        again = recollect_action(organization)
        return inconclusive(CARD, subject, cause_of_gap(gap), message, where, again)
    action = _MOVE_TO_PAID_PLAN.on(name=organization.name)
    return fails(CARD, subject, "unpaid", f"{attested}not a paid plan.", where, action)


def _uses_keys(index: OrganizationIndex) -> bool:
    managed, policy = index.organization.managed, index.organization.policy
    expected = any(
        deployment.expects_customer_key
        for deployments in index.scopes.values()
        for deployment in deployments.examples()
    )
    open_ones = managed.undetermined and policy.of("serverless").encryption == "customer-managed"
    planned = managed.planned_keys or managed.undetermined_keys
    return bool(index.keys or managed.keys or planned or expected or open_ones)


def check_paid_plan(group: FindingGroup) -> None:
    """An organization with customer keys is on a paid plan."""
    report_outcome(group)
