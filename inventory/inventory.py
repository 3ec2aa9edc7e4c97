"""The inventory of one audit: the present from one or more files, and what is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.errors import InventoryError, Problem
from inventory.files import is_stream, open_stream, read_file
from inventory.merging import merge
from inventory.plans import read_plan, with_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from inventory.models import Organization
    from inventory.recorded import Recorded
    from inventory.sources import Source


class Inventory:
    """What is to be audited; a single NDJSON file is read as a stream, all else is held whole.

    Attributes:
        is_example: whether every file is a bundled example.
        captured_at: the earliest time at which any file was recorded; None if one does not say.
    """

    def __init__(self, files: Sequence[str], plans: Sequence[str] = ()) -> None:
        """Open ``files`` (.yaml, .yml, .json, .ndjson, bundles) and read ``plans`` (.yaml, …).

        Raises InventoryError with the problems of every file that is read at once; those of a
        stream come when ``organizations`` reaches its end.
        """
        streams = len(files) == 1 and is_stream(files[0])
        self._plans, self._whole = _read_all(plans, () if streams else files)
        self._stream = open_stream(files[0]) if streams else None
        heads = [self._stream.head] if self._stream else [each.source for each in self._whole]
        self.is_example = bool(heads) and all(head.example for head in heads)
        times = [head.captured_at for head in heads if head.captured_at is not None]
        self.captured_at: datetime | None = None
        if len(times) == len(heads):
            self.captured_at = min(times, default=None)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Describe every file; complete only after the iteration over ``organizations``."""
        present = [self._stream.source] if self._stream else [each.source for each in self._whole]
        return (*present, *(each.source for each in self._plans))

    def organizations(self) -> Iterator[Organization]:
        """Yield every organization once, in the order of the files; raises InventoryError."""
        planned = {each.id: each for each in self._planned()}
        for organization in self._present():
            yield with_plan(organization, planned.pop(organization.id, None))
        yield from planned.values()

    def _planned(self) -> list[Organization]:
        return merge(each for plan in self._plans for each in plan.organizations)

    def _present(self) -> Iterator[Organization]:
        if self._stream:
            return self._stream.organizations()
        return iter(merge(self._dated()))

    def _dated(self) -> Iterator[Organization]:
        for recorded in self._whole:
            at = recorded.source.captured_at
            for each in recorded.organizations:
                if each.captured_at is None:
                    yield each.model_copy(update={"captured_at": at}).at(each.file, each.line)
                else:
                    yield each


def _read_all(plans: Sequence[str], files: Sequence[str]) -> tuple[list[Recorded], list[Recorded]]:
    problems: list[Problem] = []
    read_plans = [_collect(read_plan, file, problems) for file in plans]
    present = [_collect(read_file, file, problems) for file in files]
    if problems:
        raise InventoryError(problems)
    return [each for each in read_plans if each], [each for each in present if each]


def _collect(
    read: Callable[[str], Recorded], file: str, problems: list[Problem]
) -> Recorded | None:
    try:
        return read(file)
    except InventoryError as error:
        problems += error.problems
        return None
