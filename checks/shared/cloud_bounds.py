"""What the clouds show of when a key can have been registered: its creation, and its first use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from inventory.index.organization_index import scope_of
from inventory.model.key_ids import canonical, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from inventory.model.base import SourceLocation
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.kms import KmsFacts
    from inventory.model.organization import Organization

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(?P<account>[0-9]{12})(?::[!-~]+)?", re.ASCII)


class CloudBounds(NamedTuple):
    """What the clouds show of the key of one scope.

    Attributes:
        created: when the key was created; None if that is not known.
        used: when the vendor's account first left a grant of its own on the key, which it does to
            use it; None if that is not known, which is no sign that it never did.
        contradiction: what is impossible about it, in a sentence; empty if nothing.
        evidence: where it was read.
    """

    created: datetime | None = None
    used: datetime | None = None
    contradiction: str = ""
    evidence: tuple[SourceLocation, ...] = ()


_NONE = CloudBounds()


def bounds_by_cloud(
    organization: Organization, scope: KeyScope, keys: Sequence[CustomerKey], as_of: datetime
) -> CloudBounds:
    """Return what the clouds show of the one key of ``scope``, which has the entries ``keys``.

    The past does not age, so that facts of any age count, but for those that are later than
    ``as_of`` or about a key of another owner.
    """
    facts = [(key, key.kms) for key in keys if key.kms and _counts(key, key.kms, as_of)]
    if not facts:
        return _NONE
    created = min(filter(None, (_created(key, kms) for key, kms in facts)), default=None)
    latest = max(kms.observed_at for _, kms in facts)
    issuers = _issuers(organization, scope, keys[0])
    used = min(
        (time for _, kms in facts for time in _used(kms, issuers)),
        default=None,
    )
    read = [kms.where("key", *(("grants",) if used else ())) for _, kms in facts]
    evidence = tuple(dict.fromkeys(place for places in read for place in places))
    return CloudBounds(created, used, _impossible(created, used, latest), evidence)


def _counts(key: CustomerKey, kms: KmsFacts, as_of: datetime) -> bool:
    is_own = kms.owner is None or kms.owner == owner_of(key.key_id) or key.provider == "azure"
    return is_own and kms.observed_at <= as_of


def _created(key: CustomerKey, kms: KmsFacts) -> datetime | None:
    """Return when the key was created: in Azure, with the first of all its versions.

    There a key as such has no time of its own: what is shown as its creation is its version's.
    """
    if key.provider != "azure":
        return kms.created_at
    times = [version.created_at for version in kms.versions or ()]
    return None if not times or None in times else min(filter(None, (*times, kms.created_at)))


def _issuers(organization: Organization, scope: KeyScope, key: CustomerKey) -> frozenset[str]:
    """Return the vendor's accounts whose grants show a use in ``scope``; empty if none can.

    A key that serves several scopes may have been used in any of them. What the key's own account
    grants is no use by the vendor.
    """
    own = canonical(key.key_id)
    scopes = {
        scope_of(organization.id, other)
        for other in organization.keys or ()
        if canonical(other.key_id) == own
    }
    if key.provider != "aws" or scopes != {scope}:
        return frozenset()
    named = {
        _account(entry.account)
        for entry in organization.vendor_accounts or ()
        if scope_of(organization.id, entry) == scope
    }
    return frozenset(named - {"", owner_of(key.key_id)})


def _account(text: str) -> str:
    match = _ACCOUNT.fullmatch(text)
    return match["account"] if match else ""


def _used(kms: KmsFacts, issuers: Iterable[str]) -> Iterator[datetime]:
    """Yield when each grant was issued that one of ``issuers`` had left when it was read."""
    for grant in kms.grants or ():
        time = grant.created_at
        if time and time <= kms.observed_at and _account(grant.issued_by or "") in issuers:
            yield time


def _impossible(created: datetime | None, used: datetime | None, latest: datetime) -> str:
    if created is None:
        return ""
    if created > latest:
        return "The cloud showed the key before the time at which it says that it was created."
    if used is not None and used < created:
        return "A grant of the key is older than the key itself."
    return ""
