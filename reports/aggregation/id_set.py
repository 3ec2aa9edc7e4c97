"""Sets of the ids of databases, which take little memory while nobody adds to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.model.database_ids import DatabaseIds, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NONE = DatabaseIds()


class IdSet:
    """A set of ids, packed once all of an organization have come: 16 bytes each, instead of 150."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        """Start with none."""
        self._ids: set[str] | DatabaseIds = _NONE

    def add(self, identity: str) -> None:
        """Add one id."""
        self._unpacked().add(identity)

    def update(self, ids: Iterable[str]) -> None:
        """Add all of ``ids``."""
        self._unpacked().update(ids)

    def pack(self) -> None:
        """Take little memory, until an id is added."""
        if isinstance(self._ids, set):
            self._ids = pack(list(self._ids))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._ids) if isinstance(self._ids, set) else self._ids.total

    def __iter__(self) -> Iterator[str]:
        """Yield each of them once."""
        return iter(self._ids) if isinstance(self._ids, set) else self._ids.texts()

    def _unpacked(self) -> set[str]:
        if not isinstance(self._ids, set):
            self._ids = set(self._ids.texts())
        return self._ids


def count_all(sets: Iterable[IdSet]) -> int:
    """Return how many different ids several sets hold."""
    filled = [ids for ids in sets if len(ids)]
    if len(filled) < 2:  # noqa: PLR2004 (one alone is nearly always all, and stays packed)
        return sum(map(len, filled))
    return len(set[str]().union(*filled))
