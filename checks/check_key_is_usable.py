"""CMEK-12: the key is enabled, symmetric, in its region, and granted to Astra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.access.vendor_grants import GrantedKey, accounts_for, judge_grants
from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import (
    fails,
    key_subject,
    locations_of,
    passes,
    planned_key_subject,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.cloud_facts import (
    fact_locations,
    facts_are_refused,
    nothing_read,
    unread_finding,
)
from checks.shared.key_life import Fault, faults_of_life, notes_on_life
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.principals import open_to_anybody
from checks.shared.verdicts import not_current, with_databases_of, without_kms_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.access.vendor_grants import Grants
    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.attestations import UsableAttestation
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.kms import KmsFact, KmsFacts
    from inventory.model.planned_keys import PlannedKey
    from inventory.model.vocabulary import Provider

CARD = Card(
    id="CMEK-12",
    check="check_key_is_usable",
    title="The key is enabled, symmetric, in its region, and granted to Astra",
    basis="derived",
    severity="high",
    subject="key, with facts of the cloud's key management or an attestation",
    needs=("keys",),
    causes={
        "disabled": "The key is disabled.",
        "not-symmetric": "The key is not a symmetric one.",
        "not-suitable": "The key is of a kind that cannot wrap other keys.",
        "not-granted:ACCOUNT": "Astra may not use the key, or this account of Astra may not.",
        "other-region:REGION": "The key is in another region.",
        "pending-deletion": "The key will be deleted.",
        "expired": "The key has expired.",
        "expires-soon": "The key expires within 30 days.",
        "dead-version:VERSION": (
            "A version of the key cannot decrypt, so that what it encrypted is lost."
        ),
        "not-usable": "The key is attested not to be usable.",
    },
    rationale=(
        "Astra can register a key that it cannot use. A key that is disabled, of the wrong kind, "
        "in another region or not granted to the vendor's account encrypts nothing, or makes "
        "databases unreadable."
    ),
    quotes=(
        Quote(
            sentence=(
                "After you determine how many keys you need, you must create and register those "
                "keys in your Astra organization before you deploy the databases that will use "
                "those keys for encryption."
            ),
            page=OVERVIEW,
            heading="Configure customer key encryption",
        ),
    ),
    remediation=(
        "Enable the key, or grant it to the vendor's account as the vendor's page for its provider "
        "describes. A key of the wrong kind or region has to be replaced, through IBM Support."
    ),
    no_subject="The inventory holds no customer key.",
    roles=("proof",),
)

_FACTS = {
    "enabled": "whether the key is enabled",
    "symmetric": "whether the key is symmetric",
    "suitable": "whether the key is of a suitable kind",
    "granted_to_astra": "whether the key is granted to Astra",
    "region": "the region of the key",
}

_STATE: frozenset[KmsFact] = frozenset({"key", "versions", "deleted-key"})
"""What shows the state of a key."""

_MAKE_USABLE = ActionKind(
    code="make-key-usable",
    sentence="Make the key {key} usable for Astra",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Make {number} keys usable for Astra",
    steps=(
        "Read in the finding what is wrong with the key.",
        (
            "Enable the key, or grant it to Astra's account as the vendor's page for the provider "
            "describes."
        ),
        (
            "Open a case with IBM Support if the key is of the wrong kind or region: it has to be "
            "replaced."
        ),
        "Record the key's new state, and run the audit again.",
    ),
)
_ATTEST_USABLE = ActionKind(
    code="attest-usable",
    sentence="Attest again whether {key} is usable",
    purpose="prove",
    who="we",
    sentence_for_several="Attest again whether {number} keys are usable",
    steps=(
        "Look in the cloud's console whether the key is enabled, and granted to Astra's account.",
        "Attest what you see, with name and day.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by the KMS data, and where that is missing by the attestation."""
    for scope, keys in index.keys.items():
        for key in keys:
            for finding in _judge_key(scope, key, index, context):
                yield with_databases_of(finding, index, [scope])
    for scope, planned in planned_keys(index):
        if planned.kms is not None:
            subject = planned_key_subject(scope, planned)
            accounts = accounts_for(index, planned)
            granted = GrantedKey(CARD, subject, planned, planned.kms, accounts, index)
            for finding in _judge_facts(granted, context, has_data=False):
                yield as_planned(finding, CARD, index, planned)


def _judge_key(
    scope: KeyScope, key: CustomerKey, index: OrganizationIndex, context: Context
) -> Iterator[Finding]:
    subject, accounts = key_subject(scope, key.key_id), accounts_for(index, key)
    if key.kms is None:
        yield _judge_without_facts(subject, key, accounts, context)
        return
    granted = GrantedKey(CARD, subject, key, key.kms, accounts, index)
    existing = len(index.scopes.get(scope, ())) - index.planned[scope]
    yield from _judge_facts(granted, context, has_data=existing > 0, usable=key.usable)


def _judge_facts(
    granted: GrantedKey,
    context: Context,
    *,
    has_data: bool,
    usable: UsableAttestation | None = None,
) -> Iterator[Finding]:
    """Yield one finding for each fact that is wrong or missing; one pass if there is none."""
    _, subject, key, kms, *_ = granted
    if refused := facts_are_refused(CARD, subject, key, kms, context):
        yield refused
        return
    if unread := nothing_read(CARD, subject, key, kms):
        yield _judge_attested(subject, key, usable, context) if usable else unread
        return
    grants = judge_grants(granted)
    faults = [*_faults(granted, context, has_data=has_data), *map(_as_fault, grants.denied)]
    yield from (_failure(granted, fault) for fault in faults)
    unclear = [*grants.unclear, *_missing(granted, grants, context)]
    if unclear and usable:
        attested = _judge_attested(subject, key, usable, context)
        if attested.status != "pass" or not faults:
            yield attested
    elif unclear:
        yield from unclear
    elif not faults:
        yield _pass(granted, context)


def _as_fault(denied: tuple[str, str]) -> Fault:
    return Fault(*denied)


def _failure(granted: GrantedKey, fault: Fault) -> Finding:
    _, subject, key, *_ = granted
    action = fault.action or _MAKE_USABLE.on(granted.key_id, key=granted.key_id)
    where = fact_locations(key, *_facts_of(fault))
    found = fails(CARD, subject, fault.cause, f"{fault.text}.", where, action)
    return found._replace(severity=fault.severity or found.severity)


def _facts_of(fault: Fault) -> tuple[KmsFact, ...]:
    """Return which facts show a fault."""
    if fault.cause.startswith("not-granted"):
        return "policy", "grants"
    return ("versions",) if fault.cause.startswith("dead-version") else ("key", "deleted-key")


def _pass(granted: GrantedKey, context: Context) -> Finding:
    kms, key = granted.kms, granted.key
    kind = "symmetric" if kms.symmetric else "of a suitable kind"
    notes = [*_anybody(granted), *notes_on_life(kms, granted.key_id, context.as_of)]
    message = f"Enabled, {kind}, in its region, and granted to Astra."
    where = fact_locations(key, "key", "versions", "policy", "grants", "bindings", "ring-bindings")
    return passes(CARD, granted.subject, " ".join([message, *notes]), where, rests_on="cloud")


def _anybody(granted: GrantedKey) -> Iterator[str]:
    """Yield that anybody may use the key, in words, if that is so."""
    anybody = open_to_anybody(granted.kms.granted_to or (), granted.key.provider)
    if anybody:
        yield f"Anybody may use it: it is granted to {anybody}."


# --- facts ----------------------------------------------------------------------------------------


def _faults(granted: GrantedKey, context: Context, *, has_data: bool) -> Iterator[Fault]:
    """Yield each fact, grants apart, that keeps Astra from using a key, or soon will."""
    kms, key = granted.kms, granted.key
    if kms.enabled is False:
        in_state = f" cannot be used: its state is {kms.state}" if kms.state else " is disabled"
        yield Fault("disabled", f"The key{in_state}")
    if kms.suitable is False:
        is_kind = f": it is {kms.kind}" if kms.kind else ""
        yield Fault("not-suitable", f"The key is of a kind that cannot wrap other keys{is_kind}")
    elif kms.symmetric is False and key.provider != "azure":
        yield Fault("not-symmetric", "The key is not symmetric")
    if kms.region not in {None, key.region}:
        yield Fault(cause_of("other-region", str(kms.region)), f"The key is in {kms.region}")
    yield from faults_of_life(kms, granted.key_id, context.as_of, has_data=has_data)


def _missing(granted: GrantedKey, grants: Grants, context: Context) -> Iterator[Finding]:
    """Yield a finding for each fact that could not be read, or is not recorded."""
    _, subject, key, kms, *_ = granted
    gaps = [gap for gap in kms.unread if gap.fact in _STATE]
    for gap in gaps:
        yield unread_finding(CARD, subject, key, gap)
    missing = [] if any(gap.fact == "key" for gap in gaps) else _not_recorded(kms, key.provider)
    if not grants.is_known:
        missing.append("granted_to_astra")
    for name in sorted(missing, key=list(_FACTS).index):
        is_asked = name == "granted_to_astra" and granted.accounts
        fact = _asked(granted.accounts) if is_asked else _FACTS[name]
        if name == "granted_to_astra" and key.provider == "azure":
            fact = f"{fact}; Azure does not show on the data plane who may use a key"
        unknown = without_kms_facts(CARD, subject, key, context, fact)
        yield unknown._replace(cause=cause_of(unknown.reason, name))


def _not_recorded(kms: KmsFacts, provider: Provider) -> list[str]:
    """Return which facts on the key itself are missing.

    A vault of Azure holds no symmetric keys, so that a key's not being one says nothing there.
    """
    is_azure = provider == "azure"
    kind = kms.suitable if kms.suitable is not None else kms.symmetric
    if is_azure and kms.suitable is None and kms.symmetric is False:
        kind = None
    facts = {
        "enabled": kms.enabled,
        "suitable" if is_azure else "symmetric": kind,
        "region": kms.region,
    }
    return [name for name, value in facts.items() if value is None]


# --- attestations ---------------------------------------------------------------------------------


def _judge_without_facts(
    subject: Subject, key: CustomerKey, accounts: tuple[str, ...], context: Context
) -> Finding:
    if key.usable is not None:
        return _judge_attested(subject, key, key.usable, context)
    facts = ["whether the key is usable", *([_asked(accounts)] if accounts else [])]
    return without_kms_facts(CARD, subject, key, context, " and ".join(facts))


def _asked(accounts: tuple[str, ...]) -> str:
    return f"whether it is granted to {', '.join(accounts)}, which Astra names"


def _judge_attested(
    subject: Subject, key: CustomerKey | PlannedKey, usable: UsableAttestation, context: Context
) -> Finding:
    where, key_id = locations_of([key]), key.key_id or ""
    again = _ATTEST_USABLE.on(key_id, key=key_id)
    if old := not_current(usable, context, again):
        return old.on_subject(CARD, subject, where)
    attested = f"{usable.by} attested on {usable.on}: the key is "
    if usable.usable:
        message = f"{attested}usable for Astra."
        return passes(CARD, subject, message, where, attested_by=(usable.by,))
    action = _MAKE_USABLE.on(key_id, key=key_id)
    return fails(CARD, subject, "not-usable", f"{attested}not usable for Astra.", where, action)


def check_key_is_usable(group: FindingGroup) -> None:
    """The key is enabled, symmetric, in its region, and granted to Astra."""
    report_outcome(group)
