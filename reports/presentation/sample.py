"""A sample that an auditor performs again: drawn by hashes, so that anybody draws the same one.

The members of the population are numbered from 1, in the order of their file. The sample is the
numbers whose SHA-256 with the report's id is smallest. A larger sample begins with the smaller one.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from checks.engine.finding import STATUSES
from reports.record.stored_lines import groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from checks.engine.finding import Status
    from reports.model.population_record import KeyLine

Kind = Literal["databases", "keys", "passes"]
"""What can be drawn: databases and keys of the population, or findings that pass."""

KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_SIZE = 25

_DATABASE, _KEY, _PASS = b'{"kind":"database",', b'{"kind":"key",', b'{"status":"pass",'
_ORGANIZATION = b'{"kind":"organization",'
_STATE, _PATH = b',"state":"', b',"path":"'
_TERMINATED = _STATE + b'terminated"'
_ACROSS = "."
_MOST_IDS = 5
_LARGEST = b"\xff" * 33
"""Larger than any SHA-256."""

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


def rank(seed: str, number: int) -> bytes:
    """Return what orders the numbers of a population: the SHA-256 of seed, colon and number."""
    return sha256(f"{seed}:{number}".encode()).digest()


class Draw:
    """Draws a sample in one pass over the lines of the record, of which it keeps only the drawn.

    Attributes:
        total: how many members the population has so far.
        terminated: how many databases were left out, as no data is at rest in them.
    """

    def __init__(self, seed: str, size: int, kind: Kind = "databases") -> None:
        """Draw ``size`` of ``kind``, or all if there are fewer; ``seed`` is the report's id."""
        self.total = self.terminated = 0
        self._size, self._kind = size, kind
        self._seeded = sha256(f"{seed}:".encode())
        # The largest rank comes first, negated, so that it is the one that gives way.
        self._heap: list[tuple[int, Drawn]] = []
        self._below = _LARGEST if size else b""
        self._keys: list[bytes] = []

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``lines`` as they are, and draw from them."""
        for line in lines:
            self.add(line)
            yield line

    def add(self, line: bytes) -> None:
        """Count ``line`` if it belongs to the population, and keep it if it is drawn so far."""
        if not self._is_member(line):
            return
        self.total += 1
        # This is ``rank``, without hashing the seed again for each of a million lines.
        hashed = self._seeded.copy()
        hashed.update(b"%d" % self.total)
        digest = hashed.digest()
        if digest < self._below:
            self._keep(digest, line)

    def add_all(self, lines: Iterable[bytes]) -> None:
        """Take all ``lines``; as ``add``, which takes longer for a line than to hash its number."""
        for group in groups_of(lines):
            if self._kind == "databases" and _has_only_members(group):
                self._draw_from(group)
            else:
                for line in group:
                    self.add(line)

    def _draw_from(self, members: Sequence[bytes]) -> None:
        copy = self._seeded.copy
        begin = self.total
        for number, line in enumerate(members, begin + 1):
            hashed = copy()
            hashed.update(b"%d" % number)
            digest = hashed.digest()
            if digest < self._below:
                self.total = number
                self._keep(digest, line)
        self.total = begin + len(members)

    def _keep(self, digest: bytes, line: bytes) -> None:
        entry = -int.from_bytes(digest, "big"), self._drawn(line)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heapreplace(self._heap, entry)
        if len(self._heap) == self._size:
            self._below = (-self._heap[0][0]).to_bytes(len(digest), "big")

    def drawn(self) -> list[Drawn]:
        """Return the sample in the order in which it is drawn: the smallest hash first."""
        return [member for _, member in sorted(self._heap, reverse=True)]

    def _is_member(self, line: bytes) -> bool:
        if self._kind != "databases":
            return line.startswith(_KEY if self._kind == "keys" else _PASS)
        if not line.startswith(_DATABASE):
            self._remember_keys(line)
            return False
        # Inside a JSON string a quote follows a backslash, so no name can look like this field.
        # A region may have it, too: looking for the bytes first is only faster.
        if _TERMINATED in line and line.startswith(_TERMINATED, line.find(_STATE)):
            self.terminated += 1
            return False
        return True

    def _remember_keys(self, line: bytes) -> None:
        """Keep the lines of the keys of one organization: they come before its databases."""
        if line.startswith(_ORGANIZATION):
            self._keys.clear()
        elif line.startswith(_KEY):
            self._keys.append(line)

    def _drawn(self, line: bytes) -> Drawn:
        member = json.loads(line)
        scopes = [region["scope"].split("/", 1) for region in member.get("regions", ())]
        begin = _KEY.decode("ascii") + '"path":"'
        starts = tuple(f"{begin}{owner}/key/{scope}/".encode() for owner, scope in scopes)
        keys = [json.loads(key) for key in self._keys if key.startswith(starts)]
        return Drawn(self.total, member, tuple(keys))


def _has_only_members(lines: Iterable[bytes]) -> bool:
    """Return whether all ``lines`` are databases, and none is terminated in any way."""
    return not any(_TERMINATED in line or not line.startswith(_DATABASE) for line in lines)


# --- what was concluded ---------------------------------------------------------------------------


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

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``lines`` as they are, and pick from them."""
        for line in lines:
            self.add(line)
            yield line

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
