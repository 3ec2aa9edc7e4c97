"""Passes that differ in their database only."""

from __future__ import annotations

import pickle

from checks.engine.finding import Finding, Subject
from checks.engine.pass_series import PassSeries, one_by_one
from tests.checks.judging import a_finding

SCOPE = ("acme.eu", "serverless", "aws", "us-east-1")
PATTERN = Finding(
    "pass",
    "CMEK-05",
    "high",
    Subject("database-region", "", *SCOPE),
    "",
    "",
    databases=1,
    existing=1,
    evidence=(("acme.ndjson", 2),),
    rests_on="order",
)
SERIES = PassSeries(
    pattern=PATTERN,
    before="Deployed ",
    after=".",
    ids=["d-1", "d.2"],
    names=["orders", ""],
    locations=[("acme.ndjson", 3), ("acme.ndjson", 4)],
    times=["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
)


def one(identity: str, path: str, name: str, line: int, day: str) -> Finding:
    return PATTERN._replace(
        subject=Subject("database-region", path, *SCOPE, identity),
        message=f"Deployed 2026-01-{day}T00:00:00Z.",
        name=name,
        evidence=(("acme.ndjson", line), ("acme.ndjson", 2)),
    )


PASSES = [
    one("d-1", "acme.2eeu/database/d-1/us-east-1", "orders", 3, "01"),
    one("d.2", "acme.2eeu/database/d.2e2/us-east-1", "", 4, "02"),
]


def test_a_series_gives_each_of_its_passes() -> None:
    """A pass of a series has its own database, time and location, and all that is shared."""
    assert list(SERIES.findings()) == PASSES


def test_findings_and_series_come_one_by_one_in_their_order() -> None:
    """The passes of a series take its place among single findings."""
    first, last = a_finding("fail"), a_finding("inconclusive")
    assert list(one_by_one([first, SERIES, last])) == [first, *PASSES, last]


def test_a_series_can_be_sent_to_another_process() -> None:
    """A series is plain data."""
    assert pickle.loads(pickle.dumps(SERIES)) == SERIES
