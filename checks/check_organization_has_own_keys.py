"""CMEK-06: organizations do not share a customer key."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import gap_text
from checks.engine.finding import (
    fails,
    inconclusive,
    key_id_subject,
    organization_subject,
    passes,
    planned_key_subject,
)
from checks.engine.identity import PLANNED, cause_of
from checks.engine.outcome import report_outcome
from checks.shared.planned_keys import NO_ID
from checks.shared.remedies import determine, record_key_id
from inventory.index.organization_index import scope_of
from inventory.model.key_ids import canonical, material_id, parse_key_id, project_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.context import Context, Summary, UsedKey
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.model.base import SourceLocation
    from inventory.model.planned_keys import PlannedKey

    Users = dict[str, dict[str, tuple[str, UsedKey]]]
    """Name and entry of each organization that uses a key, by the key and the organization's id."""

CARD = Card(
    id="CMEK-06",
    check="check_organization_has_own_keys",
    title="Organizations do not share a customer key",
    basis="recommended",
    severity="advisory",
    subject="key id across organizations; planned key",
    causes={
        "shared-by:ORGANIZATION": "The organization is one of several that use the key.",
    },
    rationale=(
        "Whoever disables or loses a shared key affects several organizations at once, and access "
        "to one organization's key is access to the other's."
    ),
    quotes=(
        Quote(
            sentence=(
                "If you have multiple Astra organizations, DataStax recommends separate keys for "
                "each organization."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Create a key of its own for each organization. A key that is registered already can be "
        "replaced by IBM Support only: open a case. The same AWS account or Google project is fine."
    ),
    no_subject="The audit holds no key, or a single organization, so no key could be shared.",
)

_SEPARATE_ORGANIZATIONS = ActionKind(
    code="separate-organizations",
    sentence="Give each organization a key of its own instead of {key}",
    purpose="repair",
    who="IBM Support",
    sentence_for_several="Give each organization a key of its own instead of {number} shared keys",
    steps=(
        "Have the cloud administrators create a key for each further organization.",
        (
            "Open a case with IBM Support to replace the shared key: nobody else can change a "
            "registered key."
        ),
        "Record the case with its ticket and day, and re-collect.",
    ),
)
_PLAN_OWN_KEY = ActionKind(
    code="plan-own-key",
    sentence="Plan a key of its own for {name} instead of {key}",
    purpose="repair",
    who="we",
    sentence_for_several="Plan {number} own keys for {name} instead of shared ones",
    steps=(
        "Have the cloud administrators create a key for this organization alone.",
        "Put its id into the plan instead of the shared one.",
        "Audit the new plan before you apply it: Terraform cannot undo a registration.",
    ),
)
_RECOLLECT_KEYS = ActionKind(
    code="recollect-keys",
    sentence="Re-collect the keys of {name} in full",
    purpose="prove",
    who="we",
    sentence_for_several="Re-collect the keys of {number} organizations in full",
    steps=(
        "Run the collection again with a token that may read all of the organization.",
        "Run the audit again with the new record.",
    ),
)


def judge_across(organizations: Sequence[Summary], context: Context) -> Iterator[Finding]:
    """Judge each key id, compared without version, over all organizations together."""
    if len(organizations) < 2:  # noqa: PLR2004 (sharing takes two)
        return
    unread = sorted((owner for owner in organizations if owner.gaps), key=attrgetter("id"))
    users: Users = {}
    for organization in organizations:
        for key in organization.keys:
            own = canonical(key.key_id)
            users.setdefault(own, {})[organization.id] = (organization.name, key)
    relatives = _relatives(users)
    for own, used in users.items():
        databases = sum(key.databases for _, key in used.values())
        existing = sum(key.existing for _, key in used.values())
        note = _note(own, users, relatives)
        for finding in _judge_key(own, used, unread):
            message = f"{finding.message}{note}"
            yield finding._replace(message=message, databases=databases, existing=existing)
    for finding in _judge_plans(organizations, users, unread):
        note = _note(canonical(finding.subject.key), users, relatives)
        yield finding._replace(message=f"{finding.message}{note}")
    for owner in () if users else unread:
        message = f"No key is known, and key lists may be incomplete: {gap_text(owner.gaps[0])}."
        yield _unread(organization_subject(owner.id), (owner.location,), message, owner)


def _relatives(users: Users) -> dict[str, list[str]]:
    """Return the keys that may share their material, by what their ids have in common."""
    relatives: dict[str, list[str]] = {}
    for own in users:
        if common := material_id(own):
            relatives.setdefault(common, []).append(own)
    return relatives


def _note(own: str, users: Users, relatives: dict[str, list[str]]) -> str:
    """Return who else uses the same key material under another id, in words; empty if nobody."""
    others = [other for other in relatives.get(material_id(own), ()) if _may_be_one(own, other)]
    names = {
        name
        for other in others
        for organization, (name, _) in users[other].items()
        if organization not in users.get(own, {})
    }
    if not names:
        return ""
    named = ", ".join(sorted(names))
    if project := project_of(own):
        by = "id" if project.isdecimal() else "number"
        return f" It may be the key that {named} names by the project's {by}."
    return f" Replicas of this multi-Region key, which share its material, are used by {named}."


def _may_be_one(one: str, two: str) -> bool:
    """Return whether two ids with something in common may name one key material.

    Two projects of Google are different ones unless one is named by id and one by number.
    """
    projects = project_of(one), project_of(two)
    return projects == ("", "") or projects[0].isdecimal() is not projects[1].isdecimal()


def _judge_key(
    own: str, used: dict[str, tuple[str, UsedKey]], unread: list[Summary]
) -> Iterator[Finding]:
    subject, where = key_id_subject("", own), _locations(used)
    if len(used) > 1:
        yield from _shared(own, used)
    else:
        [(name, _)] = used.values()
        yield _alone(subject, own, f"Only {name} uses the key.", where, unread)


def _locations(used: dict[str, tuple[str, UsedKey]]) -> tuple[SourceLocation, ...]:
    return tuple(key.location for _, key in used.values())


def _alone(
    subject: Subject,
    own: str,
    message: str,
    where: tuple[SourceLocation, ...],
    unread: list[Summary],
) -> Finding:
    """Return the finding about a key seen in one organization, which ``message`` says."""
    if parse_key_id(own).form != "key":
        message = "The key id is an alias or has no known form: it may hide a shared key."
        action = record_key_id(own)
        return inconclusive(CARD, subject, "disguised-key", message, where, action)
    if unread:
        first, why = unread[0], gap_text(unread[0].gaps[0])
        message = f"The key list of {first.name} may be incomplete: {why}."
        return _unread(subject, where, message, first)
    return passes(CARD, subject, message, where)


def _shared(own: str, used: dict[str, tuple[str, UsedKey]]) -> Iterator[Finding]:
    """Yield one finding for each organization that uses the key: a further one is a new cause."""
    where = _locations(used)
    names = ", ".join(name for name, _ in used.values())
    action = _SEPARATE_ORGANIZATIONS.on(own, key=own)
    for organization, (name, _) in used.items():
        message = f"{name} is one of {len(used)} organizations that share the key: {names}."
        cause = cause_of("shared-by", organization)
        yield fails(CARD, key_id_subject("", own), cause, message, where, action)


def _judge_plans(
    organizations: Sequence[Summary], users: Users, unread: list[Summary]
) -> Iterator[Finding]:
    """Judge each key that a plan would register, beside those that organizations have."""
    plans = [(owner, key) for owner in organizations for key in owner.planned_keys]
    owners: dict[str, dict[str, str]] = {}
    for own in {canonical(key.key_id or "") for _, key in plans}:
        owners[own] = {identity: name for identity, (name, _) in users.get(own, {}).items()}
    for owner, key in plans:
        owners[canonical(key.key_id or "")][owner.id] = owner.name
    for owner, key in plans:
        others = {**owners[canonical(key.key_id or "")]}
        del others[owner.id]
        for finding in _judge_planned(owner, key, others, unread):
            cause = finding.cause and f"{PLANNED}{finding.cause}"
            yield finding._replace(cause=cause, name=key.resource)


def _judge_planned(
    owner: Summary, key: PlannedKey, others: dict[str, str], unread: list[Summary]
) -> Iterator[Finding]:
    """Yield a finding for each organization that has a planned key or is to get it, else one."""
    subject = planned_key_subject(scope_of(owner.id, key), key)
    where = (key.location,)
    if key.key_id is None:
        message = f"The plan does not show the id of {key.resource}: {key.missing}."
        yield inconclusive(CARD, subject, NO_ID, message, where, determine([key]))
        return
    for identity, name in others.items():
        message = f"The plan gives {owner.name} a key that {name} has, or gets from a plan."
        action = _PLAN_OWN_KEY.on(key.key_id, name=owner.name, key=key.key_id)
        yield fails(CARD, subject, cause_of("shared-by", identity), message, where, action)
    if not others:
        message = f"Only {owner.name} would use the key."
        yield _alone(subject, canonical(key.key_id), message, where, unread)


def _unread(
    subject: Subject, where: tuple[SourceLocation, ...], message: str, unread: Summary
) -> Finding:
    action = _RECOLLECT_KEYS.on(unread.id, name=unread.name)
    return inconclusive(CARD, subject, unread.gaps[0].reason, message, where, action)


def check_organization_has_own_keys(group: FindingGroup) -> None:
    """Organizations do not share a customer key."""
    report_outcome(group)
