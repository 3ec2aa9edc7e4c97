"""CMEK-18: nobody but its owner and Astra may use the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.access.answers import Outsiders, distinct
from checks.access.aws_access import UNKNOWN_GRANTS, aws_key, list_of_names
from checks.access.aws_outsiders import aws_outsiders
from checks.access.google_access import google_outsiders, list_of_members
from checks.access.vendor_grants import (
    GrantedKey,
    accounts_for,
    accounts_unread,
    grants_unread,
    policies_unread,
)
from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import (
    fails,
    inconclusive,
    key_subject,
    locations_of,
    not_applicable,
    passes,
    planned_key_subject,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.cloud_facts import fact_locations, facts_are_refused, nothing_read
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.principals import aws_account_of
from checks.shared.remedies import record_key_id
from checks.shared.verdicts import COLLECT_KMS, not_current, with_databases_of
from inventory.model.key_ids import owner_of, parse_key_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from checks.access.answers import Clause
    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.attestations import ExclusiveAttestation
    from inventory.model.base import SourceLocation
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.planned_keys import PlannedKey

CARD = Card(
    id="CMEK-18",
    check="check_key_is_exclusive",
    title="Nobody but its owner and Astra may use the key",
    basis="derived",
    severity="high",
    subject="key, with facts of the cloud's key management or an attestation",
    needs=("keys",),
    causes={
        "everybody": "Everybody may use the key.",
        "foreign-account:ACCOUNT": (
            "This account or project may use the key, and is neither its owner's nor Astra's."
        ),
        "not-exclusive": "The key is attested to be used by others.",
    },
    rationale=(
        "A customer key gives control over who can read data at rest only if nobody else may use "
        "the key. A policy or a grant that lets others use it takes that control away."
    ),
    quotes=(
        Quote(
            sentence=(
                "Customer-managed encryption keys (CMEK) give you additional control over your "
                "encryption keys and access to data at rest."
            ),
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
    ),
    remediation=(
        "Remove from the key's policy, grants and bindings whoever is neither its owner nor an "
        "account that Astra names."
    ),
    no_subject="The inventory holds no customer key.",
)

_CLOSE_KEY = ActionKind(
    code="close-key",
    sentence="Let only its owner and Astra use the key {key}, not everybody",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Let only their owners and Astra use {number} keys, not everybody",
    steps=(
        "Name the accounts that may use the key where its policy lets everybody use it.",
        "Find out from the cloud's log who has used the key.",
        "Record the key's new state, and run the audit again.",
    ),
)
_EXCLUDE_ACCOUNT = ActionKind(
    code="exclude-account",
    sentence="Remove {account} from those who may use the key {key}",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Remove {number} accounts from those who may use keys",
    steps=(
        "Find out whose account it is, and why it may use the key.",
        "Remove it from the key's policy, and revoke its grants.",
        "Find out from the cloud's log whether it has used the key.",
        "Record the key's new state, and run the audit again.",
    ),
)
_CLARIFY_ACCESS = ActionKind(
    code="clarify-access",
    sentence="Reword what leaves open who may use the key {key}, or attest that nobody else may",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several=(
        "Reword what leaves open who may use {number} keys, or attest that nobody else may"
    ),
    steps=(
        "Read in the finding what leaves open who may use the key.",
        (
            "Name in it the accounts that may use the key, or remove it; attest with name and day "
            "what the cloud does not show."
        ),
        "Record the key's new state, and run the audit again.",
    ),
)
_ATTEST_EXCLUSIVE = ActionKind(
    code="attest-exclusive",
    sentence="Attest again whether nobody else may use {key}",
    purpose="prove",
    who="we",
    sentence_for_several="Attest again whether nobody else may use {number} keys",
    steps=(
        "Look in the cloud's console at everybody who may use the key, inherited access included.",
        "Attest what you see, with name and day.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by what its cloud shows of who may use it."""
    for scope, keys in index.keys.items():
        for key in keys:
            for finding in _judge_key(scope, key, index, context):
                yield with_databases_of(finding, index, [scope])
    for scope, planned in planned_keys(index):
        if planned.kms is not None:
            subject, accounts = planned_key_subject(scope, planned), accounts_for(index, planned)
            granted = GrantedKey(CARD, subject, planned, planned.kms, accounts, index)
            for finding in _judge_facts(granted, context):
                yield as_planned(finding, CARD, index, planned)


def _judge_key(
    scope: KeyScope, key: CustomerKey, index: OrganizationIndex, context: Context
) -> Iterator[Finding]:
    subject, where = key_subject(scope, key.key_id), locations_of([key])
    if key.kms is not None:
        granted = GrantedKey(CARD, subject, key, key.kms, accounts_for(index, key), index)
        yield from _judge_facts(granted, context, key.exclusive)
    elif key.exclusive is not None:
        yield _judge_attested(subject, key, key.exclusive, context)
    elif context.kms == "none":
        message = "This audit leaves KMS data out."
        yield not_applicable(CARD, subject, message, where, "clouds-left-out")
    else:
        message = "No KMS data shows who may use the key."
        yield not_applicable(CARD, subject, message, where, "access-not-shown")


def _judge_facts(
    granted: GrantedKey, context: Context, exclusive: ExclusiveAttestation | None = None
) -> Iterator[Finding]:
    """Yield one finding for each outsider and for all that is not clear; one pass if there is none.

    An attestation closes what is not clear, and excuses no outsider.
    """
    _, subject, key, kms, *_ = granted
    if refused := facts_are_refused(CARD, subject, key, kms, context):
        yield refused
        return
    unread = nothing_read(CARD, subject, key, kms)
    if unread and granted.key.provider != "azure":  # whose vaults never show who may use a key
        yield _judge_attested(subject, key, exclusive, context) if exclusive else unread
        return
    shown = _outsiders(granted) or Outsiders()
    faults = [*_everybody(granted, shown), *_foreign(granted, shown)]
    yield from faults
    unclear = list(_unclear(granted, shown))
    if (unclear or not _is_shown(granted)) and exclusive:
        attested = _judge_attested(subject, key, exclusive, context)
        if attested.status != "pass" or not faults:
            yield attested
    elif unclear:
        yield from unclear
    elif not faults:
        yield _pass(granted, shown) if _is_shown(granted) else _not_shown(granted)


def _judge_attested(
    subject: Subject,
    key: CustomerKey | PlannedKey,
    exclusive: ExclusiveAttestation,
    context: Context,
) -> Finding:
    where, key_id = locations_of([key]), key.key_id or ""
    again = _ATTEST_EXCLUSIVE.on(key_id, key=key_id)
    if old := not_current(exclusive, context, again):
        return old.on_subject(CARD, subject, where)
    attested = f"{exclusive.by} attested on {exclusive.on}: "
    if exclusive.exclusive:
        message = f"{attested}nobody but its owner and Astra may use the key."
        return passes(CARD, subject, message, where, attested_by=(exclusive.by,))
    action = _CLOSE_KEY.on(key_id, key=key_id)
    message = f"{attested}others may use the key."
    return fails(CARD, subject, "not-exclusive", message, where, action)


def _is_shown(granted: GrantedKey) -> bool:
    """Say whether the cloud shows, or should have shown, who may use the key."""
    return _outsiders(granted) is not None or any(policies_unread(granted))


def _without_policy(granted: GrantedKey) -> Iterator[Finding]:
    """Yield a finding if grants are all that is recorded: the key's policy may let others in."""
    kms, key = granted.kms, granted.key
    is_known = kms.policy is not None or kms.granted_to is not None or kms.gap("policy")
    if key.provider == "aws" and kms.grants is not None and not is_known:
        message = "The policy of the key is not recorded, so it may let anybody use the key."
        action = COLLECT_KMS.on(granted.key_id, key=granted.key_id)
        cause, where = cause_of("not-recorded", "policy"), _where(granted)
        yield inconclusive(CARD, granted.subject, cause, message, where, action)


def _not_shown(granted: GrantedKey) -> Finding:
    message = "The KMS data does not show who may use the key."
    if granted.key.provider == "azure":
        message = "Azure does not show on the data plane who may use a key."
    where = _where(granted)
    return not_applicable(CARD, granted.subject, message, where, "access-not-shown")


def _where(granted: GrantedKey) -> tuple[SourceLocation, ...]:
    return fact_locations(granted.key, "policy", "grants", "bindings", "ring-bindings")


def _pass(granted: GrantedKey, shown: Outsiders) -> Finding:
    owner, accounts = owner_of(granted.key_id), ", ".join(granted.accounts or _vendors(granted))
    astra = f", and {accounts}, which Astra names" if accounts else ""
    message = f"Nobody but {owner}, which owns the key{astra}, may use it."
    text = " ".join([message, *shown.notes])
    return passes(CARD, granted.subject, text, _where(granted), rests_on="cloud")


# --- who may use the key --------------------------------------------------------------------------


def _outsiders(granted: GrantedKey) -> Outsiders | None:
    """Return who else may use the key by all that is shown; None if nothing is."""
    found = [
        outsiders
        for outsiders in (_by_policy(granted), _by_bindings(granted))
        if outsiders is not None
    ]
    if not found:
        return None
    return Outsiders(
        tuple(outsider for one in found for outsider in one.found),
        distinct(clause for one in found for clause in one.unclear),
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
    )


def _by_policy(granted: GrantedKey) -> Outsiders | None:
    """Return who may use a key in AWS; without a policy, by its grants and by a list of names."""
    kms = granted.kms
    facts = (kms.policy, kms.grants, kms.granted_to, kms.gap("policy", "grants"))
    if granted.key.provider != "aws" or not any(fact is not None for fact in facts):
        return None
    key = aws_key(granted.key_id, kms)
    listed = list_of_names(kms.granted_to or ())
    # A mere list of who may use a key is meant to be whole, so that no grants are missing.
    is_list = kms.granted_to is not None and kms.policy is None and not kms.unread
    grants = key.grants or () if is_list else key.grants
    key = key._replace(statements=(*key.statements, *listed), grants=grants)
    return aws_outsiders(key, owner_of(granted.key_id), _vendors(granted))


def _by_bindings(granted: GrantedKey) -> Outsiders | None:
    kms = granted.kms
    if granted.key.provider != "gcp" or (kms.bindings, kms.granted_to) == (None, None):
        return None
    bindings = (*(kms.bindings or ()), *list_of_members(kms.granted_to or ()))
    return google_outsiders(bindings, owner_of(granted.key_id), _vendors(granted))


def _vendors(granted: GrantedKey) -> Collection[str]:
    """Return every account that Astra names for the cloud of the key, in whichever region."""
    accounts = granted.indexed.organization.vendor_accounts or ()
    provider = granted.key.provider
    named = dict.fromkeys(one.account for one in accounts if one.provider == provider)
    if provider != "aws":
        return list(named)
    partition = parse_key_id(granted.key_id).partition
    numbers = (aws_account_of(account, partition) for account in named)
    return list(dict.fromkeys(filter(None, numbers)))


def _everybody(granted: GrantedKey, shown: Outsiders) -> Iterator[Finding]:
    for outsider in shown.found:
        if not outsider.account:
            message = f"Everybody may use the key: {_quotes(outsider.clauses)}."
            action = _CLOSE_KEY.on(granted.key_id, key=granted.key_id)
            yield fails(CARD, granted.subject, "everybody", message, _where(granted), action)


def _foreign(granted: GrantedKey, shown: Outsiders) -> Iterator[Finding]:
    """Yield a finding for each account that is surely neither the owner's nor Astra's."""
    key_id = granted.key_id
    for account, clauses in shown.found if _is_known_whose(granted) else ():
        if account:
            message = (
                f"{account} may use the key, and is neither its owner ({owner_of(key_id)}) nor "
                f"named by Astra: {_quotes(clauses)}."
            )
            action = _EXCLUDE_ACCOUNT.on(key_id, account, key=key_id, account=account)
            cause = cause_of("foreign-account", account)
            yield fails(CARD, granted.subject, cause, message, _where(granted), action)


def _quotes(clauses: tuple[Clause, ...]) -> str:
    return "; ".join(clause.quote for clause in clauses)


def _is_known_whose(granted: GrantedKey) -> bool:
    return bool(owner_of(granted.key_id)) and not _may_be_vendors(granted)


def _may_be_vendors(granted: GrantedKey) -> bool:
    """Say whether an account may be one of Astra's, as not all of these are known."""
    return not granted.accounts or "vendor-accounts" in granted.indexed.gaps


# --- what is not clear ----------------------------------------------------------------------------


def _unclear(granted: GrantedKey, shown: Outsiders) -> Iterator[Finding]:
    """Yield a finding for each part that leaves open who may use the key."""
    named = [outsider.account for outsider in shown.found if outsider.account]
    if named and not _is_known_whose(granted):
        yield _not_known_whose(granted, named)
    for clause in shown.unclear:
        yield grants_unread(granted) if clause == UNKNOWN_GRANTS else _undecidable(granted, clause)
    yield from policies_unread(granted)
    yield from _without_policy(granted)
    if granted.key.provider == "gcp" and granted.kms.bindings is not None:
        yield _inherited(granted)


def _not_known_whose(granted: GrantedKey, accounts: Collection[str]) -> Finding:
    """Return the finding on accounts that may be the owner's, or Astra's."""
    named = f"{', '.join(accounts)} may use the key."
    if owner_of(granted.key_id):
        unread = accounts_unread(granted)
        return unread._replace(message=f"{named} {unread.message}")
    message = f"{named} The key id does not show whose key it is."
    action = record_key_id(granted.key_id)
    where = _where(granted)
    return inconclusive(CARD, granted.subject, "unknown-key-id", message, where, action)


def _undecidable(granted: GrantedKey, clause: Clause) -> Finding:
    message = f"Whether anybody else may use the key cannot be decided: {clause.quote}."
    action = _CLARIFY_ACCESS.on(granted.key_id, clause.code, key=granted.key_id)
    cause = cause_of("undecidable-statement", clause.code)
    return inconclusive(CARD, granted.subject, cause, message, _where(granted), action)


def _inherited(granted: GrantedKey) -> Finding:
    message = (
        "Who may use the key by the IAM policies of its project, folders and organization is "
        "inherited, and neither the key nor its key ring shows it."
    )
    action = _CLARIFY_ACCESS.on(granted.key_id, key=granted.key_id)
    where = _where(granted)
    return inconclusive(CARD, granted.subject, "inherited-access", message, where, action)


def check_key_is_exclusive(group: FindingGroup) -> None:
    """Nobody but its owner and Astra may use the key."""
    report_outcome(group)
