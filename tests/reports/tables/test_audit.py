"""The table of the audit: what limits it, its verdict, its numbers, and every rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from reports.presentation.banners import banners
from reports.presentation.protection_text import answer
from reports.tables.audit import AUDIT
from tests.builders import an_organization
from tests.reports.recording import RULES, record
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit
from tests.reports.tables.reading import rows_of


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _section(head: object, section: str) -> dict[str, Any]:
    """Return the values of a section by their names."""
    return {
        row["name"]: row.get("value") for row in rows_of(AUDIT, head) if row["section"] == section
    }


def test_the_verdict_comes_with_its_report(violations: Report) -> None:
    """The table says what the audit found, in words, and which report it is of."""
    head = violations.head
    assert _section(head, "verdict") == {
        "outcome": head["verdict"]["outcome"],
        "answer": answer(head),
        "exit code": head["verdict"]["exit_code"],
        "report": head["report"],
    }
    [outcome] = [row for row in rows_of(AUDIT, head) if row["name"] == "outcome"]
    assert outcome["note"] == head["verdict"]["text"]
    assert _section(head, "settings")["as of"] == head["settings"]["as_of"]


def test_warnings_come_first(tmp_path: Path) -> None:
    """What limits the audit as evidence is at the top, in the words of every report."""
    report = audit(tmp_path, VIOLATIONS, only="CMEK-07")
    first = rows_of(AUDIT, report.head)[0]
    assert banners(report.head)
    assert (first["section"], first["value"]) == ("warning", banners(report.head)[0])


def test_every_status_and_severity_is_counted(violations: Report) -> None:
    """Each status and each severity has its number, also if that is 0."""
    head = violations.head
    assert _section(head, "findings") == {status: head["counts"][status] for status in STATUSES}
    expected = {severity: head["open"][severity] for severity in SEVERITIES}
    assert _section(head, "open findings") == expected
    protection = {name.replace("_", " "): count for name, count in head["protection"].items()}
    assert _section(head, "protection") == protection


def test_every_rule_is_listed(tmp_path: Path) -> None:
    """A rule without any subject is listed, and says so."""
    made = record(tmp_path)
    rules = [row for row in rows_of(AUDIT, made.head) if row["section"] == "rules"]
    assert [(row["name"], row["value"], row["note"]) for row in rules] == [
        (rule.card.id, 0, f"{rule.card.title}; no subject") for rule in RULES
    ]


def test_a_rule_counts_its_findings(violations: Report) -> None:
    """The numbers of the rules add up to that of the findings."""
    rules = _section(violations.head, "rules")
    assert sum(rules.values()) == violations.head["findings"]["count"]


def test_every_waiver_is_listed(violations: Report) -> None:
    """Each waiver has its state, also if it covers nothing."""
    expected = {waiver["id"]: waiver["state"] for waiver in violations.head["waivers"]}
    assert _section(violations.head, "waivers") == expected
    assert expected


def test_every_source_is_listed(violations: Report) -> None:
    """Each file that was read has its hash."""
    sources = violations.head["population"]["sources"]
    expected = {source["path"]: f"sha256:{source['sha256']}" for source in sources}
    assert _section(violations.head, "sources") == expected


def test_a_source_that_is_not_complete_says_so(violations: Report) -> None:
    """A source without a time, or one that was cut short, is shown as such."""
    [source, *_] = violations.head["population"]["sources"]
    odd = source | {"captured_at": None, "complete": False}
    population = violations.head["population"] | {"sources": [odd]}
    [row] = [
        row
        for row in rows_of(AUDIT, violations.head | {"population": population})
        if row["section"] == "sources"
    ]
    assert row["note"].endswith("recorded at an unknown time; not complete")


def test_numbers_of_what_was_not_read_are_marked(tmp_path: Path) -> None:
    """If an organization was not read in full, the numbers do not read as all there is."""
    made = record(tmp_path, organizations=[an_organization(databases=None)])
    [row] = [
        row for row in rows_of(AUDIT, made.head) if row["name"].startswith("organizations not")
    ]
    assert row["value"] == 1
    assert row["note"] == "there may be more keys and databases than those above"


def test_a_record_without_protection_has_none(violations: Report) -> None:
    """A record of an earlier version does not say how many databases are protected."""
    head = {name: block for name, block in violations.head.items() if name != "protection"}
    assert _section(head, "protection") == {}


@pytest.mark.parametrize(("allows", "word"), [(True, "yes"), (False, "no")])
def test_an_audit_that_allows_inconclusive_findings_says_so(
    violations: Report,
    allows: bool,  # noqa: FBT001 (a parameter)
    word: str,
) -> None:
    """The gate is part of what the table says."""
    settings = violations.head["settings"] | {"allow_inconclusive": allows}
    shown = _section(violations.head | {"settings": settings}, "settings")
    assert shown["inconclusive findings are allowed"] == word
