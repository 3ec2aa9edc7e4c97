"""One pass over an inventory by all rules: a stream of findings."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from checks.context import Context, because, summarize
from checks.finding import Finding, inconclusive, of_organization, places
from checks.gaps import settling
from inventory.estate import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from checks.catalogue import Rule
    from checks.context import Summary
    from inventory.estate import Estate
    from inventory.gaps import Gap
    from inventory.models import Organization

_ACROSS = ""


def evaluate(
    organizations: Iterable[Organization],
    rules: Sequence[Rule],
    context: Context,
    meet: Callable[[Organization], None] = lambda _: None,
) -> Iterator[Finding]:
    """Yield the findings: organization by organization, in each rule by rule; then those across.

    ``meet`` is told of each organization before its findings come. A judge that breaks yields a
    finding of status ``error`` for its rule and organization; the others go on.
    """
    summaries: list[Summary] = []
    for organization in organizations:
        meet(organization)
        summaries.append(summarize(organization))
        estate = survey(_as_wanted(organization, context))
        for rule in rules:
            yield from _judge(rule, estate, context)
    for rule in rules:
        if rule.judge_across is not None:
            yield from _guard(rule, _ACROSS, rule.judge_across(summaries, context))


def _as_wanted(organization: Organization, context: Context) -> Organization:
    """Leave the facts of the clouds out of ``organization``, if the audit was told to.

    What people attest is no fact of a cloud, and stays.
    """
    keys = organization.keys or ()
    if context.kms == "recorded" or all(key.kms is None for key in keys):
        return organization
    bare = tuple(key.model_copy(update={"kms": None}).at(*key.place) for key in keys)
    return organization.model_copy(update={"keys": bare}).at(*organization.place)


def _judge(rule: Rule, estate: Estate, context: Context) -> Iterator[Finding]:
    findings: Iterator[Finding] = iter(())
    if rule.judge is not None:
        findings = _guard(rule, estate.organization.id, rule.judge(estate, context))
    if estate.gaps and (gap := _needed_gap(rule, estate)):
        findings = _beside(_unread(rule, estate, gap), list(findings))
    yield from findings


def _beside(unread: Finding, findings: list[Finding]) -> Iterator[Finding]:
    """Put ``unread`` before ``findings``; if the judge broke, that is said of the organization."""
    if not any(each.status == "error" for each in findings):
        yield unread
    yield from findings


def _needed_gap(rule: Rule, estate: Estate) -> Gap | None:
    for need in rule.card.needs:
        for fact, gap in estate.gaps.items():
            if fact.endswith(need):
                return gap
    return None


def _unread(rule: Rule, estate: Estate, gap: Gap) -> Finding:
    organization = estate.organization
    says = f"The {gap.fact} may not be all, so there may be more to judge: {because(gap)}."
    action = settling(gap, organization)
    subject = of_organization(organization.id)
    return inconclusive(rule.card, subject, says, places([organization]), gap.reason, action)


def _guard(rule: Rule, organization: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except Exception as error:  # noqa: BLE001 (whatever breaks is a finding, never a silence)
        yield _broken(rule, organization, error)


def _broken(rule: Rule, organization: str, error: Exception) -> Finding:
    """Tell where a judge broke by type and place only: the values may be anybody's secrets."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    says = f"The check broke: {type(error).__name__} in {last.name}, line {last.lineno}."
    return Finding(
        "error",
        rule.card.id,
        rule.card.severity,
        of_organization(organization),
        says,
        reason="check-broke",
        action="Report this as a defect of the suite",
    )
