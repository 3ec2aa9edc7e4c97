"""The lines of the population by organization, with what could not be read of each."""

from __future__ import annotations

import json
from typing import Any

from reports.record.layout import KEY_LINE
from reports.tables.population_rows import OrganizationFacts, entries, gap_text, not_known

GAP: Any = {"fact": "databases", "reason": "refused", "detail": "status 403"}
HEAD: Any = {"population": {"organizations": [{"id": "b", "gaps": [GAP]}]}}


def _line(**fields: object) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def test_lines_follow_their_organization() -> None:
    """Each organization comes first, and only the lines that are asked for follow it."""
    population = [
        _line(kind="organization", id="a", name="A"),
        _line(kind="key", path="a/key"),
        b'{"kind":"database",broken',
        _line(kind="organization", id="b", name="B"),
        _line(kind="key", path="b/key"),
    ]
    one, two = OrganizationFacts("a", "A", ()), OrganizationFacts("b", "B", (GAP,))
    assert list(entries(HEAD, population, KEY_LINE)) == [
        (one, None),
        (one, {"kind": "key", "path": "a/key"}),
        (two, None),
        (two, {"kind": "key", "path": "b/key"}),
    ]


def test_a_gap_says_what_and_why() -> None:
    """A list that could not be read is named with the reason, and with what was observed."""
    assert gap_text(GAP) == "databases: refused (status 403)"
    assert gap_text(GAP | {"detail": ""}) == "databases: refused"


def test_what_is_not_known_is_listed() -> None:
    """Several reasons are one text; none is no value."""
    assert not_known("a", None, "", "b") == "a; b"
    assert not_known(None, "") is None
