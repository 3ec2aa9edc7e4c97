"""CMEK-15: stringent data is also encrypted by the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import database_subject, fails, for_database, inconclusive, passes
from checks.engine.outcome import report_outcome
from checks.shared.verdicts import database_location, not_current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.database import Database

CARD = Card(
    id="CMEK-15",
    check="check_stringent_data",
    title="Stringent data is also encrypted by the application",
    basis="recommended",
    severity="advisory",
    subject="database marked as stringent",
    needs=("databases",),
    causes={
        "not-encrypted": "The application is attested not to encrypt the data.",
    },
    rationale=(
        "A customer key protects data at rest. Whoever must keep data from the operator of the "
        "database as well encrypts it before it gets there."
    ),
    quotes=(
        Quote(
            sentence=(
                "If you have more stringent compliance requirements, consider using "
                "application-level encryption."
            ),
            page=OVERVIEW,
            heading="Prepare to use customer-managed encryption keys with Astra Managed Clusters",
        ),
    ),
    remediation=(
        "Encrypt the sensitive columns in the application, with the driver's column encryption "
        "for one, and attest that with name and date."
    ),
    no_subject="The inventory marks no database as stringent.",
)

_ATTEST_ENCRYPTION = ActionKind(
    code="attest-application-encryption",
    sentence="Attest how the applications of {name} encrypt stringent data",
    purpose="prove",
    who="we",
    steps=(
        "Ask the owners of the applications how they encrypt the stringent data.",
        "Attest it with name and day.",
    ),
)
_ENCRYPT_IN_APPLICATION = ActionKind(
    code="encrypt-in-application",
    sentence="Consider encryption by the applications of {name}",
    purpose="repair",
    who="we",
    steps=(
        "Decide which data has to be kept from the operator of the database.",
        (
            "Encrypt those columns in the application, with the driver's column encryption for "
            "example."
        ),
        "Attest it with name and day.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each stringent database by the attestation of the application's encryption."""
    for deployments in index.by_database(lambda regions: regions[0].database.data == "stringent"):
        database = deployments[0].database
        finding = _judge_database(index, database, context)
        yield for_database(finding, CARD, database)


def _judge_database(index: OrganizationIndex, database: Database, context: Context) -> Finding:
    subject, where = database_subject(index.organization.id, database), database_location(database)
    attest = _ATTEST_ENCRYPTION.on(name=index.organization.name)
    attestation = database.application_encryption
    if attestation is None:
        message = "It is not attested whether the application encrypts the data."
        return inconclusive(CARD, subject, "not-attested", message, where, attest)
    if old := not_current(attestation, context, attest):
        return old.on_subject(CARD, subject, where)
    attested = f"{attestation.by} attested on {attestation.on}: the application "
    if attestation.encrypted:
        method = attestation.method or "method not named"
        message = f"{attested}encrypts the data ({method})."
        return passes(CARD, subject, message, where, attested_by=(attestation.by,))
    action = _ENCRYPT_IN_APPLICATION.on(name=index.organization.name)
    message = f"{attested}does not encrypt the data."
    return fails(CARD, subject, "not-encrypted", message, where, action)


def check_stringent_data(group: FindingGroup) -> None:
    """Stringent data is also encrypted by the application."""
    report_outcome(group)
