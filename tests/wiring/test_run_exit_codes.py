"""What a run ends with, and what it leaves behind when it does not come to a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from checks.engine.catalogue import load_rules
from reports.presentation.evidence_text import rests_on
from reports.presentation.protection_text import answer
from tests.builders import document_data, write_text, write_yaml
from tests.wiring.runs import (
    ALL,
    ALL_FILES,
    AS_OF,
    DEFAULT_FILES,
    FORMER,
    KEPT,
    RECORD,
    ROOT,
    Run,
    advisory,
    audit,
    compliant,
    plugin,
    prefill,
    run,
    saved,
    unsettled,
    violating,
    waivers,
)

if TYPE_CHECKING:
    from reports.model.head import Head

pytestmark = pytest.mark.slow

NO_AUDIT = "NO AUDIT: the run did not finish, and no report was written."
ATTESTED = (
    "1 of 1 database deployed after its key rests on an attestation alone (1 person). "
    "Passes of CMEK-08 (1 of 1), CMEK-11 (1 of 1) and CMEK-12 (1 of 1) rest on attestations alone "
    "(1 person)."
)
COMPLIANT = (
    f"Compliant: 9 of {len(load_rules())} rules were evaluated; none failed. {ATTESTED} "
    "CMEK-03, CMEK-04, CMEK-06, CMEK-10, CMEK-15 and CMEK-16 found no subject. "
    "CMEK-13, CMEK-17, CMEK-18 and CMEK-19 do not apply."
)


def _word_and_code(run: Run) -> tuple[int, str]:
    return run.code, run.word


# --- verdicts -------------------------------------------------------------------------------------


def test_a_compliant_inventory_ends_with_0(compliant_run: Run) -> None:
    """Where all is well the run ends with 0, says so in its last words, and writes every report."""
    assert _word_and_code(compliant_run) == (0, "compliant")
    assert compliant_run.left == ALL_FILES
    assert compliant_run.out.splitlines()[-5:] == [
        "Findings: 13, of which 9 pass, 4 not-applicable",
        answer(cast("Head", compliant_run.head)),
        rests_on(cast("Head", compliant_run.head)),
        COMPLIANT,
        f"Report: {compliant_run.folder}/audit.html",
    ]


def test_a_failure_ends_with_1(tmp_path: Path) -> None:
    """Where a key is missing the run ends with 1, which is the verdict and not a crash."""
    found = audit(tmp_path, violating())
    assert _word_and_code(found) == (1, "not compliant")
    assert found.out.splitlines()[-4:] == [
        answer(cast("Head", found.head)),
        f"Not compliant: 5 checks failed. {ATTESTED}",
        "Exit code 1: not compliant.",
        f"Report: {tmp_path}/r/audit.json",
    ]


def test_what_could_not_be_judged_ends_with_1(tmp_path: Path) -> None:
    """Where a fact is missing the run ends with 1."""
    assert _word_and_code(audit(tmp_path, unsettled())) == (1, "not established")


def test_what_could_not_be_judged_may_be_allowed(tmp_path: Path) -> None:
    """If told to, a run ends with 0 over a missing fact, still shows it, and calls nothing good."""
    found = audit(tmp_path, unsettled(), "--cmek-allow-inconclusive", "-v")
    assert _word_and_code(found) == (0, "not established")
    assert found.head["counts"]["inconclusive"] == 1
    assert "INCONCLUSIVE" in found.out
    assert "1 check is inconclusive" in found.out.splitlines()[-2]


def test_an_advisory_does_not_stop(tmp_path: Path) -> None:
    """A recommendation that is not followed is shown, and the run ends with 0."""
    found = audit(tmp_path, advisory(), "-v")
    assert _word_and_code(found) == (0, "compliant")
    assert (found.head["counts"]["fail"], found.out.count("BELOW-GATE")) == (1, 1)


def test_an_advisory_stops_if_reported_to(tmp_path: Path) -> None:
    """Where the gate is set to advisories the run ends with 1 for one of them."""
    assert _word_and_code(audit(tmp_path, advisory(), "--cmek-fail-on=advisory")) == (
        1,
        "not compliant",
    )


def test_a_gate_lets_milder_failures_pass_but_calls_them_failures(tmp_path: Path) -> None:
    """Where only critical failures stop, others end with 0, and the verdict names them."""
    found = audit(tmp_path, compliant(keys=[]), "--cmek-fail-on=critical")
    assert _word_and_code(found) == (0, "not compliant")
    assert "The gate (--cmek-fail-on critical) lets this run pass." in found.out


# --- no audit -------------------------------------------------------------------------------------


MALFORMED: dict[str, tuple[object, str, str]] = {
    "inventory": (document_data(regoins=[]), "regoins: []", "regoins"),
    "plan": ({"cmek-plan": 1, "organizations": [{"id": "acme"}]}, "- id: acme", "databases"),
    "state": ({"format_version": "1.0", "valid": True}, "format_version: '1.0'", "neither"),
    "history": (
        {"cmek-inventory": 1, "organizations": [{"id": "a", "name": "a"}]},
        "- id: a",
        "captured_at",
    ),
    "waivers": ({"cmek-waivers": 1, "waivers": [{"id": "W-1"}]}, "- id: W-1", "reason"),
    "controls": ({"cmek-controls": 1, "frameworks": [{"name": "n"}]}, "- name: n", "rules"),
}
"""By option: what is malformed, the text on the line that is to be named, and the field."""


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused(tmp_path: Path, name: str) -> None:
    """A file that cannot be understood ends the run with 4, named by line, and leaves no report.

    What an earlier audit had left in the folder is in ``previous/``; what is not ours stays.
    """
    data, text, field = MALFORMED[name]
    prefill(tmp_path)
    path = Path(write_yaml(tmp_path / f"bad-{name}.yaml", data))
    line = path.read_text().splitlines().index(text) + 1
    good = () if name == "inventory" else (f"--cmek-inventory={saved(tmp_path, compliant())}",)
    found = run(
        *good,
        f"--cmek-{name}={path}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        folder=tmp_path / "r",
    )
    assert (found.code, found.left, found.previous) == (4, KEPT, ALL_FILES)
    assert f"{path}:{line}:" in found.out
    assert field in found.out
    assert "Traceback" not in found.out


@pytest.mark.parametrize(
    "option",
    [
        "--cmek-fail-on=severe",
        "--cmek-as-of=2026-11-20T02:00:00",
        "--cmek-formats=pdf",
        "--cmek-inventory=",
        "--cmek-inventory=acme-is-not-there.yaml",
    ],
)
def test_an_unusable_option_is_refused(tmp_path: Path, option: str) -> None:
    """An option that cannot be understood ends the run with 4, is named, and leaves no report."""
    prefill(tmp_path)
    found = audit(tmp_path, compliant(), option)
    assert (found.code, found.left, found.previous) == (4, KEPT, ALL_FILES)
    assert (option.partition("=")[0] if "inventory" not in option else "expected") in found.out
    assert "Traceback" not in found.out


def test_every_unusable_option_is_named_at_once(tmp_path: Path) -> None:
    """Several mistakes in options are told together."""
    found = audit(tmp_path, compliant(), "--cmek-fail-on=severe", "--cmek-group=database")
    assert {line for line in found.out.splitlines() if "--cmek-" in line} == {
        (
            "ERROR: --cmek-fail-on: found 'severe', expected 'critical', 'high', 'medium', 'low' "
            "or 'advisory'"
        ),
        "--cmek-group: found 'database', expected 'subject', 'organization', 'rule' or 'auto'",
    }


def test_a_report_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """If the report folder is a file the run ends with 4 and says so."""
    write_text(tmp_path / "r", "a file")
    found = audit(tmp_path, compliant())
    assert found.code == 4
    assert f"--cmek-report-dir: found {tmp_path / 'r'}" in found.out
    assert "Traceback" not in found.out


def test_a_run_without_any_check_is_no_audit(tmp_path: Path) -> None:
    """If every check is deselected the run ends with 5, and leaves no record of its own."""
    prefill(tmp_path)
    found = audit(tmp_path, compliant(), "-k", "nothing", formats=ALL)
    assert (found.code, found.left) == (5, {*KEPT, "results.html", "junit.xml"})
    assert found.out.splitlines()[-1] == NO_AUDIT
    assert (NO_AUDIT in found.text("results.html"), _verdicts(found)) == (True, [NO_AUDIT])


def _verdicts(run: Run) -> list[str | None]:
    properties = run.junit.findall("properties/property")
    return [prop.get("value") for prop in properties if prop.get("name") == "verdict"]


def test_a_run_that_judges_nothing_is_no_audit(tmp_path: Path) -> None:
    """If pytest is told to set checks up and not to run them, the run ends with 5."""
    found = audit(tmp_path, compliant(), "--setup-plan", formats=ALL)
    assert (found.code, found.left & {*RECORD, "audit.html"}) == (5, set())
    assert found.out.splitlines()[-1] == NO_AUDIT


def test_an_interrupted_run_is_no_audit(tmp_path: Path) -> None:
    """If the run is interrupted it ends with 2, leaves no record, and no report of it is green."""
    prefill(tmp_path)
    argument, environment = plugin(
        tmp_path,
        "seen = []\n"
        "def pytest_runtest_setup(item):\n"
        "    seen.append(item)\n"
        "    if len(seen) == 5:\n"
        "        raise KeyboardInterrupt\n",
    )
    found = audit(tmp_path, compliant(), argument, formats=ALL, environment=environment)
    assert (found.code, found.left) == (2, {*KEPT, "results.html", "junit.xml"})
    assert found.out.splitlines()[-1] == NO_AUDIT
    assert (NO_AUDIT in found.text("results.html"), _verdicts(found)) == (True, [NO_AUDIT])
    assert FORMER not in found.text("junit.xml")


def test_a_reading_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    """If the run is interrupted while it reads and judges, nothing at all is left of it."""
    prefill(tmp_path)
    argument, environment = plugin(
        tmp_path,
        "def pytest_configure(config):\n"
        "    import checks.check_paid_plan as check\n"
        "    def judge(estate, context):\n"
        "        raise KeyboardInterrupt\n"
        "        yield\n"
        "    check.judge = judge\n",
    )
    found = audit(tmp_path, compliant(), argument, environment=environment)
    assert (found.code, found.left, found.previous) == (2, KEPT, ALL_FILES)


def test_a_verdict_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    """If the record cannot be finished the run ends with 3, and nothing looks like an audit."""
    argument, environment = plugin(
        tmp_path,
        "def pytest_configure(config):\n"
        "    import reports.formats.registry\n"
        "    def encode(text):\n"
        "        raise OSError('no space left')\n"
        "    reports.formats.registry.encode = encode\n",
    )
    found = audit(tmp_path, compliant(), argument, formats=ALL, environment=environment)
    assert (found.code, found.left) == (3, set())
    assert found.out.splitlines()[-1] == NO_AUDIT


# --- runs that only look --------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--collect-only", "--fixtures", "--fixtures-per-test"])
def test_a_run_that_only_looks_changes_nothing(tmp_path: Path, option: str) -> None:
    """Listing checks or fixtures writes no report, and deletes none."""
    prefill(tmp_path)
    found = audit(tmp_path, violating(), option, formats=ALL)
    assert (found.code, found.left) == (0, {*ALL_FILES, "notes.txt"})
    assert {found.text(name) for name in found.left} == {FORMER}
    assert "NO AUDIT" not in found.out


@pytest.mark.parametrize("option", ["--cmek-fail-on=severe", "--cmek-history=acme.yaml"])
def test_a_run_that_only_looks_may_fail_and_still_changes_nothing(
    tmp_path: Path, option: str
) -> None:
    """A mistake in a run that only lists checks ends it with 4, and deletes no report."""
    prefill(tmp_path)
    found = audit(tmp_path, violating(), "--collect-only", option)
    assert (found.code, found.left) == (4, {*ALL_FILES, "notes.txt"})


def test_other_tests_may_run_beside_the_checks(tmp_path: Path) -> None:
    """Tests that are no checks have no part in the audit, whose verdict stays the same."""
    other = "tests/inventory/text/test_display.py"
    found = audit(tmp_path, compliant(), "checks", other, "-v")
    assert (found.code, found.word, found.head["settings"]["left_out"]) == (0, "compliant", "")
    assert "tests/inventory/text/test_display.py::test_secrets PASSED" in found.out


def test_the_wiring_sleeps_without_checks(tmp_path: Path) -> None:
    """A run of other tests needs no inventory, deletes no report, and writes none."""
    prefill(tmp_path)
    found = run(
        "-cpyproject.toml",
        "tests/inventory/text/test_display.py",
        "-ktest_secrets",
        "--cmek-inventory=acme-is-not-there.yaml",
        f"--cmek-report-dir={tmp_path / 'r'}",
        folder=tmp_path / "r",
    )
    assert (found.code, found.left) == (0, {*ALL_FILES, "notes.txt"})
    assert {found.text(name) for name in found.left} == {FORMER}
    assert "audit:" not in found.out


def test_the_suites_own_tests_are_collected_without_an_audit(tmp_path: Path) -> None:
    """Collecting all tests of the suite audits nothing."""
    tests = str(ROOT / "tests")
    found = run(tests, "--collect-only", "-q", cwd=tmp_path, folder=tmp_path / "audit-report")
    assert (found.code, found.left) == (0, set())
    assert "::check_" not in found.out


def test_a_run_needs_no_plugin_but_pytest(tmp_path: Path) -> None:
    """Without the plugin for the page of results all other reports are made."""
    found = run(
        f"--cmek-inventory={saved(tmp_path, compliant())}",
        f"--cmek-as-of={AS_OF}",
        f"--cmek-report-dir={tmp_path / 'r'}",
        folder=tmp_path / "r",
    )
    assert (found.code, found.left, found.word) == (
        0,
        DEFAULT_FILES - {"results.html"},
        "compliant",
    )


def test_a_run_leaves_no_other_files(tmp_path: Path) -> None:
    """In the report folder there is nothing beside the reports, and what is not ours stays."""
    prefill(tmp_path)
    found = audit(tmp_path, compliant(), waivers(tmp_path))
    assert (found.code, found.left) == (0, {*RECORD, *KEPT})
    assert json.loads(found.text("audit.json"))["verdict"]["outcome"] == "compliant"
