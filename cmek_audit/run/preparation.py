"""The first step of an audit: all that it needs is read, before anything is judged."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.catalogue import load_rules, rules_hash
from checks.engine.context import Context, utc
from checks.engine.controls import DEFAULT, find_frameworks, read_controls
from checks.engine.outcome import Gate
from checks.engine.waivers import read_waivers
from cmek_audit import install_location
from cmek_audit.collection import record
from inventory.errors import InventoryError, Problem, SettingError
from inventory.files.suggestions import did_you_mean
from inventory.history import read_history
from inventory.history_files import find_reports
from inventory.inventory import Inventory
from inventory.system.paths import normalize_path
from inventory.terraform.organizations import parse_organizations
from inventory.terraform.source import SourceTree
from reports.comparison.baseline import read_baseline, refuse_unfit
from reports.comparison.trend import read_earlier
from reports.record.writer import GivenFile, InputFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.engine.catalogue import Rule
    from checks.engine.controls import Controls
    from checks.engine.waivers import Waiver
    from cmek_audit.run.option_values import Options
    from inventory.astra.collector import Progress
    from inventory.history import History
    from inventory.terraform.organizations import TerraformSettings
    from inventory.text.secrets import Secret
    from reports.comparison.baseline import Baseline
    from reports.comparison.trend import EarlierAudit

EXAMPLES = install_location.folder() / "inventory" / "examples"


class Criteria(NamedTuple):
    """What an audit judges by, beside the inventory.

    Attributes:
        rules: every rule, by the order of their ids.
        rules_hash: the hash of the rules and of the inventory's code; equal hashes judge alike.
        controls: the controls of other frameworks, by rule.
        waivers: every waiver; none if the audit leaves them out.
        baseline: the earlier audit with which this one is compared; None if none was given.
        earlier: the earlier audits among the files of the history.
    """

    rules: tuple[Rule, ...]
    rules_hash: str
    controls: Controls
    waivers: tuple[Waiver, ...]
    baseline: Baseline | None
    earlier: tuple[EarlierAudit, ...]


class AuditSetup(NamedTuple):
    """How an audit is made: everything but its inventory.

    Attributes:
        options: the options, with the files of the example or of a live audit filled in.
        started: when the audit began (UTC).
        criteria: what it judges by.
        input_files: the files that are no source of facts, with their hashes.
        context: what the rules know beside an organization.
        gate: which open findings stop.
        is_example: whether only bundled examples are audited.
        is_default: whether no inventory was given, so that the bundled example is audited.
        tokens: the tokens of Astra, and the credentials of clouds, that the audit has used: they
            must never be written or printed.
    """

    options: Options
    started: datetime
    criteria: Criteria
    input_files: InputFiles
    context: Context
    gate: Gate
    is_example: bool
    is_default: bool
    tokens: tuple[Secret, ...]


class Prepared(NamedTuple):
    """An audit that is ready to judge.

    The inventory is apart from the setup, so that it can be freed once it has been judged.
    """

    setup: AuditSetup
    inventory: Inventory


def prepare(options: Options, on_progress: Callable[[Progress], None] = lambda _: None) -> Prepared:
    """Read criteria, history and inventory; what asks Astra or a cloud is first recorded.

    ``on_progress`` learns how far the recording is. Raises InputError if a file cannot be used, and
    SettingError if the options do not fit together.
    """
    started = datetime.now(UTC)
    is_default = not (options.inventory or options.live)
    criteria, options = _read_criteria(options, is_default=is_default)
    # Before anything live is collected: a file that changes meanwhile is not the one judged by.
    input_files = _describe_inputs(options, criteria)
    recorded = record(options, terraform_of(options), on_progress)
    options = recorded.options
    history = read_history(options.history, options.inventory)
    terraform = terraform_of(options)
    inventory = _open_inventory(options, terraform)
    _refuse_unused_source(options, inventory)
    # The age of what was collected counts from now, not from before it was collected.
    now = datetime.now(UTC) if recorded.is_new else started
    context = _context(options, inventory, history, criteria.baseline, now)
    setup = AuditSetup(
        options=options,
        started=started,
        criteria=criteria,
        input_files=input_files._replace(terraform_files=_parsed_files(terraform)),
        context=context,
        gate=Gate(options.fail_on, options.allow_inconclusive, options.fail_on_new),
        is_example=inventory.is_example,
        is_default=is_default,
        tokens=recorded.tokens,
    )
    return Prepared(setup, inventory)


def reopen(setup: AuditSetup) -> Prepared:
    """Open the inventory of an earlier preparation once more, to judge it again."""
    return Prepared(setup, _open_inventory(setup.options, terraform_of(setup.options)))


def reproducing_options(setup: AuditSetup) -> dict[str, Any]:
    """Return the options by which another process judges the same, and asks no server."""
    hours = int(setup.context.max_age.total_seconds() // 3_600)
    files = ("inventory", "plan", "state", "terraform_organization", "history", "waivers")
    return {
        **{name: list(getattr(setup.options, name)) for name in files},
        "as_of": setup.context.as_of.isoformat(),
        "max_age": f"{hours}h",
        "baseline": setup.options.baseline,
        "fail_on_new": setup.options.fail_on_new,
        "live": None,
        "clouds": None,
        "kms": setup.context.kms,
        "terraform_source": setup.options.terraform_source,
        "jobs": None,
        "shard_dir": None,
        "shard": None,
        "sign_key": None,
    }


def repeating_options(setup: AuditSetup) -> dict[str, Any]:
    """Return the options by which somebody else makes the same audit, each as it can be given."""
    options = setup.options
    lists = ("inventory", "plan", "state", "terraform_organization", "history", "waivers")
    texts = ("terraform_source", "baseline", "fail_on", "group", "controls")
    flags = ("fail_on_new", "no_waivers", "allow_inconclusive")
    hours = int(setup.context.max_age.total_seconds() // 3_600)
    given = {
        **{name: list(getattr(options, name)) for name in (*lists, "framework")},
        **{name: getattr(options, name) for name in (*texts, *flags)},
        "as_of": setup.context.as_of.isoformat(),
        "max_age": f"{hours}h",
        "kms": setup.context.kms,
        "rotation_days": str(options.rotation_days) if options.rotation_days else None,
    }
    return {name: value for name, value in given.items() if value}


def terraform_of(options: Options) -> TerraformSettings:
    """Return what ``options`` say about Terraform's files; raises SettingError."""
    terraform = parse_organizations(options.terraform_organization)
    if options.terraform_source is None:
        return terraform
    return terraform._replace(source=SourceTree(options.terraform_source))


def _read_criteria(options: Options, *, is_default: bool) -> tuple[Criteria, Options]:
    """Read what is judged by; return it with the options, in which the example is filled in."""
    rules = load_rules()
    rule_ids = [rule.card.id for rule in rules]
    controls = read_controls(Path(options.controls) if options.controls else DEFAULT, rule_ids)
    names = [framework.name for framework in controls.frameworks]
    options = options.model_copy(update={"framework": _chosen(options.framework, names)})
    if is_default:
        options = _with_example(options)
    waivers = () if options.no_waivers else tuple(read_waivers(options.waivers, rule_ids))
    baseline = read_baseline(options.baseline) if options.baseline else None
    earlier = _read_earlier(options, baseline)
    return Criteria(rules, rules_hash(rules), controls, waivers, baseline, earlier), options


def _read_earlier(options: Options, baseline: Baseline | None) -> tuple[EarlierAudit, ...]:
    """Read the audits that the history holds; the baseline, which may be large, only once."""
    known = {Path(baseline.about.path).resolve(): baseline.earlier} if baseline else {}

    def read(file: str) -> EarlierAudit:
        earlier = known.get(Path(file).resolve())
        return earlier._replace(path=file) if earlier else read_earlier(file)

    return tuple(map(read, find_reports(options.history)))


def _chosen(given: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the frameworks that are meant, in the order of the file; raises SettingError."""
    chosen: set[str] = set()
    for words in given:
        found = find_frameworks(words, names)
        if len(found) != 1:
            choices = ", ".join(map(repr, found or names))
            expected = f"one of {choices}" if choices else "a file of control ids with frameworks"
            hint = "" if found else did_you_mean(words, names)
            raise SettingError(f"--cmek-framework: found {words!r}, expected {expected}{hint}")
        chosen.update(found)
    return tuple(dict.fromkeys(name for name in names if name in chosen))


def _with_example(options: Options) -> Options:
    """Fill in the bundled example, with its plan, its history and its waivers.

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


def _refuse_unused_source(options: Options, inventory: Inventory) -> None:
    """Raise SettingError for a configuration of Terraform of which no plan is read."""
    plans = [source for source in inventory.sources if source.role == "plan"]
    if options.terraform_source and not any(source.format == "terraform-plan" for source in plans):
        expected = "a plan of Terraform among them, as 'terraform show -json' prints it"
        raise SettingError(
            f"--cmek-terraform-source: found only other plans in --cmek-plan, expected {expected}"
        )


def _open_inventory(options: Options, terraform: TerraformSettings) -> Inventory:
    return Inventory(options.inventory, options.plan, terraform, options.state)


def _context(
    options: Options,
    inventory: Inventory,
    history: History,
    baseline: Baseline | None,
    now: datetime,
) -> Context:
    """Return the context of the rules; refuse records that are not of an earlier time."""
    of_example = inventory.captured_at if inventory.is_example else None
    as_of = options.as_of or of_example or now
    _refuse_later(history, inventory.captured_at or as_of)
    context = Context(
        as_of, options.oldest, options.judged_kms, history, rotation_days=options.rotation_days
    )
    if baseline is None:
        return context
    refuse_unfit(baseline.about, as_of, is_example=inventory.is_example)
    return context._replace(baseline=baseline.organizations())


def _refuse_later(history: History, present: datetime) -> None:
    """Raise InventoryError with each record of the history that is not before ``present``."""
    problems = [
        Problem(file, line, "captured_at", utc(at), f"a time before {utc(present)}")
        for at, file, line in history.times()
        if at >= present
    ]
    if problems:
        raise InventoryError(problems)


# --- the files that are no source of facts --------------------------------------------------------


def _describe_inputs(options: Options, criteria: Criteria) -> InputFiles:
    """Name the files that the audit judges by, with their hashes, once they have been read."""
    baseline = criteria.baseline
    return InputFiles(
        waivers=() if options.no_waivers else tuple(map(_hashed, options.waivers)),
        controls=_hashed(options.controls) if options.controls else None,
        no_waivers=options.no_waivers,
        baseline=GivenFile(baseline.about.path, baseline.about.sha256) if baseline else None,
        history=tuple(GivenFile(audit.path, audit.sha256) for audit in criteria.earlier),
        terraform_organizations=options.terraform_organization,
        terraform_source=options.terraform_source,
    )


def _parsed_files(terraform: TerraformSettings) -> tuple[GivenFile, ...]:
    """Name the files of the configuration that were parsed, once the plans have been read."""
    files = terraform.source.files if terraform.source else {}
    return tuple(GivenFile(path, sha256) for path, sha256 in files.items())


def _hashed(path: str) -> GivenFile:
    return GivenFile(path, hashlib.sha256(Path(path).read_bytes()).hexdigest())
