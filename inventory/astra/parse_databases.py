"""What Astra's answers tell of databases: each in the regions of its datacenters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from inventory.astra.parsing import (
    OWNERS,
    MalformedEntryError,
    ParsedList,
    build_entry,
    fields_of,
    parse_each,
    plain,
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


def parse_databases(found: Iterable[tuple[Exchange, int]], organization: str) -> ParsedList:
    """Read databases, each by the answer that holds it and its place there."""
    entries = [(exchange.value[place], exchange.seen(place)) for exchange, place in found]
    return parse_each("databases", partial(_database, organization), entries)


def content_of(entry: dict[str, Any]) -> Iterator[str]:
    """Yield what an entry says that a rule may hang on: of the database, of each datacenter.

    Two readings are alike if they say the same here; sizes, addresses and the like may differ.
    """
    info = entry.get("info")
    owners = [str(each).lower() for name, each in entry.items() if plain(name) in OWNERS]
    yield f"{owners} {entry.get('creationTime')} {_saying(entry)} {_saying(info)}"
    yield from map(_saying, _listed(info) if isinstance(info, dict) else ())


def _saying(part: object) -> str:
    if not isinstance(part, dict):
        return repr(part)
    living = str(part.get("status")).upper() != "TERMINATED"
    provider = str(part.get("cloudProvider")).lower()
    return repr((living, provider, *map(part.get, ("region", "tier", "dateCreated"))))


def _database(organization: str, entry: dict[str, Any], seen: str) -> Iterator[Database | Gap]:
    named = f"the database {describe(entry.get('id'))}"
    info = entry.get("info")
    refuse_foreign(fields_of(entry), organization)
    if not isinstance(info, dict):
        raise MalformedEntryError("malformed", f"{named} has no info")
    centers = [each for each in _listed(info) if isinstance(each, dict)]
    living = [center for center in centers if str(center.get("status")).upper() != "TERMINATED"]
    yield build_entry(
        Database,
        id=entry.get("id"),
        name=_name(info, entry),
        provider=provider_of(_first(info, centers, "cloudProvider")),
        regions=_regions(living, entry, info),
        status=str(entry.get("status") or "UNKNOWN"),
        created_at=_time(entry.get("creationTime")),
        tier=_tier(info, centers),
        seen=seen,
    )
    yield from _doubts(named, info, centers, living)


def _name(info: dict[str, Any], entry: dict[str, Any]) -> object:
    """Return the name that Astra reported; the id where a reader would see none."""
    name = info.get("name")
    is_blank = not name or (isinstance(name, str) and not visible(name))
    return entry.get("id") if is_blank else name


def _listed(info: dict[str, Any]) -> list[Any]:
    told = info.get("datacenters")
    return told if isinstance(told, list) else []


def _first(info: dict[str, Any], centers: list[dict[str, Any]], name: str) -> object:
    return info.get(name) or next((center[name] for center in centers if center.get(name)), None)


def _tier(info: dict[str, Any], centers: list[dict[str, Any]]) -> str:
    """Return the tier; tiers that contradict each other make one that tells no type."""
    tiers = [str(center["tier"]) for center in (info, *centers) if center.get("tier")]
    different = {tier.lower(): tier for tier in tiers}
    return " and ".join(sorted(different.values())) or "(none told)"


def _regions(
    living: list[dict[str, Any]], entry: dict[str, Any], info: dict[str, Any]
) -> tuple[DatabaseRegion, ...]:
    """Return each region once, dated by its oldest datacenter; undated if any of them is.

    Only for a database of one region does the time of its creation stand in.
    """
    if not living:
        return (build_entry(DatabaseRegion, name=info.get("region")),)
    names = [each.get("region") for each in living]
    dated = entry.get("creationTime") if names.count(names[0]) == len(names) else None
    regions: dict[str, DatabaseRegion] = {}
    for center in living:
        region = _region(center, dated)
        known = regions.get(region.name, region)
        if known.provider != region.provider:
            raise MalformedEntryError("malformed", f"{describe(region.name)} is of two providers")
        regions[region.name] = min(known, region, key=_age)
    return tuple(regions[name] for name in sorted(regions))


def _region(center: dict[str, Any], dated: object) -> DatabaseRegion:
    own = center.get("cloudProvider")
    return build_entry(
        DatabaseRegion,
        name=center.get("region"),
        added_at=_time(center.get("dateCreated")) or _time(dated),
        provider=provider_of(own) if own else None,
    )


def _age(region: DatabaseRegion) -> str:
    return region.added_at.isoformat() if region.added_at else ""


def _time(value: object) -> str | None:
    """Return a time as it was told; None for the one that stands for "never"."""
    return None if not value or str(value).startswith(_NEVER) else str(value)


def _doubts(
    named: str,
    info: dict[str, Any],
    centers: list[dict[str, Any]],
    living: list[dict[str, Any]],
) -> Iterator[Gap]:
    if not isinstance(info.get("datacenters"), list) or len(centers) < len(_listed(info)):
        detail = f"{named} has no datacenters that could be read: it may have further regions"
        yield Gap(fact="databases", reason="malformed", detail=detail)
    elif not living:
        detail = f"{named} has no living datacenter"
        yield Gap(fact="databases", reason="malformed", detail=detail)
    elif odd := _other_provider(info, living):
        detail = f"{named} is of {describe(info['cloudProvider'])}, and a datacenter of {odd}"
        yield Gap(fact="databases", reason="malformed", detail=detail)
    elif (told := info.get("region")) and told not in [center.get("region") for center in centers]:
        detail = f"{named} has {describe(told)} for its region, and no datacenter there"
        yield Gap(fact="databases", reason="malformed", detail=detail)


def _other_provider(info: dict[str, Any], living: list[dict[str, Any]]) -> str:
    """Return the provider of a datacenter that is not that of the database; empty if none is.

    All regions of a database are of one provider.
    """
    own = canonical_provider(info.get("cloudProvider"))
    others = [each["cloudProvider"] for each in living if each.get("cloudProvider")]
    return next(
        (describe(other) for other in others if own and canonical_provider(other) != own), ""
    )
