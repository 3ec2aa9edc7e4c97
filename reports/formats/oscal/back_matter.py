"""The files on which a document rests, as resources with their hashes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from inventory.files.evidence_layout import INVENTORY
from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.texts import address, line, value
from reports.record.layout import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reports.formats.oscal.json_parts import Json
    from reports.model.head import Head, NamedFile, SettingsEntry
    from reports.model.population_summary import SourceEntry

_SHA256 = "SHA-256"


class _File(NamedTuple):
    """A file, as a resource.

    Attributes:
        path: as the audit was given it.
        what: what it is, in a few words.
        sha256: the hash of the file; empty if it is not known.
        more: further properties.
    """

    path: str
    what: str
    sha256: str = ""
    more: Mapping[str, str] = MappingProxyType({})


class CitedFiles:
    """The files that findings cite as evidence, each once."""

    def __init__(self, head: Head) -> None:
        """Start with none; resources are those of the audit with this ``head``."""
        self._report = head["report"]
        self._paths: dict[str, str] = {}

    def cite(self, path: str) -> str:
        """Return the reference to the resource of a file; empty for a path that names none."""
        if path not in self._paths:
            self._paths[path] = f"#{resource_uuid(self._report, path)}" if path else ""
        return self._paths[path]

    def __iter__(self) -> Iterator[str]:
        """Yield the path of each."""
        return filter(None, self._paths)


def resource_uuid(report: str, path: str) -> str:
    """Return the UUID of the resource that is the file at ``path`` as an audit read it."""
    return identify("resource", report, path)


def resources(head: Head, cited: Iterable[str]) -> Iterator[Json]:
    """Yield the resource of each file of the record, of its sources and settings, and ``cited``."""
    seen = set[str]()
    for file in (*_record(head), *_given(head), *_cited(head, cited)):
        if file.path and file.path not in seen:
            seen.add(file.path)
            yield _resource(head["report"], file)


def _resource(report: str, file: _File) -> Json:
    href = {"href": address(file.path)}
    hashes = [{"algorithm": _SHA256, "value": file.sha256}] if file.sha256 else []
    return filled(
        {
            "uuid": resource_uuid(report, file.path),
            "title": line(file.path),
            "description": line(file.what),
            "props": properties({name: value(text) for name, text in file.more.items()}),
            "rlinks": [filled({**href, "hashes": hashes})],
        }
    )


def _record(head: Head) -> Iterator[_File]:
    yield _File(
        HEAD,
        "The record of the audit: rules, settings, sources, verdict, coverage and key plan.",
        more={"report": head["report"]},
    )
    yield _File(head["findings"]["file"], "All findings of the audit.", head["findings"]["sha256"])
    population = head["population_file"]
    yield _File(population["file"], "All that the audit judged.", population["sha256"])


def _given(head: Head) -> Iterator[_File]:
    for source in head["population"]["sources"]:
        yield from _source(source)
    for what, file in _settings_files(head["settings"]):
        yield _File(file["path"], what, file["sha256"])


def _source(source: SourceEntry) -> Iterator[_File]:
    """Yield the file of a source; the hash of a bundle is that of the inventory in it."""
    what = f"A source of the audit: {source['role']}, {source['format']}."
    if source["format"] == "bundle":
        inventory = f"{source['path'].rstrip('/')}/{INVENTORY}"
        root = source["evidence"]["root"] if source["evidence"] else ""
        yield _File(inventory, what, source["sha256"], {"bundle-root": root})
    elif source["format"] == "parquet":
        yield _File(source["path"], what, more={"sha256-of-content": source["sha256"]})
    else:
        yield _File(source["path"], what, source["sha256"])


def _settings_files(settings: SettingsEntry) -> Iterator[tuple[str, NamedFile]]:
    single = {
        "Controls of other frameworks, by rule.": settings["controls_file"],
        "The baseline, an earlier audit.": settings["baseline_file"],
    }
    lists = {
        "Waivers.": settings["waiver_files"],
        "An earlier audit.": settings["history_files"],
        "A configuration of Terraform.": settings["terraform_files"],
    }
    for what, file in single.items():
        if file:
            yield what, file
    for what, files in lists.items():
        for file in files:
            yield what, file


def _cited(head: Head, cited: Iterable[str]) -> Iterator[_File]:
    bundles = {f"{bundle['path'].rstrip('/')}/": bundle["root"] for bundle in head["evidence"]}
    for path in cited:
        root = next((root for folder, root in bundles.items() if path.startswith(folder)), "")
        yield _File(path, "A file that findings cite as evidence.", more={"bundle-root": root})
