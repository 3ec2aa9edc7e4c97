"""CMEK-10: a registered key changes or disappears only with a support case."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from checks.card import MANAGE, Card, Quote
from checks.context import because, day, utc, words
from checks.finding import fails, inconclusive, of_scope, passes, places
from checks.group import settle
from inventory.history import Observation
from inventory.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.context import Context
    from checks.finding import Finding
    from checks.group import Group
    from inventory.entries import Place
    from inventory.estate import Estate
    from inventory.models import KeyScope, SupportCase

CARD = Card(
    id="CMEK-10",
    check="check_key_unchanged",
    title="A registered key changes or disappears only with a support case",
    force="derived",
    severity="high",
    subject="key scope in which an earlier record saw a key",
    rationale=(
        "No customer can change or delete a registered key alone. A change without a case is "
        "somebody's mistake, a wrong record, or worse; a removed key makes databases unreadable."
    ),
    quotes=(
        Quote(
            sentence=(
                "If automatic key versioning is not sufficient, you can replace a customer key by "
                "contacting IBM Support."
            ),
            page=MANAGE,
            heading="Rotate customer keys",
        ),
        Quote(
            sentence=(
                "If you want to delete an encryption key from your Astra organization, or use "
                "default Astra DB encryption instead of customer key encryption, you must contact "
                "IBM Support."
            ),
            page=MANAGE,
            heading="Delete customer keys or use default encryption",
        ),
    ),
    remediation=(
        "Find the support case and record it with its ticket and the day it took effect. If there "
        "is none, ask IBM Support what happened before anything else is changed."
    ),
    no_subject="No earlier record was given (--cmek-history), or none of them saw a key.",
)


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Compare each earlier record with the next, and the last of them with the present."""
    for scope in context.history.scopes_with_keys(estate.organization.id):
        yield _judge_scope(estate, context, scope)


def _judge_scope(estate: Estate, context: Context, scope: KeyScope) -> Finding:
    subject = of_scope(scope)
    observations = context.history.observations(scope)
    where = tuple(each.place for each in observations)
    gap = estate.keys_gap(scope.type)
    keys = estate.keys.get(scope, [])
    if gap and not keys:
        says = f"The {scope.type} keys of now may not be all: {because(gap)}."
        action = f"Record the {scope.type} keys of {estate.organization.name} in full"
        return inconclusive(CARD, subject, says, where, gap.reason, action)
    at = estate.organization.captured_at or context.as_of
    place = keys[0].place if keys else estate.organization.place
    now = Observation(at, tuple(sorted(key.key_id for key in keys)), *place)
    return _judge_changes(estate, scope, [*observations, now])


def _judge_changes(estate: Estate, scope: KeyScope, seen: Sequence[Observation]) -> Finding:
    subject = of_scope(scope)
    where: tuple[Place, ...] = tuple(each.place for each in seen)
    changes = [(old, new) for old, new in pairwise(seen) if old.key_ids and _differ(old, new)]
    cases = [case for case in estate.organization.support_cases if _is_of(case, scope)]
    unexplained = [change for change in changes if not _explaining(change, cases)]
    if unexplained:
        old, new = unexplained[0]
        verb = "was replaced" if new.key_ids else "disappeared"
        says = f"The key {verb} between {utc(old.at)} and {utc(new.at)} without a support case."
        action = (
            f"Find the support case that changed the key of {words(estate.organization, scope)}"
        )
        return fails(CARD, subject, says, where, action)
    if changes:
        explaining = [each for change in changes for each in _explaining(change, cases)]
        cases = list(dict.fromkeys(explaining))
        tickets = ", ".join(case.ticket for case in cases)
        says = f"Each change is explained by a support case: {tickets}."
        return passes(CARD, subject, says, (*where, *places(cases)))
    if any(parse_key_id(each).form == "alias" for each in seen[-1].key_ids):
        says = "The alias is the same in all records; the key it points to may have changed."
        action = f"Record the id of the key itself for {words(estate.organization, scope)}"
        return inconclusive(CARD, subject, says, where, "alias", action)
    first = next(each for each in seen if each.key_ids)
    says = f"The key is the same in all records since {utc(first.at)}."
    return passes(CARD, subject, says, where)


def _differ(old: Observation, new: Observation) -> bool:
    """Say whether a key of ``old`` is gone from ``new``; a new version is still the same key."""
    now = {parse_key_id(each).canonical for each in new.key_ids}
    return any(parse_key_id(each).canonical not in now for each in old.key_ids)


def _is_of(case: SupportCase, scope: KeyScope) -> bool:
    return (case.type, case.provider, case.region) == (scope.type, scope.provider, scope.region)


def _explaining(
    change: tuple[Observation, Observation], cases: list[SupportCase]
) -> list[SupportCase]:
    """Return the cases in effect on a day between the two records, their days included."""
    old, new = change
    return [case for case in cases if day(old.at) <= case.on <= day(new.at)]


def check_key_unchanged(group: Group) -> None:
    """A registered key changes or disappears only with a support case."""
    settle(group)
