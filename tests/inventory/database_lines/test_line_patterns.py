"""Patterns of the lines of databases, learned from lines."""

from __future__ import annotations

import json

import pytest

from inventory.database_lines.line_patterns import learn_pattern
from tests.builders import database_data


def line(**over: object) -> str:
    """Return the line of a database."""
    text = json.dumps({"kind": "database"} | database_data(**over), separators=(",", ":"))
    return f"{text}\n"


def test_a_pattern_matches_lines_of_the_same_fields() -> None:
    """The pattern of a line matches a line with other values, and none with other fields."""
    pattern = learn_pattern(line())
    assert pattern is not None
    assert pattern.expression.fullmatch(line(id="other", name="a b", provider="gcp"))
    assert not pattern.expression.fullmatch(line(status="ACTIVE"))
    assert not pattern.expression.fullmatch(line(regions=["us-east-1", "us-east-2"]))


def test_a_pattern_shows_where_the_values_are() -> None:
    """Identity, words and times are found by their positions, whatever the order of the fields."""
    text = line(status="ACTIVE", regions=["us-east-1", {"name": "r2", "provider": "gcp"}])
    pattern = learn_pattern(text)
    assert pattern is not None
    match = pattern.expression.fullmatch(text)
    assert match is not None
    row, data = match.groups(), database_data()
    assert [row[at] for at in pattern.own] == [data["id"], data["name"], data["created_at"], None]
    assert pattern.words(row) == (
        *("serverless", None, "aws", "ACTIVE"),
        *("us-east-1", None, "r2", "gcp"),
    )
    assert [row[at] for at in pattern.added] == ["2026-06-01T00:00:00Z", None]
    assert pattern.stated.database == {*data, "status"}
    assert pattern.stated.regions == ({"name", "added_at"}, {"name", "provider"})


@pytest.mark.parametrize(
    "text",
    [
        line(encryption="customer-managed"),
        line(regions=[{"name": "r", "encryption": "customer-managed"}]),
        line(regions=[f"r{number}" for number in range(17)]),
        line(tier=None),
        line(name="K\u00fcche"),
        line(name=" blank first"),
        line(created_at="2026-06-01T00:00:00+01:00"),
        line(id="i" * 2049),
        line().replace(":", ": "),
        line().strip(),
        line().replace('"id":"', '"no":"', 1),
    ],
)
def test_lines_that_are_not_plain_have_no_pattern(text: str) -> None:
    """A line with other fields, odd characters, white space or an empty value is not learned."""
    assert learn_pattern(text) is None
