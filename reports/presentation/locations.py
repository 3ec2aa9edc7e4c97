"""Where a finding stands in the files of a repository, for readers that show it there."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, NamedTuple

from inventory.files.evidence_layout import INVENTORY
from reports.record.layout import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head

Kind = Literal["file", "bundle", "elsewhere"]
_PREFERENCE: tuple[Kind, ...] = ("file", "bundle", "elsewhere")


class FileLocation(NamedTuple):
    """A line of a file.

    Attributes:
        kind: ``file`` for one below the folder of the repository, ``bundle`` for what lies in an
            evidence bundle there, ``elsewhere`` for all others.
        path: with slashes; relative to the folder of the repository, but of what is elsewhere.
        line: counted from 1.
        address: of what Terraform manages, its address; may be empty.
    """

    kind: Kind
    path: str
    line: int
    address: str = ""


class LocationFinder:
    """Tells where the findings of one audit stand."""

    def __init__(self, head: Head, root: Path | None = None) -> None:
        """Take ``root`` for the repository's folder; None is where the process works."""
        self._root = os.path.normpath(Path.cwd() / (root or ""))
        self._sources = head["population"]["sources"]
        self._bundles = [source["path"] for source in self._sources if source["format"] == "bundle"]
        self._known: dict[str, tuple[Kind, str]] = {}

    def of(self, finding: FindingRecord) -> FileLocation:
        """Return where ``finding`` stands: if it has no evidence, in the first source."""
        spots = list(self._spots(finding)) or [self.at(self._first(), 1)]
        return min(spots, key=lambda spot: _PREFERENCE.index(spot.kind))

    def _spots(self, finding: FindingRecord) -> Iterator[FileLocation]:
        """Yield where the facts stand, up to the first place that is as good as any."""
        for file, line, *address in finding["evidence"]:
            if not file:
                continue
            spot = self.at(file, line, *address)
            yield spot
            if spot.kind == "file":
                return

    def _first(self) -> str:
        return self._sources[0]["path"] if self._sources else HEAD

    def at(self, file: str, line: int, address: str = "") -> FileLocation:
        """Return the spot of a file as the record names it.

        A bundle has another name every time: what lies in one is named by the folder of bundles,
        so that it has the same name in every audit.
        """
        if file not in self._known:
            self._known[file] = self._place(file)
        kind, path = self._known[file]
        return FileLocation(kind, path, 1 if kind == "bundle" else max(1, line), address)

    def _place(self, file: str) -> tuple[Kind, str]:
        bundle = next((each for each in self._bundles if _is_in(file, each)), None)
        stable = file if bundle is None else os.path.join(bundle, "..", INVENTORY)  # noqa: PTH118 (a path as text)
        whole = PurePath(os.path.normpath(os.path.join(self._root, stable)))  # noqa: PTH118 (as above)
        if not whole.is_relative_to(self._root):
            return "elsewhere", whole.as_posix()
        return "file" if bundle is None else "bundle", whole.relative_to(self._root).as_posix()


def _is_in(file: str, folder: str) -> bool:
    return file == folder or file.startswith(f"{folder.rstrip('/')}/")
