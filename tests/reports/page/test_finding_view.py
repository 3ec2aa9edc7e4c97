"""A finding on the page: what it affects, where its facts are, and its organization's number."""

from __future__ import annotations

from typing import Any

import pytest

from reports.page.evidence_index import EvidenceIndex
from reports.page.finding_view import (
    NumberedOrganizations,
    affected,
    evidence,
    view_finding,
)


@pytest.mark.parametrize(
    ("databases", "existing", "text"),
    [
        (0, 0, "no database is recorded there"),
        (1, 1, "1 database, existing"),
        (1, 0, "1 database, planned"),
        (3, 3, "3 databases, all of them existing"),
        (3, 2, "3 databases, 2 of them existing"),
    ],
)
def test_affected(databases: int, existing: int, text: str) -> None:
    """What a finding affects is counted in databases, and in those that exist."""
    finding: Any = {"databases": databases, "existing": existing, "subject": {"kind": "key"}}
    assert affected(finding) == text


def test_evidence_is_bounded() -> None:
    """Evidence beyond ten places is counted."""
    index = EvidenceIndex([], set(), 0)
    none: Any = {"evidence": []}
    many: Any = {"evidence": [("f", line) for line in range(12)]}
    assert "2 more in findings.ndjson" in evidence(many, index)
    assert evidence(none, index) == "none: no file contains it"


def test_a_finding_about_an_organization_affects_it_as_a_whole() -> None:
    """A finding without databases names what it concerns instead."""
    organization: Any = {"subject": {"kind": "organization"}}
    region: Any = {"subject": {"kind": "database-region"}}
    assert affected(organization) == "the organization as a whole"
    assert affected(region) == "no database"


def test_evidence_with_an_address_shows_it() -> None:
    """What Terraform manages is shown with its address, escaped."""
    index = EvidenceIndex([], set(), 0)
    finding: Any = {"evidence": [("plan.json", 1, "astra_database.<x>")]}
    shown = evidence(finding, index)
    assert shown == "<code>plan.json:1</code> (<code>astra_database.&lt;x&gt;</code>)"


def test_organizations_are_numbered_as_they_come() -> None:
    """The filter knows organizations by number; one that the population lacks keeps its id."""
    listed: Any = [{"id": "a", "name": "acme"}]
    organizations = NumberedOrganizations(listed)
    assert [organizations.number(identity) for identity in ("b", "a", "b")] == [0, 1, 0]
    names = [organizations.name(identity) for identity in ("a", "b", "")]
    assert names == ["acme", "b", "across organizations"]
    assert organizations.numbers == {"b": 0, "a": 1}


def test_a_view_is_escaped() -> None:
    """Every text of a finding is escaped in its view."""
    subject = {
        "kind": "key-scope",
        "path": "<o>/serverless/aws/<r>",
        "organization": "<o>",
        "type": "serverless",
        "provider": "aws",
        "region": "<r>",
    }
    finding: Any = {
        "id": "1",
        "status": "fail",
        "severity": "high",
        "rule": "CMEK-01",
        "subject": subject,
        "message": "No key: <b>",
        "action": "Register <it>",
        "cause": "<c>",
        "evidence": [],
        "databases": 1,
    }
    view = view_finding(finding, NumberedOrganizations([]), EvidenceIndex([], set(), 0))
    assert (view.title, view.message, view.action, view.path, view.cause) == (
        "&lt;o&gt; / Serverless on AWS / &lt;r&gt;",
        "No key: &lt;b&gt;",
        "Register &lt;it&gt;",
        "&lt;o&gt;/serverless/aws/&lt;r&gt;",
        "&lt;c&gt;",
    )
