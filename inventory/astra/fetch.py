"""Fetches one organization from the Astra DevOps API, by requests that only read.

The type of a key comes from the address of its list, the regions of a database from its
datacenters. The list of databases is read twice with pages of different sizes, as nothing else
distinguishes a complete list from a short one. The last pages of the second reading end where the
first one ended: that reveals a page that lacks its last entries.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import quote

from inventory.astra.attested import apply_database_statements, apply_key_statements
from inventory.astra.endpoints import (
    DATABASES,
    IDENTITY,
    KEY_LISTS,
    TERMINATED_DATABASES,
    accounts_address,
    region_view_address,
)
from inventory.astra.parse_databases import judged_content, parse_databases
from inventory.astra.parse_keys import parse_accounts, parse_keys, parse_view
from inventory.astra.parsing import (
    NOT_FOUND,
    FetchedOrganization,
    ParsedList,
    id_of,
    list_of,
    malformed,
    organization_id,
    truncate_gaps,
)
from inventory.errors import UnansweredError, too_large
from inventory.files.yaml_json import scope_fields
from inventory.model.gaps import Fact, Gap, ListPass, TerminatedCount
from inventory.model.organization import Organization
from inventory.model.vocabulary import lacks_customer_keys
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from inventory.astra.client import AstraClient
    from inventory.astra.config import OrganizationConfig
    from inventory.astra.endpoints import Scope
    from inventory.evidence.exchange import Exchange
    from inventory.model.database import Database
    from inventory.model.vocabulary import DatabaseType

T = TypeVar("T")
R = TypeVar("R")

PAGE_SIZES = (100, 99, 98)
"""The page size of each reading of the list of databases; 100 is the largest that Astra allows."""

FACTS: tuple[Fact, ...] = get_args(Fact)

_KEY_FACTS: dict[DatabaseType, Fact] = {
    "serverless": "serverless-keys",
    "managed-clusters": "managed-clusters-keys",
}

_MOST_NAMED = 3

_BATCH = 100


async def fetch_organization(
    client: AstraClient, config: OrganizationConfig
) -> FetchedOrganization:
    """Read all of one organization; what could not be read becomes gaps."""
    try:
        identity = await client.get(IDENTITY, organization_id)
    except UnansweredError as error:
        return unread_organization(config, _error_gap("databases", error))
    if config.id is not None and identity.lower() != config.id.lower():
        detail = f"the token in {config.token} belongs to organization {describe(identity)}"
        gap = Gap(fact="databases", reason="wrong-organization", detail=detail)
        return unread_organization(config, gap)
    return await _fetch_all(client, config.model_copy(update={"id": config.id or identity}))


def unread_organization(config: OrganizationConfig, gap: Gap) -> FetchedOrganization:
    """Return an organization of which nothing was read: every fact has ``gap``."""
    gaps = tuple(gap.model_copy(update={"fact": fact}) for fact in FACTS)
    lists: dict[str, Any] = dict.fromkeys(("keys", "databases"), ())
    return FetchedOrganization(_build_organization(config, lists, gaps), {})


async def _fetch_all(client: AstraClient, config: OrganizationConfig) -> FetchedOrganization:
    identity = config.id or ""
    serverless, classic, (databases, terminated) = await asyncio.gather(
        _fetch_keys(client, "serverless", identity),
        _fetch_keys(client, "managed-clusters", identity),
        _fetch_databases(client, identity),
    )
    keys = apply_key_statements([*serverless.entries, *classic.entries], config)
    stated = apply_database_statements([*databases.entries, *terminated], config)
    key_scopes = _unique_key_scopes(scope_fields(key) for key in keys.entries)
    scopes = _unique_key_scopes((*key_scopes, *_database_scopes(stated.entries)))
    views = await _fetch_views(client, scopes, identity)
    planned = map(scope_fields, config.planned_scopes)
    needed = _unique_key_scopes((*key_scopes, *planned))
    accounts = await _fetch_accounts(client, needed, identity)
    parsed: dict[Fact, ParsedList] = {
        "databases": databases,
        "serverless-keys": serverless,
        "managed-clusters-keys": classic,
        "region-views": views,
        "vendor-accounts": accounts,
    }
    lists = {"keys": keys, "databases": stated, "region_views": views, "vendor_accounts": accounts}
    entries = {name: tuple(parsed_list.entries) for name, parsed_list in lists.items()}
    # If a list has gaps, the entry that a statement is about may be among what is missing.
    unlisted = [gap for gap in (*keys.gaps, *stated.gaps) if not parsed[gap.fact].gaps]
    gaps = (*(gap for parsed_list in parsed.values() for gap in parsed_list.gaps), *unlisted)
    return FetchedOrganization(_build_organization(config, entries, gaps), parsed)


def _build_organization(
    config: OrganizationConfig, lists: dict[str, Any], gaps: tuple[Gap, ...]
) -> Organization:
    return Organization(
        id=config.id or f"unknown-{config.token}",
        name=config.name,
        owner=config.owner,
        plan=config.plan,
        azure_preview=config.azure_preview,
        no_databases=config.no_databases,
        policy=config.policy,
        support_cases=config.support_cases,
        gaps=gaps,
        **lists,
    )


def _error_gap(fact: Fact, error: UnansweredError) -> Gap:
    return Gap.model_validate({"fact": fact, "reason": error.reason, "detail": error.detail})


async def _fetch_keys(
    client: AstraClient, database_type: DatabaseType, identity: str
) -> ParsedList:
    parse = partial(parse_keys, database_type=database_type, organization=identity)
    try:
        return await client.get(KEY_LISTS[database_type], parse)
    except UnansweredError as error:
        return ParsedList([], [_error_gap(_KEY_FACTS[database_type], error)])


async def _fetch_views(client: AstraClient, scopes: Sequence[Scope], identity: str) -> ParsedList:
    async def fetch(scope: Scope) -> ParsedList:
        parse = partial(parse_view, scope=scope, organization=identity)
        return await client.get(region_view_address(scope), parse, accept={NOT_FOUND})

    return await _fetch_by_scope("region-views", client.concurrency, scopes, fetch)


async def _fetch_accounts(
    client: AstraClient, scopes: Sequence[Scope], identity: str
) -> ParsedList:
    async def fetch(scope: Scope) -> ParsedList:
        parse = partial(parse_accounts, scope=scope, organization=identity)
        return await client.get(accounts_address(scope), parse)

    return await _fetch_by_scope("vendor-accounts", client.concurrency, scopes, fetch)


async def _fetch_by_scope(
    fact: Fact,
    concurrency: int,
    scopes: Sequence[Scope],
    fetch: Callable[[Scope], Awaitable[ParsedList]],
) -> ParsedList:
    """Fetch each of ``scopes``, in batches, until a whole batch has returned no entry.

    Otherwise each of a hundred thousand scopes would be recorded as not requested once the time is
    over. The borders of batches are the same in a replay, whichever answer comes first.
    """

    async def fetch_or_gap(scope: Scope) -> ParsedList:
        try:
            return await fetch(scope)
        except UnansweredError as error:
            return ParsedList([], [_error_gap(fact, error)])

    parsed: list[ParsedList] = []
    gaps: list[Gap] = []
    while len(parsed) < len(scopes):
        batch = await _run_concurrently(concurrency, scopes[len(parsed) :][:_BATCH], fetch_or_gap)
        parsed += batch
        skipped = len(scopes) - len(parsed)
        if skipped and not any(answer.entries for answer in batch):
            gaps = [_skipped_gap(fact, skipped, batch[-1])]
            break
    entries = [entry for answer in parsed for entry in answer.entries]
    gaps += [gap for answer in parsed for gap in answer.gaps]
    return ParsedList(entries, truncate_gaps(fact, gaps))


def _skipped_gap(fact: Fact, count: int, last: ParsedList) -> Gap:
    reason = last.gaps[0].reason
    detail = (
        f"{count:,} more key scopes were not requested: "
        f"none of the {_BATCH} before returned an entry"
    )
    return Gap(fact=fact, reason=reason, detail=detail)


async def _run_concurrently(
    limit: int, items: Sequence[T], run: Callable[[T], Awaitable[R]]
) -> list[R]:
    """Run ``items``, at most ``limit`` of them at once; return the results in their order."""
    waiting = iter(enumerate(items))
    results: dict[int, R] = {}

    async def work() -> None:
        for index, item in waiting:  # shared: each worker takes the next item
            results[index] = await run(item)

    await asyncio.gather(*(work() for _ in range(min(limit, len(items)))))
    return [results[index] for index in range(len(items))]


def _unique_key_scopes(scopes: Iterable[Scope]) -> list[Scope]:
    """Return each scope once, without those for which customer keys do not exist."""
    return sorted({scope for scope in scopes if not lacks_customer_keys(*scope[:2])})


async def _fetch_databases(client: AstraClient, identity: str) -> tuple[ParsedList, list[Database]]:
    """Read the databases, and those that are terminated, of which nothing else has to be known.

    Without the second list a terminated database would look like one that vanished; so it is no gap
    if that list cannot be read.
    """
    databases = await _read_until_stable(client, identity)
    reading = _ListReading(client, TERMINATED_DATABASES, PAGE_SIZES[0])
    is_partial = bool(await reading.read())
    parsed = parse_databases(_in_order(reading.positions), identity)
    listed = {entry.id for entry in databases.entries}
    terminated = [
        entry for entry in parsed.entries if entry.is_terminated and entry.id not in listed
    ]
    count = TerminatedCount(entries=len(terminated), complete=not is_partial)
    return databases._replace(terminated=count), terminated


async def _read_until_stable(client: AstraClient, identity: str) -> ParsedList:
    """Read the list until two readings agree and hold all that any earlier one has held."""
    readings: list[_ListReading] = []
    gaps: list[Gap] = []
    doubts: list[Gap] = []
    for limit in PAGE_SIZES:
        known = len(readings[-1].positions) if readings else 0
        readings.append(_ListReading(client, DATABASES, limit, known))
        gaps += await readings[-1].read()
        if gaps or _is_stable(readings):
            break
    if not gaps and not _is_stable(readings):
        doubts = [_difference_gap(readings)]
    positions: dict[str, tuple[Exchange, int]] = {}
    for reading in readings:
        positions |= reading.positions
    parsed = parse_databases(_in_order(positions), identity)
    passes = tuple(
        ListPass(entries=len(reading.positions), page_size=reading.limit) for reading in readings
    )
    return ParsedList(parsed.entries, [*gaps, *parsed.gaps, *doubts], passes=passes)


def _in_order(positions: dict[str, tuple[Exchange, int]]) -> list[tuple[Exchange, int]]:
    """Return the positions in the order of the databases' ids, which is the same in a replay."""
    return [positions[identity] for identity in sorted(positions)]


def _is_stable(readings: list[_ListReading]) -> bool:
    contents = [reading.content for reading in readings]
    return len(contents) > 1 and contents[-1] == contents[-2] == set().union(*contents)


def _difference_gap(readings: list[_ListReading]) -> Gap:
    contents = [reading.content for reading in readings]
    in_some_only = set().union(*contents) - contents[0].intersection(*contents)
    different = sorted({identity for identity, _ in in_some_only})
    counts = ", ".join(f"{len(reading.positions):,}" for reading in readings)
    names = ", ".join(map(describe, different[:_MOST_NAMED]))
    more = f" and {len(different) - _MOST_NAMED:,} more" if len(different) > _MOST_NAMED else ""
    detail = f"{len(readings)} readings of the list differ ({counts} databases), in: {names}{more}"
    ids = readings[0].positions.keys()
    has_same_ids = all(reading.positions.keys() == ids for reading in readings)
    return Gap(fact="databases", reason="malformed" if has_same_ids else "cut-short", detail=detail)


class _ListReading:
    """One reading of a list of databases, page by page.

    Attributes:
        limit: the size of the largest page.
        positions: the answer that holds each database, and its index there, by the database's id.
        content: each database's id with the values that rules depend on.
    """

    def __init__(self, client: AstraClient, address: str, limit: int, known: int = 0) -> None:
        """Read by pages of ``limit``; ``known`` databases were in the reading before."""
        self.limit = limit
        self.positions: dict[str, tuple[Exchange, int]] = {}
        self.content: set[tuple[str, str]] = set()
        self._address = address
        self._client = client
        self._known = known

    async def read(self) -> list[Gap]:
        """Read until a page is empty; return the gap that ended the reading before that.

        A page that is not full proves nothing: more may follow it.
        """
        after = ""
        try:
            for _ in range(self._client.most_pages):
                address = f"{self._address}&limit={self._page_size()}{after}"
                exchange = await self._client.get(address, _require_page)
                entries = list_of(exchange)
                if not entries:
                    return []
                if gap := self._add_page(exchange, entries):
                    return [gap]
                after = f"&starting_after={quote(id_of(entries[-1]), safe='')}"
        except UnansweredError as error:
            return [_error_gap("databases", error)]
        found = f"more than {self._client.most_pages:,} pages in one list"
        return [_error_gap("databases", too_large(found, "most_pages"))]

    def _page_size(self) -> int:
        """Return the size of the next page, so that it ends where the last reading ended."""
        left = self._known - len(self.positions)
        return min(self.limit, left) if left > 0 else self.limit

    def _add_page(self, exchange: Exchange, entries: list[Any]) -> Gap | None:
        """Add the databases of a page; return a gap if the next page cannot follow it."""
        ids = [id_of(entry) for entry in entries]
        new = {identity: (exchange, index) for index, identity in enumerate(ids) if identity}
        repeated = sorted(new.keys() & self.positions.keys())
        self.positions = new | self.positions
        self.content |= {
            (identity, value)
            for identity, (_, index) in new.items()
            for value in judged_content(entries[index])
        }
        if "" in ids:
            detail = f"{ids.count('')} entries without an id ({exchange.location()})"
            return Gap(fact="databases", reason="malformed", detail=detail)
        if repeated or len(new) < len(ids):
            first = repeated[0] if repeated else Counter(ids).most_common(1)[0][0]
            detail = f"a page repeats {describe(first)} ({exchange.location()})"
            return Gap(fact="databases", reason="cut-short", detail=detail)
        return None


def _require_page(exchange: Exchange) -> Exchange:
    """Return an answer that holds a page; ``null`` is none, and does not end the list."""
    if exchange.value is None:
        raise malformed(exchange, "a list")
    list_of(exchange)
    return exchange


def _database_scopes(databases: Iterable[Database]) -> set[Scope]:
    """Return the scopes of databases that are not terminated; an unknown type counts as both."""
    return {
        (database_type, region.provider or database.provider, region.name)
        for database in databases
        if not database.is_terminated
        for region in database.regions
        for database_type in (KEY_LISTS if database.type == "unknown" else (database.type,))
    }
