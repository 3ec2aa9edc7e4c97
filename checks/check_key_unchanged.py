"""CMEK-10: a registered key changes or disappears only with a support case."""

from __future__ import annotations

from itertools import dropwhile, pairwise
from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import MANAGE, Card, Quote
from checks.engine.context import day, gap_text, utc
from checks.engine.finding import fails, inconclusive, locations_of, passes, scope_subject
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.engine.reasons import cause_of_gap, gap_action
from checks.shared.planned_keys import as_planned, changed_keys, undetermined_keys, without_id
from checks.shared.remedies import FIND_SUPPORT_CASE, for_scope
from checks.shared.verdicts import with_databases_of
from inventory.history import Observation
from inventory.model.key_ids import canonical, parse_key_id
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.gaps import Gap
    from inventory.model.key import KeyScope, SupportCase
    from inventory.model.planned_keys import PlannedKey

CARD = Card(
    id="CMEK-10",
    check="check_key_unchanged",
    title="A registered key changes or disappears only with a support case",
    basis="derived",
    severity="high",
    severity_planned="critical",
    subject="key scope in which an earlier record saw a key; key that a plan replaces or removes",
    causes={
        "replacement:KEY": "A plan replaces the registered key.",
        "removal:KEY": "A plan removes the registered key.",
        "replaced:KEY,TIME": "Another key replaced it after this time, when it was last seen.",
        "disappeared:KEY,TIME": "It is gone after this time, when it was last seen.",
    },
    rationale=(
        "No customer can change or delete a registered key alone. A change without a case is a "
        "mistake, a wrong record, or worse; a removed key makes databases unreadable."
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
        "A plan: keep the key in it, or take it out of Terraform's state with a removed block. "
        "Terraform cannot delete a registered key, and its replacement registers a second one. "
        "A change that happened: find the support case and record it with its ticket and the day "
        "it took effect. If there is none, ask IBM Support what happened before you change "
        "anything else."
    ),
    no_subject=(
        "No earlier record that saw a key was given (--cmek-history), and no plan replaces or "
        "removes a key."
    ),
    roles=("key-unchanged",),
)

_PLANNED = {"replace": ("replacement", "replaces"), "remove": ("removal", "removes")}
"""The code of a planned change, and its verb."""

_KEEP_IN_PLAN = ActionKind(
    code="keep-key-in-plan",
    sentence="Leave the key of {scope} in the plan as it is, or open a case with IBM Support",
    purpose="repair",
    who="we",
    sentence_for_several=(
        "Leave {number} keys in the plan as they are, or open a case with IBM Support: {scopes}"
    ),
    steps=(
        "Keep the key in the plan as it is registered.",
        (
            "Take it out of Terraform's state with a removed block if Terraform shall no longer "
            "manage it."
        ),
        (
            "Open a case with IBM Support if the key has to change: Terraform cannot delete it, "
            "and a replacement registers a second one."
        ),
        "Audit the new plan before you apply it.",
    ),
)
_RECORD_KEY_ID = ActionKind(
    code="record-key-id-of-scope",
    sentence="Record the id of the key itself for {scope}",
    purpose="prove",
    who="we",
    sentence_for_several="Record the ids of the keys themselves for {number} key scopes: {scopes}",
    steps=(
        "Look up in the cloud which key the recorded name means.",
        "Record the id of that key in the inventory.",
        "Run the audit again.",
    ),
)
_RECOLLECT_KEYS = ActionKind(
    code="recollect-keys-of-type",
    sentence="Re-collect the {type} keys of {name} in full",
    purpose="prove",
    who="we",
    sentence_for_several="Re-collect {number} types of keys of {name} in full",
    steps=(
        "Run the collection again with a token that may read all of the organization.",
        "Run the audit again with the new record.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Compare each earlier record with the next, the last with the present, that with the plan."""
    known = context.baseline.get(index.organization.id)
    in_baseline = known.keys if known else ()
    earlier = context.history.scopes_with_keys(index.organization.id)
    for scope in sorted({*earlier, *in_baseline}):
        for finding in _judge_scope(index, context, scope):
            yield with_databases_of(finding, index, [scope])

    yield from undetermined_keys(CARD, index, is_registered=False)
    for scope, key in changed_keys(index):
        yield as_planned(_judge_plan(index, scope, key), CARD, index, key)


def _judge_plan(index: OrganizationIndex, scope: KeyScope, key: PlannedKey) -> Finding:
    """Judge the change of a key that a plan would make: Terraform can carry out neither."""
    subject = scope_subject(scope)
    registered = index.keys.get(scope, [])
    if key.key_id is None:
        return without_id(CARD, index, key)
    own, where = canonical(key.key_id), locations_of(registered)
    if own in index.key_ids(scope):
        code, verb = _PLANNED[key.change]
        message = f"The plan {verb} the registered key {key.key_id}, which only IBM Support can do."
        action = for_scope(_KEEP_IN_PLAN, index, scope)
        return fails(CARD, subject, cause_of(code, own), message, where, action)
    if gap := index.keys_gap(scope.type):
        message = f"It is unknown whether the key is registered: {gap_text(gap)}."
        action = gap_action(gap, index.organization)
        return inconclusive(CARD, subject, cause_of_gap(gap), message, where, action)
    forms = {parse_key_id(key_id).form for key_id in (own, *index.key_ids(scope))}
    if registered and "alias" in forms:
        message = "An alias may name the registered key, which the plan then changes."
        action = for_scope(_RECORD_KEY_ID, index, scope)
        return inconclusive(CARD, subject, "alias", message, where, action)
    return passes(CARD, subject, "Astra does not list the key that the plan changes.", where)


def _judge_scope(index: OrganizationIndex, context: Context, scope: KeyScope) -> Iterator[Finding]:
    now = _present(index, context, scope)
    observations = _earlier(context, scope, now.at)
    if not observations:
        return
    gap = index.keys_gap(scope.type)
    if gap and (not now.key_ids or _lost(observations[-1], now)):
        yield from _judge_seen(index, scope, observations)
        yield _unread(index, scope, gap, observations)
        return
    seen = [*observations, now]
    yield from _judge_seen(index, scope, seen) or [_unchanged(index, scope, seen)]


def _earlier(context: Context, scope: KeyScope, now: datetime) -> list[Observation]:
    """Return what was seen in ``scope`` before ``now``; the baseline adds what no record has."""
    known, history = context.baseline.get(scope.organization), context.history
    further = [
        seen
        for seen in (known.keys.get(scope, ()) if known else ())
        if seen.at < now and not history.shows(scope, seen.at)
    ]
    observations = history.observations(scope, [seen.at for seen in further])
    return sorted((*observations, *further), key=lambda observation: observation.at)


def _present(index: OrganizationIndex, context: Context, scope: KeyScope) -> Observation:
    keys = index.keys.get(scope, [])
    at = index.organization.captured_at or context.as_of
    place = keys[0].location if keys else index.organization.location
    return Observation(at, tuple(sorted(key.key_id for key in keys)), *place[:2])


def _unread(
    index: OrganizationIndex, scope: KeyScope, gap: Gap, observations: Sequence[Observation]
) -> Finding:
    where = tuple(seen.location for seen in observations)
    message = f"The present list of {scope.type} keys may be incomplete: {gap_text(gap)}."
    action = _RECOLLECT_KEYS.on(scope.type, type=scope.type, name=index.organization.name)
    return inconclusive(CARD, scope_subject(scope), cause_of_gap(gap), message, where, action)


def _judge_seen(
    index: OrganizationIndex, scope: KeyScope, seen: Sequence[Observation]
) -> list[Finding]:
    """Return what does not comply in ``seen``; a case explains no change that an alias hides."""
    return [*_judge_changes(index, scope, seen), *_judge_aliases(index, scope, seen)]


def _judge_changes(
    index: OrganizationIndex, scope: KeyScope, seen: Sequence[Observation]
) -> list[Finding]:
    """Return one finding for each key that was gone without a support case, each time.

    The time when it was last seen distinguishes two such times, whichever records are given.
    """
    where: tuple[SourceLocation, ...] = tuple(observation.location for observation in seen)
    action = for_scope(FIND_SUPPORT_CASE, index, scope)
    findings = []
    for old, new in _changes(seen):
        if _explaining((old, new), _cases(index, scope)):
            continue
        verb, code = ("was replaced", "replaced") if new.key_ids else ("disappeared", "disappeared")
        message = f"The key {verb} between {utc(old.at)} and {utc(new.at)} without a support case."
        for key_id in _lost(old, new):
            cause = cause_of(code, key_id, utc(old.at))
            findings.append(fails(CARD, scope_subject(scope), cause, message, where, action))
    return findings


def _judge_aliases(
    index: OrganizationIndex, scope: KeyScope, seen: Sequence[Observation]
) -> list[Finding]:
    """Return a finding if two records in a row show one alias, behind which the key may change."""
    if not any(_aliases(old) & _aliases(new) for old, new in pairwise(seen)):
        return []
    where = tuple(observation.location for observation in seen)
    message = "An alias is the same in two records in a row; the key behind it may have changed."
    action = for_scope(_RECORD_KEY_ID, index, scope)
    return [inconclusive(CARD, scope_subject(scope), "alias", message, where, action)]


def _aliases(observation: Observation) -> set[str]:
    parsed = map(parse_key_id, observation.key_ids)
    return {key_id.canonical for key_id in parsed if key_id.form == "alias"}


def _unchanged(index: OrganizationIndex, scope: KeyScope, seen: Sequence[Observation]) -> Finding:
    """Return the finding for a scope in which no key changed without a support case."""
    subject = scope_subject(scope)
    where: tuple[SourceLocation, ...] = tuple(observation.location for observation in seen)
    cases = _cases(index, scope)
    explaining = [case for change in _changes(seen) for case in _explaining(change, cases)]
    if explaining:
        used = list(dict.fromkeys(explaining))
        tickets = ", ".join(case.ticket for case in used)
        message = f"Each change is explained by a support case: {tickets}."
        attested_by = tuple(dict.fromkeys(case.by for case in used))
        return passes(
            CARD, subject, message, (*where, *locations_of(used)), attested_by=attested_by
        )
    shown = list(dropwhile(lambda observation: not observation.key_ids, seen))
    first, last = shown[0], shown[-1]
    records = pluralize(sum(observation.records for observation in shown), "record")
    message = f"The key is the same in {records} from {utc(first.at)} to {utc(last.at)}."
    return passes(CARD, subject, message, (first.location, last.location))


def _changes(seen: Sequence[Observation]) -> list[tuple[Observation, Observation]]:
    """Return each two records in a row of which the later lacks a key of the earlier."""
    return [(old, new) for old, new in pairwise(seen) if _lost(old, new)]


def _lost(old: Observation, new: Observation) -> list[str]:
    """Return the keys of ``old`` that are gone from ``new``; a new version is the same key."""
    now = set(map(canonical, new.key_ids))
    before = set(map(canonical, old.key_ids))
    return sorted(before - now)


def _cases(index: OrganizationIndex, scope: KeyScope) -> list[SupportCase]:
    return [case for case in index.organization.support_cases if _is_of(case, scope)]


def _is_of(case: SupportCase, scope: KeyScope) -> bool:
    return (case.type, case.provider, case.region) == (scope.type, scope.provider, scope.region)


def _explaining(
    change: tuple[Observation, Observation], cases: list[SupportCase]
) -> list[SupportCase]:
    """Return the cases in effect on a day between the two records, their days included."""
    old, new = change
    return [case for case in cases if day(old.at) <= case.on <= day(new.at)]


def check_key_unchanged(group: FindingGroup) -> None:
    """A registered key changes or disappears only with a support case."""
    report_outcome(group)
