"""A share of the organizations, read in one process by workers in fixed number."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from inventory.astra import Read, read_organization, unread
from inventory.configured import Configured, Organizations, token_of
from inventory.errors import SettingError
from inventory.gaps import Gap
from inventory.line import Line, Ways
from inventory.readings import with_readings
from inventory.recording import ExchangeWriter, ShareWriter, Tally
from inventory.secrets import Scrubber, Token
from inventory.transports import LanesTransport, Limits, RecordingTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_OBJECTS = 100_000
_LOGGERS = ("httpx", "httpcore")


class Share(NamedTuple):
    """What one process has to read.

    Attributes:
        wanted: the organizations of this share, and how Astra is asked.
        numbers: the place of each in the whole, from 1.
        staging: the folder in which the bundle grows.
        connections: how many requests may be under way in this process at once.
        until: the time at which the time for all is over, in seconds since 1970.
    """

    wanted: Organizations
    numbers: tuple[int, ...]
    staging: str
    connections: int
    until: float


class Done(NamedTuple):
    """One organization is done: its name, and how many requests that took."""

    name: str
    requests: int


def read_share(share: Share, environment: Mapping[str, str], tell: Callable[[Done], None]) -> Tally:
    """Read and write the organizations of ``share``, with tokens from ``environment``.

    Raises LeakError if a secret would be written, and OSError if the disk refuses.
    """
    writer = ShareWriter(Path(share.staging))
    try:
        with _silent(), _less_collecting():
            asyncio.run(_Reading(share, environment, writer, tell).run())
    except BaseExceptionGroup as several:
        first = several.exceptions[0]
        raise (first.stop if isinstance(first, _StoppedError) else first) from None
    finally:
        writer.close()
    return writer.tally


class _StoppedError(Exception):
    """An interruption on its way out of a task: raised as such it would leave the others lying."""

    def __init__(self, stop: BaseException) -> None:
        super().__init__()
        self.stop = stop


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the libraries from logging what they send and receive: headers can echo a token."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _less_collecting() -> Iterator[None]:
    """Let the cyclic collector look less often: answers are many objects without cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


class _Reading:
    """All organizations of a share, each read by one of the workers."""

    def __init__(
        self,
        share: Share,
        environment: Mapping[str, str],
        writer: ShareWriter,
        tell: Callable[[Done], None],
    ) -> None:
        self._share = share
        self._environment = environment
        self._writer = writer
        self._tell = tell
        self._waiting = zip(share.numbers, share.wanted.organizations, strict=True)
        self._ssl = _trust(share.wanted.address)
        self._proxy = proxy_for(share.wanted.address)

    async def run(self) -> None:
        self._slots = asyncio.Semaphore(self._share.connections)
        self._deadline = self._clock() + self._share.until - time.time()
        workers = min(self._share.connections, len(self._share.numbers))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _work(self) -> None:
        async with LanesTransport(self._connection) as transport:
            for number, wanted in self._waiting:
                try:
                    await self._one(transport, number, wanted)
                except (KeyboardInterrupt, SystemExit) as stop:
                    raise _StoppedError(stop) from None

    def _connection(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1)
        return httpx.AsyncHTTPTransport(verify=self._ssl, limits=limits, proxy=self._proxy)

    async def _one(
        self, transport: httpx.AsyncBaseTransport, number: int, wanted: Configured
    ) -> None:
        token = token_of(wanted, self._environment)
        writer = self._writer.begin(number, token)
        if token is None:
            read = without_token(wanted)
        else:
            read = await read_organization(self._line(transport, token, writer), wanted)
        self._writer.end(number, with_readings(read, writer.briefs), writer)
        self._tell(Done(wanted.name, len(writer.briefs)))

    def _line(self, inner: httpx.AsyncBaseTransport, token: Token, writer: ExchangeWriter) -> Line:
        manners, address = self._share.wanted.manners, self._share.wanted.address
        deadline = min(self._deadline, self._clock() + manners.organization_deadline_seconds)
        limits = Limits(manners.timeout_seconds, manners.largest_answer_bytes, deadline)
        transport = RecordingTransport(
            inner, httpx.URL(address), writer.write, Scrubber([token]), limits, writer.folder
        )
        return Line(
            Ways(
                transport,
                address,
                manners,
                self._slots,
                token,
                asyncio.sleep,
                lambda: deadline - self._clock(),
            )
        )


def _trust(address: str) -> ssl.SSLContext:
    """Return whom to trust; for plain HTTP, which is for loopback only, nobody needs to be read."""
    if address.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()


def without_token(wanted: Configured) -> Read:
    """Return an organization that could not be asked, as there was nothing to ask with."""
    detail = f"the environment variable {wanted.token} holds no token"
    return unread(wanted, Gap(fact="databases", reason="no-token", detail=detail))


def proxy_for(address: str) -> str | None:
    """Return the proxy that the environment names for ``address``; None if it names none.

    Plain HTTP goes to this machine only, so a proxy would see the token and could not help.

    Raises SettingError, without repeating it, for a proxy that speaks anything but HTTP.
    """
    url = httpx.URL(address)
    proxies = urllib.request.getproxies()
    if url.scheme == "http" or urllib.request.proxy_bypass(url.host):
        return None
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and not proxy.lower().startswith(("http://", "https://")):
        expected = "an address that begins with http:// or https://"
        raise SettingError(f"the proxy of the environment: found another, expected {expected}")
    return proxy
