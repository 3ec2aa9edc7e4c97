"""Two audits to compare: of findings made of whole cloth, and of inventories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.engine.context import Context
from checks.engine.finding import OPEN, Finding, key_subject
from checks.engine.outcome import Gate
from inventory.model.key import KeyScope
from reports.comparison.baseline import AuditReference, Key, build_baseline, key_of, read_baseline
from reports.comparison.changes import Changes
from reports.comparison.key_changes import KEYS, Seen
from reports.record.layout import HEAD, canonical, report_id
from reports.record.population import Population
from reports.record.writer import Settings
from tests.builders import an_organization, aws_key_id, moment
from tests.reports.live import report_on
from tests.reports.recording import RUN, SOURCE, a_finding, record
from tests.reports.samples import save_inventory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.model.organization import Organization
    from reports.model.trend import TrendEntry
    from tests.reports.samples import Entry, Report

    Shown = Any

FIRST, SECOND, THIRD, FOURTH = (f"2026-11-{day}T03:00:00Z" for day in (20, 21, 22, 23))


PROTECTION = {"protected": 4, "unprotected": 6, "unproven": 4, "astra_provided": 1, "waived": 0}


def entry(as_of: str = FIRST, report: str = "a", **over: Any) -> TrendEntry:  # noqa: ANN401
    """Make an audit as later records list it."""
    made: Any = {
        "report": report * 64,
        "as_of": as_of,
        "outcome": "not compliant",
        "organizations": 1,
        "protection": None,
        "open": {"critical": 0, "high": 1, "medium": 0, "low": 0, "advisory": 0},
        "counts": {
            "error": 0,
            "fail": 1,
            "inconclusive": 0,
            "waived": 0,
            "pass": 0,
            "not-applicable": 0,
        },
    }
    return {**made, **over}  # type: ignore[typeddict-item]


def stored(
    folder: Path,
    findings: Iterable[Finding] = (),
    organizations: Iterable[Organization] = (),
    **over: Any,  # noqa: ANN401 (fields of the settings)
) -> Path:
    """Write the record of an audit of ``organizations`` as of ``FIRST``, and return its folder."""
    folder.mkdir(exist_ok=True)
    settings = Settings(Context(moment(FIRST)), Gate(), "subject", **over)
    head = record(folder, findings, settings=settings).head
    population = Population()
    for organization in organizations:
        population.add(organization)
    head["population"] = population.summary([SOURCE])
    write_head(folder, head)
    return folder


def write_head(folder: Path, head: Shown) -> None:
    """Write ``head`` as an audit writes it, with the report id that it then has."""
    body = head | {"report": report_id(head), "run": RUN}
    (folder / HEAD).write_text(canonical(body))


def in_memory(old: Iterable[Finding], new: Iterable[Finding]) -> tuple[list[Finding], Shown]:
    """Compare the findings of two audits without any file."""
    about = AuditReference(
        "audit.json", "0" * 64, moment(FIRST), "0" * 64, "0" * 64, is_example=False
    )
    changes = Changes(build_baseline(about, Seen(), old), moment(SECOND))
    return [changes.classify(each) for each in new], changes.summary("0" * 64, "")


def compared(
    baseline: Path,
    findings: Iterable[Finding] = (),
    organizations: Iterable[Organization] = (),
    left_out: str = "",
) -> tuple[list[Finding], Shown]:
    """Compare findings of an audit as of ``SECOND`` with ``baseline``; return them and the rest."""
    changes = Changes(read_baseline(baseline), moment(SECOND))
    for organization in organizations:
        changes.add_organization(organization)
    taken = [changes.classify(finding) for finding in findings]
    return taken, changes.summary("0" * 64, left_out)


def every_change() -> Shown:
    """Return changes in which there is something of each class, and of each kind of keys."""
    old = {"unchanged": "fail", "worsened": "inconclusive", "unclear": "fail", "reopened": "waived"}
    old |= dict.fromkeys(("fixed", "waived", "gone"), "fail")
    new = {"new": "fail", "reopened": "fail", "unchanged": "fail", "worsened": "fail"}
    new |= {"unclear": "inconclusive", "fixed": "pass", "waived": "waived"}
    before, after = ([_of(*each) for each in some.items()] for some in (old, new))
    before += [_of("new", "fail")._replace(cause="superseded")]
    before += [_key("us-east-1", 1), _key("us-east-2", 2), _key("eu-west-1", 3, "labs")]
    after += [_key("us-west-2", 4), _key("us-east-2", 5)]
    about = AuditReference(
        "b/audit.json", "0" * 64, moment(FIRST), "0" * 64, "0" * 64, is_example=False
    )
    seen = Seen()
    for each in ("acme", "labs"):
        seen.add_organization(each, f"{each}-prod", ())
    changes = Changes(build_baseline(about, seen, before), moment(SECOND))
    changes.add_organization(an_organization(id="acme", name="acme-prod"))
    for finding in after:
        changes.classify(finding)
    return changes.summary("0" * 64, "")


def _of(region: str, status: Any) -> Finding:  # noqa: ANN401 (one of the statuses)
    reason = "refused" if status == "inconclusive" else ""
    waiver = "W-1" if status == "waived" else ""
    return a_finding(status, region=region, organization="acme", reason=reason, waiver=waiver)


def _key(region: str, number: int, organization: str = "acme") -> Finding:
    scope = KeyScope(organization, "serverless", "aws", region)
    return Finding(
        "pass", KEYS, "high", key_subject(scope, aws_key_id(region, number)), "", "It is so."
    )


def by_class(shown: Shown) -> dict[str, set[Key]]:
    """Return rule, subject and cause of the findings of each class that has any."""
    return {
        what: {(entry["rule"], entry["path"], entry["cause"]) for entry in entries}
        for what, entries in shown["lists"].items()
        if entries
    }


def open_keys(findings: Iterable[Finding]) -> set[Key]:
    return {key_of(finding) for finding in findings if finding.status in OPEN}


def night(
    folder: Path,
    organizations: list[Entry],
    as_of: str,
    before: Report | None = None,
    **options: Any,  # noqa: ANN401 (as options are)
) -> Report:
    """Audit ``organizations``, recorded an hour before ``as_of``, after the night ``before``."""
    own = folder / as_of[:10]
    own.mkdir()
    captured = as_of.replace("T03", "T02")
    inventory = save_inventory(own / "inventory.json", organizations, captured_at=captured)
    if before:
        options["baseline"] = str(before.folder)
    return report_on(own, str(inventory), as_of=as_of, formats=("json", "html"), **options)
