"""Several files that describe one moment, made into one; what they contradict is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from inventory.errors import Problem
from inventory.recorded import database_identity, key_identity, place_of, refuse
from inventory.wording import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inventory.entries import Located
    from inventory.models import CustomerKey, Database, Organization

E = TypeVar("E", bound="Located")
_LISTS: tuple[tuple[str, Callable[[Any], object]], ...] = (
    ("keys", key_identity),
    ("databases", database_identity),
    ("region_views", place_of),
    ("vendor_accounts", lambda account: (*place_of(account), account.account)),
    ("readings", lambda reading: (reading.fact, reading.sha256)),
    ("support_cases", lambda case: (*place_of(case), case.ticket, case.on)),
)


def merge(organizations: Iterable[Organization]) -> list[Organization]:
    """Merge organizations of equal id, in the order of their first appearance.

    Raises InventoryError with every contradiction.
    """
    merged: dict[str, Organization] = {}
    problems: list[Problem] = []
    for organization in organizations:
        known = merged.get(organization.id)
        merged[organization.id] = (
            organization if known is None else _merge_two(known, organization, problems)
        )
    refuse(problems)
    return list(merged.values())


def with_databases(organization: Organization, plan: Organization) -> tuple[Database, ...]:
    """Return the databases of both; raise InventoryError with every contradiction.

    A planned database with the id of an existing one adds its regions to that.
    """
    problems: list[Problem] = []
    known: dict[str | None, Database] = {
        each.id: each for each in organization.databases or () if not each.is_planned
    }
    planned: list[Database] = []
    for each in plan.databases or ():
        if each.id in known:
            known[each.id] = _grown(known[each.id], each, problems)
        else:
            planned.append(each)
    present = tuple(
        each if each.is_planned else known[each.id] for each in organization.databases or ()
    )
    databases: tuple[Database, ...] = _merge_lists(
        present, tuple(planned), database_identity, problems
    )
    refuse(problems)
    return databases


def _grown(existing: Database, planned: Database, problems: list[Problem]) -> Database:
    """Return ``existing`` with the regions that it is to get."""
    skip = {"name", "regions", "state", "status"}
    skip |= {"type"} if existing.type == "unknown" else set()
    update = _agreed(existing, planned, problems, skip=frozenset(skip))
    there = {region.name for region in existing.regions}
    added = [
        region.model_copy(update={"state": "planned"}).at(*planned.place)
        for region in planned.regions
        if region.name not in there
    ]
    if not (added or planned.resource):
        found = f"only regions that {existing.id} has, as {existing.file}:{existing.line} says"
        problems.append(Problem(planned.file, planned.line, "regions", found, "a further region"))
    if existing.is_terminated:
        found = f"{existing.id}, which is terminated, as {existing.file}:{existing.line} says"
        problems.append(Problem(planned.file, planned.line, "id", found, "a database that lives"))
    return existing.model_copy(update=update | {"regions": (*existing.regions, *added)})


def _merge_two(one: Organization, two: Organization, problems: list[Problem]) -> Organization:
    update: dict[str, Any] = _agreed(one, two, problems, skip=_SPECIAL)
    for name, identity in _LISTS:
        update[name] = _merge_lists(getattr(one, name), getattr(two, name), identity, problems)
    _refuse_rival_keys(one.keys or (), two.keys or (), problems)
    update["gaps"] = (*one.gaps, *(gap for gap in two.gaps if gap not in one.gaps))
    times = (one.captured_at, two.captured_at)
    update["captured_at"] = None if None in times else min(times)  # type: ignore[type-var]
    return one.model_copy(update=update).with_managed(one.managed.and_also(two.managed))


_SPECIAL = frozenset({name for name, _ in _LISTS} | {"gaps", "captured_at"})


def _merge_lists(
    one: tuple[Any, ...] | None,
    two: tuple[Any, ...] | None,
    identity: Callable[[Any], object],
    problems: list[Problem],
) -> Any:  # noqa: ANN401 (a tuple, or None if neither is one)
    if one is None or two is None:
        return two if one is None else one
    entries = {identity(entry): entry for entry in one}
    for entry in two:
        known = entries.get(identity(entry))
        entries[identity(entry)] = entry if known is None else _merge_entry(known, entry, problems)
    return tuple(entries.values())


def _merge_entry(one: E, two: E, problems: list[Problem]) -> E:
    return one.model_copy(update=_agreed(one, two, problems, skip=frozenset()))


def _agreed(
    one: Located, two: Located, problems: list[Problem], skip: frozenset[str]
) -> dict[str, Any]:
    """Return the fields that only ``two`` states, and note those that both state differently."""
    update: dict[str, Any] = {}
    for name in sorted(two.stated() - skip):
        value, known = getattr(two, name), getattr(one, name)
        if name not in one.stated():
            update[name] = value
        elif not _same(value, known):
            problems.append(_contradiction(one, two, name))
    return update


def _same(value: Any, known: Any) -> bool:  # noqa: ANN401 (any field's value)
    """Say whether both are the same; lists, of which only regions are met, have no order."""
    lists = isinstance(value, tuple) and isinstance(known, tuple)
    return set(value) == set(known) if lists else bool(value == known)


def _contradiction(one: Located, two: Located, name: str) -> Problem:
    found, known = describe(getattr(two, name)), describe(getattr(one, name))
    found = f"{found}, but another" if found == known else found
    expected = f"{known}, as {one.file}:{one.line} says"
    return Problem(two.file, two.line, name, found, expected)


def _refuse_rival_keys(
    one: Iterable[CustomerKey], two: Iterable[CustomerKey], problems: list[Problem]
) -> None:
    """Note scopes for which the files name entirely different keys."""
    known: dict[object, dict[str, CustomerKey]] = {}
    for key in one:
        known.setdefault(place_of(key), {})[key.key_id] = key
    for key in two:
        rivals = known.get(place_of(key), {key.key_id: key})
        if key.key_id not in rivals:
            problems.append(_contradiction(next(iter(rivals.values())), key, "key_id"))
