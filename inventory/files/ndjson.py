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
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from inventory.errors import InventoryError, Problem
from inventory.files.format_detection import STREAM, content_problem
from inventory.files.ndjson_lines import (
    BadLineError,
    EndRecord,
    HeadRecord,
    parse_line,
    read_database,
)
from inventory.files.suggestions import did_you_mean
from inventory.files.validation import problems_of
from inventory.files.yaml_json import RecordedFile, duplicates_within, token_problem
from inventory.model.base import Located
from inventory.model.database import Database
from inventory.model.gaps import Fact, Gap, Reading
from inventory.model.key import CustomerKey, RegionView, SupportCase, VendorAccount
from inventory.model.kms import CloudKey
from inventory.model.organization import Organization
from inventory.model.sources import CLOUDS_ONLY, Evidence, Role, Source
from inventory.system.file_ranges import open_range, split_file
from inventory.text.display import describe
from inventory.text.secrets import lines_with_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from inventory.system.file_ranges import FileRange, SplitFile

T = TypeVar("T", bound=BaseModel)

MOST_KEPT = 1_000
_TAIL = 65_536
_READ = 1_048_576

_CUT_SHORT = tuple(
    Gap(fact=fact, reason="cut-short", detail="the file ended without its end record")
    for fact in get_args(Fact)
)

_OF_ASTRA = frozenset(get_args(Fact)) | {"identity"}
"""What is read from Astra."""

_LISTS: dict[str, tuple[str, type[Located]]] = {
    "key": ("keys", CustomerKey),
    "database": ("databases", Database),
    "region-view": ("region_views", RegionView),
    "vendor-account": ("vendor_accounts", VendorAccount),
    "cloud-key": ("cloud_keys", CloudKey),
    "support-case": ("support_cases", SupportCase),
    "reading": ("readings", Reading),
}

ORGANIZATION_LINE = re.compile(rb'^\{ *"kind" *: *"organization" *[,}].*$', re.MULTILINE)
"""An organization's own line; where one looks otherwise, the file is not cut."""

_NAMING = ("id", "name", "owner", "captured_at")
"""What an organization's own line states of who it is, and of when."""

_KINDS = ("organization", *_LISTS)
_ENTRY_LINE = re.compile(rb'\{ *"kind" *: *"(%s)" *,' % "|".join(_LISTS).encode())
_EXPECTED_KINDS = f"a kind: {', '.join(_KINDS)} or end"


class PartRead(NamedTuple):
    """What was read of a part of a file, beside its organizations.

    Attributes:
        counts: how many lines of each kind there were.
        organizations: the ids of its organizations.
        end: the end record, if it is in this part.
        last_line: the number of the last line that was looked at.
    """

    counts: dict[str, int]
    organizations: tuple[str, ...]
    end: EndRecord | None
    last_line: int


class NdjsonReader:
    """A reader of one file: iterate over ``organizations`` once, then read ``source``.

    Attributes:
        file: the path, as it was given.
        head: the file's first line.
        is_whole: whether the file ends with an end record.
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
        self.file = file
        self._part = part
        self._sha256 = ""
        self._bundle = bundle
        self._role = role
        self._hash = hashlib.sha256()
        self._size = 0
        self._line = 0
        self._problems: list[Problem] = []
        self._total_problems = 0
        self._counts = dict.fromkeys(_KINDS, 0)
        self._seen: dict[str, None] = {}
        self._end: EndRecord | None = None
        self.head = self._read_head()
        self.is_whole = self._ends_whole()

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

    def organizations(self) -> Iterator[Organization]:
        """Yield one organization after the other.

        Raises InventoryError at the end, with all problems at once. After the first problem it
        yields nothing more.
        """
        for line, data, lists in self._blocks():
            organization = self._assemble(line, data, lists)
            if organization is None:
                continue
            if organization.id in self._seen:
                found = f"a duplicate organization {describe(organization.id)}"
                self._note(organization.line, "", found, "all its lines together")
            self._seen[organization.id] = None
            for problem in duplicates_within(self.file, organization):
                self._keep(problem)
            if not self._total_problems:
                yield _at_answers(organization, self._bundle[0]) if self._bundle else organization
        if self._part is None:
            self._check_end()
        elif self._hash.hexdigest() != self._part.sha256:
            self._note(0, "", "a file that changed while it was read", "a file that stays the same")
        if self._total_problems:
            raise InventoryError(self._problems, total=self._total_problems)

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

    def bare_organizations(self) -> Iterator[Organization]:
        """Yield each organization by what its own line states of its name, owner and time.

        All other lines are only counted. Raises InventoryError if an organization has no name.
        """
        for first, lines in self._chunks():
            for number, raw in enumerate(lines, first):
                if entry := _ENTRY_LINE.match(raw):
                    self._counts[entry[1].decode()] += 1
                    continue
                self._line = number
                kind, data = self._read_line(raw)
                if kind == "organization":
                    yield self._bare(data)
        if self._total_problems:
            raise InventoryError(self._problems, total=self._total_problems)

    def _bare(self, data: dict[str, Any]) -> Organization:
        stated = {name: data[name] for name in _NAMING if name in data}
        organization = self._validate(Organization, stated)
        if organization is None:
            raise InventoryError(self._problems, total=self._total_problems)
        self._seen[organization.id] = None
        captured = organization.captured_at or self.head.captured_at
        update = {"captured_at": captured}
        return organization.model_copy(update=update).at(self.file, self._line)

    @property
    def read(self) -> PartRead:
        """Return what was read, so that it can be added to what was read of other parts."""
        return PartRead(self._counts, tuple(self._seen), self._end, self._line)

    def take(self, split: SplitFile, parts: Sequence[PartRead]) -> None:
        """Take what others have read of all parts; then ``source`` is complete.

        Raises InventoryError if they do not fit together.
        """
        self._size, self._sha256 = split.size, split.sha256
        for place, part in enumerate(parts, 1):
            for kind, count in part.counts.items():
                self._counts[kind] += count
            if any(organization in self._seen for organization in part.organizations):
                self._note(0, "", "a duplicate organization", "all its lines together")
            self._seen |= dict.fromkeys(part.organizations)
            if part.end is not None and place < len(parts):
                self._note(0, "", "a line after the end record", "the end record last")
            self._end, self._line = part.end, part.last_line
        self._check_end()
        if self._total_problems:
            raise InventoryError(self._problems, total=self._total_problems)

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
            self._note(1, "kind", "a different kind of line", "kind: inventory on the first line")
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

    def _blocks(self) -> Iterator[tuple[int, dict[str, Any], dict[str, list[Any]]]]:
        """Yield each organization's own line with the entries that follow it."""
        block: tuple[int, dict[str, Any], dict[str, list[Any]]] | None = None
        databases: list[Database] = []
        quick = 0
        for first, lines in self._chunks():
            for number, raw in enumerate(lines, first):
                # Most lines are databases as the suite itself writes them: these skip the checks
                # of ``_read_line``, which takes several times as long.
                entry = read_database(raw)
                if entry is not None and block is not None and self._end is None:
                    databases.append(entry.at(self.file, number))
                    quick += 1
                    continue
                self._line = number
                kind, data = self._read_line(raw)
                if kind == "organization":
                    if block is not None:
                        yield block
                    databases = []
                    block = (number, data, {"keys": [], "databases": databases})
                elif kind and block is None:
                    self._note(number, "kind", f"kind {kind}", "an organization line before it")
                elif kind and block is not None:
                    self._append(kind, data, block[2])
        self._counts["database"] += quick
        if block is not None:
            yield block

    def _chunks(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the lines after the first in groups, each with the number of its first line."""
        number = self._part.first_line if self._part else 1
        with self._open(self._part) as handle:
            for lines in iter(lambda: handle.readlines(_READ), []):
                block = b"".join(lines)
                self._hash.update(block)
                for line in lines_with_secret(block, number):
                    self._keep(token_problem(self.file, line))
                self._size += len(block)
                yield (2, lines[1:]) if number == 1 else (number, lines)
                number += len(lines)

    def _read_line(self, raw: bytes) -> tuple[str, dict[str, Any]]:
        """Return the kind and the data of a line; an empty kind if nothing is left to do."""
        data = self._parse(raw)
        if data is None:
            return "", {}
        kind = data.pop("kind", None)
        if self._end is not None:
            self._note(self._line, "", "a line after the end record", "the end record last")
        elif kind == "end":
            self._end = self._validate(EndRecord, data)
        elif isinstance(kind, str) and kind in _KINDS:
            self._counts[kind] += 1
            return kind, data
        else:
            near = did_you_mean(kind if isinstance(kind, str) else "", (*_KINDS, "end"))
            self._note(self._line, "kind", describe(kind), f"{_EXPECTED_KINDS}{near}")
        return "", {}

    def _append(self, kind: str, data: dict[str, Any], lists: dict[str, list[Any]]) -> None:
        name, model = _LISTS[kind]
        entry = self._validate(model, data)
        if entry is not None:
            lists.setdefault(name, []).append(entry.at(self.file, self._line))

    def _parse(self, raw: bytes) -> dict[str, Any] | None:
        try:
            return parse_line(raw)
        except BadLineError as bad:
            self._note(self._line, bad.field, bad.found, bad.expected)
            return None

    # --- entries --------------------------------------------------------------------------------

    def _validate(self, model: type[T], data: dict[str, Any]) -> T | None:
        try:
            return model.__pydantic_validator__.validate_python(data)  # type: ignore[no-any-return]
        except ValidationError as error:
            for problem in problems_of(error, self.file, {(): self._line}, model=model):
                self._keep(problem)
            return None

    def _assemble(
        self, line: int, data: dict[str, Any], lists: dict[str, list[Any]]
    ) -> Organization | None:
        for name, _ in _LISTS.values():
            if name in data:
                self._note(line, name, "this field in an organization line", "separate lines")
                return None
        try:
            bare = Organization.model_validate({**data, "keys": (), "databases": ()})
        except ValidationError as error:
            for problem in problems_of(error, self.file, {(): line}, model=Organization):
                self._keep(problem)
            return None
        known: dict[str, Any] = {name: tuple(entries) for name, entries in lists.items()}
        if any(reading.fact in _OF_ASTRA for reading in known.get("readings", ())):
            known = {"region_views": (), "vendor_accounts": ()} | known
        known["captured_at"] = bare.captured_at or self.head.captured_at
        if not self.is_whole:
            known["gaps"] = bare.gaps + _CUT_SHORT
        return bare.model_copy(update=known).at(self.file, line)

    def _check_end(self) -> None:
        if not self._counts["organization"]:
            self._note(self._line, "", "no organization", "at least one")
        if self._end is None:
            return
        kinds = {"organizations": "organization", "keys": "key", "databases": "database"}
        for field, kind in (kinds | {"region_views": "region-view"}).items():
            stated, counted_lines = getattr(self._end, field), self._counts[kind]
            if stated != counted_lines:
                expected = f"{stated:,}, as the end record says"
                self._note(self._line, field, f"{counted_lines:,} {kind} lines", expected)

    def _note(self, line: int, field: str, found: str, expected: str) -> None:
        self._keep(Problem(self.file, line, field, found, expected))

    def _keep(self, problem: Problem) -> None:
        self._total_problems += 1
        if len(self._problems) < MOST_KEPT:
            self._problems.append(problem)


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


def read_whole(reader: NdjsonReader) -> RecordedFile:
    """Read a whole file in NDJSON into memory; raise InventoryError with all its problems."""
    organizations = tuple(reader.organizations())
    return RecordedFile(reader.source, organizations)
