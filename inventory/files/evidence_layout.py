"""The layout of evidence bundles, and the classification of what else is in their folder."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.model.sources import FORMATS
from inventory.system.folder_lock import LOCK

MANIFEST = "manifest.json"
INVENTORY = "inventory.ndjson"
ORGANIZATIONS = "organizations.json"
EXCHANGES = "exchanges"
LINES = ".ndjson.gz"
"""How the name of a file ends that holds an organization's exchanges, one a line."""

UNFINISHED = ".collecting-"
"""How the name of an unfinished bundle begins."""

SUMMARY, SUMMARY_ENDING = "summary-", ".ndjson"
"""How the name of a summary of pruned bundles begins and ends."""

_BUNDLE_PARTS = frozenset({INVENTORY, EXCHANGES})
_HOUSEKEEPING = frozenset(
    {LOCK, ".git", ".gitattributes", ".gitignore", ".gitkeep", ".DS_Store", "lost+found"}
)
"""What the suite, git and systems keep in folders; none of it can be a record."""

_EXPECTED = (
    f"evidence bundles, and inventories that end in {', '.join(FORMATS)}: "
    "restore it, or move it out of this folder"
)

Kind = Literal["bundle", "broken", "record", "summary", "unfinished", "housekeeping", "unknown"]


def exchanges_path(number: int) -> str:
    """Return the path inside a bundle of the exchanges of the organization ``number``, from 1."""
    return f"{EXCHANGES}/{number:04}{LINES}"


class FolderEntry(NamedTuple):
    """One thing in a folder of records.

    Attributes:
        path: its path.
        kind: ``bundle``: a folder with a manifest; ``broken``: the rest of one without it;
            ``record``: a file that can be an inventory; ``summary``: that of pruned bundles;
            ``unfinished``: a bundle being written; ``housekeeping``: of the suite or of the system;
            ``unknown``: anything else.
        found: what it is, in words.
    """

    path: Path
    kind: Kind
    found: str

    def problem(self) -> Problem:
        """Return what is wrong with something that is neither a record nor part of one."""
        return Problem(self.path.as_posix(), 0, "", self.found, _EXPECTED)


class FolderContent(NamedTuple):
    """What a folder of records holds, each in the order of names.

    Attributes:
        bundles: the evidence bundles.
        records: the files that can be inventories.
        summaries: the summaries of bundles that were pruned.
        unfinished: the bundles that are being written, which are no records.
        broken: the rests of bundles without a manifest.
        unknown: whatever else there is.
    """

    bundles: tuple[Path, ...]
    records: tuple[Path, ...]
    summaries: tuple[Path, ...]
    unfinished: tuple[Path, ...]
    broken: tuple[FolderEntry, ...]
    unknown: tuple[FolderEntry, ...]

    def problems(self) -> list[Problem]:
        """Return a problem for everything that is not known to be harmless."""
        return [entry.problem() for entry in sorted((*self.broken, *self.unknown))]


def read_folder(folder: Path) -> FolderContent:
    """Return what ``folder`` holds; raise InventoryError if that cannot be listed."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        problem = Problem(str(folder), 0, "", _reason(error), "a readable folder")
        raise InventoryError([problem]) from None
    entries = [classify(path) for path in paths]

    def of(kind: Kind) -> tuple[FolderEntry, ...]:
        return tuple(entry for entry in entries if entry.kind == kind)

    def paths_of(kind: Kind) -> tuple[Path, ...]:
        return tuple(entry.path for entry in of(kind))

    return FolderContent(
        bundles=paths_of("bundle"),
        records=paths_of("record"),
        summaries=paths_of("summary"),
        unfinished=paths_of("unfinished"),
        broken=of("broken"),
        unknown=of("unknown"),
    )


def is_folder(path: str) -> bool:
    """Say whether ``path`` is a folder; False if the system refuses to look at it."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):  # ValueError: a path with a NUL
        return False


def is_summary(path: str | Path) -> bool:
    """Say whether ``path`` is named like a summary of pruned bundles."""
    name = Path(path).name
    return name.startswith(SUMMARY) and name.endswith(SUMMARY_ENDING)


def is_bundle(path: Path) -> bool:
    """Say whether ``path`` is a bundle, or the rest of one without its manifest."""
    try:
        return _folder_kind(path)[0] in {"bundle", "broken"}
    except OSError:
        return False


def classify(path: Path) -> FolderEntry:
    """Return what ``path`` is in its folder; when in doubt it is unknown."""
    if path.name in _HOUSEKEEPING:
        return FolderEntry(path, "housekeeping", "a file of the system")
    try:
        return FolderEntry(path, *_kind(path, path.stat().st_mode))
    except OSError as error:
        found = "a broken link" if path.is_symlink() else _reason(error)
        # A collection that ends at this moment removes its unfinished folder: that was no record.
        is_over = path.name.startswith(UNFINISHED) and isinstance(error, FileNotFoundError)
        is_gone = is_over and not path.is_symlink()
        return FolderEntry(path, "unfinished" if is_gone else "unknown", found)


def _kind(path: Path, mode: int) -> tuple[Kind, str]:
    if path.name.startswith("."):
        return _hidden_kind(path, mode)
    return _folder_kind(path) if stat.S_ISDIR(mode) else _file_kind(path, mode)


def _hidden_kind(path: Path, mode: int) -> tuple[Kind, str]:
    """Distinguish an unfinished bundle, a real folder, from anything that somebody has hidden."""
    if path.name.startswith(UNFINISHED) and stat.S_ISDIR(mode) and not path.is_symlink():
        return "unfinished", "an unfinished evidence bundle"
    return "unknown", "a hidden folder" if stat.S_ISDIR(mode) else "a hidden file"


def _folder_kind(path: Path) -> tuple[Kind, str]:
    names = {entry.name for entry in path.iterdir()}
    if MANIFEST in names:
        return "bundle", "an evidence bundle"
    if names & _BUNDLE_PARTS:
        return "broken", f"an evidence bundle without its {MANIFEST}"
    return "unknown", f"a folder without {MANIFEST}" if names else "an empty folder"


def _file_kind(path: Path, mode: int) -> tuple[Kind, str]:
    if not stat.S_ISREG(mode):
        return "unknown", "neither a file nor a folder"
    if is_summary(path):
        return "summary", "a summary of bundles"
    if path.suffix.lower() in FORMATS:
        return "record", "a file"
    return "unknown", "a file that is not a record"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
