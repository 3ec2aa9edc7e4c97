"""A server on loopback that speaks the vendor's interface, and misbehaves on demand.

As a process of its own it serves a large fleet without faults:
``python -m tests.astra.server --organizations 200 --databases 100 --latency 0.02 --port 0``.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import threading
import time
from bisect import bisect_right
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, get_args
from urllib.parse import parse_qs

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.astra.bodies import OrganizationBodies, account_content
from tests.astra.exchange import (
    FORBIDDEN,
    NO_PAGE,
    TEXT,
    WRONG_TOKEN,
    Answer,
    Channel,
    Exchange,
    Page,
    encoded,
    errors_answer,
    page_answer,
)
from tests.astra.faults import KINDS, PAGES, Fault
from tests.astra.fleet import CMK_READ, DB_VIEW, Fleet, Provider, large_fleet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.astra.exchange import Receive, Send

LOOPBACK = "127.0.0.1"
DEFAULT_LIMIT = 25
LARGEST_LIMIT = 100
_METHOD = Answer(405, b"405 method not allowed", TEXT, (("allow", "GET"),))
_NO_KEY = errors_answer(404, "no customer key for this provider and region", 340004)
_BAD_LIMIT = errors_answer(400, f"limit must be from 1 to {LARGEST_LIMIT}", 340003)
_PATHS = {
    "/v2/currentOrg": "organization",
    "/v2/databases": "databases",
    "/v2/kms": "serverless-keys",
    "/v2/kms/classic": "managed-clusters-keys",
}
_REGION_PATH = re.compile(
    r"/v2/kms(?P<classic>/classic)?/provider/(?P<provider>[^/]+)/region/(?P<region>[^/]+)"
    r"(?P<accounts>/accounts)?"
)


class Request(NamedTuple):
    """A request that was seen.

    Attributes:
        method: its method.
        target: its path, with the query if there is one.
        at: when it came, in seconds of the monotonic clock.
        headers: the names of its headers, in lower case.
        organization: the id of the organization its token belongs to; None if it has none.
        address: the name of what was asked for; None if there is no such thing.
    """

    method: str
    target: str
    at: float
    headers: tuple[str, ...]
    organization: str | None
    address: str | None


class Call(NamedTuple):
    """What a path asks for; type, provider and region are those of a path for one region."""

    address: str
    type: str = ""
    provider: str = ""
    region: str = ""


def call_of(path: str, query: dict[str, list[str]]) -> Call | None:
    """Return what ``path`` asks for, or None if there is nothing at it."""
    if found := _PATHS.get(path):
        further = found == "databases" and "starting_after" in query
        return Call("next-page" if further else found)
    if match := _REGION_PATH.fullmatch(path):
        kind = "managed-clusters" if match["classic"] else "serverless"
        address = "accounts" if match["accounts"] else f"{kind}-view"
        return Call(address, kind, match["provider"], match["region"])
    return None


# --- right answers --------------------------------------------------------------------------------


def right_answer(own: OrganizationBodies, call: Call, query: dict[str, list[str]]) -> Answer:
    """Return the right answer to a call of an organization."""
    permission = DB_VIEW if call.address in PAGES else CMK_READ
    if call.address == "organization":
        return Answer(200, own.current)
    if permission not in own.organization.permissions:
        return FORBIDDEN
    if call.address in PAGES:
        return _databases(own, {name: values[-1] for name, values in query.items()})
    return _keys(own, call)


def _databases(own: OrganizationBodies, query: dict[str, str]) -> Answer:
    ids, entries = own.selected(query.get("include", "nonterminated"), query.get("provider", "ALL"))
    limit = query.get("limit", str(DEFAULT_LIMIT))
    if not limit.isdecimal() or not 1 <= int(limit) <= LARGEST_LIMIT:
        return _BAD_LIMIT
    start = bisect_right(ids, query.get("starting_after", ""))
    return page_answer(Page(entries, start, int(limit)))


def _keys(own: OrganizationBodies, call: Call) -> Answer:
    if call.address == "serverless-keys":
        return _whole_list(own.keys["serverless"])
    if call.address == "managed-clusters-keys":
        return _whole_list(own.keys["managed-clusters"])
    if call.address == "accounts" and call.provider in get_args(Provider):
        return _whole_list([encoded(account_content(own.organization, call.provider))])
    view = own.views.get((call.type, call.provider, call.region))
    return Answer(200, view) if view and call.address != "accounts" else _NO_KEY


def _whole_list(entries: Sequence[bytes]) -> Answer:
    return page_answer(Page(entries, 0, len(entries)))


# --- the application ------------------------------------------------------------------------------


class Application:
    """The ASGI application: it answers, misbehaves on demand, and remembers what it saw."""

    def __init__(self, fleet: Fleet, latency: float, elsewhere: str) -> None:
        self.owners = {
            f"Bearer {organization.token}": OrganizationBodies(organization)
            for organization in fleet.organizations
        }
        self.latency = latency
        self.elsewhere = elsewhere
        self.requests: list[Request] = []
        self.visits: list[Request] = []
        self.at_once: Counter[str | None] = Counter()
        self.most_at_once: Counter[str | None] = Counter()
        self.tell(())

    def tell(self, faults: Iterable[Fault]) -> None:
        """Take other faults, and count requests from 1 again."""
        self.faults = tuple(faults)
        self.counts: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        call = call_of(scope["path"], query)
        own = self.owners.get(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
        channel = Channel(receive, send, scope["state"]["transport"])
        request = _request(scope, own, call)
        if self.elsewhere.endswith(f":{scope['server'][1]}"):
            self.visits.append(request)
            await channel.give(NO_PAGE)
            return
        self.requests.append(request)
        right = self._right(request, own, call, query)
        with self._counted(request.organization):
            await asyncio.sleep(self.latency)
            await self._answer(request, own, right, channel)

    def _right(
        self,
        request: Request,
        own: OrganizationBodies | None,
        call: Call | None,
        query: dict[str, list[str]],
    ) -> Answer:
        if request.method != "GET":
            return _METHOD
        if call is None:
            return NO_PAGE
        return right_answer(own, call, query) if own else WRONG_TOKEN

    async def _answer(
        self, request: Request, own: OrganizationBodies | None, right: Answer, channel: Channel
    ) -> None:
        found = self._fault(request)
        if not found or not own:
            await channel.give(right)
            return
        fault, number = found
        path = request.target.partition("?")[0]
        await KINDS[fault.kind](
            Exchange(fault.address, path, own.token, number, right, self.elsewhere, channel)
        )

    def _fault(self, request: Request) -> tuple[Fault, int] | None:
        """Count a request, and return the fault that hits it, if one does, and its number."""
        address, organization = request.address, request.organization
        if not address or not organization or request.method != "GET":
            return None
        self.counts[address, organization] += 1
        number = self.counts[address, organization]
        hits = (fault for fault in self.faults if fault.hits(address, organization, number))
        return next(((hit, number) for hit in hits), None)

    @contextmanager
    def _counted(self, organization: str | None) -> Iterator[None]:
        for owner in {organization, None}:
            self.at_once[owner] += 1
            self.most_at_once[owner] = max(self.most_at_once[owner], self.at_once[owner])
        try:
            yield
        finally:
            for owner in {organization, None}:
                self.at_once[owner] -= 1


def _request(scope: dict[str, Any], own: OrganizationBodies | None, call: Call | None) -> Request:
    raw = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    return Request(
        method=scope["method"],
        target=raw.decode("latin-1"),
        at=time.monotonic(),
        headers=tuple(name.decode("latin-1") for name, _ in scope["headers"]),
        organization=own.organization.id if own else None,
        address=call.address if call else None,
    )


# --- the running server ---------------------------------------------------------------------------


class _Protocol(H11Protocol):
    """HTTP that lets the application reach its connection, and waits for nobody at the end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a body follows its head at once
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)

    def shutdown(self) -> None:
        self.transport.abort()


class Running:
    """A running server, as the tests see it."""

    def __init__(self, fleet: Fleet, latency: float, port: int = 0) -> None:
        self.sockets = [
            socket.create_server((LOOPBACK, number), backlog=512) for number in (port, 0)
        ]
        self.address, self.elsewhere = map(_address, self.sockets)
        self.application = Application(fleet, latency, self.elsewhere)
        self.server = uvicorn.Server(_config(self.application))

    @property
    def requests(self) -> list[Request]:
        """Every request seen, in the order they came; clear it as you like."""
        return self.application.requests

    @property
    def visits(self) -> list[Request]:
        """Every request seen at ``elsewhere``, to which redirections lead."""
        return self.application.visits

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults; setting them counts requests from 1 again."""
        return self.application.faults

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        self.application.tell(faults)

    def renewed(self) -> Running:
        """Return the server without faults, and as if it had seen no request yet."""
        self.faults = ()
        self.requests.clear()
        self.visits.clear()
        return self

    def most_at_once(self, organization: str | None = None) -> int:
        """Return the most requests that were in progress at once, of one organization or of all."""
        return self.application.most_at_once[organization]

    def run(self) -> None:
        """Serve until asked to stop."""
        self.server.run(sockets=self.sockets)

    def stop(self) -> None:
        """Stop at once, whatever is in progress."""
        self.server.should_exit = self.server.force_exit = True


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # each answer has its own
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _address(listening: socket.socket) -> str:
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"


def closed_address() -> str:
    """Return an address on which nobody listens: connections are refused."""
    with socket.create_server((LOOPBACK, 0)) as soon_closed:
        return _address(soon_closed)


@contextmanager
def serve(fleet: Fleet, faults: Iterable[Fault] = (), latency: float = 0.0) -> Iterator[Running]:
    """Run a server of ``fleet`` in a thread, on a free port of loopback."""
    running = Running(fleet, latency)
    running.faults = tuple(faults)
    thread = threading.Thread(target=running.run, name="astra-server", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join(timeout=5)


def main() -> None:
    """Serve a large fleet until killed; the first line printed is the address."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--organizations", type=int, default=2)
    parser.add_argument("--databases", type=int, default=100)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    fleet = large_fleet(arguments.organizations, arguments.databases)
    running = Running(fleet, arguments.latency, arguments.port)
    print(running.address, flush=True)  # noqa: T201 (this is how the address is told)
    running.run()


if __name__ == "__main__":
    main()
