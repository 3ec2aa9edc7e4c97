"""The findings for Heimdall: what it reads of them, and that nothing reads better than it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.finding import (
    OPEN,
    STATUSES,
    Finding,
    Status,
    database_id_subject,
    key_id_subject,
)
from checks.engine.outcome import Gate
from inventory.text.deceptive_text import deceptive_positions
from reports.formats.hdf import ACROSS_FILE, IMPACT, RESULT, render_files, render_organization
from reports.formats.registry import FOLDERS
from reports.model import project_address
from reports.page.organizations.links import page_name
from reports.record.stored_lines import StoredLines
from reports.record.writer import Settings
from tests.builders import AS_OF, ORGANIZATION, OTHER_ORGANIZATION, an_organization
from tests.hypothesis_profile import examples
from tests.reports.recording import RULE_IDS, RUN, a_finding, findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Json = dict[str, Any]
    Files = dict[str, Json]

INSPECJS = Path(sys.prefix) / "inspecjs/node_modules/inspecjs"
READ = """
const { convertFile, contextualizeEvaluation } = require(process.argv[1]);
const read = (text) => {
  const found = convertFile(text, true);
  if (!found["1_0_ExecJson"]) throw found.errors["1_0_ExecJson"];
  const [profile] = contextualizeEvaluation(found["1_0_ExecJson"]).contains;
  return profile.contains.map((control) => {
    const { status, severity, parsedNistTags, parsedNistRevision } = control.root.hdf;
    const nist = parsedNistTags.map((tag) => tag.rawText);
    return [control.data.id, status, severity, nist, parsedNistRevision?.revNum ?? null];
  });
};
const texts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map(read)));
"""
needs_inspecjs = pytest.mark.skipif(
    not (shutil.which("node") and INSPECJS.is_dir()),
    reason="no node, or no inspecjs: npm install --prefix .venv/inspecjs inspecjs@2.12.6",
)


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _files(head: Any, lines: Iterable[bytes]) -> Files:  # noqa: ANN401 (a head)
    """Return what each file holds, by its name, which must be one that the registry knows."""
    files = {name: json.loads("".join(parts)) for name, parts in render_files(head, lines)}
    assert [name for name in files if not FOLDERS["hdf"].fullmatch(name)] == []
    return files


def _of(*given: Finding, organizations: Iterable[Any] = (), **over: Any) -> Files:  # noqa: ANN401 (settings are of any type)
    """Render a record of findings, and of organizations."""
    settings = Settings(Context(AS_OF), Gate(), "subject", **over)
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given, organizations, settings)
    return _files(made.head, made.findings.splitlines(keepends=True))


def _controls(document: Json) -> dict[str, Json]:
    (profile,) = document["profiles"]
    return {control["id"]: control for control in profile["controls"]}


def _control(finding: Finding, *others: Finding, **over: Any) -> Json:  # noqa: ANN401 (as above)
    """Return the control of the findings' rule, of which each is a result."""
    (document,) = _of(finding, *others, **over).values()
    return _controls(document)[finding.rule]


def _result(finding: Finding, **over: Any) -> Json:  # noqa: ANN401 (as above)
    (result,) = _control(finding, **over)["results"]
    return dict(result)


def _read(*documents: Json) -> list[list[list[Any]]]:
    """Return what Heimdall's own reader makes of each control of the documents."""
    texts = json.dumps(list(map(json.dumps, documents)))
    done = subprocess.run(
        ["node", "-e", READ, str(INSPECJS)],
        input=texts,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    read: list[list[list[Any]]] = json.loads(done.stdout)
    return read


# --- what Heimdall reads --------------------------------------------------------------------------


@needs_inspecjs
@pytest.mark.parametrize(
    "data",
    [COMPLIANT, VIOLATIONS, pytest.param(HOSTILE, marks=pytest.mark.slow)],
    ids=["good", "bad", "hostile"],
)
def test_heimdall_reads_every_file(tmp_path: Path, data: list[Json]) -> None:
    """Heimdall's own reader accepts the file of each organization, with every rule."""
    report = audit(tmp_path, data)
    files = _files(report.head, report.lines)
    own = [document for name, document in files.items() if name != ACROSS_FILE]
    assert len(own) == len(data)
    for controls in _read(*own):
        assert [control[0] for control in controls] == RULE_IDS
        assert "Profile Error" not in {control[1] for control in controls}


@needs_inspecjs
@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        (["pass"], "Passed"),
        (["pass", "not-applicable"], "Passed"),
        (["pass", "waived"], "Passed"),
        (["pass", "fail"], "Failed"),
        (["pass", "inconclusive"], "Failed"),
        (["inconclusive"], "Failed"),
        (["waived"], "Not Reviewed"),
        (["not-applicable"], "Not Reviewed"),
        (["pass", "error"], "Profile Error"),
        (["fail", "error"], "Profile Error"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_heimdall_sees_no_pass_in_what_is_open(statuses: list[Status], shown: str) -> None:
    """A control is passed only if none of its findings is open, whatever their severity."""
    given = [
        a_finding(status, region=f"r{place}", severity="advisory")
        for place, status in enumerate(statuses)
    ]
    (document,) = _of(*given).values()
    ((_, status, _, nist, revision), *others) = _read(document)[0]
    assert (status, nist, revision) == (shown, ["SC-12"], 5)
    assert {control[1] for control in others} == {"Not Reviewed"}


@needs_inspecjs
@pytest.mark.parametrize(
    ("severity", "shown"),
    [
        ("critical", "critical"),
        ("high", "high"),
        ("medium", "medium"),
        ("low", "low"),
        ("advisory", "low"),
    ],
)
def test_heimdall_sees_the_severity(severity: Severity, shown: str) -> None:
    """A control has the severity of its worst finding that does not comply; none has no impact."""
    given = [a_finding(severity=severity), a_finding("pass", region="other", severity="critical")]
    (document,) = _of(*given).values()
    assert _read(document)[0][0][:3] == ["CMEK-01", "Failed", shown]


# --- complete -------------------------------------------------------------------------------------


def test_every_finding_is_one_result(violations: Report) -> None:
    """Each finding is a result of its rule in the file of its organization, and nothing is lost."""
    files = _files(violations.head, violations.lines)
    wanted = sorted(_place(json.loads(line)) for line in violations.lines)
    found = sorted(
        (name, rule, result["resource_id"], result["status"])
        for name, document in files.items()
        for rule, control in _controls(document).items()
        for result in control["results"]
        if "resource_id" in result
    )
    assert found == wanted


def _place(finding: Json) -> tuple[str, ...]:
    owner = finding["subject"]["organization"]
    file = page_name(owner, owner, "json") if owner else ACROSS_FILE
    return file, finding["rule"], finding["subject"]["path"], RESULT[finding["status"]]


@examples(40)
@given(st.lists(findings(), max_size=6))
def test_any_findings_are_kept(given: list[Finding]) -> None:
    """Whatever findings hold, and in whatever order they come, each is a result, and harmless."""
    files = _of(*given)
    results = [
        (rule, result["resource_id"])
        for document in files.values()
        for rule, control in _controls(document).items()
        for result in control["results"]
        if "resource_id" in result
    ]
    assert sorted(results) == sorted((one.rule, one.subject.path) for one in given)
    assert len(files) == len({one.subject.organization for one in given})
    assert [text for text in _texts(files) if deceptive_positions(text)] == []


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


@pytest.mark.parametrize(
    ("status", "result", "field", "text"),
    [
        ("error", "error", "message", "Check broke: It is so. To do: Look at it."),
        ("fail", "failed", "message", "It is so. To do: Look at it."),
        (
            "inconclusive",
            "failed",
            "message",
            "Could not be judged: It is so. To do: Look at it.",
        ),
        (
            "waived",
            "skipped",
            "skip_message",
            "Fails, and is waived by W-9: It is so. To do: Look at it.",
        ),
        ("pass", "passed", "message", "It is so."),
        ("not-applicable", "skipped", "skip_message", "It is so."),
    ],
)
def test_every_status_has_its_place(status: Status, result: str, field: str, text: str) -> None:
    """A result says what was found, about what, and what to do."""
    open_or_waived: Json = {"action": "Look at it"} if status in {*OPEN, "waived"} else {}
    more: Json = {"waiver": "W-9"} if status == "waived" else {}
    finding = a_finding(status, organization="acme", **open_or_waived, **more)
    assert _result(finding) == {
        "status": result,
        "code_desc": "acme / Serverless on AWS / us-east-1",
        field: f"{text} Finding {finding.id}.",
        "start_time": "2026-11-21T02:00:00Z",
        "resource": "key scope",
        "resource_id": finding.subject.path,
    }


def test_a_result_names_the_first_place() -> None:
    """A result ends with its finding, and where the first fact of it was read."""
    finding = a_finding("pass", evidence=(("acme.yaml", 3), ("plan.json", 7, "astra_database.x")))
    assert _result(finding)["message"] == f"It is so. Finding {finding.id}, see acme.yaml:3."


def test_nothing_else_reads_as_passed() -> None:
    """The tables have every status and severity; only a pass is one, and nothing has no impact."""
    assert (set(RESULT), set(IMPACT)) == ({*STATUSES}, {*SEVERITIES})
    assert [status for status in STATUSES if RESULT[status] == "passed"] == ["pass"]
    assert {status for status in STATUSES if RESULT[status] == "skipped"}.isdisjoint(OPEN)
    assert min(IMPACT.values()) >= 0.1


def test_a_waiver_names_its_last_day(violations: Report) -> None:
    """A waived result says that it fails, by which waiver it is accepted, and until when."""
    files = _files(violations.head, violations.lines)
    control = _controls(files[page_name("acme", "acme", "json")])["CMEK-01"]
    (text,) = [
        result["skip_message"]
        for result in control["results"]
        if result["resource_id"] == "acme/serverless/aws/us-west-2"
    ]
    assert text.startswith("Fails, and is waived by W-active until 2027-03-01: ")


def test_a_control_holds_its_rule() -> None:
    """A control has the rule's texts, the controls of its direct evidence, and counts."""
    control = _control(a_finding("waived", severity="low"), a_finding("pass", region="r"))
    assert len(control.pop("results")) == 2
    desc, refs = control.pop("desc"), control.pop("refs")
    (counted, check, fix) = control.pop("descriptions")
    assert counted == {"label": "findings", "data": "2 findings: 1 waived, 1 pass."}
    assert (check["label"], check["data"]) == ("check", control["title"])
    assert (fix["label"], bool(fix["data"]), bool(desc), bool(refs)) == ("fix", True, True, True)
    assert control == {
        "id": "CMEK-01",
        "title": "Each combination of database type, provider and region in use has its customer "
        "key",
        "tags": {
            "check": "check_scope_has_key",
            "basis": "required",
            "nist": ["Rev_5", "SC-12"],
            "ISO/IEC 27001:2022": ["A.8.24"],
            "SOC 2": ["CC6.1"],
            "CSA CCM 4": ["CEK-11", "CEK-21"],
        },
        "source_location": {},
        "impact": 0.3,
    }


def test_a_control_leads_to_its_rule_once_there_is_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A control links to the page of its rule, but not while the project has no address."""
    monkeypatch.setattr(project_address, "PROJECT_ADDRESS", "")
    bare = _control(a_finding())["refs"]
    monkeypatch.setattr(project_address, "PROJECT_ADDRESS", "https://git.example/acme/suite")
    link = {"url": "https://git.example/acme/suite/blob/v1.2.3/docs/rules.md#cmek-01"}
    assert _control(a_finding())["refs"] == [*bare, link]


def test_only_frameworks_that_are_shown_are_tags() -> None:
    """An audit for one framework names its controls alone."""
    tags = _control(a_finding(), frameworks=("SOC 2",))["tags"]
    assert tags == {"check": "check_scope_has_key", "basis": "required", "SOC 2": ["CC6.1"]}


def test_a_rule_that_found_nothing_was_not_reviewed() -> None:
    """A rule without a subject has one result that is skipped, as a control needs one."""
    (document,) = _of(a_finding()).values()
    controls = _controls(document)
    assert list(controls) == RULE_IDS
    (result,) = controls["CMEK-02"]["results"]
    assert (result["status"], result["skip_message"]) == (
        "skipped",
        "No subject in this organization.",
    )
    assert controls["CMEK-02"]["descriptions"][0]["data"] == "0 findings."


def test_a_partial_run_says_so() -> None:
    """What was not run is no rule without a subject, and the file is marked as no evidence."""
    (document,) = _of(a_finding("pass"), left_out="CMEK-02 was not run").values()
    (result,) = _controls(document)["CMEK-02"]["results"]
    assert result["skip_message"] == "Partial run: CMEK-02 was not run."
    (profile,) = document["profiles"]
    begin = "PARTIAL RUN, NOT AUDIT EVIDENCE / Customer keys in Astra: "
    assert profile["title"] == f"{begin}{ORGANIZATION}"
    assert profile["summary"].startswith("PARTIAL RUN, NOT AUDIT EVIDENCE: CMEK-02 was not run. ")
    assert document["platform"]["release"] == "1.2.3, PARTIAL RUN, NOT AUDIT EVIDENCE"


def test_a_file_names_audit_and_organization(violations: Report) -> None:
    """A file says whose results it holds, of which report, and what the whole audit found."""
    files = _files(violations.head, violations.lines)
    document = files[page_name("labs", "labs", "json")]
    (profile,) = document["profiles"]
    tool, head = violations.head["tool"], violations.head
    assert document["platform"] == {
        "name": "cmek-audit",
        "release": tool["version"],
        "target_id": "labs",
    }
    assert profile["title"] == "Customer keys in Astra: labs"
    assert profile["summary"] == f"The whole audit: {head['verdict']['text']}"
    assert profile["sha256"] == head["criteria"]["hash"]
    assert {one["name"]: one["options"]["value"] for one in profile["attributes"]} == {
        "report": head["report"],
        "as_of": head["settings"]["as_of"],
        "verdict": head["verdict"]["outcome"],
    }


# --- one file for each organization ---------------------------------------------------------------


def test_an_organization_without_findings_has_a_file() -> None:
    """An organization of which nothing was judged has a file in which nothing was reviewed."""
    with TemporaryDirectory() as folder:
        made = record(Path(folder), organizations=[an_organization(name="acme-prod")])
    files = _files(made.head, [])
    assert list(files) == [page_name(ORGANIZATION, "acme-prod", "json")]
    (document,) = files.values()
    statuses = {
        result["status"]
        for control in _controls(document).values()
        for result in control["results"]
    }
    assert statuses == {"skipped"}


def test_findings_across_organizations_have_a_file_of_their_own() -> None:
    """What is of no organization has a file with its rules alone, beside those of organizations."""
    across = a_finding(rule="CMEK-06")._replace(subject=key_id_subject("", "key-1"))
    files = _of(a_finding(), across)
    assert list(files) == [page_name(ORGANIZATION, ORGANIZATION, "json"), ACROSS_FILE]
    assert list(_controls(files[ACROSS_FILE])) == ["CMEK-06"]
    assert files[ACROSS_FILE]["platform"]["target_id"] == "across organizations"


def test_a_finding_that_comes_late_is_in_its_file() -> None:
    """A finding of an organization that comes after those of others is a result of its rule."""
    late = a_finding(rule="CMEK-02")._replace(subject=database_id_subject(ORGANIZATION, "d"))
    given = [
        a_finding(),
        a_finding(rule="CMEK-03"),
        a_finding(organization=OTHER_ORGANIZATION),
        a_finding(rule="CMEK-06")._replace(subject=key_id_subject("", "key-1")),
        late,
        a_finding(rule="CMEK-01", region="late", organization=OTHER_ORGANIZATION),
        a_finding(rule="CMEK-06")._replace(subject=key_id_subject("", "key-2")),
    ]
    found = {
        name: {
            rule: len(control["results"])
            for rule, control in _controls(document).items()
            if "resource_id" in control["results"][0]
        }
        for name, document in _of(*given).items()
    }
    assert found == {
        page_name(ORGANIZATION, ORGANIZATION, "json"): {"CMEK-01": 1, "CMEK-02": 1, "CMEK-03": 1},
        page_name(OTHER_ORGANIZATION, OTHER_ORGANIZATION, "json"): {"CMEK-01": 2},
        ACROSS_FILE: {"CMEK-06": 2},
    }


def test_one_organization_alone_is_the_same(violations: Report) -> None:
    """The file of one organization is the same if it is asked for alone."""
    files = {
        name: "".join(parts) for name, parts in render_files(violations.head, violations.lines)
    }
    alone = render_organization(violations.head, violations.lines, "labs", population=())
    assert alone == files[page_name("labs", "labs", "json")]


def test_two_runs_give_the_same_files(violations: Report) -> None:
    """What differs from run to run is in no file."""
    other = violations.head | {"run": RUN | {"exit_code": violations.head["run"]["exit_code"]}}
    assert _files(other, violations.lines) == _files(violations.head, violations.lines)


def test_lines_are_read_twice(tmp_path: Path) -> None:
    """However many organizations there are, the findings are read twice, and a line at a time."""
    made = record(tmp_path, [a_finding(organization=f"o{number}") for number in range(30)])
    lines = _Counted(tmp_path / "findings.ndjson")
    assert len(_files(made.head, lines)) == 30
    assert lines.turns == 2


class _Counted(StoredLines):
    """Lines that count how often they are read from the beginning."""

    turns = 0

    def __iter__(self) -> Iterator[bytes]:
        self.turns += 1
        return super().__iter__()


def test_what_no_audit_writes_is_refused(tmp_path: Path) -> None:
    """A line in another form, or of a rule that the head does not list, is an error."""
    head = record(tmp_path).head
    with pytest.raises(ValueError, match=re.escape("no finding as an audit writes it")):
        _files(head, [b'{"rule":"CMEK-01"}\n'])
    line = b'{"status":"fail","rule":"CMEK-99","subject":{"path":"a","organization":"a"}}\n'
    with pytest.raises(KeyError, match="CMEK-99"):
        _files(head, [line])
