"""A fleet in which organizations differ in all that a timeline and a list of keys show."""

from __future__ import annotations

from checks.engine.catalogue import rule_of
from tests.reports.samples import VIOLATIONS, database, key, organization

ORDER = rule_of("key-first")
"""The rule about the order of databases and keys."""

_LATE = {"registered": {"at": "2026-10-01T00:00:00Z", "by": "Ada Example", "on": "2026-11-01"}}

FLEET = [
    *VIOLATIONS,
    organization("empty", [], []),
    *(
        organization(
            f"org-{number}",
            [key("us-east-1", number, **(_LATE if number % 3 else {})), key("us-west-2", number)],
            [
                database("one", "us-east-1"),
                database("two", "us-east-1", "us-west-2"),
                *([database("three", "eu-west-1")] if number % 4 == 0 else []),
            ],
        )
        for number in range(30)
    ),
]
"""Organizations with failures, in order, without databases, and with databases without a key."""
