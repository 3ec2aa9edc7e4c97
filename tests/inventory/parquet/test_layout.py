"""The layout of an inventory in Parquet, and the lines that its rows make."""

from __future__ import annotations

import json

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.database import Database, DatabaseRegion
from inventory.parquet.layout import COLUMNS, FIELDS, REGION_FIELDS, line_expression
from tests.hypothesis_profile import examples

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


def line(**row: object) -> str:
    """Return the line that a row makes."""
    columns = ", ".join(f"CAST(? AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    with duckdb.connect() as connection:
        values = [row.get(name) for name in COLUMNS]
        made = connection.execute(f"SELECT {line_expression()} FROM (SELECT {columns})", values)
        (text,) = made.fetchone() or ("",)
        return str(text)


def test_plain_fields_of_databases_have_columns() -> None:
    """What most databases and regions state is in columns, and the rest among the details."""
    assert set(Database.model_fields) - {"regions"} - set(FIELDS) == {
        "reason",
        "application_encryption",
    }
    assert set(DatabaseRegion.model_fields) - set(REGION_FIELDS) == {"reason", "portal"}


def test_a_row_is_a_line() -> None:
    """Times are text in UTC, details are fields like others, and a null is no field."""
    row = {
        "kind": "database",
        "id": "d",
        "created_at": "2026-06-01T02:00:00+02:00",
        "regions": [
            {"name": "r", "added_at": "2026-06-01T00:00:00.5Z", "details": '{"reason":"x"}'}
        ],
        "details": '{"reason": "y", "data": null}',
    }
    assert line(**row) == (
        '{"kind":"database","id":"d","created_at":"2026-06-01T00:00:00Z",'
        '"regions":[{"name":"r","added_at":"2026-06-01T00:00:00.500000Z","reason":"x"}],'
        '"reason": "y", "data": null}'
    )
    assert line() == '{"kind":null}'
    assert line(kind="key", details="{}") == '{"kind":"key"}'


@examples(60)
@given(name=TEXTS, region=TEXTS, details=TEXTS)
def test_any_text(name: str, region: str, details: str) -> None:
    """Whatever texts a row holds, its line holds them as values and nothing else."""
    text = line(kind="x", name=name, regions=[{"name": region}], details=json.dumps([details]))
    assert json.loads(text) == {
        "kind": "x",
        "name": name,
        "regions": [{"name": region}],
        "details": json.dumps([details]),
    }
    assert "\n" not in text
