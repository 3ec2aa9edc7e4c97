"""The assessment results: valid by NIST's schema, sound, whole, and never better than the audit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.finding import NOT_COMPLYING, STATUSES, Finding, key_id_subject
from reports.formats.oscal.assessment_results import render, render_parts
from reports.formats.registry import RENDERABLE
from reports.record.stored_lines import StoredLines
from tests.hypothesis_profile import examples
from tests.reports.everything import record_of_everything
from tests.reports.oscal_reading import (
    by_finding,
    property_of,
    read_result,
    read_results,
    without_twins,
)
from tests.reports.recording import RUN, a_finding, findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, audit
from tests.reports.waiving import a_request, a_waiver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.reports.recording import Record

_SEVERAL = st.lists(findings(), max_size=5, unique_by=lambda finding: finding.id)


def _lines(made: Record) -> list[bytes]:
    return made.findings.splitlines(keepends=True)


def _render(folder: Path, given_findings: Iterable[Finding], **over: Any) -> str:  # noqa: ANN401 (as ``record`` takes it)
    made = record(folder, given_findings, **over)
    return render(made.head, _lines(made))


# --- valid and whole ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [COMPLIANT, VIOLATIONS, pytest.param(HOSTILE, marks=pytest.mark.slow)],
    ids=["good", "bad", "hostile"],
)
def test_results_are_valid(tmp_path: Path, data: list[Any]) -> None:
    """What an audit finds is valid by NIST's schema, and has each of its findings."""
    report = audit(tmp_path, data, WAIVERS)
    result = read_result(render(report.head, report.lines))
    shown = by_finding(result["observations"])
    recorded = {finding["id"]: finding for finding in map(json.loads, report.lines)}
    assert {key: property_of(item, "status") for key, item in shown.items()} == {
        key: finding["status"] for key, finding in recorded.items()
    }
    with_risk = {key for key, finding in recorded.items() if finding["status"] in NOT_COMPLYING}
    assert by_finding(result["risks"]).keys() == with_risk if with_risk else "risks" not in result


@examples(20)
@given(_SEVERAL)
def test_any_findings_are_valid(tmp_path_factory: Any, given_findings: list[Finding]) -> None:  # noqa: ANN401 (pytest has no public type)
    """Whatever findings hold, the document is valid, sound, and has each of them."""
    folder = tmp_path_factory.mktemp("any")
    result = read_result(_render(folder, given_findings))
    shown = by_finding(result.get("observations", []))
    assert shown.keys() == {finding.id for finding in given_findings}


def test_a_record_of_everything_is_valid(tmp_path: Path) -> None:
    """A record that fills every block is valid, with all its attestations and waivers."""
    made = record_of_everything(tmp_path / "live", tmp_path)
    result = read_result(render(made.head, without_twins(made.findings)))
    stated = [item for item in result["observations"] if "TEST" not in item["methods"]]
    total = len(made.head["attestations"]) + len(made.head["waivers"])
    assert len(stated) == total > 1


def test_every_state_of_a_waiver_is_valid(tmp_path: Path) -> None:
    """Waivers that count, that do not, and requests, make a sound document together."""
    given_findings = [
        a_finding("waived", waiver="W-1"),
        a_finding(region="r1", cause="older"),
        a_finding(region="r2"),
    ]
    waivers = [
        (a_waiver(), "active"),
        (a_waiver(id="W-2", subject=given_findings[1].subject.path, cause="older"), "expired"),
        (a_request(id="W-3", subject=given_findings[2].subject.path), "requested"),
        (a_waiver(id="W-4", subject="x"), "unmatched"),
    ]
    result = read_result(_render(tmp_path, given_findings, waivers=waivers))
    assert [risk["status"] for risk in result["risks"]] == [
        "deviation-approved",
        "open",
        "deviation-requested",
    ]


def test_an_audit_without_findings_is_valid(tmp_path: Path) -> None:
    """Where nothing was found there is a result still, with all rules, and nothing is satisfied."""
    text = _render(tmp_path, [])
    result = read_result(text)
    assert result.keys().isdisjoint({"findings", "observations", "risks"})
    assert read_results(text)["local-definitions"]["activities"]
    assert property_of(result, "verdict") == "nothing judged"


# --- nothing reads as passed that is not ----------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_only_a_pass_is_satisfied(tmp_path: Path, status: Any) -> None:  # noqa: ANN401 (one of the statuses)
    """The word *satisfied* is in the document only if the one finding of the audit passes."""
    finding = a_finding(status, waiver="W-1" if status == "waived" else "")
    finding = finding._replace(reason="" if status in {"pass", "fail", "waived"} else "stale")
    text = _render(tmp_path, [finding])
    result = read_result(text)
    assert ('"satisfied"' in text) is (status == "pass")
    assert len(result.get("risks", [])) == (status in NOT_COMPLYING)
    assert "closed" not in {risk["status"] for risk in result.get("risks", [])}


def test_a_finding_of_no_organization_has_its_place(tmp_path: Path) -> None:
    """A key id across organizations is an item of its own, with its risk and its finding."""
    across = a_finding(rule="CMEK-06", subject=key_id_subject("", "k"))
    result = read_result(_render(tmp_path, [across]))
    (item,) = result["local-definitions"]["inventory-items"]
    assert (property_of(item, "asset-id"), property_of(item, "key")) == ("./key-id/k", "k")
    assert [risk["status"] for risk in result["risks"]] == ["open"]
    (found,) = result["findings"]
    assert found["target"]["status"]["state"] == "not-satisfied"
    assert found["title"].endswith("across organizations")


# --- the file -------------------------------------------------------------------------------------


def test_the_plan_is_the_record(tmp_path: Path) -> None:
    """The assessment plan that OSCAL demands is the record, which has rules and settings."""
    results = read_results(_render(tmp_path, [a_finding()]))
    reference = results["import-ap"]["href"].removeprefix("#")
    (plan,) = [item for item in results["back-matter"]["resources"] if item["uuid"] == reference]
    assert plan["rlinks"] == [{"href": "audit.json"}]


def test_the_same_audit_has_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of who ran the audit when is in the document, and it is read from files alike."""
    report = audit(tmp_path, VIOLATIONS, WAIVERS)
    text = render(report.head, report.lines)
    run = report.head["run"]
    other = report.head | {"run": RUN | {"formats": run["formats"]}}
    assert render(other, StoredLines(report.folder / "findings.ndjson")) == text
    parts = list(render_parts(report.head, report.lines))
    assert ("".join(parts), len(parts) > 100) == (text, True)


def test_an_audit_writes_it_on_request(tmp_path: Path) -> None:
    """The format is registered under its name, and part of no audit that does not ask for it."""
    row = RENDERABLE["oscal"]
    report = audit(tmp_path, COMPLIANT)
    assert row.render(report.head, report.lines, report.population) == render(
        report.head, report.lines
    )
    assert not row.is_default
    assert not (report.folder / row.file).exists()
