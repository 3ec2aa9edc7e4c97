"""A request to a cloud's key management, and what sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from inventory.evidence.exchange import Exchange
    from inventory.model.vocabulary import Provider


class CloudRequest(NamedTuple):
    """One call that only reads.

    Attributes:
        cloud: the cloud.
        host: the host that is asked.
        operation: what is asked: an operation of AWS, a path of Google Cloud or Azure without the
            slash at its beginning.
        parameters: the parameters, in the order in which they are written.
        account: the account of AWS in which the key is; its credentials are used.
        about: the key that the request is made for, where those for several keys are the same. It
            is recorded as a fragment, which is never sent.
    """

    cloud: Provider
    host: str
    operation: str
    parameters: tuple[tuple[str, str], ...] = ()
    account: str = ""
    about: str = ""

    @property
    def address(self) -> str:
        """Return the address under which the request is recorded."""
        # Names are data: quoted, they can neither end the path nor, by their dots, climb it.
        segments = (quote(part, safe=":").replace("..", "%2E%2E") for part in self._segments())
        query = f"?{urlencode(self.parameters)}" if self.parameters else ""
        # A replay knows by it which of the keys, read at the same time, an answer was given to.
        fragment = f"#{quote(self.about, safe=':/')}" if self.about else ""
        return f"/{'/'.join(segments)}{query}{fragment}"

    def _segments(self) -> tuple[str, ...]:
        return (self.cloud, self.host, *self.operation.split("/"))


class CloudTransport(Protocol):
    """Sends requests to one cloud, or replays them."""

    def send(self, request: CloudRequest) -> Exchange:
        """Return the exchange that answers ``request``; an earlier one may have been a challenge.

        Whatever goes wrong, on this machine or elsewhere, is an exchange with a failure.
        """

    def give_up(self, request: CloudRequest) -> Exchange:
        """Return the exchange of a request for which no time is left: it is not sent."""
