"""Writes the lines of a record while an audit judges, and adds up what its head needs."""

from __future__ import annotations

import errno
import hashlib
from itertools import islice
from typing import IO, TYPE_CHECKING

from reports.aggregation.aggregates import Aggregates
from reports.record.encoding import encode_finding, encode_series
from reports.record.layout import FINDINGS, POPULATION
from reports.record.population import Population
from reports.record.population_lines import population_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.pass_series import PassSeries
    from inventory.model.organization import Organization
    from reports.model.head import LinesFile

_MOST_PENDING = 2_000
"""How many lines wait to be written and hashed together: about a megabyte."""


_BLOCK = 1_048_576


class HashedLines:
    """A file of lines that is hashed while it is written."""

    def __init__(self, path: Path, watch: Callable[[bytes], None]) -> None:
        """Open ``path``, and empty it if it is there; ``watch`` sees each block that is written."""
        self._name = path.name
        self._file: IO[bytes] = path.open("wb")
        self._hash = hashlib.sha256()
        self._size = self._count = 0
        self._pending: list[str] = []
        self._watch = watch

    def write(self, line: str) -> None:
        """Write ``line``, which is ASCII and has no end of line."""
        self._pending.append(line)
        if len(self._pending) >= _MOST_PENDING:
            self._flush()

    def write_all(self, lines: Iterable[str]) -> None:
        """Write ``lines``, one after the other."""
        # Not by way of write: a call a line is a tenth of what the lines of databases cost.
        rest = iter(lines)
        while part := list(islice(rest, _MOST_PENDING)):
            self._pending += part
            if len(self._pending) >= _MOST_PENDING:
                self._flush()

    def append(self, lines: LinesFile, folder: Path) -> None:
        """Add the ``lines`` of a finished file in ``folder``, as they are.

        Raises OSError if the file is not as long as it was.
        """
        self._flush()
        size = 0
        with (folder / lines["file"]).open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                self._hash.update(block)
                self._watch(block)
                self._file.write(block)
                size += len(block)
        if size != lines["bytes"]:
            raise OSError(errno.EIO, "found another size than was written", file.name)
        self._size += size
        self._count += lines["count"]

    def close(self) -> LinesFile:
        """Finish the file; return its name, hash, size in bytes, and number of lines."""
        self._flush()
        self._file.close()
        return {
            "file": self._name,
            "sha256": self._hash.hexdigest(),
            "bytes": self._size,
            "count": self._count,
        }

    def abort(self) -> None:
        """Close the file as it is; what is pending is dropped."""
        self._file.close()

    def _flush(self) -> None:
        if self._pending:
            self._pending.append("")  # the last line ends, too
            raw = "\n".join(self._pending).encode("ascii")
            self._hash.update(raw)
            self._watch(raw)
            self._size += len(raw)
            self._count += len(self._pending) - 1
            self._file.write(raw)
            self._pending.clear()


def _unwatched(_: Path) -> Callable[[bytes], None]:
    return lambda _: None


class Recorder:
    """Writes findings and population as they come, and adds up what the head holds of them.

    Attributes:
        aggregates: the findings, added up.
        population: the organizations, added up.
    """

    def __init__(
        self,
        folder: Path,
        context: Context,
        watch: Callable[[Path], Callable[[bytes], None]] = _unwatched,
    ) -> None:
        """Open the files of lines in ``folder``, which must exist and be the recorder's own.

        ``context`` holds the earlier records, by which a key may have been seen first. What
        ``watch`` returns for a file sees each block that is written to it.
        """
        self.aggregates = Aggregates()
        self.population = Population()
        self._context = context
        self._findings = HashedLines(folder / FINDINGS, watch(folder / FINDINGS))
        self._population_lines = HashedLines(folder / POPULATION, watch(folder / POPULATION))

    def add_organization(self, organization: Organization) -> None:
        """Write ``organization``, of which findings will come, with its keys and databases."""
        self.population.add(organization)
        self.aggregates.add_organization(organization)
        self._population_lines.write_all(population_lines(organization, self._context))

    def add(self, finding: Finding) -> None:
        """Write ``finding``."""
        self.aggregates.add(finding)
        self._findings.write(encode_finding(finding))

    def add_series(self, series: PassSeries) -> None:
        """Write the passes of ``series``; as ``add`` with each, and faster."""
        self.aggregates.add_series(series)
        self._findings.write_all(encode_series(series))

    def merge(
        self, other: tuple[Aggregates, Population], lines: tuple[LinesFile, LinesFile], folder: Path
    ) -> None:
        """Add what another recorder has written into ``folder``, of organizations after these."""
        aggregates, population = other
        self.aggregates.merge(aggregates)
        self.population.merge(population)
        self._findings.append(lines[0], folder)
        self._population_lines.append(lines[1], folder)

    def close(self) -> tuple[LinesFile, LinesFile]:
        """Finish the files; return what the head says of the findings and of the population."""
        return self._findings.close(), self._population_lines.close()

    def abort(self) -> None:
        """Close the files as they are; for a record that is not finished."""
        self._findings.abort()
        self._population_lines.abort()
