"""CMEK-12: the key is enabled, symmetric, in its region, and granted to Astra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import fails, inconclusive, key_subject, locations_of, passes
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.principals import compare, compare_all, open_to_anybody
from checks.shared.verdicts import concerning_scopes, facts_too_old, not_current, without_kms_facts
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from checks.shared.principals import Comparison, Grant
    from inventory.model.attestations import UsableAttestation
    from inventory.model.key import CustomerKey, KeyScope, KmsFacts, VendorAccount
    from inventory.model.organization_index import OrganizationIndex

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
        "not-granted:ACCOUNT": "Astra may not use the key, or this account of Astra may not.",
        "other-region:REGION": "The key is in another region.",
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
        "says. A key of the wrong kind or region has to be replaced, through IBM Support."
    ),
    no_subject="The inventory holds no customer key.",
    roles=("proof",),
)

_WRONG = {
    "enabled": ("disabled", "it is disabled"),
    "symmetric": ("not-symmetric", "it is not symmetric"),
}


_FACTS = {
    "enabled": "whether it is enabled",
    "symmetric": "whether it is symmetric",
    "granted_to_astra": "whether it is granted to Astra",
    "region": "in which region it is",
}

_IS_GRANTED: dict[Grant, bool | None] = {
    "granted": True,
    "undecidable": None,
    "not-granted": False,
}


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by what the cloud says, and where that is silent by the attestation."""
    for scope, keys in index.keys.items():
        for key in keys:
            accounts = _accounts(index, scope)
            for finding in _judge_key(scope, _compared(key, accounts), accounts, context):
                yield concerning_scopes(finding, index, [scope])


def _accounts(index: OrganizationIndex, scope: KeyScope) -> list[VendorAccount]:
    """Return the vendor's accounts that Astra names for ``scope``."""
    told = index.organization.vendor_accounts or ()
    return [each for each in told if (each.type, each.provider, each.region) == scope[1:]]


def _compared(key: CustomerKey, accounts: list[VendorAccount]) -> CustomerKey:
    """Settle whether the key is granted to Astra by who may use it and whom Astra names.

    A statement that it is granted does not outweigh the comparison: where that leaves it open, it
    is not known.
    """
    kms, comparison = key.kms, _comparison(key, accounts)
    if kms is None or comparison is None or kms.granted_to_astra is False:
        return key
    compared = kms.model_copy(update={"granted_to_astra": _IS_GRANTED[comparison.grant]})
    return key.model_copy(update={"kms": compared}).at(*key.location)


def _comparison(key: CustomerKey, accounts: list[VendorAccount]) -> Comparison | None:
    """Compare who may use the key with whom Astra names; None if that cannot be compared.

    A key that nobody may use is not granted to the vendor, whoever that is.
    """
    granted_to = key.kms.granted_to if key.kms else None
    if granted_to is None or (granted_to and not accounts):
        return None
    partition = parse_key_id(key.key_id).partition
    named = [account.account for account in accounts]
    return compare_all(granted_to, named, key.provider, partition)


def _grants(key: CustomerKey, accounts: list[VendorAccount], grant: Grant) -> list[Comparison]:
    """Return the accounts that Astra names to which the key's ``grant`` is this one."""
    granted_to = (key.kms.granted_to if key.kms else None) or ()
    partition = parse_key_id(key.key_id).partition
    found = [compare(granted_to, account.account, key.provider, partition) for account in accounts]
    compared = found if _comparison(key, accounts) else []
    return [comparison for comparison in compared if comparison.grant == grant]


def _judge_key(
    scope: KeyScope, key: CustomerKey, accounts: list[VendorAccount], context: Context
) -> Iterator[Finding]:
    subject, kms = key_subject(scope, key.key_id), key.kms
    if kms is None:
        yield _judge_without_facts(subject, key, accounts, context)
    elif old := facts_too_old(CARD, subject, key, kms, context):
        yield old
    else:
        yield from _judge_facts(subject, key, kms, accounts, context)


def _judge_facts(
    subject: Subject,
    key: CustomerKey,
    kms: KmsFacts,
    accounts: list[VendorAccount],
    context: Context,
) -> Iterator[Finding]:
    """Yield one finding for each fact that is wrong or missing; one pass if there is none."""
    where, action = locations_of([key]), f"Make the key {key.key_id} usable for Astra"
    wrong = [*_wrong(kms, subject.region), *_denied(key, kms, accounts)]
    for cause, text in wrong:
        yield fails(CARD, subject, cause, f"The cloud says that {text}.", where, action)
    if key.usable is None:
        yield from _undecidable(subject, key, accounts)
    missing = [name for name in _FACTS if getattr(kms, name) is None]
    if missing and key.usable is not None:
        attested = _judge_attested(subject, key, key.usable, context)
        if attested.status != "pass" or not wrong:
            yield attested
    elif missing:
        named = {"granted_to_astra"} if _grants(key, accounts, "undecidable") else set()
        for name in missing:
            if name not in named:
                yield _unknown(subject, key, name, accounts, context)
    elif not wrong:
        message = f"Enabled, symmetric, in its region, and granted to Astra.{_anybody(key)}"
        yield passes(CARD, subject, message, where)


def _unknown(
    subject: Subject,
    key: CustomerKey,
    name: str,
    accounts: list[VendorAccount],
    context: Context,
) -> Finding:
    """Return the finding for the fact ``name``, which neither the cloud nor a person states."""
    fact = _asked(accounts) if name == "granted_to_astra" and accounts else _FACTS[name]
    unknown = without_kms_facts(CARD, subject, key, context, fact)
    return unknown._replace(cause=cause_of(unknown.reason, name))


def _judge_without_facts(
    subject: Subject, key: CustomerKey, accounts: list[VendorAccount], context: Context
) -> Finding:
    if key.usable is not None:
        return _judge_attested(subject, key, key.usable, context)
    facts = ["whether it is usable", *([_asked(accounts)] if accounts else [])]
    return without_kms_facts(CARD, subject, key, context, ", ".join(facts))


def _asked(accounts: list[VendorAccount]) -> str:
    named = ", ".join(account.account for account in accounts)
    return f"whether it is granted to {named}, as Astra asks"


def _anybody(key: CustomerKey) -> str:
    """Say that anybody may use the key, if that is so; else nothing."""
    granted_to = (key.kms.granted_to if key.kms else None) or ()
    anybody = open_to_anybody(granted_to, key.provider)
    return f" Anybody may use it: it is granted to {anybody}." if anybody else ""


def _undecidable(
    subject: Subject, key: CustomerKey, accounts: list[VendorAccount]
) -> Iterator[Finding]:
    """Yield a finding for each account to which the key may be granted, or may not."""
    for _, account, principal in _grants(key, accounts, "undecidable"):
        message = (
            f"The key is granted to {principal}. "
            f"Whether that grants it to {account}, as Astra asks, cannot be decided."
        )
        action = (
            f"Grant the key {key.key_id} to {account} in a form that names it, "
            "or attest that Astra can use the key"
        )
        cause = cause_of("undecidable-grant", account)
        yield inconclusive(CARD, subject, cause, message, locations_of([key]), action)


def _wrong(kms: KmsFacts, region: str) -> Iterator[tuple[str, str]]:
    """Yield cause and words for each fact but grants that keeps Astra from using a key."""
    for name, (cause, text) in _WRONG.items():
        if getattr(kms, name) is False:
            yield cause, text
    if kms.region not in {None, region}:
        yield cause_of("other-region", str(kms.region)), f"it lives in {kms.region}"


def _denied(
    key: CustomerKey, kms: KmsFacts, accounts: list[VendorAccount]
) -> Iterator[tuple[str, str]]:
    """Yield cause and words for each account to which the key is not granted, if that is so."""
    denied = _grants(key, accounts, "not-granted")
    for comparison in denied:
        account = comparison.account
        yield cause_of("not-granted", account), f"it is not granted to {account}, as Astra asks"
    if kms.granted_to_astra is False and not denied:
        yield "not-granted", "it is not granted to Astra"


def _judge_attested(
    subject: Subject, key: CustomerKey, usable: UsableAttestation, context: Context
) -> Finding:
    where = locations_of([key])
    again = f"Attest anew whether {key.key_id} is usable"
    if old := not_current(usable, context, again):
        return old.about(CARD, subject, where)
    said = f"{usable.by} attested on {usable.on}: it is "
    if usable.usable:
        return passes(CARD, subject, f"{said}usable for Astra.", where, attested_by=(usable.by,))
    action = f"Make the key {key.key_id} usable for Astra"
    return fails(CARD, subject, "not-usable", f"{said}not usable for Astra.", where, action)


def check_key_is_usable(group: FindingGroup) -> None:
    """The key is enabled, symmetric, in its region, and granted to Astra."""
    report_outcome(group)
