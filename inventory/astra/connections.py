"""One connection for each request, so that no answer can be taken for that of another request.

A connection that is kept alive is a queue of answers without names. If a gateway sends an answer
twice, or unasked, every later answer shifts by one, and most answers do not say what they answer.
 Checking for surplus data before a request is sent does not help: data that arrives just
after it looks like its answer. So each request has its own connection and says that it is the last
one there. An answer counts only if no data came before the request, and if the connection ends
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

    from inventory.system.proxies import Proxy
    from inventory.text.secrets import Token

P = ParamSpec("P")
T = TypeVar("T")
_LARGEST_HEAD = 102_400
_MOST_UNREAD = 262_144
_CLOSING_SECONDS = 5.0
# After this time the host's next address is tried beside the first, as RFC 8305 recommends: a host
# whose IPv6 is broken then costs a quarter of a second, not the whole timeout.
_NEXT_ADDRESS_SECONDS = 0.25
_TUNNEL = range(200, 300)
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_NO_HTTP = "the answer is not HTTP/1.1"


class Route(NamedTuple):
    """Where requests go.

    Attributes:
        host: the name or IP address of the host.
        port: its port.
        tls: which certificates to trust; None for plain HTTP.
        proxy: the proxy to connect through; None if there is none. It never sees plain HTTP.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    proxy: Proxy | None = None


def route_to(address: str, proxy: Proxy | None) -> Route:
    """Return the route to ``address``; plain HTTP, which is for loopback only, has no certificates.

    Raises SettingError if the certificates that the environment names cannot be read.
    """
    url = httpx.URL(address)
    tls = trusted_authorities() if url.scheme == "https" else None
    return Route(url.host, url.port or (443 if tls else 80), tls, proxy)


def trusted_authorities() -> ssl.SSLContext:
    """Return the authorities that the environment names, else those that httpx trusts by default.

    Raises SettingError, with the variable and the path, if they cannot be read.
    """
    variable = next((name for name in _TRUST if os.environ.get(name)), "")
    path = os.environ.get(variable, "")
    if variable == "SSL_CERT_DIR" and not os.path.isdir(path):  # noqa: PTH112 (as ssl takes it)
        raise SettingError(
            f"{variable}: found {path} (not a folder), expected a folder of certificates"
        )
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # an SSLError, which a file without certificates raises, is one, too
        why = "no certificates" if isinstance(error, ssl.SSLError) else error.strerror
    raise SettingError(f"{variable}: found {path} ({why}), expected a file of certificates in PEM")


class FreshConnections(httpx.AsyncBaseTransport):
    """Sends each request over a connection of its own, with the token of one organization.

    Every failure becomes an UnansweredError in plain words, without the stack on which it happened:
    that holds the request with its token, and maybe an answer that is not redacted yet.
    """

    def __init__(self, route: Route, token: Token) -> None:
        """Send over ``route``, each request authorized by ``token``."""
        self._route = route
        self._token = token

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response as soon as its head has arrived; the caller closes its stream."""
        connection = _Connection(self._route)
        try:
            head = await connection.guarded(connection.get_head, request, self._token)
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=connection)


class _Pipe(asyncio.Protocol):
    """What arrives over a connection, in order; what is not read yet is bounded.

    The streams of asyncio do not serve, because of the proxy: what it sends beyond its answer would
    stay in their buffer, and be read as if it had come over TLS.
    """

    def __init__(self) -> None:
        self.pending = bytearray()
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self._has_ended = False
        self._changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pending += data
        self._changed.set()
        if len(self.pending) > _MOST_UNREAD and self._transport:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._has_ended = True
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._error = exc
        self.eof_received()

    async def read(self) -> bytes:
        """Return what has arrived, nothing at the end; raise what broke the connection."""
        while not self.pending and not self._has_ended:
            self._changed.clear()
            await self._changed.wait()
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
        self._new_http = _new_http()

    async def get_head(self, request: httpx.Request, token: Token) -> h11.Response:
        """Send the request, and return the head of its answer."""
        transport = await self._open()
        await asyncio.sleep(0)  # lets the event loop deliver what has arrived by now
        self._require_silence("before the request")
        headers = [*request.headers.raw, (b"Connection", b"close")]
        head = h11.Request(method="GET", target=request.url.raw_path, headers=headers)
        self._send(transport, head, b"Authorization", token.authorization())
        return await self._read_head()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self.guarded(self._next_event), h11.Data):
            yield bytes(event.data)
        await self.guarded(self._wait_for_end)

    async def aclose(self) -> None:
        """Close at once: nothing that may still come can count."""
        if self._transport:
            self._transport.abort()

    async def guarded(self, step: Callable[P, Awaitable[T]], *args: P.args, **more: P.kwargs) -> T:
        """Run a step; raise its errors in plain words, and without the frames of the step."""
        try:
            return await step(*args, **more)
        except Exception as error:  # noqa: BLE001 (h11, ssl and asyncio raise many)
            unanswered = _unanswered(error, self._peer)
        # Outside of the handler, where Python would attach the caught error and its frames.
        raise unanswered

    # --- opening ---

    async def _open(self) -> asyncio.Transport:
        proxy, tls = self._route.proxy, self._route.tls
        if proxy is None:
            return await self._connect(self._route.host, self._route.port, tls)
        transport = await self._connect(
            proxy.host, proxy.port, tls if proxy.scheme == "https" else None
        )
        return await self._tunnel(transport, proxy, tls)

    async def _connect(self, host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Transport:
        # Only a name can have several addresses to try one after the other.
        is_number = ":" in host or host.rpartition(".")[2].isdigit()
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
        """Let the proxy connect to the host, and start TLS with the host through it."""
        host = self._route.host
        target = f"[{host}]:{self._route.port}" if ":" in host else f"{host}:{self._route.port}"
        connect = h11.Request(method="CONNECT", target=target, headers=[("Host", target)])
        self._send(transport, connect, b"Proxy-Authorization", proxy.authorization)
        head = await self._read_head()
        if head.status_code not in _TUNNEL:
            detail = f"no answer: the proxy answered {head.status_code}"
            raise UnansweredError("unavailable", detail, again=True)
        self._require_silence("from the proxy after its answer")
        # From here on the host speaks: with its own buffer and its own HTTP state.
        self._peer, self._pipe, self._new_http = host, _Pipe(), _new_http()
        over_tls = await asyncio.get_running_loop().start_tls(
            transport, self._pipe, cast("ssl.SSLContext", tls), server_hostname=host
        )
        self._transport = cast("asyncio.Transport", over_tls)
        self._pipe.connection_made(self._transport)
        return self._transport

    # --- requests and answers ---

    def _send(
        self, transport: asyncio.Transport, head: h11.Request, name: bytes, secret: str | None
    ) -> None:
        """Send a request, with the secret in the header ``name``.

        The header is added to the bytes: h11's own objects would show it in a traceback.
        """
        plain = self._new_http.send(head) or b""
        self._new_http.send(h11.EndOfMessage())
        header = SecretBytes(b"" if secret is None else name + b": " + secret.encode() + b"\r\n")
        transport.write(SecretBytes(plain[:-2] + header + b"\r\n"))

    async def _read_head(self) -> h11.Response:
        while not isinstance(event := await self._next_event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise UnansweredError("malformed", _NO_HTTP, again=True)
        return event

    async def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._new_http.next_event()) is h11.NEED_DATA:
            data = await self._pipe.read()
            if not data and self._new_http.their_state is h11.SEND_RESPONSE:
                detail = "no answer: the connection was closed"
                raise UnansweredError("unavailable", detail, again=True)
            self._new_http.receive_data(data)
        return cast("h11.Event | type[h11.PAUSED]", event)

    async def _wait_for_end(self) -> None:
        """Wait until the connection ends; raise UnansweredError if anything comes before that."""
        self._require_silence("after the answer")
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                self._pipe.pending += await self._pipe.read()
        except TimeoutError:
            detail = "the connection was not closed after the answer, so more data may follow"
            raise UnansweredError("malformed", detail, again=True) from None
        except OSError:
            return  # a connection that breaks after the complete answer has ended, too
        self._require_silence("after the answer")

    def _require_silence(self, when: str) -> None:
        """Raise UnansweredError if data has arrived that belongs to no answer."""
        if self._pipe.pending or self._new_http.trailing_data[0]:
            raise UnansweredError("malformed", f"unexpected data {when}", again=True)


def _new_http() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)


def _unanswered(error: Exception, peer: str) -> UnansweredError:
    """Describe what broke a connection to ``peer``; of an unforeseen error, name only its type."""
    if isinstance(error, UnansweredError):
        return error.with_traceback(None)
    if isinstance(error, h11.RemoteProtocolError):
        if "complete" in str(
            error
        ):  # h11 has one type for a cut answer and for one that is no HTTP
            return UnansweredError("cut-short", "the answer ended early", again=True)
        return UnansweredError("malformed", _NO_HTTP, again=True)
    is_final = isinstance(error, ssl.SSLCertVerificationError)
    detail = f"no answer: {_failure_text(error, peer)}"
    return UnansweredError("unavailable", detail, again=not is_final)


def _failure_text(error: Exception, peer: str) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name {peer} does not resolve"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {peer} is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS with {peer} failed ({error.reason or type(error).__name__})"
    if isinstance(error, OSError):
        return f"the connection to {peer} failed ({error.strerror or type(error).__name__})"
    return type(error).__name__
