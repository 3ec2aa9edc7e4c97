"""The Astra DevOps API: one organization, read by requests that only read.

Types come from the address asked, regions from the datacenters. The list of databases is read
twice with pages of different size, as nothing else tells a whole list from a short one. The last
pages of the second reading end where the first one ended: a page that lacks its last entries is
told by that.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import quote

from inventory.astra.attested import with_database_statements, with_key_statements
from inventory.astra.parse_databases import content_of, parse_databases
from inventory.astra.parse_keys import parse_accounts, parse_keys, parse_view
from inventory.astra.parsing import (
    NOT_FOUND,
    ParsedList,
    Scope,
    id_of,
    list_of,
    malformed,
    organization_id,
    truncate_gaps,
)
from inventory.astra.readings import DATABASES, IDENTITY, LISTS, TERMINATED
from inventory.errors import UnansweredError, too_large
from inventory.files.yaml_json import scope_fields
from inventory.model.gaps import Fact, Gap
from inventory.model.organization import Organization
from inventory.model.vocabulary import lacks_customer_keys
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from inventory.astra.client import AstraClient
    from inventory.astra.config import Configured
    from inventory.evidence.exchange import Exchange
    from inventory.model.database import Database
    from inventory.model.vocabulary import DatabaseType
from inventory.astra.parsing import FetchedOrganization

T = TypeVar("T")

R = TypeVar("R")

PAGES = (100, 99, 98)
"""The largest page in each reading of the list of databases: 100 is the largest there is."""

FACTS: tuple[Fact, ...] = get_args(Fact)

_KEYS: dict[DatabaseType, Fact] = {
    "serverless": "serverless-keys",
    "managed-clusters": "managed-clusters-keys",
}

_NAMED = 3

_BATCH = 100


async def read_organization(line: AstraClient, wanted: Configured) -> FetchedOrganization:
    """Read all of one organization; what could not be read becomes gaps."""
    try:
        own = await line.ask(IDENTITY, organization_id)
    except UnansweredError as error:
        return unread(wanted, _gap("databases", error))
    if wanted.id is not None and own.lower() != wanted.id.lower():
        detail = f"the token in {wanted.token} is of organization {describe(own)}"
        return unread(wanted, Gap(fact="databases", reason="wrong-organization", detail=detail))
    return await _read_all(line, wanted.model_copy(update={"id": wanted.id or own}))


def unread(wanted: Configured, why: Gap) -> FetchedOrganization:
    """Return an organization of which nothing was read, ``why`` whatever its fact."""
    gaps = tuple(why.model_copy(update={"fact": fact}) for fact in FACTS)
    lists: dict[str, Any] = dict.fromkeys(("keys", "databases"), ())
    return FetchedOrganization(_organization(wanted, lists, gaps), {})


async def _read_all(line: AstraClient, wanted: Configured) -> FetchedOrganization:
    identity = wanted.id or ""
    serverless, classic, (databases, gone) = await asyncio.gather(
        _keys(line, "serverless", identity),
        _keys(line, "managed-clusters", identity),
        _all_databases(line, identity),
    )
    keys = with_key_statements([*serverless.entries, *classic.entries], wanted)
    stated = with_database_statements([*databases.entries, *gone], wanted)
    registered = _viewed(scope_fields(key) for key in keys.entries)
    scopes = _viewed((*registered, *_scopes(stated.entries)))
    views = await _views(line, scopes, identity)
    accounts = await _accounts(line, registered, identity)
    told: dict[Fact, ParsedList] = {
        "databases": databases,
        "serverless-keys": serverless,
        "managed-clusters-keys": classic,
        "region-views": views,
        "vendor-accounts": accounts,
    }
    lists = {"keys": keys, "databases": stated, "region_views": views, "vendor_accounts": accounts}
    unmet = [gap for gap in (*keys.gaps, *stated.gaps) if not told[gap.fact].gaps]
    gaps = (*(gap for each in told.values() for gap in each.gaps), *unmet)
    entries = {name: tuple(each.entries) for name, each in lists.items()}
    return FetchedOrganization(_organization(wanted, entries, gaps), told)


def _organization(wanted: Configured, lists: dict[str, Any], gaps: tuple[Gap, ...]) -> Organization:
    return Organization(
        id=wanted.id or f"unknown-{wanted.token}",
        name=wanted.name,
        plan=wanted.plan,
        azure_preview=wanted.azure_preview,
        no_databases=wanted.no_databases,
        policy=wanted.policy,
        support_cases=wanted.support_cases,
        gaps=gaps,
        **lists,
    )


def _gap(fact: Fact, error: UnansweredError) -> Gap:
    return Gap.model_validate({"fact": fact, "reason": error.reason, "detail": error.detail})


async def _keys(line: AstraClient, database_type: DatabaseType, identity: str) -> ParsedList:
    read = partial(parse_keys, database_type=database_type, organization=identity)
    try:
        return await line.ask(LISTS[database_type], read)
    except UnansweredError as error:
        return ParsedList([], [_gap(_KEYS[database_type], error)])


async def _views(line: AstraClient, scopes: Sequence[Scope], identity: str) -> ParsedList:
    async def view(scope: Scope) -> ParsedList:
        read = partial(parse_view, scope=scope, organization=identity)
        return await line.ask(_address(scope), read, also={NOT_FOUND})

    return await _of_each("region-views", line.width, scopes, view)


async def _accounts(line: AstraClient, scopes: Sequence[Scope], identity: str) -> ParsedList:
    async def accounts(scope: Scope) -> ParsedList:
        read = partial(parse_accounts, scope=scope, organization=identity)
        return await line.ask(f"{_address(scope)}/accounts", read)

    return await _of_each("vendor-accounts", line.width, scopes, accounts)


def _address(scope: Scope) -> str:
    database_type, provider, region = scope
    named = quote(region, safe="").replace(".", "%2E")  # dots alone would lead upwards
    return f"{LISTS[database_type]}/provider/{provider}/region/{named}"


async def _of_each(
    fact: Fact, width: int, scopes: Sequence[Scope], ask: Callable[[Scope], Awaitable[ParsedList]]
) -> ParsedList:
    """Ask for each of ``scopes``, in batches, until a whole batch has told nothing.

    Each of a hundred thousand would be recorded as not asked when time is over. Batches, as their
    borders are the same in a replay, whatever is answered first.
    """

    async def tell(scope: Scope) -> ParsedList:
        try:
            return await ask(scope)
        except UnansweredError as error:
            return ParsedList([], [_gap(fact, error)])

    told: list[ParsedList] = []
    gaps: list[Gap] = []
    while len(told) < len(scopes):
        batch = await _in_parallel(width, scopes[len(told) :][:_BATCH], tell)
        told += batch
        if len(told) < len(scopes) and not any(each.entries for each in batch):
            gaps = [_not_asked(fact, len(scopes) - len(told), batch[-1])]
            break
    entries = [entry for each in told for entry in each.entries]
    return ParsedList(
        entries, truncate_gaps(fact, [*gaps, *(gap for each in told for gap in each.gaps)])
    )


def _not_asked(fact: Fact, count: int, last: ParsedList) -> Gap:
    reason = last.gaps[0].reason
    detail = f"{count:,} more key scopes were not asked for: none of the {_BATCH} before told any"
    return Gap(fact=fact, reason=reason, detail=detail)


async def _in_parallel(width: int, items: Sequence[T], do: Callable[[T], Awaitable[R]]) -> list[R]:
    """Do all ``items``, ``width`` of them at once; return the results in their order."""
    waiting = iter(enumerate(items))
    done: dict[int, R] = {}

    async def work() -> None:
        for place, item in waiting:
            done[place] = await do(item)

    await asyncio.gather(*(work() for _ in range(min(width, len(items)))))
    return [done[place] for place in range(len(items))]


def _viewed(scopes: Iterable[Scope]) -> list[Scope]:
    """Return each scope once; those for which there are no customer keys have nothing to show."""
    return sorted({scope for scope in scopes if not lacks_customer_keys(*scope[:2])})


async def _all_databases(line: AstraClient, identity: str) -> tuple[ParsedList, list[Database]]:
    """Read the databases, and those that are terminated, of which only that is to be known.

    Without the latter one that was terminated would look like one that vanished; so it is no gap
    if they cannot be read.
    """
    databases = await _databases(line, identity)
    pages = _Pages(line, TERMINATED, PAGES[0])
    unread = await pages.read()
    told = parse_databases([pages.found[each] for each in sorted(pages.found)], identity)
    known = {entry.id for entry in databases.entries}
    gone = [each for each in told.entries if each.is_terminated and each.id not in known]
    note = f"terminated: {len(gone):,}{', at least' if unread else ''}"
    return databases._replace(note=f"{databases.note}; {note}"), gone


async def _databases(line: AstraClient, identity: str) -> ParsedList:
    """Read the list until two readings in a row agree, and nothing of an earlier one is missing."""
    readings: list[_Pages] = []
    gaps: list[Gap] = []
    doubts: list[Gap] = []
    for limit in PAGES:
        pages = _Pages(line, DATABASES, limit, len(readings[-1].found) if readings else 0)
        readings.append(pages)
        gaps += await pages.read()
        if gaps or _agree(readings):
            break
    if not gaps and not _agree(readings):
        doubts = [_difference(readings)]
    found: dict[str, tuple[Exchange, int]] = {}
    for pages in readings:
        found |= pages.found
    told = parse_databases([found[each] for each in sorted(found)], identity)
    counts = ", ".join(
        f"{len(reading.found):,} by pages of {reading.limit}" for reading in readings
    )
    return ParsedList(
        told.entries, [*gaps, *told.gaps, *doubts], f"read {len(readings)} times: {counts}"
    )


def _agree(readings: list[_Pages]) -> bool:
    known = [reading.content for reading in readings]
    return len(known) > 1 and known[-1] == known[-2] == set().union(*known)


def _difference(readings: list[_Pages]) -> Gap:
    known = [reading.content for reading in readings]
    odd = sorted({each[0] for each in set().union(*known) - known[0].intersection(*known)})
    counts = ", ".join(f"{len(each.found):,}" for each in readings)
    more = f" and {len(odd) - _NAMED:,} more" if len(odd) > _NAMED else ""
    detail = (
        f"the list was not the same in {len(known)} readings ({counts} databases); not alike in "
        f"all: {', '.join(map(describe, odd[:_NAMED]))}{more}"
    )
    are_same = all(each.found.keys() == readings[0].found.keys() for each in readings)
    return Gap(fact="databases", reason="malformed" if are_same else "cut-short", detail=detail)


class _Pages:
    """One reading of a list of databases, page by page.

    Attributes:
        limit: the size of the largest page.
        found: the answer that holds each database, and its place there, by the database's id.
        content: what the reading says of each database, by its id, that a rule may hang on.
    """

    def __init__(self, line: AstraClient, address: str, limit: int, known: int = 0) -> None:
        """Read by pages of ``limit``, ``known`` databases being known from the reading before."""
        self._address = address
        self.limit = limit
        self.found: dict[str, tuple[Exchange, int]] = {}
        self.content: set[tuple[str, str]] = set()
        self._line = line
        self._known = known

    async def read(self) -> list[Gap]:
        """Read until a page is empty; return why that was not possible, if it was not.

        A page that is not full proves nothing: more may follow it.
        """
        after = ""
        try:
            for _ in range(self._line.most_pages):
                address = f"{self._address}&limit={self._size()}{after}"
                exchange = await self._line.ask(address, _as_list)
                entries = list_of(exchange)
                if not entries:
                    return []
                if odd := self._take(exchange, entries):
                    return [odd]
                after = f"&starting_after={quote(id_of(entries[-1]), safe='')}"
        except UnansweredError as error:
            return [_gap("databases", error)]
        what = f"more than {self._line.most_pages:,} pages in one list"
        return [_gap("databases", too_large(what, "most_pages"))]

    def _size(self) -> int:
        """Return the size of the next page, which ends at the latest where a reading ended."""
        left = self._known - len(self.found)
        return min(self.limit, left) if left > 0 else self.limit

    def _take(self, exchange: Exchange, entries: list[Any]) -> Gap | None:
        ids = [id_of(entry) for entry in entries]
        new = {each: (exchange, place) for place, each in enumerate(ids) if each}
        repeated = sorted(new.keys() & self.found.keys())
        self.found = new | self.found
        self.content |= {(each, told) for each in new for told in content_of(entries[new[each][1]])}
        if "" in ids:
            detail = f"{ids.count('')} entries without an id ({exchange.seen()})"
            return Gap(fact="databases", reason="malformed", detail=detail)
        if repeated or len(new) < len(ids):
            first = repeated[0] if repeated else Counter(ids).most_common(1)[0][0]
            detail = f"a page repeats {describe(first)}"
            return Gap(fact="databases", reason="cut-short", detail=f"{detail} ({exchange.seen()})")
        return None


def _as_list(exchange: Exchange) -> Exchange:
    """Return the answer if it holds a page; ``null`` is none, and does not end the list."""
    if exchange.value is None:
        raise malformed(exchange, "a list")
    list_of(exchange)
    return exchange


def _scopes(databases: Iterable[Database]) -> set[Scope]:
    """Return where living databases are; those of unknown type count as of both types."""
    return {
        (database_type, region.provider or database.provider, region.name)
        for database in databases
        if not database.is_terminated
        for region in database.regions
        for database_type in (LISTS if database.type == "unknown" else (database.type,))
    }
