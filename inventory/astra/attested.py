"""Adds what people attest to what Astra lists; a statement about anything else is a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from inventory.astra.parsing import ParsedList
from inventory.files.yaml_json import versionless_key_identity
from inventory.model.gaps import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from inventory.astra.config import DatabaseStatement, KeyStatement, OrganizationConfig
    from inventory.model.base import Located
    from inventory.model.database import Database
    from inventory.model.key import CustomerKey

E = TypeVar("E", bound="Located")


def apply_key_statements(keys: Iterable[CustomerKey], config: OrganizationConfig) -> ParsedList:
    """Add to each key what ``config`` states about it."""
    return _apply(keys, config.keys, versionless_key_identity, _fact_of_key)


def apply_database_statements(
    databases: Iterable[Database], config: OrganizationConfig
) -> ParsedList:
    """Add to each database what ``config`` states about it and about its regions."""
    listed = list(databases)
    stated = _apply(listed, config.databases, lambda entry: entry.id, lambda _: "databases")
    return ParsedList(stated.entries, [*stated.gaps, *_unlisted_regions(listed, config)])


def _unlisted_regions(databases: Iterable[Database], config: OrganizationConfig) -> Iterator[Gap]:
    """Yield a gap for each stated region that its database does not have, if that is listed."""
    regions = {database.id: {region.name for region in database.regions} for database in databases}
    for statement in config.databases:
        for region in statement.regions:
            if region.name not in regions.get(statement.id, {region.name}):
                detail = _unlisted_detail(f"{region.name} of {statement.id}")
                yield Gap(fact="databases", reason="not-visible", detail=detail)


def _fact_of_key(statement: KeyStatement) -> Fact:
    return "serverless-keys" if statement.type == "serverless" else "managed-clusters-keys"


def _apply(
    entries: Iterable[E],
    statements: Iterable[KeyStatement] | Iterable[DatabaseStatement],
    identity: Callable[[Any], object],
    fact: Callable[[Any], Fact],
) -> ParsedList:
    by_identity: dict[object, Any] = {identity(statement): statement for statement in statements}
    listed = [(identity(entry), entry) for entry in entries]
    stated = [_apply_statement(entry, by_identity.get(known)) for known, entry in listed]
    unlisted = by_identity.keys() - {known for known, _ in listed}
    gaps = [
        Gap(fact=fact(statement), reason="not-visible", detail=_unlisted_detail(_label(statement)))
        for known, statement in by_identity.items()
        if known in unlisted
    ]
    return ParsedList(stated, gaps)


def _apply_statement(entry: E, statement: KeyStatement | DatabaseStatement | None) -> E:
    if statement is None:
        return entry
    # Only what the file sets: a default of the statement must not replace what Astra reported. The
    # key id stays as Astra spells it, though the file may spell it in another way.
    fields = statement.model_fields_set - {"key_id", "regions"}
    update = {name: getattr(statement, name) for name in fields}
    if stated_regions := getattr(statement, "regions", ()):
        portals = {region.name: region.portal for region in stated_regions}
        update["regions"] = tuple(
            region.model_copy(update={"portal": portals.get(region.name, region.portal)}).at(
                *region.location
            )
            for region in getattr(entry, "regions", ())
        )
    return entry.model_copy(update=update)


def _label(statement: Any) -> str:  # noqa: ANN401 (of either kind)
    return str(getattr(statement, "key_id", None) or statement.id)


def _unlisted_detail(label: str) -> str:
    return f"{label} is in the organizations file, but Astra does not list it"
