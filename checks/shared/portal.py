"""Looks at Astra's portal: in words, and whether they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.context import day
from inventory.model.attestations import PortalKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from inventory.model.attestations import PortalRegion
    from inventory.model.key import CustomerKey, KeyScope

KEY_STATUS = {"in-use": "In-Use", "available": "Available"}
"""What the portal calls a key, by what is recorded of it."""


def is_in_portal(scope: KeyScope) -> bool:
    """Return whether the portal shows what is encrypted there: for Serverless alone it does."""
    return scope.type == "serverless"


def shows_use(scope: KeyScope) -> bool:
    """Return whether the portal shows if a key of ``scope`` is in use.

    Keys in Azure are always shown as *Available*, used or not.
    """
    return is_in_portal(scope) and scope.provider != "azure"


def sightings_of(keys: Iterable[CustomerKey]) -> list[PortalKey]:
    """Return every look at one of ``keys``, the latest first."""
    sightings = {key.portal for key in keys if key.portal}
    return sorted(sightings, key=lambda look: (look.on, look.status, look.by), reverse=True)


def current_sightings(
    keys: Iterable[CustomerKey], scope: KeyScope, as_of: datetime
) -> list[PortalKey]:
    """Return the looks at ``keys`` that show something at ``as_of``, the latest first."""
    if not shows_use(scope):
        return []
    return [look for look in sightings_of(keys) if look.is_current(as_of)]


def look_in_words(look: PortalKey | PortalRegion) -> str:
    """Say who saw what in the portal, and when: one sentence."""
    seen = f"On {look.on} {look.by} saw in the portal"
    if isinstance(look, PortalKey):
        return f"{seen} that the key is {KEY_STATUS[look.status]}."
    if look.key == "astra":
        return f"{seen} that Astra's own key encrypts the database."
    named = f", {look.key_id}," if look.key_id else ""
    return f"{seen} that a customer key{named} encrypts the database."


def not_counting(look: PortalKey | PortalRegion, as_of: datetime) -> str:
    """Return why ``look`` does not count at ``as_of``, in a sentence; empty if it does."""
    if look.is_current(as_of):
        return ""
    why = f"it is valid until {look.last_day()}"
    if day(as_of) < look.on:
        why = "it was made after the day of the audit"
    return f"The look at the portal of {look.on} does not count: {why}."


def not_showing(look: PortalKey | PortalRegion, as_of: datetime, deployed: datetime | None) -> str:
    """Return why ``look`` shows nothing of a database, in a sentence; empty if it does.

    The day of a look has no time, so that it shows nothing of what was deployed on that day.
    """
    if why := not_counting(look, as_of):
        return why
    if deployed is None or day(deployed) >= look.on:
        return (
            f"The look at the portal of {look.on} shows nothing: the database is not known to have "
            "been deployed on a day before."
        )
    return ""
