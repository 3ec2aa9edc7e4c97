"""The list of earlier audits in the head."""

from __future__ import annotations

from reports.model.trend import MOST_EARLIER
from tests.reports.everything import schema


def test_a_record_lists_as_many_as_the_schema_allows() -> None:
    """With the audit of the record itself the page has a year of months."""
    assert schema("audit")["properties"]["trend"]["maxItems"] == MOST_EARLIER == 12 - 1
