"""The table of databases: every region of each, and why something is not known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from reports.model.cloud_record import PortalRegionRecord
from reports.model.population_record import DatabaseLine, RegionRecord
from reports.tables.cells import harmless
from reports.tables.databases import DATABASES
from tests.builders import an_organization
from tests.reports.everything import record_of_everything
from tests.reports.recording import record
from tests.reports.samples import VIOLATIONS, audit
from tests.reports.tables.reading import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reports.recording import Record

RENAMED = {"organization": "organization_id", "path": "subject", "missing": "not_known"}
RENAMED_OF_REGION = {"name": "region"}

HEAD: Any = {"population": {"organizations": []}}
OWNER = b'{"kind":"organization","id":"o","name":"acme"}'


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record an audit that fills every field."""
    return record_of_everything(tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("record"))


def _rows(**fields: object) -> list[dict[str, Any]]:
    """Return the rows of a database with these fields."""
    line = {"kind": "database", "state": "existing", "path": "o/database", **fields}
    encoded = json.dumps(line, separators=(",", ":")).encode()
    return rows_of(DATABASES, HEAD, population=[OWNER, encoded])


def test_every_field_has_its_column() -> None:
    """The table has a column for each field of a database, a region, and a look at the portal."""
    own = {RENAMED.get(name, name) for name in get_type_hints(DatabaseLine)} - {"kind", "regions"}
    region = {RENAMED_OF_REGION.get(name, name) for name in get_type_hints(RegionRecord)}
    portal = {f"portal_{name}" for name in get_type_hints(PortalRegionRecord)}
    made = {"organization", "not_known", "database_count"}
    assert set(DATABASES.header) == own | region - {"portal"} | portal | made


def test_every_region_is_a_row(everything: Record) -> None:
    """Each region of each database is a row with the same values, in the same order."""
    population = everything.population.splitlines(keepends=True)
    lines = [line for line in map(json.loads, population) if line["kind"] == "database"]
    rows = [
        row
        for row in rows_of(DATABASES, everything.head, population=population)
        if row["state"] != "not-read"
    ]
    expected = [cells for line in lines for cells in _expected(line)]
    for cells, row in zip(expected, rows, strict=True):
        assert {name: row[name] for name in cells} == cells
    assert len(rows) > len(lines) > 5
    assert sum(row["database_count"] for row in rows) == len(lines)


def _expected(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of a database, for each of its regions."""
    own = {
        RENAMED.get(name, name): harmless(value)
        for name, value in line.items()
        if name not in {"kind", "regions", "missing"} and value != ""
    }
    return [own | _cells_of(region) for region in line.get("regions", [{}])]


def _cells_of(region: dict[str, Any]) -> dict[str, Any]:
    portal = region.get("portal", {})
    own = {name: value for name, value in region.items() if name != "portal"}
    renamed = {RENAMED_OF_REGION.get(name, name): value for name, value in own.items()}
    return renamed | {f"portal_{name}": value for name, value in portal.items()}


def test_a_database_is_counted_once() -> None:
    """The sum of a column is the number of databases, however many regions these have."""
    regions = [{"name": f"r{number}", "state": "existing", "added_at": "t"} for number in range(3)]
    assert [row["database_count"] for row in _rows(regions=regions)] == [1, 0, 0]


def test_a_database_without_a_known_region_has_a_row() -> None:
    """A planned database whose regions the plan does not show is not left out."""
    [row] = _rows(state="planned", name="late", missing="regions known only after apply")
    expected = {
        "organization": "acme",
        "organization_id": "o",
        "name": "late",
        "state": "planned",
        "not_known": "regions known only after apply",
        "database_count": 1,
        "subject": "o/database",
    }
    assert row == expected


@pytest.mark.parametrize(
    ("region", "not_known"),
    [
        ({"state": "existing"}, "added_at: not recorded"),
        ({"state": "existing", "added_at": "2025-01-01"}, None),
        ({"state": "existing", "deployed_at": "2025-01-01"}, None),
        ({"state": "planned"}, None),
        ({"state": "terminated"}, None),
    ],
)
def test_an_existing_region_without_a_time_says_so(
    region: dict[str, str], not_known: str | None
) -> None:
    """If nothing dates a region that exists, the empty cell is explained."""
    [row] = _rows(regions=[{"name": "r", **region}])
    assert row.get("not_known") == not_known


def test_the_rows_add_up_to_the_numbers_of_the_head(tmp_path: Path) -> None:
    """There are as many databases in the table as the head counts."""
    report = audit(tmp_path, VIOLATIONS)
    rows = rows_of(DATABASES, report.head, population=report.population)
    totals = report.head["population"]["totals"]
    counted = sum(totals[name] for name in ("existing", "planned", "terminated"))
    assert sum(row["database_count"] for row in rows) == counted


def test_a_list_that_could_not_be_read_is_a_row(tmp_path: Path) -> None:
    """Databases that nobody could list do not read as no databases: a row says why."""
    made = record(tmp_path, organizations=[an_organization(keys=None, databases=None)])
    [row] = rows_of(DATABASES, made.head, population=made.population.splitlines())
    assert (row["state"], row["not_known"]) == (
        "not-read",
        "databases: not-recorded (the record has no such list)",
    )
    assert row["database_count"] == 0
