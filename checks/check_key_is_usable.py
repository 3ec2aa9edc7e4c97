"""CMEK-12: the key is enabled, symmetric, in its region, and granted to Astra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import fails, inconclusive, key_subject, locations_of, passes
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.principals import compare, compare_all, open_to_anybody
from checks.shared.verdicts import facts_too_old, not_current, with_databases_of, without_kms_facts
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from checks.shared.principals import Comparison, Grant
    from inventory.model.attestations import UsableAttestation
    from inventory.model.key import CustomerKey, KeyScope, VendorAccount
    from inventory.model.kms import KmsFacts
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
        "describes. A key of the wrong kind or region has to be replaced, through IBM Support."
    ),
    no_subject="The inventory holds no customer key.",
    roles=("proof",),
)

_WRONG = {
    "enabled": ("disabled", "The key is disabled"),
    "symmetric": ("not-symmetric", "The key is not symmetric"),
}

_FACTS = {
    "enabled": "whether the key is enabled",
    "symmetric": "whether the key is symmetric",
    "granted_to_astra": "whether the key is granted to Astra",
    "region": "the region of the key",
}

_IS_GRANTED: dict[Grant, bool | None] = {
    "granted": True,
    "undecidable": None,
    "not-granted": False,
}

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
_GRANT_KEY = ActionKind(
    code="grant-key",
    sentence="Grant the key {key} to {account} in a form that names it, "
    "or attest that Astra can use the key",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several=(
        "Grant keys to Astra's accounts by name ({number} grants), or attest that Astra can use "
        "the keys"
    ),
    steps=(
        "Compare the key's grants with the account that Astra names.",
        (
            "Grant the key to exactly that account, or attest with name and day that Astra can "
            "use the key."
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
            accounts = _accounts(index, scope)
            for finding in _judge_key(scope, _compared(key, accounts), accounts, context):
                yield with_databases_of(finding, index, [scope])


def _accounts(index: OrganizationIndex, scope: KeyScope) -> list[VendorAccount]:
    """Return the vendor's accounts that Astra names for ``scope``."""
    accounts = index.organization.vendor_accounts or ()
    return [
        account
        for account in accounts
        if (account.type, account.provider, account.region) == scope[1:]
    ]


def _compared(key: CustomerKey, accounts: list[VendorAccount]) -> CustomerKey:
    """Decide whether the key is granted to Astra by who may use it and whom Astra names.

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
    where, action = locations_of([key]), _MAKE_USABLE.on(key.key_id, key=key.key_id)
    faults = [*_faults(kms, subject.region), *_denied(key, kms, accounts)]
    for cause, text in faults:
        yield fails(CARD, subject, cause, f"{text}.", where, action)
    if key.usable is None:
        yield from _undecidable(subject, key, accounts)
    missing = [name for name in _FACTS if getattr(kms, name) is None]
    if missing and key.usable is not None:
        attested = _judge_attested(subject, key, key.usable, context)
        if attested.status != "pass" or not faults:
            yield attested
    elif missing:
        judged = {"granted_to_astra"} if _grants(key, accounts, "undecidable") else set()
        for name in missing:
            if name not in judged:
                yield _unknown(subject, key, name, accounts, context)
    elif not faults:
        message = f"Enabled, symmetric, in its region, and granted to Astra.{_anybody(key)}"
        yield passes(CARD, subject, message, where)


def _unknown(
    subject: Subject,
    key: CustomerKey,
    name: str,
    accounts: list[VendorAccount],
    context: Context,
) -> Finding:
    """Return the finding for the fact ``name``, without KMS data or attestation."""
    fact = _asked(accounts) if name == "granted_to_astra" and accounts else _FACTS[name]
    unknown = without_kms_facts(CARD, subject, key, context, fact)
    return unknown._replace(cause=cause_of(unknown.reason, name))


def _judge_without_facts(
    subject: Subject, key: CustomerKey, accounts: list[VendorAccount], context: Context
) -> Finding:
    if key.usable is not None:
        return _judge_attested(subject, key, key.usable, context)
    facts = ["whether the key is usable", *([_asked(accounts)] if accounts else [])]
    return without_kms_facts(CARD, subject, key, context, " and ".join(facts))


def _asked(accounts: list[VendorAccount]) -> str:
    named = ", ".join(account.account for account in accounts)
    return f"whether it is granted to {named}, which Astra names"


def _anybody(key: CustomerKey) -> str:
    """Return that anybody may use the key, in words; empty if that is not so."""
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
            f"Whether that includes {account}, which Astra names, cannot be decided."
        )
        action = _GRANT_KEY.on(key.key_id, account, key=key.key_id, account=account)
        cause = cause_of("undecidable-grant", account)
        yield inconclusive(CARD, subject, cause, message, locations_of([key]), action)


def _faults(kms: KmsFacts, region: str) -> Iterator[tuple[str, str]]:
    """Yield cause and text of each fact, grants apart, that keeps Astra from using a key."""
    for name, (cause, text) in _WRONG.items():
        if getattr(kms, name) is False:
            yield cause, text
    if kms.region not in {None, region}:
        yield cause_of("other-region", str(kms.region)), f"The key is in {kms.region}"


def _denied(
    key: CustomerKey, kms: KmsFacts, accounts: list[VendorAccount]
) -> Iterator[tuple[str, str]]:
    """Yield cause and text for each account to which the key is not granted."""
    denied = _grants(key, accounts, "not-granted")
    for comparison in denied:
        account = comparison.account
        text = f"The key is not granted to {account}, which Astra names"
        yield cause_of("not-granted", account), text
    if kms.granted_to_astra is False and not denied:
        yield "not-granted", "The key is not granted to Astra"


def _judge_attested(
    subject: Subject, key: CustomerKey, usable: UsableAttestation, context: Context
) -> Finding:
    where = locations_of([key])
    again = _ATTEST_USABLE.on(key.key_id, key=key.key_id)
    if old := not_current(usable, context, again):
        return old.on_subject(CARD, subject, where)
    attested = f"{usable.by} attested on {usable.on}: the key is "
    if usable.usable:
        message = f"{attested}usable for Astra."
        return passes(CARD, subject, message, where, attested_by=(usable.by,))
    action = _MAKE_USABLE.on(key.key_id, key=key.key_id)
    return fails(CARD, subject, "not-usable", f"{attested}not usable for Astra.", where, action)


def check_key_is_usable(group: FindingGroup) -> None:
    """The key is enabled, symmetric, in its region, and granted to Astra."""
    report_outcome(group)
