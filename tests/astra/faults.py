"""The ways in which the server can misbehave, each a small function in the table ``KINDS``."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.astra.exchange import (
    JSON,
    NO_PAGE,
    TEXT,
    WRONG_TOKEN,
    Answer,
    Exchange,
    Page,
    encoded,
    errors_answer,
    page_answer,
)

Kind = Callable[[Exchange], Awaitable[None]]
Change = Callable[[Any, Exchange], Any]

ADDRESSES = (
    "organization",
    "databases",
    "next-page",
    "serverless-keys",
    "managed-clusters-keys",
    "serverless-view",
    "managed-clusters-view",
    "accounts",
)
PAGES = frozenset({"databases", "next-page"})
KEYS = frozenset({"serverless-keys", "managed-clusters-keys"})
VIEWS = frozenset({"serverless-view", "managed-clusters-view"})
LISTS = PAGES | KEYS

ALWAYS = range(1, sys.maxsize)
FIRST = range(1, 2)

FOREIGN_ORGANIZATION = "0badf00d-0000-4000-8000-00000000beef"
FOREIGN_DATABASE = "0badf00d-0000-4000-8000-0000000000db"
FOREIGN_REGION = "sa-east-1"
LARGE_BODY = 50 * 1024 * 1024
DRIP_SECONDS = 0.2
_OWNERS = ("orgId", "OrganizationID", "organization_id")
_PROVIDERS = ("cloudProvider", "CloudProvider", "provider")
_CHECKED_FIRST = frozenset({*_OWNERS, *_PROVIDERS})
_RECASED = {"aws": "AWS", "AWS": "aws", "gcp": "Gcp", "GCP": "Gcp"}
_RECASED |= {"azure": "Azure", "AZURE": "Azure"}


# --- answers that have nothing to do with the right one -------------------------------------------


def _fixed(answer: Answer) -> Kind:
    async def misbehave(exchange: Exchange) -> None:
        await exchange.channel.give(answer)

    return misbehave


def _json(text: bytes, status: int = 200) -> Kind:
    return _fixed(Answer(status, text))


def _too_many(*headers: tuple[str, str]) -> Kind:
    return _fixed(replace(errors_answer(429, "too many requests"), headers=headers))


_PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>proxy</body></html>"
_DEPTH = 100_000


async def _redirect(exchange: Exchange) -> None:
    location = ("location", exchange.elsewhere + exchange.path)
    await exchange.channel.give(Answer(302, b"", None, (location,)))


async def _echo_token_in_error(exchange: Exchange) -> None:
    answer = errors_answer(401, f"the token {exchange.token} is not valid")
    await exchange.channel.give(replace(answer, headers=_echo(exchange)))


def _echo(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    return (("x-debug-authorization", f"Bearer {exchange.token}"),)


# --- the right answer, broken on its way ----------------------------------------------------------


async def _half(exchange: Exchange) -> None:
    await exchange.channel.send(exchange.right.head())
    await exchange.channel.piece(exchange.right.body[: len(exchange.right.body) // 2])


async def _reset(exchange: Exchange) -> None:
    await _half(exchange)
    await asyncio.sleep(0.02)  # what was sent is to arrive before the reset
    await exchange.channel.reset()


async def _reset_at_once(exchange: Exchange) -> None:
    await exchange.channel.reset()


async def _stall(exchange: Exchange) -> None:
    await _half(exchange)
    await exchange.channel.until_closed()


async def _stall_headers(exchange: Exchange) -> None:
    await exchange.channel.until_closed()


async def _cut_short(exchange: Exchange) -> None:
    await _half(exchange)
    await exchange.channel.close()


async def _drip(exchange: Exchange) -> None:
    channel = exchange.channel
    await channel.send(exchange.right.head())
    for value in exchange.right.body:
        if channel.closed:
            return
        await channel.piece(bytes([value]))
        await asyncio.sleep(DRIP_SECONDS)
    await channel.piece(b"", more=False)


async def _large(exchange: Exchange) -> None:
    channel = exchange.channel
    await channel.send(exchange.right.head(length=False))
    await channel.piece(exchange.right.body)
    blank = b" " * 65_536
    for _ in range(LARGE_BODY // len(blank)):
        if channel.closed:
            return
        await channel.piece(blank)
    await channel.piece(b"", more=False)


@cache
def _packed_blank() -> Any:  # noqa: ANN401 (zlib does not export the type)
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return packer, packer.compress(b" " * (LARGE_BODY + 1))


async def _gzip_bomb(exchange: Exchange) -> None:
    packer, start = _packed_blank()
    own = packer.copy()
    body = start + own.compress(exchange.right.body) + own.flush()
    await exchange.channel.give(Answer(200, body, headers=(("content-encoding", "gzip"),)))


async def _sent_twice(exchange: Exchange) -> None:
    exchange.channel.write(exchange.right.raw)
    await exchange.channel.give(exchange.right)


async def _unasked_first(exchange: Exchange) -> None:
    exchange.channel.write(Answer(200, b"[]").raw)
    await exchange.channel.give(exchange.right)


async def _surplus_later(exchange: Exchange) -> None:
    exchange.channel.write(exchange.right.raw)
    await asyncio.sleep(0.02)
    await _sent_twice(exchange)


# --- the right answer, changed --------------------------------------------------------------------


def _changed(change: Callable[[Exchange], Answer]) -> Kind:
    async def misbehave(exchange: Exchange) -> None:
        await exchange.channel.give(change(exchange))

    return misbehave


def _rewritten(change: Change) -> Kind:
    """Return the kind that changes the content of the right answer, unless that is an error."""

    def changed(exchange: Exchange) -> Answer:
        right = exchange.right
        if right.status != 200:
            return right
        return replace(right, body=encoded(change(json.loads(right.body), exchange)))

    return _changed(changed)


def _truncated(exchange: Exchange) -> Answer:
    return replace(exchange.right, body=exchange.right.body[: len(exchange.right.body) // 2])


def _wrong_type(exchange: Exchange) -> Answer:
    return replace(exchange.right, type="text/html; charset=utf-8")


def _no_type(exchange: Exchange) -> Answer:
    return replace(exchange.right, type=None)


def _two_members(exchange: Exchange) -> Answer:
    body = gzip.compress(exchange.right.body) + gzip.compress(b" ")
    return replace(exchange.right, body=body, headers=(("content-encoding", "gzip"),))


def _dated(date: str) -> Kind:
    return _changed(lambda exchange: replace(exchange.right, headers=(("date", date),)))


def _not_utf8(exchange: Exchange) -> Answer:
    broken = exchange.right.body.replace(b'":"', b'":"\xff', 1)
    return replace(exchange.right, body=broken if b"\xff" in broken else b'["\xff"]')


def _duplicate_keys(exchange: Exchange) -> Answer:
    first = next(iter(_objects(json.loads(exchange.right.body))), {"id": ""})
    name = next(iter(first)).encode()
    body = exchange.right.body if b"{" in exchange.right.body else b"[{}]"
    return replace(exchange.right, body=body.replace(b"{", b'{"' + name + b'":"twice",', 1))


def _page_before(exchange: Exchange) -> Answer:
    page = _page(exchange)
    return page_answer(replace(page, start=max(0, page.start - page.limit)))


def _first_page(exchange: Exchange) -> Answer:
    return page_answer(replace(_page(exchange), start=0))


def _shrunk(exchange: Exchange) -> Answer:
    page = _page(exchange)
    left = max(0, len(page.entries) - exchange.number + 1)
    return page_answer(replace(page, entries=page.entries[:left]))


def _page(exchange: Exchange) -> Any:  # noqa: ANN401 (a page, as the table of places sees to)
    return exchange.right.page


def _without_end(exchange: Exchange) -> Answer:
    page = _page(exchange)
    ids = (str(uuid5(NAMESPACE_URL, f"{exchange.number}/{number}")) for number in range(page.limit))
    template = json.loads(page.entries[0])
    entries = [encoded(template | {"id": identity}) for identity in sorted(ids)]
    return page_answer(Page(entries, 0, page.limit))


def _short_page(content: list[Any], exchange: Exchange) -> list[Any]:
    return content[: max(1, len(content) // 2)]


def _cut_list(content: list[Any], exchange: Exchange) -> list[Any]:
    return content[:-2]


def _wrong_organization(content: Any, exchange: Exchange) -> Any:  # noqa: ANN401
    for entry in _objects(content):
        entry |= {_owner(entry): FOREIGN_ORGANIZATION}
    return content


def _foreign_entry(content: list[dict[str, Any]], exchange: Exchange) -> list[Any]:
    if not content:
        return content
    text = json.dumps(content[0])
    if exchange.address in KEYS:
        text = text.replace(content[0]["Region"], FOREIGN_REGION)
    foreign = json.loads(text) | {_owner(content[0]): FOREIGN_ORGANIZATION}
    foreign |= {"id": FOREIGN_DATABASE} if exchange.address in PAGES else {}
    full = exchange.address in PAGES and len(content) == _page(exchange).limit
    return [foreign, *content[: len(content) - full]]


def _mixed_casing(content: Any, exchange: Exchange) -> Any:  # noqa: ANN401
    content = _with_providers(content, lambda name: _RECASED.get(name, name))
    for entry in _objects(content):
        entry |= {_owner(entry): entry[_owner(entry)].upper()}
    return content


def _unknown_provider(content: Any, exchange: Exchange) -> Any:  # noqa: ANN401
    changed = _with_providers(content, lambda name: "oracle" if name in _RECASED else name)
    return [*changed[:1], *content[1:]] if isinstance(content, list) else changed


def _with_providers(content: Any, rename: Callable[[str], str], field: str = "") -> Any:  # noqa: ANN401
    """Return ``content`` with all its providers renamed, be they values or names of fields."""
    if isinstance(content, dict):
        items = content.items()
        return {rename(name): _with_providers(value, rename, name) for name, value in items}
    if isinstance(content, list):
        return [_with_providers(part, rename) for part in content]
    return rename(content) if field in _PROVIDERS else content


def _missing_fields(content: Any, exchange: Exchange) -> Any:  # noqa: ANN401
    objects = _objects(content)
    if exchange.address in PAGES:
        for last in objects[-1:]:
            del last["info"]["datacenters"]
    for first in objects[:1]:
        place = next((first[name] for name in _RECASED if name in first), first)
        for name in ("id", "KeyID", "keyID", "provider_id"):
            place.pop(name, None)
    return content


def _half_characters(content: Any, exchange: Exchange) -> Any:  # noqa: ANN401
    """Let half a character follow each text but those by which an entry is refused sooner."""
    if isinstance(content, list):
        return [_half_characters(part, exchange) for part in content]
    if isinstance(content, dict):
        return {
            name: value if name in _CHECKED_FIRST else _half_characters(value, exchange)
            for name, value in content.items()
        }
    return f"{content}\ud800" if isinstance(content, str) else content


def _echo_token(exchange: Exchange) -> Answer:
    right = replace(exchange.right, headers=_echo(exchange))
    if right.status != 200:
        return right
    content = json.loads(right.body)
    for entry in _objects(content)[:1]:
        entry["message"] = f"asked with {exchange.token}"
        if exchange.address in PAGES:
            entry["info"]["name"] = exchange.token
            entry["info"]["datacenters"][0]["secureBundleUrl"] += f"&token={exchange.token}"
    return replace(right, body=encoded(content))


def _objects(content: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return content if isinstance(content, list) else [content]


def _owner(entry: dict[str, Any]) -> str:
    return next((name for name in _OWNERS if name in entry), "id")


# --- the table ------------------------------------------------------------------------------------

KINDS: dict[str, Kind] = {
    "401": _fixed(WRONG_TOKEN),
    "403-errors": _fixed(errors_answer(403, "access denied", 340018)),
    "403-text": _json(b'"access denied"', 403),
    "404-text": _fixed(NO_PAGE),
    "404-errors": _fixed(errors_answer(404, "not found", 340004)),
    "429": _too_many(),
    "429-retry-after": _too_many(("retry-after", "0")),
    "429-retry-after-long": _too_many(("retry-after", "3600")),
    "500": _fixed(errors_answer(500, "internal error", 340000)),
    "502-html": _fixed(Answer(502, _PROXY_PAGE, "text/html")),
    "503": _fixed(Answer(503, b"", TEXT)),
    "reset-at-once": _reset_at_once,
    "reset": _reset,
    "stall": _stall,
    "stall-headers": _stall_headers,
    "truncated-json": _changed(_truncated),
    "cut-short": _cut_short,
    "null": _json(b"null"),
    "[]": _json(b"[]"),
    "{}": _json(b"{}"),
    "string": _json(b'"not what was asked for"'),
    "wrong-type": _changed(_wrong_type),
    "no-type": _changed(_no_type),
    "not-utf8": _changed(_not_utf8),
    "duplicate-keys": _changed(_duplicate_keys),
    "deep": _fixed(Answer(200, b"[" * _DEPTH + b"]" * _DEPTH, JSON)),
    "duplicate-page": _changed(_page_before),
    "page-loop": _changed(_first_page),
    "short-page": _rewritten(_short_page),
    "shrinking": _changed(_shrunk),
    "cut-list": _rewritten(_cut_list),
    "wrong-organization": _rewritten(_wrong_organization),
    "foreign-entry": _rewritten(_foreign_entry),
    "mixed-casing": _rewritten(_mixed_casing),
    "unknown-provider": _rewritten(_unknown_provider),
    "missing-fields": _rewritten(_missing_fields),
    "50-mb": _large,
    "gzip-bomb": _gzip_bomb,
    "two-gzip-members": _changed(_two_members),
    "sent-twice": _sent_twice,
    "unasked-first": _unasked_first,
    "surplus-later": _surplus_later,
    "without-end": _changed(_without_end),
    "half-characters": _rewritten(_half_characters),
    "no-date": _dated("Fri, 99 Nov -0001 25:61:61 +9999"),
    "far-date": _dated("Fri, 31 Dec 9999 23:59:59 -2359"),
    "redirect": _redirect,
    "drip": _drip,
    "echo-token": _changed(_echo_token),
    "echo-token-401": _echo_token_in_error,
}

_NEXT_PAGE = frozenset({"next-page"})
ONLY_AT: dict[str, tuple[frozenset[str], str]] = {
    "duplicate-page": (_NEXT_PAGE, "only a further page has one before it"),
    "page-loop": (_NEXT_PAGE, "only a further page can be the first one again"),
    "without-end": (_NEXT_PAGE, "only further pages can have no end"),
    "short-page": (PAGES, "only databases come in pages"),
    "shrinking": (LISTS, "only a list can shrink"),
    "cut-list": (LISTS, "only a list can be cut between its entries"),
    "foreign-entry": (LISTS | {"accounts"}, "only a list has entries"),
    "unknown-provider": (frozenset(ADDRESSES[1:]), "an organization has no provider"),
}


def applies(kind: str, address: str) -> bool:
    """Tell whether a kind of fault makes sense for an address; ``ONLY_AT`` says why if not."""
    places, _ = ONLY_AT.get(kind, (frozenset(ADDRESSES), ""))
    return address in places


@dataclass(frozen=True)
class Fault:
    """A misbehaviour at an address, of certain requests of one organization or of each.

    Attributes:
        kind: a name of ``KINDS``.
        address: a name of ``ADDRESSES``.
        requests: the numbers of the requests it hits, counted from 1 for each address and
            organization: ``ALWAYS``, ``FIRST`` or any other.
        organization: the id of the only organization it hits.
    """

    kind: str
    address: str
    requests: Container[int] = ALWAYS
    organization: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not applies(self.kind, self.address):
            raise ValueError(f"no fault {self.kind!r} at {self.address!r}")

    def hits(self, address: str, organization: str, number: int) -> bool:
        """Tell whether this fault hits a request."""
        own = self.organization in {None, organization}
        return own and self.address == address and number in self.requests
