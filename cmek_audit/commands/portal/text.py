"""What to look at in the portal, for a terminal, which may be narrow."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from checks.engine.reasons import reasons
from cmek_audit.console import wrapped
from inventory.text.display import pluralize, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST = 300
_MOST = 40
"""How many looks are printed of one kind; the others are counted."""

_TITLES = {
    ("key", False): "Look at these keys",
    ("region", False): "Look at these regions of databases",
    ("region", True): "Look at these regions only if their key is shown In-Use",
}


def render(found: Mapping[str, Any]) -> str:
    """Render what was found: the looks by kind, what no look resolves, and what to do next."""
    return "\n".join([*_head(found), *_entries(found), *_left(found), *_end(found)])


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    example = ", the time of an example" if found["example"] else ""
    yield from wrapped(f"Looks at the Astra portal as of {found['as_of']}{example}")


def _entries(found: Mapping[str, Any]) -> Iterator[str]:
    groups = groupby(found["looks"], lambda look: (look["kind"], look["only_if_in_use"]))
    for (kind, only_if_in_use), group in groups:
        some = list(group)
        yield ""
        title = _TITLES[kind, only_if_in_use]
        yield from wrapped(f"{title}: {' → '.join(some[0]['where'])}")
        for look in some[:_MOST]:
            yield from _look(look)
        if len(some) > _MOST:
            yield f"  … and {len(some) - _MOST:,} more: --json and --form list all of them"


def _look(look: Mapping[str, Any]) -> Iterator[str]:
    place = f"{look['type']}/{look['provider']}/{look['region']}"
    name = look["key_id"] or f"{look['database_name']} ({look['database']})"
    title = f"{look['organization_name']}, {place}: {name}"
    yield from wrapped(printable(title, _LONGEST * 10), "  ", "    ")
    yield from (line for text in _effects(look) for line in wrapped(text, "    ", "      "))


def _effects(look: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the look would resolve."""
    databases = pluralize(look["databases"], "database")
    if look["kind"] == "region":
        if look["is_younger"]:
            yield "The database is of today: look on a later day."
        return
    if look["is_only_one"]:
        yield f"Whatever it shows resolves {databases}."
        yield "In-Use counts with a record that is collected on a later day than the look."
    elif look["databases"]:
        yield f"Available resolves {databases}; In-Use leaves the regions below."
    if look["shows_use"]:
        yield "It resolves whether the key is in use."


def _left(found: Mapping[str, Any]) -> Iterator[str]:
    if not found["left"]:
        return
    yield ""
    yield from wrapped("No look resolves")
    for entry in found["left"]:
        known = reasons().get(entry["reason"])
        meaning = f": {known.meaning}" if known else ""
        count = pluralize(entry["findings"], "finding")
        yield from wrapped(f"{count}, {entry['reason']}{meaning}", "  ", "    ")


def _end(found: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    if found["looks"]:
        yield from wrapped(
            "To record what you see, print a form with --form, fill it in, and give it to the "
            "audit as a further --cmek-inventory. For a live audit, print --form=organizations, "
            "and add it to the organizations file."
        )
        yield ""
        yield from wrapped("Exit code 1: there is something to look at.")
    elif found["left"]:
        yield from wrapped("Exit code 1: something is inconclusive that no look resolves.")
    else:
        yield from wrapped("Exit code 0: there is nothing to look at.")
