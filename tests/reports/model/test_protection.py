"""The numbers of databases by how they are protected."""

from __future__ import annotations

from reports.model.protection import Protection
from tests.reports.everything import schema


def test_the_numbers_are_those_of_the_schema() -> None:
    """A trend is described with every number that an audit counts, in the same order."""
    described = schema("audit")["properties"]["trend"]["items"]["properties"]["protection"]
    assert described["oneOf"][1]["required"] == list(Protection.__annotations__)
