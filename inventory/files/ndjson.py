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
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from inventory.errors import InventoryError, Problem
from inventory.files.entry_reader import EntryReader, Lines
from inventory.files.format_detection import STREAM, content_problem
from inventory.files.ndjson_lines import (
    HeadRecord,
)
from inventory.files.yaml_json import RecordedFile, token_problem
from inventory.model.organization import Organization
from inventory.model.sources import CLOUDS_ONLY, Evidence, Role, Source
from inventory.text.secrets import lines_with_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


_TAIL = 65_536
_READ = 1_048_576


class NdjsonReader(EntryReader):
    """A reader of one file: iterate over ``organizations`` once, then read ``source``.

    Attributes:
        file: the path, as it was given.
        head: the file's first line.
    """

    def __init__(
        self, file: str, role: Role = "inventory", bundle: tuple[str, Evidence] | None = None
    ) -> None:
        """Read head and tail; raise InventoryError if the file cannot be opened or has no head.

        ``bundle`` is the evidence bundle of the file: then the location of each entry is the
        recorded answer in which it was ``seen``.
        """
        super().__init__(file)
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
    def source(self) -> Source:
        """Describe the file; complete only after the iteration."""
        path, evidence = self._bundle or (self.file, None)
        return Source(
            path=path,
            role=self._role,
            format="bundle" if evidence else "ndjson",
            size=self._size,
            sha256=self._hash.hexdigest(),
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

    # --- lines ----------------------------------------------------------------------------------

    def _open(self) -> Any:  # noqa: ANN401 (a binary file)
        try:
            return FilePath(self.file).open("rb")
        except OSError as error:
            found = error.strerror or type(error).__name__
            raise InventoryError([Problem(self.file, 0, "", found, "a readable file")]) from None

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
        first = 1
        with self._open() as handle:
            while block := handle.read(_READ) + handle.readline():
                self._hash.update(block)
                for line in lines_with_secret(block, first):
                    self._keep(token_problem(self.file, line))
                self._size += len(block)
                lines = Lines(self.file, first, block.decode("utf-8", "surrogateescape"))
                yield lines.without_first() if first == 1 else lines
                first += block.count(b"\n")

    def _located(self, organization: Organization) -> Organization:
        return _at_answers(organization, self._bundle[0]) if self._bundle else organization


def _at_answers(organization: Organization, bundle: str) -> Organization:
    """Set each entry's location to where it was seen in the recorded answers of ``bundle``."""
    for name in ("keys", "databases", "region_views", "vendor_accounts"):
        for entry in getattr(organization, name) or ():
            if entry.seen is not None:
                path, _, line = entry.seen.rpartition(":")
                entry.at(f"{bundle}/{path}", int(line))
    for cloud_key in organization.cloud_keys or ():
        seen = {fact: place.rpartition(":") for fact, place in cloud_key.seen.items()}
        places = {fact: (f"{bundle}/{path}", int(line)) for fact, (path, _, line) in seen.items()}
        cloud_key.facts.located(places)
    return organization


def read_whole(reader: EntryReader) -> RecordedFile:
    """Read a whole stream into memory; raise InventoryError with all its problems."""
    organizations = tuple(reader.organizations())
    return RecordedFile(reader.source, organizations)
