"""Parses what Astra answers about databases: each in the regions of its datacenters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from inventory.astra.parsing import (
    OWNERS,
    MalformedEntryError,
    ParsedList,
    build_entry,
    fields_of,
    normalize_field,
    parse_each,
    provider_of,
    refuse_foreign,
)
from inventory.model.database import Database, DatabaseRegion
from inventory.model.gaps import Gap
from inventory.model.vocabulary import canonical_provider
from inventory.text.display import describe
from inventory.text.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.evidence.exchange import Exchange

_NEVER = "0001-01-01T00:00:00"


def parse_databases(positions: Iterable[tuple[Exchange, int]], organization: str) -> ParsedList:
    """Parse databases, each given by the answer that holds it and its index there."""
    entries = [(exchange.value[index], exchange.location(index)) for exchange, index in positions]
    return parse_each("databases", partial(_parse_database, organization), entries)


def judged_content(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the values that rules depend on: of the database, and of each of its datacenters.

    Two readings of a list agree if these are the same; sizes, addresses and the like may differ.
    """
    info = entry.get("info")
    owners = [
        str(owner).lower() for name, owner in entry.items() if normalize_field(name) in OWNERS
    ]
    yield f"{owners} {entry.get('creationTime')} {_judged_fields(entry)} {_judged_fields(info)}"
    yield from map(_judged_fields, _datacenters(info) if isinstance(info, dict) else ())


def _judged_fields(part: object) -> str:
    if not isinstance(part, dict):
        return repr(part)
    provider = str(part.get("cloudProvider")).lower()
    return repr((_is_active(part), provider, *map(part.get, ("region", "tier", "dateCreated"))))


def _is_active(part: dict[str, Any]) -> bool:
    return str(part.get("status")).upper() != "TERMINATED"


def _parse_database(
    organization: str, entry: dict[str, Any], seen: str
) -> Iterator[Database | Gap]:
    info = entry.get("info")
    refuse_foreign(fields_of(entry), organization)
    if not isinstance(info, dict):
        raise MalformedEntryError("malformed", f"{_label(entry)} has no info")
    centers = [center for center in _datacenters(info) if isinstance(center, dict)]
    active = [center for center in centers if _is_active(center)]
    yield build_entry(
        Database,
        id=entry.get("id"),
        name=_display_name(info, entry),
        provider=provider_of(_first_value(info, centers, "cloudProvider")),
        regions=_parse_regions(active, entry, info),
        status=str(entry.get("status") or "UNKNOWN"),
        created_at=_parse_time(entry.get("creationTime")),
        tier=_parse_tier(info, centers),
        seen=seen,
    )
    for detail in _contradictions(info, centers, active):
        yield Gap(fact="databases", reason="malformed", detail=f"{_label(entry)} {detail}")


def _label(entry: dict[str, Any]) -> str:
    return f"the database {describe(entry.get('id'))}"


def _display_name(info: dict[str, Any], entry: dict[str, Any]) -> object:
    """Return the name that Astra reported; the id if that has no visible character."""
    name = info.get("name")
    is_blank = not name or (isinstance(name, str) and not visible(name))
    return entry.get("id") if is_blank else name


def _datacenters(info: dict[str, Any]) -> list[Any]:
    centers = info.get("datacenters")
    return centers if isinstance(centers, list) else []


def _first_value(info: dict[str, Any], centers: list[dict[str, Any]], name: str) -> object:
    return info.get(name) or next((center[name] for center in centers if center.get(name)), None)


def _parse_tier(info: dict[str, Any], centers: list[dict[str, Any]]) -> str:
    """Return the tier; contradictory tiers are joined to one that identifies no database type."""
    tiers = [str(center["tier"]) for center in (info, *centers) if center.get("tier")]
    different = {tier.lower(): tier for tier in tiers}
    return " and ".join(sorted(different.values())) or "(none reported)"


def _parse_regions(
    active: list[dict[str, Any]], entry: dict[str, Any], info: dict[str, Any]
) -> tuple[DatabaseRegion, ...]:
    """Return each region once, dated by its oldest datacenter; undated if any of them is.

    The creation time of the database dates an undated datacenter only if there is one region: with
    several, nothing says which of them came first.
    """
    if not active:
        return (build_entry(DatabaseRegion, name=info.get("region")),)
    names = [center.get("region") for center in active]
    created = entry.get("creationTime") if names.count(names[0]) == len(names) else None
    regions: dict[str, DatabaseRegion] = {}
    for center in active:
        region = _parse_region(center, created)
        known = regions.get(region.name, region)
        if known.provider != region.provider:
            raise MalformedEntryError("malformed", f"{describe(region.name)} has two providers")
        regions[region.name] = min(known, region, key=_age)
    return tuple(regions[name] for name in sorted(regions))


def _parse_region(center: dict[str, Any], created: object) -> DatabaseRegion:
    provider = center.get("cloudProvider")
    return build_entry(
        DatabaseRegion,
        name=center.get("region"),
        added_at=_parse_time(center.get("dateCreated")) or _parse_time(created),
        provider=provider_of(provider) if provider else None,
    )


def _age(region: DatabaseRegion) -> str:
    """Return what sorts the oldest region first, and before it one of unknown age."""
    return region.added_at.isoformat() if region.added_at else ""


def _parse_time(value: object) -> str | None:
    """Return a time as Astra reported it; None for the one by which it means "never"."""
    return None if not value or str(value).startswith(_NEVER) else str(value)


def _contradictions(
    info: dict[str, Any],
    centers: list[dict[str, Any]],
    active: list[dict[str, Any]],
) -> Iterator[str]:
    """Yield what is wrong if the datacenters are unreadable, or contradict the database."""
    if not isinstance(info.get("datacenters"), list) or len(centers) < len(_datacenters(info)):
        yield "has no readable list of datacenters: it may have more regions"
    elif not active:
        yield "has no active datacenter"
    elif other := _other_provider(info, active):
        yield f"is in {describe(info['cloudProvider'])}, but a datacenter is in {other}"
    elif (main := info.get("region")) and main not in [center.get("region") for center in centers]:
        yield f"names the region {describe(main)}, but has no datacenter there"


def _other_provider(info: dict[str, Any], active: list[dict[str, Any]]) -> str:
    """Return the first provider of a datacenter that differs from the database's; else empty.

    All regions of a database are of one provider.
    """
    expected = canonical_provider(info.get("cloudProvider"))
    named = [center["cloudProvider"] for center in active if center.get("cloudProvider")]
    others = (name for name in named if expected and canonical_provider(name) != expected)
    return next(map(describe, others), "")
