"""The layout of an inventory in Parquet: one table of entries, in files, with a head beside them.

A row is what a line is in NDJSON: an organization's own row, then those of its entries.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from inventory.model.base import Count, Entry, FormatVersion, Moment

HEAD = "cmek-inventory.json"
ENDING = ".parquet"

_TEXT = "VARCHAR"
_TIME = "TIMESTAMP WITH TIME ZONE"
_REGION = {
    "name": _TEXT,
    "added_at": _TIME,
    "provider": _TEXT,
    "state": _TEXT,
    "encryption": _TEXT,
    "details": _TEXT,
}
_STRUCT = ", ".join(f'"{name}" {kind}' for name, kind in _REGION.items())

COLUMNS = {
    "position": "BIGINT",
    "organization": _TEXT,
    "kind": _TEXT,
    **dict.fromkeys(("id", "name", "type", "tier", "provider"), _TEXT),
    **dict.fromkeys(("region", "key_id", "account", "state", "status"), _TEXT),
    "created_at": _TIME,
    **dict.fromkeys(("encryption", "data", "seen"), _TEXT),
    "regions": f"STRUCT({_STRUCT})[]",
    "details": _TEXT,
}
"""Each column with its type."""

FIELDS = tuple(COLUMNS)[3:-2]
"""The columns of single values, by the names that they have in NDJSON."""

REGION_FIELDS = tuple(_REGION)[:-1]
"""The same of a region."""


class ParquetFile(Entry):
    """One of the files: its name, hash, and how many rows and organizations it holds."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,99}\.parquet$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    rows: Count
    organizations: Count


class ParquetHead(Entry):
    """The head: what all files together hold, in the order of their rows.

    Attributes:
        format: the version of the format, 1.
        table: that the entries are in Parquet.
        captured_at: when its content was true.
        example: True for a bundled example.
        clouds_only: True if it holds only what the clouds show of keys.
        description: for people.
        organizations: how many there are; the same of keys, databases and region views.
        files: the files.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-inventory")]
    table: Literal["parquet"]
    captured_at: Moment | None = None
    example: StrictBool = False
    clouds_only: StrictBool = False
    description: str | None = None
    organizations: Count
    keys: Count
    databases: Count
    region_views: Count
    files: Annotated[tuple[ParquetFile, ...], Field(min_length=1)]


def line_expression() -> str:
    """Return the SQL expression that makes of a row its line in NDJSON."""
    regions = f"array_to_string(list_transform(regions, lambda r: {_region_expression()}), ',')"
    parts = [
        """'{"kind":' || coalesce(to_json(kind), 'null')""",
        *(_field(name, COLUMNS[name], name) for name in FIELDS),
        f"""coalesce(',"regions":[' || {regions} || ']', '')""",
        _details("details"),
        "'}'",
    ]
    return " || ".join(parts)


def _region_expression() -> str:
    fields = [_field(name, _REGION[name], f"r.{name}") for name in REGION_FIELDS]
    # The comma before the first field is cut off.
    inner = " || ".join([*fields, _details("r.details")])
    return f"'{{' || substr({inner}, 2) || '}}'"


def _field(name: str, kind: str, column: str) -> str:
    value = f"to_json({column})" if kind == _TEXT else _time_expression(column)
    return f"""if({column} IS NULL, '', ',"{name}":' || {value})"""


def _time_expression(column: str) -> str:
    """Return a time as text in UTC, with a fraction only if there is one.

    An infinite time has no such text. What it gets instead is refused by the reader.
    """
    utc = f"make_timestamp(epoch_us({column}))"
    fraction = f"if(epoch_us({column}) % 1000000 = 0, '', strftime({utc}, '.%f'))"
    text = f"strftime({utc}, '%Y-%m-%dT%H:%M:%S') || {fraction} || 'Z'"
    return f"""coalesce('"' || {text} || '"', '"infinity"')"""


def _details(column: str) -> str:
    """Return the other fields, which are a JSON object in one line; anything else is kept as text.

    Text in their place is an unknown field, which the reader reports.
    """
    is_object = (
        f"json_valid({column}) AND starts_with({column}, '{{') AND ends_with({column}, '}}') "
        f"AND NOT contains({column}, chr(10))"
    )
    inner = f"',' || substr({column}, 2, length({column}) - 2)"
    text = f"""',"details":' || to_json({column})"""
    return (
        f"(CASE WHEN {column} IS NULL OR {column} = '{{}}' THEN '' "
        f"WHEN {is_object} THEN {inner} ELSE {text} END)"
    )
