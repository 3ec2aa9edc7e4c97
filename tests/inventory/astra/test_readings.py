"""How an organization was read is reported: the requests, their outcomes, their entries."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from inventory.astra.parsing import FetchedOrganization, ParsedList
from inventory.astra.readings import MAX_CLOCK_DIFFERENCE, with_readings
from inventory.evidence.exchange_summary import ExchangeSummary
from inventory.model.gaps import Gap, Reading
from tests.builders import a_key, an_organization, moment

OWN = "/v2/currentOrg"


PLACE = "/provider/aws/region/us-east-1"
PAGE = "/v2/databases?include=nonterminated&provider=ALL&limit=100"


def summary(number: int, address: str = OWN, **over: object) -> ExchangeSummary:
    fields: dict[str, Any] = {
        "path": "exchanges/0001.ndjson.gz",
        "line": number,
        "address": address,
        "outcome": "200",
        "ended": moment(f"2026-11-20T02:00:{number % 60:02}Z"),
        "clock": 0.0,
        "sha256": f"{number:064x}",
        "redactions": 0,
        "is_failure": False,
    }
    return ExchangeSummary(**fields | over)


def fetched(**parsed: ParsedList) -> FetchedOrganization:
    facts: Any = {name.replace("_", "-"): value for name, value in parsed.items()}
    return FetchedOrganization(an_organization(captured_at=None), facts)


def test_readings() -> None:
    """A reading gives the number of requests of one kind, their outcomes and their entries."""
    summaries = [
        summary(4, PAGE),
        summary(2, "/v2/kms", outcome="503"),
        summary(3, "/v2/kms"),
        summary(1),
        summary(5, f"{PAGE}&starting_after=a", outcome="timed-out"),
        summary(6, f"/v2/kms{PLACE}"),
    ]
    gap = Gap(fact="databases", reason="timed-out")
    read = fetched(
        serverless_keys=ParsedList([a_key()], [], "a note"),
        databases=ParsedList([a_key()], [gap], "cut"),
    )

    def sha256(*numbers: int) -> str:
        return hashlib.sha256("".join(f"{number:064x}" for number in numbers).encode()).hexdigest()

    assert with_readings(read, summaries).readings == (
        Reading(fact="identity", address=OWN, requests=1, answers={"200": 1}, sha256=sha256(1)),
        Reading(
            fact="databases",
            address=f"{PAGE.replace('100', '{limit}')}&starting_after={{id}}",
            requests=2,
            answers={"200": 1, "timed-out": 1},
            sha256=sha256(4, 5),
            note="cut",
        ),
        Reading(
            fact="serverless-keys",
            address="/v2/kms",
            requests=2,
            answers={"200": 1, "503": 1},
            entries=1,
            sha256=sha256(2, 3),
            note="a note",
        ),
        Reading(
            fact="region-views",
            address="/v2/kms[/classic]/provider/{provider}/region/{region}",
            requests=1,
            answers={"200": 1},
            sha256=sha256(6),
        ),
    )


def test_order_of_many_files() -> None:
    """Hashes are taken in the order of the files' numbers, however many files there are."""
    summaries = [summary(10_000), summary(9_999)]
    ((reading),) = with_readings(fetched(), summaries).readings
    whole = f"{9_999:064x}{10_000:064x}"
    assert reading.sha256 == hashlib.sha256(whole.encode()).hexdigest()


def test_time_of_the_record() -> None:
    """The record is of the time at which its last answer was there."""
    organization = with_readings(fetched(), [summary(1), summary(59), summary(2)])
    assert organization.captured_at == moment("2026-11-20T02:00:59Z")


def test_nothing_was_asked() -> None:
    """If nothing was asked, there is neither a time nor a reading."""
    read = fetched()
    assert with_readings(read, []) == read.organization


@pytest.mark.parametrize(
    ("clocks", "detail"),
    [
        ([None, None], None),
        ([0.0, MAX_CLOCK_DIFFERENCE], None),
        ([-MAX_CLOCK_DIFFERENCE, None], None),
        ([MAX_CLOCK_DIFFERENCE + 1, 0.0], "Astra's clock is 301 s ahead of this machine's"),
        ([1.0, -3600.2, 400.0], "Astra's clock is 3,600 s behind this machine's"),
    ],
)
def test_clocks_that_differ(clocks: list[float | None], detail: str | None) -> None:
    """If clocks differ by more than five minutes, that is a gap, as times cannot be compared."""
    summaries = [summary(number, clock=clock) for number, clock in enumerate(clocks, 1)]
    own = Gap(fact="region-views", reason="refused")
    organization = an_organization(gaps=[own])
    gap = Gap(fact="databases", reason="clock-differs", detail=detail or "")
    expected = (own, gap) if detail else (own,)
    assert with_readings(FetchedOrganization(organization, {}), summaries).gaps == expected
