"""CMEK-16, which rests on an attestation alone."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.model.database import Database
from tests.builders import a_database, a_key, a_planned_database, an_organization
from tests.checks.judging import judged, judged_once

BY: dict[str, Any] = {"by": "acme-security", "on": "2026-11-01"}
AZURE: dict[str, Any] = {"provider": "azure", "regions": ["westeurope"]}


def stringent(**shown: object) -> Database:
    return a_database(data="stringent", application_encryption=BY | shown if shown else None)


@pytest.mark.parametrize(
    ("preview", "status", "message"),
    [
        (
            BY | {"granted": True},
            "pass",
            "acme-security attested on 2026-11-01: the preview was granted.",
        ),
        (
            BY | {"granted": False},
            "fail",
            "acme-security attested on 2026-11-01: the preview was not granted.",
        ),
        (
            BY | {"granted": True, "on": "2025-11-20"},
            "inconclusive",
            (
                "acme-security attested it, but the attestation is valid from 2025-11-20 to "
                "2026-11-20 only."
            ),
        ),
        (None, "inconclusive", "It is not attested that the vendor granted the preview."),
    ],
)
def test_keys_and_databases_rest_on_the_preview(
    preview: dict[str, Any] | None, status: str, message: str
) -> None:
    """A Serverless key or database on Azure is judged by the attested grant."""
    organization = an_organization(
        keys=[a_key(provider="azure", region="westeurope")],
        databases=[a_database(**AZURE), a_planned_database(**AZURE)],
        azure_preview=preview,
    )
    found = judged("CMEK-16", organization)
    assert {(finding.status, finding.message, finding.severity) for finding in found} == {
        (status, message, "advisory")
    }
    assert [(finding.subject.kind, finding.databases, finding.existing) for finding in found] == [
        ("key", 2, 1),
        ("database", 1, 1),
        ("database", 1, 0),
    ]


def test_other_kinds_need_no_preview() -> None:
    """Managed Clusters, other providers, and databases on Astra's keys are none of the rule's."""
    organization = an_organization(
        keys=[a_key(), a_key(type="managed-clusters", provider="azure", region="westeurope")],
        databases=[
            a_database(id="a"),
            a_database(id="b", **AZURE, type="managed-clusters"),
            a_database(id="c", **AZURE, encryption="astra-provided", reason="public data"),
        ],
    )
    assert judged("CMEK-16", organization) == []


@pytest.mark.parametrize(
    ("preview", "cause", "action"),
    [
        (BY | {"granted": True}, "", ""),
        (
            BY | {"granted": False},
            "not-granted",
            "Ask the vendor for the preview on Azure for acme-prod",
        ),
        (
            None,
            "not-attested",
            "Attest whether the vendor granted acme-prod the preview on Azure",
        ),
        (
            BY | {"granted": True, "due": "2026-11-20"},
            "attestation-not-current",
            "Attest whether the vendor granted acme-prod the preview on Azure",
        ),
    ],
)
def test_the_preview_has_its_cause_and_its_places(
    preview: dict[str, Any] | None, cause: str, action: str
) -> None:
    """Each answer about the preview has its code; a database that is only planned has its own."""
    organization = an_organization(
        keys=[a_key(provider="azure", region="westeurope").at("keys.yaml", 1)],
        databases=[a_database(**AZURE).at("now.yaml", 2), a_planned_database(**AZURE).at("p", 3)],
        azure_preview=preview,
    )
    found = judged("CMEK-16", organization)
    planned = f"planned-{cause}" if cause else ""
    assert [(finding.cause, finding.action, finding.evidence) for finding in found] == [
        (cause, action, (("keys.yaml", 1),)),
        (cause, action, (("now.yaml", 2),)),
        (planned, action, (("p", 3),)),
    ]


def test_a_database_with_an_existing_region_there_is_not_only_planned() -> None:
    """A planned region beside an existing one on Azure leaves the cause as it is."""
    regions = [{"name": "westeurope"}, {"name": "northeurope", "state": "planned"}]
    database = a_database(provider="azure", regions=regions)
    organization = an_organization(keys=[], databases=[database])
    assert judged_once("CMEK-16", organization).cause == "not-attested"
    regions = [{"name": "us-east-1", "provider": "aws"}, regions[1]]
    database = a_database(provider="azure", regions=regions)
    organization = an_organization(keys=[], databases=[database])
    assert judged_once("CMEK-16", organization).cause == "planned-not-attested"
