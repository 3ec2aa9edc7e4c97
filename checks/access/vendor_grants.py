"""Whether a key is granted to the accounts that Astra names, by all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.access.aws_access import UNKNOWN_GRANTS, aws_key, vendor_access
from checks.access.google_access import google_vendor_access
from checks.engine.actions import ActionKind
from checks.engine.context import gap_text
from checks.engine.finding import inconclusive
from checks.engine.identity import cause_of
from checks.engine.reasons import cause_of_gap, gap_action, recollect_action
from checks.shared.cloud_facts import fact_locations, unread_finding
from checks.shared.principals import compare
from checks.shared.verdicts import COLLECT_KMS
from inventory.index.organization_index import scope_of
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.access.answers import VendorAccess
    from checks.engine.card import Card
    from checks.engine.finding import Finding, Subject
    from checks.shared.principals import Comparison
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.key import CustomerKey
    from inventory.model.kms import KmsFact, KmsFacts
    from inventory.model.planned_keys import PlannedKey

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
_GRANT_FURTHER = ActionKind(
    code="grant-further-actions",
    sentence="Let {account} also do {actions} with the key {key}, "
    "or attest that Astra can use the key",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several=(
        "Let Astra's accounts do all that they may need with {number} keys, or attest that Astra "
        "can use the keys"
    ),
    steps=(
        "Compare the key's policy with what the vendor's page for the provider asks for.",
        "Add what is missing, or attest with name and day that Astra can use the key.",
        "Record the key's new state, and run the audit again.",
    ),
)

_OF_POLICY: dict[str, tuple[KmsFact, ...]] = {
    "aws": ("policy",),
    "gcp": ("bindings", "ring-bindings"),
    "azure": (),
}
"""Without what of a key it is not known who may use it."""


class GrantedKey(NamedTuple):
    """A key with the facts that decide to whom it is granted.

    Attributes:
        card: the rule that judges it.
        subject: the key as a subject.
        key: the key, registered or planned.
        kms: what its cloud shows of it.
        accounts: the accounts that Astra names for its key scope.
        indexed: the organization.
    """

    card: Card
    subject: Subject
    key: CustomerKey | PlannedKey
    kms: KmsFacts
    accounts: tuple[str, ...]
    indexed: OrganizationIndex

    @property
    def key_id(self) -> str:
        """Return the key's id, which every key has of which facts are known."""
        return self.key.key_id or ""


class Grants(NamedTuple):
    """To whom a key is granted.

    Attributes:
        denied: cause and text of each reason for which Astra surely may not use it.
        unclear: the findings on what is not clear.
        is_known: whether anything at all is known of it.
    """

    denied: tuple[tuple[str, str], ...]
    unclear: tuple[Finding, ...]
    is_known: bool


def accounts_for(index: OrganizationIndex, key: CustomerKey | PlannedKey) -> tuple[str, ...]:
    """Return the accounts that Astra names for the key scope of ``key``: all of them are needed."""
    organization = index.organization
    scope = scope_of(organization.id, key)
    return tuple(
        dict.fromkeys(
            account.account
            for account in organization.vendor_accounts or ()
            if scope_of(organization.id, account) == scope
        )
    )


def judge_grants(granted: GrantedKey) -> Grants:
    """Judge to whom the key is granted: by policies and bindings, lists of names, and statements.

    No source outweighs another that speaks against it, and a mere statement proves nothing where
    the cloud shows more.
    """
    compared, shown = _compare(granted), _shown(granted)
    denied = dict(_denied_by_list(compared) if compared else ())
    denied |= dict(_denied_by_cloud(shown) if shown else ())
    if not denied and _is_stated_denied(granted):
        denied["not-granted"] = "The key is not granted to Astra"
    unclear = tuple(_unclear(granted, compared or [], shown or []))
    is_known = compared is not None or shown is not None or bool(denied) or bool(unclear)
    stated = granted.kms.granted_to_astra is not None
    return Grants(tuple(denied.items()), unclear, is_known or stated)


def _is_stated_denied(granted: GrantedKey) -> bool:
    """Say whether it is stated that Astra may not use the key, or that nobody may."""
    kms = granted.kms
    return kms.granted_to_astra is False or (kms.granted_to == () and not granted.accounts)


def _compare(granted: GrantedKey) -> list[Comparison] | None:
    """Compare who may use the key by a list of names; None if there is none to compare."""
    granted_to = granted.kms.granted_to
    if granted_to is None or not granted.accounts:
        return None
    partition = parse_key_id(granted.key_id).partition
    provider = granted.key.provider
    return [compare(granted_to, account, provider, partition) for account in granted.accounts]


def _shown(granted: GrantedKey) -> list[VendorAccess] | None:
    """Return what the cloud shows of each account's access; None if it shows nothing."""
    kms, provider = granted.kms, granted.key.provider
    if provider == "aws" and kms.policy is not None:
        key = aws_key(granted.key_id, kms)
        return [vendor_access(key, account) for account in granted.accounts]
    if provider == "gcp" and kms.bindings is not None:
        return [google_vendor_access(kms.bindings, account) for account in granted.accounts]
    return None


def _denied_by_list(compared: Iterable[Comparison]) -> Iterator[tuple[str, str]]:
    for grant, account, _ in compared:
        if grant == "not-granted":
            text = f"The key is not granted to {account}, which Astra names"
            yield cause_of("not-granted", account), text


def _denied_by_cloud(shown: Iterable[VendorAccess]) -> Iterator[tuple[str, str]]:
    for access in shown:
        if access.missing:
            actions = ", ".join((*access.missing, *access.doubtful))
            text = f"The key does not let {access.account}, which Astra names, do {actions}"
            yield cause_of("not-granted", access.account), text


# --- what is not clear ----------------------------------------------------------------------------


def _unclear(
    granted: GrantedKey, compared: Iterable[Comparison], shown: list[VendorAccess]
) -> Iterator[Finding]:
    for grant, account, principal in compared:
        if grant == "undecidable":
            yield _undecidable_name(granted, account, principal)
    for access in shown:
        yield from _unclear_access(granted, access)
    yield from _unread(granted, shown)
    yield from _accounts_unknown(granted)


def _undecidable_name(granted: GrantedKey, account: str, principal: str) -> Finding:
    message = (
        f"The key is granted to {principal}. "
        f"Whether that includes {account}, which Astra names, cannot be decided."
    )
    return _ask_for_grant(granted, "undecidable-grant", account, message)


def _unclear_access(granted: GrantedKey, access: VendorAccess) -> Iterator[Finding]:
    account = access.account
    known = [clause for clause in access.clauses if clause != UNKNOWN_GRANTS]
    if known:
        quotes = "; ".join(clause.quote for clause in known)
        message = (
            f"Whether {account}, which Astra names, may do {', '.join(access.unclear)} cannot be "
            f"decided: {quotes}."
        )
        yield _ask_for_grant(granted, "undecidable-grant", account, message)
    if access.is_inherited:
        message = (
            f"Neither the key nor its key ring lets {account}, which Astra names, encrypt and "
            "decrypt. What its project, folders and organization grant is inherited, and not shown."
        )
        yield _ask_for_grant(granted, "inherited-access", account, message)
    if access.doubtful and not access.missing:
        yield _doubtful(granted, access)


def _ask_for_grant(granted: GrantedKey, code: str, account: str, message: str) -> Finding:
    key_id = granted.key_id
    action = _GRANT_KEY.on(key_id, account, key=key_id, account=account)
    where = fact_locations(granted.key, "policy", "grants", "bindings", "ring-bindings")
    cause = cause_of(code, account)
    return inconclusive(granted.card, granted.subject, cause, message, where, action)


def _doubtful(granted: GrantedKey, access: VendorAccess) -> Finding:
    """Return the finding on what Astra may need: the vendor does not publish the exact list."""
    account, key_id, actions = access.account, granted.key_id, ", ".join(access.doubtful)
    message = (
        f"The key does not let {account}, which Astra names, do {actions}. Whether Astra needs "
        "that is not published."
    )
    action = _GRANT_FURTHER.on(key_id, account, key=key_id, account=account, actions=actions)
    cause = cause_of("needs-not-published", account)
    where = fact_locations(granted.key, "policy", "grants")
    return inconclusive(granted.card, granted.subject, cause, message, where, action)


def _unread(granted: GrantedKey, shown: list[VendorAccess]) -> Iterator[Finding]:
    """Yield a finding for each fact without which it is not clear who may use the key.

    A grant that is shown in one place needs no other place.
    """
    is_settled = bool(shown) and not any(
        access.missing or access.unclear or access.is_inherited for access in shown
    )
    if not (is_settled and granted.key.provider == "gcp"):
        yield from policies_unread(granted)
    if any(UNKNOWN_GRANTS in access.clauses for access in shown):
        yield grants_unread(granted)


def policies_unread(granted: GrantedKey) -> Iterator[Finding]:
    """Yield a finding for each policy that the cloud did not show."""
    for gap in granted.kms.unread:
        if gap.fact in _OF_POLICY[granted.key.provider]:
            yield unread_finding(granted.card, granted.subject, granted.key, gap)


def grants_unread(granted: GrantedKey) -> Finding:
    """Return the finding on the grants of a key in AWS that are not shown."""
    if gap := granted.kms.gap("grants"):
        return unread_finding(granted.card, granted.subject, granted.key, gap)
    message = "The grants of the key are not recorded, so somebody may use it by one of them."
    action = COLLECT_KMS.on(granted.key_id, key=granted.key_id)
    where = fact_locations(granted.key, "policy")
    cause = cause_of("not-recorded", "grants")
    return inconclusive(granted.card, granted.subject, cause, message, where, action)


def _accounts_unknown(granted: GrantedKey) -> Iterator[Finding]:
    """Yield a finding if somebody may use the key, and it is not known whom Astra needs."""
    is_shown = _shown(granted) is not None
    is_listed = granted.kms.granted_to is not None and granted.accounts
    has_gap = "vendor-accounts" in granted.indexed.gaps
    if (is_shown and not granted.accounts) or (has_gap and (is_shown or is_listed)):
        yield accounts_unread(granted)


def accounts_unread(granted: GrantedKey) -> Finding:
    """Return the finding on the accounts of the vendor, of which not all are known."""
    organization, gap = granted.indexed.organization, granted.indexed.gaps.get("vendor-accounts")
    why = f": {gap_text(gap)}" if gap else ""
    message = f"It is not known which accounts of Astra use the key{why}."
    cause = cause_of_gap(gap) if gap else cause_of("not-recorded", "vendor-accounts")
    action = gap_action(gap, organization) if gap else recollect_action(organization)
    where = fact_locations(granted.key)
    return inconclusive(granted.card, granted.subject, cause, message, where, action)
