"""The findings for code scanning: valid SARIF, and what GitHub makes alerts of."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.finding import OPEN, Finding, Status
from checks.engine.outcome import Gate
from inventory.text.deceptive_text import deceptive_positions
from reports.formats.sarif import SarifLimits, render
from reports.model import project_address
from reports.record.writer import Settings
from tests.builders import AS_OF
from tests.hypothesis_profile import examples
from tests.reports.live import recorded, report_on
from tests.reports.recording import SOURCE, a_finding, findings, record
from tests.reports.samples import (
    COMPLIANT,
    HOSTILE,
    VIOLATIONS,
    WAIVERS,
    Report,
    audit,
)

if TYPE_CHECKING:
    Json = dict[str, Any]

VALIDATOR = Draft4Validator(
    json.loads((Path(__file__).parents[1] / "schemas/sarif-2.1.0.json").read_bytes())
)
ROOT = Path("/repo/acme")
RULES_PAGE = Path(__file__).parents[3] / "docs/rules.md"


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _run(text: str) -> Json:
    """Return the one run of a log, which must be what its schema demands."""
    log = json.loads(text)
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    (run,) = log["runs"]
    return dict(run)


def _log(*given: Finding, limits: SarifLimits | None = None, **over: Any) -> str:  # noqa: ANN401 (settings are of any type)
    shown = Settings(Context(AS_OF), Gate(), "subject", **over)
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given, settings=shown)
    return render(made.head, made.findings.splitlines(keepends=True), limits, ROOT)


def _of(*given: Finding, **over: Any) -> Json:  # noqa: ANN401 (as above)
    """Render a record that holds nothing but findings."""
    return _run(_log(*given, **over))


def _result(finding: Finding) -> Json:
    (result,) = _of(finding)["results"]
    return dict(result)


# --- valid ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [COMPLIANT, VIOLATIONS, HOSTILE], ids=["good", "bad", "hostile"])
def test_a_log_is_valid(tmp_path: Path, data: list[Json]) -> None:
    """What an audit writes is what the official schema demands."""
    report = audit(tmp_path, data)
    text = (report.folder / "audit.sarif").read_text("ascii")
    open_ones = sum(report.head["counts"][status] for status in OPEN)
    assert len(_run(text)["results"]) == open_ones
    assert text == render(report.head, iter(report.lines))


@examples(40)
@given(st.lists(findings(), max_size=4))
def test_any_findings_are_valid(given: list[Finding]) -> None:
    """Whatever findings hold, the log is valid, and holds each that is open."""
    text = _log(*given)
    assert len(_run(text)["results"]) == sum(finding.status in OPEN for finding in given)
    for result in _run(text)["results"]:
        assert not deceptive_positions(result["message"]["text"])
        _assert_githubs(result)


def test_a_compliant_audit_has_no_result() -> None:
    """Where nothing is open the list of results is empty, which closes the alerts of before."""
    assert _of(a_finding("pass"))["results"] == []


# --- what GitHub asks for -------------------------------------------------------------------------


def _assert_githubs(result: Json) -> None:
    """Check what GitHub refuses a whole file for, or makes no alert of."""
    assert {"ruleId", "level", "message", "locations", "partialFingerprints"} <= set(result)
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    assert physical["region"]["startLine"] >= 1
    address = urlsplit(physical["artifactLocation"]["uri"])
    assert (address.scheme, address.netloc, address.query, address.fragment)[1:] == ("", "", "")
    assert address.path
    is_relative = address.scheme == ""
    assert is_relative == ("uriBaseId" in physical["artifactLocation"])
    assert is_relative != address.path.startswith("/")


def test_only_open_findings_are_results(violations: Report) -> None:
    """What passed, does not apply or is waived is none: readers would show it as open."""
    run = _run(render(violations.head, violations.lines))
    shown = [json.loads(line) for line in violations.lines]
    wanted = {f"{finding['id']}:1" for finding in shown if finding["status"] in OPEN}
    hashes = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert (set(hashes), len(hashes)) == (wanted, len(wanted))
    assert {result["properties"]["status"] for result in run["results"]} <= OPEN
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert "kind" not in result
        assert "suppressions" not in result
        _assert_githubs(result)


def test_every_rule_is_described(violations: Report) -> None:
    """Each rule has its words, within GitHub's bounds, also where nothing of it is open."""
    rules = _run(render(violations.head, violations.lines))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [
        rule["id"] for rule in violations.head["criteria"]["rules"]
    ]
    for rule, shown in zip(rules, violations.head["criteria"]["rules"], strict=True):
        assert rule["name"] == "".join(map(str.title, shown["check"].split("_")[1:]))
        assert rule["properties"]["check"] == shown["check"]
        assert rule["shortDescription"]["text"] == shown["title"]
        assert rule["fullDescription"]["text"] == shown["rationale"]
        assert (
            max(len(rule[field]["text"]) for field in ("shortDescription", "fullDescription"))
            < 1_024
        )
        words = [shown["remediation"], *(quote["sentence"] for quote in shown["quotes"])]
        assert [word for word in words if word not in rule["help"]["text"]] == []
        assert rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 10
        assert "security" in rule["properties"]["tags"]


@pytest.mark.parametrize(
    ("severity", "level", "scores"),
    [
        ("critical", "error", (9.0, 10.0)),
        ("high", "error", (7.0, 8.9)),
        ("medium", "warning", (4.0, 6.9)),
        ("low", "warning", (0.1, 3.9)),
        ("advisory", "note", (0.1, 3.9)),
    ],
)
def test_severities_are_githubs(
    severity: Severity, level: str, scores: tuple[float, float]
) -> None:
    """A severity becomes a level of the result, and a score of the rule that GitHub calls alike."""
    assert _result(a_finding(severity=severity))["level"] == level
    assert _result(a_finding("inconclusive", severity=severity))["level"] == level
    assert _result(a_finding("error", severity=severity))["level"] == "error"
    with TemporaryDirectory() as folder:
        head = record(Path(folder)).head
    for rule in head["criteria"]["rules"]:
        rule |= {"severity": "advisory", "severity_planned": severity}
    rules = _run(render(head, []))["tool"]["driver"]["rules"]
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {level}
    (score,) = {float(rule["properties"]["security-severity"]) for rule in rules}
    assert scores[0] <= score <= scores[1]


def test_a_rule_has_the_score_of_its_worst_failure() -> None:
    """A rule that is graver for what is planned has that severity; one that is not, its own."""
    run = _of()
    scores = {
        rule["id"]: rule["properties"]["security-severity"]
        for rule in run["tool"]["driver"]["rules"]
    }
    assert (scores["CMEK-01"], scores["CMEK-03"], scores["CMEK-09"]) == ("9.5", "8.0", "0.5")
    assert len(set(SEVERITIES)) > len(set(scores.values())) > 1


def test_a_rule_that_the_head_does_not_list_has_no_index() -> None:
    """A finding of a rule without a description points to none, as SARIF writes it: -1."""
    with TemporaryDirectory() as folder:
        made = record(Path(folder), [a_finding()])
    made.head["criteria"]["rules"] = []
    run = _run(render(made.head, made.findings.splitlines(keepends=True)))
    assert [result["ruleIndex"] for result in run["results"]] == [-1]


@pytest.mark.parametrize(
    ("version", "semantic"),
    [
        ("1.2.3", {"semanticVersion": "1.2.3"}),
        ("0.10.0", {"semanticVersion": "0.10.0"}),
        ("01.2.3", {}),
        ("1.2.3.dev4", {}),
        ("1.2", {}),
        ("unknown", {}),
    ],
)
def test_the_tool_names_its_version(version: str, semantic: Json) -> None:
    """A log names the version that audited, as a semantic one only where it means the same."""
    driver = _driver(version)
    assert driver["version"] == version
    assert {name: driver[name] for name in driver if name == "semanticVersion"} == semantic


def _driver(version: str = "1.2.3") -> Json:
    with TemporaryDirectory() as folder:
        head = record(Path(folder)).head
    head["tool"]["version"] = version
    return dict(_run(render(head, []))["tool"]["driver"])


def test_without_a_public_address_nothing_leads_to_the_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As long as the project has no address, the tool and its rules have no links."""
    monkeypatch.setattr(project_address, "PROJECT_ADDRESS", "")
    driver = _driver()
    assert "informationUri" not in driver
    assert [rule for rule in driver["rules"] if "helpUri" in rule] == []


def test_the_public_address_leads_to_the_project_and_each_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tool leads to the project, and each rule to its section of that version's page."""
    address = "https://git.example/acme/cmek-audit"
    monkeypatch.setattr(project_address, "PROJECT_ADDRESS", address)
    driver = _driver()
    assert driver["informationUri"] == address
    sections = re.findall(r"^## (CMEK-[0-9]+)$", RULES_PAGE.read_text("utf-8"), re.MULTILINE)
    assert [rule["helpUri"] for rule in driver["rules"]] == [
        f"{address}/blob/v1.2.3/docs/rules.md#{section.lower()}" for section in sections
    ]


# --- results --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "begin"),
    [("fail", ""), ("inconclusive", "Inconclusive: "), ("error", "Check broke: ")],
)
def test_a_message_says_what_to_do(status: Status, begin: str) -> None:
    """A message has the outcome, but of a failure, the subject, the condition and the step."""
    found = a_finding(status, organization="acme", action="Register a key", reason="stale")
    result = _result(found)
    where = "acme / Serverless on AWS / us-east-1"
    assert result["message"]["text"] == f"{begin}{where}: It is so. To do: Register a key."
    assert result["properties"] == {
        "status": status,
        "severity": "high",
        "cause": "without-key",
        "reason": "stale",
        "finding": found.id,
        "subject": found.subject.path,
        "evidence": [],
    }


def test_what_is_known_of_a_finding_is_reported() -> None:
    """With a baseline a result says what became of it; of its evidence ten places are named."""
    evidence = tuple(("a.yaml", line) for line in range(1, 13))
    found = a_finding(change="unchanged", since="2026-11-01T00:00:00Z", audits=3, evidence=evidence)
    properties = _result(found)["properties"]
    assert (properties["change"], properties["since"]) == ("unchanged", "2026-11-01T00:00:00Z")
    assert properties["evidence"] == [f"a.yaml:{line}" for line in range(1, 11)]
    assert properties["evidenceTotal"] == 12


def test_a_result_stands_at_its_line() -> None:
    """A result names file and line, relative to the repository, and what Terraform calls it."""
    evidence = (("plans/a b#1.tf", 7, "astra_database.orders[0]"),)
    assert _result(a_finding(evidence=evidence))["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "plans/a%20b%231.tf", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7},
            },
            "logicalLocations": [
                {"fullyQualifiedName": "astra_database.orders[0]", "kind": "resource"}
            ],
        }
    ]


@pytest.mark.parametrize(
    ("evidence", "artifact"),
    [
        ((("/etc/a b.yaml", 1),), {"uri": "file:///etc/a%20b.yaml"}),
        ((("../a.yaml", 1),), {"uri": "file:///repo/a.yaml"}),
        ((("/repo/acme/a:b.yaml", 1),), {"uri": "a%3Ab.yaml", "uriBaseId": "%SRCROOT%"}),
        ((), {"uri": "acme.yaml", "uriBaseId": "%SRCROOT%"}),
    ],
    ids=["elsewhere", "above", "whole-path", "no-evidence"],
)
def test_every_result_has_a_file(evidence: tuple[tuple[str, int], ...], artifact: Json) -> None:
    """A file outside the repository is named by its whole path, and none by the first source."""
    (location,) = _result(a_finding(evidence=evidence))["locations"]
    assert location["physicalLocation"]["artifactLocation"] == artifact
    assert SOURCE.path == "acme.yaml"


def test_what_astra_reported_stands_in_the_same_place_every_night(tmp_path: Path) -> None:
    """A finding about a bundle has the place it had in the bundle before, whatever its name is."""
    nights = [recorded(tmp_path, stated=False).bundle for _ in range(2)]
    assert len(set(nights)) == 2
    places = []
    for number, bundle in enumerate(nights):
        report = report_on(tmp_path, bundle, report_dir=str(tmp_path / f"r{number}"))
        results = _run(render(report.head, report.lines, root=tmp_path))["results"]
        places.append(
            {result["partialFingerprints"].popitem(): result["locations"] for result in results}
        )
    assert places[0] == places[1]
    physical = [location["physicalLocation"] for (location,) in places[0].values()]
    assert {location["artifactLocation"]["uri"] for location in physical} == {"ev/inventory.ndjson"}
    assert {location["region"]["startLine"] for location in physical} == {1}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("{0} {{x}}", "{{0}} {{{{x}}}}"),
        ("[x](1)", r"\[x\](1)"),
        ("keys[0].region", "keys[0].region"),
        ("a\nb\u202e", "a(U+000A)b(U+202E)"),
        ("\u05d0 \U0001f469\u200d\U0001f680", "\u05d0 \U0001f469\u200d\U0001f680"),
    ],
)
def test_messages_hold_no_placeholders_or_links(message: str, shown: str) -> None:
    """Braces are doubled, what would be a link is none, and what cannot be seen is named."""
    assert _result(a_finding(organization="o", message=message))["message"]["text"].endswith(
        f": {shown}"
    )


@given(st.text(min_size=1, max_size=30))
@examples(60)
def test_any_path_becomes_an_address(path: str) -> None:
    """Whatever a path holds, its address reads back as that path."""
    (location,) = _result(a_finding(evidence=((path, 1),)))["locations"]
    artifact = location["physicalLocation"]["artifactLocation"]
    if "uriBaseId" in artifact and "." not in path and "/" not in path:
        assert unquote(artifact["uri"]) == path


# --- the run --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "category", "banners", "is_whole"),
    [
        ({}, "cmek-audit", [], True),
        ({"is_example": True}, "cmek-audit/example", ["EXAMPLE, NOT AUDIT EVIDENCE"], True),
        ({"left_out": "all"}, "cmek-audit/partial", ["PARTIAL RUN, NOT AUDIT EVIDENCE"], False),
    ],
    ids=["audit", "example", "partial"],
)
def test_what_is_no_evidence_closes_no_alert(
    over: Json, category: str, banners: list[str], *, is_whole: bool
) -> None:
    """A partial run and an example are another category of alerts, and say what they are."""
    run = _of(a_finding(), **over)
    report = run["properties"]["report"]
    assert run["automationDetails"]["id"] == f"{category}/{report}"
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is is_whole
    verdict, *others = invocation["toolExecutionNotifications"]
    assert verdict["level"] == "note"
    assert [other["message"]["text"].partition(":")[0] for other in others] == banners


def test_a_check_that_broke_is_no_success() -> None:
    """A run in which a check broke did not succeed: what that check found before is still open."""
    (invocation,) = _of(a_finding("error"))["invocations"]
    assert not invocation["executionSuccessful"]


def test_a_run_names_its_audit(violations: Report) -> None:
    """The run has verdict, time and rules of the record, and nothing of who ran it when."""
    properties = _run(render(violations.head, violations.lines))["properties"]
    open_ones = sum(violations.head["counts"][status] for status in OPEN)
    assert properties == {
        "report": violations.head["report"],
        "verdict": "not compliant",
        "asOf": violations.head["settings"]["as_of"],
        "rules": violations.head["criteria"]["hash"],
        "open": open_ones,
        "leftOut": 0,
        "restsOn": violations.head["evidence_kinds"],
    }
    older: Any = {**violations.head}
    del older["evidence_kinds"]
    assert "restsOn" not in _run(render(older, violations.lines))["properties"]
    run = violations.head["run"]
    other = violations.head | {"run": dict.fromkeys(run, "") | {"exit_code": run["exit_code"]}}
    assert render(other, violations.lines) == render(violations.head, violations.lines)


# --- bounds ---------------------------------------------------------------------------------------


def _left_out(run: Json) -> list[str]:
    notifications = run["invocations"][0]["toolExecutionNotifications"]
    return [
        notification["message"]["text"]
        for notification in notifications
        if "more open findings" in notification["message"]["text"]
    ]


def test_results_beyond_the_limit_are_counted() -> None:
    """Of too many findings the most urgent are kept, and a notification counts the others."""
    given = [a_finding(severity="low"), a_finding(severity="critical"), a_finding("inconclusive")]
    run = _of(*given, limits=SarifLimits(results=2))
    assert [result["properties"]["severity"] for result in run["results"]] == ["critical", "high"]
    assert (run["properties"]["open"], run["properties"]["leftOut"]) == (3, 1)
    assert _left_out(run) == ["1 more open findings are listed in findings.ndjson."]


def test_a_file_that_is_too_large_is_made_smaller() -> None:
    """A log of too many bytes when compressed loses results until it is small enough."""
    given = [a_finding(message=f"{number**99}"[:300]) for number in range(2, 202)]
    whole = _log(*given)
    packed = len(zlib.compress(whole.encode()))
    assert _log(*given, limits=SarifLimits(bytes=packed)) == whole
    text = _log(*given, limits=SarifLimits(bytes=packed - 1))
    assert len(zlib.compress(text.encode())) < packed
    run = _run(text)
    assert (len(run["results"]), run["properties"]["leftOut"]) == (100, 100)
    assert _left_out(run)
    assert _of(*given, limits=SarifLimits(bytes=0))["results"] == []


def test_the_limits_are_githubs() -> None:
    """No more than 25,000 results are written, and no more than 10 MB compressed."""
    assert SarifLimits() == (25_000, 10_000_000)
