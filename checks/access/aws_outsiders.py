"""Who may use a key in AWS beside its owner and the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.access.answers import Outsider, Outsiders, distinct
from checks.access.aws_access import (
    ANYBODY,
    Party,
    accesses,
    clause_of,
    may_grant_anything,
    mentioned_accounts,
    without_account,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from checks.access.answers import Access, Clause, Match
    from checks.access.aws_access import AwsKey

_USES = (
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "CreateGrant",
    "RevokeGrant",
    "PutKeyPolicy",
    "ReplicateKey",
    "DisableKey",
    "ScheduleKeyDeletion",
    "DeleteImportedKeyMaterial",
)
"""What uses a key, takes control of it, or takes it away. To read about a key is no use of it."""


def aws_outsiders(key: AwsKey, owner: str, vendors: Collection[str]) -> Outsiders:
    """Return who may use the key; ``owner`` and ``vendors`` are numbers of accounts.

    Every account that is named anywhere is asked for, and one that is named nowhere.
    """
    found = list(_found("", _access(key, ANYBODY)))
    public = {clause for outsider in found for clause in outsider.clauses}
    # What is open to everybody is one finding; whoever else has access remains when it is closed.
    rest = key._replace(
        statements=tuple(one for one in key.statements if one.clause not in public),
        grants=key.grants and tuple(one for one in key.grants if clause_of(one) not in public),
    )
    unclear = list(_unclear(_access(rest, ANYBODY)))
    for account in mentioned_accounts(key):
        if account not in {owner, *vendors}:
            access = _access(rest, Party(account, account, is_stranger=True))
            found += _found(account, access)
            unclear += _unclear(access)
    return Outsiders(tuple(found), distinct(unclear), tuple(_notes(key, vendors)))


def _access(key: AwsKey, party: Party) -> list[Access]:
    return list(accesses(key, party, _USES).values())


def _found(account: str, access: Iterable[Access]) -> Iterator[Outsider]:
    clauses = distinct(_clauses(access, "yes"))
    if clauses:
        yield Outsider(account, clauses)


def _unclear(access: Iterable[Access]) -> Iterator[Clause]:
    return _clauses(access, "maybe")


def _clauses(access: Iterable[Access], answer: Match) -> Iterator[Clause]:
    return (clause for one in access if one.answer == answer for clause in one.clauses)


def _notes(key: AwsKey, vendors: Collection[str]) -> Iterator[str]:
    named = without_account(key)
    if named:
        yield f"It also names services of AWS or deleted roles and users: {', '.join(named)}."
    free = [account for account in vendors if may_grant_anything(key, account)]
    if free:
        yield (
            f"{', '.join(free)} may create grants of any kind, not only for resources of AWS's "
            "services."
        )
