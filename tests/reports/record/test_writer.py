"""The head of a record."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from checks.engine.context import Context
from checks.engine.finding import STATUSES, Status
from checks.engine.outcome import Gate
from reports.record.layout import canonical, report_id
from reports.record.writer import GivenFile, InputFiles, Settings
from tests.builders import AS_OF, an_organization
from tests.reports.everything import record_of_everything
from tests.reports.recording import RULES, Record, a_finding
from tests.reports.recording import record as make

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.card import Severity


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record an audit that has something to say in every block."""
    one = an_organization(
        keys=[
            a_key(registered={"at": "2026-05-01T00:00:00Z", "by": "acme-it", "on": "2026-05-01"}),
            a_key(region="us-west-2"),
            a_key(region="eu-north-1"),
            a_key(region="eu-north-1", type="managed-clusters"),
        ],
        databases=[
            a_database(regions=["us-east-1", "us-east-2"]),
            a_database(id=uuid(1), regions=["eu-north-1"]),
            a_database(id=uuid(2), regions=["eu-north-1"], type="managed-clusters"),
            a_planned_database(encryption="astra-provided", reason="a trial"),
        ],
    )
    live = Inventory([recorded(tmp_path_factory.mktemp("live")).bundle])
    read = list(live.organizations())
    two = an_organization(id=OTHER_ORGANIZATION, keys=None, captured_at=None, plan=None)
    waiver = Waiver(
        id="W-1",
        rule="CMEK-01",
        subject="acme",
        cause="without-key",
        reason="a pilot",
        requested_by="acme-dev",
        approved_by="acme-security",
        requested_on=moment("2026-11-01").date(),
        approved_on=moment("2026-11-02").date(),
        expires_on=moment("2026-12-01").date(),
        compensating_control="none",
        ticket="ACME-1",
    )
    file = GivenFile("waivers.yaml", "0" * 64)
    given = InputFiles((file,), file._replace(path="controls.yaml"), baseline=file)
    broken = a_finding("error", reason="check-broke", action="Report this")
    waived = a_finding("waived", region="eu-west-1", action="Register a key", waiver="W-1")
    aged = a_finding(change="new", since=CAPTURED, audits=1)
    made = make(
        tmp_path_factory.mktemp("record"),
        [broken, waived, aged],
        [*read, one, two],
        Settings(Context(AS_OF), Gate(), "subject", given=given),
        [(waiver, "expiring")],
        [*live.sources, SOURCE],
    )
    head = made.head | {"changes": every_change()}
    return made._replace(head=head | {"report": report_id(head)})


def _plain(finding: Finding) -> dict[str, Any]:
    """Return what the line of ``finding`` has to say, found out in another way."""
    data = finding._asdict()
    data["subject"] = dict(
        zip(("kind", "path", *Subject._fields[2:]), finding.subject, strict=True)
    )
    data["subject"] = {
        name: value
        for name, value in data["subject"].items()
        if value or name in {"kind", "path", "organization"}
    }
    data |= {"id": finding.id, "evidence": [list(place) for place in finding.evidence]}
    if finding.databases:
        data["existing"] = str(finding.existing)
    kept = {name: value for name, value in data.items() if value or name == "evidence"}
    return kept | ({"existing": finding.existing} if finding.databases else {})


# --- the line of a finding ------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(finding=findings())
def test_a_line_says_all_of_its_finding_and_nothing_else(finding: Finding) -> None:
    """The line of a finding, read as JSON, holds each of its fields that is not empty."""
    assert json.loads(encode(finding)) == _plain(finding)


@settings(deadline=None, max_examples=200)
@given(finding=findings())
def test_a_line_is_one_line_of_visible_ascii(finding: Finding) -> None:
    """Whatever stands in a finding, its line has only printable ASCII and no end of line in it."""
    assert {character for character in encode(finding) if not " " <= character <= "~"} == set()


@settings(deadline=None, max_examples=200)
@given(finding=findings())
def test_every_line_fits_the_schema(finding: Finding) -> None:
    """The line of any finding that a judge can give is valid by the published schema."""
    assert [error.message for error in LINES.iter_errors(json.loads(encode(finding)))] == []


def test_a_line_has_its_keys_in_a_fixed_order() -> None:
    """Status, rule and id come first, so that lines can be told apart at a glance."""
    finding = a_finding(
        "waived", reason="r", action="Act", name="acme", databases=2, existing=1, waiver="W-1"
    )._replace(evidence=(("acme.yaml", 7),))
    keys = ["status", "rule", "id", "severity", "subject", "cause", "name", "message"]
    keys += ["reason", "action", "action_id", "waiver", "databases", "existing", "evidence"]
    assert list(json.loads(encode(finding))) == keys


def test_the_age_of_a_finding_stands_in_its_line() -> None:
    """What became of an open finding, since when it is open and how often follow its action."""
    finding = a_finding(action="Act", change="unchanged", since=CAPTURED, audits=2, databases=1)
    keys = [
        "status",
        "rule",
        "id",
        "severity",
        "subject",
        "cause",
        "message",
        "action",
        "action_id",
    ]
    keys += ["change", "since", "audits", "databases", "existing", "evidence"]
    assert list(json.loads(encode(finding))) == keys


def test_a_lone_surrogate_survives_in_a_line() -> None:
    """A name that is no valid Unicode is recorded and read back as it was."""
    line = encode(a_finding(name="acme-\ud800"))
    assert (line.isascii(), json.loads(line)["name"]) == (True, "acme-\ud800")


# --- the schemas ----------------------------------------------------------------------------------


def _objects(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for name, each in schema.items():
            yield from _objects(each, f"{path}/{name}")
    elif isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from _objects(each, f"{path}/{index}")


@pytest.mark.parametrize("schema", [HEAD_SCHEMA, FINDING_SCHEMA], ids=["audit", "finding"])
def test_the_schemas_are_schemas(schema: dict[str, Any]) -> None:
    """Both files are valid schemas of the draft they name."""
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("schema", [HEAD_SCHEMA, FINDING_SCHEMA], ids=["audit", "finding"])
def test_the_schemas_are_closed(schema: dict[str, Any]) -> None:
    """No object of the record takes fields that the schema does not know, but for the packages."""
    open_to_more = {
        path for path, each in _objects(schema) if each.get("additionalProperties") is not False
    }
    assert open_to_more <= {"/properties/run/properties/packages"}


@pytest.mark.parametrize("schema", [HEAD_SCHEMA, FINDING_SCHEMA], ids=["audit", "finding"])
def test_the_schemas_explain_numbers(schema: dict[str, Any]) -> None:
    """Every plain number of the record is described in words, and with its unit if it has one."""
    silent = {
        f"{path}/{name}"
        for path, each in _objects(schema)
        for name, field in each.get("properties", {}).items()
        if field.get("type") == "integer" and not field.get("description")
    }
    assert silent - _COUNTED_BY_STATUS == set()


_COUNTED_BY_STATUS = {
    f"/properties/actions/items/properties/statuses/{status}"
    for status in ("error", "fail", "inconclusive")
}


def test_the_schema_is_of_the_recorded_version() -> None:
    """The version that the schema demands is the one that the suite writes."""
    assert HEAD_SCHEMA["properties"]["schema"] == {
        "description": "The version of this format.",
        "const": writer.SCHEMA,
    }


def test_the_schema_knows_every_field_of_a_finding() -> None:
    """A line has the fields of a finding and its id, but for those who attested it."""
    assert set(FINDING_SCHEMA["properties"]) == {*Finding._fields, "id"} - {"attested_by"}


def test_the_schema_knows_every_field_of_a_subject() -> None:
    """The schema of a subject has its fields, and no other."""
    assert set(FINDING_SCHEMA["properties"]["subject"]["properties"]) == set(Subject._fields)


def test_the_schema_knows_every_field_of_a_rule() -> None:
    """The schema of a rule has the fields of its card, its controls and its counts."""
    rules = HEAD_SCHEMA["properties"]["criteria"]["properties"]["rules"]["items"]
    assert set(rules["properties"]) == {
        *(name for name, field in Card.model_fields.items() if not field.exclude),
        "controls",
        "counts",
    }


def test_the_schema_knows_every_field_of_a_source() -> None:
    """The schema of a source has the fields of what describes a file, and no other."""
    sources = HEAD_SCHEMA["properties"]["population"]["properties"]["sources"]["items"]
    assert set(sources["properties"]) == set(Source.model_fields)


def test_the_schema_knows_every_field_of_evidence() -> None:
    """The schema tells of a bundle what its manifest says, both as a source and as evidence."""
    source = HEAD_SCHEMA["properties"]["population"]["properties"]["sources"]["items"]
    made, _ = source["properties"]["evidence"]["oneOf"]
    bundle = HEAD_SCHEMA["properties"]["evidence"]["items"]
    own = {"path", "first_answer", "last_answer", "exchanges", "exchanges_total"}
    assert set(made["properties"]) == set(Evidence.model_fields)
    assert set(bundle["properties"]) == {*Evidence.model_fields, *own}
    assert bundle["properties"]["exchanges"]["maxItems"] == evidence.MOST_LISTED


def test_the_schema_knows_every_field_of_a_reading() -> None:
    """The schema of a reading has its fields, and no other."""
    rows = HEAD_SCHEMA["properties"]["population"]["properties"]["organizations"]["items"]
    readings = rows["properties"]["readings"]["items"]
    assert set(readings["properties"]) == set(Reading.model_fields)


def test_the_schema_knows_every_field_of_a_waiver() -> None:
    """The schema of a waiver has its fields, its state and its place, and no other."""
    waivers = HEAD_SCHEMA["properties"]["waivers"]["items"]
    assert set(waivers["properties"]) == {*Waiver.model_fields, "state", "file", "line"}


def _at(schema: dict[str, Any], path: str) -> list[str]:
    place: Any = schema
    for step in path.split("/"):
        place = place[step]
    return sorted(place["enum"])


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$defs/status", STATUSES),
        ("$defs/severity", SEVERITIES),
        ("properties/subject/properties/kind", get_args(Kind)),
    ],
)
def test_the_schema_of_lines_lists_what_there_is(path: str, values: tuple[str, ...]) -> None:
    """Where the schema of a line lists values, it lists those that the suite knows."""
    assert _at(FINDING_SCHEMA, path) == sorted(values)


_POPULATION = "properties/population/properties"
_CELL = "properties/coverage/items/properties/cells/items/properties"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$defs/status", STATUSES),
        ("$defs/severity", SEVERITIES),
        ("properties/verdict/properties/word", tuple(VERDICTS)),
        ("properties/settings/properties/grouping", get_args(Mode)),
        (f"{_POPULATION}/sources/items/properties/role", get_args(Role)),
        (f"{_POPULATION}/sources/items/properties/format", get_args(FileFormat)),
        (
            f"{_POPULATION}/organizations/items/properties/gaps/items/properties/fact",
            get_args(Fact),
        ),
        (
            f"{_POPULATION}/organizations/items/properties/readings/items/properties/fact",
            ("identity", *get_args(Fact)),
        ),
        (
            f"{_POPULATION}/organizations/items/properties/reconciliation/items/properties/what",
            tuple(comparisons.COUNTED),
        ),
        ("properties/waivers/items/properties/state", get_args(State)),
        (f"{_CELL}/state", coverage.STATES),
    ],
)
def test_the_schema_of_the_head_lists_what_there_is(path: str, values: tuple[str, ...]) -> None:
    """Where the schema of the head lists values, it lists those that the suite knows."""
    assert _at(HEAD_SCHEMA, path) == sorted(values)


def test_every_reason_for_a_gap_fits_the_schema() -> None:
    """The codes that tell why a fact is missing have the form that the schema asks for."""
    path = HEAD_SCHEMA["properties"]["population"]["properties"]["organizations"]["items"]
    reason = path["properties"]["gaps"]["items"]["properties"]["reason"]
    validator = Draft202012Validator(reason)
    assert {get_arg for get_arg in get_args(GapReason) if not validator.is_valid(get_arg)} == set()


def test_a_whole_record_fits_the_schemas(audited: Record) -> None:
    """The head and every line of an audit with findings of each status are valid."""
    wrong = [error.message for error in HEADS.iter_errors({**audited.head, "run": RUN})]
    lines = [json.loads(line) for line in audited.findings.splitlines()]
    wrong += [error.message for line in lines for error in LINES.iter_errors(line)]
    assert (wrong, {line["status"] for line in lines}) == ([], set(STATUSES))


def test_the_audit_under_test_fills_every_block(audited: Record) -> None:
    """The record on which the schema is tried leaves none of its lists empty."""
    empty = {name for name, value in audited.head.items() if value in ([], {}, "")}
    plan = {name for name, value in audited.head["key_plan"]["lists"].items() if not value}
    assert (empty, plan) == (set(), set())


def _paths(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every part of ``data``, of lists the first entry only."""
    if path:
        yield path
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _paths(value, (*path, name))
    elif isinstance(data, list) and data:
        yield from _paths(data[0], (*path, 0))


def _changed(data: object, path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed: Any = copy.deepcopy(data)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed  # type: ignore[no-any-return]


def _part(data: object, path: tuple[str | int, ...]) -> object:
    place: Any = data
    for step in path:
        place = place[step]
    return place


_MAY_BE_ANYTHING = {("run", "packages")}


def test_no_part_of_a_head_may_change_its_type(audited: Record) -> None:
    """The schema refuses a head in which any one part has become another type."""
    head = {**audited.head, "run": RUN}
    accepted = {
        path
        for path in _paths(head)
        if HEADS.is_valid(
            _changed(head, path, 0.5 if isinstance(_part(head, path), list) else ["a list"])
        )
    }
    assert accepted == set()


def test_no_part_of_a_head_may_have_one_field_more_or_less(audited: Record) -> None:
    """The schema refuses a head with a field that it does not know, or without one that it does."""
    head = {**audited.head, "run": RUN}
    objects = {path: part for path in _paths(head) if isinstance(part := _part(head, path), dict)}
    accepted = set()
    for path, part in {(): head, **objects}.items():
        for altered in (part | {"more": 1}, *({**part, name: ...} for name in part)):
            left = {name: value for name, value in altered.items() if value is not ...}
            if HEADS.is_valid(_changed(head, path, left) if path else left):
                accepted.add(path)
    counted_by_status = {path for path in objects if path[-1:] in {("statuses",), ("answers",)}}
    assert accepted - counted_by_status - _MAY_BE_ANYTHING == set()


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"status": "ok"},
        {"rule": "CMEK-1"},
        {"id": "0123"},
        {"severity": "severe"},
        {"message": ""},
        {"reason": "Not a code"},
        {"name": 1},
        {"databases": 0},
        {"databases": "1"},
        {"existing": None},
        {"waiver": "W-1"},
        {"evidence": [["acme.yaml"]]},
        {"evidence": [["acme.yaml", 1, 2]]},
        {"evidence": [["acme.yaml", -1]]},
        {"evidence": [[1, "acme.yaml"]]},
        {"subject": "acme"},
        {"subject": {"kind": "organization", "path": "acme"}},
        {"subject": {"kind": "thing", "path": "acme", "organization": "acme"}},
        {"subject": {"kind": "organization", "path": "a b", "organization": "acme"}},
        {"subject": {"kind": "organization", "path": "a", "organization": "a", "region": ""}},
        {"subject": {"kind": "organization", "path": "a", "organization": "a", "more": 1}},
    ],
    ids=str,
)
def test_a_line_that_was_tampered_with_does_not_fit(change: dict[str, Any]) -> None:
    """The schema refuses a line with a field too many, or of another type or form."""
    line = json.loads(encode(a_finding(action="Act", databases=1, existing=1)))
    assert (LINES.is_valid(line), LINES.is_valid(line | change)) == (True, False)


@pytest.mark.parametrize(
    "name", ["status", "rule", "id", "severity", "subject", "message", "evidence"]
)
def test_a_line_without_what_every_line_has_does_not_fit(name: str) -> None:
    """The schema refuses a line that lacks one of the fields that all lines have."""
    line = json.loads(encode(a_finding(action="Act")))
    del line[name]
    assert not LINES.is_valid(line)


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("pass", {"reason": "not-recorded"}),
        ("inconclusive", {}),
        ("not-applicable", {}),
        ("error", {}),
        ("waived", {}),
        ("fail", {"waiver": "W-1"}),
    ],
)
def test_a_status_asks_for_its_fields(status: str, over: dict[str, str]) -> None:
    """A line has a reason if it was not judged, a waiver if it is waived, and else neither."""
    line = json.loads(encode(a_finding("fail", action="Act")))
    assert not LINES.is_valid(line | {"status": status} | over)


# --- the file of findings -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 1_999, 2_000, 2_001, 4_500])
def test_the_head_tells_the_file_of_findings(tmp_path: Path, count: int) -> None:
    """Name, hash, size and number of lines of the file are those that stand in the head."""
    made = make(tmp_path, (a_finding(region=f"r{number}") for number in range(count)))
    assert made.head["findings"] == {
        "file": "findings.ndjson",
        "sha256": hashlib.sha256(made.findings).hexdigest(),
        "bytes": len(made.findings),
        "count": count,
    }
    assert made.findings.count(b"\n") == count


def test_findings_stand_in_the_order_in_which_they_were_found(tmp_path: Path) -> None:
    """The file keeps the order of the audit, whatever their status."""
    regions = ["us-west-2", "ap-south-1", "eu-west-1"]
    made = make(tmp_path, [a_finding(region=region) for region in regions])
    lines = [json.loads(line) for line in made.findings.splitlines()]
    assert [line["subject"]["region"] for line in lines] == regions


def test_a_recorder_that_is_stopped_writes_nothing_more(tmp_path: Path) -> None:
    """Findings that were waiting to be written are dropped when the recorder is stopped."""
    recorder = Recorder(tmp_path)
    recorder.add(a_finding())
    recorder.stop()
    assert (tmp_path / writer.FINDINGS).read_bytes() == b""


# --- the head -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(run=st.dictionaries(st.text(), st.text() | st.integers()))
def test_the_report_id_does_not_depend_on_the_run(run: dict[str, Any]) -> None:
    """Two runs that found the same have the same report id, whatever differed between them."""
    body = {"counts": {"pass": 1}, "title": "t"}
    assert report_id({**body, "run": run, "report": "earlier"}) == report_id(body)


def test_the_report_id_depends_on_everything_else(audited: Record) -> None:
    """Whichever part of the head changes, but the run, the report id changes with it."""
    body = {name: value for name, value in audited.head.items() if name != "report"}
    same = {name for name in body if report_id({**body, name: "other"}) == report_id(body)}
    assert same == set()


def test_the_head_is_named_by_what_it_holds(audited: Record) -> None:
    """The report id in the head is the hash of the rest of the head."""
    rest = {name: value for name, value in audited.head.items() if name != "report"}
    text = json.dumps(rest, indent=1, ensure_ascii=True) + "\n"
    assert audited.head["report"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_same_evidence_gives_the_same_head(tmp_path: Path) -> None:
    """Two audits of the same organizations, as of the same time, give the same bytes."""
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one = make(tmp_path / "1", organizations=[an_organization()])
    two = make(tmp_path / "2", organizations=[an_organization()])
    assert (canonical(one.head), *one[1:]) == (canonical(two.head), *two[1:])


def test_every_rule_stands_in_the_head(tmp_path: Path) -> None:
    """All rules are listed with counts of every status, also those that had no subject."""
    rules = make(tmp_path, [a_finding("fail"), a_finding("pass", region="r2")]).head["criteria"][
        "rules"
    ]
    counts = {rule["id"]: rule["counts"] for rule in rules}
    none = dict.fromkeys(STATUSES, 0)
    assert counts == {rule.card.id: none for rule in RULES} | {
        "CMEK-01": none | {"fail": 1, "pass": 1}
    }


def test_every_rule_names_the_controls_it_serves(audited: Record) -> None:
    """Each rule in the head tells at least one control, with its framework and strength."""
    silent = {rule["id"] for rule in audited.head["criteria"]["rules"] if not rule["controls"]}
    assert silent == set()


def test_the_head_counts_findings_once(audited: Record) -> None:
    """The counts by status, by rule and in the file of findings come to the same."""
    head = audited.head
    by_rule = {
        status: sum(rule["counts"][status] for rule in head["criteria"]["rules"])
        for status in STATUSES
    }
    assert (by_rule, sum(by_rule.values())) == (head["counts"], head["findings"]["count"])


def test_open_findings_are_counted_by_severity(tmp_path: Path) -> None:
    """What fails, broke or could not be judged is open; what is waived or passes is not."""
    severities: dict[Status, Severity] = {
        "error": "critical",
        "fail": "high",
        "inconclusive": "medium",
        "waived": "low",
        "pass": "low",
        "not-applicable": "advisory",
    }
    each = [a_finding(status, severity=severity) for status, severity in severities.items()]
    expected = {"critical": 1, "high": 1, "medium": 1, "low": 0, "advisory": 0}
    assert make(tmp_path, each).head["open"] == expected


def test_the_head_states_how_the_audit_was_made(tmp_path: Path) -> None:
    """Time, freshness, gate, grouping and what was left out stand in the head as they were set."""
    made = Settings(
        Context(AS_OF, kms="none"),
        Gate("high", allow_inconclusive=True, new_only=True),
        "rule",
        is_example=True,
        is_default=True,
        left_out="1 of 16 groups",
        mode="live",
        given=InputFiles(
            (GivenFile("w.yaml", "1" * 64),),
            GivenFile("c.yaml", "2" * 64),
            baseline=GivenFile("b/audit.json", "3" * 64),
            terraform_organizations=("astra.eu=one",),
            terraform_source="infra",
            terraform_files=(GivenFile("infra/main.tf", "4" * 64),),
        ),
    )
    assert make(tmp_path, settings=made).head["settings"] == {
        "as_of": "2026-11-21T02:00:00Z",
        "max_age_seconds": 30 * 24 * 60 * 60,
        "kms": "none",
        "fail_on": "high",
        "allow_inconclusive": True,
        "grouping": "rule",
        "mode": "live",
        "example": True,
        "default_example": True,
        "left_out": "1 of 16 groups",
        "no_waivers": False,
        "waiver_files": [{"path": "w.yaml", "sha256": "1" * 64}],
        "controls_file": {"path": "c.yaml", "sha256": "2" * 64},
        "fail_on_new": True,
        "baseline_file": {"path": "b/audit.json", "sha256": "3" * 64},
        "terraform_organizations": ["astra.eu=one"],
        "terraform_source": "infra",
        "terraform_files": [{"path": "infra/main.tf", "sha256": "4" * 64}],
    }


def test_the_head_names_the_tool(tmp_path: Path) -> None:
    """Name and version of the program are outside of what differs from run to run."""
    assert make(tmp_path).head["tool"] == {"name": "cmek-audit", "version": "1.2.3"}
