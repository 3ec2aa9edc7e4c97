"""One pass over an inventory by all rules: a stream of findings."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from checks.engine.actions import ActionKind
from checks.engine.context import Context, Summary, fact_label, gap_text, summarize
from checks.engine.finding import Finding, inconclusive, locations_of, organization_subject
from checks.engine.pass_series import one_by_one
from checks.engine.reasons import cause_of_gap, gap_action
from inventory.index.organization_index import index_organization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from checks.engine.catalogue import Rule
    from checks.engine.pass_series import Found
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.gaps import Gap
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey

K = TypeVar("K", "CustomerKey", "PlannedKey")

_ACROSS = ""
"""The organization of a finding that goes across organizations."""

_BROKEN = "check-broke"
_REPORT_DEFECT = ActionKind(
    code="report-defect",
    sentence="Report this as a defect of the suite",
    purpose="prove",
    who="we",
    steps=(
        "Copy the finding's text and the version of the suite.",
        "Report both to the maintainers of the suite.",
        "Run the audit again with a corrected version.",
    ),
).on()


class JudgedOrganization(NamedTuple):
    """What judging one organization gave; it can be pickled, and sent to another process.

    Attributes:
        found: its findings, rule by rule; some of them in series.
        summary: what the rules across organizations need of it.
    """

    found: list[Found]
    summary: Summary

    @property
    def findings(self) -> list[Finding]:
        """Return every finding, those of a series one by one."""
        return list(one_by_one(self.found))


def evaluate(
    organizations: Iterable[Organization],
    rules: Sequence[Rule],
    context: Context,
    on_organization: Callable[[Organization], None] = lambda _: None,
) -> Iterator[Finding]:
    """Yield the findings one by one; as ``evaluate_in_series``."""
    return one_by_one(evaluate_in_series(organizations, rules, context, on_organization))


def evaluate_in_series(
    organizations: Iterable[Organization],
    rules: Sequence[Rule],
    context: Context,
    on_organization: Callable[[Organization], None] = lambda _: None,
) -> Iterator[Found]:
    """Yield the findings: organization by organization, in each rule by rule; then those across.

    ``on_organization`` gets each organization before its findings come.
    """
    summaries: list[Summary] = []
    for organization in organizations:
        on_organization(organization)
        found, summary = judge_organization(organization, rules, context)
        summaries.append(summary)
        yield from found
    yield from judge_across(summaries, rules, context)


def judge_organization(
    organization: Organization, rules: Sequence[Rule], context: Context
) -> JudgedOrganization:
    """Judge one organization by all ``rules``; nothing else is needed, and nothing is kept.

    A rule that breaks gives a finding of status ``error``; the others go on.
    """
    index = index_organization(_without_left_out(organization, context))
    # Only an organization with several versions of a key needs its findings sorted out by cause.
    has_versions = index.lists_versions()
    found: list[Found] = []
    for rule in rules:
        found += _judge(rule, index, context, has_versions=has_versions)
    return JudgedOrganization(found, summarize(index))


def judge_across(
    summaries: Sequence[Summary], rules: Sequence[Rule], context: Context
) -> Iterator[Finding]:
    """Yield the findings that go across organizations, once all of these have been judged."""
    for rule in rules:
        if rule.judge_across is not None:
            yield from one_by_one(_guard(rule, _ACROSS, rule.judge_across(summaries, context)))


def _without_left_out(organization: Organization, context: Context) -> Organization:
    """Leave the facts of the clouds out of ``organization``, if the audit leaves them out.

    What people attest is no fact of a cloud, and stays.
    """
    keys, planned = organization.keys or (), organization.managed.planned_keys
    if context.kms == "recorded" or not (_have_facts(keys) or _have_facts(planned)):
        return organization
    bare = organization.keys and tuple(map(_without_facts, keys))
    managed = organization.managed.model_copy(
        update={"planned_keys": tuple(map(_without_facts, planned))}
    )
    copy = organization.model_copy(update={"keys": bare})
    return copy.with_managed(managed).at(*organization.location)


def _have_facts(keys: Iterable[K]) -> bool:
    return any(key.kms for key in keys)


def _without_facts(key: K) -> K:
    return key.model_copy(update={"kms": None}).at(*key.location)


def _judge(
    rule: Rule, index: OrganizationIndex, context: Context, *, has_versions: bool
) -> Iterator[Found]:
    """Judge one organization; ``has_versions`` if a key is listed by several versions."""
    found: Iterator[Found] = iter(())
    if rule.judge is not None:
        found = _guard(rule, index.organization.id, rule.judge(index, context))
        if has_versions:
            found = _one_for_each_cause(one_by_one(found))
    if index.gaps and (gaps := _needed_gaps(rule, index)):
        yield from (_unread(rule, index, gap) for gap in gaps)
    yield from found


def _one_for_each_cause(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield one finding for each cause of a subject, and one for a subject that complies.

    A key that is listed by several versions is judged by each entry. It complies only if no entry
    says otherwise, and on the word of everybody without whom an entry would.
    """
    found: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        by_cause = found.setdefault(finding.subject.path, {})
        known = by_cause.get(finding.cause)
        if known is None or (known.status == "not-applicable" and finding.status == "pass"):
            by_cause[finding.cause] = finding
        elif known.status == finding.status == "pass":
            attested_by = tuple(dict.fromkeys((*known.attested_by, *finding.attested_by)))
            by_cause[finding.cause] = known._replace(attested_by=attested_by)
    for by_cause in found.values():
        if len(by_cause) > 1:
            by_cause.pop("", None)
        yield from by_cause.values()


def _needed_gaps(rule: Rule, index: OrganizationIndex) -> list[Gap]:
    """Return the first gap of each fact that ``rule`` needs: each is a cause of its own."""
    needs = rule.card.needs
    return [gap for fact, gap in index.gaps.items() if fact.endswith(needs)] if needs else []


def _unread(rule: Rule, index: OrganizationIndex, gap: Gap) -> Finding:
    organization = index.organization
    doubt = f"The list of {fact_label(gap)} may be incomplete, so there may be more to judge"
    message = f"{doubt}: {gap_text(gap)}."
    action = gap_action(gap, organization)
    subject, where = organization_subject(organization.id), locations_of([organization])
    return inconclusive(rule.card, subject, cause_of_gap(gap), message, where, action)


def _guard(rule: Rule, organization: str, found: Iterator[Found]) -> Iterator[Found]:
    try:
        yield from found
    except Exception as error:  # noqa: BLE001 (whatever breaks is a finding, never silence)
        yield _broken(rule, organization, error)


def _broken(rule: Rule, organization: str, error: Exception) -> Finding:
    """Report where a rule broke by type and place only: the values may be secrets."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    message = f"The check broke: {type(error).__name__} in {last.name}, line {last.lineno}."
    return Finding(
        "error",
        rule.card.id,
        rule.card.severity,
        organization_subject(organization),
        _BROKEN,
        message,
        reason=_BROKEN,
        action=_REPORT_DEFECT.sentence,
        action_id=_REPORT_DEFECT.id_in(organization),
    )
