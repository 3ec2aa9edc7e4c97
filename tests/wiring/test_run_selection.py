"""A run of a part of the checks says so in every report, and never ends with 0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from checks.engine.catalogue import load_rules
from tests.builders import database_data, uuid
from tests.wiring.runs import ALL, PARTIAL, Run, audit, compliant, violating

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SCOPE = "checks/check_scope_has_key.py"
NODE = f"{SCOPE}::check_scope_has_key[acme-prod/serverless/aws/us-east-1]"
RULES = {rule.card.id for rule in load_rules()}


def _with_banner(run: Run) -> dict[str, bool]:
    """Say which of all places that somebody may read have the banner of a partial run."""
    properties = run.junit.findall("properties/property")
    banners = [prop.get("value") or "" for prop in properties if prop.get("name") == "banner"]
    return {
        "terminal": PARTIAL in run.out,
        "audit.html": PARTIAL in run.text("audit.html"),
        "results.html": PARTIAL in run.text("results.html"),
        "junit.xml": any(PARTIAL in banner for banner in banners),
    }


EVERYWHERE = dict.fromkeys(("terminal", "audit.html", "results.html", "junit.xml"), True)
NOWHERE = dict.fromkeys(EVERYWHERE, False)

SELECTIONS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "by word": (("-k", "scope_has_key"), {"CMEK-01"}),
    "by rule": (("-m", 'rule(id="CMEK-01")'), {"CMEK-01"}),
    "by severity": (
        ("-m", 'severity(level="critical")'),
        {"CMEK-14"},
    ),
    "by file": ((SCOPE,), {"CMEK-01"}),
    "by node": ((NODE,), {"CMEK-01"}),
    "without one": ((f"--deselect={NODE}",), RULES - {"CMEK-01"}),
    "by file, in one item a rule": (("--cmek-group=rule", SCOPE), {"CMEK-01"}),
    "without a file": ((f"--ignore={SCOPE}",), RULES - {"CMEK-01"}),
}


@pytest.mark.parametrize("case", SELECTIONS)
def test_a_part_of_the_checks_is_no_audit(tmp_path: Path, case: str) -> None:
    """Whichever way checks are selected, the run is partial and ends with 5 where all is green.

    The record holds the findings of the checks that ran, and of no other.
    """
    arguments, rules = SELECTIONS[case]
    found = audit(tmp_path, compliant(), *arguments, formats=ALL)
    assert (found.code, found.word, _with_banner(found)) == (5, "partial", EVERYWHERE)
    assert {finding["rule"] for finding in found.findings} <= rules
    assert found.misfits == []
    left_out = set(re.findall("CMEK-[0-9]{2}", found.head["settings"]["left_out"]))
    assert left_out == RULES - rules


def test_a_whole_run_has_no_banner(compliant_run: Run) -> None:
    """A run of all checks says nowhere that it is partial."""
    assert (compliant_run.head["settings"]["left_out"], _with_banner(compliant_run)) == (
        "",
        NOWHERE,
    )


def test_a_run_that_stops_at_a_failure_is_partial(tmp_path: Path) -> None:
    """With -x the run ends at the first failure: not compliant, and partial all the same."""
    found = audit(tmp_path, violating(), "-x", formats=ALL)
    assert (found.code, found.word, _with_banner(found)) == (1, "not compliant", EVERYWHERE)
    assert len(found.findings) == sum(found.head["counts"].values()) == 1


def test_a_partial_run_counts_only_what_it_ran(tmp_path: Path) -> None:
    """Counts, actions and key plan of a partial run rest on what was run."""
    found = audit(tmp_path, violating(), SCOPE)
    assert found.head["counts"] == dict.fromkeys(found.head["counts"], 0) | {"pass": 1, "fail": 2}
    assert [action["rules"] for action in found.head["actions"]] == [["CMEK-01"]]


def test_a_partial_run_of_many_findings_is_whole_in_itself(tmp_path: Path) -> None:
    """However many findings are left out, the file of those that ran holds them all, and no more.

    The audit is large enough for findings to have been written before some are left out.
    """
    databases = [database_data(id=uuid(number), name=f"acme-{number}") for number in range(2_500)]
    found = audit(
        tmp_path,
        compliant(databases=databases),
        "checks/check_population_complete.py",
        "--cmek-group=organization",
    )
    assert (found.code, found.word) == (5, "partial")
    [finding] = found.findings
    assert (finding["rule"], finding["status"]) == ("CMEK-14", "pass")
    assert found.head["findings"]["bytes"] == len(found.text("findings.ndjson"))
