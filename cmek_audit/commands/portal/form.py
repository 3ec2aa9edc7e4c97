"""Forms to fill in at the portal and to hand back: a part of an inventory or of its organizations.

What is to be filled in has no value, so that a form that is not filled in is refused, line by line.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import yaml

from checks.engine.context import utc
from cmek_audit.commands.portal.needed import WHERE
from inventory.model.base import NO_LOCATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cmek_audit.commands.portal.needed import Look
    from inventory.model.database import Database
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization

_HEAD = (
    "# Look at the Astra portal, and fill in what it shows, who looked, and the UTC day.",
    "# Remove what nobody looked at: an entry without values is refused.",
)
_STATUS = ("status: # in-use or available", "by: # who looked", "on: # the day, as 2026-11-20")
_KEY = (
    "key: # customer or astra",
    "# key_id: the id of the customer key, if the portal shows it",
    *_STATUS[1:],
)


def inventory_form(entries: Sequence[Look], *, example: bool) -> list[str]:
    """Return the lines of an inventory file to give beside the one that was looked up."""
    lines = [*_HEAD, "# Give the file as a further inventory of the same audit.", ""]
    lines.append("cmek-inventory: 1")
    times = [look.organization.captured_at for look in entries]
    known = [time for time in times if time is not None]
    if len(known) == len(times):
        lines.append(f"captured_at: {utc(min(known))}")
    lines += ["example: true"] if example else []
    lines.append("organizations:")
    for organization, some in _by_organization(entries):
        lines += [f"  - id: {_text(organization.id)}", f"    name: {_text(organization.name)}"]
        if organization.captured_at:
            lines.append(f"    captured_at: {utc(organization.captured_at)}")
        lines += _keys(some)
        lines += _list("databases", _databases(some, _inventory_database))
    return lines


def organizations_form(entries: Sequence[Look]) -> list[str]:
    """Return the lines to add to the organizations of an organizations file."""
    lines = [
        *_HEAD,
        "# Add each part to the organization of that id in your organizations file.",
        "",
    ]
    lines.append("organizations:")
    for organization, some in _by_organization(entries):
        lines.append(f"  - id: {_text(organization.id)}")
        lines += _keys(some)
        lines += _list("databases", _databases(some, _stated_database))
    return lines


def _by_organization(entries: Iterable[Look]) -> Iterator[tuple[Organization, list[Look]]]:
    groups: dict[str, list[Look]] = {}
    for look in entries:
        groups.setdefault(look.organization.id, []).append(look)
    for some in groups.values():
        yield some[0].organization, some


def _list(name: str, entries: Iterable[str]) -> list[str]:
    lines = list(entries)
    return [f"    {name}:", *lines] if lines else []


# --- keys -----------------------------------------------------------------------------------------


def _keys(entries: Iterable[Look]) -> list[str]:
    return _list("keys", (line for look in entries if look.key for line in _key(look.key)))


def _key(key: CustomerKey) -> Iterator[str]:
    yield f"      # {' > '.join(WHERE['key'])}"
    yield f"      - type: {key.type}"
    yield f"        provider: {key.provider}"
    yield f"        region: {_text(key.region)}"
    yield f"        key_id: {_text(key.key_id)}"
    yield "        portal:"
    yield from (f"          {field}" for field in _STATUS)


# --- databases ------------------------------------------------------------------------------------


def _databases(
    entries: Iterable[Look], render: Callable[[Database, dict[str, Look]], Iterator[str]]
) -> Iterator[str]:
    """Yield each database once, with all of its regions that somebody should look at."""
    regions: dict[str, tuple[Database, dict[str, Look]]] = {}
    for look in entries:
        if look.database is not None:
            _, some = regions.setdefault(str(look.database.id), (look.database, {}))
            some[look.scope.region] = look
    for database, some in regions.values():
        yield f"      # {' > '.join(WHERE['region'])}"
        yield f"      - id: {_text(str(database.id))}"
        yield from render(database, some)


def _stated_database(_: Database, entries: dict[str, Look]) -> Iterator[str]:
    yield "        regions:"
    for name, look in entries.items():
        yield f"          - name: {_text(name)}"
        yield from _region(look)


def _inventory_database(database: Database, entries: dict[str, Look]) -> Iterator[str]:
    """Yield a database as an inventory holds it: with all its regions, but for those of plans."""
    yield f"        name: {_text(database.name)}"
    yield f"        type: {database.type}"
    yield f"        provider: {database.provider}"
    yield "        regions:"
    for region in database.regions:
        if region.location == NO_LOCATION:
            yield f"          - name: {_text(region.name)}"
            if region.state == "planned":
                yield "            state: planned"
            if region.name in entries:
                yield from _region(entries[region.name])


def _region(look: Look) -> Iterator[str]:
    if look.only_if_in_use:
        yield "            # only if the key is shown In-Use; if not, remove what follows"
    yield "            portal:"
    yield from (f"              {field}" for field in _KEY)


def _text(text: str) -> str:
    """Render any text as one scalar on one line, in ASCII."""
    return yaml.safe_dump(text, default_style='"', width=sys.maxsize).strip()
