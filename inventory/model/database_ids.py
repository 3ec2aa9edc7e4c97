"""The ids of many databases in little memory, and which of them several organizations list."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LENGTH = 36
_HYPHENS = (8, 13, 18, 23)
_SIZE = 16


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
    """Return the owners of each id that has several, sorted by the id.

    The first pass keeps a hash of each id only, which takes far less memory than all owners of
    all ids; it may find an id too many, and the second pass looks at those it found.
    """
    seen: set[int] = set()
    suspects: set[int] = set()
    for ids in ids_of.values():
        own = set(map(hash, ids.short_forms()))
        suspects |= own & seen
        seen |= own
    owners: dict[str, list[str]] = {}
    for owner, ids in ids_of.items() if suspects else ():
        for key in dict.fromkeys(key for key in ids.short_forms() if hash(key) in suspects):
            owners.setdefault(_text(key), []).append(owner)
    return {identity: found for identity, found in sorted(owners.items()) if len(found) > 1}


def _text(key: Hashable) -> str:
    """Return the id whose short form is ``key``."""
    if not isinstance(key, bytes):
        return str(key)
    digits = key.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
