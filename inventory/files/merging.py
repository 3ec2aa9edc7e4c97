"""Merges files that describe one moment; contradictions between them are refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from inventory.errors import Problem
from inventory.files.yaml_json import (
    cloud_key_identity,
    database_identity,
    key_identity,
    refuse,
    scope_fields,
)
from inventory.model.database import DatabaseRegion
from inventory.model.key_ids import canonical
from inventory.model.terraform_managed import ManagedResources
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from inventory.model.base import Located
    from inventory.model.database import Database
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization

E = TypeVar("E", bound="Located")


class HasLocation(Protocol):
    """What was read from a line of a file."""

    @property
    def file(self) -> str:
        """Return the path of the file."""

    @property
    def line(self) -> int:
        """Return the line."""


_LISTS: tuple[tuple[str, Callable[[Any], object]], ...] = (
    ("keys", key_identity),
    ("databases", database_identity),
    ("region_views", scope_fields),
    ("vendor_accounts", lambda account: (*scope_fields(account), account.account)),
    ("cloud_keys", cloud_key_identity),
    ("readings", lambda reading: (reading.fact, reading.sha256)),
    ("support_cases", lambda case: (*scope_fields(case), case.ticket, case.on)),
)


def merge(organizations: Iterable[Organization]) -> list[Organization]:
    """Merge organizations of equal id, in the order of their first appearance.

    Raises InventoryError with every contradiction.
    """
    groups: dict[str, list[Organization]] = {}
    for organization in organizations:
        groups.setdefault(organization.id, []).append(organization)
    problems: list[Problem] = []
    merged = [_merge_group(group, problems) for group in groups.values()]
    refuse(problems)
    return merged


def merge_planned_databases(organization: Organization, plan: Organization) -> tuple[Database, ...]:
    """Return the databases of both; raise InventoryError with every contradiction.

    A planned database with the id of an existing one adds its regions to that.
    """
    problems: list[Problem] = []
    known: dict[str | None, Database] = {
        database.id: database
        for database in organization.databases or ()
        if not database.is_planned
    }
    planned: list[Database] = []
    for database in plan.databases or ():
        if database.id in known:
            known[database.id] = _with_planned_regions(known[database.id], database, problems)
        else:
            problems += _unlisted_id(organization, database)
            planned.append(database)
    present = tuple(
        database if database.is_planned else known[database.id]
        for database in organization.databases or ()
    )
    lists = (present, tuple(planned))
    databases: tuple[Database, ...] = _merge_lists(lists, database_identity, problems)
    refuse(problems)
    return databases


def _unlisted_id(organization: Organization, planned: Database) -> Iterator[Problem]:
    """Refuse an id that a complete list of databases does not have: a new database has no id.

    Terraform's state may have a database that Astra does not list; a rule judges that.
    """
    is_whole = organization.databases is not None and not any(
        gap.fact == "databases" for gap in organization.gaps
    )
    if planned.id is not None and is_whole and not planned.resource:
        found = f"{describe(planned.id)}, which {describe(organization.name)} does not list"
        expected = "the id of an existing database, or none"
        yield Problem(planned.file, planned.line, "id", found, expected)


def _with_planned_regions(
    existing: Database, planned: Database, problems: list[Problem]
) -> Database:
    """Return ``existing`` with its planned regions, and nothing else of the plan."""
    problems += _contradictions(existing, planned)
    existing_names = {region.name for region in existing.regions}
    added = [
        _planned_region(planned, region)
        for region in planned.regions
        if region.name not in existing_names
    ]
    if not (added or planned.resource):
        found = (
            f"only regions that {existing.id} already has, as {existing.file}:{existing.line} says"
        )
        problems.append(
            Problem(planned.file, planned.line, "regions", found, "an additional region")
        )
    if existing.is_terminated:
        found = f"{existing.id}, which is terminated, as {existing.file}:{existing.line} says"
        problems.append(
            Problem(planned.file, planned.line, "id", found, "a database that is not terminated")
        )
    return existing.model_copy(update={"regions": (*existing.regions, *added)})


def _planned_region(planned: Database, region: DatabaseRegion) -> DatabaseRegion:
    """Return a planned region, with the expectation of the plan's database if it has none."""
    update: dict[str, Any] = {"state": "planned"}
    if region.encryption is None:
        update |= {"encryption": planned.encryption, "reason": planned.reason}
    return region.model_copy(update=update).at(*planned.location)


def _contradictions(existing: Database, planned: Database) -> Iterator[Problem]:
    """Find where a plan contradicts the record of an existing database.

    A Terraform plan may lack the name. Every plan has to state a type or a tier, also where the
    record has none: it is compared where possible, and never copied from the plan.
    """
    skip = {"id", "state", "regions", "encryption", "reason"}
    skip |= {"name"} if planned.resource else set()
    skip |= {"type"} if existing.type == "unknown" else set()
    skip |= {"tier"} if existing.tier is None else set()
    for name in sorted(planned.stated() - skip):
        value, known = getattr(planned, name), getattr(existing, name)
        if value is not None and value != known:
            yield contradiction(existing, planned, name, known, value)
    yield from _region_contradictions(existing, planned)


def _region_contradictions(existing: Database, planned: Database) -> Iterator[Problem]:
    """Find the same for its regions; a Terraform plan lists some that were added since."""
    skip = {"name", "state"} if planned.resource else {"name"}
    recorded = {region.name: region for region in existing.regions}
    for index, region in enumerate(planned.regions):
        known = recorded.get(region.name)
        stated = region.stated() - skip if known else region.stated() & {"state"}
        for name in sorted(stated):
            value, expected = getattr(region, name), _recorded_value(existing, known, name)
            if value is not None and value != expected:
                yield contradiction(existing, planned, f"regions[{index}].{name}", expected, value)


def _recorded_value(existing: Database, region: DatabaseRegion | None, name: str) -> object:
    """Return the recorded value of a region, its own or that of its database."""
    if region is None:
        return "planned"
    value = getattr(region, name)
    return getattr(existing, name, None) if value is None else value


def _merge_group(group: Sequence[Organization], problems: list[Problem]) -> Organization:
    """Merge several files' records of one organization.

    The lists of all files are merged at once. Merging them one by one would copy the first entries
    as often as there are files.
    """
    whole = group[0]
    if len(group) == 1:
        return whole
    for organization in group[1:]:
        whole = whole.model_copy(update=_merge_fields(whole, organization, problems))
    _refuse_rival_keys([organization.keys or () for organization in group], problems)
    lists = {
        name: _merge_lists(
            [getattr(organization, name) for organization in group], identity, problems
        )
        for name, identity in _LISTS
    }
    managed = ManagedResources.combine(organization.managed for organization in group)
    return whole.model_copy(update=lists).with_managed(managed)


def _merge_fields(one: Organization, two: Organization, problems: list[Problem]) -> dict[str, Any]:
    update = _merged_fields(one, two, problems, skip=_SPECIAL)
    update["gaps"] = (*one.gaps, *(gap for gap in two.gaps if gap not in one.gaps))
    times = (one.captured_at, two.captured_at)
    update["captured_at"] = None if None in times else min(times)  # type: ignore[type-var]
    return update


_SPECIAL = frozenset({name for name, _ in _LISTS} | {"gaps", "captured_at"})


def _merge_lists(
    lists: Iterable[tuple[Any, ...] | None],
    identity: Callable[[Any], object],
    problems: list[Problem],
) -> Any:  # noqa: ANN401 (a tuple, or None if there is none)
    """Merge entries of equal identity; a list that is None is unknown, not empty."""
    known = [entries for entries in lists if entries is not None]
    if len(known) <= 1:
        return known[0] if known else None
    merged: dict[tuple[object, int], Any] = {}
    for entries in known:
        for key, entry in _numbered(entries, identity):
            first = merged.get(key)
            merged[key] = entry if first is None else _merge_entry(first, entry, problems)
    return tuple(merged.values())


def _numbered(
    entries: Iterable[Any], identity: Callable[[Any], object]
) -> Iterator[tuple[tuple[object, int], Any]]:
    """Yield each entry with its identity, and a number for those that share one.

    A plan of Terraform may hold several resources for one database, and none may be lost.
    """
    seen: Counter[object] = Counter()
    for entry in entries:
        key = identity(entry)
        yield (key, seen[key]), entry
        seen[key] += 1


def _merge_entry(one: E, two: E, problems: list[Problem]) -> E:
    return one.model_copy(update=_merged_fields(one, two, problems, skip=frozenset()))


def _merged_fields(
    one: Located, two: Located, problems: list[Problem], skip: frozenset[str]
) -> dict[str, Any]:
    """Return the fields that only ``two`` states, and note those that both state differently."""
    update: dict[str, Any] = {}
    for name in sorted(two.stated() - skip):
        value, known = getattr(two, name), getattr(one, name)
        if name not in one.stated():
            update[name] = value
        elif name == "regions" and _have_same_names(known, value):
            update[name] = _merge_regions(one, two, problems)
        elif not (_same(value, known) or (name == "key_id" and _is_one_key(value, known))):
            problems.append(contradiction(one, two, name, known, value))
    return update


def _have_same_names(one: Iterable[DatabaseRegion], two: Iterable[DatabaseRegion]) -> bool:
    return {region.name for region in one} == {region.name for region in two}


def _merge_regions(one: Any, two: Any, problems: list[Problem]) -> tuple[DatabaseRegion, ...]:  # noqa: ANN401 (databases)
    """Merge the regions of one database, which have the same names, in the order of ``one``.

    A field that only one of them states is kept, such as what somebody saw in the portal.
    """
    others = {region.name: region for region in two.regions}
    places = {region.name: place for place, region in enumerate(two.regions)}
    merged = []
    for region in one.regions:
        other, update = others[region.name], {}
        for name in sorted(other.stated() | {"state"}):
            value, known = getattr(other, name), getattr(region, name)
            if name != "state" and name not in region.stated():
                update[name] = value
            elif value != known:
                field = f"regions[{places[region.name]}].{name}"
                problems.append(contradiction(one, two, field, known, value))
        merged.append(region.model_copy(update=update).at(*region.location))
    return tuple(merged)


def _same(value: Any, known: Any) -> bool:  # noqa: ANN401 (any field's value)
    """Say whether both are the same; lists, which are always regions, have no order."""
    lists = isinstance(value, tuple) and isinstance(known, tuple)
    return set(value) == set(known) if lists else bool(value == known)


def _is_one_key(one: str | None, two: str | None) -> bool:
    return one is not None and two is not None and canonical(one) == canonical(two)


def contradiction(
    one: HasLocation, two: HasLocation, field: str, known: object, value: object
) -> Problem:
    """Return the problem that ``two`` has a ``value`` other than the one ``known`` from ``one``."""
    found, expected = _described(value), _described(known)
    found = f"{found}, but a different one" if found == expected else found
    return Problem(two.file, two.line, field, found, f"{expected}, as {one.file}:{one.line} says")


def _described(value: object) -> str:
    """Describe a value; regions by their names, as their number says little."""
    regions = value if isinstance(value, tuple) else ()
    if regions and all(isinstance(region, DatabaseRegion) for region in regions):
        return describe(", ".join(region.name for region in regions))
    return describe(value)


def merge_keys(
    one: tuple[CustomerKey, ...], two: tuple[CustomerKey, ...], problems: list[Problem]
) -> tuple[CustomerKey, ...]:
    """Return the keys of both, and note what they contradict.

    Two versions of one key stay two entries, as if one file listed both.
    """
    _refuse_rival_keys((one, two), problems)
    merged: tuple[CustomerKey, ...] = _merge_lists((one, two), key_identity, problems)
    return merged


def _refuse_rival_keys(files: Iterable[Iterable[CustomerKey]], problems: list[Problem]) -> None:
    """Note scopes in which two files have different keys, each one that the other lacks.

    A file with fewer keys of a scope does not contradict the others, whichever comes first: what it
    does not list, it leaves open.
    """
    known: dict[object, dict[str, CustomerKey]] = {}
    for keys in files:
        others = _by_scope(keys)
        for scope in known.keys() & others.keys():
            # Only if both sides have a key that the other lacks do they contradict each other.
            if known[scope].keys() - others[scope].keys():
                first = next(iter(known[scope].values()))
                rivals = [key for name, key in others[scope].items() if name not in known[scope]]
                problems += [
                    contradiction(first, k, "key_id", first.key_id, k.key_id) for k in rivals
                ]
        for scope, by_id in others.items():
            for name, key in by_id.items():
                known.setdefault(scope, {}).setdefault(name, key)


def _by_scope(keys: Iterable[CustomerKey]) -> dict[object, dict[str, CustomerKey]]:
    scopes: dict[object, dict[str, CustomerKey]] = {}
    for key in keys:
        scopes.setdefault(scope_fields(key), {}).setdefault(canonical(key.key_id), key)
    return scopes
