"""A sample that an auditor performs again: drawn by hashes, so that anybody draws the same one.

The members of the population are numbered from 1, in the order of their file. Each draw brings one
number: the SHA-256 of the report's id with the number of the draw, modulo the size of the
population, plus 1. A number that was drawn before is skipped, so a larger sample begins with the
smaller one. A hash is so much larger than any population that no number is favoured.
"""

from __future__ import annotations

import json
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from checks.engine.finding import STATUSES
from inventory.errors import RecordError
from reports.record.layout import DATABASE_LINE, KEY_LINE, ORGANIZATION_LINE
from reports.record.stored_lines import all_begin, groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from checks.engine.finding import Status
    from reports.model.population_record import KeyLine

Kind = Literal["databases", "keys", "passes"]
"""What can be drawn: databases and keys of the population, or findings that pass."""

KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_SIZE = 25

_BEGINS: dict[Kind, bytes] = {
    "databases": DATABASE_LINE,
    "keys": KEY_LINE,
    "passes": b'{"status":"pass",',
}
"""How the line of a member begins."""

_STATE, _PATH = b',"state":"', b',"path":"'
_TERMINATED = _STATE + b'terminated"'
_ACROSS = "."
_MOST_IDS = 5
_FINE = frozenset({b"pass", b"not-applicable"})


class Drawn(NamedTuple):
    """One member of the population that was drawn.

    Attributes:
        number: its number in the population, from 1.
        line: its line of the record, parsed.
        keys: the keys of the key scopes of a database, as the population lists them.
    """

    number: int
    line: Mapping[str, Any]
    keys: tuple[KeyLine, ...] = ()


class Conclusion(NamedTuple):
    """The findings of one rule and status about a drawn member.

    Attributes:
        rule: the rule's id.
        status: the status.
        ids: the ids of the first of these findings.
        total: how many there are.
    """

    rule: str
    status: Status
    ids: tuple[str, ...]
    total: int


def draw_numbers(seed: str, total: int, size: int) -> dict[int, int]:
    """Draw ``size`` of the numbers from 1 to ``total``, or all if there are fewer.

    Returns which draw brought each of them, in the order of drawing.
    """
    drawn: dict[int, int] = {}
    draws = 0
    while len(drawn) < min(size, total):
        draws += 1
        digest = sha256(f"{seed}:{draws}".encode()).digest()
        drawn.setdefault(int.from_bytes(digest, "big") % total + 1, draws)
    return drawn


class Draw(NamedTuple):
    """A sample, and the population that it was drawn from.

    Attributes:
        total: how many members the population has.
        terminated: how many databases were left out, as no data is at rest in them.
        draws: how many draws it took, with those that brought a number again.
        members: the sample, in the order of drawing.
        mixed: the ranges of bytes, in those of all lines, that have lines of what is no member.
    """

    total: int
    terminated: int
    draws: int
    members: list[Drawn]
    mixed: list[range]


def draw(
    lines: Iterable[bytes], seed: str, size: int, *, expected: int, kind: Kind = "databases"
) -> Draw:
    """Draw ``size`` of ``kind``, or all if there are fewer, from the ``lines`` of a record.

    The members are counted in the lines, and ``seed`` is the report's id. If there are not as many
    as ``expected``, the lines are read again, to draw from as many as there are. Raises RecordError
    if they are others by then.
    """
    numbers = draw_numbers(seed, expected, size)
    population = _numbered(lines, kind, numbers)
    if population.total != expected:
        found = population.total
        numbers = draw_numbers(seed, found, size)
        population = _numbered(lines, kind, numbers)
        if population.total != found:
            counts = f"first {found:,} and then {population.total:,}"
            raise RecordError(f"found {counts} {kind} in the same lines, expected the same number")
    members = [population.picked[number] for number in numbers]
    draws = max(numbers.values(), default=0)
    return Draw(population.total, population.terminated, draws, members, population.mixed)


def _numbered(lines: Iterable[bytes], kind: Kind, numbers: Iterable[int]) -> _NumberedMembers:
    population = _NumberedMembers(kind, numbers)
    for group in groups_of(lines):
        population.add(group)
    return population


class _NumberedMembers:
    """Numbers the members of a population in its lines, and keeps those that were drawn.

    Attributes:
        total: how many members there are so far.
        terminated: how many databases were left out so far.
        picked: the members that were drawn, by their numbers.
        mixed: the ranges of bytes in which not all lines are members.
    """

    def __init__(self, kind: Kind, numbers: Iterable[int]) -> None:
        self.total = self.terminated = 0
        self.picked: dict[int, Drawn] = {}
        self.mixed: list[range] = []
        self._end = 0
        self._begin = _BEGINS[kind]
        self._left = sorted(numbers, reverse=True)
        self._keys: list[bytes] = []

    def add(self, group: Sequence[bytes]) -> None:
        """Take the next lines; nothing is done with each of them if all are members."""
        is_database = self._begin == DATABASE_LINE
        start, self._end = self._end, self._end + sum(map(len, group))
        # One search in all lines takes half as long as one in each.
        if all_begin(group, self._begin) and not (is_database and _TERMINATED in b"".join(group)):
            self._number(group)
            return
        self.mixed.append(range(start, self._end))
        for line in group:
            if line.startswith(self._begin):
                self._add_member(line)
            elif is_database:
                self._remember_key(line)

    def _add_member(self, line: bytes) -> None:
        # Inside a JSON string a quote follows a backslash, so no name can look like this field.
        # A region may have it, too: looking for the bytes first is only faster.
        is_terminated = _TERMINATED in line and line.startswith(_TERMINATED, line.find(_STATE))
        if is_terminated and self._begin == DATABASE_LINE:
            self.terminated += 1
        else:
            self._number([line])

    def _number(self, members: Sequence[bytes]) -> None:
        """Take the next members; keep those that were drawn."""
        before = self.total
        self.total += len(members)
        while self._left and self._left[-1] <= self.total:
            number = self._left.pop()
            self.picked[number] = self._drawn(number, members[number - before - 1])

    def _remember_key(self, line: bytes) -> None:
        """Keep the lines of the keys of one organization: they come before its databases."""
        if line.startswith(ORGANIZATION_LINE):
            self._keys.clear()
        elif line.startswith(KEY_LINE):
            self._keys.append(line)

    def _drawn(self, number: int, line: bytes) -> Drawn:
        member = json.loads(line)
        scopes = [region["scope"].split("/", 1) for region in member.get("regions", ())]
        begin = KEY_LINE.decode("ascii") + '"path":"'
        starts = tuple(f"{begin}{owner}/key/{scope}/".encode() for owner, scope in scopes)
        keys = [json.loads(key) for key in self._keys if key.startswith(starts)]
        return Drawn(number, member, tuple(keys))


class Conclusions:
    """Picks the findings about the members of a sample, in one pass over all findings.

    These are the findings about a member itself, its regions, its key scopes, and the keys there;
    of those about its organization as a whole, the ones that do not comply.
    """

    def __init__(self, drawn: Sequence[Drawn]) -> None:
        """Look for what concerns the members in ``drawn``."""
        self._exact: defaultdict[bytes, list[int]] = defaultdict(list)
        self._whole: defaultdict[bytes, list[int]] = defaultdict(list)
        self._parent: dict[bytes, int] = {}
        self._organizations = {_ACROSS}
        self._found: list[dict[tuple[str, int], list[str]]] = [{} for _ in drawn]
        self._counts: list[defaultdict[tuple[str, int], int]] = [defaultdict(int) for _ in drawn]
        for place, member in enumerate(drawn):
            if "kind" in member.line:
                self._want(place, member)

    def _want(self, place: int, member: Drawn) -> None:
        path: str = member.line["path"]
        self._organizations.add(path.partition("/")[0])
        self._whole[path.partition("/")[0].encode()].append(place)
        paths = {path, *(region["scope"] for region in member.line.get("regions", ()))}
        if member.line["kind"] == "database":
            self._parent[path.encode()] = place
            paths.add(f"./database/{path.rpartition('/')[2]}")
        for key in [*member.keys, *([member.line] if member.line["kind"] == "key" else [])]:
            paths |= _paths_of_key(key["path"])
        for wanted in paths:
            self._exact[wanted.encode()].append(place)

    def clear(self) -> None:
        """Forget all findings, to pick from their lines again."""
        for found, counts in zip(self._found, self._counts, strict=True):
            found.clear()
            counts.clear()

    def wants(self, organization: str) -> bool:
        """Return whether findings about an organization may concern the sample, by its path."""
        return organization in self._organizations

    def add(self, line: bytes) -> None:
        """Keep what ``line`` concludes if it concerns the sample."""
        # The fields before the path have values from fixed lists, so this is the first of its name.
        start = line.find(_PATH) + len(_PATH)
        path = line[start : line.find(b'"', start)]
        places = [*self._exact.get(path, ())]
        if (place := self._parent.get(path.rpartition(b"/")[0])) is not None:
            places.append(place)
        whole = self._whole.get(path, ())
        if not places and not whole:
            return
        _, _, _, status, _, _, _, rule, _, _, _, identity, _ = line.split(b'"', 12)
        for place in {*places, *(whole if status not in _FINE else ())}:
            group = rule.decode("ascii"), STATUSES.index(status.decode("ascii"))
            self._counts[place][group] += 1
            ids = self._found[place].setdefault(group, [])
            if len(ids) < _MOST_IDS:
                ids.append(identity.decode("ascii"))

    def about(self, place: int) -> list[Conclusion]:
        """Return what was concluded about the member at ``place`` of the sample, rule by rule."""
        found, counts = self._found[place], self._counts[place]
        return [
            Conclusion(rule, STATUSES[status], tuple(found[rule, status]), counts[rule, status])
            for rule, status in sorted(found)
        ]


def _paths_of_key(path: str) -> set[str]:
    """Return the subjects of findings about a key: itself, its key scope, and its id anywhere."""
    owner, _, rest = path.partition("/key/")
    scope, _, own = rest.rpartition("/")
    return {path, f"{owner}/{scope}", f"{owner}/key-id/{own}", f"./key-id/{own}"}
