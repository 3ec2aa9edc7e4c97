"""The summary of a folder of evidence bundles, beside the bundles that are still there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import EvidenceError, Problem
from inventory.evidence.chain import bundle_label
from inventory.evidence.manifest import read_head
from inventory.files.evidence_layout import MANIFEST, read_folder
from inventory.past.summary import Summary, read_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inventory.evidence.chain import Chain
    from inventory.files.evidence_layout import FolderContent


class FoundSummary(NamedTuple):
    """The summary of a folder.

    Attributes:
        summary: the one that covers the most.
        superseded: others, of which it covers all that they cover.
        still_here: the bundles that it covers, and that were not removed.
    """

    summary: Summary
    superseded: tuple[Path, ...]
    still_here: tuple[Path, ...]


def find_summary(content: FolderContent) -> FoundSummary:
    """Return the summary of a folder that has at least one.

    An interrupted pruning leaves several, or bundles that are covered already. Raises EvidenceError
    if a summary is damaged, if none covers all the others, or if a bundle has the name of a covered
    one and another root.
    """
    every = sorted(
        (read_summary(str(path)) for path in content.summaries),
        key=lambda summary: (-len(summary.bundles), summary.file),
    )
    first, *others = every
    problems = [_rival(first, other) for other in others if not _covers(first, other)]
    covered = first.covered
    still_here = tuple(path for path in content.bundles if path.name in covered)
    for path in still_here:
        root = read_head(str(path)).root
        if root != covered[path.name]:
            expected = f"the root {covered[path.name]}, as {first.file} says"
            problems.append(Problem(f"{path.as_posix()}/{MANIFEST}", 0, "root", root, expected))
    if problems:
        raise EvidenceError(problems)
    return FoundSummary(first, tuple(Path(other.file) for other in others), still_here)


def _covers(summary: Summary, other: Summary) -> bool:
    is_same_begin = summary.head.previous == other.head.previous
    return is_same_begin and summary.bundles[: len(other.bundles)] == other.bundles


def _rival(summary: Summary, other: Summary) -> Problem:
    found = "a summary of other bundles"
    return Problem(other.file, 0, "", found, f"one summary: {summary.file} does not cover them")


def require_continued(folder: Path, chain: Chain) -> dict[str, str]:
    """Return the root of each bundle that a summary in ``folder`` covers, by its name.

    Raises EvidenceError if the summary is damaged, or if the chain does not continue it.
    """
    content = read_folder(folder)
    if not content.summaries:
        return {}
    summary = find_summary(content).summary
    if problems := list(link_problems(summary, chain)):
        raise EvidenceError(problems)
    return summary.covered


def link_problems(summary: Summary, chain: Chain) -> Iterator[Problem]:
    """Yield why the chain of a folder does not continue what ``summary`` covers."""
    if not chain.links:
        return
    oldest = chain.links[0]
    if oldest.name in summary.covered:
        yield from _covered_problems(summary, [link.name for link in chain.links])
    elif oldest.previous != summary.last:
        file = f"{summary.file[: summary.file.rfind('/') + 1]}{oldest.name}/{MANIFEST}"
        expected = f"{bundle_label(summary.last)}, the last that {summary.file} covers"
        yield Problem(file, 0, "previous", bundle_label(oldest.previous), expected)


def _covered_problems(summary: Summary, names: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem if the bundles do not begin with the last of the covered ones."""
    covered = list(summary.covered)
    still_here = [name for name in names if name in summary.covered]
    if still_here != list(names[: len(still_here)]) or still_here != covered[-len(still_here) :]:
        expected = f"the last bundles that {summary.file} covers, and then the others"
        yield Problem(summary.file, 0, "", "other bundles in the chain", expected)
