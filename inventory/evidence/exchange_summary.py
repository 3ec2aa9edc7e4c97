"""What is kept of an exchange once it is written."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from inventory.evidence.exchange import Exchange


class ExchangeSummary(NamedTuple):
    """What is kept of an exchange that is written.

    Attributes:
        path: its file inside the bundle.
        address: what was asked.
        outcome: the status, or the reason code of the failure.
        ended: when it was over.
        clock: by how many seconds Astra's clock was ahead; None if it did not say.
        sha256: the hash of its file.
        redactions: how many fields were redacted.
        is_failure: whether there was no answer, or one of status 400 or more.
    """

    path: str
    address: str
    outcome: str
    ended: datetime
    clock: float | None
    sha256: str
    redactions: int
    is_failure: bool


def summarize_exchange(exchange: Exchange, sha256: str) -> ExchangeSummary:
    """Return what is kept of ``exchange``, whose file has the hash ``sha256``."""
    return ExchangeSummary(
        exchange.path,
        exchange.address,
        exchange.outcome,
        exchange.ended,
        exchange.clock_difference(),
        sha256,
        sum(exchange.redactions.values()),
        exchange.status is None or exchange.status >= _FAILED,
    )


_FAILED = 400


def by_number(path: str) -> tuple[int, str]:
    """Return what sorts the files of an organization by their numbers, however many there are."""
    return len(path), path
