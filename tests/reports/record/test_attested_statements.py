"""What people attested, in words and never in the spelling of a program."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.model.attestations import (
    ApplicationEncryption,
    Attestation,
    ExclusiveAttestation,
    PlanAttestation,
    PortalKey,
    PortalRegion,
    PreviewAttestation,
    RegistrationAttestation,
    RotationAttestation,
    UsableAttestation,
)
from reports.record.attested_statements import Statement, in_words

BY = {"by": "acme-security", "on": "2026-11-01"}
STATEMENTS: list[tuple[type[Statement], dict[str, Any], str]] = [
    (Attestation, {}, "there is none yet"),
    (PlanAttestation, {"paid": True}, "paid plan"),
    (PlanAttestation, {"paid": True, "name": "Plus"}, "paid plan: Plus"),
    (PlanAttestation, {"paid": False, "name": "Free"}, "not a paid plan: Free"),
    (PreviewAttestation, {"granted": True}, "granted"),
    (PreviewAttestation, {"granted": False}, "not granted"),
    (
        RegistrationAttestation,
        {"at": "2026-05-01T02:00:00+02:00"},
        "registered at 2026-05-01T00:00:00Z",
    ),
    (RotationAttestation, {"automatic": True}, "rotates automatically"),
    (RotationAttestation, {"automatic": False}, "does not rotate by itself"),
    (UsableAttestation, {"usable": True}, "usable"),
    (UsableAttestation, {"usable": False}, "not usable"),
    (ExclusiveAttestation, {"exclusive": True}, "nobody else"),
    (ExclusiveAttestation, {"exclusive": False}, "others, too"),
    (ApplicationEncryption, {"encrypted": True}, "the application encrypts the data"),
    (
        ApplicationEncryption,
        {"encrypted": True, "method": "AEAD"},
        "the application encrypts the data, by AEAD",
    ),
    (
        ApplicationEncryption,
        {"encrypted": False, "method": "AEAD"},
        "the application does not encrypt the data",
    ),
    (PortalKey, {"status": "in-use"}, "In-Use"),
    (PortalKey, {"status": "available"}, "Available"),
    (PortalRegion, {"key": "astra"}, "encrypted by Astra's own key"),
    (PortalRegion, {"key": "customer"}, "encrypted by a customer key"),
    (PortalRegion, {"key": "customer", "key_id": "a:1"}, "encrypted by a customer key: a:1"),
]


@pytest.mark.parametrize(("model", "fields", "words"), STATEMENTS)
def test_a_statement_is_in_words(
    model: type[Statement], fields: dict[str, Any], words: str
) -> None:
    """Each kind of statement has words for what it affirms and for what it denies."""
    assert in_words(model.model_validate(fields | BY)) == words


def test_every_kind_of_statement_has_a_case() -> None:
    """No kind of attestation is left to the words of another one."""
    kinds = {Attestation, RegistrationAttestation, *Attestation.__subclasses__()}
    assert {model for model, _, _ in STATEMENTS} == kinds
