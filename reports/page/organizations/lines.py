"""The lines of findings and population, parted by organization without holding all of them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from reports.record.layout import ORGANIZATION_LINE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# The subject comes before any free text, and its path is escaped: the first such field is its own.
_ORGANIZATION = re.compile(rb'"organization":("(?:[^"\\]|\\.)*")')
_NONE: tuple[str, list[bytes]] = ("", [])
_ID = re.compile(rb'"id":("(?:[^"\\]|\\.)*")')


class OrganizationLines(NamedTuple):
    """The lines of one organization.

    Attributes:
        organization: its id.
        findings: those of the findings about it.
        population: those of what was judged of it: its own, those of its keys and databases.
    """

    organization: str
    findings: list[bytes]
    population: list[bytes]


def part(
    findings: Iterable[bytes], population: Iterable[bytes], organizations: Collection[str]
) -> Iterator[OrganizationLines]:
    """Yield the lines of each of the ``organizations``, in the order of the ``population``.

    Both are read from their beginning, the findings twice. The findings of an organization follow
    each other in the order of the population, but for a few that were found across organizations:
    these come last, and are looked for first. What is about any other organization is left out.

    Raises ValueError if the findings are in another order.
    """
    late = _late(findings)
    groups = _first_groups(findings, organizations)
    expected, own = next(groups, _NONE)
    for organization, lines in _population(population):
        if organization not in organizations:
            continue
        found: list[bytes] = []
        if expected == organization:
            found = own
            expected, own = next(groups, _NONE)
        yield OrganizationLines(organization, [*found, *late.get(organization, ())], lines)
    if expected:
        raise ValueError(f"findings about {expected!r} are not in the order of the population")


def _first_groups(
    lines: Iterable[bytes], organizations: Collection[str]
) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the first lines in a row of each organization."""
    seen: set[str] = set()
    for organization, group in groupby(lines, organization_of):
        if organization in organizations and organization not in seen:
            seen.add(organization)
            yield organization, list(group)


def organization_of(line: bytes) -> str:
    """Return the organization that a finding is about; empty if it is about several."""
    found = _ORGANIZATION.search(line)
    return _text(found[1]) if found else ""


def _text(quoted: bytes) -> str:
    """Return the text of a JSON string; most ids hold no escape, and need no parser."""
    return str(json.loads(quoted)) if b"\\" in quoted else quoted[1:-1].decode("utf-8")


def _late(lines: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Return the lines about an organization that come after those of the next one."""
    late: dict[str, list[bytes]] = defaultdict(list)
    seen: set[str] = set()
    for organization, group in groupby(lines, organization_of):
        if organization in seen:
            late[organization] += group
        seen.add(organization)
    return late


def _population(lines: Iterable[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each organization's id with its lines, of which its own is the first."""
    own: list[bytes] = []
    for line in lines:
        if line.startswith(ORGANIZATION_LINE) and own:
            yield _id(own[0]), own
            own = []
        own.append(line)
    if own:
        yield _id(own[0]), own


def _id(line: bytes) -> str:
    found = _ID.search(line)
    return _text(found[1]) if found else ""
