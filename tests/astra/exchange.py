"""One request in progress: the right answer to it, and the means to give that or another one."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
COOKIE = "astra_visitor=not-a-real-cookie; Path=/; HttpOnly"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER, no time left: closing sends RST
_request_numbers = count(1)


def encoded(content: object) -> bytes:
    """Return ``content`` as compact JSON."""
    return json.dumps(content, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Page:
    """A part of a list: at most ``limit`` of its encoded entries, those from ``start`` on."""

    entries: Sequence[bytes]
    start: int
    limit: int

    @property
    def body(self) -> bytes:
        return b"[" + b",".join(self.entries[self.start : self.start + self.limit]) + b"]"


@dataclass(frozen=True)
class Answer:
    """An answer; ``page`` is what its body was made from, if that is a list."""

    status: int
    body: bytes
    type: str | None = JSON
    headers: tuple[tuple[str, str], ...] = ()
    page: Page | None = None

    def head(self, *, length: bool = True) -> Message:
        """Return the message that starts this answer, with or without the body's length."""
        headers = [("x-request-id", f"{next(_request_numbers):032x}"), ("set-cookie", COOKIE)]
        headers += [] if "date" in dict(self.headers) else [("date", formatdate(usegmt=True))]
        headers += [("content-type", self.type)] if self.type else []
        headers += [("content-length", str(len(self.body)))] if length else []
        lines = [(name.encode(), value.encode()) for name, value in (*headers, *self.headers)]
        return {"type": "http.response.start", "status": self.status, "headers": lines}

    @property
    def raw(self) -> bytes:
        """Return all of it as it goes over a connection."""
        head = self.head()
        lines = [b"HTTP/1.1 %d Told" % self.status, *map(b": ".join, head["headers"])]
        return b"\r\n".join([*lines, b"", self.body])


def page_answer(page: Page) -> Answer:
    """Return a page as an answer."""
    return Answer(200, page.body, page=page)


def errors_answer(status: int, message: str, number: int = 340002) -> Answer:
    """Return an answer with the interface's own errors object."""
    return Answer(status, encoded({"errors": [{"ID": number, "message": message}]}))


NO_PAGE = Answer(404, b"404 page not found", TEXT)
WRONG_TOKEN = errors_answer(401, "no bearer token in request")
FORBIDDEN = errors_answer(403, "missing permission", 340018)


@dataclass(frozen=True)
class Channel:
    """The way back to the client: ASGI for what is proper, the connection itself for the rest."""

    receive: Receive
    send: Send
    transport: asyncio.Transport

    @property
    def closed(self) -> bool:
        return self.transport.is_closing()

    async def give(self, answer: Answer) -> None:
        """Give a whole answer."""
        await self.send(answer.head())
        await self.piece(answer.body, more=False)

    async def piece(self, data: bytes, *, more: bool = True) -> None:
        """Give a piece of a body; no ``more`` ends it."""
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    def write(self, data: bytes) -> None:
        """Write to the connection itself, past all rules of HTTP."""
        self.transport.write(data)

    async def until_closed(self) -> None:
        """Wait, without a word, until the connection has ended."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def close(self) -> None:
        """Close the connection as one that has come to its end."""
        self.transport.close()
        await self.until_closed()

    async def reset(self) -> None:
        """Break the connection by RST."""
        own = self.transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()
        await self.until_closed()


@dataclass(frozen=True)
class Exchange:
    """A request of an organization that is to be answered wrongly.

    Attributes:
        address: the name of what was asked for.
        path: the path that was asked for.
        token: the bearer token that came with the request.
        number: which request of this organization for this address it is, from 1.
        right: the right answer.
        elsewhere: the address of another server, on which nobody has any business.
        channel: the way back to the client.
    """

    address: str
    path: str
    token: str
    number: int
    right: Answer
    elsewhere: str
    channel: Channel
