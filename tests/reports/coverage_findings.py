"""Findings about one key scope, and the coverage that they give."""

from __future__ import annotations

from typing import Any

from checks.engine.card import Severity
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import (
    Finding,
    Status,
    Subject,
    key_subject,
)
from inventory.model.key import KeyScope
from inventory.model.organization import Organization
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage_states import PROOFS
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_key,
    key_id_for,
    kms_facts,
)
from tests.reports.recording import RULES, a_finding

NAMES = {ORGANIZATION: "acme-prod", OTHER_ORGANIZATION: "acme-test"}
SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
KEY = key_id_for("aws", "us-east-1")


def rows(*given: Finding) -> Any:  # noqa: ANN401 (a part of the record)
    tallies = Aggregates()
    for finding in given:
        tallies.add(finding)
    return tallies.coverage(NAMES)


def cells(*given: Finding) -> Any:  # noqa: ANN401 (a part of the record)
    return rows(*given)[0]["cells"]


def proof(rule: str) -> Finding:
    """Return a pass that proves something of the key of a scope, and which key it is."""
    return a_finding("pass", rule, databases=2, existing=1, subject=key_subject(SCOPE, KEY))


PROVEN = [*(proof(rule) for rule in PROOFS), proof("CMEK-09")]
"""The findings about a scope whose key is in order."""


def audited(organization: Organization) -> Any:  # noqa: ANN401 (a part of the record)
    tallies = Aggregates()
    for finding in evaluate([organization], RULES, Context(AS_OF)):
        tallies.add(finding)
    return tallies.coverage({})[0]["cells"]


def about_planned_key(status: Status, rule: str, severity: Severity = "high") -> Finding:
    """Make a finding about a planned key in the scope of the others."""
    finding = a_finding(status, rule, severity, name="astra_customer_key.new")
    return finding._replace(subject=finding.subject._replace(kind="planned-key"))


def placement(database: str) -> Subject:
    path = f"{ORGANIZATION}/database/{database}/us-east-1"
    return Subject("database-region", path, *SCOPE, database=database)


def attested_key(**over: object) -> object:
    registered = {"at": "2026-01-01T00:00:00Z", "by": "acme-security", "on": "2026-01-01"}
    region = over.get("region", "us-east-1")
    return a_key(**{"registered": registered, "kms": kms_facts(region=region)} | over)
