"""The statement on a report: its result, its findings, and the files that it was made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checks.engine.outcome import Gate
from cmek_audit.signing.statement import Digest, Source, Statement, Subject, TestResult
from inventory.files.evidence_layout import INVENTORY
from inventory.parquet.layout import HEAD as PARQUET_HEAD
from reports.record.reader import relying_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cmek_audit.signing.statement import Result
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, NamedFile
    from reports.model.population_summary import SourceEntry
    from reports.record.reader import Record

MOST_IDS = 100_000
"""How many ids of findings are listed at most; the record has all of them."""

INSIDE = {"bundle": f"/{INVENTORY}", "parquet": f"/{PARQUET_HEAD}"}
"""The file of a folder that has the recorded hash. That of Parquet holds those of the others."""

_QUIET = (b'{"status":"pass"', b'{"status":"not-applicable"')
"""How the lines of findings begin of which no id is listed."""


def state_result(record: Record, files: Mapping[str, str]) -> Statement:
    """Return the statement on ``record``, with ``files`` of its report and their SHA-256.

    Raises RecordError if the record holds what no audit writes.
    """
    subjects = (Subject(name=name, digest=Digest(sha256=sha)) for name, sha in files.items())
    with relying_on(record):
        head = record.head
        warned, failed = _divide(record.lines().without(_QUIET), _gate(head))
        predicate = TestResult(
            result=_result(head, is_warned=bool(warned), is_failed=bool(failed)),
            configuration=tuple(_sources(head)),
            url=head["run"]["link"] or None,
            passedTests=tuple(_passes(head)),
            warnedTests=_shortened(warned),
            failedTests=_shortened(failed),
        )
    return Statement(subject=tuple(subjects), predicate=predicate)


def _gate(head: Head) -> Gate:
    settings = head["settings"]
    # What could not be judged counts as failed here, whatever a pipeline lets through.
    return Gate(settings["fail_on"], allow_inconclusive=False, new_only=settings["fail_on_new"])


def _divide(lines: Iterable[bytes], gate: Gate) -> tuple[list[str], list[str]]:
    """Return the ids of findings that are no reason to stop, and of those that are one."""
    warned: list[str] = []
    failed: list[str] = []
    for line in lines:
        finding: FindingRecord = json.loads(line)
        (failed if _is_failed(finding, gate) else warned).append(finding["id"])
    return warned, failed


def _is_failed(finding: FindingRecord, gate: Gate) -> bool:
    status = finding["status"]
    if status == "inconclusive":
        return True
    return gate.stops(status, finding["severity"], finding.get("change", ""))


def _result(head: Head, *, is_warned: bool, is_failed: bool) -> Result:
    """Return the result; when in doubt it is the worse one."""
    outcome = head["verdict"]["outcome"]
    judged_all = outcome in {"compliant", "no customer key", "not compliant"}
    stops = head["verdict"]["exit_code"] or head["run"]["exit_code"]
    if is_failed or stops or not judged_all or head["settings"]["left_out"]:
        return "FAILED"
    counts = head["counts"]
    is_clean = not (counts["fail"] or counts["waived"]) and outcome == "compliant"
    return "WARNED" if is_warned or not is_clean or head["settings"]["example"] else "PASSED"


def _passes(head: Head) -> Iterator[str]:
    for rule in head["criteria"]["rules"]:
        total = sum(rule["counts"].values())
        if passed := rule["counts"]["pass"]:
            yield f"{rule['id']}: {passed:,} of {total:,} findings pass"


def _shortened(ids: list[str]) -> tuple[str, ...]:
    more = len(ids) - MOST_IDS
    return (*ids[:MOST_IDS], *([f"{more:,} more, in findings.ndjson"] if more > 0 else []))


# --- the files that were read ---------------------------------------------------------------------


def _sources(head: Head) -> Iterator[Source]:
    """Yield every file that was read, and the rules by their hash."""
    yield from map(_source, head["population"]["sources"])
    settings = head["settings"]
    yield from _named("waivers", settings["waiver_files"])
    yield from _named("history", settings["history_files"])
    yield from _named("terraform-source", settings["terraform_files"])
    for role, file in (
        ("controls", settings["controls_file"]),
        ("baseline", settings["baseline_file"]),
    ):
        yield from _named(role, [file] if file else [])
    rules = Digest(sha256=head["criteria"]["hash"])
    made_by = f"{head['tool']['name']} {head['tool']['version']}"
    yield Source(name="rules", digest=rules, annotations={"role": "rules", "tool": made_by})


def _source(source: SourceEntry) -> Source:
    annotations: dict[str, str] = {"role": source["role"], "format": source["format"]}
    if source["evidence"]:
        annotations["root"] = source["evidence"]["root"]
    if "chain" in source:
        annotations["chain"] = source["chain"]["sha256"]
    name = f"{source['path']}{INSIDE.get(source['format'], '')}"
    return Source(name=name, digest=Digest(sha256=source["sha256"]), annotations=annotations)


def _named(role: str, files: Iterable[NamedFile]) -> Iterator[Source]:
    for file in files:
        digest = Digest(sha256=file["sha256"])
        yield Source(name=file["path"], digest=digest, annotations={"role": role})
