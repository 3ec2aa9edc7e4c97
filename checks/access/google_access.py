"""Who may use a key in Google Cloud: the bindings on the key and on its key ring.

Those of the project, its folders and the organization are inherited, and neither policy shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.access.answers import (
    Clause,
    Outsider,
    Outsiders,
    VendorAccess,
    all_of,
    any_of,
    distinct,
)
from checks.shared.principals import google_project_of, grant_of, open_to_anybody
from inventory.model.kms import RoleBinding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from checks.access.answers import Match
    from checks.shared.principals import Grant

_KMS = "roles/cloudkms."

_ENCRYPTING = frozenset(
    {
        f"{_KMS}cryptoKeyEncrypterDecrypter",
        f"{_KMS}cryptoKeyEncrypterDecrypterViaDelegation",
        f"{_KMS}cryptoKeyEncrypter",
        f"{_KMS}cryptoKeyEncrypterViaDelegation",
    }
)
_DECRYPTING = frozenset(
    {
        f"{_KMS}cryptoKeyEncrypterDecrypter",
        f"{_KMS}cryptoKeyEncrypterDecrypterViaDelegation",
        f"{_KMS}cryptoKeyDecrypter",
        f"{_KMS}cryptoKeyDecrypterViaDelegation",
    }
)
_USING = _ENCRYPTING | _DECRYPTING
_CONTROLLING = frozenset({f"{_KMS}admin", "roles/owner"})
"""Roles that may change a key, or give others the use of it."""

_READING = frozenset({f"{_KMS}viewer", f"{_KMS}publicKeyViewer", "roles/iam.securityReviewer"})
"""Roles that only read about a key."""

_OF_GRANT: Mapping[Grant, Match] = {"not-granted": "no", "undecidable": "maybe", "granted": "yes"}
_Relation = Literal["trusted", "deleted", "unclear", "outside"]

_PLACES = {"key": "the key", "key-ring": "the key ring"}


class _Holder(NamedTuple):
    """A member that has a role, with what follows for the account that is asked for."""

    binding: RoleBinding
    member: str
    encrypts: Match
    decrypts: Match


def google_vendor_access(bindings: Iterable[RoleBinding], account: str) -> VendorAccess:
    """Return what a project that Astra names may do with the key.

    What the bindings do not show may be inherited, so that it is never certain to be missing.
    """
    holders = [
        _holder(binding, member, account) for binding in bindings for member in binding.members
    ]
    held = [holder for holder in holders if _may_do_anything(holder)]
    answer = any_of(_both(member, held) for member in {holder.member for holder in held})
    if answer == "yes":
        return VendorAccess(account)
    if answer == "no" and "no" in {_encrypts(held), _decrypts(held)}:
        return VendorAccess(account, is_inherited=True)
    clauses = distinct(_clause(holder.binding) for holder in held)
    return VendorAccess(account, unclear=("encrypt", "decrypt"), clauses=clauses)


def _holder(binding: RoleBinding, member: str, account: str) -> _Holder:
    who = _OF_GRANT[grant_of(member, account, "gcp", None)]
    always: Match = "yes" if binding.condition is None else "maybe"
    encrypts, decrypts = _gives(binding.role, _ENCRYPTING), _gives(binding.role, _DECRYPTING)
    return _Holder(
        binding, member, all_of((who, always, encrypts)), all_of((who, always, decrypts))
    )


def _gives(role: str, giving: frozenset[str]) -> Match:
    """Say whether a role gives a right; of a role that is not known, it may."""
    if role in giving:
        return "yes"
    is_known = role in _USING | _READING | {f"{_KMS}admin"}
    return "no" if is_known else "maybe"


def _may_do_anything(holder: _Holder) -> bool:
    return any_of((holder.encrypts, holder.decrypts)) != "no"


def _both(member: str, held: Iterable[_Holder]) -> Match:
    """Say whether one member may both encrypt and decrypt, by what everybody may as well."""
    own = [
        holder
        for holder in held
        if holder.member == member or open_to_anybody([holder.member], "gcp")
    ]
    return all_of((_encrypts(own), _decrypts(own)))


def _encrypts(held: Iterable[_Holder]) -> Match:
    return any_of(holder.encrypts for holder in held)


def _decrypts(held: Iterable[_Holder]) -> Match:
    return any_of(holder.decrypts for holder in held)


def _clause(binding: RoleBinding, member: str = "") -> Clause:
    """Return the binding as it is quoted, of all its members or of one."""
    condition = "" if binding.condition is None else f" under the condition {binding.condition}"
    text = f"{member or ', '.join(binding.members)}{condition}"
    label = f"the role {binding.role} on {_PLACES[binding.on]}"
    code = f"{binding.on} {binding.role}"
    return Clause(f"{code} {member}" if member else code, label, text)


def list_of_members(members: Iterable[str]) -> tuple[RoleBinding, ...]:
    """Return a list of those who may use a key as the binding that it amounts to."""
    listed = tuple(members)
    role = f"{_KMS}cryptoKeyEncrypterDecrypter"
    return (RoleBinding(on="key", role=role, members=listed),) if listed else ()


# --- everybody else -------------------------------------------------------------------------------


def google_outsiders(
    bindings: Iterable[RoleBinding], owner: str, vendors: Collection[str]
) -> Outsiders:
    """Return who may use the key; ``owner`` is a project, ``vendors`` are what Astra names."""
    trusted = {owner, *vendors, *map(google_project_of, vendors)} - {""}
    found: dict[str, list[Clause]] = {}
    unclear, deleted = [], []
    for binding in bindings:
        for member in binding.members if binding.role not in _READING else ():
            relation, clause = _relation(member, trusted), _clause(binding, member)
            if relation == "deleted":
                deleted.append(member)
            elif relation == "outside" and _is_sure(binding):
                found.setdefault(google_project_of(member), []).append(clause)
            elif relation != "trusted":
                unclear.append(clause)
    note = f"It also names deleted members: {', '.join(dict.fromkeys(deleted))}."
    return Outsiders(
        tuple(Outsider(who, distinct(clauses)) for who, clauses in sorted(found.items())),
        distinct(unclear),
        (note,) if deleted else (),
    )


def _is_sure(binding: RoleBinding) -> bool:
    """Say whether a binding surely gives the use of the key, or control of it."""
    return binding.condition is None and binding.role in _USING | _CONTROLLING


def _relation(member: str, trusted: Collection[str]) -> _Relation:
    """Say how a member is related to those who may use the key.

    To which project people, groups and domains belong is not shown.
    """
    if open_to_anybody([member], "gcp"):
        return "outside"
    if member.startswith("deleted:"):
        return "deleted"
    grants = {grant_of(member, account, "gcp", None) for account in trusted}
    if "granted" in grants:
        return "trusted"
    return "unclear" if "undecidable" in grants or not google_project_of(member) else "outside"
