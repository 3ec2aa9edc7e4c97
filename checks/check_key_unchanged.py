"""CMEK-10: a registered key changes or disappears only with a support case."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from checks.card import MANAGE, Card, Quote
from checks.common import concerning_scopes
from checks.context import because, day, utc, words
from checks.finding import fails, inconclusive, of_scope, passes, places
from checks.gaps import cause_of_gap
from checks.group import settle
from checks.identity import cause_of
from inventory.history import Observation
from inventory.key_ids import canonical, parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.context import Context
    from checks.finding import Finding
    from checks.group import Group
    from inventory.entries import Place
    from inventory.estate import Estate
    from inventory.gaps import Gap
    from inventory.models import KeyScope, SupportCase

CARD = Card(
    id="CMEK-10",
    check="check_key_unchanged",
    title="A registered key changes or disappears only with a support case",
    force="derived",
    severity="high",
    subject="key scope in which an earlier record saw a key",
    causes={
        "replaced:KEY,TIME": "Another key replaced it after this time, when it was last seen.",
        "disappeared:KEY,TIME": "It is gone after this time, when it was last seen.",
    },
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
    known = context.baseline.get(estate.organization.id)
    in_baseline = known.keys if known else ()
    earlier = context.history.scopes_with_keys(estate.organization.id)
    for scope in sorted({*earlier, *in_baseline}):
        for finding in _judge_scope(estate, context, scope):
            yield concerning_scopes(finding, estate, [scope])


def _judge_scope(estate: Estate, context: Context, scope: KeyScope) -> Iterator[Finding]:
    now = _present(estate, context, scope)
    observations = _earlier(context, scope, now.at)
    if not observations:
        return
    gap = estate.keys_gap(scope.type)
    if gap and (not now.key_ids or _lost(observations[-1], now)):
        yield from _judge_seen(estate, scope, observations)
        yield _unread(estate, scope, gap, observations)
        return
    seen = [*observations, now]
    yield from _judge_seen(estate, scope, seen) or [_unchanged(estate, scope, seen)]


def _earlier(context: Context, scope: KeyScope, now: datetime) -> list[Observation]:
    """Return what was seen in ``scope`` before ``now``; the baseline adds what no record has."""
    observations = context.history.observations(scope)
    known = context.baseline.get(scope.organization)
    times = {observation.at for observation in observations}
    further = known.keys.get(scope, ()) if known else ()
    observations += [seen for seen in further if seen.at < now and seen.at not in times]
    return sorted(observations, key=lambda observation: observation.at)


def _present(estate: Estate, context: Context, scope: KeyScope) -> Observation:
    keys = estate.keys.get(scope, [])
    at = estate.organization.captured_at or context.as_of
    place = keys[0].place if keys else estate.organization.place
    return Observation(at, tuple(sorted(key.key_id for key in keys)), *place[:2])


def _unread(
    estate: Estate, scope: KeyScope, gap: Gap, observations: Sequence[Observation]
) -> Finding:
    where = tuple(seen.place for seen in observations)
    says = f"The {scope.type} keys of now may not be all: {because(gap)}."
    action = f"Record the {scope.type} keys of {estate.organization.name} in full"
    return inconclusive(CARD, of_scope(scope), cause_of_gap(gap), says, where, action)


def _judge_seen(estate: Estate, scope: KeyScope, seen: Sequence[Observation]) -> list[Finding]:
    """Return what does not comply in ``seen``; a case explains no change that an alias hides."""
    return [*_judge_changes(estate, scope, seen), *_judge_aliases(estate, scope, seen)]


def _judge_changes(estate: Estate, scope: KeyScope, seen: Sequence[Observation]) -> list[Finding]:
    """Return one finding for each key that went without a support case, each time that it went.

    The time when it was last seen tells two such times apart, whichever records are given.
    """
    where: tuple[Place, ...] = tuple(each.place for each in seen)
    action = f"Find the support case that changed the key of {words(estate.organization, scope)}"
    findings = []
    for old, new in _changes(seen):
        if _explaining((old, new), _cases(estate, scope)):
            continue
        verb, code = ("was replaced", "replaced") if new.key_ids else ("disappeared", "disappeared")
        says = f"The key {verb} between {utc(old.at)} and {utc(new.at)} without a support case."
        for key_id in _lost(old, new):
            cause = cause_of(code, key_id, utc(old.at))
            findings.append(fails(CARD, of_scope(scope), cause, says, where, action))
    return findings


def _judge_aliases(estate: Estate, scope: KeyScope, seen: Sequence[Observation]) -> list[Finding]:
    """Return a finding if two records in a row show one alias, behind which the key may change."""
    if not any(_aliases(old) & _aliases(new) for old, new in pairwise(seen)):
        return []
    where = tuple(observation.place for observation in seen)
    says = "An alias is the same in two records in a row; the key it points to may have changed."
    action = f"Record the id of the key itself for {words(estate.organization, scope)}"
    return [inconclusive(CARD, of_scope(scope), "alias", says, where, action)]


def _aliases(observation: Observation) -> set[str]:
    parsed = map(parse_key_id, observation.key_ids)
    return {key_id.canonical for key_id in parsed if key_id.form == "alias"}


def _unchanged(estate: Estate, scope: KeyScope, seen: Sequence[Observation]) -> Finding:
    """Return the finding for a scope in which no key changed without a support case."""
    subject = of_scope(scope)
    where: tuple[Place, ...] = tuple(each.place for each in seen)
    cases = _cases(estate, scope)
    explaining = [case for change in _changes(seen) for case in _explaining(change, cases)]
    if explaining:
        used = list(dict.fromkeys(explaining))
        tickets = ", ".join(case.ticket for case in used)
        says = f"Each change is explained by a support case: {tickets}."
        return passes(CARD, subject, says, (*where, *places(used)))
    first = next(each for each in seen if each.key_ids)
    says = f"The key is the same in all records since {utc(first.at)}."
    return passes(CARD, subject, says, where)


def _changes(seen: Sequence[Observation]) -> list[tuple[Observation, Observation]]:
    """Return each two records in a row of which the later lacks a key of the earlier."""
    return [(old, new) for old, new in pairwise(seen) if _lost(old, new)]


def _lost(old: Observation, new: Observation) -> list[str]:
    """Return the keys of ``old`` that are gone from ``new``; a new version is the same key."""
    now = set(map(canonical, new.key_ids))
    before = set(map(canonical, old.key_ids))
    return sorted(before - now)


def _cases(estate: Estate, scope: KeyScope) -> list[SupportCase]:
    return [case for case in estate.organization.support_cases if _is_of(case, scope)]


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
