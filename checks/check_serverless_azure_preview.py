"""CMEK-16: customer keys for Serverless on Azure use a preview that the vendor granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import (
    database_subject,
    fails,
    for_database,
    inconclusive,
    key_subject,
    locations_of,
    passes,
    planned_key_subject,
)
from checks.engine.identity import PLANNED
from checks.engine.outcome import report_outcome
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.verdicts import database_location, not_current, with_databases_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.deployments import Deployment
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.base import SourceLocation
    from inventory.model.key import KeyScope

CARD = Card(
    id="CMEK-16",
    check="check_serverless_azure_preview",
    title="Customer keys for Serverless on Azure use a preview that the vendor granted",
    basis="derived",
    severity="advisory",
    subject="Serverless database or key on Azure, existing or planned",
    needs=("keys", "databases"),
    causes={
        "not-granted": "The preview is attested not to be granted.",
    },
    rationale=(
        "There, customer keys are a private preview. Without the vendor's grant the key cannot be "
        "relied on, and a preview is no commitment."
    ),
    quotes=(
        Quote(
            sentence=(
                "Encrypt Astra DB Serverless databases with Microsoft Azure Key Vault encryption "
                "keys"
            ),
            page=OVERVIEW,
            heading="Configure customer key encryption",
        ),
    ),
    remediation=(
        "Ask the vendor for the preview and attest the grant with name and date, or deploy to "
        "another provider."
    ),
    no_subject="The inventory holds neither a key nor a database of Serverless on Azure.",
)

_ATTEST_PREVIEW = ActionKind(
    code="attest-azure-preview",
    sentence="Attest whether the vendor granted {name} the preview on Azure",
    purpose="prove",
    who="we",
    steps=(
        "Look for the vendor's grant of the preview for Serverless on Azure.",
        "Attest it with name and day.",
    ),
)
_ASK_FOR_PREVIEW = ActionKind(
    code="ask-for-azure-preview",
    sentence="Ask the vendor for the preview on Azure for {name}",
    purpose="repair",
    who="IBM Support",
    steps=(
        "Open a case with IBM Support, and ask for the preview for Serverless on Azure.",
        "Attest the grant with name and day.",
        "Deploy to another provider if it is not granted.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each such key, and each such database that is to be encrypted by one."""
    for scope, keys in index.keys.items():
        if _is_preview(scope):
            for key in keys:
                finding = _judge(
                    index, key_subject(scope, key.key_id), locations_of([key]), context
                )
                yield with_databases_of(finding, index, [scope])
    for scope, planned in planned_keys(index):
        if _is_preview(scope):
            subject = planned_key_subject(scope, planned)
            yield as_planned(_judge(index, subject, (), context), CARD, index, planned)
    for deployments in index.by_database(_there):
        database = deployments[0].database
        subject = database_subject(index.organization.id, database)
        finding = _judge(index, subject, database_location(database), context)
        if finding.cause and all(deployment.is_planned for deployment in _there(deployments)):
            finding = finding._replace(cause=f"{PLANNED}{finding.cause}")
        yield for_database(finding, CARD, database)


def _there(deployments: tuple[Deployment, ...]) -> list[Deployment]:
    """Return those of ``deployments`` for which the preview matters."""
    return [
        deployment
        for deployment in deployments
        if deployment.expects_customer_key and _is_preview(deployment.scope)
    ]


def _is_preview(scope: KeyScope) -> bool:
    return scope.type == "serverless" and scope.provider == "azure"


def _judge(
    index: OrganizationIndex, subject: Subject, where: tuple[SourceLocation, ...], context: Context
) -> Finding:
    preview = index.organization.azure_preview
    action = _ATTEST_PREVIEW.on(name=index.organization.name)
    if preview is None:
        message = "It is not attested that the vendor granted the preview."
        return inconclusive(CARD, subject, "not-attested", message, where, action)
    if old := not_current(preview, context, action):
        return old.on_subject(CARD, subject, where)
    attested = f"{preview.by} attested on {preview.on}: the preview was "
    if preview.granted:
        return passes(CARD, subject, f"{attested}granted.", where, attested_by=(preview.by,))
    action = _ASK_FOR_PREVIEW.on(name=index.organization.name)
    return fails(CARD, subject, "not-granted", f"{attested}not granted.", where, action)


def check_serverless_azure_preview(group: FindingGroup) -> None:
    """Customer keys for Serverless on Azure use a preview that the vendor granted."""
    report_outcome(group)
