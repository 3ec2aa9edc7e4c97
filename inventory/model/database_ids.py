"""The ids of many databases in little memory, and which of them several organizations list."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from itertools import chain
from operator import xor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LENGTH = 36
_HYPHENS = (8, 13, 18, 23)
_SIZE = 16

_BUCKETS = 256


class DatabaseIds(NamedTuple):
    """The ids of an organization's databases.

    Attributes:
        packed: those that are UUIDs in lower case, 16 bytes each; as text they take 85.
        others: all other ids.
    """

    packed: bytes = b""
    others: tuple[str, ...] = ()

    def short_forms(self) -> Iterator[Hashable]:
        """Yield each id in its short form."""
        starts = range(0, len(self.packed), _SIZE)
        return chain((self.packed[start : start + _SIZE] for start in starts), self.others)

    @property
    def total(self) -> int:
        """Return how many there are."""
        return len(self.packed) // _SIZE + len(self.others)

    def texts(self) -> Iterator[str]:
        """Yield each id as it was."""
        return map(_text, self.short_forms())

    def numbers(self) -> Iterator[int]:
        """Yield a number for each id, in the same order: equal for equal ids, in one process."""
        halves = array("q", self.packed)
        return chain(map(xor, halves[::2], halves[1::2]), map(hash, self.others))


def pack(ids: Sequence[str]) -> DatabaseIds:
    """Keep ``ids`` in little memory."""
    if (together := _pack_uuids(ids)) is not None:
        return DatabaseIds(together)
    packed, others = bytearray(), []
    for identity in ids:
        if _UUID.fullmatch(identity):
            packed += bytes.fromhex(identity.replace("-", ""))
        else:
            others.append(identity)
    return DatabaseIds(bytes(packed), tuple(others))


def _pack_uuids(ids: Sequence[str]) -> bytes | None:
    """Pack ``ids`` if all of them are UUIDs in lower case, as nearly always; else return None.

    It looks at all of them at once. A hexadecimal digit in upper case or a space would not come
    back from the packed ids.
    """
    if {*map(len, ids)} != {_LENGTH}:
        return None
    together, hyphens = "".join(ids), "-" * len(ids)
    digits = together.replace("-", "")
    are_placed = all(together[place::_LENGTH] == hyphens for place in _HYPHENS)
    if not are_placed or len(digits) != 2 * _SIZE * len(ids):
        return None
    try:
        packed = bytes.fromhex(digits)
    except ValueError:
        return None
    return packed if packed.hex() == digits else None


def shared_ids(ids_of: Mapping[str, DatabaseIds]) -> dict[str, list[str]]:
    """Return the owners of each id that has several, sorted by the id."""
    suspects = _suspects(ids_of.values())
    owners: dict[str, list[str]] = {}
    for owner, ids in ids_of.items() if suspects else ():
        pairs = zip(ids.numbers(), ids.short_forms(), strict=True)
        for key in dict.fromkeys(key for number, key in pairs if number in suspects):
            owners.setdefault(_text(key), []).append(owner)
    return {identity: found for identity, found in sorted(owners.items()) if len(found) > 1}


def _suspects(owned: Iterable[DatabaseIds]) -> set[int]:
    """Return the numbers that come several times; two different ids may have the same one.

    A set of all numbers takes five times what the ids take, an array half of it: so the numbers
    are divided by their last byte, and a set is made of one part at a time.
    """
    buckets = [array("q") for _ in range(_BUCKETS)]
    for ids in owned:
        for number in ids.numbers():
            buckets[number % _BUCKETS].append(number)
    suspects = set[int]()
    for bucket in buckets:
        if len(set(bucket)) < len(bucket):
            suspects |= {number for number, count in Counter(bucket).items() if count > 1}
    return suspects


def _text(key: Hashable) -> str:
    """Return the id whose short form is ``key``."""
    if not isinstance(key, bytes):
        return str(key)
    digits = key.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
