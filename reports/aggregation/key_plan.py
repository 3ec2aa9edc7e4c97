"""The key plan: how many customer keys are needed, registered, missing and unused, and which."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from reports.aggregation.coverage_states import NEEDED, UNUSED, WITH_DATABASES
from reports.key_instructions.instructions import scope_of
from reports.key_instructions.procedure import procedure
from reports.model.key_plan import NUMBERS, KeyNumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from inventory.model.key import KeyScope
    from inventory.model.vocabulary import DatabaseType, Provider
    from inventory.terraform.scopes import TerraformScope
    from reports.aggregation.coverage import Keys
    from reports.model.changes import NamedOrganization
    from reports.model.key_plan import (
        CoverageCell,
        CoverageRow,
        KeyPlan,
        KeyStep,
        ListedScope,
        OrganizationKeys,
        SharedKey,
        TerraformAddresses,
    )

_WITHOUT_KEY = ("missing", "shared", "undetermined", "unsupported")
"""The states of a key scope that lacks a key or may lack one, the most urgent first."""


def plan_keys(
    coverage: Sequence[CoverageRow],
    known: Callable[[str], Keys],
    managed: Mapping[KeyScope, TerraformScope],
) -> KeyPlan:
    """Make the key plan of a coverage matrix.

    ``known`` returns what is known of the keys of an organization, by its id, and ``managed`` holds
    what Terraform manages in a key scope.
    """
    organizations = [_organization(row, known(row["organization"])) for row in coverage]
    return {
        **_sum(organizations),
        "organizations": organizations,
        "lists": {
            "missing": list(_listed(coverage, "missing", managed)),
            "undetermined": list(_listed(coverage, "undetermined", managed)),
            "unused": list(_listed(coverage, "unused", managed)),
            "shared": [shared for row in coverage for shared in _shared(row, known)],
        },
        "steps": _steps(coverage),
    }


def _sum(organizations: Sequence[KeyNumbers]) -> KeyNumbers:
    counts: Counter[str] = Counter()
    for numbers in organizations:
        counts.update({name: cast("dict[str, int]", numbers)[name] for name in NUMBERS})
    return cast("KeyNumbers", {name: counts[name] for name in NUMBERS})


def _organization(row: CoverageRow, keys: Keys) -> OrganizationKeys:
    return {
        **_named(row),
        "databases_known": NEEDED not in keys.unread,
        "keys_known": UNUSED not in keys.unread,
        **_count(row["cells"], keys),
    }


def _count(cells: Iterable[CoverageCell], keys: Keys) -> KeyNumbers:
    """Count key scopes by their states.

    Of those that share one key, one has it, and fails for sharing it; the others lack theirs.
    """
    states = Counter(cell["state"] for cell in cells)
    return {
        "needed": sum(states[state] for state in WITH_DATABASES),
        "registered": keys.registered,
        "missing": states["missing"] + states["shared"] - len(keys.shared),
        "undetermined": states["undetermined"],
        "failing": states["failing"] + len(keys.shared),
        "unproven": states["unproven"],
        "waived": states["waived"],
        "unused": states["unused"],
        "astra_provided": states["astra-provided"],
        "unsupported": states["unsupported"],
        "unprotected": keys.unprotected,
    }


def _named(row: CoverageRow) -> NamedOrganization:
    return {"organization": row["organization"], "name": row["name"]}


def _listed(
    coverage: Iterable[CoverageRow], state: str, managed: Mapping[KeyScope, TerraformScope]
) -> Iterator[ListedScope]:
    for row in coverage:
        for cell in row["cells"]:
            if cell["state"] == state:
                listed: ListedScope = {
                    **_named(row),
                    "type": cell["type"],
                    "provider": cell["provider"],
                    "region": cell["region"],
                    "databases": cell["databases"],
                    "existing": cell["existing"],
                    "terraform": None,
                }
                listed["terraform"] = _terraform(managed.get(scope_of(listed)))
                yield listed


def _terraform(managed: TerraformScope | None) -> TerraformAddresses | None:
    if managed is None:
        return None
    return {
        "databases": list(managed.databases),
        "creates": list(managed.creates),
        "holds": list(managed.holds),
    }


def _shared(row: CoverageRow, known: Callable[[str], Keys]) -> Iterator[SharedKey]:
    """Yield each key that several key scopes share, of which all but one lack a key."""
    for key, locations in known(row["organization"]).shared:
        yield {
            **_named(row),
            "key": key,
            "scopes": [
                {"type": database_type, "provider": provider, "region": region}
                for database_type, provider, region in locations
            ],
        }


def _steps(coverage: Iterable[CoverageRow]) -> list[KeyStep]:
    """Return what to do for key scopes that lack a key or may lack one, once for each kind."""
    kinds: dict[tuple[DatabaseType, Provider], list[CoverageCell]] = {}
    for row in coverage:
        for cell in row["cells"]:
            if cell["state"] in _WITHOUT_KEY:
                kinds.setdefault((cell["type"], cell["provider"]), []).append(cell)
    states = {kind: Counter(cell["state"] for cell in cells) for kind, cells in kinds.items()}
    most_urgent_first = sorted(kinds, key=lambda kind: (_urgency(states[kind]), kind))
    return [_step(kind, states[kind], kinds[kind]) for kind in most_urgent_first]


def _urgency(states: Mapping[str, int]) -> int:
    return next(place for place, state in enumerate(_WITHOUT_KEY) if states[state])


def _step(
    kind: tuple[DatabaseType, Provider], states: Counter[str], cells: Iterable[CoverageCell]
) -> KeyStep:
    """Return what to do for the key scopes of one kind; with one region, for that one."""
    database_type, provider = kind
    regions = sorted({cell["region"] for cell in cells})
    page, address, steps = procedure(
        database_type, provider, regions[0] if len(regions) == 1 else ""
    )
    return {
        "type": database_type,
        "provider": provider,
        "missing": states["missing"],
        "shared": states["shared"],
        "undetermined": states["undetermined"],
        "unsupported": states["unsupported"],
        "regions": regions,
        "page": page,
        "address": address,
        "steps": list(steps),
    }
