"""The audit record: ``audit.json``, the head, and ``findings.ndjson``, one finding a line.

Both are canonical: the same evidence judged as of the same time gives the same bytes, but for the
head's block ``run``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quote
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from checks.engine.card import SEVERITIES
from checks.engine.context import utc
from checks.engine.finding import OPEN, STATUSES
from checks.engine.identity import finding_id
from inventory.astra.config import other_hosts
from reports.aggregation.aggregates import Aggregates
from reports.record.evidence import describe_evidence
from reports.record.population import Population
from reports.record.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from checks.engine.catalogue import Rule
    from checks.engine.context import Context
    from checks.engine.controls import Controls
    from checks.engine.finding import Finding
    from checks.engine.outcome import Gate
    from checks.engine.waivers import State, Waiver
    from inventory.model.base import SourceLocation
    from inventory.model.organization import Organization
    from inventory.model.sources import Source

SCHEMA = "cmek-audit-record/2"
HEAD = "audit.json"
FINDINGS = "findings.ndjson"


def encode_finding(finding: Finding) -> str:
    """Render a finding as its line: ASCII, keys in a fixed order, empty fields left out."""
    status, rule, severity, subject, cause, message, _, _, name, databases, existing, evidence = (
        finding[:12]
    )
    kind, path, organization, database_type, provider, region, database, key = subject
    scope = _encode_scope(organization, database_type, provider, region)
    own = f',"database":{quote(database)}' if database else ""
    own += f',"key":{quote(key)}' if key else ""
    told = f',"cause":{quote(cause)}' if cause else ""
    told += f',"name":{quote(name)}' if name else ""
    told += f',"message":{quote(message)}'
    if status != "pass":
        told += _encode_open(finding)
    if databases:
        told += f',"databases":{databases},"existing":{existing}'
    where = ",".join([f"[{_encode_place(place)}]" for place in evidence])
    return (
        f'{{"status":"{status}","rule":"{rule}","id":"{finding_id(rule, path, cause)}",'
        f'"severity":"{severity}","subject":{{"kind":"{kind}","path":"{path}",'
        f'{scope}{own}}}{told},"evidence":[{where}]}}'
    )


_known = lru_cache(maxsize=4_096)(quote)


def _encode_place(place: SourceLocation) -> str:
    told = f"{_known(place[0])},{place[1]}"
    return told if len(place) == 2 else f"{told},{quote(place[2])}"  # noqa: PLR2004 (with one)


@lru_cache(maxsize=4_096)
def _encode_scope(organization: str, database_type: str, provider: str, region: str) -> str:
    fields = {"type": database_type, "provider": provider, "region": region}
    told = "".join(f',"{name}":{quote(value)}' for name, value in fields.items() if value)
    return f'"organization":{quote(organization)}{told}'


def _encode_open(finding: Finding) -> str:
    fields = {"reason": finding.reason, "action": finding.action, "waiver": finding.waiver}
    told = "".join(f',"{name}":{quote(value)}' for name, value in fields.items() if value)
    if finding.change:
        told += f',"change":"{finding.change}","since":"{finding.since}","audits":{finding.audits}'
    return told


class Recorder:
    """Writes findings as they come, and adds up what the head and the reports say of them all."""

    def __init__(self, folder: Path) -> None:
        """Open the file of findings in ``folder``, which must exist and be the recorder's own."""
        self.aggregates = Aggregates()
        self.population = Population()
        self._hash = hashlib.sha256()
        self._size = 0
        self._waiting: list[str] = []
        self._file: IO[bytes] = (folder / FINDINGS).open("wb")

    def add_organization(self, organization: Organization) -> None:
        """Take note of an organization of which findings will come."""
        self.population.add(organization)
        self.aggregates.add_organization(organization)

    def add(self, finding: Finding) -> None:
        """Write ``finding``."""
        self.aggregates.add(finding)
        self._waiting.append(encode_finding(finding))
        if len(self._waiting) >= 2_000:  # noqa: PLR2004 (about a megabyte)
            self._flush()

    def close(self) -> dict[str, Any]:
        """Finish the file; return its name, hash, size in bytes, and number of findings."""
        self._flush()
        self._file.close()
        return {
            "file": FINDINGS,
            "sha256": self._hash.hexdigest(),
            "bytes": self._size,
            "count": sum(self.aggregates.counts.values()),
        }

    def stop(self) -> None:
        """Close the file as it is; for findings that nobody wants any more."""
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            raw = ("\n".join(self._waiting) + "\n").encode("ascii")
            self._hash.update(raw)
            self._size += len(raw)
            self._file.write(raw)
            self._waiting.clear()


class GivenFile(NamedTuple):
    """A file that is no source of facts: its path, as it was given, and its SHA-256."""

    path: str
    sha256: str


class InputFiles(NamedTuple):
    """What an audit judged by beside the facts.

    Attributes:
        waivers: the files of waivers.
        controls: the file of control ids; None for the bundled one.
        no_waivers: whether it was told to judge as if there were no waivers.
        baseline: the head of the earlier audit with which it was compared.
        terraform_organizations: whose Terraform's configurations are, as it was told.
        terraform_source: the folder of the configuration; None if it was not given.
        terraform_files: the files of the configuration in which it looked.
    """

    waivers: tuple[GivenFile, ...] = ()
    controls: GivenFile | None = None
    no_waivers: bool = False
    baseline: GivenFile | None = None
    terraform_organizations: tuple[str, ...] = ()
    terraform_source: str | None = None
    terraform_files: tuple[GivenFile, ...] = ()


class Settings(NamedTuple):
    """How an audit was made, as its record states it.

    Attributes:
        context: what the judges were told.
        gate: which open findings stop.
        grouping: which findings each pytest item answered for.
        is_example: whether only bundled examples were audited.
        is_default: whether no inventory was given, so that the bundled example was taken.
        left_out: what was not run of the whole, in words; empty if all was.
        mode: ``live`` if the inventory was recorded by this audit, else ``recorded``.
        given: the files it judged by.
    """

    context: Context
    gate: Gate
    grouping: str
    is_example: bool = False
    is_default: bool = False
    left_out: str = ""
    mode: str = "recorded"
    given: InputFiles = InputFiles()


class RecordInput(NamedTuple):
    """What an audit rests on beside its findings; ``changes`` as the record states them."""

    rules: Sequence[Rule]
    rules_hash: str
    controls: Controls
    sources: Sequence[Source]
    waivers: Sequence[tuple[Waiver, State]]
    changes: dict[str, Any] | None = None


def build_head(recorder: Recorder, settings: Settings, material: RecordInput) -> dict[str, Any]:
    """Close ``recorder`` and return the head, without the block ``run``."""
    findings = recorder.close()
    aggregates = recorder.aggregates
    counts = aggregates.counts
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "title": "Customer-managed encryption keys in Astra: compliance audit",
        "verdict": _verdict(aggregates, settings, material),
        "settings": _settings(settings),
        "counts": {status: counts[status] for status in STATUSES},
        "open": _open(aggregates),
        "population": recorder.population.summary(material.sources),
        "evidence": describe_evidence(material.sources),
        "criteria": _criteria(material, aggregates),
        "actions": aggregates.actions(recorder.population.names),
        "actions_total": aggregates.action_count,
        "coverage": aggregates.coverage(recorder.population.names),
        "key_plan": aggregates.key_plan(recorder.population.names),
        "changes": material.changes,
        "not_evaluated": aggregates.not_evaluated(),
        "waivers": [_waiver(waiver, state) for waiver, state in material.waivers],
        "attestations": recorder.population.attestations(settings.context.as_of),
        "findings": findings,
    }
    return {"report": report_id(body), **body}


def report_id(body: Mapping[str, Any]) -> str:
    """Return the hash of a head without ``run`` and ``report``: it names what was found."""
    kept = {name: value for name, value in body.items() if name not in {"run", "report"}}
    return hashlib.sha256(canonical(kept).encode("ascii")).hexdigest()


def canonical(data: object) -> str:
    """Render ``data`` as JSON in one fixed way."""
    return json.dumps(data, ensure_ascii=True, indent=1, sort_keys=False) + "\n"


def _verdict(aggregates: Aggregates, settings: Settings, material: RecordInput) -> dict[str, Any]:
    rules = [rule.card.id for rule in material.rules]
    addresses = [source.evidence.address for source in material.sources if source.evidence]
    return judge(
        aggregates,
        settings.gate,
        rules,
        left_out=settings.left_out,
        is_of_astra=not other_hosts(addresses),
    )


def _settings(settings: Settings) -> dict[str, Any]:
    context, gate, given = settings.context, settings.gate, settings.given
    return {
        "as_of": utc(context.as_of),
        "max_age_seconds": int(context.max_age.total_seconds()),
        "kms": context.kms,
        "fail_on": gate.fail_on,
        "allow_inconclusive": gate.allow_inconclusive,
        "grouping": settings.grouping,
        "mode": settings.mode,
        "example": settings.is_example,
        "default_example": settings.is_default,
        "left_out": settings.left_out,
        "no_waivers": given.no_waivers,
        "waiver_files": [waiver._asdict() for waiver in given.waivers],
        "controls_file": given.controls and given.controls._asdict(),
        "fail_on_new": gate.new_only,
        "baseline_file": given.baseline and given.baseline._asdict(),
        "terraform_organizations": list(given.terraform_organizations),
        "terraform_source": given.terraform_source,
        "terraform_files": [terraform_file._asdict() for terraform_file in given.terraform_files],
    }


def _open(aggregates: Aggregates) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (status, _, severity), count in aggregates.by_rule.items():
        if status in OPEN:
            counts[severity] += count
    return {severity: counts[severity] for severity in SEVERITIES}


def _criteria(material: RecordInput, aggregates: Aggregates) -> dict[str, Any]:
    return {
        "hash": material.rules_hash,
        "rules": [_rule(rule, material.controls, aggregates) for rule in material.rules],
    }


def _rule(rule: Rule, controls: Controls, aggregates: Aggregates) -> dict[str, Any]:
    card = rule.card
    counts: Counter[str] = Counter()
    for (status, each, _), count in aggregates.by_rule.items():
        counts[status] += count if each == card.id else 0
    return {
        **card.model_dump(mode="json"),
        "causes": [{"cause": cause, "meaning": text} for cause, text in card.causes.items()],
        "controls": [
            {"framework": name, "id": control.id, "strength": control.strength}
            for name, control in controls.of(card.id)
        ],
        "counts": {status: counts[status] for status in STATUSES},
    }


def _waiver(waiver: Waiver, state: State) -> dict[str, Any]:
    where = {"file": waiver.file, "line": waiver.line}
    return {**waiver.model_dump(mode="json"), "state": state, **where}
