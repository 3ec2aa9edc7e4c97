"""The key plan: how many customer keys are needed, registered, missing and idle, and which."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from reports.aggregation.coverage import NEEDED, UNUSED, WITH_DATABASES
from reports.key_instructions.instructions import scope_of
from reports.key_instructions.procedure import procedure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from inventory.model.key import KeyScope
    from inventory.model.vocabulary import DatabaseType, Provider
    from inventory.terraform.scopes import TerraformScope
    from reports.aggregation.coverage import Keys

NUMBERS = (
    "needed",
    "registered",
    "missing",
    "undetermined",
    "failing",
    "unproven",
    "waived",
    "unused",
    "astra_provided",
    "unsupported",
    "unprotected",
)
LISTS = ("missing", "undetermined", "unused")
_WITHOUT_KEY = ("missing", "shared", "undetermined", "unsupported")


def plan_keys(
    coverage: Sequence[Mapping[str, Any]],
    known: Callable[[str], Keys],
    managed: Mapping[KeyScope, TerraformScope],
) -> dict[str, Any]:
    """Make the key plan of a coverage matrix.

    ``known`` says what is known of the keys of an organization, by its id, and ``managed`` what
    Terraform manages in a key scope.
    """
    organizations = [_organization(each, known(each["organization"])) for each in coverage]
    return {
        **{name: sum(organization[name] for organization in organizations) for name in NUMBERS},
        "organizations": organizations,
        "lists": {
            **{state: list(_listed(coverage, state, managed)) for state in LISTS},
            "shared": [each for row in coverage for each in _shared(row, known)],
        },
        "steps": _steps(coverage),
    }


def _organization(row: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    return {
        **_named(row),
        "databases_known": NEEDED not in keys.unread,
        "keys_known": UNUSED not in keys.unread,
        **_count(row["cells"], keys),
    }


def _count(cells: Iterable[Mapping[str, Any]], keys: Keys) -> dict[str, int]:
    """Count key scopes by their states.

    Of those that share one key, one has it, and fails for sharing it; the others lack theirs.
    """
    states = Counter(cell["state"] for cell in cells)
    numbers = {name: states[name.replace("_", "-")] for name in NUMBERS}
    return {
        **numbers,
        "needed": sum(states[state] for state in WITH_DATABASES),
        "registered": keys.registered,
        "missing": states["missing"] + states["shared"] - len(keys.shared),
        "failing": states["failing"] + len(keys.shared),
        "unprotected": keys.unprotected,
    }


def _named(organization: Mapping[str, Any]) -> dict[str, str]:
    return {"organization": organization["organization"], "name": organization["name"]}


def _listed(
    coverage: Iterable[Mapping[str, Any]], state: str, managed: Mapping[KeyScope, TerraformScope]
) -> Iterator[dict[str, Any]]:
    fields = ("type", "provider", "region", "databases", "existing")
    for organization in coverage:
        for cell in organization["cells"]:
            if cell["state"] == state:
                listed = {**_named(organization), **{name: cell[name] for name in fields}}
                yield {**listed, "terraform": _terraform(managed.get(scope_of(listed)))}


def _terraform(managed: TerraformScope | None) -> dict[str, list[str]] | None:
    if managed is None:
        return None
    return {field: list(addresses) for field, addresses in managed._asdict().items()}


def _shared(row: Mapping[str, Any], known: Callable[[str], Keys]) -> Iterator[dict[str, Any]]:
    """Yield each key that several key scopes share, of which all but one lack a key."""
    for key, places in known(row["organization"]).shared:
        fields = ("type", "provider", "region")
        scopes = [dict(zip(fields, place, strict=True)) for place in places]
        yield {**_named(row), "key": key, "scopes": scopes}


def _steps(coverage: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what to do for key scopes that lack a key or may lack one, once for each kind."""
    kinds: dict[tuple[DatabaseType, Provider], list[Mapping[str, Any]]] = {}
    for organization in coverage:
        for cell in organization["cells"]:
            if cell["state"] in _WITHOUT_KEY:
                kinds.setdefault((cell["type"], cell["provider"]), []).append(cell)
    states = {kind: Counter(cell["state"] for cell in cells) for kind, cells in kinds.items()}
    most_urgent_first = sorted(kinds, key=lambda kind: (_urgency(states[kind]), kind))
    return [_step(kind, states[kind], kinds[kind]) for kind in most_urgent_first]


def _urgency(states: Mapping[str, int]) -> int:
    return next(place for place, state in enumerate(_WITHOUT_KEY) if states[state])


def _step(
    kind: tuple[DatabaseType, Provider], states: Counter[str], cells: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what to do for the key scopes of one kind; with one region, for that one."""
    database_type, provider = kind
    regions = sorted({cell["region"] for cell in cells})
    page, address, steps = procedure(
        database_type, provider, regions[0] if len(regions) == 1 else ""
    )
    return {
        "type": database_type,
        "provider": provider,
        **{state.replace("-", "_"): states[state] for state in _WITHOUT_KEY},
        "regions": regions,
        "page": page,
        "address": address,
        "steps": list(steps),
    }
