"""Each request has a connection of its own, and what comes over it is its answer or none."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import h11
import httpx
import pytest

from inventory.astra import connections
from inventory.astra.connections import FreshConnections, Route, route_to
from inventory.errors import SettingError, UnansweredError
from inventory.system.proxies import Proxy
from inventory.text.secrets import SecretText
from tests.astra.server import closed_address
from tests.inventory.live import SECRET, TOKEN, VALUE
from tests.inventory.wire import LOOPBACK, certified, heard, listening, ok, relaying, saying

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from tests.inventory.wire import Talk

HEADERS = {"Accept": "application/json"}
UNANSWERED = tuple[str, str, bool]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def _ask(route: Route, path: str = "/v2/kms") -> Answer:
    own = f"[{route.host}]" if ":" in route.host else route.host
    url = f"http{'s' if route.tls else ''}://{own}:{route.port}{path}"
    request = httpx.Request("GET", url, headers=HEADERS)
    async with asyncio.timeout(20):
        response = await FreshConnections(route, TOKEN).handle_async_request(request)
        try:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            body = b"".join([piece async for piece in response.stream])
        finally:
            await response.aclose()
    return Answer(response.status_code, dict(response.headers), body)


def ask(route: Route) -> Answer:
    return asyncio.run(_ask(route))


def fails(route: Route) -> UNANSWERED:
    with pytest.raises(UnansweredError) as caught:
        ask(route)
    return caught.value.reason, caught.value.detail, caught.value.again


def plain(port: int) -> Route:
    return Route(LOOPBACK, port, None)


def talking(talk: Talk) -> Answer:
    with listening(talk) as port:
        return ask(plain(port))


def failing(talk: Talk) -> UNANSWERED:
    with listening(talk) as port:
        return fails(plain(port))


# --- what is sent ---------------------------------------------------------------------------------


def test_request_on_the_wire() -> None:
    """A request says what it must: host, type, that it is the last one, and the token."""
    seen: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        seen.append(heard(connection))
        connection.sendall(ok(b'["a"]'))

    with listening(talk) as port:
        assert ask(plain(port)).body == b'["a"]'
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /v2/kms HTTP/1.1"
    assert lines[1:] == [
        f"Host: {LOOPBACK}:{port}",
        "Accept: application/json",
        "Connection: close",
        f"Authorization: Bearer {VALUE}",
        "",
        "",
    ]


def test_no_connection_is_used_twice() -> None:
    """Two requests use two connections, though the server would keep the first one."""
    seen: list[bytes] = []
    more: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        seen.append(heard(connection))
        connection.sendall(ok())
        connection.shutdown(socket.SHUT_WR)
        with suppress(OSError):  # the end of a connection may be a reset
            more.append(heard(connection))

    with listening(talk) as port:
        ask(plain(port))
        ask(plain(port))
    assert (list(map(bool, seen)), any(more)) == ([True, True], False)


def test_connection_ends_with_a_request_that_is_given_up() -> None:
    """A request that is given up closes its connection at once."""
    ended: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        heard(connection)
        ended.append(connection.recv(1))

    async def run(port: int) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_ask(plain(port)), 0.2)

    with listening(talk) as port:
        asyncio.run(run(port))
        until = time.monotonic() + 5
        while not ended and time.monotonic() < until:
            time.sleep(0.01)
    assert ended == [b""]


# --- what is taken for an answer ------------------------------------------------------------------

CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n["a\r\n2\r\n"]\r\n0\r\n\r\n'
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ((ok(b'["a"]'),), b'["a"]'),
        ((ok(b'["a"]')[:-3], b'a"]'), b'["a"]'),
        ((CHUNKED,), b'["a"]'),
        ((b'HTTP/1.0 200 OK\r\n\r\n["a"]',), b'["a"]'),
        ((HINTS, ok(b'["a"]')), b'["a"]'),
    ],
)
def test_answers(pieces: tuple[bytes, ...], body: bytes) -> None:
    """An answer is read to its end, however that is reported, and whatever hints come before it."""
    assert talking(saying(*pieces)).body == body


def test_large_answer() -> None:
    """An answer that is larger than what may wait is read whole."""
    body = b"[" + b" " * 5_000_000 + b"]"
    assert talking(saying(ok(body))).body == body


def test_reset_after_the_answer() -> None:
    """An answer that is whole counts, also if the connection is then broken and not closed."""

    def talk(connection: socket.socket) -> None:
        saying(ok(b'["a"]'))(connection)
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert talking(talk).body == b'["a"]'


SURPLUS = ("malformed", "unexpected data after the answer", True)


@pytest.mark.parametrize("surplus", [ok(b"[]"), b"H", b"\r\n"])
@pytest.mark.parametrize("answer", [ok(b'["a"]'), CHUNKED], ids=["length", "chunked"])
def test_surplus_with_the_answer(answer: bytes, surplus: bytes) -> None:
    """An answer that is followed by anything is none: it may be the answer to another request."""
    assert failing(saying(answer + surplus)) == SURPLUS


def test_surplus_after_the_answer() -> None:
    """The same holds if what follows comes later: the end of the connection is waited for."""

    def talk(connection: socket.socket) -> None:
        saying(ok(b'["a"]'))(connection)
        time.sleep(0.2)
        connection.sendall(b"H")

    assert failing(talk) == SURPLUS


def test_bytes_before_the_request() -> None:
    """What comes before anything was asked is no answer."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(ok(b'["a"]'))
        heard(connection)

    async def late(*_: object) -> None:
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.2)

    with listening(talk) as port, pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", late)  # what is sent is there by then
        error = fails(plain(port))
    assert error == ("malformed", "unexpected data before the request", True)


def test_answer_before_the_request_and_one_after_it() -> None:
    """An early answer that is not seen before the request is sent is found out by the second."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(ok(b"[]"))
        saying(ok(b'["a"]'))(connection)

    assert failing(talk)[0] == "malformed"


def test_connection_that_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer whose connection stays open is none: nobody knows what would follow."""
    monkeypatch.setattr(connections, "_CLOSING_SECONDS", 0.1)

    def talk(connection: socket.socket) -> None:
        saying(ok())(connection)
        connection.recv(1)

    detail = "the connection was not closed after the answer, so more data may follow"
    assert failing(talk) == ("malformed", detail, True)


NO_HTTP = ("malformed", "the answer is not HTTP/1.1", True)
BROKEN_OFF = ("cut-short", "the answer ended early", True)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", NO_HTTP),
        (b"HTTP/2 200\r\n\r\n", NO_HTTP),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n", NO_HTTP),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", NO_HTTP),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n[]", NO_HTTP),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000, NO_HTTP),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n", NO_HTTP),
        (ok(b'["a"]')[:-1], BROKEN_OFF),
        (CHUNKED[:-5], BROKEN_OFF),
        (b"", ("unavailable", "no answer: the connection was closed", True)),
        (b"HTTP/1.1 200", ("unavailable", "no answer: the connection was closed", True)),
        (HINTS, ("unavailable", "no answer: the connection was closed", True)),
    ],
)
def test_what_is_no_answer(said: bytes, expected: UNANSWERED) -> None:
    """What is no HTTP, or ends early, is no answer."""
    assert failing(saying(said)) == expected


def test_answer_that_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is said to speak another way from now on has given no answer."""
    monkeypatch.setattr(h11.Connection, "next_event", lambda _: h11.PAUSED)
    assert failing(saying(ok())) == NO_HTTP


# --- no connection --------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    """A connection that is refused is reported in words."""
    port = int(closed_address().rpartition(":")[2])
    reason, detail, again = fails(plain(port))
    assert (reason, again) == ("unavailable", True)
    assert detail.startswith(f"no answer: the connection to {LOOPBACK} failed (")


def test_reset_before_the_answer() -> None:
    """A connection that is reset before the answer is reported in words."""

    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    detail = f"no answer: the connection to {LOOPBACK} failed (Connection reset by peer)"
    assert failing(talk) == ("unavailable", detail, True)


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows is reported as that."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    detail = "no answer: the name astra.example.test does not resolve"
    assert fails(Route("astra.example.test", 443, None)) == ("unavailable", detail, True)


# --- TLS ------------------------------------------------------------------------------------------


class Secure(NamedTuple):
    """A server over TLS that is trusted."""

    port: int
    tls: ssl.SSLContext
    server: ssl.SSLContext


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secure]:
    """Serve an answer over TLS, with a certificate that the environment trusts."""
    file, server = certified(tmp_path, "localhost", LOOPBACK)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with listening(saying(ok(b'["a"]')), server) as port:
        yield Secure(port, connections.trusted_authorities(), server)


@pytest.mark.parametrize("host", ["localhost", LOOPBACK])
def test_trusted_certificate(secure: Secure, host: str) -> None:
    """A host is believed whose certificate is vouched for by whom the environment names."""
    assert ask(route_to(f"https://{host}:{secure.port}", None)).body == b'["a"]'


def test_certificate_that_is_not_trusted(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate for which nobody vouches is reported as that, and not retried."""
    monkeypatch.delenv("SSL_CERT_FILE")
    detail = "no answer: the certificate of localhost is not trusted (self-signed certificate)"
    route = route_to(f"https://localhost:{secure.port}", None)
    assert fails(route) == ("unavailable", detail, False)


def test_certificate_of_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of another host is reported as that."""
    file, server = certified(tmp_path, "other.example.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with listening(saying(ok()), server) as port:
        reason, detail, again = fails(route_to(f"https://localhost:{port}", None))
    assert (reason, again) == ("unavailable", False)
    assert "the certificate of localhost is not trusted (Hostname mismatch" in detail


def test_no_tls_on_the_other_side(secure: Secure) -> None:
    """A server that does not speak TLS is reported as that."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(talk) as port:
        reason, detail, again = fails(Route("localhost", port, secure.tls))
    assert (reason, again) == ("unavailable", True)
    assert detail.startswith("no answer: TLS with localhost failed (")


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Certificates that the environment names and that are none are a mistake in a setting."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"no certificate\n")
    wrong = [tmp_path / "missing", garbage]
    for path in [*wrong, tmp_path] if variable == "SSL_CERT_FILE" else wrong:
        monkeypatch.setenv(variable, str(path))
        with pytest.raises(SettingError) as caught:
            route_to("https://astra.example.test", None)
        assert str(caught.value).startswith(f"{variable}: found {path} (")
        assert route_to("http://127.0.0.1:1", None).tls is None


def test_folder_of_certificates(
    secure: Secure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of certificates is taken, and vouches for nobody that it does not hold."""
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert "is not trusted" in fails(route_to(f"https://localhost:{secure.port}", None))[1]


# --- proxies --------------------------------------------------------------------------------------

TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


def by(scheme: str, port: int, login: str | None = None) -> Proxy:
    return Proxy(scheme, "localhost", port, SecretText(login) if login else None)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", [None, "Basic bWU6aHVzaA=="])
def test_proxy(secure: Secure, scheme: str, login: str | None) -> None:
    """A proxy makes a tunnel, in which TLS is spoken with the host; the token is only in there."""
    seen: list[bytes] = []
    talk = relaying(TUNNEL, seen, secure.port)
    with listening(talk, secure.server if scheme == "https" else None) as port:
        proxy = by(scheme, port, login)
        assert ask(Route("localhost", secure.port, secure.tls, proxy)).body == b'["a"]'
    target = f"localhost:{secure.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    lines += [f"Proxy-Authorization: {login}"] if login else []
    assert seen == ["\r\n".join([*lines, "", ""]).encode()]


def test_proxy_that_refuses(secure: Secure) -> None:
    """A proxy that makes no tunnel is reported with the status that it answers."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with listening(saying(refusal)) as port:
        error = fails(Route("localhost", secure.port, secure.tls, by("http", port)))
    assert error == ("unavailable", "no answer: the proxy answered 407", True)


def test_proxy_that_says_more_than_its_answer(secure: Secure) -> None:
    """What a proxy sends beyond its answer is not taken for what the host says."""
    talk = relaying(TUNNEL + ok(b'["forged"]'), [], secure.port)
    with listening(talk) as port:
        error = fails(Route("localhost", secure.port, secure.tls, by("http", port)))
    detail = "unexpected data from the proxy after its answer"
    assert error == ("malformed", detail, True)


def test_certificate_of_the_proxy(secure: Secure, tmp_path: Path) -> None:
    """Whose certificate is not trusted is reported by name, be it the host's or the proxy's."""
    (tmp_path / "other").mkdir()
    _, stranger = certified(tmp_path / "other", "localhost")
    with listening(relaying(TUNNEL, [], secure.port), stranger) as port:
        route = Route(LOOPBACK, secure.port, secure.tls, by("https", port))
        assert "the certificate of localhost is not trusted" in fails(route)[1]
    with (
        listening(saying(ok()), stranger) as own,
        listening(relaying(TUNNEL, [], own)) as port,
    ):
        route = Route(LOOPBACK, own, secure.tls, by("http", port))
        assert f"the certificate of {LOOPBACK} is not trusted" in fails(route)[1]


def test_host_by_number_behind_a_proxy(secure: Secure) -> None:
    """A host by its number of IPv6 is named to the proxy in brackets."""
    seen: list[bytes] = []
    with listening(relaying(TUNNEL, seen, secure.port)) as port:
        fails(Route("::1", secure.port, secure.tls, by("http", port)))
    assert seen[0].startswith(f"CONNECT [::1]:{secure.port} HTTP/1.1\r\n".encode())


# --- what breaks ----------------------------------------------------------------------------------

PLACES = (
    "h11.Connection.next_event",
    "h11.Connection.receive_data",
    "h11.Connection.send",
    "h11.Request.__init__",
    "asyncio.selector_events._SelectorSocketTransport.write",
    "asyncio.base_events.BaseEventLoop.create_connection",
    "inventory.astra.connections._Connection._require_silence",
    "inventory.astra.connections._Connection._wait_for_end",
    "inventory.text.secrets.Token.authorization",
)


@pytest.mark.parametrize("place", PLACES)
def test_errors_of_libraries(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whatever breaks in a library is reported by its type, without the stack on which it broke."""

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError(VALUE)

    with listening(saying(ok())) as port:
        monkeypatch.setattr(place, breaks)
        with pytest.raises(UnansweredError) as caught:
            ask(plain(port))
        monkeypatch.undo()
    error = caught.value
    assert (error.reason, error.detail) == ("unavailable", "no answer: RuntimeError")
    assert (error.__cause__, error.__context__) == (None, None)
    shown = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    assert SECRET not in shown
    assert "in breaks" not in shown


# --- what waits -----------------------------------------------------------------------------------


class Paused(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def test_what_is_not_read_is_bounded() -> None:
    """A connection whose answer is not read is not read from either, until it is."""

    async def run() -> list[str]:
        pipe, transport = connections._Pipe(), Paused()
        pipe.data_received(b"a" * 300_000)
        await pipe.read()
        pipe.connection_made(transport)
        pipe.data_received(b"a" * 300_000)
        assert len(await pipe.read()) == 300_000
        pipe.data_received(b"a")
        pipe.connection_lost(OSError("broken"))
        assert await pipe.read() == b"a"
        with pytest.raises(OSError, match="broken"):
            await pipe.read()
        return transport.calls

    assert asyncio.run(run()) == ["pause", "resume"]
