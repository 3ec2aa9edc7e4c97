"""The key plan: how many customer keys are needed, registered, missing and idle, and which."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.registering import procedure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from inventory.spellings import DatabaseType, Provider

NUMBERS = (
    "needed",
    "registered",
    "missing",
    "undetermined",
    "idle",
    "astra_provided",
    "not_supported",
)
LISTS = ("missing", "undetermined", "idle")
_WITHOUT_KEY = ("missing", "undetermined", "not-supported")


def plan_keys(
    coverage: Sequence[Mapping[str, Any]], unread: Mapping[str, set[str]]
) -> dict[str, Any]:
    """Make the key plan of a coverage matrix.

    ``unread`` names, by organization, the rules that could not judge all there is.
    """
    own = [_count(each["cells"]) for each in coverage]
    return {
        **{name: sum(counted[name] for counted in own) for name in NUMBERS},
        "organizations": [
            {
                **_named(each),
                "databases_known": "CMEK-01" not in unread.get(each["organization"], ()),
                "keys_known": "CMEK-09" not in unread.get(each["organization"], ()),
                **counted,
            }
            for each, counted in zip(coverage, own, strict=True)
        ],
        "lists": {state: list(_listed(coverage, state)) for state in LISTS},
        "steps": _steps(coverage),
    }


def _count(cells: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    states: Counter[str] = Counter()
    keys = 0
    for cell in cells:
        states[cell["state"]] += 1
        keys += cell["keys"]
    needed = states["covered"] + states["missing"] + states["undetermined"]
    rest = {name: states[name.replace("_", "-")] for name in NUMBERS[2:]}
    return {"needed": needed, "registered": keys, **rest}


def _named(organization: Mapping[str, Any]) -> dict[str, str]:
    return {"organization": organization["organization"], "name": organization["name"]}


def _listed(coverage: Iterable[Mapping[str, Any]], state: str) -> Iterator[dict[str, Any]]:
    fields = ("type", "provider", "region", "databases", "existing")
    for organization in coverage:
        for cell in organization["cells"]:
            if cell["state"] == state:
                yield {**_named(organization), **{name: cell[name] for name in fields}}


def _steps(coverage: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what to do for key scopes that lack a key or may lack one, once for each kind."""
    kinds: dict[tuple[DatabaseType, Provider], Counter[str]] = {}
    for organization in coverage:
        for cell in organization["cells"]:
            if cell["state"] in _WITHOUT_KEY:
                kinds.setdefault((cell["type"], cell["provider"]), Counter())[cell["state"]] += 1
    most_urgent_first = sorted(kinds, key=lambda kind: (_urgency(kinds[kind]), kind))
    return [_step(kind, kinds[kind]) for kind in most_urgent_first]


def _urgency(states: Mapping[str, int]) -> int:
    return next(place for place, state in enumerate(_WITHOUT_KEY) if states[state])


def _step(kind: tuple[DatabaseType, Provider], states: Counter[str]) -> dict[str, Any]:
    database_type, provider = kind
    counted = {state.replace("-", "_"): states[state] for state in _WITHOUT_KEY}
    page, address, steps = procedure(database_type, provider)
    told = {"page": page, "address": address, "steps": list(steps)}
    return {"type": database_type, "provider": provider, **counted, **told}
