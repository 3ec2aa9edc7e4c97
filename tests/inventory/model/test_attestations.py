"""Attestations count for a time, and state one thing clearly."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from inventory.model.attestations import (
    ATTESTATION_DAYS,
    Attestation,
    PortalRegion,
    RegistrationAttestation,
    RotationAttestation,
)
from tests.builders import (
    AS_OF,
    moment,
)
from tests.inventory.model.refusals import BY, refusal


@pytest.mark.parametrize(
    ("as_of", "is_current"),
    [
        ("2026-10-31T23:59:59Z", False),
        ("2026-11-01T00:00:00Z", True),
        ("2026-11-01T23:00:00-05:00", True),
        ("2026-11-01T01:00:00+05:00", False),
        ("2026-11-10T23:59:59Z", True),
        ("2026-11-11T00:00:00Z", False),
    ],
)
def test_attested_days(as_of: str, is_current: bool) -> None:  # noqa: FBT001
    """An attestation counts from the UTC day of its making to its last day, both included."""
    attestation = Attestation.model_validate(BY | {"due": "2026-11-10"})
    assert attestation.is_current(datetime.fromisoformat(as_of)) is is_current


def test_attested_without_end() -> None:
    """An attestation without a last day counts 365 days."""
    attestation = Attestation.model_validate(BY)
    assert attestation.last_day() == date(2027, 11, 1)
    assert attestation.is_current(moment("2027-11-01T23:59:59Z"))
    assert not attestation.is_current(moment("2027-11-02T00:00:00Z"))
    assert ATTESTATION_DAYS == 365


def test_attested_at_the_end_of_time() -> None:
    """An attestation of the last day that there is has a last day, too."""
    attestation = Attestation.model_validate(BY | {"on": "9999-12-31"})
    assert attestation.last_day() == date.max
    assert not attestation.is_current(AS_OF)


@pytest.mark.parametrize("by", ["", " ", "\t\n", "\u3000", "\u200b", "\u2800\u3164", "\U000e0041"])
def test_attested_by_nobody(by: str) -> None:
    """An attestation names who states it."""
    assert refusal(Attestation, BY | {"by": by})[0] == ("by",)


@pytest.mark.parametrize("value", ["true", "yes", 1, 0, None])
def test_attested_without_a_clear_word(value: object) -> None:
    """What is attested is true or false, and nothing that merely looks like it."""
    assert refusal(RotationAttestation, BY | {"automatic": value})[0] == ("automatic",)


def test_registered_after_the_statement() -> None:
    """A registration is stated on its UTC day or later, not before it happened."""
    for at in ("2026-11-01T23:59:59Z", "2026-11-02T00:30:00+01:00"):
        assert RegistrationAttestation.model_validate(BY | {"at": at}).on == date(2026, 11, 1)
    text = "a time no later than the day of the statement"
    for at in ("2026-11-02T00:00:00Z", "2026-11-01T23:30:00-01:00"):
        assert refusal(RegistrationAttestation, BY | {"at": at}) == ((), text)


def test_astras_own_key_has_no_id() -> None:
    """What the portal shows as encrypted by Astra's own key is encrypted by no customer key."""
    own = BY | {"key": "astra"}
    assert PortalRegion.model_validate(own).key == "astra"
    assert refusal(PortalRegion, own | {"key_id": "a"}) == ((), "no key_id with key: astra")
