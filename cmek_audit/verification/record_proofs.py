"""What is proven of the record and its pages: they are made again, and compared byte by byte."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cmek_audit.verification.loaded_report import irregular, proofs_without_file, unequal
from cmek_audit.verification.proof import Proof
from inventory.errors import RecordError
from inventory.text.display import pluralize
from reports.formats.registry import RENDERED
from reports.record.layout import FINDINGS, HEAD, POPULATION, RECORD, canonical
from reports.record.reader import relying_on
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cmek_audit.verification.loaded_report import LoadedReport
    from cmek_audit.verification.proof import Status
    from cmek_audit.verification.reproduction import Reproduced
    from reports.formats.registry import Format
    from reports.record.reader import Record
    from reports.record.stored_lines import StoredLines

_MOST_NAMED = 50


def prove_record(report: LoadedReport) -> Iterator[Proof]:
    """Prove the head, the findings and the population, as far as the sources give them again."""
    reproduced = report.reproduced
    if isinstance(reproduced, str):
        yield from (Proof(name, "not-proven", reproduced) for name in RECORD)
        return
    yield _prove_head(report, reproduced)
    yield _prove_findings(report, reproduced)
    yield _prove_population(report, reproduced)


def _prove_head(report: LoadedReport, reproduced: Reproduced) -> Proof:
    differing = differing_blocks(report.record.head, reproduced.head)
    if not differing:
        return Proof(HEAD, "proven", "judged again from its sources: equal")
    reason = f"judged again from its sources, these differ: {', '.join(differing)}"
    return unequal(HEAD, reason, report)


def differing_blocks(recorded: Mapping[str, object], reproduced: Mapping[str, object]) -> list[str]:
    """Name the blocks that differ, by their bytes: Python takes ``true``, 1 and 1.0 for equal."""
    names = [name for name in {**recorded, **reproduced} if name not in {"run", "report"}]
    differing = [name for name in names if _bytes_of(recorded, name) != _bytes_of(reproduced, name)]
    if not differing and [*recorded] != [*reproduced]:
        return ["the order of its blocks"]
    return differing[:_MOST_NAMED]


def _bytes_of(head: Mapping[str, object], name: str) -> str:
    return canonical(head[name]) if name in head else ""


def _prove_findings(report: LoadedReport, reproduced: Reproduced) -> Proof:
    if report.head.findings.sha256 != reproduced.head["findings"]["sha256"]:
        return unequal(FINDINGS, "judged again from its sources: other findings", report)
    findings = pluralize(report.head.findings.count, "finding")
    return _equal(FINDINGS, ("judged again", findings), report, reproduced)


def _prove_population(report: LoadedReport, reproduced: Reproduced) -> Proof:
    recorded = report.head.population_file
    if recorded.sha256 != reproduced.head["population_file"]["sha256"]:
        return unequal(POPULATION, "read again from its sources: another population", report)
    entries = pluralize(recorded.count, "entry", "entries")
    return _equal(POPULATION, ("read again", entries), report, reproduced)


def _equal(
    name: str, words: tuple[str, str], report: LoadedReport, reproduced: Reproduced
) -> Proof:
    """Return the proof of lines that were made again and are equal, by whichever rules."""
    done, lines = words
    if report.head.criteria.hash != reproduced.head["criteria"]["hash"]:
        # Whoever forges lines can name another rule set: equal lines prove nothing then.
        reason = f"{report.other_suite}; {done} by those here: the same {lines}"
        return Proof(name, "not-proven", reason)
    return Proof(name, "proven", f"{done} from its sources: the same {lines}")


# --- what is rendered from the record -------------------------------------------------------------


def prove_rendered(report: LoadedReport, of_record: Status) -> Iterator[Proof]:
    """Render the record again; what is equal is proven no further than the record is."""
    for rendered in RENDERED:
        absent = proofs_without_file(report, rendered)
        if absent is not None:
            yield from _prove_absent(report, rendered, absent)
            continue
        if rendered.file:
            yield _prove_page(report, rendered, of_record)
        if rendered.folder:
            yield from _prove_pages(report, rendered, of_record)


def _prove_absent(report: LoadedReport, rendered: Format, absent: list[Proof]) -> list[Proof]:
    """Return what is to be said of a file that is missing; nothing if the record needs none."""
    if not absent or not rendered.no_file:
        return absent
    try:
        with relying_on(report.record):
            paths = rendered.render_files(report.record.head, *_lines_of(report.record))
            return absent if any(True for _ in paths) else []
    except RecordError:
        return absent


def _lines_of(record: Record) -> tuple[StoredLines, StoredLines]:
    return record.lines(), record.population_lines()


def _prove_page(report: LoadedReport, rendered: Format, of_record: Status) -> Proof:
    name = rendered.file
    try:
        is_equal = _is_rendered(report.record, rendered, report.location / name)
    except RecordError:
        return Proof(name, "differs", "nothing can be rendered from the record")
    except OSError as error:
        return Proof(name, "not-proven", f"it cannot be read: {error.strerror}")
    if not is_equal:
        return unequal(name, f"not the {rendered.noun} that the record renders to", report)
    return equal_to_record(name, of_record)


def equal_to_record(name: str, of_record: Status, done: str = "rendered") -> Proof:
    """Return the proof of what was ``done`` again from the record: it is proven no further."""
    reason = f"{done} again from the record: equal"
    if of_record == "proven":
        return Proof(name, "proven", reason)
    state = "is not proven" if of_record == "not-proven" else "differs"
    return Proof(name, "not-proven", f"{reason}; the record {state}")


def _prove_pages(report: LoadedReport, rendered: Format, of_record: Status) -> Iterator[Proof]:
    """Prove the files of a folder together, as there may be thousands."""
    folder = report.location / rendered.folder
    try:
        strange = _find_strange(folder)
        equal = {} if strange else _compare_pages(report.record, rendered, folder)
        there = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    except RecordError:
        yield Proof(rendered.folder, "differs", "nothing can be rendered from the record")
        return
    except OSError as error:
        yield Proof(rendered.folder, "not-proven", f"it cannot be read: {error.strerror}")
        return
    if strange:
        yield Proof(rendered.folder, "differs", strange)
    elif strangers := sorted(there - set(equal)):
        yield unequal(rendered.folder, f"found {strangers[0]}, which no record renders to", report)
    elif differing := [name for name, is_equal in equal.items() if not is_equal]:
        files = pluralize(len(differing), "file")
        reason = f"{files} not as rendered, the first {differing[0]}"
        yield unequal(rendered.folder, reason, report)
    elif equal:
        yield equal_to_record(rendered.folder, of_record)


def _find_strange(folder: Path) -> str:
    """Name what is in the place of a file, or of their folder, and is none; empty if nothing is.

    No link is followed, as it could lead out of the report.
    """
    if not os.path.lexists(folder):
        return ""
    if folder.is_symlink() or not folder.is_dir():
        return f"found {irregular(folder) or 'a file'}, expected a folder"
    for entry in sorted(folder.iterdir()):
        if found := irregular(entry):
            return f"found {found} called {entry.name}, expected only files"
    return ""


def _compare_pages(record: Record, rendered: Format, folder: Path) -> dict[str, bool]:
    """Return for each file of the folder, by its name, whether it is as it is rendered."""
    with relying_on(record):
        files = rendered.render_inside(record.head, *_lines_of(record))
        return {name: _is_rendered_file(folder / name, blocks) for name, blocks in files}


def _is_rendered_file(file: Path, blocks: Iterable[bytes]) -> bool:
    try:
        return _holds(file, blocks)
    except FileNotFoundError:
        return False


def _is_rendered(record: Record, rendered: Format, file: Path) -> bool:
    with relying_on(record):
        return _holds(file, rendered.render_blocks(record.head, *_lines_of(record)))


def _holds(file: Path, blocks: Iterable[bytes]) -> bool:
    """Say whether ``file`` holds just ``blocks``; it is read no further than they are long."""
    with open_regular(file) as opened:
        is_equal = all(opened.read(len(block)) == block for block in blocks)
        return is_equal and not opened.read(1)
