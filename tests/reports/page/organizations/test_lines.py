"""The lines of findings and population, parted by organization."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.organizations.lines import OrganizationLines, organization_of, part


def _finding(organization: str, number: int = 0) -> bytes:
    subject = {"kind": "organization", "path": "p", "organization": organization}
    line = {"status": "fail", "subject": subject, "message": f'"{number}'}
    return json.dumps(line, separators=(",", ":")).encode()


def _owner(organization: str) -> bytes:
    line = {"kind": "organization", "path": "p", "id": organization}
    return json.dumps(line, separators=(",", ":")).encode()


def _key(organization: str) -> bytes:
    return json.dumps({"kind": "key", "path": "p", "organization": organization}).encode()


def _parted(
    findings: list[bytes], population: list[bytes], *organizations: str
) -> list[OrganizationLines]:
    return list(part(findings, population, organizations))


def test_lines_are_parted_by_organization() -> None:
    """Each organization of the population gets its own lines, and one without findings none."""
    findings = [_finding("a", 1), _finding("a", 2), _finding("c")]
    population = [_owner("a"), _key("a"), _owner("b"), _owner("c")]
    assert _parted(findings, population, "a", "b", "c") == [
        OrganizationLines("a", findings[:2], population[:2]),
        OrganizationLines("b", [], population[2:3]),
        OrganizationLines("c", findings[2:], population[3:]),
    ]


def test_findings_across_organizations_come_to_their_own() -> None:
    """What is found last about one organization is among its lines; about several, it is not."""
    findings = [_finding("a"), _finding("b"), _finding(""), _finding("a", 1), _finding("gone")]
    population = [_owner("a"), _owner("b")]
    assert _parted(findings, population, "a", "b") == [
        OrganizationLines("a", [findings[0], findings[3]], population[:1]),
        OrganizationLines("b", findings[1:2], population[1:]),
    ]


def test_another_order_is_refused() -> None:
    """Findings that are not in the order of the population are refused, rather than left out."""
    with pytest.raises(ValueError, match="'a' are not in the order of the population"):
        _parted([_finding("b"), _finding("a")], [_owner("a"), _owner("b")], "a", "b")


@given(st.text())
def test_the_organization_of_a_line(organization: str) -> None:
    """The organization of a finding is read from its line, whatever it is called."""
    assert organization_of(_finding(organization)) == organization


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 3)), unique_by=lambda row: row[0])
)
def test_nothing_is_lost(rows: list[tuple[str, int]]) -> None:
    """Every line of an organization of the population is in its part, in its order."""
    findings = [_finding(name, number) for name, count in rows for number in range(count)]
    population = [line for name, _ in rows for line in (_owner(name), _key(name))]
    parts = _parted(findings, population, *(name for name, _ in rows))
    assert [part.organization for part in parts] == [name for name, _ in rows]
    assert [line for part in parts for line in part.findings] == findings
    assert [line for part in parts for line in part.population] == population
