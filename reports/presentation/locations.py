"""The location of a finding in the files of a repository, for tools that show it there."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, NamedTuple

from inventory.files.evidence_layout import INVENTORY
from reports.record.layout import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from inventory.model.base import SourceLocation
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head
    from reports.model.population_summary import SourceEntry

Kind = Literal["file", "bundle", "elsewhere"]
_PREFERENCE: tuple[Kind, ...] = ("file", "bundle", "elsewhere")


class FileLocation(NamedTuple):
    """A line of a file.

    Attributes:
        kind: ``file`` for one below the folder of the repository, ``bundle`` for one in an evidence
            bundle there, ``elsewhere`` for all others.
        path: with slashes; relative to the folder of the repository, but of what is elsewhere.
        line: counted from 1.
        address: of what Terraform manages, its address; may be empty.
    """

    kind: Kind
    path: str
    line: int
    address: str = ""


class FirstEvidence(NamedTuple):
    """The first places of the evidence for a finding, and how many more there are."""

    places: Sequence[SourceLocation]
    more: int


def first_evidence(finding: FindingRecord, most: int = 10) -> FirstEvidence:
    """Return at most so many places of the evidence for ``finding``; a report counts the others."""
    evidence = finding["evidence"]
    return FirstEvidence(evidence[:most], max(0, len(evidence) - most))


class LocationFinder:
    """Finds the locations of the findings of one audit."""

    def __init__(self, head: Head, root: Path | None = None) -> None:
        """Take ``root`` for the repository's folder; None is where the process works."""
        self._root = os.path.normpath(Path.cwd() / (root or ""))
        self._sources = head["population"]["sources"]
        self._bundles = [source["path"] for source in self._sources if source["format"] == "bundle"]
        self._chains = tuple(filter(None, map(chain_folder, self._sources)))
        self._known: dict[str, tuple[Kind, str]] = {}

    def of(self, finding: FindingRecord) -> FileLocation:
        """Return the location of ``finding``: without evidence, the first source."""
        locations = list(self._locations(finding)) or [self.at(self._first(), 1)]
        return min(locations, key=lambda location: _PREFERENCE.index(location.kind))

    def first_inside(self) -> FileLocation | None:
        """Return the location of the first source in the repository; None if there is none."""
        locations = (self.at(source["path"], 1) for source in self._sources)
        return next((location for location in locations if location.kind != "elsewhere"), None)

    def _locations(self, finding: FindingRecord) -> Iterator[FileLocation]:
        """Yield the locations of the facts, up to the first one of the preferred kind."""
        for file, line, *address in finding["evidence"]:
            if not file:
                continue
            location = self.at(file, line, *address)
            yield location
            if location.kind == "file":
                return

    def _first(self) -> str:
        return self._sources[0]["path"] if self._sources else HEAD

    def at(self, file: str, line: int, address: str = "") -> FileLocation:
        """Return the location of a line in a file, named as the record names it.

        A bundle has another name every time: a file in one is named by the folder of bundles, so
        that it has the same name in every audit.
        """
        if file not in self._known:
            self._known[file] = self._place(file)
        kind, path = self._known[file]
        return FileLocation(kind, path, 1 if kind == "bundle" else max(1, line), address)

    def _place(self, file: str) -> tuple[Kind, str]:
        bundle = next((folder for folder in self._bundles if _is_in(file, folder)), None)
        if bundle is None and file.startswith(self._chains):
            bundle = _bundle_in_chain(file, self._chains)
        stable = file if bundle is None else os.path.join(bundle, "..", INVENTORY)  # noqa: PTH118 (a path as text)
        whole = PurePath(os.path.normpath(os.path.join(self._root, stable)))  # noqa: PTH118 (as above)
        if not whole.is_relative_to(self._root):
            return "elsewhere", whole.as_posix()
        return "file" if bundle is None else "bundle", whole.relative_to(self._root).as_posix()


def _is_in(file: str, folder: str) -> bool:
    return file == folder or file.startswith(f"{folder.rstrip('/')}/")


def chain_folder(source: SourceEntry) -> str:
    """Return how the paths of all bundles of a chain begin; empty for any other source.

    Of many earlier bundles in a row, the sources name the first and the last.
    """
    in_row = "chain" in source and source["format"] == "bundle"
    return source["path"][: source["path"].rfind("/") + 1] if in_row else ""


def _bundle_in_chain(file: str, folders: Iterable[str]) -> str:
    folder = next(folder for folder in folders if file.startswith(folder))
    return folder + file.removeprefix(folder).partition("/")[0]
