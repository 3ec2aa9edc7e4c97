"""CMEK-17: a key whose scope holds databases is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.context import day, utc
from checks.engine.finding import (
    fails,
    inconclusive,
    key_subject,
    locations_of,
    not_applicable,
    passes,
)
from checks.engine.outcome import report_outcome
from checks.shared.cloud_facts import fact_locations, facts_do_not_count, unread_finding
from checks.shared.portal import (
    current_sightings,
    look_in_words,
    not_counting,
    shows_use,
    sightings_of,
)
from checks.shared.remedies import for_scope
from checks.shared.verdicts import with_databases_of
from inventory.index.organization_index import has_no_customer_keys
from inventory.model.key_ids import canonical
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.kms import KmsFacts

CARD = Card(
    id="CMEK-17",
    check="check_key_shows_use",
    title="A key whose scope holds databases is in use",
    basis="derived",
    severity="high",
    subject="key with existing databases that are to be encrypted by it",
    needs=("keys", "databases"),
    causes={
        "not-in-use": "Nothing is encrypted by the key, though databases are to be.",
    },
    rationale=(
        "A key can be registered, granted and alive while every database of its scope runs on "
        "Astra's own keys. Whether anything uses the key shows that, whatever the times say."
    ),
    quotes=(
        Quote(
            sentence=(
                "In Astra, customer keys are associated with a specific cloud provider and region, "
                "and then the same key encrypts all databases that are deployed to that key’s "
                "cloud provider and region."
            ),
            page=OVERVIEW,
            heading="Determine how many keys you need",
        ),
    ),
    remediation=(
        "Look at the regions of the databases in the Astra portal: each shows whether a customer "
        "key encrypts it. Recreate those that run on Astra's keys, and move their data."
    ),
    no_subject="The inventory holds no customer key with existing databases that want it.",
    roles=("key-shows-use",),
)

_FIND_UNENCRYPTED = ActionKind(
    code="find-unencrypted",
    sentence="Find out why nothing uses the key of {scope}, and recreate its databases",
    purpose="repair",
    who="we",
    sentence_for_several=(
        "Find out why nothing uses the keys of {number} key scopes, and recreate their databases: "
        "{scopes}"
    ),
    steps=(
        "Look at the region of each database in the Astra portal: Regions, More, Details.",
        "Recreate each database that Astra's own key encrypts, and migrate its data.",
        "Look again at the key in the portal, and record what it shows.",
    ),
)
_LOOK_AT_USE = ActionKind(
    code="look-at-key-use",
    sentence="Look in the Astra portal whether the key of {scope} is in use",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Look in the Astra portal whether the keys of {number} key scopes are in use: {scopes}"
    ),
    steps=(
        "Print what to look at, and where, with cmek-audit portal.",
        "Record what the portal shows, with name and day.",
        "Run the audit again.",
    ),
)
_COMPARE_USE = ActionKind(
    code="compare-key-use",
    sentence="Find out why what is shown of the use of the key of {scope} differs",
    purpose="prove",
    who="we",
    sentence_for_several=(
        "Find out why what is shown of the use of keys differs in {number} key scopes: {scopes}"
    ),
    steps=(
        "Look again at the key in the Astra portal, and read its last use in its cloud again.",
        "Correct what was recorded wrongly.",
        "Ask IBM Support if both are right.",
    ),
)

Use = Literal["", "used", "unused", "not-since", "disputed"]


class _Shown(NamedTuple):
    """What one kind of evidence shows of the use of a key.

    Attributes:
        use: whether it is in use; ``not-since`` if it was used only before its databases were
            deployed, as far as is known; ``disputed`` if several looks contradict each other; empty
            if that is not shown.
        text: what was shown, in a sentence.
        by: who saw it; empty for what a cloud recorded.
        problem: the finding of why nothing is shown, though there is such evidence.
    """

    use: Use = ""
    text: str = ""
    by: str = ""
    problem: Finding | None = None


class _Key(NamedTuple):
    """A key with the databases that want it.

    Attributes:
        organization: the organization, with its index.
        scope: the key's scope.
        entries: its entries, of which there are several if its versions are listed.
        deployed: when each existing database that wants it was deployed; None if unknown.
        subject: the key, as a subject.
    """

    organization: OrganizationIndex
    scope: KeyScope
    entries: Sequence[CustomerKey]
    deployed: Sequence[datetime | None]
    subject: Subject


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key with existing databases that want it by what shows its use."""
    for scope, keys in index.keys.items():
        deployed = index.in_scope(scope).select(_wants_key_now).deployed
        for name in index.key_ids(scope) if deployed and not has_no_customer_keys(scope) else ():
            entries = [key for key in keys if canonical(key.key_id) == name]
            subject = key_subject(scope, entries[0].key_id)
            finding = _judge_key(_Key(index, scope, entries, deployed, subject), context)
            yield with_databases_of(finding, index, [scope])


def _wants_key_now(deployment: Deployment) -> bool:
    return deployment.expects_customer_key and not deployment.is_planned


def _judge_key(key: _Key, context: Context) -> Finding:
    portal, cloud = _by_portal(key, context), _by_cloud(key, context)
    uses = {portal.use, cloud.use}
    message = " ".join(filter(None, (portal.text, cloud.text)))
    is_contradiction = {"used", "unused"} <= uses or "disputed" in uses
    if is_contradiction or (portal.use, cloud.use) == ("used", "not-since"):
        return _open(key, "contradiction", f"{message} That is a contradiction.", _COMPARE_USE)
    if "unused" in uses:
        count = pluralize(len(key.deployed), "database")
        text = f"{message} {count} in its key scope should be encrypted by it."
        action = for_scope(_FIND_UNENCRYPTED, key.organization, key.scope)
        return fails(CARD, key.subject, "not-in-use", text, _where(key), action)
    if "used" in uses:
        return _passes(key, portal, cloud, message)
    if problem := cloud.problem or portal.problem:
        return problem
    if cloud.use == "not-since":
        return _open(key, "not-used-since", message, _LOOK_AT_USE)
    text = f"Nothing shows whether the key is in use. {_what_would_show(key.scope)}"
    return not_applicable(CARD, key.subject, text, _where(key), "use-not-shown")


def _passes(key: _Key, portal: _Shown, cloud: _Shown, message: str) -> Finding:
    """Find that the key is used; nothing says by which of the databases, or by whom at all."""
    if portal.use == "used":
        text = f"{message} By which of the databases is not shown here."
        people = () if cloud.use == "used" else (portal.by,)
        where = _where(key)
        return passes(CARD, key.subject, text, where, attested_by=people, rests_on="portal")
    text = f"{message} By whom is not shown: it may be somebody other than Astra."
    return passes(CARD, key.subject, text, _where(key), rests_on="cloud")


def _open(key: _Key, reason: str, message: str, kind: ActionKind) -> Finding:
    action = for_scope(kind, key.organization, key.scope)
    return inconclusive(CARD, key.subject, reason, message, _where(key), action)


def _where(key: _Key) -> tuple[SourceLocation, ...]:
    places = [place for entry in key.entries for place in fact_locations(entry, "last-use")]
    return tuple(dict.fromkeys(places))


def _what_would_show(scope: KeyScope) -> str:
    by_portal = "a look at the key in the Astra portal" if shows_use(scope) else ""
    by_cloud = "AWS's record of its last use" if scope.provider == "aws" else ""
    ways = " or ".join(filter(None, (by_portal, by_cloud)))
    if not ways:
        return "For such a key neither the portal nor the cloud shows it."
    return f"{ways[0].upper()}{ways[1:]} would show it."


# --- the portal -----------------------------------------------------------------------------------


def _by_portal(key: _Key, context: Context) -> _Shown:
    """Return what the portal showed; a look counts if a database had been deployed before it."""
    sightings = current_sightings(key.entries, key.scope, context.as_of)
    later = [
        look
        for look in sightings
        if any(deployed and day(deployed) < look.on for deployed in key.deployed)
    ]
    statuses = {look.status for look in later}
    text = " ".join(look_in_words(look) for look in later)
    if len(statuses) > 1:
        return _Shown("disputed", text)
    if later:
        return _Shown("used" if "in-use" in statuses else "unused", text, later[0].by)
    outdated = sightings_of(key.entries) if shows_use(key.scope) and not sightings else []
    if outdated:
        why = not_counting(outdated[0], context.as_of)
        return _Shown(problem=_open(key, "attestation-not-current", why, _LOOK_AT_USE))
    return _Shown()


# --- the cloud ------------------------------------------------------------------------------------


def _by_cloud(key: _Key, context: Context) -> _Shown:
    """Return what the cloud recorded of the use of the key."""
    known = [(entry.kms.observed_at, entry) for entry in key.entries if entry.kms]
    if not known:
        return _Shown()
    _, entry = max(known, key=lambda pair: pair[0])
    kms = entry.kms
    assert kms is not None  # noqa: S101 (filtered above)
    if kms.never_used is not True and kms.last_used_at is None:
        return _Shown(problem=_unread(key, entry, kms))
    if problem := facts_do_not_count(CARD, key.subject, entry, kms, context):
        return _Shown(problem=problem)
    if kms.last_used_at is None:
        is_older = any(time and time < kms.observed_at for time in key.deployed)
        text = f"Up to {utc(kms.observed_at)} the cloud recorded no use of the key."
        return _Shown("unused" if is_older else "", text if is_older else "")
    return _since(key, kms.last_used_at, context)


def _unread(key: _Key, entry: CustomerKey, kms: KmsFacts) -> Finding | None:
    """Return the finding for a record of use that could not be read; None if none was asked for."""
    gap = kms.gap("last-use") or (kms.gap("key") if entry.provider == "aws" else None)
    if gap is None:
        return None
    finding = unread_finding(CARD, key.subject, entry, gap)
    if gap.reason != "not-requested":
        return finding
    where = locations_of([entry])
    return not_applicable(CARD, key.subject, finding.message, where, gap.reason)


def _since(key: _Key, last_used: datetime, context: Context) -> _Shown:
    """Compare the last use with the databases: one that is encrypted uses its key at once."""
    text = f"The cloud recorded the last use of the key at {utc(last_used)}."
    if last_used > context.as_of:
        text = f"{text} That is later than the audit."
        return _Shown(problem=_open(key, "impossible-time", text, _COMPARE_USE))
    if any(time and time <= last_used for time in key.deployed):
        return _Shown("used", text)
    text = f"{text} No database that is to be encrypted by it is known to have existed by then."
    return _Shown("not-since", text)


def check_key_shows_use(group: FindingGroup) -> None:
    """A key whose scope holds databases is in use."""
    report_outcome(group)
