"""What is known of when the key of a scope was registered, and of when a database was deployed.

The rule judges by it, and the record shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import day, utc
from checks.shared.registration import Claim, trace
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from checks.engine.context import Context
    from checks.shared.registration import Period, Registration
    from inventory.model.attestations import RegistrationAttestation
    from inventory.model.database import Database, DatabaseRegion
    from inventory.model.key import CustomerKey, KeyScope, SupportCase


class KeyRegistration(NamedTuple):
    """What is known of the registration of the key of one scope.

    Attributes:
        periods: when the key was registered, and when those that it replaced; empty without a key
            and if several are claimed.
        attested: what counts of what is attested of its time, in a fixed order.
        contradiction: what keeps the attested time from counting, in a sentence; empty if nothing.
    """

    periods: tuple[Period, ...] = ()
    attested: tuple[RegistrationAttestation, ...] = ()
    contradiction: str = ""

    @property
    def attested_by(self) -> tuple[str, ...]:
        """Return those who attest the time of registration, each once."""
        return tuple(dict.fromkeys(attestation.by for attestation in self.attested))


def date_registration(
    scope: KeyScope,
    keys: Sequence[CustomerKey],
    cases: Iterable[SupportCase],
    present_at: datetime | None,
    context: Context,
) -> KeyRegistration:
    """Date the key of ``scope``, which has the entries ``keys`` and the support ``cases``.

    ``present_at`` is the time of the present record; None if that is not known.
    """
    names = {canonical(key.key_id) for key in keys}
    if len(names) != 1:
        return KeyRegistration()
    attested = _attested(keys, context.as_of)
    exact = attested[0].at if attested else None
    claim = Claim(names.pop(), present_at, present_at or context.as_of, exact)
    periods = trace(claim, context.history.observations(scope), cases)
    return KeyRegistration(periods, attested, _contradiction(attested, periods[0].registration))


def _attested(keys: Sequence[CustomerKey], as_of: datetime) -> tuple[RegistrationAttestation, ...]:
    today = day(as_of)
    every = [key.registered for key in keys if key.registered and key.registered.on <= today]
    return tuple(sorted(every, key=lambda attested: (attested.at, attested.by)))


def _contradiction(attested: Sequence[RegistrationAttestation], registration: Registration) -> str:
    times = list(dict.fromkeys(utc(attestation.at) for attestation in attested))
    if len(times) > 1:
        return f"Several times of registration are attested for one key: {', '.join(times)}."
    if registration.is_contradictory:
        named = f"{utc(attested[0].at)}, attested by {attested[0].by},"
        return f"The registration at {named} contradicts the dated records."
    return ""


def deployed_at(database: Database, region: DatabaseRegion) -> datetime | None:
    """Return when ``region`` was added; a database of one existing region was made with it."""
    if region.added_at is not None:
        return region.added_at
    existing = [other for other in database.regions if other.state == "existing"]
    return database.created_at if len(existing) == 1 else None
