"""Reads an inventory in Parquet as a stream, with one organization in memory at a time.

Its rows are turned into the lines of NDJSON, so that the two are read, and refused, alike.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.files.entry_reader import EntryReader, Lines
from inventory.files.format_detection import INVENTORY
from inventory.files.ndjson_lines import COUNTED, EndRecord
from inventory.files.yaml_json import parse_document, read_own_document, token_problem
from inventory.model.sources import CLOUDS_ONLY, Role, Source
from inventory.parquet.database_engine import literal_path, open_engine
from inventory.parquet.layout import (
    COLUMNS,
    ENDING,
    HEAD,
    ParquetHead,
    line_expression,
)
from inventory.system.file_ranges import FileRange, SplitFile
from inventory.text.display import describe
from inventory.text.secrets import lines_with_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from inventory.files.entry_reader import PartRead
    from inventory.parquet.layout import ParquetFile

_BATCH = 4_096
_LEAST, _MOST = -(2**63), 2**63 - 1


class _Run(NamedTuple):
    """Rows of one organization that follow each other."""

    position: Any
    organization: Any
    first: int
    lines: list[str]


class ParquetReader(EntryReader):
    """A reader of one folder: iterate over ``organizations`` once, then read ``source``.

    Attributes:
        head: the folder's head.
    """

    _totals = f"its {HEAD}"

    def __init__(
        self, folder: str, role: Role = "inventory", positions: range | None = None
    ) -> None:
        """Read the head and check every file's hash; raise InventoryError if anything is wrong.

        Of ``positions``, which are those of organizations from 0 on, only these are read.
        """
        super().__init__(folder)
        self._role = role
        raw, document = read_own_document(f"{folder}/{HEAD}", INVENTORY)
        self.head = parse_document(ParquetHead, f"{folder}/{HEAD}", document)
        self._sha256 = hashlib.sha256(raw).hexdigest()
        every = range(self.head.organizations)
        self._positions = every if positions is None else every[positions.start : positions.stop]
        self._next = self._positions.start
        self._current: tuple[Any, Any] | None = None
        self._size = len(raw)
        self._check_files()

    @property
    def captured_at(self) -> datetime | None:
        """Return when its content was true; None if it has no date."""
        return self.head.captured_at

    @property
    def is_whole(self) -> bool:
        """Return True: what is cut short is refused, as the head says what there should be."""
        return True

    @property
    def source(self) -> Source:
        """Describe the folder; complete only after the iteration. The hash is that of the head."""
        return Source(
            path=self.file,
            role=self._role,
            format="parquet",
            size=self._size,
            sha256=self._sha256,
            captured_at=self.head.captured_at,
            example=self.head.example,
            organizations=self._counts["organization"],
            keys=self._counts["key"],
            databases=self._counts["database"],
            notes=(CLOUDS_ONLY,) if self.head.clouds_only else (),
            clouds_of=tuple(self._seen) if self.head.clouds_only else (),
        )

    # --- parts ----------------------------------------------------------------------------------

    @property
    def weight(self) -> int:
        """Return about how many bytes its rows have as lines: compression makes a tenth of them."""
        return 10 * self._size

    def splitting(self, least: int, *, with_heads: bool) -> SplitFile:
        """Cut it into runs of organizations; the bytes of a range are their positions."""
        count = max(1, min(len(self._positions), self.weight // least))
        heads = list(self._heads()) if with_heads else []
        cuts = [len(self._positions) * at // count for at in range(count + 1)]
        ranges = tuple(
            FileRange(start, end, 1, f"{self._sha256}/{start}-{end}", tuple(heads[start:end]))
            for start, end in pairwise(cuts)
        )
        return SplitFile(ranges, self._size, self._sha256)

    def of_part(self, part: FileRange) -> Callable[[], ParquetReader]:
        """Return what opens a reader of nothing but ``part``, also in another process."""
        return partial(ParquetReader, self.file, self._role, range(part.start, part.end))

    def take(self, split: SplitFile, parts: Sequence[PartRead]) -> None:
        """Take what others have read of all parts; the head has the totals."""
        *others, last = parts
        self._size, self._sha256 = split.size, split.sha256
        self._add_parts([*others, last._replace(end=self._stated_totals())])

    def _heads(self) -> Iterator[bytes]:
        """Yield a line with the id of each organization, in their order."""
        for file in self.head.files:
            path = f"{self.file}/{file.name}"
            with literal_path(Path(path)) as literal, open_engine(path) as engine:
                _check_columns(engine, literal, path)
                engine.execute(
                    "SELECT organization FROM read_parquet(?, hive_partitioning = false) "
                    "WHERE kind = 'organization' ORDER BY position",
                    [literal],
                )
                while rows := engine.fetchmany(_BATCH):
                    yield from (json.dumps({"id": identity}).encode() for (identity,) in rows)

    # --- files ----------------------------------------------------------------------------------

    def _check_files(self) -> None:
        """Raise InventoryError unless the folder holds exactly the files that the head lists."""
        listed = [file.name for file in self.head.files]
        present = sorted(path.name for path in Path(self.file).glob(f"*{ENDING}"))
        problems = [
            Problem(
                f"{self.file}/{name}", 0, "", "a file that the head does not list", f"no {name}"
            )
            for name in present
            if name not in listed
        ]
        if len(set(listed)) < len(listed):
            found = "a duplicate file"
            problems.append(Problem(f"{self.file}/{HEAD}", 0, "files", found, "each file once"))
        for file, _ in self._held():
            path = f"{self.file}/{file.name}"
            if (size := _size_of(path, file.sha256)) is None:
                found = "a file that is missing, cut short or changed"
                expected = f"the file that {HEAD} describes by its SHA-256"
                problems.append(Problem(path, 0, "", found, expected))
            else:
                self._size += size
        if problems:
            raise InventoryError(problems)

    # --- rows -----------------------------------------------------------------------------------

    def _chunks(self) -> Iterator[Lines]:
        """Yield the lines that the rows make, some of one organization at a time."""
        for file, held in self._held():
            path = f"{self.file}/{file.name}"
            with literal_path(Path(path)) as literal, open_engine(path) as engine:
                _check_columns(engine, literal, path)
                for run in self._runs(engine, literal, held):
                    if not self._begins_well(path, run):
                        return
                    text = "\n".join([*run.lines, ""])
                    for line in lines_with_secret(text.encode(), run.first):
                        self._keep(token_problem(path, line))
                    yield Lines(path, run.first, text)
        self._set_end()

    def _held(self) -> Iterator[tuple[ParquetFile, range]]:
        """Yield each file that holds any of these organizations, and the positions of its own."""
        start = 0
        for file in self.head.files:
            held = range(start, start + file.organizations)
            start = held.stop
            if held.start < self._positions.stop and held.stop > self._positions.start:
                yield file, held

    def _runs(self, engine: Any, literal: str, held: range) -> Iterator[_Run]:  # noqa: ANN401 (a DuckDB)
        """Yield the rows of each organization, a batch at a time.

        ``held`` are the positions that the file should hold. Others are sorted out only where
        another part begins or ends, so that a row with a wrong position is read by one part.
        """
        begin, end = self._positions.start, self._positions.stop
        engine.execute(
            f"SELECT position, organization, file_row_number + 1, {line_expression()} "  # noqa: S608 (constant)
            "FROM read_parquet(?, file_row_number = true, hive_partitioning = false) "
            "WHERE position IS NULL OR position BETWEEN ? AND ?",
            [
                literal,
                begin if begin > held.start else _LEAST,
                end - 1 if end < held.stop else _MOST,
            ],
        )
        while rows := engine.fetchmany(_BATCH):
            for (position, organization), group in groupby(rows, itemgetter(0, 1)):
                numbers, lines = zip(*(row[2:] for row in group), strict=True)
                yield _Run(position, organization, numbers[0], list(lines))

    def _begins_well(self, path: str, run: _Run) -> bool:
        """Say whether the rows are in order; a problem is kept if they are not."""
        if (run.position, run.organization) == self._current:
            return True
        data = json.loads(run.lines[0])
        found = f"position {describe(run.position)}, kind {describe(data['kind'])}"
        if run.position == self._next and data["kind"] == "organization":
            self._next += 1
            self._current = run.position, run.organization
            if data.get("id") == run.organization:
                return True
            found = f"organization {describe(run.organization)}, id {describe(data.get('id'))}"
        expected = "rows in the order of organizations, each with its own row first"
        self._keep(Problem(path, run.first, "", found, expected))
        return False

    def _set_end(self) -> None:
        """Set what the head says in total, which is compared with what was read."""
        if self._end is not None:
            self._keep(Problem(self.file, 0, "kind", "a row of kind end", "the totals in the head"))
        if len(self._positions) == self.head.organizations:
            self._end = self._stated_totals()
        elif self._next < self._positions.stop:
            found = f"{self._next:,} organizations"
            self._keep(Problem(self.file, 0, "", found, f"at least {self._positions.stop:,}"))

    def _stated_totals(self) -> EndRecord:
        return EndRecord(**{name: getattr(self.head, name) for name in COUNTED})


def _size_of(path: str, sha256: str) -> int | None:
    """Return the size of a file; None if it is missing or has another hash."""
    try:
        with Path(path).open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            return handle.tell() if digest == sha256 else None
    except OSError:
        return None


def _check_columns(engine: Any, literal: str, path: str) -> None:  # noqa: ANN401 (a DuckDB)
    """Raise InventoryError unless the file has the columns of the layout, in any order."""
    engine.execute("DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false)", [literal])
    present = {name: _plain(kind) for name, kind, *_ in engine.fetchall()}
    problems = [
        Problem(
            path, 0, describe(name), f"a column of type {kind}", "only the columns of the layout"
        )
        for name, kind in present.items()
        if name not in COLUMNS
    ]
    for name, kind in COLUMNS.items():
        if present.get(name) != _plain(kind):
            found = f"type {present[name]}" if name in present else "nothing"
            problems.append(Problem(path, 0, name, found, f"a column of type {_plain(kind)}"))
    if problems:
        raise InventoryError(problems)


def _plain(kind: str) -> str:
    """Return a type without the quotes, which DuckDB writes around some names only."""
    return kind.replace('"', "")
