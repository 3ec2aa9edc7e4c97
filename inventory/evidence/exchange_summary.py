"""A summary of an exchange: what stays in memory once it is written."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, get_args

from inventory.evidence.exchange import Exchange
from inventory.model.vocabulary import Provider

_FAILED = 400


class ExchangeSummary(NamedTuple):
    """An exchange without its body.

    Attributes:
        path: the file inside the bundle that holds it.
        address: the path and parameters of the request.
        outcome: the status, or the reason code of the failure.
        ended: when it ended.
        clock: by how many seconds Astra's clock was ahead; None if it is unknown, and of a request
            to a cloud.
        sha256: the hash of its line, or of its file in version 1.
        redactions: how many fields were redacted.
        is_failure: whether there was no answer, or one with a status of 400 or more.
        line: its line in the file; 0 in version 1.
    """

    path: str
    address: str
    outcome: str
    ended: datetime
    clock: float | None
    sha256: str
    redactions: int
    is_failure: bool
    line: int = 0

    @property
    def cloud(self) -> Provider | None:
        """Return the cloud that was asked; None if it was Astra."""
        return cloud_of(self.address)


def cloud_of(address: str) -> Provider | None:
    """Return the cloud to which a recorded request went; None if it went to Astra."""
    first = address[1:].partition("/")[0]
    return next((cloud for cloud in get_args(Provider) if cloud == first), None)


def summarize_exchange(exchange: Exchange, sha256: str) -> ExchangeSummary:
    """Summarize ``exchange``, whose line or file has the hash ``sha256``."""
    return ExchangeSummary(
        path=exchange.path,
        address=exchange.address,
        outcome=exchange.outcome,
        ended=exchange.ended,
        clock=None if cloud_of(exchange.address) else exchange.clock_difference(),
        sha256=sha256,
        redactions=sum(exchange.redactions.values()),
        is_failure=exchange.status is None or exchange.status >= _FAILED,
        line=exchange.line,
    )


def recorded_order(exchange: Exchange | ExchangeSummary) -> tuple[int, str, int]:
    """Return a sort key: the exchanges of an organization in the order of their files and lines.

    The names of files have at least four digits, and more from the ten-thousandth on.
    """
    return len(exchange.path), exchange.path, exchange.line
