"""Attestations: statements of people about what no interface shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal, Self

from pydantic import StrictBool, model_validator
from pydantic_core import PydanticCustomError

from inventory.model.base import Day, Entry, Identifier, Moment, Text

ATTESTATION_DAYS = 365


class Attestation(Entry):
    """A statement about something that no interface shows.

    Attributes:
        by: who states it.
        on: the UTC day on which it was stated.
        due: the last UTC day on which it counts; 365 days after ``on`` if absent.
        note: whatever helps the reader.
    """

    by: Text
    on: Day
    due: Day | None = None
    note: str | None = None

    def last_day(self) -> date:
        """Return the last UTC day on which the statement counts."""
        return self.due or self.on + min(timedelta(days=ATTESTATION_DAYS), date.max - self.on)

    def is_current(self, as_of: datetime) -> bool:
        """Say whether the statement had been made at ``as_of`` and has not expired."""
        return self.on <= as_of.astimezone(UTC).date() <= self.last_day()


class PlanAttestation(Attestation):
    """The organization's plan: ``paid`` says whether it is a paid one, ``name`` is its name."""

    paid: StrictBool
    name: str | None = None


class PreviewAttestation(Attestation):
    """Whether the vendor granted the organization customer keys for Serverless on Azure."""

    granted: StrictBool


class RegistrationAttestation(Entry):
    """When a key was registered, as ``by`` stated on the UTC day ``on``; the past does not age."""

    at: Moment
    by: Text
    on: Day
    note: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.at.astimezone(UTC).date() > self.on:
            raise PydanticCustomError("at", "a time no later than the day of the statement")
        return self


class RotationAttestation(Attestation):
    """Whether the key's versions rotate automatically."""

    automatic: StrictBool


class UsableAttestation(Attestation):
    """Whether the key is enabled, symmetric, in its region, and granted to Astra."""

    usable: StrictBool


class ExclusiveAttestation(Attestation):
    """Whether nobody but the key's owner and Astra may use the key."""

    exclusive: StrictBool


class ApplicationEncryption(Attestation):
    """Whether the application itself encrypts the stringent data, and how."""

    encrypted: StrictBool
    method: str | None = None


class PortalKey(Attestation):
    """What Astra's portal showed of a key: *Settings, Security, Key Encryption*.

    Attributes:
        status: ``in-use`` if at least one database is encrypted by the key; ``available`` if none
            is, except for keys in Azure, of which the portal never shows more.
    """

    status: Literal["in-use", "available"]


class PortalRegion(Attestation):
    """What Astra's portal showed of one region of a database: *Regions, More, Details*.

    Attributes:
        key: whether a customer key encrypts the database there, or Astra's own key does.
        key_id: the key's id, if the portal showed it.
    """

    key: Literal["customer", "astra"]
    key_id: Identifier | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.key == "astra" and self.key_id is not None:
            raise PydanticCustomError("key_id", "no key_id with key: astra")
        return self
