"""The list of earlier audits in the head."""

from __future__ import annotations

from reports.model.protection import Protection
from reports.model.trend import MOST_EARLIER
from tests.reports.everything import schema


def test_a_record_lists_as_many_as_the_schema_allows() -> None:
    """With the audit of the record itself the page has a year of months."""
    assert schema("audit")["properties"]["trend"]["maxItems"] == MOST_EARLIER == 12 - 1


def test_the_numbers_of_an_entry_are_those_of_a_head() -> None:
    """A trend is described with every number of databases that an audit counts."""
    entry = schema("audit")["properties"]["trend"]["items"]["properties"]["protection"]
    assert entry["oneOf"][1]["required"] == list(Protection.__annotations__)
