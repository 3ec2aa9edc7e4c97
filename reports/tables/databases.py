"""The table of databases: every region of a database is a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from reports.record.layout import DATABASE_LINE
from reports.tables.cells import shown
from reports.tables.columns import MIDDLE, NARROW, WIDE, Column, Table
from reports.tables.population_rows import NOT_READ, entries, gap_text, not_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reports.model.head import Head
    from reports.model.population_record import DatabaseLine, RegionRecord
    from reports.model.population_summary import GapEntry
    from reports.tables.population_rows import OrganizationFacts


_NOTHING: Mapping[str, object] = {}


class DatabaseRow(NamedTuple):
    """A region of a database, or a list of databases that could not be read.

    Attributes:
        organization: its organization.
        line: the database as the population has it; None for a list that could not be read.
        region: the region; None if the database has none, or the plan does not show it.
        number: 1 in the first row of a database, else 0.
        gap: why the list could not be read, or not whole; None for a database.
    """

    organization: OrganizationFacts
    line: DatabaseLine | None
    region: RegionRecord | None
    number: int
    gap: GapEntry | None

    @property
    def fields(self) -> Mapping[str, object]:
        """Return the fields of the database."""
        return self.line or _NOTHING

    @property
    def own(self) -> Mapping[str, object]:
        """Return the fields of the region."""
        return self.region or _NOTHING

    @property
    def portal(self) -> Mapping[str, object]:
        """Return what Astra's portal showed of the region; empty if nobody looked."""
        return cast("Mapping[str, object]", self.own.get("portal", _NOTHING))


def _read(
    head: Head, _lines: Iterable[bytes], population: Iterable[bytes]
) -> Iterator[DatabaseRow]:
    for organization, line in entries(head, population, DATABASE_LINE):
        if line is None:
            for gap in organization.gaps:
                if gap["fact"] == "databases":
                    yield DatabaseRow(organization, line=None, region=None, number=0, gap=gap)
            continue
        for place, region in enumerate(line.get("regions") or [None]):
            yield DatabaseRow(organization, line, region, number=int(place == 0), gap=None)


def _field(name: str, meaning: str, width: int = MIDDLE, title: str = "") -> Column[DatabaseRow]:
    """Return the column of a field of the database, under its name unless ``title`` is given."""
    return Column(title or name, meaning, lambda row: shown(row.fields.get(name)), width)


def _region(name: str, meaning: str, width: int = MIDDLE, title: str = "") -> Column[DatabaseRow]:
    """Return the column of a field of the region; as ``_field``."""
    return Column(title or name, meaning, lambda row: shown(row.own.get(name)), width)


def _portal(name: str, meaning: str) -> Column[DatabaseRow]:
    return Column(f"portal_{name}", meaning, lambda row: shown(row.portal.get(name)), NARROW)


def _state(row: DatabaseRow) -> str:
    if row.line is None:
        return NOT_READ
    return row.region["state"] if row.region else row.line["state"]


def _not_known(row: DatabaseRow) -> str | None:
    if row.line is None:
        return gap_text(row.gap) if row.gap else None
    return not_known(row.line.get("missing"), _time_gap(row))


def _time_gap(row: DatabaseRow) -> str:
    """Say so if nothing dates an existing region."""
    if row.region is None or row.region["state"] != "existing":
        return ""
    is_dated = "added_at" in row.region or "deployed_at" in row.region
    return "" if is_dated else "added_at: not recorded"


DATABASES = Table(
    "databases",
    "Databases",
    "a region of a database, or a list of databases that could not be read "
    f"(`{NOT_READ}`); a database without a known region has one row",
    (
        Column("organization", "the organization’s name", lambda row: row.organization.name),
        Column("organization_id", "the organization’s id", lambda row: row.organization.id),
        _field("name", "the database’s name"),
        _field("id", "its id; a planned database has none"),
        Column(
            "state",
            "of the region: `existing`, `planned`, `terminated`, which is not judged, or "
            f"`{NOT_READ}`: then there may be databases that no row shows",
            _state,
            NARROW,
        ),
        _field("type", "the database type", NARROW),
        _field("provider", "the cloud provider", NARROW),
        _region("name", "the region", title="region"),
        Column(
            "not_known",
            "which facts are not known, and why, as far as the record says",
            _not_known,
            WIDE,
        ),
        _region("encryption", "what is expected there: a customer key, or Astra’s"),
        _region("scope", "the path of the key scope in which its data is", WIDE),
        _region("added_at", "when the region was added to the database (UTC)"),
        _region("deployed_at", "instead, when the database of this one region was created (UTC)"),
        _field("created_at", "when the database was created (UTC)"),
        _portal("key", "which key Astra’s portal showed: `customer` or `astra`"),
        _portal("key_id", "the id of that key"),
        _portal("by", "who looked at the portal"),
        _portal("on", "when"),
        _portal("due", "the last day on which that counts"),
        Column(
            "database_count",
            "1 in the first row of a database, else 0: the sum is the number of databases",
            lambda row: row.number,
            NARROW,
        ),
        _field("path", "the path by which findings name the database", WIDE, title="subject"),
        _field("file", "the file in which it was read"),
        _field("line", "the line there", NARROW),
        _field("address", "the address by which Terraform manages it"),
    ),
    _read,
    frozen=3,
)
