"""The files of a history: inventories of earlier moments, and reports of earlier audits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.files.evidence_layout import is_bundle, is_folder, read_folder
from inventory.files.file_kinds import HISTORIES, recognize_folder
from inventory.files.format_detection import INVENTORY, folder_problem
from inventory.files.yaml_json import refuse
from inventory.system.paths import sorted_paths

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.files.evidence_layout import FolderContent

REPORT_HEAD = "audit.json"
"""The file of a report folder by which an audit is read back."""

UNFINISHED_REPORT = ".writing"
"""How the names of folders begin in which a report is written."""


class _Folder(NamedTuple):
    """A folder of records, with what may be in it beside bundles and inventories."""

    content: FolderContent
    reports: tuple[Path, ...]
    unfinished: tuple[Path, ...]

    def problems(self) -> list[Problem]:
        """Return a problem for everything that is not known to be harmless."""
        harmless = {*self.reports, *self.unfinished}
        entries = sorted((*self.content.broken, *self.content.unknown))
        return [entry.problem() for entry in entries if entry.path not in harmless]


def find_records(files: Iterable[str], present: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the inventories and evidence bundles that ``files`` give: each is one, or a folder.

    Of a folder, those that are ``present`` are left out. Raises InventoryError if a folder holds
    anything that is neither a record nor a report, or nothing at all.
    """
    excluded = {os.path.realpath(path) for path in present}
    records: list[str] = []
    for file in files:
        if is_report(file):
            continue
        if _holds_records(file):
            content = _require_any(Path(file)).content
            inside = (*_uncovered(content), *content.records)
            records += (str(path) for path in inside if os.path.realpath(path) not in excluded)
        else:
            records.append(file)
    return sorted_paths(records)


def _uncovered(content: FolderContent) -> tuple[Path, ...]:
    """Return the bundles, and in the place of those that a summary covers the summary."""
    from inventory.past.summaries import find_summary  # noqa: PLC0415 (few folders have one)

    if not content.summaries:
        return content.bundles
    found = find_summary(content)
    covered = found.summary.covered
    bundles = (path for path in content.bundles if path.name not in covered)
    return (Path(found.summary.file), *bundles)


def find_reports(files: Iterable[str]) -> tuple[str, ...]:
    """Return the heads of the reports that ``files`` give, and refuse nothing."""
    reports: list[Path] = []
    for file in files:
        if is_report(file):
            reports.append(Path(file))
        elif _holds_records(file):
            reports += _read(Path(file)).reports
    return sorted_paths(map(_head, reports))


def check_folders(files: Iterable[str]) -> None:
    """Raise InventoryError if a folder of ``files`` holds anything but records; none is read.

    A live audit calls this before it asks Astra, and reads its history afterwards. An empty folder
    is no mistake yet: the audit may put its first record there.
    """
    for file in files:
        if _holds_records(file) and not is_report(file):
            refuse(_read(Path(file)).problems())


def is_report(file: str) -> bool:
    """Say whether ``file`` is a report folder, or the head of a report."""
    if is_folder(file):
        return _is_report_folder(Path(file))
    return Path(file).name == REPORT_HEAD


def _is_report_folder(folder: Path) -> bool:
    return not is_bundle(folder) and (folder / REPORT_HEAD).is_file()


def _head(report: Path) -> str:
    return str(report / REPORT_HEAD if is_folder(str(report)) else report)


def _holds_records(file: str) -> bool:
    """Say whether ``file`` is a folder of records, and not a record itself."""
    return is_folder(file) and not is_bundle(Path(file))


def _require_any(folder: Path) -> _Folder:
    """Return what a folder holds; raise InventoryError for what is no record.

    A skipped record could be that of the night on which a key was a different one. A folder without
    any record, not even the present one, is the wrong folder: it shows nothing about the past.
    """
    if recognize_folder(folder).option not in {"", HISTORIES}:
        raise InventoryError([folder_problem(folder.as_posix(), INVENTORY)])
    found = _read(folder)
    refuse(found.problems())
    content = found.content
    records = content.bundles or content.records or content.summaries
    if not (records or found.reports or found.unfinished):
        expected = "an earlier record; if there is none, leave the option out"
        refuse([Problem(folder.as_posix(), 0, "", "a folder without records", expected)])
    return found


def _read(folder: Path) -> _Folder:
    content = read_folder(folder)
    unknown = [entry.path for entry in content.unknown if is_folder(str(entry.path))]
    reports = tuple(path for path in unknown if _is_report_folder(path))
    # The present audit writes its report here, maybe; it is no earlier one before it has a head.
    unfinished = tuple(path for path in unknown if is_folder(str(path / UNFINISHED_REPORT)))
    return _Folder(content, reports, unfinished)
