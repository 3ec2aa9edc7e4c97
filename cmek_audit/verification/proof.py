"""How far a report is proven: a status for each of its parts, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

Status = Literal["differs", "not-proven", "proven"]
"""The worst first: ``proven`` was made again from its sources and is equal."""

WORDS: dict[Status, str] = {
    "differs": "differs",
    "not-proven": "not proven",
    "proven": "proven",
}
"""Each status as people read it."""

BUNDLES = (
    "What is proven of an evidence bundle: its files agree with each other and with the root that "
    "it names. What is not: that Astra's server gave the answers, as whoever can write to the "
    "folder can write such a bundle. Compare the root with one that was kept elsewhere."
)


class Proof(NamedTuple):
    """What is proven of one part of a report.

    Attributes:
        name: the file, or the block of the record.
        status: how far it is proven.
        reason: what was done to prove it, or why that was not possible.
        is_provable: False for what nothing could prove; it is named, and decides nothing.
    """

    name: str
    status: Status
    reason: str
    is_provable: bool = True

    @property
    def stops(self) -> bool:
        """Return whether it keeps the whole from being proven."""
        return self.status == "differs" or (self.status == "not-proven" and self.is_provable)

    def __str__(self) -> str:
        """Return it on one line."""
        return f"{self.name}: {WORDS[self.status]} ({self.reason})"


def unprovable(name: str, reason: str) -> Proof:
    """Return the proof of what nothing could prove."""
    return Proof(name, "not-proven", reason, is_provable=False)


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of ``statuses``; without any, nothing is proven."""
    return min(statuses, key=get_args(Status).index, default="not-proven")
