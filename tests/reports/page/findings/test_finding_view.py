"""A finding on the page: what it affects, its age, its subject, and that all of it is escaped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports.page.findings.evidence_index import EvidenceIndex
from reports.page.findings.evidence_labels import CitedPopulation, EvidenceLabels
from reports.page.findings.finding_view import (
    FindingAge,
    OrganizationNames,
    SubjectValues,
    affected,
    view_finding,
)

HOSTILE_SUBJECT = {
    "kind": "key-scope",
    "path": "<o>/serverless/aws/<r>",
    "organization": "<o>",
    "type": "serverless",
    "provider": "aws",
    "region": "<r>",
}
HOSTILE_FINDING: Any = {
    "id": "1",
    "status": "fail",
    "severity": "high",
    "rule": "CMEK-01",
    "subject": HOSTILE_SUBJECT,
    "message": "No key: <b>",
    "action": "Register <it>",
    "cause": "<c>",
    "evidence": [["<f>", 1]],
    "databases": 1,
    "existing": 1,
}


def labels_of(*findings: Any, population: tuple[Any, ...] = ()) -> EvidenceLabels:  # noqa: ANN401 (records)
    """Label the places of ``findings`` by these lines of a population."""
    cited = CitedPopulation(findings)
    for line in population:
        cited.add(json.dumps(line, separators=(",", ":")).encode())
    return EvidenceLabels([], cited, EvidenceIndex([], set(), 0))


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


def test_affected_databases_are_named() -> None:
    """Databases are named, escaped, and those without room are counted."""
    finding: Any = {"databases": 3, "existing": 3, "subject": {"kind": "key"}}
    assert affected(finding, ["<a>", "b"]) == (
        "3 databases, all of them existing: <b>&lt;a&gt;</b>, <b>b</b> and 1 more"
    )
    assert affected(finding, ["a", "b", "c"]).endswith("<b>a</b>, <b>b</b>, <b>c</b>")


def test_a_finding_about_an_organization_affects_it_as_a_whole() -> None:
    """A finding without databases names what it concerns instead."""
    organization: Any = {"subject": {"kind": "organization"}}
    region: Any = {"subject": {"kind": "database-region"}}
    assert affected(organization) == "the organization as a whole"
    assert affected(region, ["a name"]) == "no database"


def test_an_organization_that_the_population_lacks_keeps_its_id() -> None:
    """Organizations go by name, else by id; a subject across all of them says so."""
    listed: Any = [{"id": "a", "name": "acme"}]
    organizations = OrganizationNames(listed)
    names = [organizations.name(identity) for identity in ("a", "b", "")]
    assert names == ["acme", "b", "across organizations"]


def test_a_view_is_escaped() -> None:
    """Every text of a finding is escaped in its view, but for the values of the filter."""
    view = view_finding(HOSTILE_FINDING, OrganizationNames([]), labels_of(HOSTILE_FINDING))
    assert (view.title, view.message, view.action, view.path, view.cause) == (
        "&lt;o&gt; / &lt;r&gt; / Serverless on AWS",
        "No key: &lt;b&gt;",
        "Register &lt;it&gt;",
        "&lt;o&gt;/serverless/aws/&lt;r&gt;",
        "&lt;c&gt;",
    )
    assert [item.place for item in view.evidence] == ["<code>&lt;f&gt;:1</code>"]
    assert view.values == SubjectValues("<o>", "serverless", "aws", "<r>", "", "")


def test_values_are_of_one_line_that_can_be_seen() -> None:
    """Characters that cannot be seen are named in the values of the filter, and long ones cut."""
    subject = HOSTILE_SUBJECT | {"organization": "a\u202eb\n", "region": "r" * 400}
    finding = HOSTILE_FINDING | {"subject": subject}
    values = view_finding(finding, OrganizationNames([]), labels_of(finding)).values
    assert values.organization == "a(U+202E)b(U+000A)"
    assert values.region == f"{'r' * 300}… (400 characters)"


def test_a_database_goes_by_its_name() -> None:
    """The subject of a database begins with its name, and is what the finding affects."""
    subject = HOSTILE_SUBJECT | {"kind": "database-region", "database": "db-1"}
    finding = HOSTILE_FINDING | {"subject": subject, "name": "orders"}
    view = view_finding(finding, OrganizationNames([]), labels_of(finding))
    assert view.subject == "orders / &lt;r&gt; / Serverless on AWS"
    assert view.affected == "1 database, existing: <b>orders</b>"
    assert view.values.database == "db-1"


def test_a_subject_without_parts_is_its_organization() -> None:
    """Of a subject that is an organization nothing is named twice."""
    subject = {"kind": "organization", "path": "o", "organization": "o"}
    finding = HOSTILE_FINDING | {"subject": subject}
    view = view_finding(finding, OrganizationNames([]), labels_of(finding))
    assert (view.title, view.subject, view.age) == ("o", "", None)


def test_evidence_beyond_the_first_places_is_counted() -> None:
    """Ten places are listed, and the others are counted."""
    finding = HOSTILE_FINDING | {"evidence": [["f", line] for line in range(12)]}
    view = view_finding(finding, OrganizationNames([]), labels_of(finding))
    assert (len(view.evidence), view.evidence_left) == (10, 2)


def test_age() -> None:
    """A finding of the first audit in a row says what it is; an older one since when it is open."""
    finding = HOSTILE_FINDING | {"change": "new", "since": "2026-11-20T02:00:00Z", "audits": 1}
    new = view_finding(finding, OrganizationNames([]), labels_of(finding)).age
    assert new is not None
    assert (new.words, new.sentence) == ("new", "2026-11-20 02:00:00, open in 1 audit in a row")
    old = FindingAge("unchanged", "2026-11-20T02:00:00Z", 1_200)
    assert old.words == "2026-11-20"
    assert old.sentence == "2026-11-20 02:00:00, open in 1,200 audits in a row"
