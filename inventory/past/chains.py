"""Earlier bundles in a row: named by the first and the last of them, and found again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import EvidenceError, Problem
from inventory.evidence.manifest import read_head
from inventory.files.evidence_layout import MANIFEST
from inventory.model.sources import SourceChain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from inventory.model.sources import Source

_FEW = 2
"""So many records are listed anyway."""


def hash_roots(roots: Iterable[str]) -> str:
    """Return the hash over roots, one a line."""
    return hashlib.sha256("".join(f"{root}\n" for root in roots).encode("ascii")).hexdigest()


def condense(sources: Iterable[Source]) -> Iterator[Source]:
    """Yield of bundles in a row the first and the last one, and every other source."""
    for run in _runs(sources):
        if len(run) <= _FEW:
            yield from run
        else:
            roots = [source.evidence.root for source in run if source.evidence]
            chain = SourceChain(first=run[0].path, records=len(run), sha256=hash_roots(roots))
            yield from (run[0], run[-1].model_copy(update={"chain": chain}))


def _runs(sources: Iterable[Source]) -> Iterator[list[Source]]:
    run: list[Source] = []
    for source in sources:
        if run and not _follows(run[-1], source):
            yield run
            run = []
        run.append(source)
    if run:
        yield run


def _follows(one: Source, two: Source) -> bool:
    """Say whether ``two`` is the bundle after ``one``, and no other than that by what it states.

    What a report warns of, such as another host that was asked, stays listed.
    """
    if one.evidence is None or two.evidence is None:
        return False
    if two.format != "bundle" or two.evidence.previous != one.evidence.root:
        return False
    folder = one.path.rpartition("/")[0]
    # Without a folder nothing would show that a file is in one of the bundles that are not listed.
    return bool(folder) and folder == two.path.rpartition("/")[0] and _traits(one) == _traits(two)


def _traits(source: Source) -> tuple[object, ...]:
    evidence = source.evidence
    hosts = (evidence.address, evidence.cloud_addresses) if evidence else ()
    return source.role, source.format, source.complete, source.example, source.notes, hosts


def bundles_between(first: str, last: str, records: int) -> tuple[Sequence[str], str]:
    """Return the paths of so many bundles from ``first`` to ``last``, and the hash of their roots.

    Each is found by the manifest of the one after it. Raises EvidenceError if one is missing or
    damaged, or if they are not so many.
    """
    folder, _, name = last.rpartition("/")
    paths, roots = [last], [read_head(last)]
    while len(paths) < records and paths[-1] != first:
        previous = roots[-1].previous
        name = previous.name if previous else ""
        path = f"{folder}/{name}" if folder else name
        head = read_head(path) if previous and Path(path).name == name else None
        if previous is None or head is None or head.root != previous.root:
            raise _broken(paths[-1], f"another bundle before it than {name or 'none'}")
        paths.append(path)
        roots.append(head)
    if paths[-1] != first or len(paths) != records:
        raise _broken(last, f"{len(paths):,} bundles since {paths[-1]}")
    paths.reverse()
    return paths, hash_roots(head.root for head in reversed(roots))


def _broken(path: str, found: str) -> EvidenceError:
    problem = Problem(f"{path}/{MANIFEST}", 0, "previous", found, "the bundles that were read")
    return EvidenceError([problem])
