"""Reads inventories in NDJSON as a stream, with one organization in memory at a time.

One JSON object a line, each with its ``kind``: first ``inventory``, then for each organization an
``organization`` line followed by its ``key``, ``database``, ``region-view``, ``vendor-account``,
``cloud-key``, ``support-case`` and ``reading`` lines, and at the very end an ``end`` line with the
totals, which a truncated file lacks.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import re
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from inventory.database_lines.database_columns import DatabaseColumns
from inventory.database_lines.database_list import parts_of
from inventory.errors import InventoryError, Problem
from inventory.files.entry_reader import EntryReader, Lines
from inventory.files.format_detection import STREAM, content_problem
from inventory.files.ndjson_lines import HeadRecord
from inventory.files.yaml_json import RecordedFile, token_problem
from inventory.model.organization import Organization
from inventory.model.sources import CLOUDS_ONLY, Evidence, Role, Source
from inventory.system.file_ranges import open_range, split_file, whole_lines
from inventory.text.secrets import lines_with_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from inventory.files.entry_reader import PartRead
    from inventory.model.base import SourceLocation
    from inventory.system.file_ranges import FileRange, SplitFile


_TAIL = 65_536
_READ = 1_048_576

ORGANIZATION_LINE = re.compile(rb'^\{ *"kind" *: *"organization" *[,}].*$', re.MULTILINE)
"""An organization's own line; where one looks otherwise, the file is not cut."""


class NdjsonReader(EntryReader):
    """A reader of one file: iterate over ``organizations`` once, then read ``source``.

    Attributes:
        file: the path, as it was given.
        head: the file's first line.
    """

    def __init__(
        self,
        file: str,
        role: Role = "inventory",
        bundle: tuple[str, Evidence] | None = None,
        part: FileRange | None = None,
    ) -> None:
        """Read head and tail; raise InventoryError if the file cannot be opened or has no head.

        ``bundle`` is the evidence bundle of the file: then the location of each entry is the
        recorded answer in which it was ``seen``. With a ``part``, only its lines are read, and what
        the whole file has to have is not asked of it.
        """
        super().__init__(file)
        self._part = part
        self._sha256 = ""
        self._bundle = bundle
        self._role = role
        self._hash = hashlib.sha256()
        self._size = 0
        self.head = self._read_head()
        self._is_whole = self._ends_whole()

    @property
    def captured_at(self) -> datetime | None:
        """Return when its content was true; None if it has no date."""
        return self.head.captured_at

    @property
    def is_whole(self) -> bool:
        """Say whether the file ends with an end record."""
        return self._is_whole

    @property
    def weight(self) -> int:
        """Return how many bytes its lines have."""
        with _readable(self.file):
            return Path(self.file).stat().st_size

    @property
    def source(self) -> Source:
        """Describe the file; complete only after the iteration."""
        path, evidence = self._bundle or (self.file, None)
        return Source(
            path=path,
            role=self._role,
            format="bundle" if evidence else "ndjson",
            size=self._size,
            sha256=self._sha256 or self._hash.hexdigest(),
            captured_at=self.head.captured_at,
            complete=self.is_whole,
            example=self.head.example,
            organizations=self._counts["organization"],
            keys=self._counts["key"],
            databases=self._counts["database"],
            evidence=evidence,
            notes=(CLOUDS_ONLY,) if self.head.clouds_only else (),
            clouds_of=tuple(self._seen) if self.head.clouds_only else (),
        )

    # --- parts ----------------------------------------------------------------------------------

    def splitting(self, least: int, *, with_heads: bool) -> SplitFile:
        """Cut the file into parts that begin with an organization; raise InventoryError.

        A part has at least ``least`` bytes; ``with_heads`` it holds its organizations' own lines.
        """
        with _readable(self.file):
            return split_file(self.file, ORGANIZATION_LINE, least, with_heads=with_heads)

    def of_part(self, part: FileRange) -> Callable[[], NdjsonReader]:
        """Return what opens a reader of nothing but ``part``, also in another process."""
        return partial(NdjsonReader, self.file, self._role, self._bundle, part)

    def take(self, split: SplitFile, parts: Sequence[PartRead]) -> None:
        """Take what others have read of all parts; then ``source`` is complete.

        Raises InventoryError if they do not fit together.
        """
        self._size, self._sha256 = split.size, split.sha256
        self._add_parts(parts)

    def _check_end(self) -> None:
        """Check what the whole file has to have; of a part, that it is still the same."""
        if self._part is None:
            super()._check_end()
        elif self._hash.hexdigest() != self._part.sha256:
            self._misfit("a file that changed while it was read", "a file that stays the same")

    # --- lines ----------------------------------------------------------------------------------

    def _open(self, part: FileRange | None = None) -> BinaryIO:
        with _readable(self.file):
            return open_range(self.file, part)

    def _read_head(self) -> HeadRecord:
        with self._open() as handle:
            raw = handle.readline()
        self._refuse_other_kind(raw)
        if not raw.strip():
            raise InventoryError([Problem(self.file, 1, "", "an empty line", "the head line")])
        self._line = 1
        data = self._parse(raw.removeprefix(codecs.BOM_UTF8))
        head = None
        if data is not None and data.pop("kind", None) != "inventory":
            self._note("kind", "a different kind of line", "kind: inventory on the first line")
        elif data is not None:
            head = self._validate(HeadRecord, data)
        if head is None:
            raise InventoryError(self._problems)
        return head

    def _refuse_other_kind(self, first: bytes) -> None:
        """Raise InventoryError if the beginning shows that the file is of another kind."""
        if b'"inventory"' in first:
            return
        with self._open() as handle:
            beginning = handle.read(_READ)
        if problem := content_problem(self.file, beginning, STREAM):
            raise InventoryError([problem])

    def _ends_whole(self) -> bool:
        with self._open() as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - _TAIL))
            last = handle.read().rstrip().rpartition(b"\n")[2]
        try:
            return isinstance(data := json.loads(last), dict) and data.get("kind") == "end"
        except (ValueError, RecursionError):
            return False

    def _chunks(self) -> Iterator[Lines]:
        """Yield the lines after the first in groups."""
        first = self._part.first_line if self._part else 1
        with self._open(self._part) as handle:
            for block in whole_lines(handle, _READ):
                self._hash.update(block)
                for line in lines_with_secret(block, first):
                    self._keep(token_problem(self.file, line))
                self._size += len(block)
                lines = Lines(self.file, first, block.decode("utf-8", "surrogateescape"))
                yield lines.without_first() if first == 1 else lines
                first += block.count(b"\n")

    def _located(self, organization: Organization) -> Organization:
        return _at_answers(organization, self._bundle[0]) if self._bundle else organization


@contextmanager
def _readable(file: str) -> Iterator[None]:
    """Turn an OSError while ``file`` is opened into an InventoryError."""
    try:
        yield
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InventoryError([Problem(file, 0, "", found, "a readable file")]) from None


def _at_answers(organization: Organization, bundle: str) -> Organization:
    """Set each entry's location to where it was seen in the recorded answers of ``bundle``."""
    for part in parts_of(organization.databases):
        if isinstance(part, DatabaseColumns):
            known = zip(part.seen, part.locations, strict=True)
            part.move([_at_answer(*entry, bundle) for entry in known])
        else:
            part.at(*_at_answer(part.seen, part.location, bundle))
    for name in ("keys", "region_views", "vendor_accounts"):
        for entry in getattr(organization, name) or ():
            entry.at(*_at_answer(entry.seen, entry.location, bundle))
    for cloud_key in organization.cloud_keys or ():
        seen = {fact: place.rpartition(":") for fact, place in cloud_key.seen.items()}
        places = {fact: (f"{bundle}/{path}", int(line)) for fact, (path, _, line) in seen.items()}
        cloud_key.facts.located(places)
    return organization


def _at_answer(seen: str | None, location: SourceLocation, bundle: str) -> SourceLocation:
    """Return where an entry was seen in the recorded answers; its own location if that is none."""
    if seen is None:
        return location
    path, _, line = seen.rpartition(":")
    return f"{bundle}/{path}", int(line)


def read_whole(reader: EntryReader) -> RecordedFile:
    """Read a whole stream into memory; raise InventoryError with all its problems."""
    organizations = tuple(reader.organizations())
    return RecordedFile(reader.source, organizations)
