"""Findings made of whole cloth, and records made of them, for the tests of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from checks.engine.card import SEVERITIES, Severity
from checks.engine.catalogue import load_rules, rules_hash
from checks.engine.context import Context
from checks.engine.controls import read_controls
from checks.engine.evaluation import evaluate
from checks.engine.finding import EVIDENCE_KINDS, OPEN, STATUSES, Finding, Status, Subject
from checks.engine.identity import cause_of, join
from checks.engine.outcome import Gate
from checks.engine.pass_series import PassSeries
from inventory.model.sources import Source
from reports.record.layout import FINDINGS, POPULATION
from reports.record.recorder import Recorder
from reports.record.writer import RecordInput, Settings, build_head
from tests.builders import AS_OF, CAPTURED_AT, ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from checks.engine.finding import Change
    from checks.engine.waivers import State, Waiver
    from inventory.model.organization import Organization

RULES = load_rules()
RULE_IDS = [rule.card.id for rule in RULES]
SOURCE = Source(
    path="acme.yaml",
    role="inventory",
    format="yaml",
    size=1,
    sha256="0" * 64,
    captured_at=CAPTURED_AT,
    organizations=1,
)
RUN: Any = {
    "started": "2026-11-21T02:00:00Z",
    "ended": "2026-11-21T02:00:00.123456Z",
    "formats": ["json", "html"],
    "actor": "acme-ci",
    "trigger": "by hand or by a scheduler",
    "link": "",
    "command": ["pytest"],
    "exit_code": 0,
    "python": "3.11.7",
    "platform": "Linux",
    "packages": {"pytest": "9.0.0"},
    "commit": "",
    "dirty": None,
}


class Record(NamedTuple):
    """A head without ``run``, and the bytes of the files beside it."""

    head: Any
    findings: bytes
    population: bytes


def record(
    folder: Path,
    findings: Iterable[Finding] = (),
    organizations: Iterable[Organization] = (),
    settings: Settings | None = None,
    waivers: Iterable[tuple[Waiver, State]] = (),
    sources: Sequence[Source] = (SOURCE,),
) -> Record:
    """Record ``findings``, and those of a whole audit of ``organizations``."""
    settings = settings or Settings(Context(AS_OF), Gate(), "subject")
    recorder = Recorder(folder, settings.context)
    for each in evaluate(organizations, RULES, settings.context, recorder.add_organization):
        recorder.add(each)
    for finding in findings:
        recorder.add(finding)
    material = RecordInput(
        rules=RULES,
        rules_hash=rules_hash(RULES),
        controls=read_controls(),
        sources=sources,
        waivers=list(waivers),
        tool_version="1.2.3",
    )
    head = build_head(recorder, settings, material)
    files = (folder / FINDINGS).read_bytes(), (folder / POPULATION).read_bytes()
    return Record(head, *files)


def a_finding(
    status: Status = "fail",
    rule: str = "CMEK-01",
    severity: Severity = "high",
    region: str = "us-east-1",
    **over: Any,  # noqa: ANN401 (fields of any type)
) -> Finding:
    """Make a finding about a key scope of one organization."""
    organization = over.pop("organization", ORGANIZATION)
    scope = (organization, "serverless", "aws", region)
    subject = Subject("key-scope", join(*scope), *scope)
    cause = "" if status in {"pass", "not-applicable"} else "without-key"
    if "action" in over:
        over.setdefault("action_id", action_id_of(over["action"], organization))
    return Finding(status, rule, severity, subject, cause, "It is so.")._replace(**over)


def action_id_of(action: str, organization: str) -> str:
    """Return an id for the step with those words; none for no words."""
    return f"act:{join(organization, action)}" if action else ""


# --- any finding at all ---------------------------------------------------------------------------

_texts = st.text(max_size=30)
_words = st.text(min_size=1, max_size=30)
_NO_AGE: tuple[Change, str, int] = ("", "", 0)
_ages: st.SearchStrategy[tuple[Change, str, int]] = st.just(_NO_AGE) | st.tuples(
    st.sampled_from(["new", "reopened", "worsened", "unclear", "unchanged"]),
    st.sampled_from(["2026-11-20T02:00:00Z", "2026-11-20T02:00:00.123456Z"]),
    st.integers(1, 10**6),
)
_causes = st.builds(cause_of, st.sampled_from(["stale", "vanished"]), _words)
_reasons = st.sampled_from(["", "not-recorded", "unknown-type"])


@st.composite
def _subjects(draw: st.DrawFn) -> Subject:
    parts = draw(st.lists(_words, min_size=1, max_size=4))
    return Subject(
        draw(st.sampled_from(["organization", "key-scope", "key", "database-region"])),
        join(*parts),
        parts[0],
        draw(st.sampled_from(["", "serverless", "managed-clusters", "unknown"])),
        draw(st.sampled_from(["", "aws", "gcp", "azure"])),
        draw(_texts),
        draw(_texts),
        draw(_texts),
    )


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """Draw a finding as a judge may give it, with any characters in its texts."""
    status: Status = draw(st.sampled_from(STATUSES))
    is_open = status not in {"pass", "not-applicable"}
    needs_reason = status in {"error", "inconclusive", "not-applicable"}
    age = draw(_ages if status in OPEN else st.just(_NO_AGE))
    databases = draw(st.integers(0, 3))
    subject = draw(_subjects())
    action = draw(_texts) if is_open else ""
    return Finding(
        status,
        draw(st.sampled_from(RULE_IDS)),
        draw(st.sampled_from(SEVERITIES)),
        subject,
        draw(_causes) if is_open else "",
        draw(_words),
        (draw(_reasons) or "not-recorded") if needs_reason else "",
        action,
        action_id_of(action, subject.organization),
        draw(_texts),
        databases,
        draw(st.integers(0, databases)),
        tuple(draw(st.lists(st.tuples(_texts, st.integers(0, 10**9)), max_size=3))),
        draw(_words) if status == "waived" else "",
        *age,
        rests_on=draw(st.sampled_from(EVIDENCE_KINDS)) if status == "pass" else "",
    )


@st.composite
def series(draw: st.DrawFn) -> PassSeries:
    """Draw passes of databases in one key scope, with any characters in their texts."""
    scope = (draw(_words), draw(st.sampled_from(["serverless", "unknown"])), "aws", draw(_words))
    pattern = Finding(
        "pass",
        draw(st.sampled_from(RULE_IDS)),
        draw(st.sampled_from(SEVERITIES)),
        Subject("database-region", "", *scope),
        "",
        "",
        databases=1,
        existing=1,
        evidence=tuple(draw(st.lists(st.tuples(_texts, st.integers(0, 10**9)), max_size=3))),
        attested_by=tuple(draw(st.lists(_words, max_size=2))),
        rests_on=draw(st.sampled_from(EVIDENCE_KINDS)),
    )
    databases = draw(st.lists(_words, min_size=1, max_size=5, unique=True))
    plain = st.sampled_from(["orders", "acme-1", ""])
    count = len(databases)
    return PassSeries(
        pattern=pattern,
        before=draw(_texts),
        after=draw(_texts),
        ids=databases if draw(st.booleans()) else [f"d-{number}" for number in range(count)],
        names=draw(st.lists(_texts | plain, min_size=count, max_size=count)),
        locations=[
            draw(st.tuples(_texts, st.integers(0, 9)) | st.tuples(_texts, st.just(1), _words))
            for _ in databases
        ],
        times=[f"2026-01-{number + 1:02}T00:00:00Z" for number in range(count)],
    )
