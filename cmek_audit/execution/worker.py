"""What a process does with one shard: it reads its part, judges it, and writes what was found."""

from __future__ import annotations

import hashlib
import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import load_rules, rules_hash
from checks.engine.evaluation import judge_organization
from cmek_audit.execution.result import ShardResult
from cmek_audit.execution.shard_files import finish_shard, new_shard
from cmek_audit.execution.tally import FindingTally, Terms
from inventory.errors import InventoryError, LeakError, ShardError
from inventory.text.searched_files import SearchedFiles
from reports.record.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.engine.context import Summary
    from checks.engine.pass_series import Found
    from inventory.inventory_parts import InventoryPart
    from inventory.model.organization import Organization

LOST = "the process that judged it was lost {} times"
"""What is said of organizations whose shard could not be judged."""


class StoredTerms(NamedTuple):
    """By what is judged, in a file that this audit has just written for its own processes.

    Attributes:
        path: the file.
        sha256: its hash.
    """

    path: str
    sha256: str


class ShardTask(NamedTuple):
    """One shard to judge; plain data that any process can take.

    Attributes:
        number: which shard it is, counted from 1.
        part: its organizations.
        terms: by what they are judged.
        folder: where the shard is written.
        audit: the hash of all that the audit is made of.
        is_kept: whether the shard stays there after the audit, so that it may hold no secret.
    """

    number: int
    part: InventoryPart
    terms: StoredTerms
    folder: str
    audit: str
    is_kept: bool = False


def store_terms(terms: Terms, folder: Path) -> StoredTerms:
    """Write ``terms`` into ``folder``, which is this audit's own, for all of its processes."""
    raw = pickle.dumps(terms, protocol=pickle.HIGHEST_PROTOCOL)
    path = folder / "terms.pickle"
    path.write_bytes(raw)
    return StoredTerms(str(path), hashlib.sha256(raw).hexdigest())


@cache
def _load_terms(stored: StoredTerms) -> Terms:
    """Read the terms once in each process; raise ShardError if these rules are not the audit's."""
    raw = Path(stored.path).read_bytes()
    if hashlib.sha256(raw).hexdigest() != stored.sha256:
        raise ShardError(f"{stored.path}: found other content than was written")
    terms: Terms = pickle.loads(raw)  # noqa: S301 (the hash comes from the process that wrote it)
    if rules_hash(load_rules()) != terms.rules_hash:
        raise ShardError("a process found other rules than the audit has, expected the same")
    return terms


def judge_shard(task: ShardTask) -> bool:
    """Judge a shard, and write it; False if the inventory has to be read as one.

    Raises ShardError if this process cannot take part, and OSError if the disk refuses.
    """
    try:
        _judge(task, task.part.organizations())
    except (InventoryError, LeakError):
        # Every problem of a file is reported together, and so by whoever reads all of it. What
        # holds a secret is not kept: an audit without shards ends as it should.
        return False
    return True


def give_up_shard(task: ShardTask, attempts: int) -> bool:
    """Write a shard of which nothing could be judged: all of it is inconclusive; as above."""
    try:
        _judge(task, task.part.unread(LOST.format(attempts)))
    except (InventoryError, LeakError):
        return False
    return True


def _judge(task: ShardTask, organizations: Iterable[Organization]) -> None:
    terms, rules = _load_terms(task.terms), load_rules()
    with new_shard(Path(task.folder)) as folder:
        files = SearchedFiles()
        # What is not kept is searched when it is put together with all other shards.
        watched = {"watch": files.watch} if task.is_kept else {}
        recorder = Recorder(folder, terms.context, **watched)
        try:
            tally = FindingTally(terms, rules, recorder)
            summaries: list[Summary] = []
            tally.take(_findings(organizations, tally, summaries))
            findings, population_lines = recorder.close()
            if task.is_kept:
                files.refuse_leaks(folder.iterdir())
        finally:
            recorder.abort()
        result = ShardResult(
            grouping=tally.grouping,
            waivers=tally.waivers,
            changes=tally.changes,
            aggregates=recorder.aggregates,
            population=recorder.population,
            summaries=summaries,
            read=task.part.read,
            findings=findings,
            population_lines=population_lines,
        )
        finish_shard(folder, task.audit, task.number, result)


def _findings(
    organizations: Iterable[Organization], tally: FindingTally, summaries: list[Summary]
) -> Iterator[Found]:
    terms, rules = tally.terms, load_rules()
    for organization in organizations:
        tally.add_organization(organization)
        found, summary = judge_organization(organization, rules, terms.context)
        summaries.append(summary)
        yield from found
