"""JUnit XML of the record: valid by the strictest schema, and never better than the audit."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xmlschema import XMLSchema10

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.finding import EVIDENCE_KINDS, OPEN, STATUSES, Change, Finding, Status
from checks.engine.outcome import Gate
from inventory.model.sources import Source
from inventory.text.deceptive_text import deceptive_positions
from reports.comparison.changes import summarize_changes
from reports.formats.junit import render, render_parts
from reports.presentation.banners import banners
from reports.record.stored_lines import StoredLines
from reports.record.writer import Settings
from tests.builders import AS_OF
from tests.hypothesis_profile import examples
from tests.reports.comparing import every_change
from tests.reports.recording import RULE_IDS, RUN, SOURCE, a_finding, findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.reports.recording import Record

    Json = dict[str, Any]

SCHEMA = XMLSchema10(Path(__file__).parents[1] / "schemas/junit-10.xsd")
OUTCOMES = ("failure", "error", "skipped")


class Case(NamedTuple):
    """A test case, read back: what it is of, its outcome, and what it prints."""

    rule: str
    name: str
    outcome: str
    message: str
    text: str
    output: list[str]


def _suite(text: str) -> ET.Element:
    """Return the suite of a report, which must be valid and count what it holds."""
    content = text.encode()
    SCHEMA.validate(content)
    (suite,) = ET.fromstring(content)
    counted = {"tests": len(suite.findall("testcase"))}
    counted |= {
        plural: len(suite.findall(f"testcase/{name}"))
        for name, plural in zip(OUTCOMES, ("failures", "errors", "skipped"), strict=True)
    }
    assert {name: int(suite.get(name, "")) for name in counted} == counted
    return suite


def _cases(text: str) -> list[Case]:
    return [_case(element) for element in _suite(text).findall("testcase")]


def _case(element: ET.Element) -> Case:
    rule, name = element.get("classname", ""), element.get("name", "")
    outcomes = [child for child in element if child.tag in OUTCOMES]
    assert len(outcomes) <= 1
    outcome = outcomes[0] if outcomes else ET.Element("passed")
    output = element.findtext("system-out", "").splitlines()
    return Case(rule, name, outcome.tag, outcome.get("message", ""), outcome.text or "", output)


def _record(
    *given: Finding,
    gate: Gate | None = None,
    sources: Sequence[Source] = (SOURCE,),
    **over: Any,  # noqa: ANN401 (settings are of any type)
) -> Record:
    shown = Settings(Context(AS_OF), gate or Gate(), over.pop("grouping", "subject"), **over)
    with TemporaryDirectory() as folder:
        return record(Path(folder), given, settings=shown, sources=sources)


def _text(made: Record) -> str:
    return render(made.head, made.findings.splitlines(keepends=True))


def _of(*given: Finding, **over: Any) -> list[Case]:  # noqa: ANN401 (as above)
    """Return the test cases of findings, without those of the verdict and of other rules."""
    return [
        case
        for case in _cases(_text(_record(*given, **over)))
        if case.rule != "cmek-audit" and case.name != "no subject"
    ]


def _verdict(text: str) -> Case:
    first, *others = _cases(text)
    assert first.rule not in {case.rule for case in others}
    return first


def _any(status: Status, severity: Severity = "high", **over: Any) -> Finding:  # noqa: ANN401
    reasons = {"inconclusive": "stale", "error": "broken", "not-applicable": "none"}
    known = {"reason": reasons.get(status, ""), "waiver": "w-1" if status == "waived" else ""}
    return a_finding(status, severity=severity, **known, **over)


# --- valid ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [COMPLIANT, VIOLATIONS, HOSTILE], ids=["good", "bad", "hostile"])
def test_a_report_is_valid(tmp_path: Path, data: list[Json]) -> None:
    """Of an audit, each finding is one test case of its rule, and no two have one name."""
    report = audit(tmp_path, data, WAIVERS if data is VIOLATIONS else ())
    text = render(report.head, StoredLines(report.folder / "findings.ndjson"))
    cases = _cases(text)
    rules = [json.loads(line)["rule"] for line in report.lines]
    without = [rule for rule in RULE_IDS if rule not in rules]
    assert [case.rule for case in cases] == ["cmek-audit", *without, *rules]
    assert len({(case.rule, case.name) for case in cases}) == len(cases)
    assert text == render(report.head, report.lines)
    assert text == "".join(render_parts(report.head, report.lines))


@examples(40)
@given(st.lists(findings(), max_size=4, unique_by=lambda finding: finding.id))
def test_any_findings_are_valid(given: list[Finding]) -> None:
    """Whatever findings hold, each has a test case of its own, and nothing in it is hidden."""
    cases = _of(*given)
    assert len({(case.rule, case.name) for case in cases}) == len(cases) == len(given)
    for case in cases:
        lines = [case.name, case.message, *case.text.splitlines(), *case.output]
        assert [line for line in lines if deceptive_positions(line)] == []


def test_the_schema_refuses_what_pytest_adds() -> None:
    """The schema is the strict one: a test case with properties or with a line is refused."""
    case = '<testsuite name="a" tests="1" failures="0" errors="0"><testcase name="b"{}</testsuite>'
    assert SCHEMA.is_valid(case.format("/>"))
    assert not SCHEMA.is_valid(case.format("><properties/></testcase>"))
    assert not SCHEMA.is_valid(case.format(' line="1"/>'))


ILLEGAL = [*map(chr, range(32)), "\x7f", "\ud800", "\udfff", "\ufffe", "\uffff", "\U0001ffff"]


def test_characters_that_xml_cannot_hold_are_shown_by_their_code_point() -> None:
    """No control character, half of a pair or character that is none reaches the file."""
    given = [
        _any("fail", message=f"<&>\"'{one}", region=f"r{at}") for at, one in enumerate(ILLEGAL)
    ]
    assert [case.message.partition(": ")[2] for case in _of(*given)] == [
        f"<&>\"'(U+{ord(one):04X}) [fail]" for one in ILLEGAL
    ]


@pytest.mark.parametrize("name", ["[[ATTACHMENT|/etc/passwd]]", "[[[ATTACHMENT|x]]"])
def test_no_name_attaches_a_file(name: str) -> None:
    """What GitLab and Jenkins read as the path of a file to link is no longer that."""
    text = _text(_record(_any("fail", organization=name, message=name, name=name)))
    assert "[[ATTACHMENT" not in text
    assert "[ [ATTACHMENT|" in text


def test_huge_texts_are_cut() -> None:
    """No text makes the file grow without bound, and each cut is shown."""
    text = "x" * 100_000
    evidence = tuple((f"{number}{text}", 1) for number in range(1_000))
    given = _any("fail", organization=text, message=text, name=text, action=text)
    (case,) = _of(given._replace(evidence=evidence))
    assert len("".join(map(str, case))) < 30_000
    assert case.name.endswith(f" {given.id}")
    assert case.output[-1] == "evidence: 990 more in findings.ndjson"
    assert case.message.endswith("x… (100,000 characters) [fail]")


# --- complete -------------------------------------------------------------------------------------


GATES = [
    Gate(),
    Gate("critical"),
    Gate("advisory", allow_inconclusive=True),
    Gate("medium", allow_inconclusive=True, new_only=True),
]


@pytest.mark.parametrize("gate", GATES, ids=["default", "critical", "advisory", "new-only"])
def test_every_status_and_severity_has_its_place(gate: Gate) -> None:
    """What stops the pipeline fails, what does not is skipped, and only a pass passes.

    A check that broke is an error under every gate.
    """
    changes: tuple[Change, ...] = ("new", "unchanged")
    given = [
        (status, severity, change)
        for status in STATUSES
        for severity in SEVERITIES
        for change in changes
        if change == "new" or status in OPEN
    ]
    made = [
        _any(status, severity, region=f"{severity}-{change}")._replace(
            change=change if status in OPEN else "", since="2026-11-20T02:00:00Z"
        )
        for status, severity, change in given
    ]
    cases = _of(*made, gate=gate)
    expected = [_expected(gate, *each) for each in given]
    assert [case.outcome for case in cases] == expected
    assert {case.outcome for case in cases if "[error]" in case.message} == {"error"}
    assert not {case.outcome for case in cases if "[inconclusive]" in case.message} & {
        "passed",
        "failure",
    }
    for case, (status, severity, _) in zip(cases, given, strict=True):
        assert f"[{status}]" in (case.message or case.output[0])
        assert f"severity: {severity}" in case.output


def _expected(gate: Gate, status: Status, severity: Severity, change: Change) -> str:
    if status == "pass":
        return "passed"
    if not gate.stops(status, severity, change):
        return "skipped"
    return "failure" if status == "fail" else "error"


def test_every_rule_has_its_place() -> None:
    """A rule without a subject is skipped, with the reason, so that no rule is missing."""
    made = _record(_any("pass", rule="CMEK-02"))
    cases = _cases(_text(made))
    assert {case.rule for case in cases} == {"cmek-audit", *RULE_IDS}
    shown = {case.rule: case for case in cases if case.name == "no subject"}
    assert {rule: (case.outcome, case.message) for rule, case in shown.items()} == {
        rule["id"]: ("skipped", rule["no_subject"])
        for rule in made.head["criteria"]["rules"]
        if rule["id"] != "CMEK-02"
    }


@pytest.mark.parametrize("kind", EVIDENCE_KINDS)
def test_a_pass_says_on_what_it_rests(kind: Any) -> None:  # noqa: ANN401 (a literal)
    """What passes prints the fact and the kind of evidence, such as an attestation alone."""
    (case,) = _of(_any("pass", organization="acme", rests_on=kind, evidence=(("a.yaml", 3),)))
    found = a_finding("pass", organization="acme")
    assert case == Case(
        "CMEK-01",
        "acme/serverless/aws/us-east-1",
        "passed",
        "",
        "",
        [
            "acme / Serverless on AWS / us-east-1: It is so. [pass]",
            "severity: high",
            f"finding: {found.id}",
            "organization: acme",
            "type: serverless",
            "provider: aws",
            "region: us-east-1",
            f"rests_on: {kind}",
            "evidence: a.yaml:3",
        ],
    )


def test_a_failure_says_what_to_do() -> None:
    """A failure begins with the fact; the step, the rule and the details follow."""
    found = _any(
        "fail",
        organization="acme",
        action="Register a key",
        change="new",
        since="2026-11-20T02:00:00Z",
        audits=1,
    )
    (case,) = _of(found)
    fact = "acme / Serverless on AWS / us-east-1: It is so. [fail]"
    title = next(
        rule["title"] for rule in _record().head["criteria"]["rules"] if rule["id"] == "CMEK-01"
    )
    assert case[:5] == (
        "CMEK-01",
        "acme/serverless/aws/us-east-1 without-key",
        "failure",
        fact,
        f"{fact}\nTo do: Register a key.\nCMEK-01 {title} (high)",
    )
    assert case.output[-3:] == ["cause: without-key", "change: new", "since: 2026-11-20T02:00:00Z"]


def test_a_waived_finding_names_its_waiver() -> None:
    """What is waived is skipped, and prints the waiver that covers it."""
    (case,) = _of(_any("waived"))
    assert (case.outcome, "waiver: w-1" in case.output) == ("skipped", True)


def test_a_rule_that_the_head_does_not_list_has_no_title() -> None:
    """A finding of a rule without a description is shown all the same."""
    made = _record(_any("fail"))
    made.head["criteria"]["rules"] = []
    assert _cases(_text(made))[1].text.splitlines()[-1] == "CMEK-01 (high)"


# --- the audit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "over", "outcome", "kind"),
    [
        ([_any("pass")], {}, "passed", ""),
        ([_any("fail", "advisory")], {"gate": Gate("high")}, "error", "nothing judged"),
        ([_any("fail"), _any("pass")], {"gate": Gate("critical")}, "passed", ""),
        ([_any("fail")], {}, "failure", "not compliant"),
        ([_any("inconclusive")], {}, "error", "not established"),
        ([_any("error")], {}, "error", "broken"),
        ([], {}, "error", "nothing judged"),
        ([_any("pass")], {"left_out": "all but CMEK-01"}, "error", "partial"),
    ],
    ids=["pass", "advisory", "gate", "fail", "inconclusive", "broken", "nothing", "partial"],
)
def test_the_first_case_is_the_verdict(
    given: list[Finding], over: Json, outcome: str, kind: str
) -> None:
    """The verdict passes if the exit code is 0: without any failure, an audit may yet not pass."""
    made = _record(*given, **over)
    text = _text(made)
    case = _verdict(text)
    shown = _suite(text).find("testcase/*")
    assert shown is not None
    assert (case[:3], shown.get("type", "")) == (("cmek-audit", "verdict", outcome), kind)
    assert made.head["verdict"]["text"] in (case.message or case.output[0])
    assert (outcome == "passed") == (made.head["verdict"]["exit_code"] == 0)


def test_a_run_that_ended_otherwise_is_an_error() -> None:
    """A run of pytest that ended by an error has no verdict that passes, whatever was found."""
    made = _record(_any("pass"))
    made.head["run"] = RUN | {"exit_code": 3}
    case = _verdict(_text(made))
    assert case.outcome == "error"
    assert case.text.splitlines()[-1].startswith("THE RUN ENDED WITH EXIT CODE 3: ")
    made.head["run"] = RUN | {"exit_code": 0}
    assert _verdict(_text(made)).outcome == "passed"


def _properties(text: str) -> list[tuple[str, str]]:
    return [
        (each.get("name", ""), each.get("value", ""))
        for each in _suite(text).findall("properties/property")
    ]


def test_the_suite_has_the_properties_of_the_audit() -> None:
    """The suite names verdict, report, counts, evidence, banners and notes."""
    source = SOURCE.model_copy(update={"notes": ("It is\u202e large.",)})
    made = _record(_any("fail"), sources=[source], is_example=True)
    assert banners(made.head)
    assert _properties(_text(made)) == [
        ("verdict", made.head["verdict"]["text"]),
        ("report", made.head["report"]),
        ("findings", "1 finding, of which 1 fail"),
        *(("banner", banner) for banner in banners(made.head)),
        ("note", "acme.yaml: It is(U+202E) large."),
    ]


def test_the_suite_says_what_changed() -> None:
    """With a baseline the suite counts what is new and what is gone."""
    made = _record(_any("fail"))
    changes = every_change()
    made.head["changes"] = changes
    assert _properties(_text(made))[-1] == ("changes", summarize_changes(changes))


def test_two_runs_of_one_audit_are_the_same(tmp_path: Path) -> None:
    """Nothing depends on who ran an audit, and when."""
    report = audit(tmp_path, VIOLATIONS)
    run = report.head["run"]
    other = report.head | {"run": dict.fromkeys(run, "") | {"exit_code": run["exit_code"]}}
    assert render(other, report.lines) == render(report.head, report.lines)
    (suite,) = [_suite(render(other, report.lines))]
    assert suite.get("timestamp") == report.head["settings"]["as_of"]


def test_the_grouping_of_the_run_does_not_matter() -> None:
    """Test cases are findings, not items of pytest: they are the same in every grouping."""
    given = [_any("fail"), _any("pass", region="eu-west-1")]
    subject, rule = (_of(*given, grouping=name) for name in ("subject", "rule"))
    assert subject == rule != []
