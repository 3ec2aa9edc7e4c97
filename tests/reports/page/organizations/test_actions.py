"""The actions of one organization, added up from the lines of its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inventory.errors import RecordError
from reports.page.organizations.actions import actions_of
from reports.page.organizations.lines import OrganizationLines, part
from tests.reports.samples import VIOLATIONS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


def _names(report: Report) -> dict[str, str]:
    return {row["id"]: row["name"] for row in report.head["population"]["organizations"]}


def _parts(report: Report) -> Iterator[OrganizationLines]:
    return part(report.lines, report.population, _names(report))


def test_actions_are_those_of_the_head(violations: Report) -> None:
    """The lines of an organization give the actions that the head lists of it, in its order."""
    names = _names(violations)
    own = [action for lines in _parts(violations) for action in actions_of(lines, names[lines[0]])]
    of_head = [action for action in violations.head["actions"] if action["organization"]]
    assert sorted(own, key=lambda action: action["id"]) == sorted(
        of_head, key=lambda action: action["id"]
    )
    for lines in _parts(violations):
        expected = [row for row in of_head if row["organization"] == lines.organization]
        assert actions_of(lines, names[lines.organization]) == expected


def test_what_is_no_finding_is_refused() -> None:
    """A line that no audit writes is an error, as it would hide what to do."""
    lines = OrganizationLines("a", [b'{"status":"fail","rule":"R","id":"1","severity":"high"}'], [])
    with pytest.raises(RecordError, match=r"findings\.ndjson: no finding"):
        actions_of(lines, "a")
