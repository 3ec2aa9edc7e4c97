"""What is missing, cut short, stale or unknown never reads as compliant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import (
    database_data,
    document_data,
    ndjson_lines,
    ndjson_text,
    organization_data,
    write_text,
)
from tests.wiring.runs import Run, audit, compliant, run, saved, whole_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


def _without(name: str) -> dict[str, Any]:
    """Return a compliant inventory whose organization lacks a field."""
    document = compliant()
    del document["organizations"][0][name]
    return document


def _undated() -> dict[str, Any]:
    document = compliant()
    del document["captured_at"]
    return document


def _of_tier(tier: str) -> dict[str, Any]:
    database = database_data(tier=tier)
    del database["type"]
    return compliant(databases=[database])


def _database_without_times() -> dict[str, Any]:
    database = database_data(regions=[{"name": "us-east-1"}])
    del database["created_at"]
    return compliant(databases=[database])


def _reasons(run: Run, rule: str) -> set[str]:
    """Return the reason codes of the findings of one rule that could not be judged."""
    given = [finding for finding in run.findings if finding["rule"] == rule]
    return {finding["reason"] for finding in given if finding["status"] == "inconclusive"}


UNREADABLE: dict[str, Callable[[], str]] = {
    "an empty file": str,
    "no organization": lambda: "cmek-inventory: 1\norganizations: []\n",
    "only a head": lambda: "cmek-inventory: 1\ncaptured_at: 2026-11-20T02:00:00Z\n",
    "a key twice": lambda: (
        "cmek-inventory: 1\norganizations:\n- {id: a, name: a, keys: [], keys: []}\n"
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_without_an_inventory_is_no_inventory(tmp_path: Path, case: str) -> None:
    """A file that holds nothing to audit ends the run with 4 and leaves no record."""
    path = write_text(tmp_path / "inventory.yaml", UNREADABLE[case]())
    found = audit(tmp_path, path)
    assert (found.code, found.left) == (4, set())


UNSETTLED: dict[str, tuple[Callable[[], dict[str, Any]], str, str]] = {
    "nothing recorded": (lambda: compliant(keys=[], databases=[]), "CMEK-14", "empty"),
    "databases not recorded": (lambda: _without("databases"), "CMEK-14", "not-recorded"),
    "keys not recorded": (lambda: _without("keys"), "CMEK-01", "not-recorded"),
    "unknown tier": (lambda: _of_tier("developer"), "CMEK-14", "unknown-type"),
    "no time of deployment": (_database_without_times, "CMEK-05", "time-not-recorded"),
    "no time of the record": (_undated, "CMEK-14", "time-not-recorded"),
    "an old record": (
        lambda: compliant() | {"captured_at": "2026-10-01T00:00:00Z"},
        "CMEK-14",
        "stale",
    ),
    "a record of the future": (
        lambda: compliant() | {"captured_at": "2026-11-22T02:00:00Z"},
        "CMEK-14",
        "impossible-time",
    ),
    "a gap": (
        lambda: compliant(gaps=[{"fact": "databases", "reason": "refused", "detail": "403"}]),
        "CMEK-14",
        "refused",
    ),
}


@pytest.mark.parametrize("case", UNSETTLED)
def test_a_missing_fact_is_reported_and_stops(tmp_path: Path, case: str) -> None:
    """A fact that is missing makes the rule inconclusive that needs it, and ends the run with 1."""
    make, rule, reason = UNSETTLED[case]
    found = audit(tmp_path, make())
    assert (found.code, _reasons(found, rule)) == (1, {reason})
    assert found.word in {"not established", "not compliant"}


def test_what_could_not_be_judged_is_never_waived(tmp_path: Path) -> None:
    """A waiver for a finding that is inconclusive does nothing, and is told to be unused."""
    waiver = {
        "id": "W-1",
        "rule": "CMEK-14",
        "subject": organization_data()["id"],
        "cause": "time-not-recorded",
        "reason": "it is old",
        "requested_by": "acme-platform",
        "approved_by": "acme-security",
        "requested_on": "2026-11-01",
        "approved_on": "2026-11-01",
        "expires_on": "2027-03-01",
        "compensating_control": "none",
        "ticket": "ACME-17",
    }
    path = saved(tmp_path, {"cmek-waivers": 1, "waivers": [waiver]}, "waivers")
    found = audit(tmp_path, _undated(), f"--cmek-waivers={path}")
    assert (found.code, found.word) == (1, "not established")
    assert [waiver["state"] for waiver in found.head["waivers"]] == ["unused"]


# --- files that were cut short --------------------------------------------------------------------


def _stream() -> str:
    whole = organization_data(keys=[whole_key()])
    return ndjson_text(ndjson_lines(whole))


def test_a_whole_stream_complies(tmp_path: Path) -> None:
    """The stream that the following tests cut is compliant as long as it is whole."""
    found = audit(tmp_path, write_text(tmp_path / "inventory.ndjson", _stream()))
    assert (found.code, found.word) == (0, "compliant")


def test_a_stream_that_ends_at_a_line_is_cut_short(tmp_path: Path) -> None:
    """Without its end record a stream may lack anything, and is told to be cut short."""
    text = "".join(_stream().splitlines(keepends=True)[:-1])
    found = audit(tmp_path, write_text(tmp_path / "inventory.ndjson", text))
    assert (found.code, _reasons(found, "CMEK-14")) == (1, {"cut-short"})
    assert [source["complete"] for source in found.head["population"]["sources"]] == [False]


@pytest.mark.parametrize("cut", [0, 20, -20])
def test_a_stream_that_ends_within_a_line_is_refused(tmp_path: Path, cut: int) -> None:
    """A stream that is empty, or of which a line is cut, ends the run with 4."""
    found = audit(tmp_path, write_text(tmp_path / "inventory.ndjson", _stream()[:cut]))
    assert (found.code, found.left) == (4, set())


def test_a_stream_that_lacks_a_line_is_refused(tmp_path: Path) -> None:
    """A stream that holds less than its end record says ends the run with 4."""
    lines = _stream().splitlines(keepends=True)
    text = "".join(line for line in lines if '"kind":"key"' not in line)
    found = audit(tmp_path, write_text(tmp_path / "inventory.ndjson", text))
    assert (found.code, found.left) == (4, set())
    assert "0 key lines" in found.out


# --- what only looks like an inventory ------------------------------------------------------------


def test_a_plan_alone_is_no_inventory(tmp_path: Path) -> None:
    """A plan given as an inventory is refused."""
    plan = {"cmek-plan": 1, "organizations": [{"id": "acme", "databases": []}]}
    assert audit(tmp_path, plan).code == 4


def test_a_planned_database_needs_its_key_now(tmp_path: Path) -> None:
    """A plan beside a compliant inventory that needs another key makes the run fail."""
    database = {
        "name": "acme-next",
        "type": "serverless",
        "provider": "gcp",
        "regions": [{"name": "us-east1"}],
    }
    organizations = [{"id": organization_data()["id"], "databases": [database]}]
    path = saved(tmp_path, {"cmek-plan": 1, "organizations": organizations}, "plan")
    found = audit(tmp_path, compliant(), f"--cmek-plan={path}")
    critical = {
        finding["rule"]
        for finding in found.findings
        if (finding["status"], finding["severity"]) == ("fail", "critical")
    }
    assert (found.code, critical) == (1, {"CMEK-01", "CMEK-05"})


def test_an_organization_of_a_plan_alone_is_not_established(tmp_path: Path) -> None:
    """Of an organization that only a plan names, nothing is known to be all."""
    database = {
        "name": "acme-next",
        "type": "serverless",
        "provider": "aws",
        "regions": [{"name": "us-east-1"}],
    }
    organizations = [{"id": "acme-elsewhere", "databases": [database]}]
    path = saved(tmp_path, {"cmek-plan": 1, "organizations": organizations}, "plan")
    found = audit(tmp_path, compliant(), f"--cmek-plan={path}")
    assert (found.code, found.word) == (1, "not established")


def test_two_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Two records of one moment that disagree end the run with 4."""
    other = saved(tmp_path, compliant(name="acme-other"), "other")
    found = audit(tmp_path, compliant(), f"--cmek-inventory={other}")
    assert (found.code, found.left) == (4, set())


def test_the_oldest_of_several_files_counts(tmp_path: Path) -> None:
    """An organization that a fresh and a stale file describe together is as stale as the latter."""
    organization = {key: compliant()["organizations"][0][key] for key in ("id", "name", "keys")}
    stale = document_data(organization, captured_at="2026-01-01T00:00:00Z")
    other = saved(tmp_path, stale, "other")
    found = audit(tmp_path, _without("keys"), f"--cmek-inventory={other}")
    assert (found.code, _reasons(found, "CMEK-14")) == (1, {"stale"})


def test_an_empty_environment_variable_names_no_inventory(tmp_path: Path) -> None:
    """An option that a pipeline left without value is refused: the example is not taken for it."""
    found = run("--cmek-inventory=", f"--cmek-report-dir={tmp_path / 'r'}", folder=tmp_path / "r")
    assert (found.code, found.left) == (4, set())
