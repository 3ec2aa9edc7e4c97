"""What people attested, in words."""

from __future__ import annotations

from checks.engine.context import utc
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

Statement = Attestation | RegistrationAttestation


def in_words(statement: Statement) -> str:
    """Render what ``statement`` says, but for who made it and when."""
    words = "there is none yet"
    match statement:
        case RegistrationAttestation():
            words = f"registered at {utc(statement.at)}"
        case PlanAttestation():
            kind = "paid plan" if statement.paid else "not a paid plan"
            words = f"{kind}: {statement.name}" if statement.name else kind
        case PreviewAttestation():
            words = "granted" if statement.granted else "not granted"
        case RotationAttestation():
            words = "rotates automatically" if statement.automatic else "does not rotate by itself"
        case UsableAttestation():
            words = "usable" if statement.usable else "not usable"
        case PortalKey():
            words = "In-Use" if statement.status == "in-use" else "Available"
        case PortalRegion():
            words = _region(statement)
        case ExclusiveAttestation():
            words = "nobody else" if statement.exclusive else "others, too"
        case ApplicationEncryption():
            words = _application(statement)
    return words


def _region(statement: PortalRegion) -> str:
    if statement.key == "astra":
        return "encrypted by Astra's own key"
    which = f": {statement.key_id}" if statement.key_id else ""
    return f"encrypted by a customer key{which}"


def _application(statement: ApplicationEncryption) -> str:
    if not statement.encrypted:
        return "the application does not encrypt the data"
    how = f", by {statement.method}" if statement.method else ""
    return f"the application encrypts the data{how}"
