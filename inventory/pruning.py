"""Prunes a folder of evidence bundles: old ones are turned into a summary, and then removed.

Nothing is removed before the summary is on the disk, was read back, and shows the same. Whenever
this is interrupted, the bundles, their summary, or both are there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import EvidenceError, InventoryError, Problem
from inventory.evidence.folder import locked_folder, prepare_folder, require_chain
from inventory.evidence.manifest import check_bundle
from inventory.files.evidence_layout import EXCHANGES, UNFINISHED, read_folder
from inventory.history import read_history
from inventory.past.summaries import find_summary, link_problems
from inventory.past.summary import (
    CoveredBundle,
    SummaryHead,
    facts_of,
    name_summary,
    read_summary,
    render_summary,
)
from inventory.system.durable_files import sync_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inventory.evidence.chain import Chain
    from inventory.history import History
    from inventory.past.summaries import FoundSummary
    from inventory.past.timeline import OrganizationTimeline


class Pruning(NamedTuple):
    """What is to be pruned, or was.

    Attributes:
        summary: the path of the summary; None if there is nothing to sum up, and none yet.
        covered: the names of the bundles that are added to it.
        removed: the names of the bundles that are removed, with those that were covered already.
        kept: the names of the bundles that stay.
        unchecked: of those that are added, the names of bundles whose answers are not here.
        files: how many files are removed.
        size: how many bytes.
    """

    summary: Path | None
    covered: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    unchecked: tuple[str, ...]
    files: int
    size: int


class _Folder(NamedTuple):
    """A folder of bundles that is about to be pruned."""

    path: Path
    chain: Chain
    found: FoundSummary | None
    older: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def new(self) -> tuple[str, ...]:
        """Return the names of old bundles that no summary covers."""
        covered = self.found.summary.covered if self.found else {}
        return tuple(name for name in self.older if name not in covered)


def plan_pruning(folder: Path, keep: int) -> Pruning:
    """Return what ``prune`` would do, and do nothing; raise as it does."""
    with locked_folder(folder):
        content = read_folder(folder)
        if problems := content.problems():
            raise InventoryError(problems)
        looked_at = _look_at(folder, require_chain(folder, content.bundles), keep)
        return _describe(looked_at, _covered_bundles(looked_at))


def prune(folder: Path, keep: int, tool: str, notify: Callable[[str], None]) -> Pruning:
    """Keep the ``keep`` newest bundles of ``folder``, and turn older ones into one summary.

    A summary that is there is extended. ``notify`` learns what a killed process left, and is
    removed. Raises SettingError if something else is writing to the folder, InventoryError if it
    holds an unknown file, and EvidenceError if its bundles are no chain, or one is damaged.
    """
    with locked_folder(folder):
        looked_at = _look_at(folder, prepare_folder(folder, notify), keep)
        bundles = _covered_bundles(looked_at)
        pruning = _describe(looked_at, bundles)
        if looked_at.new:
            _write_summary(looked_at, bundles, tool)
        _remove(looked_at)
        return pruning


def _look_at(folder: Path, chain: Chain, keep: int) -> _Folder:
    content = read_folder(folder)
    found = find_summary(content) if content.summaries else None
    if found and (problems := list(link_problems(found.summary, chain))):
        raise EvidenceError(problems)
    names = tuple(link.name for link in chain.links)
    return _Folder(folder, chain, found, names[:-keep], names[-keep:])


def _covered_bundles(folder: _Folder) -> tuple[CoveredBundle, ...]:
    """Check each bundle that is to be covered; return those of the summary, too."""
    known = folder.found.summary.bundles if folder.found else ()
    return (*known, *(_cover(folder.path / name) for name in folder.new))


def _cover(bundle: Path) -> CoveredBundle:
    """Check a bundle; raise EvidenceError if it is damaged.

    A sparse checkout may have left out its answers: then only the inventory is checked, and the
    summary says so.
    """
    has_answers = (bundle / EXCHANGES).exists()
    manifest = check_bundle(str(bundle), only_inventory=not has_answers)
    fields = manifest.model_dump(include=set(CoveredBundle.model_fields) - {"files"})
    return CoveredBundle(
        **fields, name=bundle.name, files=len(manifest.files), answers_checked=has_answers
    )


def _describe(folder: _Folder, bundles: Sequence[CoveredBundle]) -> Pruning:
    known = Path(folder.found.summary.file) if folder.found else None
    removed = [path for name in folder.older for path in _files(folder.path / name)]
    return Pruning(
        summary=folder.path / name_summary(bundles) if folder.new else known,
        covered=folder.new,
        removed=folder.older,
        kept=folder.kept,
        unchecked=tuple(
            bundle.name
            for bundle in bundles
            if bundle.name in folder.new and not bundle.answers_checked
        ),
        files=len(removed),
        size=sum(path.lstat().st_size for path in removed),
    )


def _files(bundle: Path) -> list[Path]:
    return [Path(place) / name for place, _, names in os.walk(bundle) for name in names]


def _write_summary(folder: _Folder, bundles: Sequence[CoveredBundle], tool: str) -> None:
    """Write the summary beside its path, read it back, and move it there."""
    history = _read_older(folder)
    head = SummaryHead.model_validate(
        {"cmek-summary": 1, "tool": tool, "previous": _previous(folder)}
    )
    staging = folder.path / f"{UNFINISHED}summary-{os.getpid()}"
    staging.mkdir()
    try:
        path = staging / name_summary(bundles)
        write_durably(path, render_summary(head, bundles, history.timelines()))
        _compare(path, history, bundles)
        path.rename(folder.path / path.name)
    finally:
        shutil.rmtree(staging)
    sync_folder(folder.path)


def _read_older(folder: _Folder) -> History:
    paths = [str(folder.path / name) for name in folder.new]
    return read_history([*([folder.found.summary.file] if folder.found else []), *paths])


def _previous(folder: _Folder) -> object:
    """Return the bundle before the first one that is covered."""
    if folder.found:
        return folder.found.summary.head.previous
    return folder.chain.links[0].previous


def _compare(path: Path, history: History, bundles: Sequence[CoveredBundle]) -> None:
    """Raise EvidenceError if the summary does not show what its bundles show."""
    summary = read_summary(str(path))
    written = {timeline.id: _known(timeline) for timeline in summary.timelines}
    shown = {timeline.id: _known(timeline) for timeline in history.timelines()}
    if written != shown or summary.bundles != tuple(bundles):
        found = "another content than was to be written"
        raise EvidenceError([Problem(str(path), 0, "", found, "what the bundles show")])


def _known(timeline: OrganizationTimeline) -> tuple[object, ...]:
    return timeline.name, *facts_of(timeline)


def _remove(folder: _Folder) -> None:
    """Remove the covered bundles, the oldest first: what is left stays a chain."""
    for path in folder.found.superseded if folder.found else ():
        path.unlink()
    if folder.found and folder.new:
        Path(folder.found.summary.file).unlink()
    for name in folder.older:
        # Under this name it is no bundle any more: an interruption leaves no part of one.
        leaving = folder.path / f"{UNFINISHED}removed-{name}"
        (folder.path / name).rename(leaving)
        shutil.rmtree(leaving)
    sync_folder(folder.path)
