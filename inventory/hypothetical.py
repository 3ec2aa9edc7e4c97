"""Databases that are not even planned, given as ``[ORGANIZATION/]TYPE/PROVIDER/REGION``."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import SettingError
from inventory.model.base import is_identifier
from inventory.model.database import Database
from inventory.model.gaps import Gap
from inventory.model.organization import Organization
from inventory.model.vocabulary import PROVIDERS, TYPES, canonical_provider, canonical_type
from inventory.text.display import describe
from inventory.text.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OPTION = "--add"
SHAPE = "[ORGANIZATION/]TYPE/PROVIDER/REGION[,REGION…]"
UNNAMED_ORGANIZATION = "what-if"
"""The organization of hypothetical databases when there is no inventory and none is named."""

_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MOST_NAMED = 5
_NOT_RECORDED = Gap(
    fact="databases",
    reason="not-recorded",
    detail="only hypothetical databases are given; its existing databases were not recorded",
)


class HypotheticalDatabase(NamedTuple):
    """A database that might be created, in all its regions.

    Attributes:
        organization: the id or the name of its organization; empty if not given.
        type: the database type.
        provider: the cloud provider.
        regions: at least one, each once.
    """

    organization: str
    type: str
    provider: str
    regions: tuple[str, ...]


def parse_hypothetical_databases(texts: Iterable[str]) -> list[HypotheticalDatabase]:
    """Parse the value of each ``--add``; raise SettingError with every mistake at once."""
    databases, problems = [], []
    for text in texts:
        database, mistakes = _parse(text)
        databases.append(database)
        problems += mistakes
    if problems:
        raise SettingError("\n".join(problems))
    return databases


def _parse(text: str) -> tuple[HypotheticalDatabase, list[str]]:
    """Return the database that ``text`` describes, and what is wrong with it."""
    if holds_secret(text.encode(errors="replace")):
        return HypotheticalDatabase("", "", "", ()), [
            f"{OPTION}: found what looks like a token, expected {SHAPE}"
        ]
    parts = text.rsplit("/", 3)
    if len(parts) < 3 or (len(parts) > 3 and not parts[0]):  # noqa: PLR2004 (type, provider, region)
        return HypotheticalDatabase("", "", "", ()), [_problem(text, _missing(parts), SHAPE)]
    kind, provider, listed = parts[-3:]
    regions = tuple(listed.split(","))
    mistakes = [
        *_unknown("the database type", kind, TYPES, canonical_type(kind)),
        *_unknown("the provider", provider, PROVIDERS, canonical_provider(provider)),
        *_unusable(regions),
    ]
    organization = parts[0] if len(parts) > 3 else ""  # noqa: PLR2004 (as above)
    known = str(canonical_type(kind)), str(canonical_provider(provider))
    problems = [_problem(text, found, expected) for found, expected in mistakes]
    return HypotheticalDatabase(organization, *known, regions), problems


def _missing(parts: list[str]) -> str:
    count = len(parts)
    return "no organization before the first /" if count > 3 else f"{count} of 3 parts"  # noqa: PLR2004


def _problem(text: str, found: str, expected: str) -> str:
    return f"{OPTION} {describe(text)}: found {found}, expected {expected}"


def _unknown(
    what: str, text: str, spellings: Mapping[str, str], canonical: object
) -> Iterator[tuple[str, str]]:
    """Complain of an unknown spelling, and suggest the nearest known one."""
    if canonical in spellings.values():
        return
    near = difflib.get_close_matches(text.lower(), spellings, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    yield f"{what} {describe(text)}", " or ".join(dict.fromkeys(spellings.values())) + hint


def _unusable(regions: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for region in dict.fromkeys(regions):
        if not _REGION.fullmatch(region):
            near = region.strip().lower()
            hint = f"; did you mean {near!r}?" if _REGION.fullmatch(near) else ""
            expected = f"a region's name in lower-case letters, digits and dashes{hint}"
            yield f"the region {describe(region)}", expected
    if len(set(regions)) < len(regions):
        yield "a duplicate region", "each region of a database at most once"


# --- organizations --------------------------------------------------------------------------------


def group_by_organization(
    databases: Iterable[HypotheticalDatabase], names: Mapping[str, str]
) -> dict[str, list[HypotheticalDatabase]]:
    """Group ``databases`` by the ids of their organizations; ``names`` has the names by id.

    Without any organization, a named one counts as new. Raises SettingError if the organization of
    a database is unknown or ambiguous.
    """
    grouped: dict[str, list[HypotheticalDatabase]] = {}
    problems: list[str] = []
    for database in databases:
        owners = _matching_ids(database.organization, names)
        if len(owners) == 1:
            grouped.setdefault(owners[0], []).append(database)
        else:
            problems.append(_owner_problem(database.organization, owners, names))
    if problems:
        raise SettingError("\n".join(dict.fromkeys(problems)))
    return grouped


def _matching_ids(given: str, names: Mapping[str, str]) -> list[str]:
    """Return the ids of all organizations that the ``given`` id or name may mean."""
    if not names:
        new_id = given or UNNAMED_ORGANIZATION
        return [new_id] if is_identifier(new_id) else []
    if not given:
        return list(names)
    return [identity for identity, name in names.items() if given in (identity, name)]


def _owner_problem(given: str, matches: Sequence[str], names: Mapping[str, str]) -> str:
    if not names:
        return _problem(given, "no such organization", "an id: visible ASCII without spaces")
    if not given:
        expected = f"one of {len(names):,} organizations: {_some(names.values())}"
        return f"{OPTION}: found no organization, expected {expected}"
    if matches:
        several = f"{len(matches):,} organizations with that id or name"
        return _problem(given, several, f"the id of one: {_some(matches)}")
    near = difflib.get_close_matches(given, [*names, *names.values()], 1)
    hint = f"; did you mean {describe(near[0])}?" if near else ""
    expected = f"an id or a name, such as {_some(names.values())}{hint}"
    return _problem(given, "no such organization", expected)


def _some(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - _MOST_NAMED
    return ", ".join(map(describe, distinct[:_MOST_NAMED])) + (
        f" and {more:,} more" if more > 0 else ""
    )


def with_hypothetical_databases(
    organizations: Iterable[Organization],
    databases: Mapping[str, Sequence[HypotheticalDatabase]],
) -> Iterator[Organization]:
    """Yield ``organizations``, each with its hypothetical ``databases``, and then the new ones.

    The keys and the existing databases of a new organization count as not recorded.
    """
    remaining = dict(databases)
    for organization in organizations:
        yield _with_databases(organization, remaining.pop(organization.id, ()))
    for identity, added in remaining.items():
        yield _with_databases(Organization(id=identity, name=identity), added)


def _with_databases(
    organization: Organization, added: Sequence[HypotheticalDatabase]
) -> Organization:
    if not added:
        return organization
    planned = tuple(_planned(number, database) for number, database in enumerate(added, 1))
    update: dict[str, Any] = {"databases": (*(organization.databases or ()), *planned)}
    if organization.databases is None:
        update["gaps"] = (*organization.gaps, _NOT_RECORDED)
    return organization.model_copy(update=update)


def _planned(number: int, hypothetical: HypotheticalDatabase) -> Database:
    database = Database.model_validate(
        {
            "name": f"{UNNAMED_ORGANIZATION} {number}",
            "type": hypothetical.type,
            "provider": hypothetical.provider,
            "regions": [{"name": region} for region in hypothetical.regions],
            "state": "planned",
        }
    )
    return database.at(OPTION, number)
