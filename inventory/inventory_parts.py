"""An inventory in parts, each for a process of its own: consecutive organizations, and no others.

A file of lines is cut at its organizations' lines. What is in memory is divided as it is.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from inventory.cloud_facts import with_records
from inventory.errors import InventoryError, Problem
from inventory.model.gaps import Fact, Gap
from inventory.model.organization import Organization
from inventory.plans import add_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from inventory.files.entry_reader import EntryReader, PartRead
    from inventory.system.file_ranges import SplitFile

PARTS_PER_JOB = 4
"""How many parts each process gets, so that none waits long for the others at the end."""

LEAST_BYTES = 1_048_576
MOST_BYTES = 67_108_864
"""Between which sizes a part of a file is: worth its start, and quickly repeated if it is lost."""

NOT_JUDGED: Literal["not-judged"] = "not-judged"
"""Why the facts of an organization are missing whose part could not be judged."""


class StreamPart(NamedTuple):
    """Organizations in a file of lines, with what other files state about them.

    Attributes:
        open: opens what reads the lines of the part.
        sha256: the hash of these lines.
        planned: what plans hold of these organizations, by their ids.
        clouds: what records of clouds alone show of them.
    """

    open: Callable[[], EntryReader]
    sha256: str
    planned: Mapping[str, Organization]
    clouds: Mapping[str, Sequence[Organization]]


class InventoryPart:
    """Consecutive organizations of an inventory; it can be pickled, and sent to a process.

    Attributes:
        sha256: the hash of its lines in a file; empty if it is in memory.
        read: what was read beside the organizations, once all of these were taken.
    """

    def __init__(
        self, organizations: Sequence[Organization] = (), stream: StreamPart | None = None
    ) -> None:
        """Hold ``organizations`` that are in memory, or lead to those of a ``stream``."""
        self._organizations = tuple(organizations)
        self._stream = stream
        self.sha256 = stream.sha256 if stream else ""
        self.read: PartRead | None = None

    def organizations(self) -> Iterator[Organization]:
        """Yield each organization; raise InventoryError if all is to be read as one."""
        stream = self._stream
        if stream is None:
            yield from self._organizations
            return
        planned = dict(stream.planned)
        reader = stream.open()
        for organization in reader.organizations():
            whole = add_plan(organization, planned.pop(organization.id, None))
            yield with_records(whole, stream.clouds.get(organization.id, ()))
        self._take_read(reader, planned)

    def unread(self, detail: str) -> Iterator[Organization]:
        """Yield each organization with its name alone, as one of which nothing could be judged.

        ``detail`` says what happened. Raises InventoryError if not even the names can be read.
        """
        stream = self._stream
        if stream is None:
            yield from (_unread(organization, detail) for organization in self._organizations)
            return
        planned = dict(stream.planned)
        reader = stream.open()
        for organization in reader.bare_organizations():
            planned.pop(organization.id, None)
            yield _unread(organization, detail)
        self._take_read(reader, planned)

    def _take_read(self, reader: EntryReader, planned: Mapping[str, Organization]) -> None:
        """Keep what was read; an organization of a plan that should be here must have been."""
        if planned:
            found, expected = "other organizations", "those that were there at first"
            raise InventoryError([Problem(reader.file, 0, "", found, expected)])
        self.read = reader.read


def _unread(organization: Organization, detail: str) -> Organization:
    """Leave nothing of ``organization`` but who it is; every fact of it is a gap."""
    gaps = tuple(Gap(fact=fact, reason=NOT_JUDGED, detail=detail) for fact in get_args(Fact))
    bare = Organization(
        id=organization.id,
        name=organization.name,
        owner=organization.owner,
        captured_at=organization.captured_at,
        gaps=gaps,
    )
    return bare.at(*organization.location)


class SplitInventory(NamedTuple):
    """An inventory in parts.

    Attributes:
        parts: the parts, in the order of their organizations.
        file: how its file was cut; None if it is in memory.
    """

    parts: tuple[InventoryPart, ...]
    file: SplitFile | None = None


def split_organizations(organizations: Sequence[Organization], jobs: int) -> SplitInventory:
    """Divide ``organizations`` into parts of about the same number of keys and databases."""
    weights = [
        1 + len(one.keys or ()) + len(one.databases or ()) + one.managed.planned_key_count
        for one in organizations
    ]
    count = max(1, min(len(organizations), jobs * PARTS_PER_JOB))
    share = max(1, sum(weights)) / count
    parts: list[list[Organization]] = [[] for _ in range(count)]
    for one, before, weight in zip(organizations, accumulate(weights), weights, strict=True):
        parts[min(count - 1, int((before - weight) / share))].append(one)
    return SplitInventory(tuple(InventoryPart(part) for part in parts if part))


def split_stream(
    reader: EntryReader,
    planned: Mapping[str, Organization],
    clouds: Mapping[str, Sequence[Organization]],
    jobs: int,
) -> SplitInventory | None:
    """Cut the file of ``reader``; what is only planned is a part of its own, and comes last.

    None if it does not show which part an organization of the plans is in.
    """
    least = _least_bytes(reader.weight, jobs)
    split = reader.splitting(least, with_heads=bool(planned or clouds))
    waiting = dict(planned)
    parts: list[InventoryPart] = []
    for lines in split.ranges:
        ids = list(filter(None, map(_id_in, lines.heads)))
        if len(ids) < len(lines.heads):
            return None
        own = {one: waiting.pop(one) for one in ids if one in waiting}
        shown = {one: clouds[one] for one in ids if one in clouds}
        opening = reader.of_part(lines._replace(heads=()))
        parts.append(InventoryPart(stream=StreamPart(opening, lines.sha256, own, shown)))
    if waiting:
        last = [with_records(one, clouds.get(one.id, ())) for one in waiting.values()]
        parts.append(InventoryPart(last))
    return SplitInventory(tuple(parts), split)


def _least_bytes(size: int, jobs: int) -> int:
    return max(LEAST_BYTES, min(MOST_BYTES, size // (jobs * PARTS_PER_JOB) + 1))


def _id_in(head: bytes) -> str | None:
    """Return the id in an organization's line; None if it is not plainly there."""
    try:
        identity = json.loads(head).get("id")
    except (ValueError, RecursionError):
        return None
    return identity if isinstance(identity, str) else None
