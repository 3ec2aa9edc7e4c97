"""CMEK-16: customer keys for Serverless on Azure rest on a preview the vendor granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import OVERVIEW, Card, Quote
from checks.engine.finding import (
    about,
    fails,
    inconclusive,
    of_database,
    of_key,
    of_planned_key,
    passes,
    places,
)
from checks.engine.identity import PLANNED
from checks.engine.outcome import settle
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.verdicts import concerning_scopes, not_current, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import Group
    from inventory.model.base import Place
    from inventory.model.key import KeyScope
    from inventory.model.organization_index import Estate

CARD = Card(
    id="CMEK-16",
    check="check_serverless_azure_preview",
    title="Customer keys for Serverless on Azure rest on a preview the vendor granted",
    force="derived",
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


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each such key, and each such database that is to be encrypted by one."""
    for scope, keys in estate.keys.items():
        if _is_preview(scope):
            for key in keys:
                finding = _judge(estate, of_key(scope, key.key_id), places([key]), context)
                yield concerning_scopes(finding, estate, [scope])
    for scope, planned in planned_keys(estate):
        if _is_preview(scope):
            subject = of_planned_key(scope, planned)
            yield as_planned(_judge(estate, subject, (), context), CARD, estate, planned)
    for placements in estate.placements if any(map(_is_preview, estate.scopes)) else ():
        database = placements[0].database
        there = [each for each in placements if each.wants_key and _is_preview(each.scope)]
        if there:
            subject = of_database(estate.organization.id, database)
            finding = _judge(estate, subject, place_of(database), context)
            if finding.cause and all(each.is_planned for each in there):
                finding = finding._replace(cause=f"{PLANNED}{finding.cause}")
            yield about(finding, CARD, database)


def _is_preview(scope: KeyScope) -> bool:
    return scope.type == "serverless" and scope.provider == "azure"


def _judge(estate: Estate, subject: Subject, where: tuple[Place, ...], context: Context) -> Finding:
    preview = estate.organization.azure_preview
    action = f"Attest whether the vendor granted {estate.organization.name} the preview on Azure"
    if preview is None:
        says = "Nobody attested that the vendor granted the preview."
        return inconclusive(CARD, subject, "not-attested", says, where, action)
    if old := not_current(preview, context, action):
        return old.about(CARD, subject, where)
    said = f"{preview.by} attested on {preview.on}: the preview was "
    if preview.granted:
        return passes(CARD, subject, f"{said}granted.", where, attested_by=(preview.by,))
    action = f"Ask the vendor for the preview on Azure for {estate.organization.name}"
    return fails(CARD, subject, "not-granted", f"{said}not granted.", where, action)


def check_serverless_azure_preview(group: Group) -> None:
    """Customer keys for Serverless on Azure rest on a preview the vendor granted."""
    settle(group)
