"""Counts of one thing by independent routes: whether they agree, and in what they differ.

Each comparison names its rule, which has an open finding for every difference shown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.catalogue import rule_of
from checks.engine.context import gap_text
from inventory.database_lines.database_list import count_kinds, select
from inventory.index.organization_index import has_no_customer_keys, index_organization, scope_of
from inventory.model.key import KeyScope
from inventory.model.key_ids import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.database import Database
    from inventory.model.gaps import Fact, Gap, ListPass
    from inventory.model.organization import Organization
    from inventory.model.terraform_managed import ManagedDatabase
    from inventory.model.vocabulary import DatabaseType

MOST_NAMED = 20
"""How many differences of one comparison are named; the others are counted."""

COUNTED = frozenset(
    {
        "serverless-keys",
        "managed-clusters-keys",
        "region-views",
        "vendor-accounts",
        "databases",
        "placements",
        "managed",
    }
)
"""Everything that is counted by several routes."""

_TYPES: tuple[DatabaseType, ...] = ("serverless", "managed-clusters")


class Difference(NamedTuple):
    """One difference between routes: the ``thing`` it concerns, as a code, and what differs."""

    thing: str
    text: str


class Comparison(NamedTuple):
    """One thing counted by several routes.

    Attributes:
        what: what is counted.
        rule: the rule that judges a difference.
        routes: each route in words, with its count; None if that is not known.
        gaps: why the routes cannot be compared; empty if they can.
        differences: in what they differ.
    """

    what: str
    rule: str
    routes: tuple[tuple[str, int | None], ...]
    gaps: tuple[Gap, ...]
    differences: tuple[Difference, ...]

    def as_record(self) -> dict[str, Any]:
        """Return it as the record states it; nothing agrees that could not be compared."""
        return {
            "what": self.what,
            "rule": self.rule,
            "routes": [{"by": by, "count": count} for by, count in self.routes],
            "agree": None if self.gaps else not self.differences,
            "differences": [difference.text for difference in self.differences[:MOST_NAMED]],
            "differences_total": len(self.differences),
        }


def reconcile(organization: Organization) -> list[dict[str, Any]]:
    """Return every comparison that the record of ``organization`` allows."""
    counted = (
        organization.region_views,
        organization.readings_of_astra,
        organization.managed.databases,
    )
    if counted == (None, (), ()):  # most records allow none, and an index costs time
        return []
    return [comparison.as_record() for comparison in compare(index_organization(organization))]


def compare(index: OrganizationIndex) -> Iterator[Comparison]:
    """Yield every comparison that the record of the organization allows."""
    organization = index.organization
    gaps = {gap.fact: gap for gap in reversed(organization.missing())}
    if organization.region_views is not None:
        yield from (_keys(index, kind, gaps) for kind in _TYPES)
        yield _views(index, gaps)
        if organization.vendor_accounts is not None:
            yield _accounts(index, gaps)
    if organization.readings_of_astra:
        yield from _databases(organization, gaps)
    if organization.managed.databases:
        yield _managed(organization, gaps)


def _known(count: int, gap: Gap | None) -> int | None:
    """Return ``count``; None if nothing was counted because nothing could be read."""
    return None if gap and not count else count


def _of(gaps: Mapping[Fact, Gap], *facts: Any) -> tuple[Gap, ...]:  # noqa: ANN401 (facts by name)
    return tuple(gaps[fact] for fact in facts if fact in gaps)


def _at(scope: KeyScope, what: str) -> Difference:
    return Difference("/".join(scope[1:]), f"{' / '.join(scope[1:])}: {what}")


# --- keys -----------------------------------------------------------------------------------------


def _keys(index: OrganizationIndex, kind: str, gaps: Mapping[Fact, Gap]) -> Comparison:
    shown = {
        scope: {parse_key_id(view.key_id).canonical} if view.key_id else set[str]()
        for scope, view in index.views()
        if scope.type == kind
    }
    listed = {
        scope: set(index.key_ids(scope))
        for scope in index.keys
        if scope.type == kind and (scope in shown or not has_no_customer_keys(scope))
    }
    fact: Any = f"{kind}-keys"
    counts = [sum(map(len, keys.values())) for keys in (listed, shown)]
    return Comparison(
        fact,
        rule_of("key-views"),
        (
            ("the key list", _known(counts[0], gaps.get(fact))),
            ("the regional lookups", _known(counts[1], gaps.get("region-views"))),
        ),
        _of(gaps, fact, "region-views"),
        tuple(_different_keys(listed, shown)),
    )


def _different_keys(
    listed: Mapping[KeyScope, set[str]], shown: Mapping[KeyScope, set[str]]
) -> Iterator[Difference]:
    for scope in sorted(listed.keys() | shown.keys()):
        one, two = listed.get(scope, set()), shown.get(scope, set())
        if one != two:
            lookup = _named(two) if scope in shown else "not recorded"
            yield _at(scope, f"key list: {_named(one)}, regional lookup: {lookup}")


def _named(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys)) or "no key"


def _views(index: OrganizationIndex, gaps: Mapping[Fact, Gap]) -> Comparison:
    """Compare the scopes of which a view is due with those of which there is one."""
    known = {scope for scope in (*index.keys, *index.scopes) if scope.type != "unknown"}
    due = {scope for scope in known if not has_no_customer_keys(scope)}
    there = {scope for scope, _ in index.views()} & due
    missing = [_at(scope, "no regional lookup was recorded") for scope in sorted(due - there)]
    return Comparison(
        "region-views",
        rule_of("key-views"),
        (
            ("key scopes with keys or databases", len(due)),
            ("of these with a regional lookup", _known(len(there), gaps.get("region-views"))),
        ),
        _of(gaps, "databases", "serverless-keys", "managed-clusters-keys", "region-views"),
        tuple(missing),
    )


def _accounts(index: OrganizationIndex, gaps: Mapping[Fact, Gap]) -> Comparison:
    organization = index.organization
    keys = {scope for scope in index.keys if not has_no_customer_keys(scope)}
    named = {
        scope_of(organization.id, vendor_account)
        for vendor_account in organization.vendor_accounts or ()
    }
    missing = [_at(scope, "no account is named") for scope in sorted(keys - named)]
    beyond = [_at(scope, "accounts, but no key") for scope in sorted(named - keys)]
    return Comparison(
        "vendor-accounts",
        rule_of("population"),
        (
            ("key scopes with a key", len(keys)),
            ("key scopes with accounts named", _known(len(named), gaps.get("vendor-accounts"))),
        ),
        _of(gaps, "serverless-keys", "managed-clusters-keys", "vendor-accounts"),
        (*missing, *beyond),
    )


# --- databases ------------------------------------------------------------------------------------


def _databases(organization: Organization, gaps: Mapping[Fact, Gap]) -> Iterator[Comparison]:
    counted = count_kinds(organization.databases)
    kinds = [(database, count) for database, count in counted if not database.is_planned]
    living = [(database, count) for database, count in kinds if not database.is_terminated]
    existing, placed = _total(kinds), _total(kind for kind in living if not _lacks_type(kind[0]))
    gaps_found = _of(gaps, "databases")
    for reading in organization.readings:
        if reading.fact == "databases" and reading.passes:
            listed_apart = reading.terminated.entries if reading.terminated else 0
            yield _read_again(reading.passes, existing - listed_apart, gaps_found)
    routes = (("listed and not terminated", _total(living)), ("in a key scope", placed))
    differences = tuple(_without_type(organization.databases))
    yield Comparison("placements", rule_of("population"), routes, gaps_found, differences)


def _total(kinds: Iterable[tuple[Database, int]]) -> int:
    return sum(count for _, count in kinds)


def _lacks_type(database: Database) -> bool:
    return database.type == "unknown"


def _without_type(databases: Sequence[Database] | None) -> Iterator[Difference]:
    for database in select(databases, _lacks_type):
        if not (database.is_planned or database.is_terminated):
            text = f"tier {database.tier!r} does not identify the type"
            yield Difference(str(database.id), f"{database.name} ({database.id}): {text}")


def _read_again(passes: Sequence[ListPass], audited: int, gaps: tuple[Gap, ...]) -> Comparison:
    """Compare the last two readings of the list with each other, and with what is audited.

    What comes from the list of terminated databases is not among ``audited``: it is read once.
    """
    numbers = [one.entries for one in passes]
    routes = [
        (f"reading {place}, by pages of {one.page_size}", one.entries)
        for place, one in enumerate(passes, 1)
    ]
    differences = [Difference(gap.reason, gap_text(gap)) for gap in gaps]
    if len({*numbers[-2:], audited}) > 1:
        last = " and ".join(f"{number:,}" for number in numbers[-2:])
        text = f"the last readings counted {last}, the audited inventory holds {audited:,}"
        differences.append(Difference("count", text))
    routes.append(("the audited inventory", audited))
    return Comparison("databases", rule_of("population"), tuple(routes), gaps, tuple(differences))


def _managed(organization: Organization, gaps: Mapping[Fact, Gap]) -> Comparison:
    """Compare the databases in Terraform's state with those that are recorded."""
    there = {database.id for database in organization.databases or () if not database.is_planned}
    managed = {database.id: database for database in organization.managed.databases}.values()
    missing = [database for database in managed if database.id not in there]
    found = _of(gaps, "databases")
    listed = _known(len(managed) - len(missing), next(iter(found), None))
    routes = (("in Terraform's state", len(managed)), ("of these listed by Astra", listed))
    why = (
        *(
            Difference(missed.id, f"{missed.name} ({missed.id}): {missed.resource} is not listed")
            for missed in missing
        ),
        *(
            Difference(part.database.id, f"{part.named}: not listed there")
            for part in missing_regions(organization)
        ),
        *(
            Difference(
                hidden.id, f"{hidden.name} ({hidden.id}): the state does not show its regions"
            )
            for hidden in unshown(organization)
        ),
    )
    return Comparison("managed", rule_of("population"), routes, found, why)


def unshown(organization: Organization) -> Iterable[ManagedDatabase]:
    """Return each database of which Terraform's state does not show all regions."""
    return {
        database.id: database for database in organization.managed.databases if database.missing
    }.values()


class MissingRegion(NamedTuple):
    """A region of a listed database that only Terraform's state has."""

    database: ManagedDatabase
    location: str

    @property
    def named(self) -> str:
        """Name the database with its place, for people."""
        return f"{self.database.name} ({self.database.id}) in {self.location}"


def missing_regions(organization: Organization) -> Iterator[MissingRegion]:
    """Yield the regions in which Terraform's state has a listed database, and the record has not.

    One that is terminated, or not listed at all, has no regions to compare. Their names count
    without case here: a state keeps them as somebody wrote them.
    """
    if not organization.managed.databases:  # nearly always, and the rest looks at each database
        return
    recorded = {
        database.id: {
            (region.provider or database.provider, region.name.lower())
            for region in database.regions
            if region.state == "existing"
        }
        for database in organization.databases or ()
        if not (database.is_planned or database.is_terminated)
    }
    seen = set()
    for managed in organization.managed.databases:
        for provider, region in managed.regions if managed.id in recorded else ():
            place = provider, region.lower()
            part = managed.id, place
            if place not in recorded[managed.id] and part not in seen:
                seen.add(part)
                yield MissingRegion(managed, f"{provider}/{region}")
