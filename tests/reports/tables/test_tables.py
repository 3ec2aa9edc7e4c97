"""The tables of an audit: which there are, and in which order."""

from __future__ import annotations

from reports.tables.tables import OTHERS, TABLES


def test_the_audit_comes_first() -> None:
    """The table of the audit as a whole is the first that people open."""
    assert [table.name for table in TABLES] == [
        "audit",
        "findings",
        "keys",
        "databases",
        "scopes",
    ]
    assert TABLES[1:] == OTHERS
    assert len({table.title for table in TABLES}) == len(TABLES)
