"""What limits the sources of an audit, or was assumed of them, as every report says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.model.head import Head
    from reports.model.population_summary import SourceEntry

MOST = 12
"""How many are shown where the verdict is; the record holds all of them."""


class SourceNote(NamedTuple):
    """A note on one source; both texts are still to be escaped.

    Attributes:
        source: the path of the source.
        text: what is to be known of it, a sentence or two.
    """

    source: str
    text: str

    def __str__(self) -> str:
        """Write it on one line."""
        return f"{self.source}: {self.text}"


def notes_on(sources: Iterable[SourceEntry]) -> list[SourceNote]:
    """Return every note on ``sources``, as a record holds them, in their order."""
    return [SourceNote(source["path"], text) for source in sources for text in source["notes"]]


def first_notes(head: Head) -> tuple[list[SourceNote], int]:
    """Return the notes to show beside the verdict of an audit, and how many more there are."""
    every = notes_on(head["population"]["sources"])
    return every[:MOST], max(0, len(every) - MOST)
