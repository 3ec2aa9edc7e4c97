"""A summary keeps of an exchange what its organization is judged and counted by."""

from __future__ import annotations

import pytest

from inventory.evidence.exchange import TOO_LATE
from inventory.evidence.exchange_summary import cloud_of, recorded_order, summarize_exchange
from tests.inventory.live import (
    ENDED,
    an_exchange,
)


@pytest.mark.parametrize(
    ("over", "outcome", "failed"),
    [
        ({}, "200", False),
        ({"status": 302}, "302", False),
        ({"status": 400}, "400", True),
        ({"status": 503}, "503", True),
        ({"status": None, "failure": TOO_LATE}, "timed-out", True),
    ],
)
def test_what_is_kept_of_an_exchange(over: dict[str, object], outcome: str, failed: bool) -> None:  # noqa: FBT001
    """A summary has the outcome of an exchange, its clock, its hash, and counts redactions."""
    headers = {"date": "Fri, 20 Nov 2026 02:00:10 GMT"}
    exchange = an_exchange([], headers=headers, redactions={"user": 2, "token": 1}, **over)
    summary = summarize_exchange(exchange, "0" * 64)
    assert summary._asdict() == {
        "path": exchange.path,
        "address": "/v2/kms",
        "outcome": outcome,
        "ended": ENDED,
        "clock": 9.2,
        "sha256": "0" * 64,
        "redactions": 3,
        "is_failure": failed,
        "line": 1,
    }


def test_exchanges_sort_by_their_numbers() -> None:
    """Exchanges are in the order of their files or lines, however many there are."""
    numbers = (1, 2, 9_999, 10_000, 123_456)
    files = [an_exchange(path=f"exchanges/0001/{number:04}.json", line=0) for number in numbers]
    for ordered in (files, [an_exchange(line=number) for number in numbers]):
        assert sorted([ordered[3], *ordered[:3], ordered[4]], key=recorded_order) == ordered


@pytest.mark.parametrize(
    ("address", "cloud"),
    [
        ("/aws/kms.us-east-1.amazonaws.com/DescribeKey?KeyId=a", "aws"),
        ("/gcp/cloudkms.googleapis.com/v1/projects/a", "gcp"),
        ("/azure/acme.vault.azure.net/keys/a", "azure"),
        ("/v2/kms", None),
        ("/awsome/v2/kms", None),
        ("/", None),
    ],
)
def test_a_cloud_is_known_by_the_address(address: str, cloud: str | None) -> None:
    """A recorded address begins with its cloud; of Astra's none does. Only Astra has a clock."""
    exchange = an_exchange(address=address, headers={"date": "Fri, 20 Nov 2026 03:00:00 GMT"})
    summary = summarize_exchange(exchange, "0" * 64)
    assert (cloud_of(address), summary.cloud) == (cloud, cloud)
    assert (summary.clock is None) is (cloud is not None)
