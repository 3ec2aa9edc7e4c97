"""What people attest, laid over what Astra lists; a statement that meets nothing is a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from inventory.astra.parsing import ParsedList
from inventory.files.yaml_json import versionless_key_identity
from inventory.model.gaps import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inventory.astra.config import Configured, DatabaseStatement, KeyStatement
    from inventory.model.base import Located
    from inventory.model.database import Database
    from inventory.model.key import CustomerKey

E = TypeVar("E", bound="Located")


def with_key_statements(keys: Iterable[CustomerKey], wanted: Configured) -> ParsedList:
    """Add to each key what ``wanted`` states of it."""
    return _with(keys, wanted.keys, versionless_key_identity, _fact_of_key)


def with_database_statements(databases: Iterable[Database], wanted: Configured) -> ParsedList:
    """Add to each database what ``wanted`` states of it."""
    return _with(databases, wanted.databases, lambda each: each.id, lambda _: "databases")


def _fact_of_key(statement: KeyStatement) -> Fact:
    return "serverless-keys" if statement.type == "serverless" else "managed-clusters-keys"


def _with(
    entries: Iterable[E],
    statements: Iterable[KeyStatement] | Iterable[DatabaseStatement],
    identity: Callable[[Any], object],
    fact: Callable[[Any], Fact],
) -> ParsedList:
    wanted: dict[object, Any] = {identity(statement): statement for statement in statements}
    listed = [(identity(entry), entry) for entry in entries]
    told = [_stated(entry, wanted.get(named)) for named, entry in listed]
    unmet = wanted.keys() - {named for named, _ in listed}
    gaps = [
        Gap(fact=fact(each), reason="not-visible", detail=_unmet(each))
        for named, each in wanted.items()
        if named in unmet
    ]
    return ParsedList(told, gaps)


def _stated(entry: E, statement: KeyStatement | DatabaseStatement | None) -> E:
    if statement is None:
        return entry
    said = statement.model_fields_set - {"key_id"}
    own = {name: getattr(statement, name) for name in said}
    return entry.model_copy(update=own)


def _unmet(statement: Any) -> str:  # noqa: ANN401 (of either kind)
    named = getattr(statement, "key_id", None) or statement.id
    return f"{named} stands in the organizations file, and Astra does not list it"
