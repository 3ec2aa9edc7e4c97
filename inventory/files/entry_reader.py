"""Reads organizations from lines of JSON, with one organization in memory at a time.

Where the lines come from is up to the subclass: a file in NDJSON, or the rows of Parquet.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from inventory.database_lines.database_list import DatabaseList
from inventory.database_lines.database_reader import DatabaseReader
from inventory.database_lines.line_patterns import PREFIX
from inventory.errors import InventoryError, Problem
from inventory.files.ndjson_lines import (
    COUNTED,
    BadLineError,
    EndRecord,
    parse_line,
    read_database,
)
from inventory.files.suggestions import did_you_mean
from inventory.files.validation import problems_of
from inventory.files.yaml_json import duplicates_within
from inventory.model.base import Located
from inventory.model.database import Database
from inventory.model.gaps import Fact, Gap, Reading
from inventory.model.key import CustomerKey, RegionView, SupportCase, VendorAccount
from inventory.model.kms import CloudKey
from inventory.model.organization import Organization
from inventory.model.sources import Source
from inventory.system.garbage_collection import collector_paused
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from inventory.database_lines.database_columns import DatabaseColumns
    from inventory.system.file_ranges import FileRange, SplitFile

T = TypeVar("T", bound=BaseModel)

MOST_KEPT = 1_000

_CUT_SHORT = tuple(
    Gap(fact=fact, reason="cut-short", detail="the file ended without its end record")
    for fact in get_args(Fact)
)

_OF_ASTRA = frozenset(get_args(Fact)) | {"identity"}
"""What is read from Astra."""

LISTS: dict[str, tuple[str, type[Located]]] = {
    "key": ("keys", CustomerKey),
    "database": ("databases", Database),
    "region-view": ("region_views", RegionView),
    "vendor-account": ("vendor_accounts", VendorAccount),
    "cloud-key": ("cloud_keys", CloudKey),
    "support-case": ("support_cases", SupportCase),
    "reading": ("readings", Reading),
}
"""The list of an organization that each kind of entry is in, and what an entry is."""

KINDS = ("organization", *LISTS)
_NAMING = ("id", "name", "owner", "captured_at")
"""What an organization's own line states of who it is, and of when."""

_ENTRY_LINE = re.compile(rb'\{ *"kind" *: *"(%s)" *,' % "|".join(KINDS[1:]).encode())

_EXPECTED_KINDS = f"a kind: {', '.join(KINDS)} or end"


class Lines(NamedTuple):
    """Some whole lines of a file.

    Attributes:
        file: its path.
        first: the number of the first line.
        text: the lines; a byte that is not UTF-8 is in it as by Python's ``surrogateescape``.
    """

    file: str
    first: int
    text: str

    def without_first(self) -> Lines:
        """Return all lines but the first one."""
        return Lines(self.file, self.first + 1, self.text.partition("\n")[2])


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


class _Block(NamedTuple):
    """An organization's own line, and the entries that follow it."""

    file: str
    line: int
    data: dict[str, Any]
    lists: dict[str, list[Any]]


class EntryReader(ABC):
    """A reader of entries: iterate over ``organizations`` once.

    Attributes:
        file: the path, as it was given.
    """

    _totals: ClassVar = "the end record"

    def __init__(self, file: str) -> None:
        """Begin to read ``file``."""
        self.file = file
        self._file = file
        self._line = 0
        self._problems: list[Problem] = []
        self._total_problems = 0
        self._counts = dict.fromkeys(KINDS, 0)
        self._seen: dict[str, None] = {}
        self._end: EndRecord | None = None
        self._plain = DatabaseReader()

    @property
    @abstractmethod
    def captured_at(self) -> datetime | None:
        """Return when its content was true; None if it has no date."""

    @property
    @abstractmethod
    def is_whole(self) -> bool:
        """Say whether it ends as it should."""

    @property
    @abstractmethod
    def source(self) -> Source:
        """Describe the file; complete only after the iteration."""

    @abstractmethod
    def _chunks(self) -> Iterator[Lines]:
        """Yield the lines of entries in groups."""

    def _located(self, organization: Organization) -> Organization:
        """Return ``organization``, whose entries have the locations that a reader needs."""
        return organization

    def organizations(self) -> Iterator[Organization]:
        """Yield one organization after the other.

        Raises InventoryError at the end, with all problems at once. After the first problem it
        yields nothing more.
        """
        blocks = self._blocks()
        while True:
            with collector_paused():
                block = next(blocks, None)
                organization = block and self._read_block(block)
            if block is None:
                break
            if organization and not self._total_problems:
                yield self._located(organization)
        self._check_end()
        if self._total_problems:
            raise InventoryError(self._problems, total=self._total_problems)

    def _read_block(self, block: _Block) -> Organization | None:
        """Return the organization of a block; None if it is not valid."""
        organization = self._assemble(block)
        if organization is None:
            return None
        if organization.id in self._seen:
            found = f"a duplicate organization {describe(organization.id)}"
            expected = "all its lines together"
            self._keep(Problem(block.file, block.line, "", found, expected))
        self._seen[organization.id] = None
        for problem in duplicates_within(block.file, organization):
            self._keep(problem)
        return organization

    # --- parts ----------------------------------------------------------------------------------

    @property
    @abstractmethod
    def weight(self) -> int:
        """Return how many bytes its lines have, or about so many."""

    @abstractmethod
    def splitting(self, least: int, *, with_heads: bool) -> SplitFile:
        """Cut it into parts of whole organizations; raise InventoryError.

        A part has lines of about ``least`` bytes or more; ``with_heads`` it holds a line for each
        of its organizations, with its id.
        """

    @abstractmethod
    def of_part(self, part: FileRange) -> Callable[[], EntryReader]:
        """Return what opens a reader of nothing but ``part``, also in another process."""

    def bare_organizations(self) -> Iterator[Organization]:
        """Yield each organization by what its own line states of its name, owner and time.

        All other lines are only counted. Raises InventoryError if an organization has no name.
        """
        for file, number, raw in self._raw_lines():
            if entry := _ENTRY_LINE.match(raw):
                self._counts[entry[1].decode()] += 1
                continue
            self._file, self._line = file, number
            kind, data = self._read_line(raw)
            if kind == "organization":
                yield self._bare(data)
        if self._total_problems:
            raise InventoryError(self._problems, total=self._total_problems)

    def _raw_lines(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield the lines of entries, each with its file and its number in it."""
        for chunk in self._chunks():
            raw = chunk.text.encode("utf-8", "surrogateescape")
            for number, line in enumerate(raw.removesuffix(b"\n").split(b"\n"), chunk.first):
                yield chunk.file, number, line

    def _bare(self, data: dict[str, Any]) -> Organization:
        stated = {name: data[name] for name in _NAMING if name in data}
        organization = self._validate(Organization, stated)
        if organization is None:
            raise InventoryError(self._problems, total=self._total_problems)
        self._seen[organization.id] = None
        captured = organization.captured_at or self.captured_at
        update = {"captured_at": captured}
        return organization.model_copy(update=update).at(self._file, self._line)

    @property
    def read(self) -> PartRead:
        """Return what was read, so that it can be added to what was read of other parts."""
        return PartRead(self._counts, tuple(self._seen), self._end, self._line)

    @abstractmethod
    def take(self, split: SplitFile, parts: Sequence[PartRead]) -> None:
        """Take what others have read of all parts; then ``source`` is complete.

        Raises InventoryError if they do not fit together.
        """

    def _add_parts(self, parts: Sequence[PartRead]) -> None:
        """Add up what was read of all parts, and check it as that of the whole."""
        for place, part in enumerate(parts, 1):
            for kind, count in part.counts.items():
                self._counts[kind] += count
            if any(organization in self._seen for organization in part.organizations):
                self._misfit("a duplicate organization", "all its lines together")
            self._seen |= dict.fromkeys(part.organizations)
            if part.end is not None and place < len(parts):
                self._misfit("a line after the end record", "the end record last")
            self._end, self._line = part.end, part.last_line
        self._check_end()
        if self._total_problems:
            raise InventoryError(self._problems, total=self._total_problems)

    def _misfit(self, found: str, expected: str) -> None:
        """Keep a problem that is of no single line."""
        self._keep(Problem(self.file, 0, "", found, expected))

    # --- lines ----------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[_Block]:
        """Yield each organization's own line with the entries that follow it."""
        block: _Block | None = None
        for chunk in self._chunks():
            self._file, self._line, position = chunk.file, chunk.first - 1, 0
            while position < len(chunk.text):
                if block is not None and self._end is None:
                    position = self._read_databases(chunk, position, block.lists["databases"])
                line = _line_at(chunk.text, position)
                if not line:
                    break
                position += len(line)
                self._line += 1
                kind, data = self._read_line(line.encode("utf-8", "surrogateescape"))
                if kind == "organization":
                    if block is not None:
                        yield block
                    block = _Block(self._file, self._line, data, {"keys": [], "databases": []})
                elif kind and block is None:
                    self._note("kind", f"kind {kind}", "an organization line before it")
                elif kind and block is not None:
                    self._append(kind, data, block.lists)
        if block is not None:
            yield block

    def _read_databases(
        self, chunk: Lines, position: int, databases: list[Database | DatabaseColumns]
    ) -> int:
        """Read as many databases as need no check by ``_read_line``, which takes far longer.

        Most lines are databases as programs write them. Returns the position after them.
        """
        text = chunk.text
        while text.startswith(PREFIX, position):
            known, number, position = self._plain.read(chunk.file, self._line + 1, text, position)
            databases += known
            self._line += number
            self._counts["database"] += number
            line = _line_at(text, position)
            entry = read_database(line.encode("utf-8", "surrogateescape"))
            if entry is None:
                break
            self._plain.learn(line)
            position += len(line)
            self._line += 1
            self._counts["database"] += 1
            databases.append(entry.at(chunk.file, self._line))
        return position

    def _read_line(self, raw: bytes) -> tuple[str, dict[str, Any]]:
        """Return the kind and the data of a line; an empty kind if nothing is left to do."""
        data = self._parse(raw)
        if data is None:
            return "", {}
        kind = data.pop("kind", None)
        if self._end is not None:
            self._note("", "a line after the end record", "the end record last")
        elif kind == "end":
            self._end = self._validate(EndRecord, data)
        elif isinstance(kind, str) and kind in KINDS:
            self._counts[kind] += 1
            return kind, data
        else:
            near = did_you_mean(kind if isinstance(kind, str) else "", (*KINDS, "end"))
            self._note("kind", describe(kind), f"{_EXPECTED_KINDS}{near}")
        return "", {}

    def _append(self, kind: str, data: dict[str, Any], lists: dict[str, list[Any]]) -> None:
        name, model = LISTS[kind]
        entry = self._validate(model, data)
        if entry is not None:
            lists.setdefault(name, []).append(entry.at(self._file, self._line))

    def _parse(self, raw: bytes) -> dict[str, Any] | None:
        try:
            return parse_line(raw)
        except BadLineError as bad:
            self._note(bad.field, bad.found, bad.expected)
            return None

    # --- entries --------------------------------------------------------------------------------

    def _validate(self, model: type[T], data: dict[str, Any]) -> T | None:
        try:
            return model.__pydantic_validator__.validate_python(data)  # type: ignore[no-any-return]
        except ValidationError as error:
            for problem in problems_of(error, self._file, {(): self._line}, model=model):
                self._keep(problem)
            return None

    def _assemble(self, block: _Block) -> Organization | None:
        for name, _ in LISTS.values():
            if name in block.data:
                found = "this field in an organization line"
                self._keep(Problem(block.file, block.line, name, found, "separate lines"))
                return None
        try:
            data = {**block.data, "keys": (), "databases": ()}
            organization = Organization.model_validate(data)
        except ValidationError as error:
            for problem in problems_of(error, block.file, {(): block.line}, model=Organization):
                self._keep(problem)
            return None
        known: dict[str, Any] = {name: tuple(entries) for name, entries in block.lists.items()}
        known["databases"] = _list_of(known["databases"])
        if any(reading.fact in _OF_ASTRA for reading in known.get("readings", ())):
            known = {"region_views": (), "vendor_accounts": ()} | known
        known["captured_at"] = organization.captured_at or self.captured_at
        if not self.is_whole:
            known["gaps"] = organization.gaps + _CUT_SHORT
        return organization.model_copy(update=known).at(block.file, block.line)

    def _check_end(self) -> None:
        if not self._counts["organization"]:
            self._note("", "no organization", "at least one")
        if self._end is None:
            return
        for field, kind in COUNTED.items():
            stated, counted_lines = getattr(self._end, field), self._counts[kind]
            if stated != counted_lines:
                expected = f"{stated:,}, as {self._totals} says"
                self._note(field, f"{counted_lines:,} {kind} lines", expected)

    def _note(self, field: str, found: str, expected: str) -> None:
        self._keep(Problem(self._file, self._line, field, found, expected))

    def _keep(self, problem: Problem) -> None:
        self._total_problems += 1
        if len(self._problems) < MOST_KEPT:
            self._problems.append(problem)


def _list_of(parts: tuple[Database | DatabaseColumns, ...]) -> Sequence[Database]:
    """Return the databases in ``parts``: a tuple if there are no columns."""
    databases = tuple(part for part in parts if isinstance(part, Database))
    return databases if len(databases) == len(parts) else DatabaseList(parts)


def _line_at(text: str, position: int) -> str:
    """Return the line that begins at ``position``; empty at the end of the text."""
    end = text.find("\n", position) + 1
    return text[position : end or len(text)]
