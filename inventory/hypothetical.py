"""What if: databases that nobody plans yet, told as ``[ORGANIZATION/]TYPE/PROVIDER/REGION``."""

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
"""The organization of databases that no inventory holds and of which none was named."""

_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MOST_NAMED = 5
_NOT_RECORDED = Gap(
    fact="databases",
    reason="not-recorded",
    detail="only databases that might be are told; its existing ones were not recorded",
)


class HypotheticalDatabase(NamedTuple):
    """One database that might be, in all its regions.

    Attributes:
        organization: the id or the name of its organization; empty if not told.
        type: the database type.
        provider: the cloud provider.
        regions: at least one, each once.
    """

    organization: str
    type: str
    provider: str
    regions: tuple[str, ...]


def parse_hypothetical_databases(texts: Iterable[str]) -> list[HypotheticalDatabase]:
    """Read what stands after each ``--add``; raise SettingError with every mistake at once."""
    read, problems = [], []
    for text in texts:
        what_if, wrong = _parse(text)
        read.append(what_if)
        problems += wrong
    if problems:
        raise SettingError("\n".join(problems))
    return read


def _parse(text: str) -> tuple[HypotheticalDatabase, list[str]]:
    """Return what ``text`` tells, and what is wrong with it."""
    if holds_secret(text.encode(errors="replace")):
        return HypotheticalDatabase("", "", "", ()), [
            f"{OPTION}: found what looks like a token, expected {SHAPE}"
        ]
    parts = text.rsplit("/", 3)
    if len(parts) < 3 or (len(parts) > 3 and not parts[0]):  # noqa: PLR2004 (type, provider, region)
        return HypotheticalDatabase("", "", "", ()), [_problem(text, _missing(parts), SHAPE)]
    kind, provider, listed = parts[-3:]
    regions = tuple(listed.split(","))
    wrong = [
        *_unknown("the database type", kind, TYPES, canonical_type(kind)),
        *_unknown("the provider", provider, PROVIDERS, canonical_provider(provider)),
        *_unusable(regions),
    ]
    organization = parts[0] if len(parts) > 3 else ""  # noqa: PLR2004 (as above)
    known = str(canonical_type(kind)), str(canonical_provider(provider))
    problems = [_problem(text, found, expected) for found, expected in wrong]
    return HypotheticalDatabase(organization, *known, regions), problems


def _missing(parts: list[str]) -> str:
    count = len(parts)
    return "no organization before the first /" if count > 3 else f"{count} of 3 parts"  # noqa: PLR2004


def _problem(text: str, found: str, expected: str) -> str:
    return f"{OPTION} {describe(text)}: found {found}, expected {expected}"


def _unknown(
    what: str, text: str, spellings: Mapping[str, str], canonical: object
) -> Iterator[tuple[str, str]]:
    """Complain of a spelling that is none, and name the nearest one."""
    if canonical in spellings.values():
        return
    near = difflib.get_close_matches(text.lower(), spellings, 1)
    perhaps = f" ({near[0]!r} perhaps)" if near else ""
    yield f"{what} {describe(text)}", " or ".join(dict.fromkeys(spellings.values())) + perhaps


def _unusable(regions: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for region in dict.fromkeys(regions):
        if not _REGION.fullmatch(region):
            near = region.strip().lower()
            perhaps = f" ({near!r} perhaps)" if _REGION.fullmatch(near) else ""
            expected = f"a region's name in small letters, digits and dashes{perhaps}"
            yield f"the region {describe(region)}", expected
    if len(set(regions)) < len(regions):
        yield "a region a second time", "each region of a database at most once"


# --- whose they would be --------------------------------------------------------------------------


def group_by_organization(
    wanted: Iterable[HypotheticalDatabase], names: Mapping[str, str]
) -> dict[str, list[HypotheticalDatabase]]:
    """Group ``wanted`` by the ids of their organizations, whose ``names`` are told by their ids.

    Where there is no organization at all, each that is named is made up. Raises SettingError.
    """
    grouped: dict[str, list[HypotheticalDatabase]] = {}
    problems: list[str] = []
    for each in wanted:
        found = _owners(each.organization, names)
        if len(found) == 1:
            grouped.setdefault(found[0], []).append(each)
        else:
            problems.append(_whose(each.organization, found, names))
    if problems:
        raise SettingError("\n".join(dict.fromkeys(problems)))
    return grouped


def _owners(wanted: str, names: Mapping[str, str]) -> list[str]:
    """Return the ids of all organizations that ``wanted`` may mean."""
    if not names:
        made_up = wanted or UNNAMED_ORGANIZATION
        return [made_up] if is_identifier(made_up) else []
    if not wanted:
        return list(names)
    return [each for each, name in names.items() if wanted in (each, name)]


def _whose(wanted: str, found: Sequence[str], names: Mapping[str, str]) -> str:
    if not names:
        return _problem(wanted, "no such organization", "an id: visible ASCII without spaces")
    if not wanted:
        expected = f"one of the {len(names):,} that there are: {_some(names.values())}"
        return f"{OPTION}: found no organization, expected {expected}"
    if found:
        several = f"{len(found):,} organizations of that id or name"
        return _problem(wanted, several, f"the id of one, of {_some(found)}")
    near = difflib.get_close_matches(wanted, [*names, *names.values()], 1)
    perhaps = f" ({describe(near[0])} perhaps)" if near else ""
    expected = f"an id or a name, as {_some(names.values())}{perhaps}"
    return _problem(wanted, "no such organization", expected)


def _some(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = len(every) - _MOST_NAMED
    return ", ".join(map(describe, every[:_MOST_NAMED])) + (
        f" and {more:,} more" if more > 0 else ""
    )


def with_hypothetical_databases(
    organizations: Iterable[Organization], wanted: Mapping[str, Sequence[HypotheticalDatabase]]
) -> Iterator[Organization]:
    """Yield ``organizations`` with the databases ``wanted`` of each, then those that are made up.

    The keys and the existing databases of one that is made up count as not recorded.
    """
    left = dict(wanted)
    for organization in organizations:
        yield _with(organization, left.pop(organization.id, ()))
    for identity, databases in left.items():
        yield _with(Organization(id=identity, name=identity), databases)


def _with(organization: Organization, wanted: Sequence[HypotheticalDatabase]) -> Organization:
    if not wanted:
        return organization
    planned = tuple(_planned(number, each) for number, each in enumerate(wanted, 1))
    update: dict[str, Any] = {"databases": (*(organization.databases or ()), *planned)}
    if organization.databases is None:
        update["gaps"] = (*organization.gaps, _NOT_RECORDED)
    return organization.model_copy(update=update)


def _planned(number: int, wanted: HypotheticalDatabase) -> Database:
    database = Database.model_validate(
        {
            "name": f"{UNNAMED_ORGANIZATION} {number}",
            "type": wanted.type,
            "provider": wanted.provider,
            "regions": [{"name": region} for region in wanted.regions],
            "state": "planned",
        }
    )
    return database.at(OPTION, number)
