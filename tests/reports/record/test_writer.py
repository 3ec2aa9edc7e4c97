"""The head of a record."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from checks.engine.context import Context
from checks.engine.controls import read_controls
from checks.engine.finding import STATUSES, Status
from checks.engine.outcome import Gate
from reports.record.layout import canonical, report_id
from reports.record.writer import GivenFile, InputFiles, Settings
from tests.builders import AS_OF, a_key, an_organization
from tests.reports.everything import record_of_everything
from tests.reports.recording import RULES, Record, a_finding
from tests.reports.recording import record as make

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.card import Severity


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record an audit that has something to say in every block."""
    return record_of_everything(tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("record"))


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
        Context(AS_OF, kms="none", rotation_days=365),
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
            history=(GivenFile("a/audit.json", "5" * 64),),
            terraform_organizations=("astra.eu=one",),
            terraform_source="infra",
            terraform_files=(GivenFile("infra/main.tf", "4" * 64),),
        ),
        frameworks=("SOC 2",),
    )
    assert make(tmp_path, settings=made).head["settings"] == {
        "as_of": "2026-11-21T02:00:00Z",
        "max_age_seconds": 30 * 24 * 60 * 60,
        "kms": "none",
        "rotation_days": 365,
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
        "frameworks": ["SOC 2"],
        "fail_on_new": True,
        "baseline_file": {"path": "b/audit.json", "sha256": "3" * 64},
        "history_files": [{"path": "a/audit.json", "sha256": "5" * 64}],
        "terraform_organizations": ["astra.eu=one"],
        "terraform_source": "infra",
        "terraform_files": [{"path": "infra/main.tf", "sha256": "4" * 64}],
    }


def test_the_head_names_the_tool(tmp_path: Path) -> None:
    """Name and version of the program are outside of what differs from run to run."""
    assert make(tmp_path).head["tool"] == {"name": "cmek-audit", "version": "1.2.3"}


def test_the_head_describes_each_control_once(tmp_path: Path) -> None:
    """Each framework has what its evidence leaves open, and its controls in words, by their ids."""
    frameworks = make(tmp_path).head["criteria"]["frameworks"]
    assert [framework["name"] for framework in frameworks] == [
        framework.name for framework in read_controls().frameworks
    ]
    [soc] = [framework for framework in frameworks if framework["name"] == "SOC 2"]
    assert [control["id"] for control in soc["controls"]] == ["A1.2", "CC2.1", "CC6.1", "CC8.1"]
    assert soc["controls"][3]["title"] == (
        "Changes are authorized, tested, approved and put in place"
    )
    assert "It does not show authorization" in soc["controls"][3]["not_shown"]
    assert "the whole period" in soc["not_shown"]


def test_the_head_counts_what_rests_on_attestations(tmp_path: Path) -> None:
    """Databases, passes of the other rules, and the people on whose word they rest, are numbers."""
    word = {"by": "Bob Example", "on": "2026-11-01"}
    at = {"at": "2026-01-01T00:00:00Z", "by": "Ada Example", "on": "2026-01-01"}
    plan = {"paid": True, "by": "ada example", "on": "2026-11-01"}
    keys = [a_key(registered=at, rotation=word | {"automatic": True})]
    head = make(tmp_path, organizations=[an_organization(keys=keys, plan=plan)]).head
    assert head["attested"] == {
        "databases": {"attested": 1, "total": 1},
        "passes": {
            "CMEK-08": {"attested": 1, "total": 1},
            "CMEK-11": {"attested": 1, "total": 1},
        },
        "people": 2,
    }


def test_the_head_counts_on_which_evidence_passes_rest(tmp_path: Path) -> None:
    """Passes and protected databases are counted by the kind of evidence, and add up."""
    look = a_finding("pass", "CMEK-17", rests_on="portal")
    head = make(tmp_path, [look], [an_organization()]).head
    kinds = head["evidence_kinds"]
    assert (kinds["passes"]["portal"], sum(kinds["passes"].values())) == (1, head["counts"]["pass"])
    assert sum(kinds["databases"].values()) == head["protection"]["protected"]
    assert kinds["databases"] == head["coverage"][0]["proven_by"]
