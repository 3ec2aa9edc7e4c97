"""What is known of when the key of a scope was registered, and of when a database was deployed.

The rule judges by it, and the record shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import day, utc
from checks.shared.cloud_bounds import bounds_by_cloud
from checks.shared.registration import Claim, trace
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.engine.context import Context
    from checks.shared.cloud_bounds import CloudBounds
    from checks.shared.registration import Period, Registration
    from inventory.model.attestations import RegistrationAttestation
    from inventory.model.key import CustomerKey, KeyScope, SupportCase
    from inventory.model.organization import Organization


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
    cases: Sequence[SupportCase],
    organization: Organization,
    context: Context,
) -> KeyRegistration:
    """Date the key of ``scope``, which has the entries ``keys`` and the support ``cases``.

    It is that of the present record of the ``organization``.
    """
    names = {canonical(key.key_id) for key in keys}
    if len(names) != 1:
        return KeyRegistration()
    name, present_at = names.pop(), organization.captured_at
    attested = _attested(keys, context.as_of)
    exact = attested[0].at if attested else None
    claim = Claim(name, present_at, present_at or context.as_of, exact)
    observations = context.history.observations(scope)
    periods = trace(claim, observations, cases)
    shown = bounds_by_cloud(organization, scope, keys, context.as_of)
    contradiction = _contradiction(attested, periods[0].registration)
    if shown.created or shown.used:
        periods = (_narrow(periods[0], shown, cases), *periods[1:])
        times = [seen.at for seen in observations if name in map(canonical, seen.key_ids)]
        first = next(iter(times), present_at)
        contradiction = contradiction or _impossible(periods[0].registration, shown, first)
    return KeyRegistration(periods, attested, contradiction)


def _narrow(period: Period, shown: CloudBounds, cases: Sequence[SupportCase]) -> Period:
    """Add what the cloud shows to the period of the key of now.

    A support case of a later day may have put it in the place of a key that no record shows.
    """
    created = shown.created
    registration = period.registration._replace(
        created=created,
        used=shown.used,
        may_replace=created is not None and any(case.on >= day(created) for case in cases),
        evidence=(*period.registration.evidence, *shown.evidence),
    )
    return period._replace(registration=registration)


def _impossible(registration: Registration, shown: CloudBounds, first: datetime | None) -> str:
    """Return what cannot be true of what the cloud shows, beside the other times of the key.

    ``first`` is the time of the first record that shows the key.
    """
    created, used, exact = shown.created, shown.used, registration.exact
    if created and first and first < created:
        return f"A record of {utc(first)} shows the key, which was created {utc(created)}."
    if created and exact and exact < created:
        return f"The registration is attested for {utc(exact)}, the key was created {utc(created)}."
    if used and exact and used < exact:
        return f"The registration is attested for {utc(exact)}, Astra used the key {utc(used)}."
    absent = max(filter(None, (registration.after, registration.since)), default=None)
    if used and absent and used <= absent:
        return f"Astra used the key {utc(used)}, but it was not yet registered at {utc(absent)}."
    return shown.contradiction


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
