"""Small fleets in files, their audits in shards, and what an audit in one process makes of them."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.catalogue import load_rules
from cmek_audit.execution.sharded import ShardedAudit, ShardPlace
from cmek_audit.execution.tally import FindingTally
from cmek_audit.execution.worker import judge_shard
from cmek_audit.run.judging import judge, sum_up, terms_of
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.preparation import prepare
from inventory.files.ndjson_writer import end_line, head_line, organization_lines
from inventory.system.executors import ExecutorSetting
from reports.record.recorder import Recorder
from tests.builders import moment, write_text
from tests.wiring.runs import AS_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from cmek_audit.execution.worker import ShardTask
    from cmek_audit.run.judging import Judged
    from cmek_audit.run.option_values import Options
    from cmek_audit.run.preparation import Prepared
    from inventory.model.organization import Organization

RULES = load_rules()
SERIAL = ExecutorSetting("serial", 2)
PROCESSES = ExecutorSetting("processes", 2)
CAPTURED = moment("2026-11-20T02:00:00Z")


class Audited(NamedTuple):
    """What an audit came to: all that its record is made of, and its two files of lines."""

    groups: list[object]
    state: list[object]
    findings: bytes
    population: bytes


def save_fleet(
    folder: Path,
    organizations: Sequence[Organization],
    captured: datetime = CAPTURED,
    name: str = "fleet",
) -> str:
    """Write ``organizations`` as a file of lines; return its path."""
    counts: Counter[str] = Counter(organizations=len(organizations))
    for one in organizations:
        for field in ("keys", "databases", "region_views"):
            counts[field] += len(getattr(one, field) or ())
    lines = [line for one in organizations for line in organization_lines(one)]
    text = "".join([head_line(captured), *lines, end_line(counts)])
    return write_text(folder / f"{name}.ndjson", text)


def options_of(folder: Path, inventory: str, **over: object) -> Options:
    """Return the options of an audit of ``inventory``."""
    given = {"inventory": (inventory,), "as_of": AS_OF, "report_dir": str(folder / "r")}
    return parse_options(given | over)


def audited(folder: Path, options: Options) -> Audited:
    """Judge in one process, as an audit does without shards."""
    folder.mkdir()
    prepared = prepare(options)
    recorder = Recorder(folder, prepared.setup.context)
    return _all_of(judge(prepared, recorder), recorder, folder)


def in_shards(
    folder: Path,
    options: Options,
    setting: ExecutorSetting = SERIAL,
    order: Callable[[list[int]], Iterable[int]] = iter,
    work: Callable[[ShardTask], bool] = judge_shard,
) -> Audited:
    """Judge in shards, which end in the ``order`` that is given."""
    folder.mkdir()
    prepared = prepare(options)
    shards = sharded(folder, prepared, setting.jobs)
    recorder = Recorder(folder, prepared.setup.context)
    tally = FindingTally(terms_of(prepared.setup), prepared.setup.criteria.rules, recorder)
    try:
        numbers = order(list(shards.judge(setting, work=work)))
        shards.put_together(numbers, prepared.inventory, recorder, tally)
        return _all_of(sum_up(prepared, tally), recorder, folder)
    finally:
        recorder.abort()


def sharded(folder: Path, prepared: Prepared, jobs: int) -> ShardedAudit:
    """Divide an audit into shards, which are put into ``folder``."""
    split = prepared.inventory.split(jobs)
    assert split is not None
    return ShardedAudit(split, terms_of(prepared.setup), ShardPlace(folder), folder)


def _all_of(judged: Judged, recorder: Recorder, folder: Path) -> Audited:
    files, names = recorder.close(), recorder.population.names
    aggregates = recorder.aggregates
    state: list[object] = [
        *(judged.sources, judged.grouping, judged.waivers, judged.changes, files),
        recorder.population.summary(judged.sources),
        recorder.population.attestations(judged.setup.context.as_of),
        aggregates.actions(names),
        aggregates.coverage(names),
        aggregates.key_plan(aggregates.coverage(names)),
        aggregates.not_evaluated(),
        aggregates.passes_by_kind(),
        aggregates.stopping(judged.setup.gate),
        list(aggregates.by_rule.items()),
    ]
    groups: list[object] = [
        (rule, group.label, group.text(), group.properties(), group.open_in)
        for rule, some in judged.groups.items()
        for group in some
    ]
    lines = ((folder / file["file"]).read_bytes() for file in files)
    return Audited(groups, state, *lines)


def findings_of(audit: Audited) -> list[dict[str, Any]]:
    """Return the findings as they were written."""
    return [json.loads(line) for line in audit.findings.splitlines()]


# --- work that goes wrong -------------------------------------------------------------------------


def die_at_second(task: ShardTask) -> bool:
    """End the process that judges the second shard, always."""
    if task.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return judge_shard(task)


def die_once(task: ShardTask) -> bool:
    """End the process that judges the second shard, the first time."""
    marker = Path(task.folder) / "died"
    if task.number == 2 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return judge_shard(task)


def run_out_of_memory(task: ShardTask) -> bool:
    """Fail as a process does that gets no more memory."""
    if task.number == 2:
        raise MemoryError
    return judge_shard(task)
