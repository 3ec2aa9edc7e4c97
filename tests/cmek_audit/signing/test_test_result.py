"""The result that is signed: never better than what the record gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.option_values import parse_options
from cmek_audit.signing import test_result
from cmek_audit.signing.test_result import state_result
from inventory.errors import RecordError
from reports.record.reader import read_record
from tests.builders import document_data, organization_data, write_yaml
from tests.inventory.past.nights import night_at, write_nights
from tests.reports.live import recorded, report_on
from tests.reports.samples import (
    AS_OF,
    COMPLIANT,
    RUN,
    Report,
    audit,
    run_rules,
    save,
    save_inventory,
)
from tests.wiring.runs import advisory, compliant, mixed, unpaid, unsettled, violating, waiver_data

if TYPE_CHECKING:
    from cmek_audit.signing.statement import TestResult


def result_of(folder: Path, data: Any, **options: Any) -> TestResult:  # noqa: ANN401 (as options are)
    """Audit ``data``, and return what is stated of it."""
    inventory = save(folder / "inventory.json", **data)
    values = {"inventory": (str(inventory),), "as_of": AS_OF, "report_dir": str(folder / "r")}
    run_rules(parse_options(values | options))
    return state_result(read_record(folder / "r"), {}).predicate


def waived(folder: Path) -> tuple[str, ...]:
    waivers = save(folder / "waivers.json", **{"cmek-waivers": 1, "waivers": [waiver_data()]})
    return (str(waivers),)


def test_all_that_passes_is_passed(tmp_path: Path) -> None:
    """Where everything was judged and complies, the result is PASSED, with counts by rule."""
    result = result_of(tmp_path, compliant())
    assert (result.result, result.warned, result.failed) == ("PASSED", (), ())
    assert "CMEK-01: 1 of 1 findings pass" in result.passed


@pytest.mark.parametrize("data", [violating(), unsettled(), unpaid(), mixed()])
def test_what_fails_or_is_inconclusive_is_failed(tmp_path: Path, data: Any) -> None:  # noqa: ANN401
    """A failure at the gate, and all that could not be judged, makes the whole FAILED."""
    result = result_of(tmp_path, data)
    assert result.result == "FAILED"
    assert result.failed


def test_what_could_not_be_judged_never_passes(tmp_path: Path) -> None:
    """What is inconclusive is failed here, even where a pipeline lets it go on."""
    result = result_of(tmp_path, unsettled(), allow_inconclusive=True)
    assert result.result == "FAILED"
    assert result.failed


def test_what_does_not_stop_is_a_warning(tmp_path: Path) -> None:
    """An advisory, a failure below the gate and a waived one are warnings, and named."""
    cases: tuple[tuple[Any, dict[str, Any]], ...] = (
        (advisory(), {}),
        (unpaid(), {"fail_on": "high"}),
        (unpaid(), {"waivers": waived(tmp_path)}),
    )
    for number, (data, options) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = result_of(folder, data, **options)
        assert (result.result, result.failed) == ("WARNED", ())
        assert len(result.warned) >= 1


def test_what_the_baseline_knows_is_a_warning(tmp_path: Path) -> None:
    """With --cmek-fail-on-new, what the baseline knows does not stop, and is named."""
    first = tmp_path / "first"
    first.mkdir()
    assert result_of(first, unpaid(), as_of="2026-11-20T23:00:00Z").result == "FAILED"
    baseline = str(first / "r" / "audit.json")
    result = result_of(tmp_path, unpaid(), baseline=baseline, fail_on_new=True)
    assert (result.result, len(result.warned), result.failed) == ("WARNED", 1, ())
    assert {source.annotations["role"] for source in result.configuration} == {
        *("inventory", "baseline", "rules")
    }


def test_an_example_is_no_pass(tmp_path: Path) -> None:
    """An inventory that calls itself an example is nobody's, so it is at most WARNED."""
    assert result_of(tmp_path, compliant() | {"example": True}).result == "WARNED"


def test_a_partial_run_is_failed(tmp_path: Path) -> None:
    """Where rules were left out, nothing is PASSED."""
    audit(tmp_path, COMPLIANT, only="CMEK-08")
    assert state_result(read_record(tmp_path / "report"), {}).predicate.result == "FAILED"


def test_a_run_that_ended_otherwise_is_failed(tmp_path: Path) -> None:
    """If the process ended with a failure of another kind, nothing is PASSED."""
    inventory = save_inventory(tmp_path / "inventory.json", COMPLIANT)
    values: dict[str, Any] = {"inventory": (str(inventory),), "as_of": AS_OF}
    values["report_dir"] = str(tmp_path / "r")

    run_rules(parse_options(values), describe_run=lambda _: RUN | {"exit_code": 1, "link": ""})
    result = state_result(read_record(tmp_path / "r"), {}).predicate
    assert (result.result, result.url) == ("FAILED", None)


def test_sources_are_named_with_their_hashes(tmp_path: Path) -> None:
    """Bundles are named by their inventory and their root, with earlier ones and the rules."""
    first, second = recorded(tmp_path), recorded(tmp_path)
    report = report_on(tmp_path, second.bundle, history=(first.bundle,))
    configuration = state_result(read_record(report.folder), {}).predicate.configuration
    rows = [(source.name, source.annotations.get("role")) for source in configuration]
    assert rows == [
        (f"{second.bundle}/inventory.ndjson", "inventory"),
        (f"{first.bundle}/inventory.ndjson", "history"),
        ("rules", "rules"),
    ]
    entry = report.head["population"]["sources"][0]
    assert configuration[0].digest.sha256 == entry["sha256"]
    assert configuration[0].annotations["root"] == entry["evidence"]["root"]


def test_a_row_of_bundles_is_named_by_its_roots(tmp_path: Path) -> None:
    """Of many nights in a row, the last one carries the hash over the roots of all of them."""
    write_nights(tmp_path / "ev", [{}] * 4)
    document = document_data(organization_data(), captured_at=night_at(9).isoformat())
    present = write_yaml(tmp_path / "now.yaml", document)
    report = report_on(tmp_path, present, history=(str(tmp_path / "ev"),))
    configuration = state_result(read_record(report.folder), {}).predicate.configuration
    expected = report.head["population"]["sources"][-1]["chain"]["sha256"]
    chains = [source.annotations.get("chain") for source in configuration]
    assert chains == [None, None, expected, None]


def test_very_many_ids_are_counted(violations: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more ids than are listed, the rest is a number, and where they are."""
    monkeypatch.setattr(test_result, "MOST_IDS", 2)
    failed = state_result(read_record(violations.folder), {}).predicate.failed
    assert len(failed) == 3
    assert failed[2].endswith(" more, in findings.ndjson")


@pytest.fixture
def violations(tmp_path: Path) -> Report:
    data: Any = violating()
    return audit(tmp_path, data["organizations"])


def test_lines_that_no_audit_writes_are_refused(violations: Report) -> None:
    """A record whose hashes are right, and whose lines are none, states nothing."""
    record = read_record(violations.folder)
    (violations.folder / "findings.ndjson").write_bytes(b"[]\n")
    with pytest.raises(RecordError, match="holds what no audit writes"):
        state_result(record, {})
