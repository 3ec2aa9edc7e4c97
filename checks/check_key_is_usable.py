"""CMEK-12: the key is enabled, symmetric, in its region, and granted to Astra."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.common import (
    concerning_scopes,
    facts_too_old,
    not_current,
    recorded_facts,
    without_kms_facts,
)
from checks.finding import fails, of_key, passes, places
from checks.group import settle
from checks.identity import cause_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.context import Context
    from checks.finding import Finding, Subject
    from checks.group import Group
    from inventory.attestations import UsableAttestation
    from inventory.estate import Estate
    from inventory.models import CustomerKey, KeyScope, KmsFacts, VendorAccount

CARD = Card(
    id="CMEK-12",
    check="check_key_is_usable",
    title="The key is enabled, symmetric, in its region, and granted to Astra",
    force="derived",
    severity="high",
    subject="key, with facts of the cloud's key management or an attestation",
    needs=("keys",),
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
)

_PARTS = re.compile(r"[:/@.]")
"""Where the name of a cloud's principal falls into parts, one of which is the account."""

_AWS_ACCOUNT = re.compile(r"(?<![0-9A-Za-z-])[0-9]{12}(?![0-9A-Za-z-])")

_WRONG = {
    "enabled": ("disabled", "it is disabled"),
    "symmetric": ("not-symmetric", "it is not symmetric"),
    "granted_to_astra": ("not-granted", "it is not granted to Astra"),
}


_FACTS = {
    "enabled": "whether it is enabled",
    "symmetric": "whether it is symmetric",
    "granted_to_astra": "whether it is granted to Astra",
    "region": "in which region it is",
}


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each key by what the cloud says, and where that is silent by the attestation."""
    for scope, keys in estate.keys.items():
        for key in keys:
            accounts = _accounts(estate, scope)
            for finding in _judge_key(scope, _compared(key, accounts), accounts, context):
                yield concerning_scopes(finding, estate, [scope])


def _accounts(estate: Estate, scope: KeyScope) -> list[VendorAccount]:
    """Return the vendor's accounts that Astra names for ``scope``."""
    told = estate.organization.vendor_accounts or ()
    return [each for each in told if (each.type, each.provider, each.region) == scope[1:]]


def _compared(key: CustomerKey, accounts: list[VendorAccount]) -> CustomerKey:
    """Settle whether the key is granted to Astra by who may use it and whom Astra names."""
    kms = key.kms
    if kms is None or kms.granted_to is None or kms.granted_to_astra is False or not accounts:
        return key
    granted = all(_is_granted(each.account, kms.granted_to) for each in accounts)
    compared = kms.model_copy(update={"granted_to_astra": granted})
    return key.model_copy(update={"kms": compared}).at(*key.place)


def _is_granted(account: str, grants: Sequence[str]) -> bool:
    """Say whether ``grants`` name the vendor's ``account``, by itself or as a part of them.

    Of an AWS account the number counts; of a role or user in one, only it or the account as whole.
    """
    parts = {part for each in grants for part in (each, *_PARTS.split(each))}
    number = _AWS_ACCOUNT.search(account)
    if account in parts or number is None:
        return account in parts
    if account.endswith(":root"):
        return number[0] in parts
    return any(each == number[0] or each.endswith(f":{number[0]}:root") for each in grants)


def _judge_key(
    scope: KeyScope, key: CustomerKey, accounts: list[VendorAccount], context: Context
) -> Iterator[Finding]:
    subject, kms = of_key(scope, key.key_id), recorded_facts(key, context)
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
    where, action = places([key]), f"Make the key {key.key_id} usable for Astra"
    wrong = list(_wrong(kms, subject.region))
    for cause, text in wrong:
        yield fails(CARD, subject, cause, f"The cloud says that {text}.", where, action)
    missing = [name for name in _FACTS if getattr(kms, name) is None]
    if missing and key.usable is not None:
        attested = _judge_attested(subject, key, key.usable, context)
        if attested.status != "pass" or not wrong:
            yield attested
    elif missing:
        for name in missing:
            fact = _asked(accounts) if name == "granted_to_astra" and accounts else _FACTS[name]
            unknown = without_kms_facts(CARD, subject, key, context, fact)
            yield unknown._replace(cause=cause_of(unknown.reason, name))
    elif not wrong:
        says = "Enabled, symmetric, in its region, and granted to Astra."
        yield passes(CARD, subject, says, where)


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


def _wrong(kms: KmsFacts, region: str) -> Iterator[tuple[str, str]]:
    """Yield cause and words for each fact that keeps Astra from using a key of ``region``."""
    for name, (cause, text) in _WRONG.items():
        if getattr(kms, name) is False:
            yield cause, text
    if kms.region not in {None, region}:
        yield cause_of("other-region", str(kms.region)), f"it lives in {kms.region}"


def _judge_attested(
    subject: Subject, key: CustomerKey, usable: UsableAttestation, context: Context
) -> Finding:
    where = places([key])
    again = f"Attest anew whether {key.key_id} is usable"
    if old := not_current(usable, context, again):
        return old.about(CARD, subject, where)
    said = f"{usable.by} attested on {usable.on}: it is "
    if usable.usable:
        return passes(CARD, subject, f"{said}usable for Astra.", where)
    action = f"Make the key {key.key_id} usable for Astra"
    return fails(CARD, subject, "not-usable", f"{said}not usable for Astra.", where, action)


def check_key_is_usable(group: Group) -> None:
    """The key is enabled, symmetric, in its region, and granted to Astra."""
    settle(group)
