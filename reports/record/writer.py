"""The head of a record: ``audit.json``.

It is canonical: the same evidence judged as of the same time gives the same bytes, but for the
block ``run``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from checks.engine.card import SEVERITIES
from checks.engine.context import utc
from checks.engine.controls import ControlText
from checks.engine.finding import OPEN, STATUSES
from inventory.system.hosts import foreign_hosts, other_hosts
from reports.aggregation.protection import total, total_of_kinds
from reports.record.evidence import describe_evidence
from reports.record.layout import SCHEMA, report_id
from reports.record.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.card import Severity
    from checks.engine.catalogue import Rule
    from checks.engine.context import Context
    from checks.engine.controls import Controls, Framework
    from checks.engine.finding import Status
    from checks.engine.grouping import Mode
    from checks.engine.outcome import Gate
    from checks.engine.waivers import State, Waiver
    from inventory.model.sources import Source
    from reports.aggregation.aggregates import Aggregates
    from reports.model.changes import ChangesSummary
    from reports.model.head import (
        AttestedShare,
        ControlInWords,
        Criteria,
        FrameworkEntry,
        Head,
        HeadBody,
        NamedFile,
        RuleEntry,
        SettingsEntry,
        StatusCounts,
        Verdict,
        WaiverEntry,
    )
    from reports.model.trend import TrendEntry
    from reports.record.recorder import Recorder

TOOL = "cmek-audit"


class GivenFile(NamedTuple):
    """A file that is no source of facts: its path, as it was given, and its SHA-256."""

    path: str
    sha256: str


class InputFiles(NamedTuple):
    """What an audit judged by beside the facts.

    Attributes:
        waivers: the files of waivers.
        controls: the file of control ids; None for the bundled one.
        no_waivers: whether waivers were left out on purpose.
        baseline: the head of the earlier audit with which it was compared.
        history: the heads of the earlier audits that were given as history.
        terraform_organizations: the organizations of Terraform's configurations, as given.
        terraform_source: the folder of the configuration; None if it was not given.
        terraform_files: the files of the configuration that were read.
    """

    waivers: tuple[GivenFile, ...] = ()
    controls: GivenFile | None = None
    no_waivers: bool = False
    baseline: GivenFile | None = None
    history: tuple[GivenFile, ...] = ()
    terraform_organizations: tuple[str, ...] = ()
    terraform_source: str | None = None
    terraform_files: tuple[GivenFile, ...] = ()


class Settings(NamedTuple):
    """How an audit was made, as its record states it.

    Attributes:
        context: what the rules were judged with.
        gate: which open findings stop a pipeline.
        grouping: which findings each pytest item answered for.
        is_example: whether only bundled examples were audited.
        is_default: whether no inventory was given, so that the bundled example was taken.
        left_out: what was not run of the whole, in words; empty if all was.
        mode: ``live`` if the inventory was recorded by this audit, else ``recorded``.
        given: the files it judged by.
        frameworks: the frameworks that the report shows; all if empty.
        kms: which clouds were asked, as the option states it; empty as the context.
    """

    context: Context
    gate: Gate
    grouping: Mode
    is_example: bool = False
    is_default: bool = False
    left_out: str = ""
    mode: Literal["live", "recorded"] = "recorded"
    given: InputFiles = InputFiles()
    frameworks: tuple[str, ...] = ()
    kms: str = ""


class RecordInput(NamedTuple):
    """What an audit rests on beside its findings.

    Attributes:
        rules: the rules.
        rules_hash: the hash of what judges.
        controls: the controls to which the rules give evidence.
        sources: every file that was read.
        waivers: every waiver, and what became of it.
        changes: what changed since the baseline; None if none was given.
        trend: the earlier audits, oldest first.
        tool_version: the version of this program.
    """

    rules: Sequence[Rule]
    rules_hash: str
    controls: Controls
    sources: Sequence[Source]
    waivers: Sequence[tuple[Waiver, State]]
    changes: ChangesSummary | None = None
    trend: Sequence[TrendEntry] = ()
    tool_version: str = ""


def build_head(recorder: Recorder, settings: Settings, material: RecordInput) -> Head:
    """Close ``recorder`` and return the head, without the block ``run``."""
    findings, population = recorder.close()
    aggregates = recorder.aggregates
    names = recorder.population.names
    coverage = aggregates.coverage(names)
    body: HeadBody = {
        "schema": SCHEMA,
        "title": "Customer-managed encryption keys in Astra: compliance audit",
        "tool": {"name": TOOL, "version": material.tool_version},
        "verdict": _verdict(aggregates, settings, material),
        "settings": _settings(settings),
        "counts": _by_status(aggregates.counts),
        "open": _open(aggregates),
        "protection": total(row["protection"] for row in coverage),
        "population": recorder.population.summary(material.sources),
        "evidence": describe_evidence(material.sources),
        "criteria": _criteria(material, aggregates),
        "actions": aggregates.actions(names),
        "actions_total": aggregates.action_count,
        "coverage": coverage,
        "key_plan": aggregates.key_plan(coverage),
        "changes": material.changes,
        "trend": list(material.trend),
        "not_evaluated": aggregates.not_evaluated(),
        "waivers": [_waiver(waiver, state) for waiver, state in material.waivers],
        "attestations": recorder.population.attestations(settings.context.as_of),
        "attested": _attested(aggregates),
        "evidence_kinds": {
            "passes": aggregates.passes_by_kind(),
            "databases": total_of_kinds(row["proven_by"] for row in coverage),
        },
        "findings": findings,
        "population_file": population,
    }
    return cast("Head", {"report": report_id(body), **body})


def _verdict(aggregates: Aggregates, settings: Settings, material: RecordInput) -> Verdict:
    rules = [rule.card.id for rule in material.rules]
    evidence = [source.evidence for source in material.sources if source.evidence]
    cloud_addresses = [address for one in evidence for address in one.cloud_addresses]
    return judge(
        aggregates,
        settings.gate,
        rules,
        left_out=settings.left_out,
        is_of_astra=not other_hosts(one.address for one in evidence),
        is_of_clouds=not foreign_hosts(cloud_addresses),
    )


def _settings(settings: Settings) -> SettingsEntry:
    context, gate, given = settings.context, settings.gate, settings.given
    return {
        "as_of": utc(context.as_of),
        "max_age_seconds": int(context.max_age.total_seconds()),
        "kms": settings.kms or context.kms,
        "rotation_days": context.rotation_days,
        "fail_on": gate.fail_on,
        "allow_inconclusive": gate.allow_inconclusive,
        "grouping": settings.grouping,
        "mode": settings.mode,
        "example": settings.is_example,
        "default_example": settings.is_default,
        "left_out": settings.left_out,
        "no_waivers": given.no_waivers,
        "waiver_files": list(map(_named, given.waivers)),
        "controls_file": _named(given.controls) if given.controls else None,
        "frameworks": list(settings.frameworks),
        "fail_on_new": gate.new_only,
        "baseline_file": _named(given.baseline) if given.baseline else None,
        "history_files": list(map(_named, given.history)),
        "terraform_organizations": list(given.terraform_organizations),
        "terraform_source": given.terraform_source,
        "terraform_files": list(map(_named, given.terraform_files)),
    }


def _named(file: GivenFile) -> NamedFile:
    return {"path": file.path, "sha256": file.sha256}


def _by_status(counts: Counter[Status]) -> StatusCounts:
    return {status: counts[status] for status in STATUSES}


def _open(aggregates: Aggregates) -> dict[Severity, int]:
    counts: Counter[Severity] = Counter()
    for (status, _, severity), count in aggregates.by_rule.items():
        if status in OPEN:
            counts[severity] += count
    return {severity: counts[severity] for severity in SEVERITIES}


def _criteria(material: RecordInput, aggregates: Aggregates) -> Criteria:
    counts = aggregates.by_status()
    return {
        "hash": material.rules_hash,
        "rules": [_rule(rule, material.controls, counts[rule.card.id]) for rule in material.rules],
        "frameworks": _frameworks(material.controls),
    }


def _frameworks(controls: Controls) -> list[FrameworkEntry]:
    return [
        {
            "name": framework.name,
            "not_shown": framework.not_shown,
            "controls": [_control(framework, identity) for identity in framework.ids],
        }
        for framework in controls.frameworks
    ]


def _control(framework: Framework, identity: str) -> ControlInWords:
    words = framework.controls.get(identity, ControlText())
    return {"id": identity, "title": words.title, "not_shown": words.not_shown}


def _rule(rule: Rule, controls: Controls, counts: Counter[Status]) -> RuleEntry:
    card = rule.card
    return {
        "id": card.id,
        "check": card.check,
        "title": card.title,
        "basis": card.basis,
        "severity": card.severity,
        "severity_planned": card.severity_planned,
        "subject": card.subject,
        "needs": list(card.needs),
        "causes": [{"cause": cause, "meaning": text} for cause, text in card.causes.items()],
        "rationale": card.rationale,
        "quotes": [
            {"sentence": quote.sentence, "page": quote.page, "heading": quote.heading}
            for quote in card.quotes
        ],
        "remediation": card.remediation,
        "no_subject": card.no_subject,
        "controls": [
            {"framework": name, "id": control.id, "strength": control.strength}
            for name, control in controls.of(card.id)
        ],
        "counts": _by_status(counts),
    }


def _attested(aggregates: Aggregates) -> AttestedShare:
    attested, passes = aggregates.attested, aggregates.by_status()
    databases, every = attested.databases
    return {
        "databases": {"attested": databases, "total": every},
        "passes": {
            rule: {"attested": attested.rules[rule], "total": passes[rule]["pass"]}
            for rule in sorted(attested.rules)
        },
        "people": attested.people_of_all,
    }


def _waiver(waiver: Waiver, state: State) -> WaiverEntry:
    # A test compares the fields of a waiver with those of the entry.
    fields = {**waiver.model_dump(mode="json"), "state": state}
    return cast("WaiverEntry", {**fields, "file": waiver.file, "line": waiver.line})
