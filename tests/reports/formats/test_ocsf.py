"""The findings as events of OCSF: valid, complete, and none that reads better than it is."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.finding import (
    STATUSES,
    Finding,
    Status,
    key_id_subject,
    organization_subject,
)
from checks.engine.outcome import Gate
from inventory.text.deceptive_text import deceptive_positions
from reports.comparison.changes import MOST_LISTED
from reports.formats.ocsf import COMPLIANCE, SEVERITY, STATUS, render, render_parts
from reports.model import project_address
from reports.model.changes import CLASSES
from reports.record.writer import Settings
from tests.builders import AS_OF, ORGANIZATION, an_organization
from tests.hypothesis_profile import examples
from tests.reports.comparing import every_change, in_memory
from tests.reports.recording import RULE_IDS, RUN, a_finding, findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Json = dict[str, Any]

VALIDATOR = Draft202012Validator(
    json.loads(
        (Path(__file__).parents[1] / "schemas/ocsf-1.5.0-compliance-finding.json").read_bytes()
    )
)
NOW, BEFORE = 1_795_226_400_000, 1_795_140_000_500


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _read(text: str) -> list[Json]:
    """Return the events of a text, each of which must be what the schema demands."""
    events = [json.loads(line) for line in text.splitlines()]
    problems = [error.message for event in events for error in VALIDATOR.iter_errors(event)]
    assert problems == []
    return events


def _events(
    *given: Finding,
    changes: object = None,
    **over: Any,  # noqa: ANN401 (settings are of any type)
) -> list[Json]:
    settings = Settings(Context(AS_OF), Gate(), "subject", **over)
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given, settings=settings)
    lines = made.findings.splitlines(keepends=True)
    return _read(render(made.head | {"changes": changes}, lines))


def _event(finding: Finding, **over: Any) -> Json:  # noqa: ANN401 (as above)
    (event,) = _events(finding, **over)
    return event


# --- valid ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [COMPLIANT, VIOLATIONS, pytest.param(HOSTILE, marks=pytest.mark.slow)],
    ids=["good", "bad", "hostile"],
)
def test_events_are_valid(tmp_path: Path, data: list[Json]) -> None:
    """Each finding of an audit is one event, in their order, as the schema demands it."""
    report = audit(tmp_path, data)
    shown = [json.loads(line)["id"] for line in report.lines]
    events = _read(render(report.head, iter(report.lines)))
    assert [event["finding_info"]["uid"] for event in events] == shown
    assert len({event["metadata"]["uid"] for event in events}) == len(shown)


@examples(40)
@given(st.lists(findings(), max_size=4))
def test_any_findings_are_valid(given: list[Finding]) -> None:
    """Whatever findings hold, their events are valid, and no text in them is deceptive."""
    for event in _events(*given):
        assert [text for text in _texts(event) if deceptive_positions(text)] == []


def _texts(data: object) -> Iterator[str]:
    """Yield every text in ``data``."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def test_a_library_reads_the_events(violations: Report) -> None:
    """Models that another project keeps of the schema accept each event, and read its status."""
    text = render(violations.head, violations.lines)
    read = [ComplianceFinding.model_validate_json(line) for line in text.splitlines()]
    statuses = [COMPLIANCE[json.loads(line)["status"]].id for line in violations.lines]
    assert [event.compliance.status_id for event in read] == statuses


def test_an_event_is_a_line_of_its_own(violations: Report) -> None:
    """Events are made one at a time, so that their number makes no difference to the memory."""
    lines = iter(violations.lines)
    parts = render_parts(violations.head, lines)
    first = next(parts)
    assert (first.count("\n"), first[-1], first.isascii()) == (1, "\n", True)
    assert len(list(lines)) == len(violations.lines) - 1


def test_two_runs_give_the_same_events(violations: Report) -> None:
    """What differs from run to run is in no event."""
    other = violations.head | {"run": RUN | {"exit_code": violations.head["run"]["exit_code"]}}
    text = render(violations.head, violations.lines)
    assert render(other, violations.lines) == text


def test_an_audit_without_findings_has_no_events() -> None:
    """Where nothing was judged there is no event that could be read as a result."""
    assert _events() == []


# --- complete -------------------------------------------------------------------------------------


def test_an_event_holds_the_whole_finding() -> None:
    """An event names the finding, what was judged by what, the subject, and the step to take."""
    finding = a_finding(
        severity="critical",
        organization="acme",
        action="Register a key",
        change="unchanged",
        since="2026-11-20T02:00:00.500000Z",
        audits=3,
        databases=2,
        existing=1,
        evidence=(("acme.yaml", 3), ("plan.json", 7, "astra_database.orders")),
    )
    event = _event(finding)
    metadata, requirements = event.pop("metadata"), event["compliance"].pop("requirements")
    assert metadata["uid"] == f"{metadata['correlation_uid']}:{finding.id}"
    assert metadata["product"] == {
        "name": "cmek-audit",
        "vendor_name": "cmek-audit",
        "version": "1.2.3",
    }
    assert "NIST SP 800-53 r5: SC-12" in requirements
    assert "NIST SP 800-53 r5: CM-8" not in requirements
    title = "Each combination of database type, provider and region in use has its customer key"
    path = finding.subject.path
    assert event == {
        "activity_id": 2,
        "activity_name": "Update",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200302,
        "type_name": "Compliance Finding: Update",
        "time": NOW,
        "severity_id": 5,
        "severity": "Critical",
        "status_id": 1,
        "status": "New",
        "message": "acme / Serverless on AWS / us-east-1: It is so. To do: Register a key.",
        "cloud": {
            "provider": "AWS",
            "region": "us-east-1",
            "account": {
                "uid": "acme",
                "name": "acme",
                "type_id": 99,
                "type": "Astra organization",
            },
        },
        "compliance": {
            "control": "CMEK-01",
            "desc": title,
            "standards": ["NIST SP 800-53 r5", "ISO/IEC 27001:2022", "SOC 2", "CSA CCM 4"],
            "status_id": 3,
            "status": "Fail",
            "status_code": "without-key",
        },
        "finding_info": {
            "uid": finding.id,
            "title": title,
            "desc": "It is so.",
            "analytic": {
                "uid": "CMEK-01",
                "name": "check_scope_has_key",
                "type_id": 1,
                "type": "Rule",
            },
            "created_time": BEFORE,
            "first_seen_time": BEFORE,
            "last_seen_time": NOW,
            "modified_time": NOW,
        },
        "remediation": {"desc": "Register a key"},
        "resources": [
            {
                "uid": path,
                "name": "acme / Serverless on AWS / us-east-1",
                "type": "key scope",
                "region": "us-east-1",
            }
        ],
        "unmapped": {
            "status": "fail",
            "severity": "critical",
            "cause": "without-key",
            "change": "unchanged",
            "audits": 3,
            "databases": 2,
            "existing": 1,
            "evidence": ["acme.yaml:3", "plan.json:7 (astra_database.orders)"],
        },
    }


@pytest.mark.parametrize(
    ("status", "compliance", "shown", "severity", "begin"),
    [
        ("error", (0, "Unknown"), (1, "New"), 4, "Check broke: "),
        ("fail", (3, "Fail"), (1, "New"), 4, ""),
        ("inconclusive", (2, "Warning"), (1, "New"), 4, "Inconclusive: "),
        ("waived", (3, "Fail"), (3, "Suppressed"), 4, "Waived: "),
        ("pass", (1, "Pass"), (4, "Resolved"), 1, ""),
        ("not-applicable", (99, "Not applicable"), (99, "Not applicable"), 1, ""),
    ],
)
def test_every_status_has_its_place(
    status: Status, compliance: object, shown: object, severity: int, begin: str
) -> None:
    """Only what passes is a pass and resolved; what could not be judged is open."""
    event = _event(a_finding(status, organization="acme"))
    found = event["compliance"]
    assert (found["status_id"], found["status"]) == compliance
    assert (event["status_id"], event["status"]) == shown
    assert event["severity_id"] == severity
    assert event["message"] == f"{begin}acme / Serverless on AWS / us-east-1: It is so."
    assert event["unmapped"]["status"] == status


def test_nothing_else_reads_as_passed() -> None:
    """The tables have every status and severity, and a pass shares its places with none."""
    assert (set(COMPLIANCE), set(STATUS), set(SEVERITY)) == (
        {*STATUSES},
        {*STATUSES},
        {*SEVERITIES},
    )
    for table in (COMPLIANCE, STATUS):
        assert [status for status in STATUSES if table[status] == table["pass"]] == ["pass"]


@pytest.mark.parametrize(("severity", "number"), [*zip(SEVERITIES, (5, 4, 3, 2, 1), strict=True)])
def test_every_severity_has_its_number(severity: Severity, number: int) -> None:
    """A severity is one of the five of the schema."""
    assert _event(a_finding("inconclusive", severity=severity))["severity_id"] == number


def test_every_rule_is_named() -> None:
    """An event names its rule as the control and as what found it."""
    events = _events(*(a_finding(rule=rule) for rule in RULE_IDS))
    named = [(event["compliance"]["control"], _rule(event)) for event in events]
    assert named == [(rule, rule) for rule in RULE_IDS]


def _rule(event: Json) -> str:
    rule: str = event["finding_info"]["analytic"]["uid"]
    return rule


def test_only_frameworks_that_are_shown_are_named() -> None:
    """An audit for one framework names its requirements alone, and none where it has none."""
    own = _events(a_finding(), a_finding(rule="CMEK-08"), frameworks=("SOC 2",))
    assert [event["compliance"].get("requirements") for event in own] == [["SOC 2: CC6.1"], None]


def test_a_waiver_is_in_the_event(violations: Report) -> None:
    """What is waived says by whom, why and until when, as the schema has no place for it."""
    events = _read(render(violations.head, violations.lines))
    waivers = {
        event["unmapped"]["waiver"]["id"]: event["unmapped"]["waiver"]
        for event in events
        if "waiver" in event["unmapped"]
    }
    assert set(waivers) == {"W-active", "W-expiring"}
    assert waivers["W-active"] == {
        "id": "W-active",
        "reason": "A pilot.(U+000A)It ends soon.",
        "requested_by": "Ines Okafor",
        "approved_by": "Dana Reyes",
        "requested_on": "2026-09-01",
        "approved_on": "2026-09-01",
        "expires_on": "2027-03-01",
        "compensating_control": "The application encrypts.",
        "ticket": "SEC-1",
        "state": "active",
    }
    unknown = _event(a_finding("waived", waiver="W-9"))
    assert unknown["unmapped"]["waiver"] == {"id": "W-9"}


def test_what_is_in_no_cloud_has_a_provider() -> None:
    """An organization is in Astra; what goes across organizations has no account."""
    own = a_finding()._replace(subject=organization_subject("acme"))
    across = a_finding()._replace(subject=key_id_subject("", "key-1"))
    clouds = [event["cloud"] for event in _events(own, across)]
    account = {"uid": "acme", "name": "acme", "type_id": 99, "type": "Astra organization"}
    assert clouds == [{"provider": "Astra", "account": account}, {"provider": "Astra"}]
    (resource,) = _event(across)["resources"]
    assert resource == {
        "uid": across.subject.path,
        "name": "across organizations / key-1",
        "type": "key id",
        "uid_alt": "key-1",
    }


def test_an_organization_goes_by_its_name(tmp_path: Path) -> None:
    """An account has the id and the name of its organization."""
    made = record(tmp_path, organizations=[an_organization(name="acme-prod")])
    events = _read(render(made.head, made.findings.splitlines()))
    assert {event["cloud"]["account"]["name"] for event in events} == {"acme-prod"}
    assert {event["cloud"]["account"]["uid"] for event in events} == {ORGANIZATION}


def test_many_places_are_counted() -> None:
    """Of much evidence the first ten places are named, and all are counted."""
    event = _event(a_finding(evidence=tuple(("a.yaml", line) for line in range(1, 13))))
    assert event["unmapped"]["evidence"] == [f"a.yaml:{line}" for line in range(1, 11)]
    assert event["unmapped"]["evidence_total"] == 12


def test_what_is_no_evidence_is_marked_in_each_event() -> None:
    """Each event of a partial run says so, as readers see events one by one."""
    marked = _event(a_finding("pass"), left_out="1 rule was not run")["metadata"]["labels"]
    assert marked == ["PARTIAL RUN, NOT AUDIT EVIDENCE: 1 rule was not run."]
    assert "labels" not in _event(a_finding("pass"))["metadata"]


def test_events_lead_to_the_project_once_it_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event links to the project and to its rule, but not while these have no address."""
    address = "https://git.example/acme/suite"
    finding = a_finding(action="Register a key")
    for published, url, pages in [
        ("", None, None),
        (address, address, [f"{address}/blob/v1.2.3/docs/rules.md#cmek-01"]),
    ]:
        monkeypatch.setattr(project_address, "PROJECT_ADDRESS", published)
        event = _event(finding)
        assert event["metadata"]["product"].get("url_string") == url
        assert event["remediation"].get("references") == pages


# --- with a baseline ------------------------------------------------------------------------------


def test_a_finding_is_updated_if_it_was_open() -> None:
    """Readers know what was open in the baseline, or in an audit before it, by its id."""
    given = [
        a_finding(region="new", change="new", audits=1),
        a_finding(region="worse", change="worsened", audits=1),
        a_finding(region="unchanged", change="unchanged", audits=2),
        a_finding(region="reopened", change="reopened", audits=1),
        a_finding("waived", region="waived", waiver="W-1"),
        a_finding("waived", region="long-waived", waiver="W-1"),
        a_finding("pass", region="pass"),
    ]
    changes = _changes([given[4]._replace(status="fail", waiver="")], given[4:5])
    events = _events(*given, changes=changes)
    assert {event["cloud"]["region"]: event["activity_name"] for event in events} == {
        "new": "Create",
        "worse": "Create",
        "unchanged": "Update",
        "reopened": "Update",
        "waived": "Update",
        "long-waived": "Create",
        "pass": "Create",
    }


def _changes(old: Iterable[Finding], new: Iterable[Finding]) -> object:
    return in_memory(old, new)[1]


def test_what_is_fixed_is_closed() -> None:
    """A finding that is fixed is closed under the id that readers know, with what is found now."""
    old = a_finding(severity="critical", organization="acme", region="eu-west-1")
    event = _events(changes=_changes([old], [a_finding("pass", **_PLACE)]))[0]
    assert event["message"].startswith("Open in the baseline, and resolved")
    assert event["finding_info"]["uid"] == old.id
    assert event["metadata"]["uid"].endswith(f":{old.id}")
    assert event["resources"] == [{"uid": old.subject.path, "name": old.subject.path}]
    assert event["cloud"]["account"]["uid"] == "acme"
    assert event["unmapped"] == {"cause": "without-key", "change": "fixed"}
    assert _shown(event) == ("Close", 200303, "Informational", "Pass", "Resolved")


_PLACE: Json = {"organization": "acme", "region": "eu-west-1"}


def _shown(event: Json) -> tuple[object, ...]:
    names = (event["activity_name"], event["type_uid"], event["severity"])
    return *names, event["compliance"]["status"], event["status"]


def test_what_does_not_apply_any_more_is_closed_without_a_pass() -> None:
    """What is fixed as its rule does not apply now is closed, and not as passed."""
    new = a_finding("not-applicable", reason="astra-provided", **_PLACE)
    event = _events(changes=_changes([a_finding(**_PLACE)], [new]))[0]
    assert _shown(event)[3:] == ("Not applicable", "Resolved")


def test_one_cause_of_two_is_closed_without_a_pass() -> None:
    """If its subject is still open for another cause, a cause is closed, and not as passed."""
    both = [a_finding(cause=cause, **_PLACE) for cause in ("one", "two")]
    event = _events(changes=_changes(both, both[:1]))[0]
    assert event["unmapped"]["cause"] == "two"
    assert _shown(event)[3:] == ("Open for another cause", "Resolved")


def test_what_is_superseded_is_closed_as_failing() -> None:
    """Another cause came instead, which has an event of its own: the old one is no pass."""
    old, new = (a_finding(cause=cause, **_PLACE) for cause in ("one", "two"))
    event = _events(changes=_changes([old], [new]))[0]
    assert event["unmapped"] == {"cause": "one", "change": "superseded"}
    assert _shown(event) == ("Close", 200303, "High", "Fail", "Superseded")


def test_only_what_is_over_is_closed() -> None:
    """Of what changed, only what is fixed or superseded is closed; what is gone is not."""
    changes = every_change()
    assert {name for name in CLASSES if changes["counts"][name]} == {*CLASSES}
    closed = [event["unmapped"]["change"] for event in _events(changes=changes)]
    assert closed == ["fixed", "superseded"]


def test_what_is_not_listed_is_counted() -> None:
    """Of more fixed findings than the record lists, each event says how many there are."""
    count = MOST_LISTED + 1
    old = [a_finding(region=f"r{number}") for number in range(count)]
    new = [a_finding("pass", region=f"r{number}") for number in range(count)]
    events = _events(changes=_changes(old, new))
    assert len(events) == MOST_LISTED
    assert {event["unmapped"]["closed_total"] for event in events} == {count}
