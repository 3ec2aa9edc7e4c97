"""One audit, from its options to its files."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.engine.catalogue import load_rules, rules_hash
from checks.engine.context import Context, utc
from checks.engine.controls import DEFAULT, read_controls
from checks.engine.evaluation import evaluate
from checks.engine.grouping import Grouping
from checks.engine.outcome import Gate
from checks.engine.waivers import WaiverBook, read_waivers
from cmek_audit import install_location
from cmek_audit.run import overwritten_inputs
from cmek_audit.run.provenance import version_of
from cmek_audit.run.report_folder import REPLACED, ReportFolder
from inventory.errors import InventoryError, LeakError, Problem, SettingError
from inventory.files.named_plans import parse_plan
from inventory.history import History, check_folders, read_history
from inventory.inventory import Inventory
from inventory.system.garbage_collection import collector_paused
from inventory.system.paths import normalize_path, sorted_paths
from inventory.terraform.organizations import parse_organizations
from inventory.terraform.source import SourceTree
from inventory.text.secrets import refuse_leaks
from reports.comparison.baseline import read_baseline, refuse_unfit
from reports.comparison.changes import Changes
from reports.formats.registry import PAGE, write_rendered
from reports.record.layout import FINDINGS, HEAD, POPULATION, canonical
from reports.record.recorder import Recorder
from reports.record.writer import TOOL, GivenFile, InputFiles, RecordInput, Settings, build_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from checks.engine.finding import Finding
    from cmek_audit.run.option_values import Options
    from inventory.astra.collector import Progress
    from inventory.model.sources import Source
    from inventory.terraform.organizations import TerraformSettings
    from inventory.text.secrets import Token
    from reports.comparison.baseline import Baseline
    from reports.model.head import Head, Provenance, Run

EXAMPLES = install_location.folder() / "inventory" / "examples"


class Audit:
    """An audit that has read all it needs and judged once.

    Attributes:
        options: the options it was made with.
        context: what the judges are told.
        grouping: the findings, grouped for pytest.
        head: the record's head, once ``conclude`` has made it; None again if it cannot be written.
        sources: every file that was read.
        keep: whether a record is to be written.
        baseline: the earlier audit with which this one is compared; None if none was given.
        rows_seen: how many rows the table of results was offered.
        tokens: the tokens of a live audit, which must never be written or printed.
    """

    def __init__(
        self,
        options: Options,
        *,
        keep: bool = True,
        folder: ReportFolder | None = None,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """Read waivers, history and inventory, and judge; ``keep`` the findings for a record.

        The record goes to ``folder``, by default to the one that the options name. A live audit
        first records its inventory, and ``tell``s how far that is.

        Raises InputError if a file cannot be used; nothing is left behind then.
        """
        self.options = options
        self._tell = tell
        self.head: Head | None = None
        self.sources: Sequence[Source] = ()
        self.keep = keep
        self.rows_seen = 0
        self._started = datetime.now(UTC)
        self._recorder: Recorder | None = None
        self.tokens: Sequence[Token] = ()
        self.baseline: Baseline | None = None
        self._changes: Changes | None = None
        self._folder = (folder or begin_report(options)) if keep else None
        with self._all_or_nothing():
            self._read(options)

    def _read(self, options: Options) -> None:
        self._rules = load_rules()
        ids = [rule.card.id for rule in self._rules]
        controls = Path(options.controls) if options.controls else DEFAULT
        self._controls = read_controls(controls, ids)
        self._is_default = not (options.inventory or options.live)
        self.options = options = _with_example(options) if self._is_default else options
        self._waivers = [] if options.no_waivers else read_waivers(options.waivers, ids)
        self.baseline = read_baseline(options.baseline) if options.baseline else None
        self._given = _given(options, self.baseline)
        self.options = options = self._collect(options)
        history = read_history(options.history, options.inventory)
        self._terraform = terraform_of(options)
        inventory = self._inventory(options)
        self._given = self._given._replace(terraform_files=_parsed(self._terraform))
        as_of = options.as_of or (inventory.captured_at if inventory.is_example else None)
        self._is_example = inventory.is_example
        now = datetime.now(UTC) if options.live else self._started
        known = self.baseline.organizations() if self.baseline else {}
        self.context = Context(as_of or now, options.oldest, options.kms, history, known)
        _refuse_later(history, inventory.captured_at or self.context.as_of)
        if self.baseline:
            refuse_unfit(self.baseline.about, self.context.as_of, is_example=inventory.is_example)
        self.gate = Gate(options.fail_on, options.allow_inconclusive, options.fail_on_new)
        self.grouping, self._book = self._judge(inventory)

    def _inventory(self, options: Options) -> Inventory:
        return Inventory(options.inventory, options.plan, self._terraform, options.state)

    def _collect(self, options: Options) -> Options:
        """Record what is to be read live, and go on with that record as with any other."""
        if options.live is None:
            return options
        from inventory.astra.collector import collect  # noqa: PLC0415 (a recorded audit needs no HTTP)
        from inventory.astra.config import read_organizations  # noqa: PLC0415

        check_folders(options.history)
        wanted = read_organizations(options.live)
        collected = collect(wanted, options.evidence_dir, on_progress=self._tell)
        self.tokens = collected.tokens
        files = sorted_paths((*options.inventory, collected.bundle))
        return options.model_copy(update={"inventory": files})

    def settled(self) -> dict[str, Any]:
        """Return the options by which another process judges the very same."""
        hours = int(self.context.max_age.total_seconds() // 3_600)
        files = ("inventory", "plan", "state", "terraform_organization", "history", "waivers")
        return {
            **{name: list(getattr(self.options, name)) for name in files},
            "as_of": self.context.as_of.isoformat(),
            "max_age": f"{hours}h",
            "baseline": self.options.baseline,
            "fail_on_new": self.options.fail_on_new,
            "live": None,
            "terraform_source": self.options.terraform_source,
        }

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written so far; nothing is left that looks like an audit."""
        self.head = None
        self._stop_recording()
        if self._folder is not None:
            self._folder.close()

    def _stop_recording(self) -> None:
        if self._recorder is not None:
            self._recorder.abort()
            self._recorder = None

    def _judge(
        self, inventory: Inventory, wanted: Callable[[Finding], bool] | None = None
    ) -> tuple[Grouping, WaiverBook]:
        self._stop_recording()
        history = self.context.history
        recorder = self._recorder = Recorder(self._staging, history) if self._folder else None
        book = WaiverBook(self._waivers, self.context.as_of)
        changes = Changes(self.baseline, self.context.as_of) if self.baseline else None
        self._changes = changes
        cards = [rule.card for rule in self._rules]
        grouping = Grouping(cards, self.gate, self.options.group)

        def meet(organization: Any) -> None:  # noqa: ANN401 (an Organization)
            grouping.name(organization.id, organization.name)
            if recorder:
                recorder.add_organization(organization)
            if changes:
                changes.add_organization(organization)

        findings = evaluate(inventory.organizations(), self._rules, self.context, meet)
        findings = map(book.apply, findings) if self._waivers else findings
        findings = filter(wanted, findings) if wanted else findings
        with collector_paused():
            for judged in map(changes.classify, findings) if changes else findings:
                grouping.add(judged)
                if recorder:
                    recorder.add(judged)
        self.sources = (*inventory.sources, *self.context.history.sources)
        return grouping, book

    def write(self, settled: set[tuple[str, str]], run: Callable[[], Provenance]) -> Head:
        """Write the record and all reports that are made of it, and return the head.

        As ``conclude``, and then ``publish`` with what ``run`` returns.
        """
        with self._all_or_nothing():
            self.conclude(settled)
            return self.publish(run())

    def conclude(self, settled: set[tuple[str, str]]) -> Head:
        """Reach the verdict, and return the head but for its block ``run``.

        ``settled`` names the groups, by rule and key, that pytest has run: the findings of all
        others are left out, and the record says that it is partial.
        """
        left_out = self._left_out(settled)
        if left_out:
            self._judge_again(settled)
        assert self._recorder is not None  # noqa: S101 (an audit that is written was kept)
        settings = Settings(
            context=self.context,
            gate=self.gate,
            grouping=self.grouping.mode,
            is_example=self._is_example,
            is_default=self._is_default,
            left_out=left_out,
            mode="live" if self.options.live else "recorded",
            given=self._given,
        )
        rules = rules_hash(self._rules)
        changes = self._changes.summary(rules, left_out) if self._changes else None
        material = RecordInput(
            rules=self._rules,
            rules_hash=rules,
            controls=self._controls,
            sources=self.sources,
            waivers=self._book.states(),
            changes=changes,
            tool_version=version_of(TOOL),
        )
        self.head = build_head(self._recorder, settings, material)
        return self.head

    def publish(self, run: Provenance, others: Iterable[Path] = ()) -> Head:
        """Write the record with the block ``run``, and move the whole audit to its place.

        ``others`` are reports outside of the folder. Raises LeakError if a secret stands in any
        report, which is removed then, and OSError if the disk refuses; it is to be discarded then.
        """
        assert self.head is not None  # noqa: S101 (there is a verdict by now)
        whole: Run = {
            "started": utc(self._started),
            "ended": utc(datetime.now(UTC)),
            "formats": list(self.options.formats),
            **run,
        }
        head: Head = {**self.head, "run": whole}
        self._render(head)
        self._search(others)
        self._publish()
        self.head = head
        return head

    def publish_none(self, others: Iterable[Path] = ()) -> None:
        """Move pytest's own reports of a run without an audit to their place; as ``publish``."""
        self._stop_recording()
        for name in (FINDINGS, POPULATION):
            (self._staging / name).unlink(missing_ok=True)
        self._search(others)
        self._publish()

    def _publish(self) -> None:
        assert self._folder is not None  # noqa: S101 (an audit that is written was kept)
        self._folder.publish([each.name for each in self._staging.iterdir()])

    @property
    def _staging(self) -> Path:
        assert self._folder is not None  # noqa: S101 (as above)
        return self._folder.staging

    @property
    def page(self) -> str:
        """Return the path of what a person opens first."""
        name = PAGE if "html" in self.options.formats else HEAD
        return (Path(self.options.report_dir) / name).as_posix()

    def _render(self, head: Head) -> None:
        (self._staging / HEAD).write_text(canonical(head), encoding="ascii")
        write_rendered(self.options.formats, head, self._staging / FINDINGS, self._staging)

    def _search(self, others: Iterable[Path]) -> None:
        """Look for secrets in all reports; raise LeakError by the places they would have had."""
        try:
            refuse_leaks([*self._staging.iterdir(), *others], self.tokens)
        except LeakError as leak:
            for file in leak.files:
                file.unlink(missing_ok=True)
            raise LeakError(
                file.parent.with_name(file.name) if file.parent == self._staging else file
                for file in leak.files
            ) from None

    def _left_out(self, settled: set[tuple[str, str]]) -> str:
        groups = [group for each in self.grouping.groups().values() for group in each]
        missing = [group for group in groups if (group.card.id, group.key) not in settled]
        if not missing:
            return ""
        rules = ", ".join(sorted({group.card.id for group in missing}))
        return f"{len(missing):,} of {len(groups):,} groups of findings were not run, of {rules}"

    def _judge_again(self, settled: set[tuple[str, str]]) -> None:
        key = self.grouping.key
        inventory = self._inventory(self.options)
        _, self._book = self._judge(
            inventory, lambda finding: (finding.rule, key(finding)) in settled
        )


def begin_report(options: Options) -> ReportFolder:
    """Begin an audit in the report folder that ``options`` name; raise SettingError if it cannot.

    An input that would not stay where it is, as it lies in there, is refused before that.
    """
    path = Path(options.report_dir)
    if options.live and path.resolve() == Path(options.evidence_dir).resolve():
        expected = "another folder than that of the reports"
        raise SettingError(
            f"--cmek-evidence-dir: found {options.evidence_dir}, expected {expected}"
        )
    overwritten_inputs.refuse_overwritten_inputs(_inputs(options), path, REPLACED)
    return ReportFolder(path)


def _inputs(options: Options) -> Iterator[overwritten_inputs.GivenPath]:
    """Yield every path that an audit with ``options`` reads."""
    for name in ("inventory", "state", "history", "waivers"):
        yield from (overwritten_inputs.GivenPath(name, path) for path in getattr(options, name))
    yield from (
        overwritten_inputs.GivenPath("plan", parse_plan(plan).path) for plan in options.plan
    )
    for name in ("live", "baseline", "controls", "terraform-source", "evidence-dir"):
        path = getattr(options, name.replace("-", "_"))
        if path is not None:
            yield overwritten_inputs.GivenPath(name, path)


def terraform_of(options: Options) -> TerraformSettings:
    """Return what ``options`` tell about Terraform's files; raises SettingError."""
    told = parse_organizations(options.terraform_organization)
    if options.terraform_source is None:
        return told
    return told._replace(source=SourceTree(options.terraform_source))


def _refuse_later(history: History, present: datetime) -> None:
    problems = [
        Problem(file, line, "captured_at", utc(at), f"a time before {utc(present)}")
        for at, file, line in history.times()
        if at >= present
    ]
    if problems:
        raise InventoryError(problems)


def _given(options: Options, baseline: Baseline | None) -> InputFiles:
    """Name the files that were judged by, with their hashes, once they have been read."""
    waivers = () if options.no_waivers else tuple(map(_hashed, options.waivers))
    controls = _hashed(options.controls) if options.controls else None
    earlier = GivenFile(baseline.about.path, baseline.about.sha256) if baseline else None
    return InputFiles(
        waivers=waivers,
        controls=controls,
        no_waivers=options.no_waivers,
        baseline=earlier,
        terraform_organizations=options.terraform_organization,
        terraform_source=options.terraform_source,
    )


def _parsed(terraform: TerraformSettings) -> tuple[GivenFile, ...]:
    """Name the files of the configuration that were parsed, once the plans have been read."""
    files = terraform.source.files if terraform.source else {}
    return tuple(GivenFile(path, sha256) for path, sha256 in files.items())


def _hashed(path: str) -> GivenFile:
    return GivenFile(path, hashlib.sha256(Path(path).read_bytes()).hexdigest())


def _with_example(options: Options) -> Options:
    """Take the bundled example, with its plan, its history and its waivers.

    Raises SettingError for other files without an inventory: they are of somebody else.
    """
    for name in ("plan", "state", "history"):
        if getattr(options, name):
            expected = "--cmek-inventory or --cmek-live, as well"
            raise SettingError(f"--cmek-{name}: found no inventory beside it, expected {expected}")
    names = {"inventory": "acme", "plan": "acme-plan", "history": "acme-history"}
    names |= {} if options.waivers else {"waivers": "acme-waivers"}
    files = {
        name: (normalize_path(str(EXAMPLES / f"{file}.yaml")),) for name, file in names.items()
    }
    return options.model_copy(update=files)
