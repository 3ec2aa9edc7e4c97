"""The sources of a report: whether each is there, and is what was audited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cmek_audit.verification.proof import Proof
from inventory.errors import CmekAuditError, EvidenceError, InputError, Problem
from inventory.evidence.manifest import check_bundle
from inventory.files.evidence_layout import INVENTORY, is_bundle
from inventory.parquet.layout import HEAD
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

_INSIDE = {"bundle": f"/{INVENTORY}", "parquet": f"/{HEAD}"}
"""The file of a folder that has the recorded hash. That of Parquet holds those of the others."""

_GONE = "missing; verify where the audit was run, with all its files"


def prove_sources(head: RecordedHead) -> Iterator[Proof]:
    """Prove that every file that the audit read is there, and the same.

    The record may name any path: only regular files are opened, and what is in bundles.
    """
    for source in head.population.sources:
        if source.format == "bundle" and source.role == "inventory":
            yield _prove_bundle(source)
        else:
            inside = _INSIDE.get(source.format, "")
            yield _prove_file(source, f"{source.path}{inside}", min(source.size, _MOST_BYTES))
            if source.chain:
                yield _prove_chain(source.path, source.chain)
    settings = head.settings
    given = filter(None, [settings.controls_file, settings.baseline_file])
    files = (*settings.waiver_files, *settings.history_files, *settings.terraform_files, *given)
    for file in files:
        yield _prove_file(file, file.path, _MOST_BYTES)


def _prove_file(file: NamedFile, path: str, most: int) -> Proof:
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
