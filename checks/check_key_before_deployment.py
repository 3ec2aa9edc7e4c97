"""CMEK-05: the key was registered before the database was deployed."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import scope_label, utc
from checks.engine.finding import (
    key_subject,
    locations_of,
)
from checks.engine.outcome import report_outcome
from checks.shared.cloud_facts import facts_do_not_count
from checks.shared.direct_evidence import (
    KEY_AVAILABLE,
    KEY_NEVER_USED,
    NOTHING,
    ON_ASTRA_KEYS,
    ScopeKeys,
    find_direct_evidence,
)
from checks.shared.key_registration import date_registration
from checks.shared.registration import compare, locate
from checks.shared.remedies import (
    FIND_KEY_IN_USE,
    FIND_SUPPORT_CASE,
    missing_key_action,
    recreate,
    recreate_on_astra_keys,
)
from checks.shared.shared_passes import TIME, Judgement, SharedPasses, judge_in_series
from checks.shared.verdicts import (
    Verdict,
    exemption_of,
    ordered_by_plan,
    undetermined,
    unread_keys,
    unregistered_key,
)
from inventory.files.yaml_json import scope_fields
from inventory.index.organization_index import has_no_customer_keys
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.actions import Action
    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from checks.engine.pass_series import Found
    from checks.shared.direct_evidence import DirectEvidence
    from checks.shared.registration import Order, Period, Registration
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.key import CustomerKey, KeyScope

CARD = Card(
    id="CMEK-05",
    check="check_key_before_deployment",
    title="The key was registered before the database was deployed",
    basis="required",
    severity="high",
    severity_planned="critical",
    subject="database in a region",
    needs=("databases",),
    causes={
        "without-key": "No key is registered, so none came first.",
        "older-than-key": "The database was deployed before the key was registered.",
        ON_ASTRA_KEYS: "The portal showed that Astra's own key encrypts the database.",
        KEY_AVAILABLE: "The portal showed that no database is encrypted by the key.",
        KEY_NEVER_USED: "The cloud recorded no use of the key since it was created.",
    },
    rationale=(
        "A key that comes after the database does not encrypt it: the database stays on Astra's "
        "keys, while every list shows a customer key beside it."
    ),
    quotes=(
        Quote(
            sentence=(
                "You must configure customer keys before you deploy the databases that will use "
                "those keys."
            ),
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
        Quote(
            sentence="You cannot use a new customer key for an existing database.",
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
    ),
    remediation=(
        "A planned database: register the key first. An existing one that is older than its key, "
        "or has none: recreate it once the key is registered, and move its data. One whose order "
        "is not known: attest when the key was registered, or keep dated records from now on."
    ),
    no_subject="The inventory holds no database, existing or planned.",
    roles=("key-first", "proof"),
)


class _Known(NamedTuple):
    """What is known of the keys of one scope, found out once for all its databases.

    Attributes:
        keys: every entry of a registered key.
        periods: when the key was registered, and when those that it replaced; empty without a key
            and if several are claimed.
        attested_by: those who attest the time of its registration.
        contradiction: what keeps the attested time from counting, in a sentence; empty if nothing.
        is_special: whether the scope is one where a key is of no use, or its type is unknown.
        scope: the scope.
        label: the scope, for people.
        evidence: where the key was read, and what bounds the time of its registration.
        direct: what is shown directly of each deployment, in their order; empty if nothing is.
        present: the time of the present record.
    """

    keys: list[CustomerKey]
    periods: tuple[Period, ...]
    attested_by: tuple[str, ...]
    contradiction: str
    is_special: bool
    scope: KeyScope
    label: str
    evidence: tuple[SourceLocation, ...]
    direct: list[DirectEvidence]
    present: datetime

    @property
    def times(self) -> list[datetime]:
        """Return every time with which that of a database is compared."""
        bounds = [(*period.registration, period.until) for period in self.periods]
        times = (self.present, *chain.from_iterable(bounds))
        return [time for time in times if isinstance(time, datetime)]

    def act(self, kind: ActionKind) -> Action:
        """Return a step for the key scope."""
        return kind.on(*self.scope[1:], scope=self.label)


_RECORD_TIMES = ActionKind(
    code="record-times",
    sentence="Record when the databases of {scope} were deployed",
    purpose="prove",
    who="we",
    sentence_for_several="Record when the databases of {number} key scopes were deployed: {scopes}",
    steps=(
        (
            "Look up in the Astra portal or in earlier records when each region was added to its "
            "database."
        ),
        "Record the times in the inventory.",
        "Run the audit again.",
    ),
)
_CORRECT_TIMES = ActionKind(
    code="correct-times",
    sentence="Correct the times of the databases of {scope}",
    purpose="prove",
    who="we",
    sentence_for_several="Correct the times of the databases of {number} key scopes: {scopes}",
    steps=(
        "Compare the recorded times with what Astra shows.",
        "Correct the wrong ones in the inventory.",
        "Run the audit again.",
    ),
)
_CORRECT_REGISTRATION = ActionKind(
    code="correct-registration",
    sentence="Correct the registration time of the key of {scope}, or the records",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Correct the registration times of the keys of {number} key scopes, or the records: "
        "{scopes}"
    ),
    steps=(
        "Compare the attested time with the dated earlier records.",
        "Find out which of them is wrong, and correct it with name and day.",
        "Run the audit again.",
    ),
)
_GIVE_RECORDS = ActionKind(
    code="give-records",
    sentence="Give dated records of {scope} from when its databases were deployed",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Give dated records of {number} key scopes from when their databases were deployed: "
        "{scopes}"
    ),
    steps=(
        "Look for records of the keys from the days when the databases were deployed.",
        "Give them to the audit as its history.",
        "Keep dated records from now on.",
    ),
)
_ATTEST_REGISTRATION = ActionKind(
    code="attest-registration",
    sentence="Attest when the key of {scope} was registered, or give dated earlier records",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Attest when {number} keys were registered, or give dated earlier records: {scopes}"
    ),
    steps=(
        "Find out to the second when the key was registered, from tickets, logs or whoever did it.",
        "Attest it with name and day, or give dated earlier records as the audit's history.",
        (
            "For Serverless, a look at the Astra portal can show it instead: cmek-audit portal "
            "lists what to look at."
        ),
        "Run the audit again.",
    ),
)
_RESOLVE_CONTRADICTION = ActionKind(
    code="resolve-key-contradiction",
    sentence="Find out which evidence on the databases of {scope} is wrong, and correct it",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Find out which evidence on the databases of {number} key scopes is wrong: {scopes}"
    ),
    steps=(
        "Look again at the key and at the regions of the databases in the Astra portal.",
        "Correct the look that was recorded, or the times, whichever of them is wrong.",
        "Ask IBM Support if both are right.",
    ),
)
_NO_BASE = frozenset({"contradiction", "impossible-time", "time-not-recorded", "unknown-type"})
"""Why a database cannot be judged, whatever is shown of it."""


def judge(index: OrganizationIndex, context: Context) -> Iterator[Found]:
    """Judge each database in each of its regions."""
    yield from undetermined(CARD, index)
    for scope, deployments in index.scopes.items():
        known = _know(index, context, scope)
        judge_one = partial(_judge_deployment, index, known)
        if known.direct:
            yield from map(judge_one, deployments, known.direct)
        else:
            yield from judge_in_series(CARD, deployments, _passes_by_order(index, known), judge_one)


def _judge_deployment(
    index: OrganizationIndex,
    known: _Known,
    deployment: Deployment,
    direct: DirectEvidence = NOTHING,
) -> Finding:
    """Return the finding about one database in one region."""
    deployed = deployment.deployed
    verdict = _verdict(index, known, deployment, utc(deployed) if deployed else "")
    where = (deployment.location, *_evidence(known, deployed))
    if direct is not NOTHING:
        verdict = _with_direct(deployment, known, verdict, direct)
        shown = [shown.evidence for shown in (*direct.encrypted, *direct.unencrypted)]
        where = tuple(dict.fromkeys((*where, *chain.from_iterable(shown))))
    return verdict.on_deployment(CARD, deployment, where)


def _passes_by_order(index: OrganizationIndex, known: _Known) -> SharedPasses:
    """Return the passes of databases of which nothing but the order of times has to be judged."""

    def is_dated(deployment: Deployment) -> bool:
        exists = not (known.is_special or deployment.is_planned)
        return exists and deployment.expects_customer_key

    def judge_first(deployment: Deployment) -> Judgement:
        evidence = _evidence(known, deployment.deployed)
        return Judgement(_verdict(index, known, deployment, TIME), evidence)

    return SharedPasses(known.times, is_dated, judge_first)


def _know(index: OrganizationIndex, context: Context, scope: KeyScope) -> _Known:
    keys = index.keys.get(scope, [])
    cases = [case for case in index.organization.support_cases if scope_fields(case) == scope[1:]]
    known = date_registration(scope, keys, cases, index.organization, context)
    evidence = _bounds(keys, known.periods[:1])
    earlier = [period.key for period in known.periods[1:]]
    return _Known(
        keys,
        known.periods,
        known.attested_by,
        known.contradiction,
        is_special=has_no_customer_keys(scope) or scope.type == "unknown",
        scope=scope,
        label=scope_label(index.organization, scope),
        evidence=evidence,
        direct=find_direct_evidence(_scope_keys(index, scope, earlier, context)),
        present=index.organization.captured_at or context.as_of,
    )


def _scope_keys(
    index: OrganizationIndex, scope: KeyScope, earlier: Sequence[str], context: Context
) -> ScopeKeys:
    """Return the keys of ``scope`` with what their clouds recorded of their use, if it counts."""
    keys, never_used, notes = index.keys.get(scope, []), {}, []
    for key in keys:
        if key.kms and key.kms.never_used:
            subject = key_subject(scope, key.key_id)
            if old := facts_do_not_count(CARD, subject, key, key.kms, context):
                notes.append(f"That the key was never used does not count. {old.message}")
            else:
                never_used[canonical(key.key_id)] = key.kms.observed_at
    return ScopeKeys(
        organization=index,
        scope=scope,
        keys=keys,
        earlier=earlier,
        never_used=never_used,
        as_of=context.as_of,
        notes=tuple(dict.fromkeys(notes)),
    )


def _registered(registration: Registration, attested_by: Sequence[str]) -> str:
    """Return what is known of the time of registration, in words."""
    if registration.exact is not None:
        return f"Key registered {utc(registration.exact)}, attested by {attested_by[0]}"
    begin = _begin(registration)
    end = f"first seen {utc(registration.by)}" if registration.by else ""
    used, by = registration.used, registration.by
    if used is not None and (by is None or used < by):
        end = f"used by Astra from {utc(used)} on, as a grant of its own shows"
    return f"Key {', '.join(filter(None, (begin, end))) or 'registered at an unknown time'}"


def _begin(registration: Registration) -> str:
    """Return the latest time before which the key was not registered, in words."""
    times = (registration.created, registration.since, registration.after)
    texts = ("created {}", "registered {} or later", "not yet registered at {}")
    known = [(time, text) for time, text in zip(times, texts, strict=True) if time]
    if not known:
        return ""
    time, text = max(known, key=lambda entry: entry[0])
    return text.format(utc(time))


def _evidence(known: _Known, deployed: datetime | None) -> tuple[SourceLocation, ...]:
    """Return where the key was read, and what bounds the time of the one that matters.

    Nearly always that is the only one, so its bounds are found once for all databases.
    """
    if deployed is None or len(known.periods) < 2:  # noqa: PLR2004 (a key that replaced another)
        return known.evidence
    _, index = locate(known.periods, deployed)
    return _bounds(known.keys, known.periods[: index + 1])


def _bounds(keys: list[CustomerKey], periods: Sequence[Period]) -> tuple[SourceLocation, ...]:
    bounds = [place for period in periods for place in period.registration.evidence]
    cases = [case for period in periods for case in period.cases]
    return tuple(dict.fromkeys((*locations_of(keys), *bounds, *locations_of(cases))))


def _verdict(index: OrganizationIndex, known: _Known, deployment: Deployment, time: str) -> Verdict:
    """Judge by what was recorded; ``time`` is when the database was deployed, in words."""
    may_be_exempt = known.is_special or not deployment.expects_customer_key
    if may_be_exempt and (exemption := exemption_of(deployment)):
        return exemption
    if not known.keys:
        return _without_key(index, deployment, known)
    if deployment.is_planned:
        message = f"The key is registered; the {_planned(deployment)} is only planned."
        return Verdict("pass", message)
    return _compare(deployment, known, time)


def _without_key(index: OrganizationIndex, deployment: Deployment, known: _Known) -> Verdict:
    if unread := unread_keys(index, deployment.scope.type):
        return unread
    if deployment.is_planned and (ordered := ordered_by_plan(index, deployment.scope)):
        return ordered
    message = (
        f"No key is registered, and the {_planned(deployment)} is about to be deployed."
        f"{unregistered_key(index, deployment.scope)}"
        if deployment.is_planned
        else "No key is registered: the database runs on Astra's keys."
    )
    action = missing_key_action(index, deployment)
    return Verdict("fail", message, action=action, cause="without-key")


def _planned(deployment: Deployment) -> str:
    return "database" if deployment.database.is_planned else "region"


def _compare(deployment: Deployment, known: _Known, time: str) -> Verdict:
    deployed = deployment.deployed
    if not known.periods:
        message = "Several keys are claimed for the scope, so the registration cannot be dated."
        return Verdict("inconclusive", message, "rival-keys", known.act(FIND_KEY_IN_USE))
    if deployed is None:
        message = "The record does not show when the region was added to the database."
        return Verdict("inconclusive", message, "time-not-recorded", known.act(_RECORD_TIMES))
    if deployed > known.present:
        message = f"Deployed {time}, later than its own record of {utc(known.present)}."
        return Verdict("inconclusive", message, "impossible-time", known.act(_CORRECT_TIMES))
    return _by_order(deployment, known, deployed, time)


def _by_order(deployment: Deployment, known: _Known, deployed: datetime, time: str) -> Verdict:
    if known.contradiction:
        action = known.act(_CORRECT_REGISTRATION)
        return Verdict("inconclusive", known.contradiction, "contradiction", action)
    order, index = locate(known.periods, deployed)
    registration = known.periods[index].registration
    facts = f"{_registered(registration, known.attested_by)}; database deployed {time}."
    if order == "before":
        if index:
            return _by_replaced(known, facts, index)
        if compare(registration._replace(exact=None), deployed) == "before":
            return Verdict("pass", facts, rests_on="order")
        return Verdict("pass", facts, attested_by=known.attested_by, rests_on="attested")
    if order == "after":
        return Verdict("fail", facts, action=recreate(deployment), cause="older-than-key")
    return _unresolved(known, facts, deployed, order, index)


def _by_replaced(known: _Known, facts: str, index: int) -> Verdict:
    """Judge by a key that was registered before the database, and replaced after it."""
    explaining = [period.cases for period in known.periods[1 : index + 1]]
    if not all(explaining):
        message = f"{facts} The key was replaced after that without a support case."
        action = known.act(FIND_SUPPORT_CASE)
        return Verdict("inconclusive", message, "replaced-without-case", action)
    every = [case for cases in explaining for case in cases]
    tickets = ", ".join(dict.fromkeys(case.ticket for case in every))
    message = f"{facts} IBM Support replaced the key after that: {tickets}."
    people = tuple(dict.fromkeys(case.by for case in every))
    return Verdict("pass", message, attested_by=people, rests_on="order")


def _unresolved(known: _Known, facts: str, deployed: datetime, order: Order, index: int) -> Verdict:
    """Judge a time at which the key may have been registered, or another one may have."""
    registration, before = known.periods[index].registration, known.periods[index + 1 :]
    note = " The scope had a key before that." if registration.returned else ""
    if before and before[0].until:
        note = f" The key before it was last seen at {utc(before[0].until)}."
    if not note and registration.used and registration.used < deployed:
        note = " It may be another organization, which shares the key, whose use the grant shows."
    message = f"{facts} Which came first is unknown.{note}"
    reason = "equal-times" if order == "equal" else "registration-time-unknown"
    needs_records = index or (registration.exact and order != "equal")
    kind = _GIVE_RECORDS if needs_records else _ATTEST_REGISTRATION
    return Verdict("inconclusive", message, reason, known.act(kind))


def _with_direct(
    deployment: Deployment, known: _Known, verdict: Verdict, direct: DirectEvidence
) -> Verdict:
    """Return what the order of times and what is shown directly say together.

    Neither outweighs the other: if they contradict each other, nothing can be judged.
    """
    both = verdict._replace(message=f"{verdict.message} {direct.text}")
    decided = f"{direct.text} {verdict.message}"
    if verdict.status == "not-applicable" or verdict.reason in _NO_BASE:
        return both
    agrees = not direct.contradicts_itself
    agrees = agrees and not (verdict.status == "pass" and direct.unencrypted)
    agrees = agrees and not (verdict.status == "fail" and direct.encrypted)
    if not agrees:
        action = known.act(_RESOLVE_CONTRADICTION)
        return Verdict("inconclusive", both.message, "contradiction", action)
    if direct.encrypted and known.keys:
        return _shown_encrypted(verdict, decided, direct)
    decisive = [shown for shown in direct.unencrypted if shown.decides]
    if decisive and verdict.status == "inconclusive":
        action, cause = recreate_on_astra_keys(deployment), decisive[0].cause
        return Verdict("fail", decided, action=action, cause=cause)
    return both


def _shown_encrypted(verdict: Verdict, message: str, direct: DirectEvidence) -> Verdict:
    """Return a pass that rests on the portal, on somebody's word only if it takes that."""
    is_proven = verdict.status == "pass" and not verdict.attested_by
    people = [shown.by for shown in direct.encrypted]
    attested_by = () if is_proven else tuple(dict.fromkeys(people))
    return Verdict("pass", message, attested_by=attested_by, rests_on="portal")


def check_key_before_deployment(group: FindingGroup) -> None:
    """The key was registered before the database was deployed."""
    report_outcome(group)
