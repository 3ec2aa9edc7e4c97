"""One connection for each request, so that what comes over it can answer no other one.

A connection that is kept is a queue of answers without names. One that a gateway sends twice, or
that nobody asked for, shifts all that follow, and most of Astra's answers do not say what they
answer. Looking for surplus before a request is sent does not help: what arrives just after it
cannot be told from its answer. So each request has a connection of its own and says that it is the
last one there. An answer counts only if nothing came before the request, and if the connection ends
right after the answer.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar, cast

import h11
import httpx

from inventory.errors import SettingError, UnansweredError
from inventory.text.secrets import SecretBytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from inventory.astra.proxies import Proxy
    from inventory.text.secrets import Token

P = ParamSpec("P")
T = TypeVar("T")
_LARGEST_HEAD = 102_400
_MOST_WAITING = 262_144
_CLOSING_SECONDS = 5.0
_NEXT_ADDRESS_SECONDS = 0.25
_TUNNEL = range(200, 300)
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_NO_HTTP = "answered with what is no HTTP/1.1"


class Route(NamedTuple):
    """Where requests go.

    Attributes:
        host: the name or number of the host.
        port: its port.
        tls: whom to trust; None for plain HTTP.
        proxy: the proxy on the way, if there is one; it never sees plain HTTP.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    proxy: Proxy | None = None


def route_to(address: str, proxy: Proxy | None) -> Route:
    """Return the route to ``address``; plain HTTP, which is for loopback only, trusts nobody.

    Raises SettingError if the certificates that the environment names cannot be read.
    """
    url = httpx.URL(address)
    tls = trusted() if url.scheme == "https" else None
    return Route(url.host, url.port or (443 if tls else 80), tls, proxy)


def trusted() -> ssl.SSLContext:
    """Return whom to trust: the authorities that the environment names, else the usual ones.

    Raises SettingError that names the variable and the path if these cannot be read.
    """
    variable = next((name for name in _TRUST if os.environ.get(name)), "")
    path = os.environ.get(variable, "")
    if variable == "SSL_CERT_DIR" and not os.path.isdir(path):  # noqa: PTH112 (as ssl takes it)
        raise SettingError(f"{variable}: found {path} (no folder), expected one of certificates")
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # what is no certificate is one, too: an SSLError
        why = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
    raise SettingError(f"{variable}: found {path} ({why}), expected a file of certificates in PEM")


class FreshConnections(httpx.AsyncBaseTransport):
    """Sends each request over a connection of its own, with the token of one organization.

    Whatever fails comes out as an UnansweredError in plain words, without a stack: the request is
    on it, and so may be an answer that is not redacted.
    """

    def __init__(self, route: Route, token: Token) -> None:
        """Send over ``route``, and let ``token`` vouch for each request."""
        self._route = route
        self._token = token

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response as soon as its head is there; its stream is to be closed."""
        connection = _Connection(self._route)
        try:
            head = await connection.guarded(connection.ask, request, self._token)
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=connection)


class _Pipe(asyncio.Protocol):
    """What comes over a connection, in its order; what is not read yet is bounded.

    The streams of asyncio would do, but for the proxy: what it sends beyond its answer would stay
    in their buffer, and be taken for what comes over TLS.
    """

    def __init__(self) -> None:
        self.pending = bytearray()
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self._has_ended = False
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pending += data
        self._news.set()
        if len(self.pending) > _MOST_WAITING and self._transport:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._has_ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._error = exc
        self.eof_received()

    async def read(self) -> bytes:
        """Return what is there, nothing at the end; raise what broke the connection."""
        while not self.pending and not self._has_ended:
            self._news.clear()
            await self._news.wait()
        if self._error and not self.pending:
            raise self._error
        data = bytes(self.pending)
        self.pending.clear()
        if self._transport and not self._has_ended:
            self._transport.resume_reading()
        return data


class _Connection(httpx.AsyncByteStream):
    """A connection for one request; iterated over, it yields the answer's body."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._peer = route.proxy.host if route.proxy else route.host
        self._transport: asyncio.Transport | None = None
        self._pipe = _Pipe()
        self._http = _http()

    async def ask(self, request: httpx.Request, token: Token) -> h11.Response:
        """Send the request, and return the head of its answer."""
        transport = await self._opened()
        await asyncio.sleep(0)  # what has come by now is to be seen
        self._require_silence("before anything was asked")
        headers = [*request.headers.raw, (b"Connection", b"close")]
        asked = h11.Request(method="GET", target=request.url.raw_path, headers=headers)
        self._send(transport, asked, b"Authorization", token.authorization())
        return await self._head()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self.guarded(self._event), h11.Data):
            yield bytes(event.data)
        await self.guarded(self._end)

    async def aclose(self) -> None:
        """Close at once: what was worth waiting for has been waited for."""
        if self._transport:
            self._transport.abort()

    async def guarded(self, step: Callable[P, Awaitable[T]], *args: P.args, **more: P.kwargs) -> T:
        """Do a step; what breaks it comes out in words, and without the frames of the step."""
        try:
            return await step(*args, **more)
        except Exception as error:  # noqa: BLE001 (what a library raises is its own affair)
            broken = _in_words(error, self._peer)
        raise broken

    # --- opening ---

    async def _opened(self) -> asyncio.Transport:
        proxy, tls = self._route.proxy, self._route.tls
        if proxy is None:
            return await self._connect(self._route.host, self._route.port, tls)
        transport = await self._connect(
            proxy.host, proxy.port, tls if proxy.scheme == "https" else None
        )
        return await self._tunnel(transport, proxy, tls)

    async def _connect(self, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Transport:
        is_number = ":" in host or host.rpartition(".")[2].isdigit()  # then there is one address
        self._transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: self._pipe,
            host,
            port,
            ssl=tls,
            server_hostname=host if tls else None,
            happy_eyeballs_delay=None if is_number else _NEXT_ADDRESS_SECONDS,
        )
        return self._transport

    async def _tunnel(
        self, transport: asyncio.Transport, proxy: Proxy, tls: ssl.SSLContext | None
    ) -> asyncio.Transport:
        """Have the proxy connect us, and speak TLS with the host that it connects us to."""
        host = self._route.host
        target = f"[{host}]:{self._route.port}" if ":" in host else f"{host}:{self._route.port}"
        asked = h11.Request(method="CONNECT", target=target, headers=[("Host", target)])
        self._send(transport, asked, b"Proxy-Authorization", proxy.authorization)
        head = await self._head()
        if head.status_code not in _TUNNEL:
            detail = f"no answer: the proxy answered {head.status_code}"
            raise UnansweredError("unavailable", detail, again=True)
        self._require_silence("from the proxy, after its answer")
        self._peer, self._pipe, self._http = host, _Pipe(), _http()
        over_tls = await asyncio.get_running_loop().start_tls(
            transport, self._pipe, cast("ssl.SSLContext", tls), server_hostname=host
        )
        self._transport = cast("asyncio.Transport", over_tls)
        self._pipe.connection_made(self._transport)
        return self._transport

    # --- speaking ---

    def _send(
        self, transport: asyncio.Transport, head: h11.Request, name: bytes, secret: str | None
    ) -> None:
        """Send a request, the secret added to its bytes: whatever else holds it shows it."""
        plain = self._http.send(head) or b""
        self._http.send(h11.EndOfMessage())
        line = SecretBytes(b"" if secret is None else name + b": " + secret.encode() + b"\r\n")
        transport.write(SecretBytes(plain[:-2] + line + b"\r\n"))

    async def _head(self) -> h11.Response:
        while not isinstance(event := await self._event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise UnansweredError("malformed", _NO_HTTP, again=True)
        return event

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = await self._pipe.read()
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                detail = "no answer: the connection was closed"
                raise UnansweredError("unavailable", detail, again=True)
            self._http.receive_data(data)
        return cast("h11.Event | type[h11.PAUSED]", event)

    async def _end(self) -> None:
        """Wait for the end of the connection, before which nothing more may come."""
        self._require_silence("after the answer")
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                self._pipe.pending += await self._pipe.read()
        except TimeoutError:
            detail = "the connection was not closed after the answer, so more may have followed"
            raise UnansweredError("malformed", detail, again=True) from None
        except OSError:
            return  # it broke after the answer was whole, which is an end, too
        self._require_silence("after the answer")

    def _require_silence(self, when: str) -> None:
        """Raise UnansweredError if anything has come that is not yet read."""
        if self._pipe.pending or self._http.trailing_data[0]:
            raise UnansweredError("malformed", f"more came than an answer: {when}", again=True)


def _http() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)


def _in_words(error: Exception, peer: str) -> UnansweredError:
    """Say what broke a connection to ``peer``: of what nobody foresaw the type alone."""
    if isinstance(error, UnansweredError):
        return error.with_traceback(None)
    if isinstance(error, h11.RemoteProtocolError):
        if "complete" in str(error):
            return UnansweredError("cut-short", "the answer broke off", again=True)
        return UnansweredError("malformed", _NO_HTTP, again=True)
    is_final = isinstance(error, ssl.SSLCertVerificationError)
    detail = f"no answer: {_words(error, peer)}"
    return UnansweredError("unavailable", detail, again=not is_final)


def _words(error: Exception, peer: str) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name {peer} does not resolve"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {peer} is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS with {peer} failed ({error.reason or type(error).__name__})"
    if isinstance(error, OSError):
        return f"the connection to {peer} failed ({error.strerror or type(error).__name__})"
    return type(error).__name__
