"""One audit in three steps: it is prepared, judged, and published as a whole."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import utc
from cmek_audit.execution.sharded import NotDivisibleError
from cmek_audit.execution.tally import Selection, group_id
from cmek_audit.run.judging import Judged, judge, judge_in_shards
from cmek_audit.run.overwritten_inputs import GivenPath, refuse_overwritten_inputs
from cmek_audit.run.preparation import prepare, reopen
from cmek_audit.run.provenance import version_of
from cmek_audit.run.report_folder import REPLACED, ReportFolder
from cmek_audit.signing.key_files import read_signing_key, refuse_key_inside
from cmek_audit.signing.signer import sign_report
from inventory.errors import LeakError, SettingError
from inventory.files.named_plans import parse_plan
from inventory.system.hosts import strange_hosts
from inventory.text.searched_files import SearchedFiles
from reports.comparison.trend import AuditKind, build_trend
from reports.formats.registry import PAGE, RENDERED, Format, write_rendered
from reports.page.organizations.links import links_before_verdict
from reports.presentation.selection import PageLimits
from reports.record.layout import HEAD, RECORD, canonical_blocks
from reports.record.recorder import Recorder
from reports.record.writer import TOOL, RecordInput, Settings, build_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from securesystemslib.signer import CryptoSigner

    from cmek_audit.execution.tally import GroupId
    from cmek_audit.run.option_values import Options
    from cmek_audit.run.preparation import Prepared
    from reports.model.head import Head, Provenance, Run
    from reports.model.trend import TrendEntry
    from reports.page.organizations.links import PageLinks


_SIGN_KEY = "--cmek-sign-key"
_SHARDS = ".shards"
"""The folder, inside the one in which an audit is written, in which its shards are written."""


class Draft(NamedTuple):
    """An audit that was judged, with its findings in a file that is not published yet.

    Attributes:
        judged: the audit.
        recorder: what writes its findings.
        folder: the report folder in which it is written.
        files: what searches for secrets in the files that are written there.
    """

    judged: Judged
    recorder: Recorder
    folder: ReportFolder
    files: SearchedFiles

    def discard(self) -> None:
        """Remove what was written so far; nothing is left that looks like an audit."""
        self.recorder.abort()
        self.folder.close()


class Published(NamedTuple):
    """An audit whose files are in their place."""

    judged: Judged
    head: Head


def run_audit(options: Options, describe_run: Callable[[Head], Provenance]) -> Published:
    """Make the audit that ``options`` ask for, and publish it; a failure leaves nothing behind.

    ``describe_run`` gets the head, and returns the record's block ``run``. Raises CmekAuditError,
    and OSError if the disk refuses.
    """
    with closing(begin_report(options)) as folder:
        draft = draft_audit(prepare(options), folder)
        head = conclude(draft, draft.judged.group_ids)
        return Published(draft.judged, publish(draft, head, describe_run(head)))


def begin_report(options: Options) -> ReportFolder:
    """Begin an audit in the report folder that ``options`` name; raise SettingError if it cannot.

    An input that the audit would move or remove, as it is a file of that folder, is refused first.
    """
    path = Path(options.report_dir)
    is_recording = options.live or options.asks_clouds
    if is_recording and path.resolve() == Path(options.evidence_dir).resolve():
        expected = "another folder than that of the reports"
        raise SettingError(
            f"--cmek-evidence-dir: found {options.evidence_dir}, expected {expected}"
        )
    refuse_overwritten_inputs(_inputs(options), path, REPLACED)
    return ReportFolder(path, _signer(options, path))


def _signer(options: Options, folder: Path) -> CryptoSigner | None:
    """Return what the audit is signed with, if it is; raise SettingError if that cannot be used.

    The key is read before the audit begins: one that cannot be used must not cost a whole night.
    """
    if options.sign_key is None:
        return None
    refuse_key_inside(options.sign_key, folder, _SIGN_KEY)
    return read_signing_key(options.sign_key, _SIGN_KEY)


def _inputs(options: Options) -> Iterator[GivenPath]:
    """Yield every path that an audit with ``options`` reads."""
    for name in ("inventory", "state", "history", "waivers"):
        yield from (GivenPath(name, path) for path in getattr(options, name))
    yield from (GivenPath("plan", parse_plan(plan).path) for plan in options.plan)
    for name in ("live", "clouds", "baseline", "controls", "terraform-source", "evidence-dir"):
        path = getattr(options, name.replace("-", "_"))
        if path is not None:
            yield GivenPath(name, path)


def draft_audit(
    prepared: Prepared, folder: ReportFolder, selection: Selection | None = None
) -> Draft:
    """Judge, and write the findings as they come into ``folder``; as ``judge``."""
    options = prepared.setup.options
    if options.judged_on.kind != "serial" or options.shard_dir:
        with suppress(NotDivisibleError):
            return _draft_in_shards(prepared, folder, selection)
    with _recording(prepared, folder) as (recorder, files):
        return Draft(judge(prepared, recorder, selection), recorder, folder, files)


def _draft_in_shards(
    prepared: Prepared, folder: ReportFolder, selection: Selection | None
) -> Draft:
    scratch = folder.staging / _SHARDS
    scratch.mkdir()
    try:
        with _recording(prepared, folder) as (recorder, files):
            judged = judge_in_shards(prepared, recorder, scratch, selection)
            return Draft(judged, recorder, folder, files)
    finally:
        # Renamed first: a worker that was given up but still runs writes nothing into it any more.
        shutil.rmtree(scratch.rename(f"{scratch}.removed"))


@contextmanager
def _recording(
    prepared: Prepared, folder: ReportFolder
) -> Iterator[tuple[Recorder, SearchedFiles]]:
    """Provide what writes the findings, closed if the audit comes to nothing, and its files."""
    files = SearchedFiles(prepared.setup.tokens)
    recorder = Recorder(folder.staging, prepared.setup.context, files.watch)
    try:
        yield recorder, files
    except BaseException:
        recorder.abort()
        raise


# --- the verdict ----------------------------------------------------------------------------------


def conclude(draft: Draft, finished: AbstractSet[GroupId]) -> Head:
    """Reach the verdict, and return the head without its block ``run``.

    ``finished`` are the groups that pytest has run. If they are not all, the inventory is judged
    again without the findings of all others, and the record says that it is partial.
    """
    judged = draft.judged
    if left_out := _left_out(judged, finished):
        draft.recorder.abort()
        selection = Selection(finished, judged.grouping, left_out)
        draft = draft_audit(reopen(judged.setup), draft.folder, selection)
    return _head(draft)


def _left_out(judged: Judged, finished: AbstractSet[GroupId]) -> str:
    """Say which groups were not run; empty if all were."""
    groups = list(judged.all_groups())
    missing = [group for group in groups if group_id(group) not in finished]
    if not missing:
        return ""
    rules = ", ".join(sorted({group.card.id for group in missing}))
    return f"{len(missing):,} of {len(groups):,} groups of findings were not run, of {rules}"


def _head(draft: Draft) -> Head:
    judged, setup, criteria = draft.judged, draft.judged.setup, draft.judged.setup.criteria
    settings = Settings(
        context=setup.context,
        gate=setup.gate,
        grouping=judged.grouping,
        is_example=setup.is_example,
        is_default=setup.is_default,
        left_out=judged.left_out,
        mode="live" if setup.options.live else "recorded",
        given=setup.input_files,
        frameworks=setup.options.framework,
        kms=",".join(setup.options.kms),
    )
    material = RecordInput(
        rules=criteria.rules,
        rules_hash=criteria.rules_hash,
        controls=criteria.controls,
        sources=judged.sources,
        waivers=judged.waivers,
        changes=judged.changes,
        trend=_trend(draft),
        tool_version=version_of(TOOL),
    )
    try:
        return build_head(draft.recorder, settings, material)
    finally:
        draft.recorder.abort()


def _trend(draft: Draft) -> list[TrendEntry]:
    """Return the earlier audits that this one continues, of the history and of the baseline."""
    setup, criteria = draft.judged.setup, draft.judged.setup.criteria
    compared = criteria.baseline.earlier if criteria.baseline else None
    earlier = (*criteria.earlier, compared) if compared else criteria.earlier
    kind = AuditKind(
        is_example=setup.is_example,
        is_of_astra=not strange_hosts(
            source.evidence for source in draft.judged.sources if source.evidence
        ),
        organizations=draft.recorder.population.names.keys(),
    )
    return build_trend(earlier, setup.context.as_of, kind)


# --- the files ------------------------------------------------------------------------------------


def publish(draft: Draft, head: Head, run: Provenance, others: Iterable[Path] = ()) -> Head:
    """Write the record with the block ``run``, and move the whole audit to its place.

    ``others`` are reports outside of the folder. Raises LeakError if a secret is in any report,
    which is removed then, and OSError if the disk refuses; the draft is to be discarded then.
    """
    setup = draft.judged.setup
    whole_run: Run = {
        "started": utc(setup.started),
        "ended": utc(datetime.now(UTC)),
        "formats": list(setup.options.formats),
        **run,
    }
    complete: Head = {**head, "run": whole_run}
    _render(complete, draft)
    _publish_staged(draft, others)
    return complete


def publish_without_audit(draft: Draft, others: Iterable[Path] = ()) -> None:
    """Move pytest's own reports of a run without an audit to their place; as ``publish``."""
    draft.recorder.abort()
    for name in RECORD:
        (draft.folder.staging / name).unlink(missing_ok=True)
    _publish_staged(draft, others)


def first_page(options: Options) -> str:
    """Return the path of what a person opens first."""
    name = PAGE if "html" in options.formats else HEAD
    return (Path(options.report_dir) / name).as_posix()


def without_file(options: Options) -> list[Format]:
    """Return the formats that were asked for, and of which this audit has nothing to write."""
    folder = Path(options.report_dir)
    asked = (row for row in RENDERED if row.no_file and row.name in options.formats)
    return [row for row in asked if not (folder / row.place).exists()]


def links_from(draft: Draft) -> PageLinks | None:
    """Return the links of pytest's reports into the pages for auditors; None if none is written."""
    if "html" not in draft.judged.setup.options.formats:
        return None
    return links_before_verdict(draft.recorder.population.names, PageLimits().fleet)


def _render(head: Head, draft: Draft) -> None:
    staging, formats = draft.folder.staging, draft.judged.setup.options.formats
    draft.files.write(staging / HEAD, canonical_blocks(head))
    write_rendered(formats, head, staging, draft.files.write)


def _publish_staged(draft: Draft, others: Iterable[Path]) -> None:
    """Publish all that is in the staging folder, if no report holds a secret; sign an audit."""
    folder, staged = draft.folder, draft.folder.staging
    try:
        draft.files.refuse_leaks([*sorted(staged.rglob("*")), *others])
    except LeakError as leak:
        for file in leak.files:
            file.unlink(missing_ok=True)
        # Name the place that a report would have had: the staging folder is gone by then.
        raise LeakError(
            folder.path / file.relative_to(staged) if file.is_relative_to(staged) else file
            for file in leak.files
        ) from None
    if folder.signer and (staged / HEAD).exists():
        sign_report(staged, folder.signer)
    folder.publish([entry.name for entry in staged.iterdir()])
