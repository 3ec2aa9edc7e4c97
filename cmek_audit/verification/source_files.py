"""The sources of a report: whether each is there, and is what was audited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.signing.test_result import INSIDE
from cmek_audit.verification.proof import Proof
from inventory.errors import CmekAuditError, EvidenceError, InputError, Problem
from inventory.evidence.manifest import check_bundle
from inventory.files.evidence_layout import is_bundle
from inventory.past.chains import bundles_between
from inventory.system.hosts import ADDRESS, foreign_hosts, other_hosts
from inventory.text.display import pluralize
from reports.record.reader import measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cmek_audit.verification.recorded_head import (
        NamedFile,
        RecordedChain,
        RecordedHead,
        RecordedSource,
    )
    from inventory.evidence.manifest import Manifest

_MOST_PROBLEMS = 5
_MOST_BYTES = 16 * 1_024**3
"""The size from which on no file is hashed: some that the system makes up are of terabytes."""

_GONE = "missing; verify where the audit was run, with all its files"
_OUTSIDE = "the record names it by a path outside of the package, by which nothing is read"


def prove_sources(head: RecordedHead, below: Path | None = None) -> Iterator[Proof]:
    """Prove that every file that the audit read is there, and the same.

    The record may name any path: only regular files are opened, and what is in bundles. If a folder
    ``below`` is given, nothing outside of it is opened at all.
    """
    outside = [path for path in source_paths(head) if below and not _is_below(path, below)]
    if outside:
        yield from (Proof(path, "not-proven", _OUTSIDE) for path in outside)
        return
    for source in head.population.sources:
        if source.format == "bundle" and source.role == "inventory":
            yield _prove_bundle(source)
        else:
            inside = INSIDE.get(source.format, "")
            yield prove_file(source, f"{source.path}{inside}", min(source.size, _MOST_BYTES))
            if source.chain and source.format == "bundle":
                yield _prove_chain(source.path, source.chain)
    for file in given_files(head):
        yield prove_file(file, file.path)


def source_paths(head: RecordedHead) -> Iterator[str]:
    """Yield each path that the record names as one that the audit read."""
    for source in head.population.sources:
        yield source.path
        if source.chain:
            yield source.chain.first
    yield from (file.path for file in given_files(head))
    if head.settings.terraform_source:
        yield head.settings.terraform_source


def given_files(head: RecordedHead) -> Iterator[NamedFile]:
    """Yield the files that were read and are no source of facts."""
    settings = head.settings
    yield from (*settings.waiver_files, *settings.history_files, *settings.terraform_files)
    yield from filter(None, [settings.controls_file, settings.baseline_file])


def _is_below(path: str, folder: Path) -> bool:
    """Return whether ``path`` is relative, and leads to what is inside of ``folder``."""
    try:
        is_inside = Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):  # ValueError: the record may name what no path can be
        return False
    return is_inside and not Path(path).is_absolute()


def prove_file(file: NamedFile, path: str, most: int | None = None) -> Proof:
    """Return the proof that the file ``path``, of at most so many bytes, has the hash of ``file``.

    ``path`` is that of ``file``, or of the file inside that has its hash.
    """
    most = _MOST_BYTES if most is None else most
    try:
        sha256, size, _ = measure(path, most)
    except FileNotFoundError:
        return Proof(path, "not-proven", _GONE)
    except OSError as error:
        return Proof(path, "not-proven", f"it cannot be read: {error.strerror}")
    if size > most:
        reason = f"it has more than {most:,} bytes, which is not what was audited"
        return Proof(path, "not-proven", reason)
    if sha256 != file.sha256:
        reason = f"changed since: SHA-256 {sha256}, recorded {file.sha256}"
        return Proof(path, "not-proven", reason)
    return Proof(path, "proven", "it has the recorded SHA-256")


def _prove_bundle(source: RecordedSource) -> Proof:
    from inventory.astra.replay import replay  # noqa: PLC0415 (only a bundle needs the HTTP client)

    path = source.path
    if not _is_bundle(path):
        return Proof(path, "not-proven", _GONE)
    try:
        manifest = replay(path).manifest
    except InputError as error:
        problems = "; ".join(map(str, error.problems[:_MOST_PROBLEMS]))
        return Proof(path, "differs", f"not as it was recorded: {problems}")
    except CmekAuditError as error:
        return Proof(path, "differs", f"it cannot be replayed: {error}")
    except OSError as error:
        return Proof(path, "not-proven", f"it cannot be read: {error.strerror}")
    root = source.evidence and source.evidence.root
    if manifest.root != root:
        reason = f"another bundle: root {manifest.root}, recorded {root}"
        return Proof(path, "not-proven", reason)
    return Proof(path, "proven", _replayed(manifest))


def _prove_chain(last: str, chain: RecordedChain) -> Proof:
    """Prove that earlier bundles in a row are there, each with the inventory of its manifest."""
    label = f"{chain.first} to {last}"
    try:
        paths = paths_in_chain(last, chain)
        for path in paths:
            check_bundle(path, only_inventory=True)
    except InputError as error:
        problems = "; ".join(map(str, error.problems[:_MOST_PROBLEMS]))
        return Proof(label, "not-proven", f"not as they were recorded: {problems}")
    except (OSError, ValueError) as error:
        return Proof(label, "not-proven", f"they cannot be read: {error}")
    return Proof(label, "proven", f"{pluralize(len(paths), 'record')} with the recorded roots")


def paths_in_chain(last: str, chain: RecordedChain) -> Sequence[str]:
    """Return the paths of the bundles of ``chain``; raise EvidenceError if they are others."""
    paths, sha256 = bundles_between(chain.first, last, chain.records)
    if sha256 != chain.sha256:
        expected = f"roots of the hash {chain.sha256}"
        raise EvidenceError([Problem(last, 0, "", f"roots of the hash {sha256}", expected)])
    return paths


def _is_bundle(path: str) -> bool:
    try:
        return is_bundle(Path(path))
    except ValueError:  # the record may name any text, such as one that no path can have
        return False


def _replayed(manifest: Manifest) -> str:
    requests = pluralize(manifest.requests, "request")
    asked = name_hosts(manifest.address, manifest.cloud_addresses)
    return f"{requests} replayed: the same inventory; asked: {asked}"


def name_hosts(address: str, cloud_addresses: Iterable[str] = ()) -> str:
    """Return the host of Astra, and if it is not the vendor's own, that it is not.

    Of the hosts that were asked in place of a cloud's own, those that are not the cloud's follow.
    """
    asked = address or "no host of Astra"
    if other_hosts([address]):
        asked = f"{address}, not the vendor's host {ADDRESS}"
    foreign = (f"{host}, not the cloud's own host" for host in foreign_hosts(cloud_addresses))
    return "; ".join([asked, *foreign])
