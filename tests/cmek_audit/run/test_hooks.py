"""The hooks show statuses under their own names, and count only what was run to its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from checks.engine.outcome import FindingGroup, Gate
from cmek_audit.run import hooks
from cmek_audit.run.hooks import AuditHooks
from tests.checks.judging import RULES, a_finding


def _report(outcome: str, status: str, when: str = "call", known: str = "0") -> Any:  # noqa: ANN401 (pytest's own)
    is_outcome = {name: outcome == name for name in ("passed", "failed", "skipped")}
    properties = {"status": status, "known": known, "rule": "CMEK-01", "key": "k"}
    return SimpleNamespace(when=when, outcome=outcome, cmek=properties, **is_outcome)


def _hooks(verbosity: int = 0) -> AuditHooks:
    made = object.__new__(AuditHooks)
    made._finished = set()
    option = SimpleNamespace(verbose=verbosity)
    made._config = cast("pytest.Config", SimpleNamespace(option=option))
    return made


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        (_report("passed", "pass"), None),
        (_report("failed", "fail"), None),
        (_report("failed", "inconclusive"), hooks._SHOWN_AS["inconclusive"]),
        (_report("skipped", "waived"), hooks._SHOWN_AS["waived"]),
        (_report("skipped", "fail"), hooks._SHOWN_AS["fail"]),
        (_report("skipped", "fail", known="1"), hooks._KNOWN),
        (_report("skipped", "not-applicable"), hooks._SHOWN_AS["not-applicable"]),
        (_report("skipped", "waived", when="setup"), None),
        (SimpleNamespace(when="call"), None),
    ],
)
def test_a_status_is_shown_by_its_own_name(report: Any, shown: tuple[str, str, str] | None) -> None:  # noqa: ANN401 (as above)
    """What pytest calls skipped or failed is shown as what it is; all else stays pytest's."""
    assert _hooks().pytest_report_teststatus(report) == shown


@pytest.mark.parametrize(
    ("report", "counted"),
    [
        (_report("passed", "pass"), "passed"),
        (_report("failed", "fail"), "failed"),
        (_report("failed", "error", when="setup"), "error"),
        (_report("failed", "inconclusive"), "inconclusive"),
        (_report("skipped", "waived"), "waived"),
    ],
)
def test_a_quiet_run_counts_and_shows_nothing(report: Any, counted: str) -> None:  # noqa: ANN401 (as above)
    """Each outcome is counted as in any run, but has neither a letter nor a word."""
    assert _hooks(-2).pytest_report_teststatus(report) == (counted, "", "")
    assert _hooks(-1).pytest_report_teststatus(report) != (counted, "", "")


def test_a_failure_begins_with_the_fact() -> None:
    """pytest puts the name of the exception before the text of a group; it is taken away."""
    group = FindingGroup(RULES["CMEK-01"].card, "")
    group.add(a_finding("fail"), Gate())
    messages = [f"checks.engine.outcome.Noncompliant: {group.text()}", "ValueError: not ours"]
    crashes = [SimpleNamespace(message=message) for message in messages]
    for crash in crashes:
        report: Any = SimpleNamespace(skipped=False, longrepr=SimpleNamespace(reprcrash=crash))
        hooks._show_fact(report, group, ("c.py", 0, "c"))
    assert [crash.message for crash in crashes] == [group.text(), "ValueError: not ours"]


@pytest.mark.parametrize(
    ("outcome", "when", "is_finished"),
    [
        ("passed", "call", True),
        ("skipped", "call", True),
        ("failed", "setup", True),
        ("skipped", "setup", False),
        ("passed", "teardown", False),
    ],
)
def test_only_what_ran_to_its_end_is_finished(
    outcome: str, when: str, *, is_finished: bool
) -> None:
    """A group counts as run if its check was called or broke, not if another plugin skipped it."""
    made = _hooks()
    report = _report(outcome, "pass", when)
    made.pytest_runtest_logreport(cast("pytest.TestReport", report))
    assert made._finished == ({("CMEK-01", "k")} if is_finished else set())
