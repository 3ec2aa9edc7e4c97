"""What goes into a package: the report, and of the files that it was made of those that are there.

A source is packed only if it is what was audited, by its hash. What is missing or was changed since
is listed with the reason.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cmek_audit.packages.layout import ELSEWHERE, REPORT, SOURCES
from cmek_audit.signing.report_files import list_files
from cmek_audit.signing.statement import is_safe_name
from cmek_audit.signing.test_result import INSIDE
from cmek_audit.verification.loaded_report import irregular
from cmek_audit.verification.recorded_head import RecordedHead
from cmek_audit.verification.source_files import paths_in_chain, prove_file
from inventory.errors import InputError, RecordError
from inventory.evidence.manifest import check_bundle
from inventory.files.evidence_layout import MANIFEST
from inventory.parquet.reader import ParquetReader
from reports.record.layout import HEAD, RECORD, SIGNATURE
from reports.record.reader import checked, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.verification.recorded_head import NamedFile, RecordedSource
    from reports.record.reader import Record

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 60
_HISTORY, _BASELINE = "history", "baseline"
_CHANGED = "another bundle than the one that was audited"


class ListedSource(NamedTuple):
    """A file or folder that the record names as a source.

    Attributes:
        path: its path as the record has it.
        role: what it was read for.
        place: its path in the package; empty if it is not there.
        note: why it is not there; empty if it is.
    """

    path: str
    role: str
    place: str
    note: str = ""


class Contents(NamedTuple):
    """What a package is made of.

    Attributes:
        record: the record of the report.
        files: the files to pack, by their path in the package.
        sources: every source that the record names, packed or not.
        others: what else is in the report folder, and is not packed.
    """

    record: Record
    files: dict[str, Path]
    sources: tuple[ListedSource, ...]
    others: tuple[str, ...]

    @property
    def is_signed(self) -> bool:
        """Return whether a signature is packed."""
        return f"{REPORT}/{SIGNATURE}" in self.files

    @property
    def missing(self) -> tuple[ListedSource, ...]:
        """Return the sources that are not packed."""
        return tuple(source for source in self.sources if source.note)


def gather(folder: Path) -> Contents:
    """Return what a package of the report in ``folder`` is made of.

    Paths of sources are taken as the audit was given them. Raises RecordError if the record is
    none, or not as it was written, and OSError.
    """
    record = read_record(folder)
    there = list_files(folder)
    names = [*there.own, *([SIGNATURE] if (folder / SIGNATURE).is_file() else [])]
    files = {f"{REPORT}/{name}": folder / name for name in names}
    sources: list[ListedSource] = []
    for path, role, note in _sources(checked(record.path, RecordedHead, record.head)):
        place = "" if note else place_of(path, len(sources) + 1)
        sources.append(ListedSource(path, role, place, note))
        files |= {f"{place}{inner}": file for inner, file in _files(Path(path))} if place else {}
    return Contents(record, files, tuple(sources), there.others)


def place_of(path: str, number: int) -> str:
    """Return where a source is packed; one outside of the working folder under its number."""
    if is_safe_name(path):
        return f"{SOURCES}/{path}"
    name = _OTHER.sub("-", path.rstrip("/").rpartition("/")[2])[-_LONGEST:].strip(".")
    return f"{ELSEWHERE}/{number:03}-{name or 'source'}"


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the file ``path``, or each file below that folder, with its path inside of it."""
    if not path.is_dir():
        yield "", path
        return
    for place, _, names in os.walk(path):
        for name in names:
            file = Path(place) / name
            if not irregular(file):
                yield f"/{file.relative_to(path).as_posix()}", file


# --- the sources ----------------------------------------------------------------------------------


def _sources(head: RecordedHead) -> Iterator[tuple[str, str, str]]:
    """Yield path and role of each source, and why it is not packed; once for each path."""
    found: dict[str, tuple[str, str]] = {}
    for path, role, note in (*_facts(head), *_given(head)):
        found.setdefault(path, (role, note))
    yield from ((path, role, note) for path, (role, note) in found.items())


def _facts(head: RecordedHead) -> Iterator[tuple[str, str, str]]:
    for source in head.population.sources:
        if source.format == "bundle":
            yield from _bundles(source)
        else:
            note = _note(source, source.format)
            if source.format == "parquet":
                note = note or _parquet_note(source.path)
            yield source.path, source.role, note


def _note(file: NamedFile, kind: str = "") -> str:
    proof = prove_file(file, f"{file.path}{INSIDE.get(kind, '')}")
    return "" if proof.status == "proven" else proof.reason


def _parquet_note(path: str) -> str:
    """Return what is wrong with the files of a folder whose head is right; empty if nothing is."""
    try:
        ParquetReader(path)
    except InputError as error:
        return _reason(error)
    return ""


def _bundles(source: RecordedSource) -> Iterator[tuple[str, str, str]]:
    """Yield a bundle with its role, and the bundles between it and the first of its chain."""
    try:
        paths = paths_in_chain(source.path, source.chain) if source.chain else [source.path]
    except (InputError, OSError, ValueError) as error:
        yield source.path, source.role, _reason(error)
        return
    root = source.evidence.root if source.evidence else ""
    for path in paths[:-1]:
        yield path, source.role, _bundle_note(path, "")
    note = _bundle_note(source.path, root) or _note(source, source.format)
    yield source.path, source.role, note


def _bundle_note(path: str, root: str) -> str:
    try:
        if not (Path(path) / MANIFEST).is_file():
            return "missing"
        manifest = check_bundle(path)
    except (InputError, OSError, ValueError) as error:
        return _reason(error)
    return _CHANGED if root not in {"", manifest.root} else ""


def _reason(error: Exception) -> str:
    if isinstance(error, InputError):
        return "; ".join(map(str, error.problems[:3]))
    return getattr(error, "strerror", None) or "it cannot be read"


def named_sources(head: RecordedHead) -> dict[str, str]:
    """Return what the record itself names as sources, by path with role."""
    roles: dict[str, str] = {}
    for source in head.population.sources:
        roles.setdefault(source.path, source.role)
    for file, role in _given_files(head):
        roles.setdefault(file.path, role)
    return roles


def _given_files(head: RecordedHead) -> Iterator[tuple[NamedFile, str]]:
    """Yield the files that are no source of facts, each with what it was read for."""
    settings = head.settings
    yield from ((file, "waivers") for file in settings.waiver_files)
    yield from ((file, "terraform-source") for file in settings.terraform_files)
    if settings.controls_file:
        yield settings.controls_file, "controls"
    yield from ((file, _HISTORY) for file in settings.history_files)
    if settings.baseline_file:
        yield settings.baseline_file, _BASELINE


def _given(head: RecordedHead) -> Iterator[tuple[str, str, str]]:
    """Yield the files that are no source of facts; of an earlier report its whole record."""
    for file, role in _given_files(head):
        yield file.path, role, (note := _note(file))
        if role in {_HISTORY, _BASELINE}:
            note = note or _lines_note(file.path)
            for name in RECORD:
                if name != HEAD:
                    yield Path(file.path).with_name(name).as_posix(), role, note


def _lines_note(path: str) -> str:
    """Return what is wrong with the lines beside the head of an earlier record; else nothing.

    Their hashes are in that head, and nowhere in the record of this audit.
    """
    try:
        read_record(path)
    except RecordError as error:
        return str(error)
    return ""
