"""When the time of one answer is over, its connection ends: real ones, over loopback."""

from __future__ import annotations

import gc
import socket
import time
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest
import urllib3

from inventory.clouds.deadline import Deadline, ended_by
from tests.clouds.gcp_server import wait_until
from tests.inventory.wire import LOOPBACK, Talk, certified, heard, listening, ok, relaying, saying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 0.3
LONG = 20.0
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
HEADS = {
    "status": b"HTTP/1.1 200 ",
    "header": b"HTTP/1.1 200 OK\r\nX-Padding: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
}
"""What comes before the byte that is repeated without end."""


def dripping(beginning: bytes, connection: socket.socket) -> None:
    """Answer ``beginning``, and then byte by byte, as long as anybody is there."""
    heard(connection)
    with suppress(OSError):
        connection.sendall(beginning)
        while True:
            connection.sendall(b"a")
            time.sleep(0.001)


class Servers:
    """Servers with one certificate, which ``manager`` trusts."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        certificate, self._tls = certified(folder, LOOPBACK)
        self._authorities = str(certificate)
        self._stack = stack

    def at(self, scheme: str, talk: Talk) -> str:
        """Return the address of a server that answers by ``talk``."""
        return f"{scheme}://{LOOPBACK}:{self.port(scheme, talk)}"

    def port(self, scheme: str, talk: Talk) -> int:
        """Return the port of a server that answers by ``talk``."""
        tls = self._tls if scheme == "https" else None
        return self._stack.enter_context(listening(talk, tls))

    def manager(self, proxy: str | None) -> urllib3.PoolManager:
        """Return what connects by ``proxy``."""
        if proxy is None:
            return urllib3.PoolManager(ca_certs=self._authorities)
        return urllib3.ProxyManager(proxy, ca_certs=self._authorities)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Run servers for one test; whatever was not closed is an error of this test, of no other."""
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)
    gc.collect()


class Outcome(NamedTuple):
    """The body of an answer or None, whether its time was over, and how long it took."""

    body: bytes | None
    is_over: bool
    seconds: float


def ask(manager: urllib3.PoolManager, address: str, seconds: float) -> Outcome:
    """Request ``address``, whose answer may take ``seconds``."""
    deadline, started, body = Deadline(seconds), time.monotonic(), None
    with manager, suppress(urllib3.exceptions.HTTPError), deadline:
        pool = manager.connection_from_url(address)
        pool.ConnectionCls = ended_by(lambda: deadline, pool.ConnectionCls)
        headers = {"Connection": "close"}
        body = manager.request("GET", address, headers=headers, retries=False, timeout=LONG).data
    return Outcome(body, deadline.is_over, time.monotonic() - started)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("proxy", [None, "http", "https"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_answer_that_never_ends_is_ended(
    servers: Servers, scheme: str, proxy: str | None, head: str
) -> None:
    """An answer byte by byte ends in time, over plain HTTP, TLS, a proxy, and TLS in TLS."""
    drip = partial(dripping, HEADS[head])
    address = servers.at(scheme, drip)
    by = None
    if proxy and scheme == "http":  # plain HTTP is asked of the proxy itself
        by = servers.at(proxy, drip)
    elif proxy:
        by = servers.at(proxy, relaying(TUNNEL, [], int(address.rpartition(":")[2])))
    found = ask(servers.manager(by), address, SECONDS)
    assert found.is_over
    assert found.seconds < LONG / 2


@pytest.mark.parametrize("head", ["status", "header"])
@pytest.mark.parametrize("proxy", ["http", "https"])
def test_tunnel_that_is_never_open_is_ended(servers: Servers, proxy: str, head: str) -> None:
    """A proxy that answers byte by byte ends in time, and leaves no socket open behind it."""
    manager = servers.manager(servers.at(proxy, partial(dripping, HEADS[head])))
    found = ask(manager, f"https://{LOOPBACK}:1", SECONDS)
    assert (found.body, found.is_over) == (None, True)
    assert found.seconds < LONG / 2


@pytest.mark.parametrize("proxy", [None, "http", "https"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_answer_in_time_is_whole(servers: Servers, scheme: str, proxy: str | None) -> None:
    """An answer that ends in time is what it would be without a deadline."""
    address = servers.at(scheme, saying(ok(b"whole")))
    by = None
    if proxy and scheme == "http":
        by = servers.at(proxy, saying(ok(b"whole")))
    elif proxy:
        by = servers.at(proxy, relaying(TUNNEL, [], int(address.rpartition(":")[2])))
    found = ask(servers.manager(by), address, LONG)
    assert (found.body, found.is_over) == (b"whole", False)


def test_connection_that_comes_too_late_is_ended() -> None:
    """A connection that is made after the time is over ends at once."""
    deadline = Deadline(0.0)
    near, far = socket.socketpair()
    with near, far, deadline:
        assert wait_until(lambda: deadline.is_over)
        deadline.watch(near)
        assert far.recv(1) == b""


def test_time_is_required_as_long_as_there_is_some() -> None:
    """Whoever requires time gets an error only when it is over."""
    deadline = Deadline(0.0)
    deadline.require_time()
    with deadline:
        assert wait_until(lambda: deadline.is_over)
    with pytest.raises(TimeoutError, match=r"^the time of one answer is over$"):
        deadline.require_time()
